"""Dates, day headings and sizes as the mail pages write them: every branch, both languages, the edges of days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from webmail.templatetags.casilla import day_heading, filesize, mail_date

SANTIAGO = ZoneInfo("America/Santiago")
AUCKLAND = ZoneInfo("Pacific/Auckland")
Freeze = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _here() -> Iterator[None]:
    with timezone.override(SANTIAGO), translation.override("es"):
        yield


@pytest.fixture
def freeze(monkeypatch: pytest.MonkeyPatch) -> Freeze:
    """Sets the clock that Django's time zone functions read."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return set_to


@pytest.fixture
def now(freeze: Freeze) -> datetime:
    """Friday 28 November 2025, 12:30 in Santiago."""
    moment = datetime(2025, 11, 28, 12, 30, tzinfo=SANTIAGO)
    freeze(moment)
    return moment


def at(year: int, month: int, day: int, hour: int = 9, minute: int = 5) -> datetime:
    """A moment of Santiago as the sources give it: in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=SANTIAGO).astimezone(UTC)


DATES = [
    # moment, short es, short en, long es, long en
    (at(2025, 11, 28), "09:05", "09:05", "hoy 09:05", "today 09:05"),
    (at(2025, 11, 28, 0, 0), "00:00", "00:00", "hoy 00:00", "today 00:00"),
    (at(2025, 11, 28, 23, 59), "23:59", "23:59", "hoy 23:59", "today 23:59"),
    (at(2025, 11, 27, 23, 59), "ayer", "yesterday", "ayer 23:59", "yesterday 23:59"),
    (at(2025, 11, 27, 0, 0), "ayer", "yesterday", "ayer 00:00", "yesterday 00:00"),
    (at(2025, 11, 26, 23, 59), "mié", "Wed", "26 nov 23:59", "26 Nov 23:59"),
    (at(2025, 11, 22, 0, 0), "sáb", "Sat", "22 nov 00:00", "22 Nov 00:00"),
    (at(2025, 11, 21, 23, 59), "21 nov", "21 Nov", "21 nov 23:59", "21 Nov 23:59"),
    (at(2025, 9, 1), "1 sep", "1 Sep", "1 sep 09:05", "1 Sep 09:05"),
    (at(2025, 1, 1, 0, 0), "1 ene", "1 Jan", "1 ene 00:00", "1 Jan 00:00"),
    (at(2024, 12, 31, 23, 59), "31 dic 2024", "31 Dec 2024", "31 dic 2024 23:59", "31 Dec 2024 23:59"),
    (at(1998, 5, 14), "14 may 1998", "14 May 1998", "14 may 1998 09:05", "14 May 1998 09:05"),
]


@pytest.mark.parametrize(("moment", "short_es", "short_en", "long_es", "long_en"), DATES)
def test_a_date_is_as_short_as_it_can_be_understood(
    now: datetime, moment: datetime, short_es: str, short_en: str, long_es: str, long_en: str
) -> None:
    assert (mail_date(moment), mail_date(moment, "long")) == (short_es, long_es)
    with translation.override("en"):
        assert (mail_date(moment), mail_date(moment, "long")) == (short_en, long_en)


@pytest.mark.parametrize("days", range(2, 7))
def test_two_to_six_days_ago_are_a_weekday_and_no_two_the_same(now: datetime, days: int) -> None:
    names = ["vie", "jue", "mié", "mar", "lun", "dom", "sáb"]
    assert mail_date(now - timedelta(days=days)) == names[days]


def test_the_same_weekday_a_week_ago_is_a_date(now: datetime) -> None:
    assert mail_date(now - timedelta(days=7)) == "21 nov"


def test_a_message_from_the_future_has_its_day_and_no_weekday(now: datetime) -> None:
    assert mail_date(at(2025, 11, 29, 0, 0)) == "29 nov"
    assert mail_date(at(2025, 11, 29, 0, 0), "long") == "29 nov 00:00"
    assert mail_date(at(2026, 1, 2)) == "2 ene 2026"


def test_yesterday_and_weekdays_reach_across_new_year(freeze: Freeze) -> None:
    freeze(at(2026, 1, 1, 0, 10))
    assert mail_date(at(2025, 12, 31, 23, 59)) == "ayer"
    assert mail_date(at(2025, 12, 31, 23, 59), "long") == "ayer 23:59"
    assert mail_date(at(2025, 12, 30)) == "mar"
    assert mail_date(at(2025, 12, 30), "long") == "30 dic 2025 09:05"
    assert mail_date(at(2025, 12, 20)) == "20 dic 2025"
    assert day_heading(date(2025, 12, 31)) == "Ayer"


def test_the_day_is_that_of_the_reader_and_not_of_utc(freeze: Freeze) -> None:
    moment = datetime(2025, 11, 28, 2, 30, tzinfo=UTC)  # the 27th, 23:30 in Santiago; the 28th, 15:30 in Auckland
    freeze(datetime(2025, 11, 28, 3, 30, tzinfo=UTC))  # the 28th in both
    assert mail_date(moment) == "ayer"
    with timezone.override(AUCKLAND):
        assert mail_date(moment) == "15:30"
    with timezone.override(UTC):
        assert mail_date(moment, "long") == "hoy 02:30"


def test_the_year_is_that_of_the_reader(freeze: Freeze) -> None:
    moment = datetime(2025, 1, 1, 1, 0, tzinfo=UTC)  # still 2024 in Santiago
    freeze(datetime(2025, 6, 1, 12, 0, tzinfo=UTC))
    assert mail_date(moment) == "31 dic 2024"
    with timezone.override(UTC):
        assert mail_date(moment) == "1 ene"


def test_a_day_with_a_change_of_clocks_is_one_day(freeze: Freeze) -> None:
    freeze(at(2025, 9, 8, 0, 30))  # the clock went from 24:00 to 01:00 on the night of the 7th
    assert mail_date(at(2025, 9, 7, 1, 0)) == "ayer"
    assert mail_date(at(2025, 9, 6, 23, 59)) == "sáb"
    assert mail_date(at(2025, 9, 2, 0, 0)) == "mar"
    assert mail_date(at(2025, 9, 1, 23, 59)) == "1 sep"


HEADINGS = [
    (date(2025, 11, 28), "Hoy, viernes 28 de noviembre", "Today, Friday 28 November"),
    (date(2025, 11, 27), "Ayer", "Yesterday"),
    (date(2025, 11, 26), "Miércoles 26 de noviembre", "Wednesday 26 November"),
    (date(2025, 11, 29), "Sábado 29 de noviembre", "Saturday 29 November"),
    (date(2025, 1, 1), "Miércoles 1 de enero", "Wednesday 1 January"),
    (date(2024, 12, 31), "Martes 31 de diciembre de 2024", "Tuesday 31 December 2024"),
    (date(2026, 1, 1), "Jueves 1 de enero de 2026", "Thursday 1 January 2026"),
    (date(2024, 2, 29), "Jueves 29 de febrero de 2024", "Thursday 29 February 2024"),
]


@pytest.mark.parametrize(("day", "spanish", "english"), HEADINGS)
def test_a_day_has_a_heading(now: datetime, day: date, spanish: str, english: str) -> None:
    assert day_heading(day) == spanish
    with translation.override("en"):
        assert day_heading(day) == english


def test_a_heading_follows_the_readers_today(freeze: Freeze) -> None:
    freeze(datetime(2025, 11, 28, 2, 30, tzinfo=UTC))
    assert day_heading(date(2025, 11, 27)).startswith("Hoy, jueves")
    with timezone.override(AUCKLAND):
        assert day_heading(date(2025, 11, 27)) == "Ayer"


SIZES = [
    (None, "0 B", "0 B"),
    (0, "0 B", "0 B"),
    (1, "1 B", "1 B"),
    (999, "999 B", "999 B"),
    (1_000, "1 KB", "1 KB"),
    (1_499, "1 KB", "1 KB"),
    (183_600, "184 KB", "184 KB"),
    (999_499, "999 KB", "999 KB"),
    (999_500, "1 MB", "1 MB"),
    (1_000_000, "1 MB", "1 MB"),
    (1_049_999, "1 MB", "1 MB"),
    (1_060_000, "1,1 MB", "1.1 MB"),
    (1_949_999, "1,9 MB", "1.9 MB"),
    (1_960_000, "2 MB", "2 MB"),
    (99_940_000, "99,9 MB", "99.9 MB"),
    (99_950_000, "100 MB", "100 MB"),
    (123_456_789, "123 MB", "123 MB"),
    (999_499_999, "999 MB", "999 MB"),
    (999_500_000, "1 GB", "1 GB"),
    (3_800_000_000, "3,8 GB", "3.8 GB"),
    (2_000_000_000_000, "2 TB", "2 TB"),
    (1_500_000_000_000, "1,5 TB", "1.5 TB"),
    (5_000_000_000_000_000, "5 000 TB", "5,000 TB"),
]


@pytest.mark.parametrize(("size", "spanish", "english"), SIZES)
def test_a_size_is_in_decimal_units(size: int | None, spanish: str, english: str) -> None:
    assert filesize(size) == spanish.replace(" ", "\u00a0")
    with translation.override("en"):
        assert filesize(size) == english.replace(" ", "\u00a0")


def test_a_bigger_file_never_looks_smaller() -> None:
    def shown(size: int) -> float:
        number, unit = filesize(size).split("\u00a0")
        power: int = ("B", "KB", "MB", "GB", "TB").index(unit)
        return float(number.replace(",", ".")) * float(1000**power)

    values = [shown(int(1.03**power)) for power in range(1_000)]
    assert values == sorted(values)
