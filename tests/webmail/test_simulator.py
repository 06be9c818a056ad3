"""The simulator: a mailbox by age from the real server, its course by hand-counted numbers, and the page with its slider."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.services.audit import SYSTEM
from accounts.services.login import account_of_mailbox
from accounts.services.setup import values_for
from tests.webmail.conftest import letter
from webmail.imap.sizes import read_words
from webmail.services.access import account_credentials, open_live
from webmail.services.course_chart import Chart
from webmail.services.downloads import Policy, change_policy, start_download
from webmail.services.simulator import DAYS_BACK, STEPS, Bag, Course, bag_of

TODAY = date(2026, 11, 28)
HTMX = {"HX-Request": "true"}


def bag(ages: dict[int, int], *, sent: dict[int, int] | None = None, older: int = 0) -> Bag:
    """Messages of so many octets, by their age in days."""
    sizes, counts, arrived = [0] * DAYS_BACK, [0] * DAYS_BACK, [0] * DAYS_BACK
    for day, size in ages.items():
        sizes[day] += size
        counts[day] += 1
        arrived[day] += size
    heads = tuple(counts)
    for day, size in (sent or {}).items():
        sizes[day] += size
        counts[day] += 1
    return Bag(tuple(sizes), tuple(counts), tuple(arrived), heads, older, 1 if older else 0)


def test_the_course_by_hand_counted_numbers() -> None:
    course = Course(bag({0: 100, 5: 200, 40: 1000, 300: 5000}, sent={1: 7}, older=50), 14, TODAY)
    by_day = {point.day: point for point in course.points}
    assert by_day[TODAY].imap == by_day[TODAY].pop3 == 100 + 200 + 1000 + 5000 + 7 + 50  # nothing has left yet
    assert course.all_along(0) == 300  # what was sent is not what arrived
    assert by_day[date(2026, 11, 1)].imap == 6050  # 27 days ago
    assert by_day[date(2026, 11, 1)].pop3 == 1000  # of 40 days is 13 before
    assert by_day[date(2026, 10, 1)].pop3 == 0
    assert by_day[date(2025, 12, 1)].imap == 50
    assert course.daily == (100 + 200 + 1000 + 7) / 90
    assert course.pop3_at(13) == 6357 + round(1300 / 90 * 13)  # 12 Dec: what came since is there too
    assert course.pop3_at(14) == course.pop3_at(300) == course.steady == round(1300 / 90 * 14)
    assert by_day[date(2026, 12, 12)].pop3 == course.steady
    assert [point.ahead for point in course.points] == [False] * 13 + [True] * 5


def test_a_mailbox_that_is_full_before_copies_leave_is_said_to_be() -> None:
    """10 MB of 200 messages a day apart, 5 days' worth below its quota: full on 3 December, whatever else is left for longer."""
    ages = bag(dict.fromkeys(range(200), 1000))
    course = Course(ages, 10, TODAY, quota_bytes=205_000)
    assert course.full_on == course.full_with_copies_on == date(2026, 12, 3)
    assert course.room_on == date(2026, 12, 8) == course.leave_on
    assert course.most_days == 5
    assert Course(ages, 5, TODAY, 205_000).full_with_copies_on is None
    assert Course(ages, 0, TODAY, 205_000).full_with_copies_on is None
    assert Course(ages, 300, TODAY, 205_000).room_on is None  # what comes in 300 days fills it for good
    assert course.peak == 10_000


def test_the_rate_of_the_forecast_is_that_of_the_line_and_of_the_date() -> None:
    course = Course(bag(dict.fromkeys(range(200), 1000)), 10, TODAY, 260_000, used_bytes=210_000, growth=500)
    assert (course.used, course.imap_at(3), course.imap_at(-3)) == (210_000, 211_500, 207_000)
    assert course.full_on == TODAY + timedelta(days=100)
    assert course.pop3_at(4) == course.imap_at(4)  # the same messages until the first copies leave
    assert replace(course, growth=2000).pop3_at(4) == 210_000 + 4000  # copies go by what arrives
    years = replace(course, days=3650)
    assert (years.steady, years.full_with_copies_on) == (years.imap_at(3650), course.full_on)
    assert (course.month_growth, course.month_arriving, course.rates_differ) == (15_000, 30_000, True)
    assert not replace(course, growth=900).rates_differ


def test_a_quota_that_is_passed_never_reached_or_none_at_all() -> None:
    full = bag({0: 100})
    assert Course(full, 0, TODAY, 100).full_on == TODAY
    assert Course(full, 0, TODAY, 100).full_with_copies_on is None
    assert Course(full, 3, TODAY, 100).full_with_copies_on == TODAY
    assert Course(full, 0, TODAY, None).full_on is None
    assert Course(full, 0, TODAY, 10**9).full_on is None
    assert Course(bag({}), 0, TODAY, 5).full_on is None
    assert Course(bag({300: 50}), 0, TODAY, 60).full_on is None  # it does not grow
    assert Course(bag({300: 50}), 7, TODAY, 60).most_days == STEPS[-1]


