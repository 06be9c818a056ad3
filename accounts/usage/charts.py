"""The lines of the growth chart, as SVG paths in a box of 590 by 228: used and promised as they were, used as it will be with its
band, the disk and the threshold. What stands beside the lines is placed so that labels of one side do not cover one another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 590, 228
LEFT, RIGHT, TOP, BOTTOM = 40, 580, 24, 204
LABEL_GAP = 15
UNITS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))

Point = tuple[int, float]
"""A day (an ordinal) and bytes."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis: where, and how much (axis of sizes, in the chart's unit) or which day."""

    at: float
    value: float = 0.0
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What stands beside a line's end: where, and bytes."""

    x: float
    y: float
    size_bytes: float


@dataclass(frozen=True, slots=True)
class Growth:
    """The chart's parts; a path is "" and a label None where there is nothing to show."""

    unit: str
    used: str
    promised: str
    ahead: str
    band: str
    sizes: tuple[Tick, ...]
    months: tuple[Tick, ...]
    now: Label
    promised_end: Label | None
    disk: Label | None
    alert: Label | None
    alert_on: Tick | None
    """Where the line crosses the threshold."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From days and bytes to places."""

    first: int
    last: int
    low: float
    high: float

    def x(self, day: float) -> float:
        return round(LEFT + (day - self.first) / max(1, self.last - self.first) * (RIGHT - LEFT), 1)

    def y(self, size: float) -> float:
        return round(BOTTOM - (size - self.low) / (self.high - self.low) * (BOTTOM - TOP), 1)

    def path(self, points: Iterable[Point]) -> str:
        """ "M40 100 L50 90 ..." """
        steps = [f"{self.x(day)} {self.y(size)}" for day, size in points]
        return "M" + " L".join(steps) if len(steps) > 1 else ""


def growth(
    used: Sequence[Point],
    promised: Sequence[Point],
    ahead: Sequence[tuple[int, float, float, float]],
    *,
    disk_bytes: float | None,
    alert_bytes: float | None,
    alert_day: int | None,
) -> Growth:
    """The chart of what was used and promised (oldest first, one point or more) and of what will be: (day, low, middle, high)."""
    scale = _scale(used, promised, ahead, disk_bytes)
    size, unit = _unit(scale.high)
    step = _step((scale.high - scale.low) / size)
    first_tick = math.ceil(scale.low / size / step)
    last_tick = math.floor(scale.high / size / step)
    ticks = tuple(Tick(scale.y(n * step * size), n * step) for n in range(first_tick, last_tick + 1))
    end_day, end_size = used[-1]
    future = [(end_day, end_size), *((day, middle) for day, _low, middle, _high in ahead)]
    band = [(end_day, end_size), *((day, high) for day, _low, _middle, high in ahead)]
    band += [(day, low) for day, low, _middle, _high in reversed(ahead)]
    now_y, promised_y = scale.y(end_size), scale.y(promised[-1][1]) if promised else 0.0
    if promised and abs(now_y - promised_y) < LABEL_GAP:
        now_y = promised_y + LABEL_GAP if now_y >= promised_y else now_y
    return Growth(
        unit=unit,
        used=scale.path(used),
        promised=scale.path(promised),
        ahead=scale.path(future) if ahead else "",
        band=scale.path(band) + " Z" if ahead else "",
        sizes=ticks,
        months=_months(scale),
        now=Label(scale.x(end_day), now_y, end_size),
        promised_end=Label(scale.x(promised[-1][0]), promised_y, promised[-1][1]) if promised else None,
        disk=Label(RIGHT, scale.y(disk_bytes), disk_bytes) if disk_bytes else None,
        alert=Label(LEFT, scale.y(alert_bytes), alert_bytes) if alert_bytes else None,
        alert_on=Tick(scale.x(alert_day), scale.y(alert_bytes or 0), date.fromordinal(alert_day))
        if alert_day and alert_day <= scale.last
        else None,
    )


def thinned(points: Sequence[Point], most: int = 60) -> list[Point]:
    """At most about so many of the points, the first and the last among them."""
    step = max(1, math.ceil(len(points) / most))
    return [*points[:-1:step], points[-1]] if points else []


def _scale(
    used: Sequence[Point],
    promised: Sequence[Point],
    ahead: Sequence[tuple[int, float, float, float]],
    disk_bytes: float | None,
) -> Scale:
    sizes = [size for _day, size in (*used, *promised)]
    sizes += [size for _day, low, _middle, high in ahead for size in (low, high)]
    sizes += [disk_bytes] if disk_bytes else []
    low, high = min(sizes), max(sizes)
    low = 0.0 if low < high * 0.5 else low - (high - low) * 0.15
    high = max(high + (high - low) * 0.08, low + 1.0)
    last = ahead[-1][0] if ahead else used[-1][0]
    return Scale(used[0][0], max(last, used[0][0] + 1), low, high)


def _unit(high: float) -> tuple[int, str]:
    return next(((size, name) for size, name in UNITS if high >= size * 2), UNITS[-1])


def _step(span: float) -> float:
    """A round distance between four or five ticks."""
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _months(scale: Scale) -> tuple[Tick, ...]:
    """The first days of months, no more than nine of them."""
    start, end = date.fromordinal(scale.first), date.fromordinal(scale.last)
    firsts = [
        date(year, month, 1)
        for year in range(start.year, end.year + 1)
        for month in range(1, 13)
        if start <= date(year, month, 1) <= end
    ]
    every = max(1, math.ceil(len(firsts) / 9))
    return tuple(Tick(scale.x(day.toordinal()), day=day) for day in firsts[::every])
