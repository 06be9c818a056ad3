"""Date headers as programs write them."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webmail.mime.dates import parse_date


def at(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Mon, 02 Nov 2026 10:00:00 +0100", at(2026, 11, 2, 9)),
        ("2 Nov 2026 10:00 -0330", at(2026, 11, 2, 13, 30)),
        ("Mon, 02 Nov 2026 10:00:00 EST", at(2026, 11, 2, 15)),
        ("Mon, 02 Nov 2026 10:00:00 CEST", at(2026, 11, 2, 8)),
        ("Mon, 02 Nov 2026 10:00:00 Z", at(2026, 11, 2, 10)),
        ("Mon, 02 Nov 2026 10:00:00 GMT+0100", at(2026, 11, 2, 9)),
        ("Mon, 02 Nov 2026 10:00:00", at(2026, 11, 2, 10)),
        ("Mon, 02 Nov 2026 10:00:00 +9999", at(2026, 11, 2, 10)),
        ("Mon (lunes), 02 (dos) Nov 2026 10:00:00 +0100 (CET (x))", at(2026, 11, 2, 9)),
        ("Mon,\r\n 02 Nov 2026\r\n\t10:00:00 +0100", at(2026, 11, 2, 9)),
        ("02 Nov 26 10:00:00 GMT", at(2026, 11, 2, 10)),
        ("02 Nov 99 10:00:00 GMT", at(1999, 11, 2, 10)),
        ("02 Nov 126 10:00:00 GMT", at(2026, 11, 2, 10)),
        ("Monday, 02-Nov-26 10:00:00 GMT", at(2026, 11, 2, 10)),
        ("Mon Nov  2 10:00:00 2026", at(2026, 11, 2, 10)),
        ("Mon Nov  2 10:00:00 EST 2026", at(2026, 11, 2, 15)),
        ("Nov 2, 2026 3:05 PM", at(2026, 11, 2, 15, 5)),
        ("2026-11-02T10:00:00+01:00", at(2026, 11, 2, 9)),
        ("2026-11-02 10:00:00.123 +0100", at(2026, 11, 2, 9)),
        ("lun, 02 nov 2026 10:00:00 +0100", at(2026, 11, 2, 9)),
        ("02 ene 2026 10:00:00 +0100", at(2026, 1, 2, 9)),
        ("02.11.2026 10.00.00 +0100", at(2026, 11, 2, 9)),
        ("Sat, 31 Dec 2016 23:59:60 +0000", at(2016, 12, 31, 23, 59, 59)),
        ("02 Nov 2026", at(2026, 11, 2)),
        ("", None),
        ("yesterday", None),
        ("32 Nov 2026 10:00:00 +0000", None),
        ("02 Nov 2026 25:00:00 +0000", None),
        ("02 Nov 1900 10:00:00 +0000", None),
        ("02 Nov 0001 10:00:00 +0000", None),
        ("31 Dec 9999 23:59:59 -1200", None),
        ("01 Jan 1970 00:00:00 +0100", None),
        ("02 Nov 99999999999999999 10:00:00 +0000", None),
        ("٠٢ Nov ٢٠٢٦ 10:00:00 +0000", None),
    ],
)
def test_a_date_is_the_moment_it_names_or_none(written, moment):
    assert parse_date(written) == moment
    assert parse_date(written.encode()) == moment


@given(st.one_of(st.binary(max_size=250), st.text(max_size=250)))
def test_anything_else_is_no_date_or_one_in_range(value):
    moment = parse_date(value)
    assert moment is None or (moment.tzinfo is UTC and 1970 <= moment.year <= 2100)


@given(st.datetimes(at(1971, 1, 1).replace(tzinfo=None), at(2099, 1, 1).replace(tzinfo=None)), st.integers(-720, 840))
def test_every_rfc_5322_date_is_read_exactly(moment, offset):
    zoned = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    assert parse_date(format_datetime(zoned)) == zoned


@given(st.text(alphabet="()0123456789 :+-.,JanTZ/", max_size=200))
def test_pieces_of_dates_do_not_stumble(text):
    parse_date(text)


@settings(max_examples=60)
@given(
    st.integers(0, 32),
    st.sampled_from(["Jan", "Feb", "Sep", "Dec"]),
    st.integers(1960, 2110),
    st.tuples(st.integers(0, 24), st.integers(0, 60), st.integers(0, 61)),
    st.sampled_from(["+0000", "-0000", "+0530", "-1159", "+1359", "+1400", "+1500", "+0099"]),
    st.sampled_from(["", "Fri, ", "Mar, "]),
    st.sampled_from(["", " (CET)"]),
)
def test_the_usual_form_is_read_as_any_other(
    day: int, month: str, year: int, clock: tuple[int, int, int], zone: str, weekday: str, comment: str
) -> None:
    text = f"{weekday}{day} {month} {year} {clock[0]:02}:{clock[1]:02}:{clock[2]:02} {zone}{comment}"
    assert parse_date(text) == parse_date(f" {text}")
