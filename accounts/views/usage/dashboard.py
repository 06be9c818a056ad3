"""The dashboard of whoever runs something: one page, of which the table is asked for alone when it is narrowed,
sorted or turned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from accounts.services.usage import tables
from accounts.services.usage.alerts import alerts_of_week
from accounts.services.usage.permissions import may_see_usage
from accounts.services.usage.report import read_limits, read_report
from accounts.services.usage.scope import NotSeen, Scope, read_scope, servers
from accounts.services.usage.shares import reserve_of_scope
from accounts.services.usage.tables import TableQuery
from accounts.services.usage.used import recorded_since
from accounts.services.usage.weekly import wants_summary
from accounts.views.usage.forms import CustomerLimitForm, LimitsForm, QuotaForm, ResellerLimitForm

PARTS = ("reseller", "customer", "server", "plan")
"""By what an address narrows the page."""


@login_required
@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """What is used and promised, its forecast and the tables, of all that somebody runs; 404 for who runs nothing."""
    query = TableQuery.read(request.GET.dict())
    scope = part_of_page(request, query)
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    if htmx and _elsewhere(htmx.current_url, query):
        return HttpResponseClientRedirect(reverse("usage") + query.address())
    context = table_context(request, query, scope) | {"place": "usage"}
    if htmx and not htmx.history_restore_request:
        return render(request, "usage/dashboard.html#table", context)
    return render(request, "usage/dashboard.html", context | page_context(request, scope))


def _elsewhere(url: str | None, query: TableQuery) -> bool:
    """Whether the page that asks for a table is about somebody else: then all of it changes."""
    shown = TableQuery.read(dict(parse_qsl(urlsplit(url or "").query)))
    return any(getattr(shown, part) != getattr(query, part) for part in (*PARTS, "mode"))


def scope_of(request: HttpRequest, query: TableQuery) -> Scope:
    """What the person sees, as the address narrows it. Raises Http404."""
    try:
        return read_scope(request.user, **{part: getattr(query, part) for part in PARTS})
    except NotSeen as error:
        raise Http404 from error


def part_of_page(request: HttpRequest, query: TableQuery) -> Scope:
    """The same, of what is read in the mode of the address alone. Raises Http404."""
    return replace(scope_of(request, query), mode=query.mode)


def require_provider(request: HttpRequest) -> None:
    """404 unless somebody may see the space of all mailboxes."""
    if not may_see_usage(request.user):
        raise Http404


def table_context(request: HttpRequest, query: TableQuery, scope: Scope) -> dict[str, Any]:
    """What the table shows."""
    rows: QuerySet[Any] = tables.domain_rows(query, scope) if query.of_domains else tables.mailbox_rows(query, scope)
    counts = tables.counts(scope)
    pages = tables.TablePaginator(rows, known=tables.rows_known(query, counts, scope))
    return {
        "query": query,
        "scope": scope,
        "page": pages.get_page(request.GET.get("page")),
        "counts": counts,
        "plans": tables.plans(scope),
        "resellers": tables.sellers(request.user),
        "customers": tables.buyers(request.user),
        "servers": [(one.pk or 0, one.name) for one in servers(scope.held)],
        "since": recorded_since() if query.show == "unused" else None,
        "jumped": tables.jumped(scope) if query.show == "jumps" else (),
        "quota_form": QuotaForm(),
    }


def page_context(
    request: HttpRequest,
    scope: Scope,
    *,
    limits: LimitsForm | None = None,
    customer_limit: CustomerLimitForm | None = None,
    reseller_limit: ResellerLimitForm | None = None,
) -> dict[str, Any]:
    """What stands around the table."""
    report = read_report(scope)
    context: dict[str, Any] = {
        "provider": scope.provider,
        "runs": True,
        "disk": report,
        "told": alerts_of_week(scope),
        "reserve_bytes": reserve_of_scope(scope),
        "reserve_days": settings.RESERVE_DAYS,
        "summary": wants_summary(cast(User, request.user)),
    }
    customer = scope.one_customer
    if scope.everything:
        context["limits_form"] = limits or LimitsForm(instance=report.limits if report else read_limits())
    elif reseller := scope.one_reseller:
        context["reseller_form"] = reseller_limit or ResellerLimitForm(instance=reseller)
    elif not customer and len(alone := scope.lone_domains()[:2]) == 1:
        context["own_domain"] = alone[0]
    elif customer and customer.plan.total_bytes:
        context["customer_form"] = customer_limit or CustomerLimitForm(instance=customer)
    return context
