"""What takes the space of one's mailbox, and making room."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Clearing, MailboxSpace
from accounts.services.usage.report import mailbox_report
from accounts.services.usage.standing import permille_of
from webmail.errors import Refused
from webmail.models import folder_of
from webmail.services import organising, undo
from webmail.services.access import account_for, credentials_for
from webmail.services.clearing import GRACE_S, ask_clearing, cancel_clearing, clearings_of
from webmail.services.export import names_of, zip_of
from webmail.services.folders import folder_label
from webmail.services.reading import find_folder
from webmail.services.space import BIGGEST, Space, biggest_messages, forget, space_of, tidied
from webmail.templatetags.casilla import filesize
from webmail.templatetags.toasts import lasting
from webmail.tokens import decode_folder, encode_folder
from webmail.values import Credentials, Folder, FolderId, Quota, Ref
from webmail.views.box import Box, open_box
from webmail.views.parts import disposition, streamed


@login_required
@require_safe
def space(request: HttpRequest, account_id: int) -> HttpResponse:
    """By folder, year, size and sender; the biggest messages; what could go."""
    with open_box(request, account_id) as box:
        found = _look(box, anew=request.GET.get("anew") == "1")
        clearings, quota = clearings_of(box.account), box.quota()
        leaving = {folder_of(one.folder) for one in clearings if one.state != Clearing.State.FAILED}
        context = {
            "account": box.account,
            "space": found,
            "quota": quota,
            "growth": mailbox_report(box.account.mailbox, now_bytes=quota.used_bytes if quota else None)
            if box.account.mailbox and not box.account.downloads
            else None,
            "standing": _standing(box, quota),
            "folders": _folder_rows(box, found),
            "rows": _big_rows(box, found),
            "clearings": clearings,
            "tidies": [one for one in found.tidies if one.share.messages and one.folder not in leaving],
        }
    return render(request, "webmail/space.html", context)


@login_required
@require_POST
def space_tidy(request: HttpRequest, account_id: int) -> HttpResponse:
    """Deletes for good what has been in the Trash or among the junk for longer than `days`, after a moment in which that can be
    cancelled."""
    with open_box(request, account_id) as box:
        try:
            folder, days = _tidied_folder(box, request.POST)
            refs, share = tidied(box.account, folder, _credentials(box), days=days)
        except (Refused, ValueError):
            return HttpResponseBadRequest()
        secret = "" if box.account.hosted else _credentials(box).password
        one = ask_clearing(box.account, folder, refs, share, days=days, secret=secret) if refs else None
    if one is None:
        notices.info(request, _("There is nothing to delete any more."))
        return redirect("space", account_id)
    text = ngettext(
        "%(n)s message, %(size)s, is deleted for good in %(seconds)s seconds",
        "%(n)s messages, %(size)s, are deleted for good in %(seconds)s seconds",
        share.messages,
    )
    values = {"n": share.messages, "size": filesize(share.size_bytes), "seconds": GRACE_S}
    undo = reverse("space_tidy_undo", args=[account_id, one.pk])
    notices.info(request, text % values, extra_tags=lasting(undo, GRACE_S))
    return redirect("space", account_id)


@login_required
@require_POST
def space_tidy_undo(request: HttpRequest, account_id: int, clearing_id: int) -> HttpResponse:
    """Cancels it, if no worker has begun. It needs no mail server."""
    account = account_for(request, account_id)
    if cancel_clearing(account, clearing_id):
        notices.info(request, _("Nothing was deleted."))
    else:
        notices.error(request, _("This can no longer be undone."))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(reverse("space", args=[account_id]))
    return redirect("space", account_id)


@login_required
@require_safe
def space_archive(request: HttpRequest, account_id: int) -> HttpResponse | StreamingHttpResponse:
    """The same messages as a zip of .eml, to be kept before they are deleted."""
    stack = ExitStack()
    with stack:
        box = stack.enter_context(open_box(request, account_id))
        try:
            folder, days = _tidied_folder(box, request.GET)
            refs, _share = tidied(box.account, folder, _credentials(box), days=days)
        except (Refused, ValueError):
            return HttpResponseBadRequest()
        name = f"{box.account.address} {' '.join(names_of(folder))}.zip"
        response = streamed(zip_of(box.source, folder, refs), stack.pop_all(), "application/octet-stream")
    response["Content-Disposition"] = disposition("attachment", name)
    return response


def _tidied_folder(box: Box, data: QueryDict) -> tuple[Folder, int]:
    """The folder and the days of what is to go; -1 for what is no number of days. Raises ValueError and MailError."""
    days = data.get("days", "")
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else -1
    return find_folder(box.source.folders(), decode_folder(data.get("folder", ""))), number


@login_required
@require_POST
def space_delete(request: HttpRequest, account_id: int) -> HttpResponse:
    """Moves chosen big messages to the Trash, which can be undone; those that lie there are deleted for good."""
    refs = [ref for ref in (_ref(text) for text in request.POST.getlist("ref")[:BIGGEST]) if ref]
    with open_box(request, account_id) as box:
        for folder in {ref.folder for ref in refs}:
            change = organising.delete(box.source, [ref for ref in refs if ref.folder == folder])
            token = undo.keep(request.user.pk or 0, account_id, change.undo) if change.undo else ""
            text = ngettext("%(n)s message deleted", "%(n)s messages deleted", change.count) % {"n": change.count}
            notices.info(request, text, extra_tags=reverse("change_undo", args=[account_id, token]) if token else "")
        forget(box.account)
    return redirect("space", account_id)


def _standing(box: Box, quota: Quota | None) -> MailboxSpace | None:
    """How the mailbox stands by what its server says at this moment: its row may be two minutes old."""
    standing = MailboxSpace.objects.filter(mailbox=box.account.mailbox_id).first()
    if standing and quota:
        standing.permille = permille_of(quota.used_bytes, quota.limit_bytes or 0, messages=standing.messages)
    return standing


def _look(box: Box, *, anew: bool) -> Space:
    return space_of(box.account, box.source.folders(), _credentials(box), anew=anew)


def _credentials(box: Box) -> Credentials:
    """Those of the IMAP server; none where the mail lives here. Raises LoginRefused."""
    return Credentials("", "") if box.account.downloads else credentials_for(box.request, box.account)


def _folder_rows(box: Box, found: Space) -> list[dict[str, Any]]:
    labels = _labels(box)
    return [
        {
            "label": labels.get(folder, name),
            "url": box.url("folder", folder),
            "share": share,
            "percent": found.percent(share),
        }
        for folder, name, share in found.folders
        if share.messages
    ]


def _big_rows(box: Box, found: Space) -> list[dict[str, Any]]:
    labels = _labels(box)
    return [
        {
            "summary": row,
            "value": f"{encode_folder(row.ref.folder)}.{row.ref.validity}.{row.ref.id}",
            "url": box.message_url(row.ref),
            "label": labels.get(row.ref.folder, ""),
        }
        for row in biggest_messages(box.source, found)
    ]


def _labels(box: Box) -> dict[FolderId, str]:
    """Folders as people say them, with the names of those above."""
    folders = box.source.folders()
    names = {folder.id: str(folder_label(folder)) for folder in folders}
    found = {}
    for folder in folders:
        above = [names[folder.parent]] if folder.parent in names and folder.parent is not None else []
        found[folder.id] = " / ".join([*above, names[folder.id]])
    return found


def _ref(text: str) -> Ref | None:
    token, _dot, rest = text.partition(".")
    validity, _dot, uid = rest.partition(".")
    if not (validity.isascii() and validity.isdigit() and uid.isascii() and uid.isdigit() and len(rest) < 40):
        return None
    try:
        return Ref(decode_folder(token), int(validity), uid)
    except ValueError:
        return None