@settings(max_examples=40)
@given(
    ages=st.lists(st.tuples(st.floats(0, 900), st.integers(1, 10**9)), max_size=30),
    downloaded=st.one_of(st.none(), st.lists(st.tuples(st.floats(0, 40), st.integers(1, 10**9)), max_size=20)),
    days=st.integers(0, 30),
    quota=st.integers(1, 10**10),
    size=st.integers(0, 10**8),
)
def test_the_course_is_what_becomes_of_each_message(
    ages: list[tuple[float, int]], downloaded: list[tuple[float, int]] | None, days: int, quota: int, size: int
) -> None:
    """Message by message: one of `size` comes in the middle of each day; each goes `days` after its download."""
    found = bag({})
    found = replace(found, older_bytes=0, sizes=_by_day(ages), arrived_sizes=_by_day(ages))
    found = replace(found, sizes=(size,) * 90, arrived_sizes=(size,) * 90, counts=(1,) * 90) if size else found
    there = found.total_bytes
    held = None if downloaded is None else _by_day(downloaded)
    course = Course(found, days, TODAY, quota, held=held)
    if not size:
        course = replace(course, bag=replace(found, arrived_sizes=()), used_bytes=there)
    on_server = [(0.0, there)] if downloaded is None else [(-age, octets) for age, octets in downloaded]
    on_server += [(day + 0.5, size) for day in range(60)]
    sizes = [sum(octets for came, octets in on_server if came <= day and came + days > day) for day in range(60)]
    assert [course.pop3_at(day) for day in range(60)] == sizes
    full = next((day for day, octets in enumerate(sizes) if octets >= quota), None)
    assert course.full_with_copies_on == (None if full is None else TODAY + timedelta(days=full))
    room = None if full is None else next((day for day in range(full, 60) if sizes[day] < quota), None)
    assert course.room_on == (None if room is None else TODAY + timedelta(days=room))


@given(
    st.lists(st.tuples(st.floats(0, 900), st.integers(1, 10**9)), max_size=30), st.integers(0, 500), st.integers(0, 366)
)
def test_the_past_is_what_each_message_would_have_been(ages: list[tuple[float, int]], days: int, ago: int) -> None:
    course = Course(replace(bag({}), arrived_sizes=_by_day(ages)), days, TODAY)
    assert course.all_along(ago) == sum(size for age, size in ages if ago <= age < ago + days)


def _by_day(messages: list[tuple[float, int]]) -> tuple[int, ...]:
    found = [0] * DAYS_BACK
    for age, size in messages:
        found[int(age)] += size
    return tuple(found)


def test_a_young_mailbox_is_not_thinned_out_over_ninety_days() -> None:
    assert bag({0: 300, 2: 300}).daily == 200
    assert bag({0: 900, 100: 1}).daily == 10


@settings(max_examples=30)
@given(
    st.dictionaries(st.integers(0, DAYS_BACK - 1), st.integers(0, 10**12), max_size=9),
    st.sampled_from(STEPS),
    st.one_of(st.none(), st.integers(1, 10**13)),
    st.dates(date(2000, 1, 1), date(2090, 1, 1)),
)
def test_whatever_the_mailbox_the_drawing_stays_in_its_frame(
    ages: dict[int, int], days: int, quota: int | None, today: date
) -> None:
    course = Course(bag(ages), days, today, quota)
    chart = Chart(course)
    for path in (chart.past_imap, chart.past_pop3, chart.future_imap, chart.future_pop3):
        for place in path.split(" L"):
            x, y = map(float, place.split())
            assert 60 <= x <= 752
            assert 33.9 <= y <= 160
    if chart.quota_in_sight:
        assert 33.9 <= chart.quota_y <= 160
    assert all(33.9 <= level.y <= 160 for level in chart.levels)
    assert len(chart.levels) <= 4
    assert chart.levels[0].size_bytes == 0
    assert chart.full_label is None or 26 <= chart.full_label[1] <= 160
    assert course.all_along(0) <= course.used
    assert len(course.points) <= 12 + 1 + 6 + 2
    assert sum(point.day == today for point in course.points) == 1
    assert all(30 <= y <= 160 for _x, y in (chart.imap_label, chart.pop3_label))


