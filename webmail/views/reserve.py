"""The reserve of what POP3 programs have removed, and putting it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services.timeline import RESERVE_DAYS
from webmail.services.access import credentials_for
from webmail.services.reserve import Reserve, put_back, reserve_of
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
            "days": RESERVE_DAYS,
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
    context = {"account": box.account, "found": found, "days": RESERVE_DAYS}
    return render(request, "webmail/reserve_held.html", context)


def _put_back(box: Box, found: Reserve) -> HttpResponse:
    data = box.request.POST
    chosen = set(data.getlist("uid"))
    refs = [ref for ref in found.refs if data.get("all") or f"{ref.validity}.{ref.id}" in chosen]
    count = put_back(box.source, refs)
    forget(box.account)
    text = ngettext("%(n)s message is in the Inbox again", "%(n)s messages are in the Inbox again", count)
    notices.info(box.request, text % {"n": count})
    return redirect("reserve", box.account.pk)


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
