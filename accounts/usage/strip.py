"""Who touched a mailbox, by day: a row for each program and a bar for each time it did something, in a box 1120 wide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, LEFT, RIGHT = 1120, 196, 1112
TOP, ROW = 24, 34
HIGHEST, LOWEST = 28.0, 4.0
BAR_WIDTH = 6


@dataclass(frozen=True, slots=True)
class Touch:
    """Something that a program did: how many messages, and what that means for them (tinta: read or moved on the server, kraft:
    taken and left, lacre: taken away)."""

    who: str
    way: str
    at: datetime
    count: int
    tone: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the strip, in its own units; `count` is what it stands for."""

    x: float
    y: float
    height: float
    tone: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """A program and how it comes (IMAP, POP3 ...), the y of its line and of its words, and its bars."""

    who: str
    way: str
    line_y: int
    text_y: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """Where a day begins on the strip."""

    x: float
    start: datetime


@dataclass(frozen=True, slots=True)
class Strip:
    """The whole drawing: its height, the days, the rows (most used first), and where now is."""

    height: int
    bottom: int
    days: tuple[Day, ...]
    rows: tuple[Row, ...]
    now_x: float


def draw(touches: Sequence[Touch], *, start: datetime, end: datetime, now: datetime, rows_max: int = 8) -> Strip:
    """The drawing from one midnight to another; both are aware and local, so that days with a change of clocks hold."""
    names: dict[tuple[str, str], list[Touch]] = {}
    for touch in touches:
        names.setdefault((touch.who, touch.way), []).append(touch)
    busiest = sorted(names.items(), key=lambda item: -len(item[1]))[:rows_max]
    most = max((touch.count for touch in touches), default=1)
    rows = []
    for number, ((who, way), mine) in enumerate(busiest):
        middle = TOP + ROW * number + ROW // 2
        bars = tuple(_bar(touch, _x(touch.at, start, end), middle, most) for touch in mine)
        rows.append(Row(who, way, TOP + ROW * (number + 1), middle + 4, bars))
    bottom = TOP + ROW * max(1, len(rows))
    days, day = [], start
    while day < end:
        days.append(Day(_x(day, start, end), day))
        day = (day + timedelta(hours=30)).replace(hour=0)
    return Strip(bottom + 22, bottom, tuple(days), tuple(rows), _x(min(now, end), start, end))


def _bar(touch: Touch, x: float, middle: int, most: int) -> Bar:
    share = math.log1p(touch.count) / math.log1p(max(1, most))
    height = round(LOWEST + (HIGHEST - LOWEST) * min(1.0, share), 1)
    return Bar(min(x, RIGHT - BAR_WIDTH), round(middle - height / 2, 1), height, touch.tone, touch.count)


def _x(at: datetime, start: datetime, end: datetime) -> float:
    return round(LEFT + (at - start) / (end - start) * (RIGHT - LEFT), 1)
