"""What was used on which day, packed: six bytes a sample, thinned as it grows old.

A sample is a day (days since 2000-01-01, two bytes) and a size (four bytes, in units of 16 KiB: up to 64 TiB), both little
endian. Daily samples are kept for 60 days, then the last of each week for 400 days, then the last of each month for five years.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

UNIT_BITS = 14
UNIT_BYTES = 1 << UNIT_BITS
DAILY_DAYS, WEEKLY_DAYS, MONTHLY_DAYS = 60, 400, 5 * 366
EPOCH = date(2000, 1, 1).toordinal()

_SAMPLE = struct.Struct("<HI")
_WEEK_DAYS = 7
_MONTH_DAYS = 30.4375
_MOST = 0xFFFFFFFF
_DAY_BITS, _SAMPLE_BITS = 16, 48
_ROOM = (1 << 64) - 1


class Sample(NamedTuple):
    """What was used at the end of a day; `day` is its ordinal (date.toordinal)."""

    day: int
    size_bytes: int

    @property
    def date(self) -> date:
        return date.fromordinal(self.day)


def unpack(packed: bytes) -> list[Sample]:
    """The samples, oldest first. Raises ValueError when it is not what `pack` gave."""
    try:
        return [Sample(day + EPOCH, units << UNIT_BITS) for day, units in _SAMPLE.iter_unpack(packed)]
    except struct.error as error:
        raise ValueError("not a packed series") from error


def add_up(series: Iterable[bytes]) -> list[Sample]:
    """The sum of packed series, on every day on which one of them has a sample; between its samples a series is as it was at the
    last. A reseller may have thousands of series, of which most have the same days: those are added as whole numbers, every other
    sample at a time, so that 64 bits are free above each size for what it grows to."""
    alike: dict[tuple[int, int], list[int]] = {}
    for packed in series:
        count, whole = len(packed) // _SAMPLE.size, int.from_bytes(packed, "little")
        days, even, odd = _masks(count)
        sums = alike.setdefault((count, whole & days), [0, 0])
        sums[0] += whole & even
        sums[1] += whole & odd
    changes: dict[int, int] = {}
    for (count, days), sums in alike.items():
        before = 0
        for number in range(count):
            at = number * _SAMPLE_BITS
            day, units = days >> at & 0xFFFF, sums[number % 2] >> (at + _DAY_BITS) & _ROOM
            changes[day] = changes.get(day, 0) + units - before
            before = units
    total, found = 0, []
    for day in sorted(changes):
        total += changes[day]
        found.append(Sample(day + EPOCH, total << UNIT_BITS))
    return found


def pack(samples: Iterable[Sample]) -> bytes:
    """The samples as bytes; sizes are rounded to 16 KiB."""
    return b"".join(_SAMPLE.pack(sample.day - EPOCH, units_of(sample.size_bytes)) for sample in samples)


def add(packed: bytes, sample: Sample) -> bytes:
    """The series with one more day, thinned. A second sample of the last day takes the place of the first; one that is older
    than the last changes nothing."""
    last = _SAMPLE.unpack_from(packed, len(packed) - _SAMPLE.size)[0] + EPOCH if packed else 0
    if sample.day < last:
        return packed
    kept = packed[: -_SAMPLE.size] if sample.day == last else packed
    return thin(kept, sample.day) + pack([sample])


def add_change(packed: bytes, sample: Sample) -> bytes:
    """The same, but for a day on which nothing is another than on the last: for what seldom changes, as a promise. Between its
    samples it is as it was (`at`)."""
    if packed:
        day, units = _SAMPLE.unpack_from(packed, len(packed) - _SAMPLE.size)
        if day + EPOCH < sample.day and units == units_of(sample.size_bytes):
            return packed
    return add(packed, sample)


def at(samples: Sequence[Sample], day: int) -> int | None:
    """What a series of changes says of a day (an ordinal); None before it begins."""
    place = bisect_right(samples, day, key=lambda one: one.day)
    return samples[place - 1].size_bytes if place else None


def thin(packed: bytes, today: int) -> bytes:
    """The series without what is not kept any more on this day (an ordinal): of each week and month its last sample stays."""
    end = today - EPOCH
    daily, oldest = end - DAILY_DAYS, end - MONTHLY_DAYS
    kept: list[bytes] = []
    bucket: tuple[int, int] | None = None
    for start in range(0, len(packed), _SAMPLE.size):
        day = packed[start] | packed[start + 1] << 8
        if day > daily:
            kept.append(packed[start:])
            break
        if day < oldest:
            continue
        here = _bucket(day, end)
        if here == bucket:
            kept.pop()
        bucket = here
        kept.append(packed[start : start + _SAMPLE.size])
    return b"".join(kept)


@cache
def _masks(count: int) -> tuple[int, int, int]:
    """In so many samples as one number: the bits of the days, of the sizes of every other sample from the first on, and from the
    second."""
    at = [number * _SAMPLE_BITS for number in range(count)]
    sizes = [_MOST << (start + _DAY_BITS) for start in at]
    return sum(0xFFFF << start for start in at), sum(sizes[::2]), sum(sizes[1::2])


def units_of(size_bytes: int) -> int:
    """A size in units of 16 KiB, rounded; no less than 0."""
    return min(max(0, size_bytes + UNIT_BYTES // 2) // UNIT_BYTES, _MOST)


def _bucket(day: int, end: int) -> tuple[int, int]:
    """Samples of one bucket stand for one another: weeks while they are young, months afterwards."""
    if end - day <= WEEKLY_DAYS:
        return 1, day // _WEEK_DAYS
    return 2, int(day / _MONTH_DAYS)
