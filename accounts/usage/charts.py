"""The columns of the growth chart: used and promised as they were, used as it will be with its band, and between which sizes it
is drawn. The browser draws it (static/js/chart.js)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))
DAY_S = 86_400
EPOCH = date(1970, 1, 1).toordinal()

NEAR = 2.5
"""What is more than so many times what is drawn would press it flat: it is named at the edge instead."""
LEAST_SPAN = 0.1
"""The axis holds at least this part of what is drawn, so that a flat line is one, and no noise looks like growth."""

Point = tuple[int, float]
"""A day (an ordinal) and bytes."""
Ahead = tuple[int, float, float, float]
"""A day to come and bytes: low, middle, high."""
Mark = tuple[int, float, float]
"""A day on which it jumped or was emptied, how much was used then, and by how much that was more or less."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What the chart shows; sizes are bytes, days ordinals."""

    used: Sequence[Point]
    promised: Sequence[Point]
    ahead: Sequence[Ahead]
    low: float
    high: float
    """The ends of the axis of sizes."""
    disk_bytes: float | None
    alert_bytes: float | None
    alert_day: int | None
    """Where the line crosses the threshold, if it does on the chart."""
    marks: Sequence[Mark] = ()

    @property
    def unit(self) -> str:
        """In what the axis counts."""
        return _unit(self.high)[1]

    @property
    def now_bytes(self) -> float:
        return self.used[-1][1]

    @property
    def promised_bytes(self) -> float | None:
        return self.promised[-1][1] if self.promised else None

    @property
    def promised_shown(self) -> bool:
        """Whether what was promised is on the chart."""
        return self.promised_bytes is not None and self.promised_bytes <= self.high

    @property
    def disk_shown(self) -> bool:
        return self.disk_bytes is not None and self.disk_bytes <= self.high

    @property
    def alert_shown(self) -> bool:
        return self.alert_bytes is not None and self.low <= self.alert_bytes <= self.high

    @property
    def alert_on(self) -> date | None:
        return date.fromordinal(self.alert_day) if self.alert_day else None

    @property
    def columns(self) -> dict[str, object]:
        """For the browser: `data` is a column of times (seconds, midnight UTC of the day), then used, promised, expected, low and
        high, in bytes or None; `marks` are times, bytes and changes; the rest is for the axes and the lines across."""
        now_day, now_bytes = self.used[-1]
        lines: list[dict[int, float]] = [
            dict(self.used),
            dict(self.promised),
            {now_day: now_bytes} if self.ahead else {},
            {now_day: now_bytes} if self.ahead else {},
            {now_day: now_bytes} if self.ahead else {},
        ]
        for day, low, middle, high in self.ahead:
            lines[2][day], lines[3][day], lines[4][day] = middle, low, high
        days = sorted({day for line in lines for day in line})
        return {
            "data": [[_seconds(day) for day in days], *([line.get(day) for day in days] for line in lines)],
            "unit": _unit(self.high)[0],
            "range": [self.low, self.high],
            "disk": self.disk_bytes,
            "alert": self.alert_bytes,
            "marks": [[_seconds(day), size, change] for day, size, change in self.marks],
            "alertOn": _seconds(self.alert_day) if self.alert_day else None,
        }


def growth(
    used: Sequence[Point],
    promised: Sequence[Point],
    ahead: Sequence[Ahead],
    *,
    disk_bytes: float | None,
    alert_bytes: float | None,
    alert_day: int | None,
    marks: Sequence[Mark] = (),
) -> Growth:
    """The chart of what was used and promised (oldest first, one point or more), of what will be, and of jumps, whose days are
    among those of `used`."""
    low, high = _range(used, promised, ahead, [disk_bytes, alert_bytes])
    last = ahead[-1][0] if ahead else used[-1][0]
    return Growth(
        used=used,
        promised=promised,
        ahead=ahead,
        low=low,
        high=high,
        disk_bytes=disk_bytes,
        alert_bytes=alert_bytes,
        alert_day=alert_day if alert_day and alert_day <= last else None,
        marks=marks,
    )


def thinned(points: Sequence[Point], most: int = 60, *, kept: frozenset[int] = frozenset()) -> list[Point]:
    """At most about so many of the points, the first and the last among them; beside them those of the days that are `kept`, each
    with the one before it, so that a jump is as steep as it was."""
    step = max(1, math.ceil(len(points) / most))
    chosen = {*range(0, len(points), step), len(points) - 1}
    chosen |= {at for index, (day, _size) in enumerate(points) if day in kept for at in (index - 1, index) if at >= 0}
    return [points[at] for at in sorted(chosen)] if points else []


def _range(
    used: Sequence[Point], promised: Sequence[Point], ahead: Sequence[Ahead], limits: Sequence[float | None]
) -> tuple[float, float]:
    """What is used and foretold, and of what was promised, of the disk and of the threshold that which is near it."""
    sizes = [size for _day, size in used]
    sizes += [size for _day, low, _middle, high in ahead for size in (low, high)]
    most = max(sizes)
    promises = [size for _day, size in promised]
    if promises and max(promises) <= most * NEAR:
        sizes += promises
    sizes += [limit for limit in limits if limit and limit <= most * NEAR]
    low, high = min(sizes), max(sizes)
    if missing := max(high * LEAST_SPAN - (high - low), 0.0):
        low, high = low - missing / 2, high + missing / 2
    low = 0.0 if low < high * 0.5 else low - (high - low) * 0.15
    return low, max(high + (high - low) * 0.08, low + 1.0)


def _unit(high: float) -> tuple[int, str]:
    return next(((size, name) for size, name in UNITS if high >= size * 2), UNITS[-1])


def _seconds(day: int) -> int:
    return (day - EPOCH) * DAY_S
