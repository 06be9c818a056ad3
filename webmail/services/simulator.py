"""How the space on the server goes on, as it is and downloaded with copies for N days: from a mailbox's own messages, day by day.

A copy stays for N days from its download (docs/download-mode.md), however old the message is. So what is there on the day of the
change leaves together, N days later; until then the mailbox only grows."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import accumulate

from accounts.usage.forecast import AHEAD_DAYS
from webmail.services.downloads import KEEP_DAYS_MAX
from webmail.sources.base import MailSource
from webmail.values import Role

YEAR_DAYS = 366
DAYS_BACK = KEEP_DAYS_MAX + YEAR_DAYS
"""What is older is no copy of any day of the last year."""
RATE_DAYS, MONTH_DAYS = 90, 30
"""The rate of today is that of so many days, and is told for so many."""
MONTHS_BACK, MONTHS_AHEAD, ROWS_AHEAD = 12, 4, 6
"""How far the course goes; ahead further for more days, but in no more rows than that."""
MOST = 50_000
"""So many messages are looked at; of the rest the server's own total is believed."""
STEPS = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 545, 730, 1095, 1825, KEEP_DAYS_MAX)
"""The days at which a slider stops."""
NOT_ARRIVED = frozenset({Role.SENT, Role.DRAFTS, Role.TEMPLATES})
"""What programs put there themselves: no download over POP3 brings it."""


@dataclass(frozen=True, slots=True)
class Bag:
    """A mailbox by age: octets and messages for each day back (0 = the last 24 hours; none without any at the end), and what is
    older than DAYS_BACK; the same for what had arrived. `whole` is False where only the newest messages were looked at."""

    sizes: tuple[int, ...]
    counts: tuple[int, ...]
    arrived_sizes: tuple[int, ...]
    arrived_counts: tuple[int, ...]
    older_bytes: int
    older_count: int
    whole: bool = True

    @property
    def total_bytes(self) -> int:
        return sum(self.sizes) + self.older_bytes

    def then(self, days_ago: int) -> int:
        """Octets that were there so many days ago, of what is there today."""
        return sum(self.sizes[days_ago:]) + self.older_bytes

    def with_copies(self, days_ago: int, keep_days: int) -> int:
        """Octets that would have been there, with copies for so many days."""
        return sum(self.arrived_sizes[days_ago : days_ago + keep_days])

    def arrived_within(self, days: int) -> tuple[int, int]:
        """Messages and octets that arrived in so many days."""
        return sum(self.arrived_counts[:days]), sum(self.arrived_sizes[:days])

    @property
    def daily(self) -> float:
        """Octets a day that the mailbox grows by, over the last RATE_DAYS; of a younger one since its first message."""
        return sum(self.sizes[:RATE_DAYS]) / self._rate_days

    @property
    def daily_arriving(self) -> float:
        return sum(self.arrived_sizes[:RATE_DAYS]) / self._rate_days

    @property
    def _rate_days(self) -> int:
        if self.older_count or any(self.counts[RATE_DAYS:]):
            return RATE_DAYS
        return max((day + 1 for day, count in enumerate(self.counts) if count), default=1)


def bag_of(source: MailSource, now: datetime) -> Bag:
    """The mailbox by age, one folder after the other; at most MOST messages are looked at. Raises MailError."""
    bag = _Filling(now)
    left, whole = MOST, True
    for folder in source.folders():
        if not folder.selectable or folder.role is Role.ALL:
            continue
        found = source.sizes(folder.id, most=left)
        whole = whole and len(found) >= (folder.total or 0)
        left -= len(found)
        bag.add(found, arrived=folder.role not in NOT_ARRIVED)
    return bag.done(whole)


class _Filling:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._sizes, self._counts = [0] * DAYS_BACK, [0] * DAYS_BACK
        self._arrived_sizes, self._arrived_counts = [0] * DAYS_BACK, [0] * DAYS_BACK
        self._older_bytes = self._older_count = 0

    def add(self, messages: Iterable[tuple[datetime, int]], *, arrived: bool) -> None:
        for received, size in messages:
            day = max(0, (self._now - received).days)
            if day >= DAYS_BACK:
                self._older_bytes += size
                self._older_count += 1
                continue
            self._sizes[day] += size
            self._counts[day] += 1
            if arrived:
                self._arrived_sizes[day] += size
                self._arrived_counts[day] += 1

    def done(self, whole: bool) -> Bag:
        days = self._sizes, self._counts, self._arrived_sizes, self._arrived_counts
        last = max((day + 1 for day, count in enumerate(self._counts) if count), default=0)
        sizes, counts, arrived_sizes, arrived_counts = (tuple(one[:last]) for one in days)
        return Bag(sizes, counts, arrived_sizes, arrived_counts, self._older_bytes, self._older_count, whole)


@dataclass(frozen=True, slots=True)
class Point:
    """A day: octets on the server as it is and with copies, measured or (`ahead`) foreseen. In the past the copies are those that
    would have been there, had the mailbox been downloaded all along."""

    day: date
    imap: int
    pop3: int
    ahead: bool


