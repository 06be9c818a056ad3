"""The reserve of what POP3 programs have removed, and putting it back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.adapter import client_ip
from accounts.services.login import account_of_mailbox
from accounts.services.permissions import Action
from accounts.services.usage.permissions import may_see_usage
from accounts.views.portal.doors import actor_of, mailbox_for
from webmail.services.access import account_credentials, credentials_for, open_live
from webmail.services.put_back import Back, put_back
from webmail.services.reserve import Reserve, reserve_of, sessions_of
from webmail.services.space import forget
from webmail.values import Credentials
from webmail.views.box import Box, open_box

SHOWN = 100
DIGITS = 18
INSUFFICIENT_STORAGE = 507


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reserve(request: HttpRequest, account_id: int) -> HttpResponse:
    """What lies there; with `session` only what that POP3 session removed. POST puts the chosen messages back, or with `all`
    everything of the list, as far as there is room. 404 for mail that does not live on our own server."""
    with open_box(request, account_id) as box:
        if box.account.downloads or not box.account.hosted:
            raise Http404
        session = _session(request)
        sessions = None if session is None else {session}
        credentials = credentials_for(request, box.account)
        found = reserve_of(box.account, credentials, sessions=sessions)
        back = None
        if request.method == "POST":
            back = _put_back(box, found, credentials)
            if not back.left:
                return redirect("reserve", box.account.pk)
            found = reserve_of(box.account, credentials, sessions=sessions)
        context = {
            "back": back,
            "account": box.account,
            "found": found,
            "rows": _rows(box, found),
            "session": session,
            "days": settings.RESERVE_DAYS,
            "shown": SHOWN,
        }
    return render(request, "webmail/reserve.html", context, status=_status(back))


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
    """For whoever runs the mailbox: how much each POP3 session removed, without a word of what is in it. POST puts back what
    a `session` removed, or with `all` everything, as far as there is room. The owner has a page of their own."""
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
    session = _session(request)
    if request.method == "POST" and session is None and not request.POST.get("all"):
        return HttpResponseBadRequest()
    credentials = account_credentials(account, origin=client_ip(request))
    sessions = None if session is None or request.POST.get("all") else {session}
    found = reserve_of(account, credentials, sessions=sessions)
    back = None
    if request.method == "POST":
        with open_live(account, credentials) as live:
            back = put_back(account, live, found, found.refs, by=actor_of(request), credentials=credentials)
        forget(account)
        _say(request, back)
        if not back.left:
            return redirect("mailbox_reserve", mailbox.pk)
        found = reserve_of(account, credentials, sessions=sessions)
    context = {
        "back": back,
        "base": "usage/framed.html",
        "provider": may_see_usage(request.user),
        "mailbox": mailbox,
        "found": found,
        "sessions": sessions_of(mailbox, found),
        "session": session,
        "days": settings.RESERVE_DAYS,
    }
    return render(request, "usage/reserve.html", context, status=_status(back))


def _put_back(box: Box, found: Reserve, credentials: Credentials) -> Back:
    data = box.request.POST
    chosen = set(data.getlist("uid"))
    refs = [ref for ref in found.refs if data.get("all") or f"{ref.validity}.{ref.id}" in chosen]
    back = put_back(box.account, box.source, found, refs, by=actor_of(box.request), credentials=credentials)
    forget(box.account)
    _say(box.request, back)
    return back


def _say(request: HttpRequest, back: Back) -> None:
    if back.messages or not back.left:
        text = ngettext("%(n)s message is in the Inbox again", "%(n)s messages are in the Inbox again", back.messages)
        notices.info(request, text % {"n": back.messages})


def _status(back: Back | None) -> int:
    return INSUFFICIENT_STORAGE if back and not back.messages else 200


def _rows(box: Box, found: Reserve) -> list[dict[str, Any]]:
    since = dict(zip(found.refs, found.since, strict=True))
    rows = {row.ref: row for row in box.source.summaries(found.refs[:SHOWN])} if found.refs else {}
    return [
        {"summary": rows[ref], "value": f"{ref.validity}.{ref.id}", "since": since[ref]}
        for ref in found.refs[:SHOWN]
        if ref in rows
    ]


def _session(request: HttpRequest) -> int | None:
    """The key of a POP3 session; one that there is none of has removed nothing."""
    key = request.POST.get("session") or request.GET.get("session", "")
    return (int(key) if key.isascii() and key.isdigit() and len(key) < DIGITS else 0) if key else None
