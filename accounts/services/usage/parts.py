"""A part of all mailboxes (a reseller's, a customer's, somebody's domains), summed up in one look at its rows: for the figures
above the dashboard's tables and for its report, which both need it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from accounts.models import MailboxSpace
from accounts.services.usage.scope import Scope

LEAST_PERCENT = 85
UNUSED_DAYS = 182


def part_of(scope: Scope) -> dict[str, int]:
    """How many mailboxes are in it and in each table, what they use and were promised; looked up once for a page."""
    known: dict[str, int] | None = scope.__dict__.get("_part")
    if known is None:
        known = scope.__dict__["_part"] = _look(scope)
    return known


def _look(scope: Scope) -> dict[str, int]:
    pop3 = Q(mode=MailboxSpace.Mode.POP3)
    found: dict[str, Any] = MailboxSpace.objects.filter(scope.of_mailboxes()).aggregate(
        filling=Count("pk", filter=Q(permille__gte=LEAST_PERCENT * 10)),
        unused=Count("pk", filter=unused()),
        jumps=Count("pk", filter=Q(jump_on__isnull=False)),
        pop3_bytes=Sum("bytes", filter=pop3, default=0),
        pop3_mailboxes=Count("pk", filter=pop3),
        mailboxes=Count("pk"),
        quota_bytes=Sum("quota_bytes", default=0),
        bytes=Sum("bytes", default=0),  # last: what comes after it would be summed over the sum
    )
    return found


def unused(column: str = "idle_since", *, now: datetime | None = None) -> Q:
    """Mailboxes that nobody has opened for half a year, by a program or here; a new one is given as long."""
    return Q(**{f"{column}__lt": (now or timezone.now()) - timedelta(days=UNUSED_DAYS)})
