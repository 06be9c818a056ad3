"""Forecasts, judged by what came afterwards: sixty days are held back, and the line is compared with them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date
from statistics import median

import pytest

from accounts.usage.forecast import find_events, forecast
from accounts.usage.series import Sample, add, unpack

START = date(2024, 11, 28).toordinal()
HELD_BACK, HISTORY = 60, 670
GIGA = 10**9
Walk = Callable[[random.Random], list[float]]


def steady(chance: random.Random) -> list[float]:
    """Grows every working day, faster some days than others."""
    size, rate, sizes = chance.uniform(0.2, 3) * GIGA, chance.uniform(0.3, 6) * 1e6, []
    for day in range(HISTORY + HELD_BACK):
        size += rate * chance.lognormvariate(0, 0.7) * (0.2 if day % 7 > 4 else 1.3)
        sizes.append(size)
    return sizes


def with_restores(chance: random.Random) -> list[float]:
    """The same, with two or three archives put in at once."""
    sizes = steady(chance)
    for _time in range(chance.randrange(2, 4)):
        at, by = chance.randrange(40, HISTORY), chance.uniform(1, 4) * GIGA
        sizes = [size + (by if day >= at else 0) for day, size in enumerate(sizes)]
    return sizes


def tidied(chance: random.Random) -> list[float]:
    """Grows, and is tidied a little each month."""
    size, rate, sizes = chance.uniform(1, 3) * GIGA, chance.uniform(1, 4) * 1e6, []
    for day in range(HISTORY + HELD_BACK):
        size += rate * chance.lognormvariate(0, 0.6)
        if day % 30 == 17:
            size -= rate * 12
        sizes.append(size)
    return sizes


def slowing(chance: random.Random) -> list[float]:
    """Grows half as fast from the middle on."""
    size, rate, sizes = chance.uniform(0.5, 2) * GIGA, chance.uniform(2, 6) * 1e6, []
    for day in range(HISTORY + HELD_BACK):
        size += rate * (1 if day < HISTORY // 2 else 0.5) * chance.lognormvariate(0, 0.5)
        sizes.append(size)
    return sizes


def emptied_by_pop3(chance: random.Random) -> list[float]:
    """Fills for a few days and is emptied again."""
    size, sizes = 0.0, []
    for day in range(HISTORY + HELD_BACK):
        size = 0.0 if day % 4 == 3 else size + chance.uniform(5, 30) * 1e6
        sizes.append(size)
    return sizes


def packed(sizes: list[float]) -> list[Sample]:
    """As it would lie in the database: thinned, and in units of 16 KiB."""
    history = b""
    for day, size in enumerate(sizes):
        history = add(history, Sample(START + day, round(size)))
    return unpack(history)


def judged(walk: Walk, seeds: range) -> tuple[float, float, float]:
    """(the usual error of the line, that of saying that nothing changes, how often the band held) 60 days ahead; errors as parts
    of what was grown."""
    errors, lazy, held = [], [], 0
    for seed in seeds:
        sizes = walk(random.Random(seed))
        line = forecast(packed(sizes[:HISTORY]))
        assert line
        day, truth = START + HISTORY + HELD_BACK - 1, sizes[-1]
        low, high = line.band(day)
        errors.append(abs(line.at(day) - truth))
        lazy.append(abs(line.size_bytes - truth))
        held += low <= truth <= high
    return median(errors) / median(lazy), median(errors), held / len(seeds)


@pytest.mark.parametrize(
    ("walk", "error"),
    [(steady, 0.10), (with_restores, 0.15), (tidied, 0.25), (slowing, 0.25)],
    ids=lambda x: str(x)[:20],
)
def test_held_back_days_are_foretold(walk: Walk, error: float) -> None:
    against_nothing, _bytes, held = judged(walk, range(60))
    print(f"{walk.__name__}: error {against_nothing:.1%} of what was grown in {HELD_BACK} days, band held {held:.0%}")
    assert against_nothing < error
    assert held > 0.6


def test_a_mailbox_that_is_emptied_again_and_again_is_not_foretold_to_fill() -> None:
    for seed in range(10):
        line = forecast(packed(emptied_by_pop3(random.Random(seed))))
        assert line
        assert abs(line.day_bytes) * 30 < 60e6
        assert line.reaches(2 * GIGA) is None


def test_jumps_and_emptyings_are_told_apart_from_growth() -> None:
    sizes = [GIGA + day * 1e6 for day in range(100)]
    sizes = [size + (2 * GIGA if day >= 95 else 0) - (1.5 * GIGA if day >= 98 else 0) for day, size in enumerate(sizes)]
    events = find_events(packed(sizes))
    assert [(event.day - START, round(event.change_bytes / GIGA, 1)) for event in events] == [(95, 2.0), (98, -1.5)]
    line = forecast(packed(sizes))
    assert line
    assert 0.9e6 < line.day_bytes < 1.1e6


def test_the_day_on_which_it_is_full() -> None:
    line = forecast([Sample(START + day, GIGA + day * 10_000_000) for day in range(30)])
    assert line
    assert line.reaches(GIGA + 39 * 10_000_000) == START + 39
    assert line.reaches(GIGA) == line.day
    assert line.reaches(10_000 * GIGA) is None
    early, late = line.reaches_between(GIGA + 129 * 10_000_000)
    assert early is not None
    assert late is not None
    assert early <= START + 136
    assert late >= START + 122


def test_a_wider_future_lies_further_ahead() -> None:
    chance = random.Random(3)
    line = forecast(packed(steady(chance)))
    assert line
    widths = [high - low for low, high in (line.band(line.day + ahead) for ahead in (0, 30, 300))]
    assert widths[0] == 0
    assert math.sqrt(10) * widths[1] <= widths[2] * 1.01


@pytest.mark.parametrize("days", [[], [0], [0, 1, 2, 3, 4], [0, 30]], ids=str)
def test_too_little_is_no_forecast(days: list[int]) -> None:
    assert forecast([Sample(START + day, day) for day in days]) is None
    assert find_events([Sample(START + day, day * GIGA) for day in days]) == []
