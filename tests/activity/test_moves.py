"""A removal is part of a move where a copy of that very message was made before, and else a loss: no number proves it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.activity import moves
from accounts.activity.deeds import Deed
from accounts.activity.moves import Moves
from accounts.activity.sessions import RESERVE, Done, of_reserve

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def done(kind: str, message: str = "<1@x>", *, after: float = 0, session: str = "s", **more: Any) -> Done:
    who = {name: more.pop(name) for name in ("protocol", "program", "network", "app") if name in more}
    values = {"folder": "INBOX", "target": "X" if kind == "copied" else "", "size_bytes": 500, **more}
    deed = Deed(AT + timedelta(seconds=after), "ana@x.test", "imap", session, "", "192.0.2.7", kind, **values)
    return Done(
        replace(deed, message=message), **{"protocol": "imap", "program": "T", "network": "192.0.2.0/24", **who}
    )


def told(*some: Done) -> list[tuple[str, str, str]]:
    found = Moves()
    deeds = [found.take(one).deed for one in some]
    return [(deed.kind, deed.session, deed.target) for deed in deeds if deed.kind != "copied"]


def test_what_proves_a_move() -> None:
    copied = done("copied")
    assert told(copied, done("removed", after=3600)) == [("moved", "s", "X")]
    assert told(copied, done("removed", after=590, session="t")) == [("moved", "s", "X")]
    by_device = done("copied", app=7), done("removed", after=60, session="t", app=7, network="10.0.0.0/24")
    assert told(*by_device) == [("moved", "s", "X")]
    assert told(done("copied", ""), done("removed", "", after=1)) == [("moved", "s", "X")]
    before = done("copied", target="Y", session="p", program="Phone", after=-60)
    assert told(before, copied, done("removed")) == [("moved", "s", "X")]
    nameless = done("copied", "", target="Y", session="p", after=-60), done("copied", ""), done("removed", "")
    assert told(*nameless) == [("moved", "s", "X")]


@pytest.mark.parametrize(
    "removal",
    [
        done("removed", after=660, session="t"),
        done("removed", after=60, session="t", program="Phone"),
        done("removed", after=60, session="t", network="10.0.0.0/24"),
        done("removed", after=60, session="t", protocol="web", network="", program=""),
        done("removed", after=60, session="t", app=7),
        done("removed", "", after=30),
    ],
)
def test_what_proves_none_says_where_the_copies_lie(removal: Done) -> None:
    assert told(done("copied"), removal) == [("removed", removal.deed.session, "X")]


def test_other_messages_are_gone() -> None:
    assert told(done("copied"), done("removed", "<2@x>")) == [("removed", "s", "")]
    assert told(done("copied"), done("removed", size_bytes=501)) == [("removed", "s", "")]
    assert told(done("copied"), done("removed", folder="Trash")) == [("removed", "s", "")]
    assert told(done("copied"), done("removed"), done("removed")) == [("moved", "s", "X"), ("removed", "s", "")]
    assert told(done("copied", ""), done("removed", "", after=700)) == [("removed", "s", "")]


def test_a_copy_that_is_gone_itself_explains_nothing() -> None:
    assert told(done("copied"), done("removed", folder="X"), done("removed")) == [("removed", "s", "")] * 2


def test_what_leaves_the_reserve_is_nobodys_doing_and_casillas_putting_back_is_told_by_itself() -> None:
    over = of_reserve(done("removed", folder=RESERVE, program="Thunderbird"))
    assert over
    assert (over.protocol, over.program, over.network) == ("lmtp", "", "")
    for kind in ("copied", "moved"):
        assert of_reserve(done(kind, folder=RESERVE, target="INBOX", protocol="web")) is None
        by_hand = done(kind, folder=RESERVE, target="INBOX")
        assert of_reserve(by_hand) == by_hand
    other = done("removed")
    assert of_reserve(other) == other


def test_what_waits_is_bounded_saved_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "WAITING_MAX", 3)
    monkeypatch.setattr(moves, "WAITING_SAVED", 2)
    found = Moves()
    for number in range(5):
        found.take(done("copied", f"<{number}@secreto>", size_bytes=number, after=number))
    saved = json.dumps(found.dump())
    assert "secreto" not in saved
    again = Moves()
    again.load(json.loads(saved))
    kinds = [again.take(done("removed", f"<{number}@secreto>", size_bytes=number)).deed.kind for number in range(5)]
    assert kinds == ["removed"] * 3 + ["moved"] * 2
    found.settle(AT + timedelta(days=1, seconds=3))
    assert len(found.dump()) == 1


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 1)), max_size=30))
def test_no_more_is_moved_than_was_copied_and_none_is_lost(steps: list[tuple[bool, int, int]]) -> None:
    some = [done("copied" if copy else "removed", f"<{one}@x>", folder=f"F{box}") for copy, one, box in steps]
    kinds = [kind for kind, _session, _target in told(*some)]
    assert len(kinds) == sum(not copy for copy, _one, _box in steps)
    assert kinds.count("moved") <= sum(copy for copy, _one, _box in steps)
