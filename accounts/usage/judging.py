"""A forecast judged by its own past: what was foretold from earlier samples alone, beside what came.

A line knows how much one day differs from another, not how its growth itself changes: mailboxes come and go, people begin to
send more. Held-back history shows that. Where it was further off than its band said, the band is widened by as much, but not
beyond twice what the errors themselves, in bytes, ask for: a line that was flat had a narrow band, and missed it many times over
by what is little now.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from accounts.usage.forecast import BAND_Z, Event, Forecast, forecast
from accounts.usage.series import Sample

AHEAD_DAYS, EVERY_DAYS, TRIALS = 60, 30, 8
"""So far ahead is foretold, from origins so far apart, so many times."""
LEAST_DAYS = 60
"""So much history an origin needs."""
PRIOR = 1.0
"""The band's own word counts for one trial."""
WIDEST = 5.0
MARGIN = 2.0
"""Errors in bytes are of a past that was smaller: the band may be so many times what they ask for (with less, that of customers
and disks held less than four of five held-back futures)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Of so many forecasts for `ahead_days`: how many were off by no more than the band shown now allows (`held`), the usual
    error and the largest, and by how much the band is widened (1.0 or more)."""

    trials: int
    held: int
    error_bytes: int
    worst_bytes: int
    factor: float
    ahead_days: int = AHEAD_DAYS

    def widen(self, line: Forecast) -> Forecast:
        """The same line with the band that its past asks for."""
        return replace(line, spread_bytes=line.spread_bytes * self.factor, unsure_bytes=line.unsure_bytes * self.factor)


def judge(samples: Sequence[Sample], events: Sequence[Event]) -> Judged | None:
    """How forecasts from earlier days would have done; None for too little history. Jumps and emptyings (`events`), which are
    told by themselves, count for nothing."""
    line = forecast(samples, events)
    errors, apart = [], []
    for number in range(TRIALS if samples else 0):
        origin = samples[-1].day - AHEAD_DAYS - number * EVERY_DAYS
        past = [one for one in samples if one.day <= origin]
        if not past or past[-1].day - past[0].day < LEAST_DAYS:
            break
        earlier = forecast(past, [event for event in events if event.day <= past[-1].day])
        if earlier is None:
            break
        came = min(samples[len(past) :], key=lambda one: abs(one.day - earlier.day - AHEAD_DAYS))
        jumped = sum(event.change_bytes for event in events if earlier.day < event.day <= came.day)
        error = came.size_bytes - jumped - earlier.at(came.day)
        errors.append(abs(error))
        sigma = earlier.sigma(came.day)
        apart.append(abs(error) / sigma if sigma else math.inf if error else 0.0)
    if not errors or line is None:
        return None
    squares = [one * one for one in apart if one < math.inf]  # a band without any width is not widened
    factor = math.sqrt((PRIOR + sum(squares)) / (PRIOR + len(apart)))
    sigma = line.sigma(line.day + AHEAD_DAYS)
    if sigma:
        in_bytes = math.sqrt((PRIOR + sum((error / sigma) ** 2 for error in errors)) / (PRIOR + len(errors)))
        factor = min(factor, MARGIN * in_bytes)
    factor = min(max(factor, 1.0), WIDEST)
    held = sum(error <= BAND_Z * sigma * factor for error in errors)
    return Judged(len(errors), held, round(median(errors)), round(max(errors)), factor)
