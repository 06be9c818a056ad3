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

Point = tuple[int, float]
"""A day (an ordinal) and bytes."""
Ahead = tuple[int, float, float, float]
"""A day to come and bytes: low, middle, high."""


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
    def alert_on(self) -> date | None:
        return date.fromordinal(self.alert_day) if self.alert_day else None

    @property
    def columns(self) -> dict[str, object]:
        """For the browser: `data` is a column of times (seconds, midnight UTC of the day), then used, promised, expected, low and
        high, in bytes or None; the rest is for the axes and the lines across."""
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
) -> Growth:
    """The chart of what was used and promised (oldest first, one point or more) and of what will be."""
    low, high = _range(used, promised, ahead, disk_bytes)
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
    )


def thinned(points: Sequence[Point], most: int = 60) -> list[Point]:
    """At most about so many of the points, the first and the last among them."""
    step = max(1, math.ceil(len(points) / most))
    return [*points[:-1:step], points[-1]] if points else []


def _range(
    used: Sequence[Point], promised: Sequence[Point], ahead: Sequence[Ahead], disk_bytes: float | None
) -> tuple[float, float]:
    sizes = [size for _day, size in (*used, *promised)]
    sizes += [size for _day, low, _middle, high in ahead for size in (low, high)]
    sizes += [disk_bytes] if disk_bytes else []
    low, high = min(sizes), max(sizes)
    low = 0.0 if low < high * 0.5 else low - (high - low) * 0.15
    return low, max(high + (high - low) * 0.08, low + 1.0)


def _unit(high: float) -> tuple[int, str]:
    return next(((size, name) for size, name in UNITS if high >= size * 2), UNITS[-1])


def _seconds(day: int) -> int:
    return (day - EPOCH) * DAY_S
