"""Composers: opening, keeping, sending and throwing away what is written, and the files that go with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import MailAccount
from accounts.services.login import sealed_password
from accounts.vault import SealBroken
from webmail.errors import LoginRefused, MailError
from webmail.markup.document import frame_csp
from webmail.models import Composing, ContactGroup, Upload
from webmail.services import composing as service
from webmail.services import letters, uploads
from webmail.services.access import account_for, open_source
from webmail.services.bodies import RawBody, frame_body
from webmail.services.contacts import as_recipients, expand_groups, members_of, suggest
from webmail.services.identities import settle, signature_block, usable
from webmail.tokens import decode_folder
from webmail.values import Ref
from webmail.views.box import open_box, theme_of
from webmail.views.changes import parse_refs

KINDS = {"reply": "reply", "reply_all": "reply_all", "reply_list": "reply_list", "forward": "forward"}


@login_required
@require_safe
def compose_new(request: HttpRequest, account_id: int) -> HttpResponse:
    """Opens a composer: empty, to somebody (`to`) or a `group`, or with `kind` (reply, reply_all, reply_list, forward, edit,
    new) of the message `of` (VALIDITY.UID) in `folder`. Leads to its page, or is its part for htmx."""
    account = account_for(request, account_id)
    composing = service.new_composing(account)
    kind = request.GET.get("kind", "")
    if not kind:
        composing.to = request.GET.get("to", "")[:2000]
        if group := _group(account, request):
            composing.to = as_recipients(members_of(group))
        composing.subject = request.GET.get("subject", "")[:500]
        block = signature_block(composing.identity)
        composing.text = f"\n\n{block}" if block else ""
        composing.save()
        return _shown(request, composing)
    try:
        ref = parse_refs(decode_folder(request.GET.get("folder", "")), request.GET.get("of", ""))[0]
    except (ValueError, IndexError):
        return HttpResponseBadRequest()
    with open_box(request, account_id) as box:
        if kind in {"edit", "new"}:
            composing = _same_draft(account, ref) or composing
            letters.begin_edit(composing, box.source, ref, as_new=kind == "new")
        elif kind in KINDS:
            letters.begin_answer(composing, box.source, ref, KINDS[kind])  # type: ignore[arg-type]
        else:
            return HttpResponseBadRequest()
    return _shown(request, composing)


def _same_draft(account: MailAccount, ref: Ref) -> Composing | None:
    """The composer that this draft comes from, so that it goes on where it was."""
    found = Composing.objects.filter(account=account, draft_uid=ref.id, draft_validity=ref.validity, closed=False)
    one = next((one for one in found if one.draft == ref), None)
    if one is not None:
        for upload in one.uploads.all():
            uploads.remove(upload)
    return one


def _shown(request: HttpRequest, composing: Composing) -> HttpResponse:
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "webmail/compose.html#composer", _context(request, composing))
    return redirect("compose", composing.account_id, composing.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def compose(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """A composer. POST with `do`: save (the state of the draft, as a part), send, attach (files of a plain form), discard,
    remove:ID (a file). What stands in the fields is kept in any case."""
    composing = _mine(request, account_id, composing_id)
    if request.method != "POST":
        return _page(request, composing)
    if service.is_under_way(composing):
        return _done(request, account_id, _("This message is on its way already."))
    if composing.closed:
        Composing.objects.filter(pk=composing.pk).update(closed=False)
    changed = service.fill(composing, {key: str(value) for key, value in request.POST.items()})
    service.keep(composing)
    for file in request.FILES.getlist("files"):
        _attach(composing, file)
    do = request.POST.get("do", "save")
    if do == "send":
        return _send(request, composing)
    if do == "discard":
        with open_source(request, composing.account) as source:
            service.discard(composing, source)
        return _done(request, account_id, _("The draft was thrown away."))
    if do.startswith("remove:") and do[7:].isdigit():
        for upload in composing.uploads.filter(pk=int(do[7:])):
            uploads.remove(upload)
    conflict = (
        _save(request, composing) if changed or composing.failed or composing.saved is None or do != "save" else False
    )
    if request.headers.get("X-Requested-With") == "fetch":
        return render(request, "webmail/compose.html#state", {"composing": composing, "conflict": conflict})
    return _page(request, composing, conflict=conflict)


def _save(request: HttpRequest, composing: Composing) -> bool:
    with open_source(request, composing.account) as source:
        return service.save_draft(composing, source)


def _attach(composing: Composing, file: Any) -> None:
    try:
        upload = uploads.announce(composing, name=file.name, media_type=file.content_type or "", size_bytes=file.size)
    except uploads.TooLarge:
        return
    offset = 0
    for chunk in file.chunks(uploads.PIECE_LIMIT_BYTES):
        uploads.add_piece(upload.pk, offset=offset, data=chunk)
        offset += len(chunk)


def _send(request: HttpRequest, composing: Composing) -> HttpResponse:
    for name in ("to", "cc", "bcc"):
        setattr(composing, name, expand_groups(composing.account, getattr(composing, name)))
    found = service.problems(composing)
    if found:
        context = _context(request, composing) | {"problems": [_problem_words(one) for one in found]}
        if request.htmx:  # type: ignore[attr-defined]
            return render(request, "webmail/compose.html#composer", context, status=422)
        return render(request, "webmail/compose.html", context, status=422)
    try:
        _save(request, composing)
    except LoginRefused:
        raise
    except MailError:
        pass  # the text is in the database and goes out from there
    undo_s = composing.account.owner.undo_s
    send_at = _send_at(request, undo_s)
    try:
        outgoing = service.send(composing, send_at=send_at, secret=_secret(request, composing.account))
    except service.AlreadySent:
        return _done(request, composing.account_id, _("This message is on its way already."))
    later = send_at > timezone.now() + timedelta(minutes=1)
    text = _("It goes out at the time that you chose.") if later else _("Sending")
    return _done(
        request,
        composing.account_id,
        text,
        undo_url=reverse("outgoing_cancel", args=[composing.account_id, outgoing.pk]) if later or undo_s else "",
        seconds=undo_s,
    )


def _send_at(request: HttpRequest, undo_s: int) -> Any:
    """When it goes out: after the time in which it can be taken back, or at the moment that was chosen."""
    soon = timezone.now() + timedelta(seconds=undo_s)
    try:
        chosen = parse_datetime(request.POST.get("send_at", ""))
    except ValueError:
        return soon
    if chosen is None:
        return soon
    moment = chosen if timezone.is_aware(chosen) else timezone.make_aware(chosen)
    return max(soon, min(moment, timezone.now() + timedelta(days=366)))


def _secret(request: HttpRequest, account: MailAccount) -> str | None:
    if account.hosted:
        return None
    try:
        return sealed_password(request, account_id=account.pk)
    except SealBroken as error:
        raise LoginRefused("the session has no password") from error


def _problem_words(problem: service.Problem) -> str:
    words = {
        "nobody": _("Nobody to send it to yet"),
        "syntax": _("“%(about)s” is no mail address"),
        "no-domain": _("“%(about)s” lacks the domain after the @"),
        "too-long": _("“%(about)s” is too long for a mail address"),
        "control": _("“%(about)s” has a character that cannot be in a mail address"),
        "uploading": _("A file is still on its way; wait for it or take it out"),
    }
    return words[problem.code] % {"about": problem.about}


def _done(request: HttpRequest, account_id: int, text: str, *, undo_url: str = "", seconds: int = 0) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        context = {"text": text, "undo_url": undo_url, "seconds": seconds}
        return render(request, "webmail/compose.html#done", context)
    notices.info(request, text, extra_tags=undo_url)
    return redirect("account", account_id)


@login_required
@require_safe
def compose_quote(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """The quoted message of a composer, as the document of its sandboxed frame."""
    composing = _mine(request, account_id, composing_id)
    framed = frame_body(RawBody(composing.quote, {}), lambda number: "", theme=theme_of(request))
    response = HttpResponse(framed.document)
    response["Content-Security-Policy"] = frame_csp(images=request.build_absolute_uri("/mail/"))
    return response


@login_required
@require_POST
def file_announce(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """Makes room for a file: `name`, `type`, `size`. 201 with {id}, 413 when it is too much."""
    composing = _mine(request, account_id, composing_id)
    try:
        size = int(request.POST.get("size", ""))
        upload = uploads.announce(
            composing, name=request.POST.get("name", ""), media_type=request.POST.get("type", ""), size_bytes=size
        )
    except ValueError:
        return HttpResponseBadRequest()
    except uploads.TooLarge:
        return JsonResponse({"limit": uploads.FILE_LIMIT_BYTES}, status=413)
    return JsonResponse({"id": upload.pk}, status=201)


@login_required
@require_http_methods(["GET", "POST", "DELETE"])
def file_piece(request: HttpRequest, account_id: int, composing_id: UUID, upload_id: int) -> HttpResponse:
    """POST ?offset=N adds the next piece (409 with {offset} when it belongs elsewhere), GET tells {offset}, DELETE takes the
    file out."""
    composing = _mine(request, account_id, composing_id)
    upload = get_object_or_404(Upload, composing=composing, pk=upload_id)
    if request.method == "DELETE":
        uploads.remove(upload)
        return HttpResponse(status=204)
    if request.method == "GET":
        return JsonResponse({"offset": upload.received_bytes})
    offset = request.GET.get("offset", "")
    if not offset.isdigit():
        return HttpResponseBadRequest()
    try:
        upload = uploads.add_piece(upload.pk, offset=int(offset), data=request.body)
    except uploads.WrongPlace as error:
        return JsonResponse({"offset": error.args[0]}, status=409)
    except uploads.TooLarge:
        return HttpResponse(status=413)
    return JsonResponse({"offset": upload.received_bytes, "whole": upload.whole})


@login_required
@require_safe
def people(request: HttpRequest, account_id: int) -> HttpResponse:
    """People and groups whose name or address fits `q`: [{name, email, group, note}], a group with its id and how many it
    has. With `group` (an id) its members: [{name, email}]."""
    account = account_for(request, account_id)
    if "group" in request.GET:
        group = _group(account, request)
        members = members_of(group) if group else []
        return JsonResponse({"people": [{"name": one.name, "email": one.email} for one in members]})
    found = suggest(account, request.GET.get("q", ""))
    return JsonResponse(
        {
            "people": [
                {
                    "name": one.name,
                    "email": one.email,
                    "group": one.group,
                    "note": _size_words(one.size) if one.group else "",
                }
                for one in found
            ]
        }
    )


def _group(account: MailAccount, request: HttpRequest) -> ContactGroup | None:
    """The group of the account that the address names."""
    number = request.GET.get("group", "")[:18]
    return ContactGroup.objects.filter(account=account, pk=int(number)).first() if number.isdecimal() else None


def _size_words(size: int) -> str:
    return ngettext("group, %(n)d person", "group, %(n)d people", size) % {"n": size}


def _mine(request: HttpRequest, account_id: int, composing_id: UUID) -> Composing:
    account = account_for(request, account_id)
    composing = Composing.objects.select_related("identity", "account").filter(account=account, pk=composing_id).first()
    if composing is None:
        raise Http404
    if not composing.closed and settle(composing):
        service.keep(composing)
    return composing


def _page(request: HttpRequest, composing: Composing, *, conflict: bool = False) -> HttpResponse:
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(
        request,
        "webmail/compose.html" + ("#composer" if part else ""),
        _context(request, composing) | {"conflict": conflict},
    )


def _context(request: HttpRequest, composing: Composing) -> dict[str, Any]:
    account = composing.account
    return {
        "composing": composing,
        "account": account,
        "identities": usable(account),
        "files": composing.uploads.all(),
        "limit_bytes": uploads.FILE_LIMIT_BYTES,
        "piece_bytes": uploads.PIECE_LIMIT_BYTES,
        "write_below": letters.writes_below(composing),
        "alone": not request.htmx,  # type: ignore[attr-defined]
    }
