"""Downloads that leave copies on the server for longer than need be, and shortening that: for whoever runs the mailboxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.numbers import read_number
from accounts.services.csv_cells import csv_lines
from accounts.services.usage import tables
from accounts.services.usage.scope import Scope
from accounts.services.usage.tables import TableQuery
from accounts.views.portal.doors import actor_of
from accounts.views.usage.dashboard import scope_of
from webmail.services.downloads import KEEP_DAYS_MAX
from webmail.services.retention import (
    SHORT_DAYS,
    SORTS,
    Freed,
    Shorter,
    TooLate,
    could_be_shorter,
    lengthen,
    open_undo,
    seal_undo,
    shorten,
    sum_of,
)

PAGE_ROWS = 100
TEXT_LIMIT = 100
UNPROCESSABLE = 422
SUM_KEPT_S = 300


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest) -> HttpResponseBase:
    """The mailboxes that leave copies for longer than `days`, and what would be freed, as the address says: `days`, `q`, `sort`,
    `page` and what narrows the dashboard, or all of it with `as=csv`. POST shortens that of the chosen ones to `days`. 404 for
    who runs nothing."""
    query = TableQuery.read(request.GET.dict())
    scope = scope_of(request, query)
    days, error = _days(request.POST.get("days") if request.method == "POST" else request.GET.get("days"))
    if request.method == "POST" and not error:
        return _shorten(request, scope, days)
    if request.GET.get("as") == "csv":
        return _csv(could_be_shorter(scope, days=days, text=_text(request), sort=_sort(request)))
    return _page(request, query, scope, days, error)


@login_required
@require_safe
def retention_sum(request: HttpRequest) -> HttpResponse:
    """How many mailboxes, and what would be freed, for the tab of the dashboard, which asks for it when it is open."""
    query = TableQuery.read(request.GET.dict())
    scope = scope_of(request, query)
    key = f"retention:{request.user.pk}:{query.reseller}:{query.customer}:{query.server}:{query.plan}"
    found: Freed | None = cache.get(key)
    if found is None:
        found = sum_of(scope)
        cache.set(key, found, SUM_KEPT_S)
    return render(request, "usage/retention_sum.html", {"found": found})


@login_required
@require_POST
def retention_undo(request: HttpRequest, before: str) -> HttpResponse:
    """As it was; 404 for what this server did not sign or is too old."""
    scope = scope_of(request, TableQuery())
    try:
        days, known = open_undo(before)
    except TooLate as error:
        raise Http404 from error
    if lengthen(known, days=days, scope=scope, by=actor_of(request)):
        notices.info(request, _("Undone"))
    else:
        notices.error(request, _("This can no longer be undone."))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(reverse("usage_retention"))
    return redirect("usage_retention")


def _shorten(request: HttpRequest, scope: Scope, days: int) -> HttpResponse:
    chosen = [key for key in map(read_number, request.POST.getlist("account")) if key is not None]
    before = shorten(chosen, days=days, scope=scope, by=actor_of(request))
    words = ngettext("Retention of %(n)s mailbox shortened", "Retention of %(n)s mailboxes shortened", len(before)) % {
        "n": len(before)
    }
    undo = seal_undo(days, before) if before else ""
    notices.info(request, words, extra_tags=reverse("usage_retention_undo", args=[undo]) if undo else "")
    address = request.GET.copy()
    address.pop("page", None)
    return redirect(f"{reverse('usage_retention')}{'?' if address else ''}{address.urlencode()}")


def _page(request: HttpRequest, query: TableQuery, scope: Scope, days: int, error: str) -> HttpResponse:
    text, sort = _text(request), _sort(request)
    rows = could_be_shorter(scope, days=days, text=text, sort=sort)
    narrowed = {"reseller": query.reseller, "customer": query.customer, "server": query.server}
    values: dict[str, Any] = {name: value for name, value in narrowed.items() if value is not None}
    values |= {"days": days} if days != SHORT_DAYS else {}
    context = {
        "page": Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page")),
        "total": sum(row.size_bytes for row in rows),
        "days": days,
        "typed": request.POST.get("days", request.GET.get("days", "")) if error else days,
        "error": error,
        "place": "retention",
        "provider": scope.provider,
        "runs": True,
        "query": query,
        "scope": scope,
        "counts": tables.counts(scope),
        "text": text,
        "sort": sort,
        "kept": urlencode(values | ({"q": text} if text else {}) | ({"sort": sort} if sort != "freed" else {})),
        "narrow": urlencode(values | ({"q": text} if text else {})),
        "values": values,
        "all": urlencode(values),
        "most": KEEP_DAYS_MAX,
    }
    return render(request, "usage/retention.html", context, status=UNPROCESSABLE if error else 200)


def _days(text: str | None) -> tuple[int, str]:
    """The days that were asked for, and what is wrong with them."""
    if not text:
        return SHORT_DAYS, ""
    number = read_number(text.strip())
    if number is None or not 1 <= number <= KEEP_DAYS_MAX:
        return SHORT_DAYS, _("Write a number of days from 1 to %(most)s.") % {"most": KEEP_DAYS_MAX}
    return number, ""


def _text(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:TEXT_LIMIT]


def _sort(request: HttpRequest) -> str:
    sort = request.GET.get("sort", "")
    return sort if sort in SORTS else "freed"


def _csv(rows: list[Shorter]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(_lines(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="retention-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


def _lines(rows: list[Shorter]) -> Iterator[list[Any]]:
    yield [_("Mailbox"), _("Leaves copies for, days"), _("Messages"), _("Would be freed, bytes")]
    for row in rows:
        yield [row.address, "" if row.days is None else row.days, row.messages, row.size_bytes]