def test_more_days_never_take_less_space_nor_fill_it_later() -> None:
    one = bag({day: day * 7 % 50 for day in range(120)})
    courses = [Course(one, days, TODAY, 3500) for days in range(200)]
    for ahead in (0, 9, 40):
        sizes = [course.pop3_at(ahead) for course in courses]
        assert sizes == sorted(sizes)
    full = [course.full_with_copies_on or date.max for course in courses]
    assert full == sorted(full, reverse=True)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (
            b'(INTERNALDATE "27-Nov-2026 19:22:30 -0300" RFC822.SIZE 528)',
            (datetime(2026, 11, 27, 22, 22, 30, tzinfo=UTC), 528),
        ),
        (
            b'(RFC822.SIZE 1 UID 7 INTERNALDATE " 1-jan-1999 00:00:00 +0530")',
            (datetime(1998, 12, 31, 18, 30, tzinfo=UTC), 1),
        ),
        (
            b'(INTERNALDATE "31-Dec-2016 23:59:60 +0000" RFC822.SIZE 9)',
            (datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC), 9),
        ),
        (b'(INTERNALDATE "30-Feb-2026 00:00:00 +0000" RFC822.SIZE 9)', None),
        (b'(INTERNALDATE "01-Foo-2026 00:00:00 +0000" RFC822.SIZE 9)', None),
        (b'(INTERNALDATE "01-Jan-0001 00:00:00 +9900" RFC822.SIZE 9)', None),
        (b"(INTERNALDATE NIL RFC822.SIZE 9)", None),
        (b"(FLAGS ())", None),
    ],
)
def test_date_and_size_of_a_response(data: bytes, found: Any) -> None:
    assert read_words(data) == found


@given(st.binary())
def test_no_response_breaks_it(data: bytes) -> None:
    read_words(data)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_mailbox_is_counted_by_when_its_server_took_the_mail(mailbox_factory: Any, imap: Any) -> None:
    ana = mailbox_factory("ana")
    server = imap(ana.address)
    for days in (0, 3, 40, 200, 5000):
        server.append("INBOX", letter(days, size=1000), msg_time=timezone.now() - timedelta(days=days, hours=1))
    server.append("Archive", letter(9), msg_time=timezone.now() - timedelta(days=9, hours=1))
    server.append("Sent", letter(1), msg_time=timezone.now() - timedelta(days=1, hours=1))
    account = account_of_mailbox(ana.mailbox)
    with open_live(account, account_credentials(account)) as source:
        found = bag_of(source, timezone.now())
        quota = source.quota()
    assert found.whole
    assert [found.arrived_within(days)[0] for days in (0, 1, 4, 10, 41, 90)] == [0, 1, 2, 3, 4, 4]
    assert (sum(found.counts), found.older_count) == (6, 1)
    assert sum(found.arrived_counts) == 5
    assert quota
    assert abs(found.total_bytes - quota.used_bytes) <= 1024 * 7  # the server rounds up


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_the_slider_moves_chart_words_table_and_figures(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    server = imap(made.address)
    for days in (0, 20, 60):
        server.append("INBOX", letter(days, size=50_000), msg_time=timezone.now() - timedelta(days=days, hours=1))
    account = account_of_mailbox(made.mailbox)
    page = client.get(reverse("mode", args=[account.pk])).content.decode()
    assert 'class="l-tinta dash"' in page
    assert "Recommended: IMAP" in page
    assert page.count("foreseen") == 4
    assert page.count('<span class="t-3">the mail of today leaves') == 1
    assert re.search(r"Quota 5.GB, above this chart", page)
    url = reverse("mode_figures", args=[account.pk])
    answers = {days: client.get(f"{url}?days={days}", headers=HTMX).content.decode() for days in (0, 30, 3650)}
    for answer in answers.values():
        assert '<b class="t-kraft">3</b>' in answer
        assert answer.count("<hx-partial") == 3
        assert 'id="sim-out"' not in answer
    assert "leave the server at once" in answers[0]
    assert "POP3, 30 days" in answers[30]
    for wrong in ("", "3651", "-1", "x", "\u0663"):
        answer = client.get(url, {"days": wrong}, headers=HTMX)
        assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#sim-words")
        assert "from 0 to 3650" in answer.content.decode()


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_is_nearly_full_is_advised_to_download(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    made.mailbox.quota_bytes = 102_400
    made.mailbox.save()
    imap(made.address).append("INBOX", letter(1, size=97_000), msg_time=timezone.now() - timedelta(days=60))
    account = account_of_mailbox(made.mailbox)
    page = client.get(reverse("mode", args=[account.pk])).content.decode()
    assert "Recommended: POP3" in page
    assert "As it is, the quota is full on" in page
    assert "has room again on" in client.get(reverse("mode", args=[account.pk]) + "?days=9").content.decode()
    assert "Quota 10" in page
    assert "The quota is 10" in page


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_guides_and_autoconfig_follow_the_policy(sign_in: Any) -> None:
    _client, made = sign_in()
    account = account_of_mailbox(made.mailbox)
    download = start_download(account=account, policy=Policy(keep="days", keep_days=30))
    assert told(made.address) == ("pop3", 30)
    change_policy(download, Policy(keep="delete"), by=SYSTEM)
    assert told(made.address) == ("pop3", 0)
    change_policy(download, Policy(keep="days", keep_days=7), by=SYSTEM)
    change_policy(download, Policy(keep="always"), by=SYSTEM)
    assert told(made.address) == ("pop3", 7)


def told(address: str) -> tuple[str, int]:
    values = values_for(address, origin="127.0.0.1")
    assert values
    return values.choice.first, values.choice.leave_days
