"""The columns from which the chart is drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone
from django.utils.translation import override

from accounts.templatetags.usagepage import short_day, strip_day
from accounts.usage.charts import DAY_S, growth, thinned

FIRST = date(2026, 1, 1).toordinal()
FIRST_S = 1_767_225_600
GIGA = 10**9


def test_columns_have_a_value_or_none_for_every_day() -> None:
    used = [(FIRST, 4.0 * GIGA), (FIRST + 10, 5.0 * GIGA)]
    ahead = [(FIRST + 20, 5.5 * GIGA, 6.0 * GIGA, 6.5 * GIGA)]
    chart = growth(used, [(FIRST + 5, 9.0 * GIGA)], ahead, disk_bytes=None, alert_bytes=None, alert_day=None)
    days, now, promised, middle, low, high = chart.columns["data"]  # type: ignore[misc]
    assert days == [FIRST_S + n * DAY_S for n in (0, 5, 10, 20)]
    assert now == [4e9, None, 5e9, None]
    assert promised == [None, 9e9, None, None]
    assert (middle, low, high) == ([None, None, 5e9, 6e9], [None, None, 5e9, 5.5e9], [None, None, 5e9, 6.5e9])
    assert chart.unit == "GB"
    assert chart.columns["unit"] == GIGA


def test_the_axis_holds_the_disk_and_a_crossing_beyond_the_last_day_is_not_shown() -> None:
    used = [(FIRST, 9.0 * GIGA), (FIRST + 10, 9.5 * GIGA)]
    beyond = growth(used, [], [], disk_bytes=12.0 * GIGA, alert_bytes=10.0 * GIGA, alert_day=FIRST + 11)
    assert beyond.low < 9e9
    assert beyond.high > 12e9
    assert beyond.columns["alertOn"] is None
    assert beyond.promised_bytes is None
    within = growth(used, [], [], disk_bytes=12.0 * GIGA, alert_bytes=10.0 * GIGA, alert_day=FIRST + 10)
    assert within.columns["alertOn"] == FIRST_S + 10 * DAY_S


def test_what_is_far_above_is_named_and_presses_nothing_flat() -> None:
    used = [(FIRST + day, 100e6) for day in range(10)]
    flat = growth(used, [(FIRST, 5.0 * GIGA)], [], disk_bytes=271.0 * GIGA, alert_bytes=230.0 * GIGA, alert_day=None)
    assert flat.low < 95e6 < 105e6 < flat.high < 120e6  # in the middle, and no noise looks like growth
    assert (flat.promised_shown, flat.disk_shown, flat.alert_shown) == (False, False, False)
    near = growth(used, [(FIRST, 200e6)], [], disk_bytes=250e6, alert_bytes=212e6, alert_day=None)
    assert near.high > 250e6
    assert (near.promised_shown, near.disk_shown, near.alert_shown) == (True, True, True)


def test_a_jump_stays_as_steep_as_it_was() -> None:
    points = [(day, 1.0 if day < 200 else 2.0) for day in range(365)]
    some = thinned(points, kept=frozenset({200}))
    assert [size for day, size in some if day in (199, 200)] == [1.0, 2.0]
    assert len(some) < 67
    marked = growth(
        points, [], [], disk_bytes=None, alert_bytes=None, alert_day=None, marks=[(FIRST, 4.0 * GIGA, -1.0 * GIGA)]
    )
    assert marked.columns["marks"] == [[FIRST_S, 4e9, -1e9]]


def test_thinning_keeps_both_ends() -> None:
    points = [(day, 1.0) for day in range(365)]
    some = thinned(points)
    assert (some[0], some[-1]) == (points[0], points[-1])
    assert len(some) < 65


@pytest.mark.parametrize(("language", "day", "above"), [("en", "7 Feb", "Sat 7"), ("es", "7 feb", "sáb 7")])
def test_months_and_days_are_written_as_their_language_writes_them(language: str, day: str, above: str) -> None:
    this_year = timezone.localdate().replace(month=2, day=7)
    noon = datetime(2026, 2, 7, 12, tzinfo=UTC)
    with override(language):
        assert short_day(this_year) == day
        assert strip_day(noon) == above