@dataclass(frozen=True)
class Course:
    """The course of a mailbox that is downloaded from `today` on, with copies for `days`, under a quota (None = none).

    `used_bytes` is what the server says is used (None: what the messages are together), `growth` the octets a day that it
    grows by as it is (None: those of its last RATE_DAYS). Of one that is downloaded already `held` are the octets of the server's
    copies by the days since their download; else all that is there is downloaded today."""

    bag: Bag
    days: int
    today: date
    quota_bytes: int | None = None
    used_bytes: int | None = None
    growth: float | None = None
    held: Sequence[int] | None = None

    @property
    def used(self) -> int:
        """Octets of today as it is."""
        return self.bag.total_bytes if self.used_bytes is None else self.used_bytes

    @property
    def daily(self) -> float:
        """Octets a day that it grows by as it is."""
        return self.bag.daily if self.growth is None else self.growth

    @property
    def month_growth(self) -> int:
        """Octets that it grows by in 30 days as it is."""
        return round(self.daily * MONTH_DAYS)

    @property
    def month_arriving(self) -> int:
        """Octets that arrive in 30 days, which copies go by."""
        return round(self.bag.daily_arriving * MONTH_DAYS)

    @property
    def rates_differ(self) -> bool:
        """Whether what arrives is so far from what it grows by that the two lines need a word."""
        return abs(self.month_arriving - self.month_growth) > max(abs(self.month_growth), self.month_arriving) // 4

    def imap_at(self, ahead: int) -> int:
        """Octets in so many days as it is; of the past (below 0) those that are there still."""
        if ahead < 0:
            return max(0, self.bag.then(-ahead) + self.used - self.bag.total_bytes)
        return max(0, round(self.used + self.daily * ahead))

    def pop3_at(self, ahead: int) -> int:
        """Octets of copies in so many days, 0 for right after the first download: those of today whose days are not over, and
        what came since, each for its own days. Downloading puts nothing on the server, so it is never more than as it is."""
        waiting = self._held_within[min(max(0, self.days - ahead), len(self._held_within) - 1)]
        copies = waiting + round(self.bag.daily_arriving * min(ahead, self.days))
        return copies if self.held is not None else min(copies, self.imap_at(ahead))

    def all_along(self, ago: int) -> int:
        """Octets of copies so many days ago, had it been downloaded all along."""
        last = len(self._arrived_before) - 1
        return self._arrived_before[min(ago + self.days, last)] - self._arrived_before[min(ago, last)]

    @cached_property
    def _held_within(self) -> list[int]:
        """Octets of today's copies that were downloaded within 0, 1, 2 ... days."""
        return [0, *accumulate([self.used] if self.held is None else self.held)]

    @cached_property
    def _arrived_before(self) -> list[int]:
        return [0, *accumulate(self.bag.arrived_sizes)]

    @property
    def steady(self) -> int:
        """Octets that copies take at the rate of today, once those of today are gone."""
        return self.pop3_at(self.days)

    @property
    def leave_on(self) -> date:
        """When the last of today's copies leave the server."""
        return self.today + timedelta(days=self.days)

    @property
    def peak(self) -> int:
        """The most that copies would have taken in the last twelve months, had it been downloaded all along."""
        return max(self.all_along(ago) for ago in range(YEAR_DAYS))

    @property
    def full_on(self) -> date | None:
        """When the mailbox is full as it is; None for not within three years, as the page of its space says."""
        if self.quota_bytes is None or (self.daily <= 0 and self.used < self.quota_bytes):
            return None
        ahead = 0 if self.used >= self.quota_bytes else math.ceil((self.quota_bytes - self.used) / self.daily)
        return self.today + timedelta(days=ahead) if ahead <= AHEAD_DAYS else None

    @cached_property
    def _full_days(self) -> tuple[int | None, int | None]:
        """In how many days copies fill the quota, and in how many there is room again. From the day on which the last copies of
        today leave they only grow, and no further than to what arrives in their days."""
        full = None
        for ahead in range(self.days + 1) if self.quota_bytes else ():
            over = self.pop3_at(ahead) >= (self.quota_bytes or 0)
            if over and full is None:
                full = ahead
            elif full is not None and not over:
                return full, ahead
        most = round(self.bag.daily_arriving * self.days)
        if full is None and self.quota_bytes and most >= self.quota_bytes and self.full_on and self.held is None:
            full = (self.full_on - self.today).days
        return full, None

    @property
    def full_with_copies_on(self) -> date | None:
        """When it is full with these days of copies; None for never, at the rate of today."""
        return self._in(self._full_days[0])

    @property
    def room_on(self) -> date | None:
        """When it is full no longer after that, since copies leave; None for never."""
        return self._in(self._full_days[1])

    def _in(self, ahead: int | None) -> date | None:
        return None if ahead is None else self.today + timedelta(days=ahead)

    @property
    def most_days(self) -> int | None:
        """The most days, of STEPS, with which it is never full from now on; None where it is with any, or there is no quota."""
        if not self.quota_bytes:
            return None
        # Fewer days never fill it sooner: what is there with them is less on every day.
        well = bisect_left(STEPS, True, key=lambda days: self._with(days).full_with_copies_on is not None)
        return STEPS[well - 1] if well else None

    def _with(self, days: int) -> Course:
        return Course(self.bag, days, self.today, self.quota_bytes, self.used_bytes, self.growth, self.held)

    @cached_property
    def points(self) -> list[Point]:
        """The first of each of twelve months, today, months to come, and the day on which the last copies of today leave."""
        return [self._point(day) for day in sorted({*self._months(), self.today, self.leave_on})]

    def _point(self, day: date) -> Point:
        ahead = (day - self.today).days
        pop3 = self.pop3_at(ahead) if ahead >= 0 else self.all_along(-ahead)
        return Point(day, self.imap_at(ahead), pop3, ahead > 0)

    def _months(self) -> list[date]:
        """The first days of months, from MONTHS_BACK before today to MONTHS_AHEAD after or two after the copies of today left."""
        number = self.today.year * 12 + self.today.month - 1
        ahead = max(MONTHS_AHEAD, self.leave_on.year * 12 + self.leave_on.month - 1 - number + 2)
        step = math.ceil(ahead / ROWS_AHEAD)
        months = [*range(number - MONTHS_BACK + 1, number + 1), *range(number + step, number + ahead + step, step)]
        return [date(at // 12, at % 12 + 1, 1) for at in months]
