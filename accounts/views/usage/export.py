"""A table as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import DomainSpace, MailboxSpace
from accounts.services.csv_cells import csv_lines
from accounts.services.usage import tables
from accounts.services.usage.scope import Scope
from accounts.services.usage.tables import TableQuery
from accounts.views.usage.dashboard import part_of_page


@login_required
@require_safe
def usage_export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole table that the address says, sizes in bytes."""
    query = TableQuery.read(request.GET.dict())
    scope = part_of_page(request, query)
    zone = timezone.get_current_timezone()  # lines go out when the request is over
    rows = _domains(query, scope) if query.of_domains else _mailboxes(query, scope, zone)
    return csv_answer(f"{query.show}-{timezone.localdate():%Y-%m-%d}", rows)


def csv_answer(name: str, rows: Iterable[list[Any]]) -> StreamingHttpResponse:
    """Rows as a CSV file of this name, a line at a time."""
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _mailboxes(query: TableQuery, scope: Scope, zone: tzinfo) -> Iterator[list[Any]]:
    yield [
        _("Mailbox"),
        _("Customer"),
        _("Plan"),
        _("Mode"),
        _("Used bytes"),
        _("Quota bytes"),
        _("Used per mille"),
        _("Growth in 30 days, bytes"),
        _("Full on"),
        _("Full at the earliest"),
        _("Full at the latest"),
        _("Last used"),
        _("Last jump, bytes"),
        _("Jumped on"),
    ]
    for space in tables.whole(tables.mailbox_rows(query, scope)).iterator(2000):
        yield _mailbox(space, zone)


def _mailbox(space: MailboxSpace, zone: tzinfo) -> list[Any]:
    customer = space.mailbox.domain.customer
    return [
        space.mailbox.address,
        customer.name,
        customer.plan.name,
        space.get_mode_display(),
        space.bytes,
        space.quota_bytes,
        space.permille,
        space.month_bytes,
        space.full_day or "",
        "" if space.is_full else space.full_early or "",
        "" if space.is_full else space.full_late or "",
        timezone.localtime(space.used_at, zone).isoformat(timespec="minutes") if space.used_at else "",
        space.jump_bytes or "",
        space.jump_on or "",
    ]


def _domains(query: TableQuery, scope: Scope) -> Iterator[list[Any]]:
    yield [
        _("Domain"),
        _("Customer"),
        _("Plan"),
        _("Mailboxes"),
        _("Used bytes"),
        _("Promised bytes"),
        _("Used per mille"),
        _("Growth in 30 days, bytes"),
        _("Full on"),
        _("Full at the earliest"),
        _("Full at the latest"),
        _("Last jump, bytes"),
        _("Jumped on"),
    ]
    for space in tables.whole(tables.domain_rows(query, scope)).iterator(2000):
        yield _domain(space)


def _domain(space: DomainSpace) -> list[Any]:
    return [
        space.domain.name,
        space.domain.customer.name,
        space.domain.customer.plan.name,
        space.mailboxes,
        space.bytes,
        space.quota_bytes,
        space.permille,
        space.month_bytes,
        space.full_day or "",
        "" if space.is_full else space.full_early or "",
        "" if space.is_full else space.full_late or "",
        space.jump_bytes or "",
        space.jump_on or "",
    ]
