"""What a part of everything used in the past, and what was promised to it: from the series that are kept of customers, domains,
servers, and of whatever else the dashboard is narrowed by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts.models import CustomerSpace, DaySpace, DomainSpace, MailboxHistory, MailboxSpace, PartSpace, ServerSpace
from accounts.services.usage.scope import Scope
from accounts.usage.series import Sample, add_up

MAILBOXES_SUMMED = 500
"""Of a part of a customer or of a domain the series of its mailboxes are added up, if they are not more than this."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a part used and what was promised to it, day by day, oldest first; the latter since that is kept, and not of single
    mailboxes."""

    used: list[Sample]
    promised: list[Sample]


def past_of(scope: Scope) -> Past:
    """The past of a part."""
    kept = _kept(scope)
    series = [pair for rows in kept or () for pair in rows.values_list("samples", "promised")]
    promised = _sum(promised for _used, promised in series)
    if scope.mode and _everything_but_mode(scope):
        return Past(_days_of_mode(scope.mode), promised)
    if kept is not None:
        return Past(_sum(used for used, _promised in series), promised)
    rows = MailboxSpace.objects.filter(scope.of_mailboxes()).order_by()
    keys = list(rows.values_list("pk", flat=True)[: MAILBOXES_SUMMED + 1])
    some = MailboxHistory.objects.filter(pk__in=keys if len(keys) <= MAILBOXES_SUMMED else [])
    return Past(_sum(some.values_list("samples", flat=True)), [])


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
