"""How the space on the server goes from month to month, as it is and with copies for N days: from a mailbox's own messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from webmail.sources.base import MailSource
from webmail.values import Role

DAYS_BACK = 400
RATE_DAYS = 90
"""The rate of today is that of so many days."""
MONTHS_BACK, MONTHS_AHEAD = 12, 4
MOST = 50_000
"""So many messages are looked at; of the rest the server's own total is believed."""
NEVER_DAYS = 3650
IN_SIGHT = 3
"""A quota of more than so many times what is there is told in words only."""
NOT_ARRIVED = frozenset({Role.SENT, Role.DRAFTS, Role.TEMPLATES})
"""What programs put there themselves: no download over POP3 brings it."""
LEFT, RIGHT, TOP, BASE = 8, 752, 34, 160


@dataclass(frozen=True, slots=True)
class Bag:
    """A mailbox by age: octets and messages for each day back (0 = the last 24 hours), and what is older; the same for what
    had arrived. `whole` is False where only the newest messages were looked at."""

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
        sizes, counts, arrived_sizes, arrived_counts = (tuple(one) for one in days)
        return Bag(sizes, counts, arrived_sizes, arrived_counts, self._older_bytes, self._older_count, whole)


@dataclass(frozen=True, slots=True)
class Point:
    """One month: octets on the server as it is and with copies, measured or (`ahead`) foreseen; where it is drawn."""

    day: date
    imap: int
    pop3: int
    ahead: bool
    x: float = 0.0
    imap_y: float = 0.0
    pop3_y: float = 0.0


@dataclass(frozen=True)
class Course:
    """The course of a mailbox of today's date, with copies for `days`, under a quota (None = none)."""

    bag: Bag
    days: int
    today: date
    quota_bytes: int | None = None

    @cached_property
    def points(self) -> list[Point]:
        """The first of each of twelve months, today, and the first of four months to come, with their places."""
        first, last = self._bare[0].day, self._bare[-1].day
        drawn = []
        for one in self._bare:
            x = LEFT + (one.day - first).days / (last - first).days * (RIGHT - LEFT)
            drawn.append(Point(one.day, one.imap, one.pop3, one.ahead, x, self._y(one.imap), self._y(one.pop3)))
        return drawn

    @cached_property
    def _bare(self) -> list[Point]:
        return [self._point(day) for day in sorted({*_months(self.today), self.today})]

    def _point(self, day: date) -> Point:
        ago = (self.today - day).days
        if ago >= 0:
            return Point(day, self.bag.then(ago), self.bag.with_copies(ago, self.days), ahead=False)
        return Point(day, round(self.bag.total_bytes - ago * self.bag.daily), self.steady, ahead=True)

    @property
    def steady(self) -> int:
        """Octets that copies for so many days take at the rate of today."""
        return round(self.bag.daily_arriving * self.days)

    @cached_property
    def _most(self) -> int:
        return max(1, *(max(point.imap, point.pop3) for point in self._bare))

    @property
    def quota_in_sight(self) -> bool:
        """Whether the quota is near enough for a line in the drawing."""
        return self.quota_bytes is not None and self.quota_bytes <= IN_SIGHT * self._most

    @property
    def quota_y(self) -> float:
        """Where the line of the quota is, when it is in sight."""
        return self._y(self.quota_bytes or 0)

    def _y(self, size: int) -> float:
        top = max(self._most, self.quota_bytes or 0) if self.quota_in_sight else self._most
        return BASE - size / top * (BASE - TOP)

    @property
    def labels_y(self) -> tuple[float, float]:
        """Where the words of the two lines stand: above each, and one below the other."""
        imap = max(TOP - 4.0, self.now.imap_y - 8)
        return imap, min(BASE - 4.0, max(self.now.pop3_y - 8, imap + 16))

    @property
    def now(self) -> Point:
        return next(point for point in self.points if point.day == self.today)

    @property
    def past(self) -> list[Point]:
        return [point for point in self.points if not point.ahead]

    @property
    def future(self) -> list[Point]:
        """Today and what is foreseen."""
        return [self.now, *(point for point in self.points if point.ahead)]

    @property
    def full_on(self) -> date | None:
        """When the mailbox is full as it is; None for never (or not in ten years)."""
        return self._full(self.bag.total_bytes, self.bag.daily)

    @property
    def full_with_copies(self) -> bool:
        """Whether it would be full with copies too: at the rate of today, or in the heaviest days of the last year."""
        return self.quota_bytes is not None and max(self.steady, self.peak) >= self.quota_bytes

    def _full(self, used: int, daily: float) -> date | None:
        if self.quota_bytes is None or (daily <= 0 and used < self.quota_bytes):
            return None
        days = 0 if used >= self.quota_bytes else (self.quota_bytes - used) / daily
        return self.today + timedelta(days=round(days)) if days < NEVER_DAYS else None

    @property
    def peak(self) -> int:
        """The most that copies would have taken in the last twelve months."""
        return max((self.bag.with_copies(ago, self.days) for ago in range(366)), default=0)

    @property
    def past_imap(self) -> str:
        """The points of a line for a path, without the M."""
        return _path((point.x, point.imap_y) for point in self.past)

    @property
    def past_pop3(self) -> str:
        return _path((point.x, point.pop3_y) for point in self.past)

    @property
    def future_imap(self) -> str:
        return _path((point.x, point.imap_y) for point in self.future)

    @property
    def future_pop3(self) -> str:
        return _path((point.x, point.pop3_y) for point in self.future)

    @property
    def ticks(self) -> list[Point]:
        """Every second month."""
        return [point for point in self.points if point.day.day == 1][::2]

    @property
    def label_x(self) -> float:
        return self.now.x - 8

    @property
    def quota_label_y(self) -> float:
        return self.quota_y - 5


def _path(places: Iterable[tuple[float, float]]) -> str:
    return " L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _months(today: date) -> list[date]:
    """The first days of the months from MONTHS_BACK before today to MONTHS_AHEAD after."""
    number = today.year * 12 + today.month - 1
    return [date(at // 12, at % 12 + 1, 1) for at in range(number - MONTHS_BACK + 1, number + MONTHS_AHEAD + 1)]
