"""The provider's dashboard: one page, of which the table is asked for alone when it is narrowed, sorted or turned."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.services.usage import tables
from accounts.services.usage.alerts import alerts_of_week
from accounts.services.usage.disk import read_disk, read_limits
from accounts.services.usage.permissions import may_see_usage
from accounts.services.usage.tables import TableQuery
from accounts.views.usage.forms import LimitsForm, QuotaForm


@login_required
@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """The disk, its forecast and the tables; 404 for everybody but the provider's people."""
    require_provider(request)
    query = TableQuery.read(request.GET.dict())
    context = table_context(request, query) | {"place": "usage"}
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "usage/dashboard.html#table", context)
    return render(request, "usage/dashboard.html", context | page_context())


def require_provider(request: HttpRequest) -> None:
    """404 unless somebody may see the space of all mailboxes."""
    if not may_see_usage(request.user):
        raise Http404


def table_context(request: HttpRequest, query: TableQuery) -> dict[str, Any]:
    """What the table shows."""
    rows: QuerySet[Any] = tables.domain_rows(query) if query.of_domains else tables.mailbox_rows(query)
    pages = tables.TablePaginator(rows, tables.PAGE_ROWS)
    return {
        "query": query,
        "page": pages.get_page(request.GET.get("page")),
        "counts": tables.counts(),
        "plans": tables.plans(),
        "since": tables.recorded_since() if query.show == "unused" else None,
        "quota_form": QuotaForm(),
    }


def page_context(*, limits: LimitsForm | None = None) -> dict[str, Any]:
    """What stands around the table."""
    return {
        "provider": True,
        "disk": read_disk(),
        "told": alerts_of_week(),
        "limits_form": limits or LimitsForm(instance=read_limits()),
    }
