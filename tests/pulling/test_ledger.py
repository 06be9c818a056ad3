"""Whatever servers do and whenever a worker dies: nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.services.audit import SYSTEM
from tests.pulling.conftest import Puller, letter
from tests.pulling.model import Killed, fail_at
from webmail.models import LedgerEntry, Pull
from webmail.services.downloads import Policy, change_policy
from webmail.services.simulator import Bag, Course

Make = Callable[..., Puller]
State = LedgerEntry.State


@pytest.fixture
def deleting(make_puller: Make) -> Puller:
    return make_puller(keep="delete")


def test_delete_mode_empties_the_server(deleting: Puller) -> None:
    for number in range(5):
        deleting.drop.deliver(letter(number))
    pull = deleting.pull()
    assert (pull.outcome, pull.stored, pull.removed, pull.waiting) == ("complete", 5, 5, 0)
    assert deleting.drop.messages == []
    assert set(deleting.stored().values()) == {1}
    assert {entry.state for entry in deleting.entries()} == {State.REMOVED}


def test_days_count_from_the_download(make_puller: Make) -> None:
    puller = make_puller(keep="days", keep_days=14)
    puller.drop.deliver(letter(1))
    puller.pull()
    puller.clock.turn(days=13, hours=23)
    assert puller.pull().removed == 0
    puller.clock.turn(hours=2)
    assert puller.pull().removed == 1
    assert puller.drop.messages == []
    assert len(puller.stored()) == 1


def test_the_simulator_foretells_what_is_on_the_server(make_puller: Make) -> None:
    """A mailbox of 12 letters that is downloaded from today on, and one more letter each day."""
    puller = make_puller(keep="days", keep_days=4)
    raw = [letter(100 + number) for number in range(24)]
    size = len(raw[0])
    for one in raw[:12]:
        puller.drop.deliver(one)
    found = Bag((size,) * 12, (1,) * 12, (size,) * 12, (1,) * 12, 0, 0)
    course = Course(found, 4, puller.clock.now.date())
    for day in range(10):
        if day:
            puller.clock.turn(days=1)
            puller.drop.deliver(raw[11 + day])
        puller.pull()
        assert sum(len(one) for _uidl, one in puller.drop.messages) == course.pop3_at(day), day
    assert course.pop3_at(9) == course.steady == 4 * size


def test_nothing_is_fetched_twice(make_puller: Make) -> None:
    puller = make_puller(keep="always")
    for number in range(3):
        puller.drop.deliver(letter(number))
    puller.pull()
    puller.pull()
    puller.drop.deliver(letter(9))
    puller.pull()
    assert puller.drop.retrieved == 4
    assert len(puller.drop.messages) == 4


def test_new_uidls_store_nothing_twice(make_puller: Make) -> None:
    puller = make_puller(keep="days", keep_days=3)
    for number in range(4):
        puller.drop.deliver(letter(number))
    puller.pull()
    puller.clock.turn(days=2)
    puller.drop.renew_uidls()
    pull = puller.pull()
    assert (pull.doubles, pull.stored) == (4, 0)
    assert set(puller.stored().values()) == {1}
    puller.clock.turn(days=1, minutes=1)
    assert puller.pull().removed == 4  # the days count from the first download, not from the second


def test_a_uidl_that_is_listed_twice_is_never_deleted(deleting: Puller) -> None:
    deleting.drop.deliver(letter(1), "doble")
    deleting.drop.deliver(letter(2), "doble")
    deleting.pull()
    deleting.pull()
    assert len(deleting.drop.messages) == 2
    assert set(deleting.stored()) == {letter(1), letter(2)}
    deleting.drop.messages.pop()
    deleting.pull()
    assert set(deleting.stored()) == {letter(1), letter(2)}


def test_a_uidl_used_again_for_another_message_is_fetched(make_puller: Make) -> None:
    puller = make_puller(keep="always")
    puller.drop.deliver(letter(1), "mismo")
    puller.pull()
    puller.drop.messages.clear()
    puller.drop.deliver(letter(2, "otro texto"), "mismo")
    puller.pull()
    assert set(puller.stored()) == {letter(1), letter(2, "otro texto")}


def test_a_uidl_that_vanishes_for_a_while_is_remembered(make_puller: Make) -> None:
    puller = make_puller(keep="always")
    puller.drop.deliver(letter(1))
    puller.pull()
    away = puller.drop.messages.pop()
    assert puller.pull().taken == 1
    assert puller.entries()[0].state == State.TAKEN
    puller.clock.turn(days=29)
    puller.drop.messages.append(away)
    assert puller.pull().fetched == 0
    assert puller.entries()[0].state == State.KEPT


def test_a_server_that_brings_back_what_was_removed(deleting: Puller) -> None:
    deleting.drop.ignores_dele = True
    deleting.drop.deliver(letter(1))
    for _turn in range(6):
        deleting.pull()
        deleting.clock.turn(hours=1)
    assert deleting.entries()[0].problem == "stays"
    assert deleting.entries()[0].remove_at is None
    assert list(deleting.stored().values()) == [1]


def test_a_refused_message_stops_nobody_and_is_tried_later(deleting: Puller) -> None:
    for number in range(3):
        deleting.drop.deliver(letter(number))
    deleting.drop.refuses.add(letter(1))
    pull = deleting.pull()
    assert (pull.outcome, pull.stored, pull.skipped, pull.waiting) == ("partial", 2, 1, 1)
    assert [raw for _uidl, raw in deleting.drop.messages] == [letter(1)]
    deleting.drop.refuses.clear()
    assert deleting.pull().fetched == 0  # not before its time
    deleting.clock.turn(minutes=11)
    assert deleting.pull().stored == 1
    assert deleting.drop.messages == []


@pytest.mark.parametrize("length", [0, 40])
def test_what_is_empty_or_short_is_not_deleted(deleting: Puller, length: int) -> None:
    deleting.drop.deliver(letter(1))
    deleting.drop.cuts[letter(1)] = length
    for _turn in range(4):
        deleting.pull()
        deleting.clock.turn(days=1)
    assert len(deleting.drop.messages) == 1
    deleting.drop.cuts.clear()
    if length:  # the same octets in two sessions are what the server has, whatever it says of their number
        assert list(deleting.stored().values()) == [1]
    else:
        assert not deleting.stored()
        deleting.pull()
        assert deleting.stored() == {letter(1): 1}


def test_what_is_too_large_waits_for_another_limit(make_puller: Make) -> None:
    puller = make_puller(keep="delete", max_bytes=1000)
    puller.drop.deliver(letter(1))
    puller.drop.deliver(letter(2, "x" * 2000))
    pull = puller.pull()
    assert (pull.stored, pull.waiting, pull.outcome) == (1, 1, "partial")
    puller.pull()
    assert len(puller.entries()) == 2
    change_policy(puller.download, Policy(keep="delete", max_bytes=None), by=SYSTEM)
    assert puller.pull().stored == 1
    assert puller.drop.messages == []


def test_without_uidl_only_delete_mode_works(make_puller: Make) -> None:
    puller = make_puller(keep="days")
    puller.drop.has_uidl = False
    puller.drop.deliver(letter(1))
    pull = puller.pull()
    assert (pull.outcome, pull.problem) == ("failed", "no-uidl")
    assert puller.download.asks_owner
    change_policy(puller.download, Policy(keep="delete"), by=SYSTEM)
    assert puller.pull().removed == 1
    assert puller.stored() == {letter(1): 1}


def test_a_quit_without_answer_is_cleared_up_by_the_next_listing(deleting: Puller) -> None:
    deleting.drop.deliver(letter(1))

    def fault(step: str) -> None:
        if step == "quit-answer":
            raise Killed

    deleting.drop.fault = fault
    with suppress(Killed):
        deleting.pull()
    assert deleting.entries()[0].state == State.DELETING
    deleting.drop.fault = lambda step: None
    pull = deleting.pull()
    assert (pull.taken, pull.removed) == (0, 1)
    assert deleting.entries()[0].state == State.REMOVED


def test_octets_that_the_disk_lost_are_fetched_again(make_puller: Make, settings: Any) -> None:
    puller = make_puller(keep="days", keep_days=1)
    puller.drop.deliver(letter(1))
    puller.pull()
    (entry,) = puller.entries()
    next(settings.STORE_DIR.rglob(entry.blob)).unlink()
    puller.clock.turn(days=2)
    puller.pull()
    assert len(puller.drop.messages) == 1
    puller.pull()
    assert puller.stored() == {letter(1): 1}
    puller.pull()
    assert puller.drop.messages == []


def test_the_same_listing_again_costs_one_answer(make_puller: Make, django_assert_max_num_queries: Any) -> None:
    puller = make_puller(keep="always")
    for number in range(50):
        puller.drop.deliver(letter(number))
    puller.pull()
    puller.pull()
    steps: list[str] = []
    puller.drop.fault = steps.append
    with django_assert_max_num_queries(30):
        assert puller.pull().outcome == Pull.Outcome.COMPLETE
    assert steps == ["connect", "list", "quit", "quit-answer"]


def test_after_a_failure_nothing_is_taken_for_granted(make_puller: Make) -> None:
    puller = make_puller(keep="always")
    puller.drop.deliver(letter(1))
    puller.pull()
    assert puller.download.pipelining
    puller.drop.fault = fail_at(1, "cut")
    assert puller.pull().problem == "unreachable"
    assert not puller.download.pipelining
    puller.drop.fault = lambda step: None
    assert puller.pull().outcome == Pull.Outcome.COMPLETE


EVENTS = st.one_of(
    st.tuples(st.just("deliver"), st.integers(0, 5)),
    st.tuples(st.just("deliver-as"), st.integers(0, 2)),
    st.tuples(st.just("take"), st.integers(0, 5)),
    st.tuples(st.just("hide"), st.integers(0, 5)),
    st.tuples(st.just("show"), st.integers(0, 5)),
    st.tuples(st.just("renew"), st.just(0)),
    st.tuples(st.just("turn"), st.integers(1, 200)),
    st.tuples(st.just("refuse"), st.integers(0, 5)),
    st.tuples(st.just("policy"), st.sampled_from(["delete", "days", "always"])),
    st.tuples(st.just("pull"), st.just(0)),
    st.tuples(st.just("cut"), st.integers(0, 40)),
    st.tuples(st.just("killed"), st.integers(0, 40)),
)


@settings(
    max_examples=int(__import__("os").environ.get("LEDGER_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(EVENTS, min_size=3, max_size=25))
def test_in_any_order_of_events_nothing_is_lost_and_nothing_comes_twice(
    make_puller: Make, events: list[tuple[str, Any]]
) -> None:
    puller = make_puller(keep="delete")
    drop, hidden, number = puller.drop, [], 0
    listed: set[bytes] = set()
    for name, value in events:
        if name == "deliver":
            number += 1
            drop.deliver(letter(number, "x" * 10 * value))
        elif name == "deliver-as":
            number += 1
            drop.deliver(letter(number, "y" * 7 * number), f"again{value}")
        elif name in {"take", "hide"} and drop.messages:
            message = drop.messages.pop(value % len(drop.messages))
            hidden += [message] if name == "hide" else []
        elif name == "show" and hidden:
            drop.messages.append(hidden.pop(value % len(hidden)))
        elif name == "renew":
            drop.renew_uidls()
        elif name == "turn":
            puller.clock.turn(hours=value)
        elif name == "refuse" and drop.messages:
            drop.refuses = {drop.messages[value % len(drop.messages)][1]}
        elif name == "policy":
            change_policy(puller.download, Policy(keep=value, keep_days=3), by=SYSTEM)
        elif name in {"pull", "cut", "killed"}:
            drop.fault = fail_at(value, name) if name != "pull" else lambda step: None
            with suppress(Killed):
                puller.pull()
            check(puller)
    drop.fault, drop.refuses = lambda step: None, set()
    puller.clock.turn(days=2)
    puller.pull()
    listed = {raw for _uidl, raw in drop.messages}
    puller.clock.turn(days=2)
    puller.pull()
    check(puller)
    assert listed <= set(puller.stored())


def check(puller: Puller) -> None:
    stored = puller.stored()
    assert all(count == 1 for count in stored.values())
    assert set(puller.drop.removed_by_us) <= set(stored)


def test_old_entries_are_forgotten_after_their_time(deleting: Puller) -> None:
    from webmail.services.schedule import forget_old

    deleting.drop.deliver(letter(1))
    deleting.pull()
    assert forget_old(deleting.clock() + timedelta(days=29)) == 0
    assert forget_old(deleting.clock() + timedelta(days=31)) == 1
