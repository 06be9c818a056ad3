"""Packed series: what is kept of them, and that a forecast is worth something."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.usage.series import (
    EPOCH,
    MONTHLY_DAYS,
    UNIT_BYTES,
    Sample,
    add,
    add_change,
    add_up,
    at,
    pack,
    thin,
    unpack,
)

START = date(2021, 11, 28).toordinal()
sizes = st.integers(0, 60 * 2**40)


def grown(days: int, size_bytes: int = 10**9) -> bytes:
    packed = b""
    for day in range(days):
        packed = add(packed, Sample(START + day, size_bytes + day * 2**20))
    return packed


@given(st.lists(st.tuples(st.integers(EPOCH, EPOCH + 65_535), sizes), max_size=50))
def test_what_is_packed_comes_out_again(pairs: list[tuple[int, int]]) -> None:
    for sample, (day, size) in zip(unpack(pack(Sample(*pair) for pair in pairs)), pairs, strict=True):
        assert sample.day == day
        assert abs(sample.size_bytes - size) <= UNIT_BYTES // 2


@given(st.lists(st.tuples(st.integers(0, 2200), sizes), max_size=60))
def test_days_are_in_order_and_the_last_one_counts(pairs: list[tuple[int, int]]) -> None:
    packed, last = b"", None
    for offset, size in pairs:
        packed = add(packed, Sample(START + offset, size))
        if last is None or offset >= last[0]:
            last = offset, size
    days = [sample.day for sample in unpack(packed)]
    assert days == sorted(set(days))
    if last:
        assert days[-1] == START + last[0]
        assert abs(unpack(packed)[-1].size_bytes - last[1]) <= UNIT_BYTES // 2


def test_five_years_are_158_samples_of_948_bytes() -> None:
    packed = grown(MONTHLY_DAYS + 200)
    samples = unpack(packed)
    assert (len(samples), len(packed)) == (158, 948)
    gaps = [after.day - before.day for before, after in pairwise(samples)]
    assert set(gaps[-59:]) == {1}
    assert set(gaps[-100:-62]) == {7}
    assert 28 <= min(gaps[1:40]) <= max(gaps[1:40]) <= 35
    assert samples[0].day >= samples[-1].day - MONTHLY_DAYS


def test_thinning_twice_changes_nothing_more() -> None:
    packed, today = grown(900), START + 899
    assert thin(packed, today) == thin(thin(packed, today), today)
    assert thin(packed, today + 60) != packed


def test_sizes_that_cannot_be_are_held_within_what_can() -> None:
    assert [sample.size_bytes for sample in unpack(pack([Sample(START, -5), Sample(START + 1, 2**70)]))] == [
        0,
        0xFFFFFFFF * UNIT_BYTES,
    ]


def test_what_is_no_series_is_refused() -> None:
    with pytest.raises(ValueError, match="packed series"):
        unpack(b"12345")


def test_thousands_of_the_largest_sizes_are_added_without_one_running_into_another() -> None:
    largest = 0xFFFFFFFF * UNIT_BYTES
    packed = pack([Sample(EPOCH + 1, largest), Sample(EPOCH + 2, 0), Sample(EPOCH + 0xFFFF, largest)])
    found = add_up([packed] * 3000)
    assert found == [(EPOCH + 1, 3000 * largest), (EPOCH + 2, 0), (EPOCH + 0xFFFF, 3000 * largest)]


def test_a_series_of_changes_says_every_day() -> None:
    promised, today = b"", EPOCH + 9000
    for day, size in enumerate([5, 5, 5, 9, 9, 2, 2, 2]):
        for _twice in range(2):
            promised = add_change(promised, Sample(today + day, size << 20))
    promised = add_change(promised, Sample(today + 7, 3 << 20))  # the same day once more
    changes = unpack(promised)
    assert [one.day - today for one in changes] == [0, 3, 5, 7]
    assert [(at(changes, today + day) or 0) >> 20 for day in range(-1, 9)] == [0, 5, 5, 5, 9, 9, 2, 2, 3, 3]
    assert at(changes, today - 1) is None
