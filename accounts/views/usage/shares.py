"""What the space of many mailboxes is made of: by kind of folder, by year, by size, by the domain that sent it, and the biggest
messages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Domain
from accounts.numbers import read_number
from accounts.services.permissions import domains_of
from accounts.services.usage.scope import Scope
from accounts.services.usage.share_rows import BigRow, biggest_rows, share_lines
from accounts.services.usage.shares import Whole, boxes_of_scope, shares_of_scope
from accounts.services.usage.tables import TableQuery
from accounts.views.usage.dashboard import scope_of
from accounts.views.usage.export import csv_answer


@login_required
@require_safe
def usage_shares(request: HttpRequest) -> HttpResponse:
    """Of all that somebody runs, or as the address narrows it: `domain`, or what narrows the dashboard. 404 for who runs nothing,
    and for what is not theirs."""
    query = TableQuery.read(request.GET.dict())
    scope = scope_of(request, query)
    domain = _domain(request)
    found, biggest = _look(scope, domain)
    context: dict[str, Any] = {
        "place": "shares",
        "provider": scope.provider,
        "runs": True,
        "query": query,
        "scope": scope,
        "domain": domain,
        "found": found,
        "shares": found.shares,
        "biggest": biggest,
        "whose": True,
    }
    return render(request, "usage/shares.html", context)


@login_required
@require_safe
def usage_shares_export(request: HttpRequest) -> StreamingHttpResponse:
    """The same as CSV."""
    scope = scope_of(request, TableQuery.read(request.GET.dict()))
    found, biggest = _look(scope, _domain(request))
    return csv_answer(f"space-{timezone.localdate():%Y-%m-%d}", share_lines(found.shares, biggest))


def _look(scope: Scope, domain: Domain | None) -> tuple[Whole, list[BigRow]]:
    found = shares_of_scope(scope, domain)
    return found, biggest_rows(found.shares, boxes_of_scope(scope, domain))


def _domain(request: HttpRequest) -> Domain | None:
    text = request.GET.get("domain", "")
    if not text:
        return None
    number = read_number(text)
    return get_object_or_404(domains_of(request.user), pk=-1 if number is None else number)
