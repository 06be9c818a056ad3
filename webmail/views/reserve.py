"""The reserve of what POP3 programs have removed, and putting it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.adapter import client_ip
from accounts.services.login import account_of_mailbox
from accounts.services.permissions import Action
from accounts.services.usage.permissions import may_see_usage
from accounts.views.portal.doors import actor_of, mailbox_for
from webmail.services.access import account_credentials, credentials_for, open_live
from webmail.services.reserve import Reserve, put_back, reserve_of, sessions_of
from webmail.services.space import forget
from webmail.views.box import Box, open_box

SHOWN = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reserve(request: HttpRequest, account_id: int) -> HttpResponse:
    """What lies there; with `at` only what came around that moment. POST puts the chosen messages back, or with `all` everything
    of the list. 404 for mail that does not live on our own server."""
    with open_box(request, account_id) as box:
        if box.account.downloads or not box.account.hosted:
            raise Http404
        at = _moment(request.POST.get("at") or request.GET.get("at", ""))
        found = reserve_of(box.account, credentials_for(request, box.account), at=at)
        if request.method == "POST":
            return _put_back(box, found)
        context = {
            "account": box.account,
            "found": found,
            "rows": _rows(box, found),
            "at": at,
            "days": settings.RESERVE_DAYS,
            "shown": SHOWN,
        }
    return render(request, "webmail/reserve.html", context)


@login_required
@require_safe
def reserve_held(request: HttpRequest, account_id: int) -> HttpResponse:
    """How much the reserve holds, in a line for the page of activity, which asks for it when it is open."""
    with open_box(request, account_id) as box:
        if box.account.downloads or not box.account.hosted:
            raise Http404
        found = reserve_of(box.account, credentials_for(request, box.account))
    context = {"account": box.account, "found": found, "days": settings.RESERVE_DAYS}
    return render(request, "webmail/reserve_held.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_reserve(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """For whoever runs the mailbox: how much each POP3 session removed, without a word of what is in it. POST puts back what the
    session that ended at `at` removed, or with `all` everything. The owner has a page of their own."""
    try:
        mailbox = mailbox_for(request, mailbox_id, Action.RUN_MAILBOX)
    except PermissionDenied as error:
        raise Http404 from error  # as the other pages of activity
    if not mailbox.is_open:
        raise Http404
    account = account_of_mailbox(mailbox)
    if account.downloads:
        raise Http404
    if account.owner_id == request.user.pk:
        return redirect("reserve", account.pk)
    at = _moment(request.POST.get("at") or request.GET.get("at", ""))
    if request.method == "POST" and at is None and not request.POST.get("all"):
        return HttpResponseBadRequest()
    credentials = account_credentials(account, origin=client_ip(request))
    found = reserve_of(account, credentials, at=None if request.POST.get("all") else at)
    if request.method == "POST":
        with open_live(account, credentials) as live:
            count = put_back(account, live, found, found.refs, by=actor_of(request))
        forget(account)
        _say(request, count)
        return redirect("mailbox_reserve", mailbox.pk)
    context = {
        "base": "usage/framed.html",
        "provider": may_see_usage(request.user),
        "mailbox": mailbox,
        "found": found,
        "sessions": sessions_of(mailbox, found),
        "at": at,
        "days": settings.RESERVE_DAYS,
    }
    return render(request, "usage/reserve.html", context)


def _put_back(box: Box, found: Reserve) -> HttpResponse:
    data = box.request.POST
    chosen = set(data.getlist("uid"))
    refs = [ref for ref in found.refs if data.get("all") or f"{ref.validity}.{ref.id}" in chosen]
    count = put_back(box.account, box.source, found, refs, by=actor_of(box.request))
    forget(box.account)
    _say(box.request, count)
    return redirect("reserve", box.account.pk)


def _say(request: HttpRequest, count: int) -> None:
    text = ngettext("%(n)s message is in the Inbox again", "%(n)s messages are in the Inbox again", count)
    notices.info(request, text % {"n": count})


def _rows(box: Box, found: Reserve) -> list[dict[str, Any]]:
    since = dict(zip(found.refs, found.since, strict=True))
    rows = {row.ref: row for row in box.source.summaries(found.refs[:SHOWN])} if found.refs else {}
    return [
        {"summary": rows[ref], "value": f"{ref.validity}.{ref.id}", "since": since[ref]}
        for ref in found.refs[:SHOWN]
        if ref in rows
    ]


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else timezone.make_aware(at)
