"""Every action of the source, its connection cut before, in and after every command: what is shown is right or an honest error,
what was asked is done once, begun and told, or not done, and the next page shows what is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from django.utils import timezone

from tests.contract.conftest import POOR
from tests.faults.scene import ACTIONS, ARCHIVE, INBOX, SUBJECTS, WORKS, Action, Scene, scene
from tests.imap.proxy import Fault, How, Proxy, proxied
from webmail.errors import Unreachable
from webmail.imap.pool import pool
from webmail.models import OpenMove
from webmail.values import Summary

pytestmark = [pytest.mark.server, pytest.mark.faults, pytest.mark.django_db(transaction=True)]

FEW = {"list", "open", "flag", "move", "delete"}
"""What the suite does; `make test-faults` does all."""


def params(*, changes: bool) -> list[Any]:
    return [
        pytest.param(action, id=action.name, marks=() if action.name in FEW else pytest.mark.faults)
        for action in ACTIONS
        if action.changes is changes
    ]


READING, CHANGING = params(changes=False), params(changes=True)
LEFT = sorted(set(SUBJECTS) - {"cuatro", "tres"})
"""What is left in the Inbox when the second and third row are gone."""
MINUTE = timedelta(minutes=1)
Make = Callable[[], AbstractContextManager[Scene]]


SERVERS = {"whole": (), "poor": POOR}


@pytest.fixture(params=["whole", pytest.param("poor", marks=pytest.mark.faults)])
def proxy(request: Any, stack: Any) -> Iterator[Proxy]:
    with proxied("127.0.0.1", stack.ports.imap, hide=SERVERS[request.param]) as proxy:
        yield proxy
    pool.close_all()


@pytest.fixture
def make(proxy: Proxy, mailbox_factory: Any, imap: Any, redis: Any) -> Make:
    return lambda: scene(proxy, mailbox_factory, imap, redis.environment()["REDIS_URL"])


def lines_of(action: Action, one: Scene) -> tuple[Any, int]:
    """What an action gives when nothing goes wrong, and how many lines it sends."""
    before = len(one.proxy.commands)
    with one.open() as source:
        shown = action.run(source, one)
    return shown, len(one.proxy.commands) - before


def cut(action: Action, one: Scene, fault: Fault) -> tuple[Any, Unreachable | None]:
    """The action with this fault: what it gives, or the error that it ends with. It may connect once more, not twice."""
    connections = one.proxy.connections
    one.proxy.fault = fault
    try:
        with one.open() as source:
            return action.run(source, one), None
    except Unreachable as error:
        return None, error
    finally:
        one.proxy.fault = None
        assert one.proxy.connections <= connections + 1


@pytest.mark.parametrize("action", READING)
def test_reading_is_right_whatever_is_cut(make: Make, action: Action) -> None:
    with make() as one:
        one.forget()
        wanted, lines = lines_of(action, one)
        assert lines or action.name == "quota"
        for how in get_args(How):
            for after in range(lines):
                one.keep()
                one.forget()
                shown, error = cut(action, one, Fault(after, how))
                assert (plain(shown), error) == (plain(wanted), None), f"{how} {after}"


def plain(shown: Any) -> Any:
    """Without the beginnings of the texts: a list that is cut while it reads them is shown without, and not kept so."""
    if isinstance(shown, list):
        return [replace(row, snippet="") if isinstance(row, Summary) else row for row in shown]
    return shown


@pytest.mark.parametrize("action", CHANGING)
@pytest.mark.parametrize(
    ("proxy", "how"),
    [("whole", "before"), ("whole", "unanswered"), ("whole", "half-answered"), ("poor", "unanswered")],
    indirect=["proxy"],
)
def test_a_change_is_done_once_or_told(make: Make, action: Action, how: How) -> None:
    with make() as one:
        before = one.look()
        _shown, lines = lines_of(action, one)
        done = one.look()
        assert before == done or action.name not in EFFECTS or EFFECTS[action.name](done)
    assert lines
    for after in range(lines):
        with make() as one:
            _shown, error = cut(action, one, Fault(after, how))
            finish_moves(one)
            now = one.look()
            assert one.shown() == now, f"after {after}: the page shows something else"
            if error is None:
                assert now == done, f"after {after}: it was told as done"
            else:
                assert now == before or now in steps_of(action, before, done), f"after {after}: neither done nor not"


def test_a_message_that_is_cut_in_half_is_not_stored(make: Make) -> None:
    """Its octets go over several lines, each of which may be the last."""
    append = next(action for action in ACTIONS if action.name == "append")
    with make() as one:
        before = one.look()
        for after in range(lines_of(append, one)[1]):
            one.keep()
            _shown, error = cut(append, one, Fault(after, "half"))
            assert (error is None) == (one.look() != before)
            before = one.look()


def finish_moves(one: Scene) -> None:
    OpenMove.objects.update(held_until=timezone.now() - MINUTE)
    with one.open() as source:
        source.finish_moves()


EFFECTS: dict[str, Callable[[dict[Any, list[str]]], bool]] = {
    "move": lambda now: now[INBOX] == LEFT and now[ARCHIVE] == ["antes", "cuatro", "tres"],
    "copy": lambda now: len(now[INBOX]) == 5 and now[ARCHIVE] == ["antes", "cuatro", "tres"],
    "delete": lambda now: now[INBOX] == LEFT,
    "append": lambda now: now[ARCHIVE] == ["antes", "nueva"],
    "create": lambda now: "Nueva" in now,
    "rename": lambda now: WORKS not in now and now[WORKS.__class__("Taller")] == ["plano"],
    "delete-folder": lambda now: WORKS not in now,
}


def steps_of(action: Action, before: dict[Any, list[str]], done: dict[Any, list[str]]) -> list[dict[Any, list[str]]]:
    """What may be between not done and done: the whole of it, whose answer was lost. Nothing else."""
    return [done]
