"""Where the course of a mailbox is drawn: the places of its lines and words in the frame of the drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from webmail.services.simulator import Course, Point

IN_SIGHT = 3
"""A quota of more than so many times what is there is told in words only."""
LEFT, RIGHT, TOP, BASE = 60, 752, 34, 160
BENDS = 120
"""So many points the line of what is foreseen has at most, beside those where it steps."""
GRID = 3
"""So many steps the sizes at the left have about."""
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A month below the chart; its year where it is another than that of the one before."""

    x: float
    day: date
    with_year: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A size at the left, and its height."""

    y: float
    size_bytes: int


@dataclass(frozen=True)
class Chart:
    """The drawing of a course. The line of copies has two parts: what they would have been until today, had it been downloaded
    all along, and how it goes on if that begins today."""

    course: Course

    @cached_property
    def now(self) -> Place:
        """Today, as it is."""
        return self._x(self.course.today), self._y(self.course.used)

    @property
    def past_imap(self) -> str:
        """The points of a line for a path, without the M."""
        return self._path((point.day, point.imap) for point in self._past)

    @property
    def past_pop3(self) -> str:
        return self._path((self._day(-ago), self.course.all_along(ago)) for ago in self._behind)

    @property
    def future_imap(self) -> str:
        return self._path((self._day(ahead), self.course.imap_at(ahead)) for ahead in (0, self._far))

    @property
    def future_pop3(self) -> str:
        return self._path((self._day(ahead), self.course.pop3_at(ahead)) for ahead in self._bends)

    @cached_property
    def _past(self) -> list[Point]:
        return [point for point in self.course.points if not point.ahead]

    @cached_property
    def _far(self) -> int:
        return (self.course.points[-1].day - self.course.today).days

    @cached_property
    def _behind(self) -> list[int]:
        """Days back at which it is drawn, the longest ago first."""
        first = (self.course.today - self.course.points[0].day).days
        return [*range(first, 0, -max(1, first // BENDS)), 0]

    @cached_property
    def _bends(self) -> list[int]:
        """Days ahead at which the line of copies is drawn: many, and the day on which the last of today leave, and before."""
        steps = {max(0, self.course.days - 1), self.course.days}
        return sorted({*range(0, self._far, max(1, self._far // BENDS)), self._far, *steps})

    def _day(self, ahead: int) -> date:
        return self.course.today + timedelta(days=ahead)

    @cached_property
    def _most(self) -> int:
        ahead = max(self.course.pop3_at(at) for at in self._bends)
        along = max(self.course.all_along(ago) for ago in self._behind)
        return max(1, ahead, along, *(point.imap for point in self.course.points))

    @property
    def quota_in_sight(self) -> bool:
        """Whether the quota is near enough for a line in the drawing."""
        quota = self.course.quota_bytes
        return quota is not None and quota <= IN_SIGHT * self._most

    @property
    def quota_y(self) -> float:
        """Where the line of the quota is, when it is in sight."""
        return self._y(self.course.quota_bytes or 0)

    @property
    def quota_label_y(self) -> float:
        return self.quota_y - 5

    @property
    def levels(self) -> list[Level]:
        """Round sizes from 0 on, with room for each, and for the line of the quota."""
        step = _round_step(self._top / GRID)
        found = [Level(self._y(size), size) for size in range(0, self._top + 1, step)]
        if not self.quota_in_sight:
            return found
        return [one for one in found if one.size_bytes == 0 or abs(one.y - self.quota_y) >= 12]

    @property
    def full_label(self) -> Place | None:
        """Where the word of the day on which it is full ends: at the right end, above the line that has passed the quota by then.
        None when that is not in the drawing, or it is full already."""
        day = self.course.full_on
        if day is None or not self.quota_in_sight or not self.course.today < day <= self.course.points[-1].day:
            return None
        return RIGHT, min(self.quota_y, self._y(self.course.imap_at(self._far))) - 7

    @property
    def steady_y(self) -> float:
        """Where the line of copies ends."""
        return self._y(self.course.pop3_at(self._far))

    @property
    def is_far(self) -> bool:
        """Whether it goes so far ahead that there is no room for words left of today."""
        return self.now[0] < 300

    @property
    def imap_label(self) -> Place:
        """Where its word ends: left of today, above the line; right of it where it begins, with no room there."""
        side, above = (8, 28) if self.is_far else (-8, 8)
        return self.now[0] + side, max(TOP - 4.0, self.now[1] - above)

    @property
    def pop3_label(self) -> Place:
        """Where the word of the copies ends: at the right end, above the line; below it where the line of the quota or of the
        mailbox as it is would go through it."""
        above = self.steady_y - 8
        others = [self._y(self.course.imap_at(self._far)), *([self.quota_y] if self.quota_in_sight else [])]
        crossed = any(above - 14 < other < above + 4 for other in others)
        below = min(BASE - 4.0, self.steady_y + 18)
        return RIGHT, below if crossed and below > self.steady_y + 10 else max(TOP - 4.0, above)

    @property
    def ticks(self) -> list[Tick]:
        """Some of the months, far enough from each other for their words."""
        found: list[Tick] = []
        for point in self.course.points:
            x = self._x(point.day)
            if point.day.day == 1 and point.day != self.course.leave_on and (not found or x - found[-1].x >= 72):
                found.append(
                    Tick(x, point.day, self._far > 366 and (not found or found[-1].day.year != point.day.year))
                )
        return found

    def _x(self, day: date) -> float:
        first, last = self.course.points[0].day, self.course.points[-1].day
        return LEFT + (day - first).days / (last - first).days * (RIGHT - LEFT)

    def _y(self, size: int) -> float:
        return BASE - size / self._top * (BASE - TOP)

    @cached_property
    def _top(self) -> int:
        return max(self._most, self.course.quota_bytes or 0) if self.quota_in_sight else self._most

    def _path(self, sizes: Iterable[tuple[date, int]]) -> str:
        return " L".join(f"{self._x(day):.1f} {self._y(size):.1f}" for day, size in sizes)


def _round_step(least: float) -> int:
    """The next of 1, 2 and 5, with zeros, in octets."""
    if least <= 1:
        return 1
    ten = int(10 ** math.floor(math.log10(least)))
    return next(times * ten for times in (1, 2, 5, 10) if times * ten >= least)
