"""Threads: messages put together by ids, whatever stands in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webmail.imap.threads import parse_threads
from webmail.mime.threads import IDS_LIMIT, group_threads, read_ids


def test_ids_are_read_from_three_fields_its_own_first() -> None:
    header = (
        b"References: <a@x>\r\n <b@x>\r\nSubject: <not@this>\r\nIn-Reply-To: Beto's of Monday <b@x>\r\n"
        b"Message-ID: <c@x>\r\n\r\n<nor@that>"
    )
    assert read_ids(header) == [b"<c@x>", b"<b@x>", b"<a@x>"]


def test_of_very_many_ids_the_first_and_the_last_are_read() -> None:
    many = b" ".join(b"<%d@x>" % number for number in range(5000))
    ids = read_ids(b"References: " + many[:60_000] + b"\r\n\r\n")
    assert len(ids) == IDS_LIMIT
    assert ids[0] == b"<0@x>"


def test_messages_that_share_an_id_are_one_group_over_others_too() -> None:
    groups = group_threads([(1, [10]), (2, [20, 10]), (3, [30]), (4, [40, 99]), (5, [50, 99, 30]), (6, [])])
    assert groups == [[1, 2], [3, 4, 5], [6]]


@given(st.lists(st.lists(st.integers(0, 12), max_size=5), max_size=20))
def test_groups_are_the_connected_ones_in_any_order(ids: list[list[int]]) -> None:
    messages = list(enumerate(ids, start=1))
    groups = group_threads(messages)
    assert sorted(number for group in groups for number in group) == [number for number, _ids in messages]
    assert {frozenset(group) for group in groups} == {frozenset(group) for group in group_threads(reversed(messages))}
    place = {number: index for index, group in enumerate(groups) for number in group}
    for one, mine in messages:
        for other, theirs in messages:
            if set(mine) & set(theirs):
                assert place[one] == place[other]


def test_a_thread_response_is_read_by_its_outermost_threads() -> None:
    assert parse_threads(b"(2)(3 6 (4 23)(44 7 96))((5)(9))").tolist() == [2, 0, 3, 6, 4, 23, 44, 7, 96, 0, 5, 9, 0]


@given(st.binary(max_size=60))
def test_no_thread_response_is_too_broken_to_be_read(data: bytes) -> None:
    flat = parse_threads(data)
    assert not flat or flat[-1] == 0
