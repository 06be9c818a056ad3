"""What would stay on the server under a policy, counted from the mail that the mailbox has really got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Sum
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models import LocalMessage
from webmail.services.transfer import SwitchPlan, plan_switch
from webmail.sources.base import MailSource
from webmail.values import Query, Role, Window

DAYS_MAX = 90
PIECE = 200
LOOKED_AT = 1000
"""So many of the newest messages of the Inbox are looked at; where more came in 90 days, the figures say "at least"."""
FRESH_S = 600
CHART_WIDTH, CHART_BASE, CHART_TOP = 760, 160, 24
LEFT = 8


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came into the Inbox: for each day back (0 = the last 24 hours) how many messages and bytes. `whole` is False where
    only the newest were counted."""

    counts: list[int]
    sizes: list[int]
    whole: bool

    def within(self, days: int) -> tuple[int, int]:
        """Messages and bytes of so many days."""
        return sum(self.counts[:days]), sum(self.sizes[:days])


@dataclass(frozen=True, slots=True)
class Figures:
    """The mailbox now, and under a policy of so many days. `curve` and `dot` are for the drawing: what N days would leave on
    the server, from 0 to 90, and where the chosen N is."""

    plan: SwitchPlan
    arrivals: Arrivals
    days: int
    curve: str
    dot: tuple[float, float]
    ceiling: int

    @property
    def stays(self) -> tuple[int, int]:
        """Messages and bytes that would be on the server at any time."""
        return self.arrivals.within(self.days)

    @property
    def leaves(self) -> int:
        """How many of the messages of now would be there no longer, once their days are over."""
        return max(0, self.plan.messages - (self.stays[0] if self.days else 0))

    @property
    def freed(self) -> int | None:
        """How many bytes that frees; None where the server does not tell what is used."""
        return None if self.plan.size_bytes is None else max(0, self.plan.size_bytes - self.stays[1])


def figures_of(account: MailAccount, source: MailSource, *, days: int) -> Figures:
    """The figures for a mailbox that is read on its server; what its server says is kept for ten minutes. Raises MailError."""
    key = f"switch:{account.pk}"
    told: dict[str, Any] | None = cache.get(key)
    if told is None:
        plan, arrivals = plan_switch(source), arrivals_of(source, timezone.now())
        told = {"plan": plan, "arrivals": arrivals}
        cache.set(key, told, FRESH_S)
    curve, dot, ceiling = _draw(told["arrivals"], days)
    return Figures(told["plan"], told["arrivals"], days, curve, dot, ceiling)


def arrivals_of(source: MailSource, now: datetime) -> Arrivals:
    """What came into the Inbox in the last 90 days, day by day."""
    counts, sizes = [0] * DAYS_MAX, [0] * DAYS_MAX
    inbox = next((folder for folder in source.folders() if folder.role is Role.INBOX), None)
    if inbox is None:
        return Arrivals(counts, sizes, whole=True)
    oldest = now - timedelta(days=DAYS_MAX)
    for start in range(0, LOOKED_AT, PIECE):
        rows = source.page(inbox.id, Query(), Window(start, PIECE)).rows
        for row in rows:
            if row.received > oldest:
                day = max(0, (now - row.received).days)
                counts[day] += 1
                sizes[day] += row.size_bytes
        if len(rows) < PIECE or all(row.received <= oldest for row in rows):
            return Arrivals(counts, sizes, whole=True)
    return Arrivals(counts, sizes, whole=False)


def _draw(arrivals: Arrivals, days: int) -> tuple[str, tuple[float, float], int]:
    """The line of what N days leave on the server, as the points of a path, and the place of the chosen one."""
    most = max(1, arrivals.within(DAYS_MAX)[1])
    points = []
    for n in range(DAYS_MAX + 1):
        x = LEFT + n * (CHART_WIDTH - 2 * LEFT) / DAYS_MAX
        points.append((x, CHART_BASE - arrivals.within(n)[1] / most * (CHART_BASE - CHART_TOP)))
    line = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return line, points[min(days, DAYS_MAX)], most


def size_here(account: MailAccount) -> int:
    """How many bytes of mail the store has of an account."""
    return LocalMessage.objects.filter(account=account).aggregate(size=Sum("size_bytes"))["size"] or 0
