"""What a part of everything used in the past, and what was promised to it: from the series that are kept of customers, domains,
servers, and of whatever else the dashboard is narrowed by."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts.models import CustomerSpace, DaySpace, DomainSpace, MailboxHistory, MailboxSpace, PartSpace, ServerSpace
from accounts.services.usage.scope import Scope
from accounts.usage.series import Sample, add_up

MAILBOXES_SUMMED = 500
"""Of a part of a customer or of a domain the series of its mailboxes are added up, if they are not more than this."""


def history_of(scope: Scope) -> list[Sample]:
    """What a part used, day by day, oldest first."""
    if scope.mode and _everything_but_mode(scope):
        return _days_of_mode(scope.mode)
    kept = _kept(scope)
    if kept is None:
        rows = MailboxSpace.objects.filter(scope.of_mailboxes()).order_by()
        keys = list(rows.values_list("pk", flat=True)[: MAILBOXES_SUMMED + 1])
        some = MailboxHistory.objects.filter(pk__in=keys if len(keys) <= MAILBOXES_SUMMED else [])
        return _sum(some.values_list("samples", flat=True))
    return _sum(packed for rows in kept for packed in rows.values_list("samples", flat=True))


def promises_of(scope: Scope) -> list[Sample]:
    """What was promised to a part, day by day, since that is kept; of single mailboxes it is not."""
    kept = _kept(scope) or []
    return _sum(packed for rows in kept for packed in rows.values_list("promised", flat=True))


def _kept(scope: Scope) -> list[QuerySet[Model]] | None:
    """The rows whose series make up a part; None where only its mailboxes do."""
    if scope.whole_server and scope.server:
        return [ServerSpace.objects.filter(pk=scope.server.pk or 0)]
    if not (scope.mode or scope.server):
        customers = CustomerSpace.objects.filter(customer__in=scope.customers().values("pk"))
        return [customers, DomainSpace.objects.filter(domain__in=scope.lone_domains().values("pk"))]
    held = scope.held
    if scope.customer or not (held.provider or (held.resellers and not (held.customers or held.domains))):
        return None
    found = Q(mode=scope.mode) if scope.mode else Q()
    if scope.server:
        found &= Q(server=scope.server.pk or 0)
    if scope.plan:
        found &= Q(plan=scope.plan.pk)
    if scope.reseller:
        found &= Q(reseller=scope.reseller.pk)
    elif not held.provider:
        found &= Q(reseller__in=held.resellers)
    return [PartSpace.objects.filter(found)]


def _everything_but_mode(scope: Scope) -> bool:
    return scope.held.provider and not (scope.reseller or scope.customer or scope.server or scope.plan)


def _days_of_mode(mode: str) -> list[Sample]:
    """Of everything it is in the row of each day, from before parts were kept."""
    rows = DaySpace.objects.filter(day__lt=timezone.localdate()).order_by("day")
    found = rows.values_list("day", "bytes", "pop3_bytes")
    pop3 = mode == MailboxSpace.Mode.POP3
    return [Sample(day.toordinal(), of_pop3 if pop3 else size - of_pop3) for day, size, of_pop3 in found]


def _sum(packed: Iterable[bytes | memoryview]) -> list[Sample]:
    return add_up(bytes(one) for one in packed if one)
