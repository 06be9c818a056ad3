"""A large Inbox of a Dovecot has a connection of its own beside NOTIFY: what happens is told as ever, once, with its counts."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.contract.test_source import letter
from tests.live.conftest import in_loop
from webmail.live import watch
from webmail.live.events import Event, Kind, State
from webmail.live.line import Target
from webmail.live.watch import Ties, Watch
from webmail.values import Credentials, Endpoint

WAIT_S = 20.0
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def test_a_large_inbox_and_the_other_folders_are_heard_of_as_one(
    stack: Any, mailbox_factory: Any, imap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "HELD_FROM", 1)
    monkeypatch.setattr(watch, "SLOW_S", 0.0)
    monkeypatch.setattr(watch, "AGAIN_S", 0.1)
    made = mailbox_factory("ana")
    other = imap(made.address)
    other.multiappend("INBOX", [letter("uno"), letter("dos")])
    target = Target(Endpoint("127.0.0.1", stack.ports.imap, "none"), Credentials(made.address, made.password))
    other.select_folder("INBOX")
    told = in_loop(
        lambda: heard(
            target,
            lambda: other.append("INBOX", letter("tres")),
            [lambda: other.add_flags([1], [b"\\Seen"]), lambda: other.move([2], "Archive")],
        )
    )
    flags, moved = told
    assert [(event.kind, event.folder) for event in flags] == [(Kind.FLAGS, "INBOX")]
    marking = flags[0].marking
    assert marking is not None
    assert (marking.was_unread, marking.unread) == (3, 2)
    assert {(event.kind, event.folder) for event in moved} == {(Kind.GONE, "INBOX"), (Kind.NEW, "Archive")}


async def heard(target: Target, first: Any, changes: list[Any]) -> list[list[Event]]:
    """What is told of each change, once the watch has begun to hold the Inbox, which the first change lets it find slow."""
    events: list[Event] = []
    states: list[State] = []

    async def where() -> Target:
        return target

    async def nothing() -> None:
        return None

    opened: list[Target] = []
    gate = asyncio.Semaphore(2)

    def gate_of(target: Target) -> asyncio.Semaphore:
        opened.append(target)
        return gate

    running = asyncio.create_task(Watch(1, Ties(where, nothing, events.append, states.append, gate_of)).run())
    try:
        await until(lambda: states == [State.LIVE] and any(event.kind is Kind.ALL for event in events))
        await asyncio.to_thread(first)
        all_anew = (Kind.ALL, "INBOX")
        await until(lambda: states == [State.LIVE] * 2 and all_anew in [(event.kind, event.folder) for event in events])
        out = []
        for count, change in enumerate(changes, 1):
            events.clear()
            await asyncio.to_thread(change)
            await until(lambda count=count: len(events) >= count)
            out.append(list(events))
        assert len(opened) == 2
        return out
    finally:
        running.cancel()


async def until(is_so: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.01)
