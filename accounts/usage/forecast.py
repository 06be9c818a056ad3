"""How a mailbox, a domain or the disk goes on: from its samples to a line with a band, and to the day on which it is full.

Growth is the average of the rates between neighbouring samples, weighted by their length and with a half-life of 90 days. What
is no growth but an event (a jump, an emptying) is found first and left out; it is told by itself. The band holds what four of
five futures stay in, if days go on to differ as they did: deviations add up, and the average itself is not known better than
the samples allow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from accounts.usage.series import Sample

HALF_LIFE_DAYS = 90.0
LOOK_BACK_DAYS = 400
AHEAD_DAYS = 3 * 365
"""Nothing is said of what lies further ahead."""
MIN_SAMPLES, MIN_DAYS = 5, 7
BAND_Z = 1.2816
"""Four of five, of a normal distribution."""
_WEIGHTS = tuple(0.5 ** (age / HALF_LIFE_DAYS) for age in range(LOOK_BACK_DAYS + 1))
EVENT_DEVIATIONS = 10.0
EVENT_BYTES = 10_000_000
"""What is smaller is never an event."""
EVENT_SHARE = 0.15
"""Nor is what is less than this part of what was there before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change between two samples that is no growth: `change_bytes` is below 0 for an emptying. `day` is an ordinal."""

    day: int
    change_bytes: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """From the last sample on. `day_bytes` is the growth in a day, `spread_bytes` how much one day differs from another,
    `unsure_bytes` how unsure the growth in a day itself is."""

    day: int
    size_bytes: int
    day_bytes: float
    spread_bytes: float
    unsure_bytes: float

    def at(self, day: int) -> int:
        """What will be used on that day (an ordinal)."""
        return max(0, round(self.size_bytes + self.day_bytes * (day - self.day)))

    def band(self, day: int) -> tuple[int, int]:
        """Between what it will be, in four of five cases."""
        half = BAND_Z * self.sigma(day)
        return max(0, round(self.at(day) - half)), round(self.at(day) + half)

    def sigma(self, day: int) -> float:
        """The standard deviation of what will be used on that day, in bytes."""
        ahead = max(0, day - self.day)
        return math.sqrt(self.spread_bytes**2 * ahead + (self.unsure_bytes * ahead) ** 2)

    def reaches_between(self, limit_bytes: int) -> tuple[int, int | None]:
        """The days (ordinals) between which so much is used in four of five cases: where the ends of the band reach it. The
        later one is None where its lower end does not within three years."""
        missing, slope = limit_bytes - self.size_bytes, BAND_Z * self.unsure_bytes
        if missing <= 0:
            return self.day, self.day
        # (missing - growth d)^2 = z^2 (spread^2 d + unsure^2 d^2): the smaller root is the upper end's, the larger the lower's.
        square = self.day_bytes**2 - slope**2
        half = missing * self.day_bytes + (BAND_Z * self.spread_bytes) ** 2 / 2
        root = math.sqrt(max(0.0, half * half - square * missing * missing))
        early = missing * missing / (half + root) if half + root > 0 else math.inf
        late = (half + root) / square if square > 0 and self.day_bytes > 0 else math.inf
        last = self.day + math.ceil(late) if late <= AHEAD_DAYS else None
        return self.day + math.ceil(min(early, AHEAD_DAYS)), last

    def reaches(self, limit_bytes: int) -> int | None:
        """The day (an ordinal) on which so much is used; None when that is not to be seen. It is `day` when it is so now."""
        if self.size_bytes >= limit_bytes:
            return self.day
        if self.day_bytes <= 0:
            return None
        ahead = math.ceil((limit_bytes - self.size_bytes) / self.day_bytes)
        return self.day + ahead if ahead <= AHEAD_DAYS else None


def find_events(samples: Sequence[Sample]) -> list[Event]:
    """The jumps and emptyings in a series, oldest first: changes that are large beside what was there, and far from what is
    usual."""
    if len(samples) < MIN_SAMPLES:
        return []
    large = [
        (before, after)
        for before, after in pairwise(samples)
        if abs(after.size_bytes - before.size_bytes) > max(EVENT_BYTES, EVENT_SHARE * before.size_bytes)
    ]
    if not large:
        return []
    rates = _rates(samples)
    usual = median(rate for rate, _days in rates)
    deviation = 1.4826 * median(abs(rate - usual) * math.sqrt(days) for rate, days in rates)
    found = []
    for before, after in large:
        days, change = after.day - before.day, after.size_bytes - before.size_bytes
        if abs(change - usual * days) > EVENT_DEVIATIONS * deviation * math.sqrt(days):
            found.append(Event(after.day, change))
    return found


def forecast(samples: Sequence[Sample], events: Sequence[Event] | None = None) -> Forecast | None:
    """How it goes on after the last sample; None for fewer than five samples or less than a week. `events` are those of
    `find_events`, where they are known already."""
    if len(samples) < MIN_SAMPLES or samples[-1].day - samples[0].day < MIN_DAYS:
        return None
    last = samples[-1]
    left_out = {event.day for event in (find_events(samples) if events is None else events)}
    # Sums over w (weight), d (days) and c (change): of w d, w c, w c c, w c d, w d d and w w d.
    wd = wc = wcc = wcd = wdd = wwd = 0.0
    for before, after in pairwise(samples):
        age = last.day - after.day
        if after.day in left_out or age > LOOK_BACK_DAYS:
            continue
        days, weight = after.day - before.day, _WEIGHTS[age]
        change = float(after.size_bytes - before.size_bytes)
        weighed = weight * change
        wd += weight * days
        wc += weighed
        wcc += weighed * change
        wcd += weighed * days
        wdd += weight * days * days
        wwd += weight * weight * days
    if not wd:
        return Forecast(last.day, last.size_bytes, 0.0, 0.0, 0.0)
    growth = wc / wd
    spread = max(0.0, wcc - 2 * growth * wcd + growth * growth * wdd) / wd
    return Forecast(last.day, last.size_bytes, growth, math.sqrt(spread), math.sqrt(spread * wwd) / wd)


def _rates(samples: Sequence[Sample]) -> list[tuple[float, int]]:
    """Bytes a day between neighbours, and over how many days."""
    pairs = pairwise(samples)
    return [((b.size_bytes - a.size_bytes) / (b.day - a.day), b.day - a.day) for a, b in pairs]
