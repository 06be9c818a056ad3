"""The simulator: a mailbox by age from the real server, its course by hand-counted numbers, and the page with its slider."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.services.audit import SYSTEM
from accounts.services.login import account_of_mailbox
from accounts.services.setup import values_for
from tests.webmail.conftest import letter
from webmail.imap.sizes import read_words
from webmail.services.access import account_credentials, open_live
from webmail.services.downloads import Policy, change_policy, start_download
from webmail.services.simulator import DAYS_BACK, Bag, Course, bag_of

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
    assert by_day[TODAY].imap == 100 + 200 + 1000 + 5000 + 7 + 50
    assert by_day[TODAY].pop3 == 300  # what was sent is not what arrived
    assert by_day[date(2026, 11, 1)].imap == 6050  # 27 days ago
    assert by_day[date(2026, 11, 1)].pop3 == 1000  # of 40 days is 13 before
    assert by_day[date(2026, 10, 1)].pop3 == 0
    assert by_day[date(2025, 12, 1)].imap == 50
    assert len(course.points) == 12 + 1 + 4
    assert [point.ahead for point in course.points] == [False] * 13 + [True] * 4


def test_what_is_foreseen_goes_on_at_the_rate_of_ninety_days() -> None:
    course = Course(bag(dict.fromkeys(range(200), 1000)), 10, TODAY, quota_bytes=260_000)
    assert course.bag.daily == 1000
    assert [point.imap for point in course.future][:2] == [200_000, 203_000]
    assert {point.pop3 for point in course.future if point.ahead} == {10_000}
    assert course.full_on == TODAY + timedelta(days=60)
    assert not course.full_with_copies
    assert Course(course.bag, 90, TODAY, 80_000).full_with_copies
    assert course.peak == 10_000


def test_a_quota_that_is_passed_never_reached_or_none_at_all() -> None:
    full = bag({0: 100})
    assert Course(full, 0, TODAY, 100).full_on == TODAY
    assert Course(full, 0, TODAY, None).full_on is None
    assert Course(full, 0, TODAY, 10**9).full_on is None
    assert Course(bag({}), 0, TODAY, 5).full_on is None
    assert Course(bag({300: 50}), 0, TODAY, 60).full_on is None  # it does not grow


def test_a_young_mailbox_is_not_thinned_out_over_ninety_days() -> None:
    assert bag({0: 300, 2: 300}).daily == 200
    assert bag({0: 900, 100: 1}).daily == 10


@given(
    st.dictionaries(st.integers(0, DAYS_BACK - 1), st.integers(0, 10**12)),
    st.integers(0, 90),
    st.one_of(st.none(), st.integers(1, 10**13)),
    st.dates(date(2000, 1, 1), date(2090, 1, 1)),
)
def test_whatever_the_mailbox_the_drawing_stays_in_its_frame(
    ages: dict[int, int], days: int, quota: int | None, today: date
) -> None:
    course = Course(bag(ages), days, today, quota)
    for point in course.points:
        assert 8 <= point.x <= 752
        assert 0 <= point.imap_y <= 160
        assert 0 <= point.pop3_y <= 160
        assert point.pop3 >= 0
    if course.quota_in_sight:
        assert 0 <= course.quota_y <= 160
    assert course.now.pop3 <= course.now.imap
    assert sum(point.day == today for point in course.points) == 1
    assert course.labels_y[1] >= course.labels_y[0] or course.labels_y[1] == 156


def test_more_days_never_take_less_space() -> None:
    one = bag({day: day * 7 % 50 for day in range(120)})
    sizes = [Course(one, days, TODAY).now.pop3 for days in range(91)]
    assert sizes == sorted(sizes)


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
    for days in (0, 3, 40, 200, 700):
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
    assert re.search(r"Quota 5.GB, above this chart", page)
    url = reverse("mode_figures", args=[account.pk])
    answers = {days: client.get(f"{url}?days={days}", headers=HTMX).content.decode() for days in (0, 30, 90)}
    for days, leaves in ((0, 3), (30, 1), (90, 0)):
        assert f'<b class="t-kraft">{leaves}</b>' in answers[days]
        assert answers[days].count("<hx-partial") == 3
        assert 'id="sim-out"' not in answers[days]
    assert "POP3, 30 days" in answers[30]


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_mailbox_that_is_nearly_full_is_advised_to_download(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    made.mailbox.quota_bytes = 102_400
    made.mailbox.save()
    imap(made.address).append("INBOX", letter(1, size=97_000))
    account = account_of_mailbox(made.mailbox)
    page = client.get(reverse("mode", args=[account.pk])).content.decode()
    assert "POP3 without copies: 9" in page
    assert "would be full too" in client.get(reverse("mode", args=[account.pk]) + "?days=90").content.decode()
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
