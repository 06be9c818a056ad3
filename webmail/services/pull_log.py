"""The log of an account's pulls, and the figures beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Case, Count, DurationField, F, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models import Download, LedgerEntry, LocalMessage, Pull
from webmail.services.storing import chunks

State = LedgerEntry.State
Show = Literal["today", "errors", "new", "all"]
BARS = 20
CHART_WIDTH, CHART_HEIGHT, CHART_BASE = 304, 120, 100
CHART_TOP = 20
WAITING_SHOWN = 200
"""How many of the waiting messages a page names one by one."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a stretch of the log adds up to."""

    pulls: int
    well: int
    fetched: int
    size_bytes: int
    removed: int
    took: timedelta


@dataclass(frozen=True, slots=True)
class Bar:
    """One pull in the chart: how many messages waited when it began, and where its rectangle stands."""

    waited: int
    failed: bool
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What waited on the server over the last pulls, oldest first; none of it when nothing ever did."""

    bars: list[Bar]
    first: Pull
    last: Pull

    @property
    def most(self) -> int:
        """The highest of them."""
        return max(bar.waited for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Where:
    """How many messages of the account are where. `server` are those whose owner deleted them here, still on the server."""

    waiting: int
    both: int
    here: int
    taken: int
    server: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.both + self.here + self.taken + self.server

    @property
    def shares(self) -> list[tuple[str, int]]:
        """(CSS class, percent) for each that is not empty, in the order of the bar."""
        parts = [
            ("c-waiting", self.waiting),
            ("c-tinta", self.server),
            ("c-both", self.both),
            ("c-lacre", self.taken),
            ("c-kraft", self.here),
        ]
        whole = max(1, self.total)
        return [(css, max(1, round(count * 100 / whole))) for css, count in parts if count]


def pulls_of(account: MailAccount, *, show: Show, now: datetime) -> QuerySet[Pull]:
    """The pulls of one view of the log, newest first."""
    pulls = Pull.objects.filter(account=account).order_by("-started", "-pk")
    if show == "today":
        return pulls.filter(started__gte=day_start(now))
    if show == "errors":
        return pulls.filter(_failed())
    return pulls.filter(stored__gt=0) if show == "new" else pulls


def counts_of(account: MailAccount, now: datetime) -> dict[str, int]:
    """How many pulls each view of the log has."""
    return Pull.objects.filter(account=account).aggregate(
        today=Count("pk", filter=Q(started__gte=day_start(now))),
        errors=Count("pk", filter=_failed()),
        new=Count("pk", filter=Q(stored__gt=0)),
        all=Count("pk"),
    )


def totals_of(pulls: QuerySet[Pull]) -> Totals:
    """What these pulls add up to."""
    took = Case(
        When(ended=None, then=Value(timedelta())), default=F("ended") - F("started"), output_field=DurationField()
    )
    told = pulls.order_by().aggregate(
        pulls=Count("pk"),
        failed=Count("pk", filter=_failed()),
        fetched=Sum("fetched"),
        size=Sum("bytes"),
        removed=Sum("removed"),
        took=Sum(took),
    )
    return Totals(
        told["pulls"],
        told["pulls"] - told["failed"],
        told["fetched"] or 0,
        told["size"] or 0,
        told["removed"] or 0,
        told["took"] or timedelta(),
    )


def _failed() -> Q:
    return Q(outcome=Pull.Outcome.FAILED)


def day_start(now: datetime) -> datetime:
    """When the day of `now` began, where the person is."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def chart_of(account: MailAccount) -> Chart | None:
    """The bars of the last pulls; None when nothing waited at any of them."""
    pulls = list(Pull.objects.filter(account=account).order_by("-started", "-pk")[:BARS])[::-1]
    if len(pulls) < 2 or not any(pull.wanted for pull in pulls):
        return None
    most = max(pull.wanted for pull in pulls)
    step = CHART_WIDTH / max(len(pulls), 8)
    bars = []
    for at, pull in enumerate(pulls):
        height = max(1.0, pull.wanted / most * (CHART_BASE - CHART_TOP)) if pull.wanted else 1.0
        failed = pull.outcome == Pull.Outcome.FAILED
        bars.append(Bar(pull.wanted, failed, at * step + 1, CHART_BASE - height, step - 2, height))
    return Chart(bars, pulls[0], pulls[-1])


def where_of(account: MailAccount) -> Where:
    """How many messages are where."""
    entries = LedgerEntry.objects.filter(account=account)
    on_server = Q(state__in=[State.KEPT, State.DELETING])
    told = entries.aggregate(
        waiting=Count("pk", filter=Q(state=State.WAITING)),
        both=Count("message", filter=on_server, distinct=True),
        server=Count("pk", filter=on_server & Q(message=None)),
        taken=Count("message", filter=Q(state=State.TAKEN), distinct=True),
    )
    here = LocalMessage.objects.filter(account=account).count()
    rest = max(0, here - told["both"] - told["taken"])
    return Where(told["waiting"], told["both"], rest, told["taken"], told["server"])


def knows_uidl(account: MailAccount) -> bool:
    """Whether the server was seen to have unique-ids."""
    return LedgerEntry.objects.filter(account=account).exclude(uidl="").exists()


def waiting_of(account: MailAccount) -> tuple[list[LedgerEntry], int]:
    """What is on the server and not here, the largest first as far as a page names them, and how many there are in all."""
    entries = LedgerEntry.objects.filter(account=account, state=State.WAITING)
    return list(entries.order_by("-size_bytes", "pk")[:WAITING_SHOWN]), entries.count()


def doubts_of(account: MailAccount) -> dict[str, int]:
    """Why copies are never removed, and of how many messages each is said."""
    rows = LedgerEntry.objects.filter(account=account, state=State.KEPT).exclude(problem="")
    return dict(rows.values_list("problem").annotate(count=Count("pk")).order_by("problem"))


def fetch_anyway(account: MailAccount, entries: list[int]) -> int:
    """Has messages fetched with the next pull that are larger than the limit, or whose next try is later; gives how many."""
    count = 0
    for part in chunks(entries):
        mine = LedgerEntry.objects.filter(account=account, state=State.WAITING, pk__in=part)
        count += mine.update(hold=True, retry_at=None)
    Download.objects.filter(account=account).update(digest="")
    return count
