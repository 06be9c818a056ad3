"""Kept-open connections: lent to one at a time, counted, given up when nobody uses them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.imap.scripted import Scripted, scripted
from webmail.errors import LoginRefused, Unreachable
from webmail.imap.connection import Connection
from webmail.imap.pool import Key, Pool

ANNA, BETO, CARLA, DORA = (Key("server", name) for name in ("anna", "beto", "carla", "dora"))
ELSEWHERE = Key("elsewhere", "anna")


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


def logins(server: Scripted) -> int:
    return sum(b"LOGIN" in command for command in server.commands)


def test_a_connection_that_came_back_is_lent_again(server: Scripted) -> None:
    pool = Pool()
    first, kept = pool.take(ANNA, server.connect)
    assert not kept
    pool.give(ANNA, first)
    assert pool.take(ANNA, server.connect) == (first, True)
    assert logins(server) == 1


def test_a_lent_connection_is_nobody_elses(server: Scripted) -> None:
    pool = Pool()
    with pool.lease(ANNA, server.connect) as first, pool.lease(ANNA, server.connect) as second:
        assert first is not second
    with pool.lease(BETO, server.connect) as third:
        assert third not in (first, second)


def test_a_broken_connection_is_not_kept(server: Scripted) -> None:
    pool = Pool()
    with pool.lease(ANNA, server.connect) as connection:
        connection.broken = True
    assert pool.counts() == (0, 0)


def test_one_that_was_idle_for_long_is_asked_before_it_is_lent(server: Scripted) -> None:
    pool = Pool()
    with pool.lease(ANNA, server.connect) as connection:
        pass
    connection.used_at -= 60
    with pool.lease(ANNA, server.connect) as again:
        assert again is connection
    assert b"NOOP" in server.commands[-1]
    server.replies["NOOP"] = lambda _command: None
    connection.used_at -= 60
    with pool.lease(ANNA, server.connect) as other:
        assert other is not connection


def test_fresh_believes_no_kept_connection_of_the_account(server: Scripted) -> None:
    pool = Pool()
    with pool.lease(ANNA, server.connect), pool.lease(ANNA, server.connect):
        pass
    with pool.lease(BETO, server.connect):
        pass
    _connection, kept = pool.take(ANNA, server.connect, fresh=True)
    assert not kept
    assert pool.counts() == (1, 1)


def test_too_many_of_one_account_are_told_after_a_wait(server: Scripted) -> None:
    pool = Pool(per_account=1, wait_s=0.05)
    with (
        pool.lease(ANNA, server.connect),
        pool.lease(BETO, server.connect),
        pytest.raises(Unreachable, match="too many"),
    ):
        pool.take(ANNA, server.connect)


def test_who_waits_gets_what_comes_back(server: Scripted) -> None:
    pool = Pool(per_account=1, wait_s=10)
    first, _kept = pool.take(ANNA, server.connect)
    threading.Timer(0.1, pool.give, [ANNA, first]).start()
    assert pool.take(ANNA, server.connect) == (first, True)


@pytest.mark.parametrize("limits", [{"per_server": 2}, {"in_all": 2}])
def test_idle_connections_make_room_the_oldest_first(server: Scripted, limits: dict[str, int]) -> None:
    pool = Pool(wait_s=0.05, **limits)
    with pool.lease(ANNA, server.connect):
        pass
    with pool.lease(BETO, server.connect) as young:
        pass
    with pool.lease(Key("server", "carla"), server.connect):
        assert pool.take(BETO, server.connect) == (young, True)
        with pytest.raises(Unreachable):
            pool.take(ANNA, server.connect)
        if "per_server" in limits:
            pool.take(ELSEWHERE, server.connect)


def test_a_failed_login_takes_no_place(server: Scripted) -> None:
    pool = Pool(per_account=1, wait_s=0.05)

    def refuse() -> Connection:
        raise LoginRefused

    for _attempt in range(3):
        with pytest.raises(LoginRefused):
            pool.take(ANNA, refuse)
    assert pool.counts() == (0, 0)


def test_what_nobody_uses_is_closed(server: Scripted) -> None:
    pool = Pool()
    pool.idle_close_s = 0.05
    with pool.lease(ANNA, server.connect):
        pass
    until = time.monotonic() + 5
    while pool.counts() != (0, 0) and time.monotonic() < until:
        time.sleep(0.02)
    assert pool.counts() == (0, 0)


def test_two_threads_never_hold_the_same_connection(server: Scripted) -> None:
    pool = Pool(per_account=3)
    held: set[int] = set()
    clashes: list[int] = []

    def work() -> None:
        for _turn in range(30):
            with pool.lease(ANNA, server.connect) as connection:
                if id(connection) in held:
                    clashes.append(id(connection))
                held.add(id(connection))
                connection.ask(b"NOOP")
                held.discard(id(connection))

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clashes == []
    assert logins(server) <= 3


def test_a_forked_child_leaves_the_parents_connections_alone(server: Scripted) -> None:
    from webmail.imap.pool import pool

    key = Key(server.endpoint, "anna")
    with pool.lease(key, server.connect) as connection:
        pass
    child = os.fork()
    if child == 0:
        os._exit(0 if pool.counts() == (0, 0) else 1)
    assert os.waitpid(child, 0)[1] == 0
    with pool.lease(key, server.connect) as again:
        assert again is connection
        assert again.ask(b"NOOP").ends[0].status == b"OK"
    pool.close_all()


def _refused(action: Any, *arguments: Any) -> None:
    with contextlib.suppress(Unreachable):
        action(*arguments)


def test_a_server_that_never_answers_is_not_waited_for_by_everybody(server: Scripted) -> None:
    pool = Pool(slow_s=0.2, slow_limit=2)
    with scripted(greeting=b"") as dead:
        threads = [
            threading.Thread(target=_refused, args=(pool.take, Key("dead", name), dead.connect))
            for name in ("anna", "beto")
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            pool.take(Key("dead", "carla"), dead.connect)
        assert time.monotonic() - began < 0.2
        with pool.lease(ANNA, server.connect) as connection:
            connection.run([b"NOOP"])
    for thread in threads:
        thread.join()


def test_a_command_that_is_never_answered_counts_as_well() -> None:
    pool = Pool(slow_s=0.2, slow_limit=1)
    asked = threading.Event()

    def hang(_command: bytes) -> bytes | None:
        asked.set()
        time.sleep(1.0)
        return None

    with scripted({"SELECT": hang}) as server:
        connection, _kept = pool.take(ANNA, server.connect)
        thread = threading.Thread(target=_refused, args=(connection.run, [b"SELECT", b"x"]))
        thread.start()
        asked.wait(2)
        time.sleep(0.3)
        with pytest.raises(Unreachable):
            pool.take(BETO, server.connect)
        thread.join()
        pool.give(ANNA, connection)
        with pool.lease(BETO, server.connect) as again:
            again.run([b"NOOP"])


def test_a_busy_server_that_answers_others_is_waited_for() -> None:
    """Two processes under load: logins took longer than four seconds each, and came; pages said that the server was dead."""
    pool = Pool(slow_s=0.1, slow_limit=1, busy_limit=2)
    asked = threading.Semaphore(0)

    def hang(_command: bytes) -> bytes | None:
        asked.release()
        time.sleep(0.5)
        return None

    with scripted({"SELECT": hang}) as server:
        lent = [pool.take(key, server.connect)[0] for key in (ANNA, BETO)]
        threads = [threading.Thread(target=_refused, args=(one.run, [b"SELECT", b"x"])) for one in lent]
        threads[0].start()
        asked.acquire(timeout=2)
        with pool.lease(CARLA, server.connect) as other:
            time.sleep(0.15)
            other.run([b"NOOP"])
            with pool.lease(DORA, server.connect) as busy:
                busy.run([b"NOOP"])
            threads[1].start()
            asked.acquire(timeout=2)
            time.sleep(0.15)
            other.run([b"NOOP"])
            with pytest.raises(Unreachable):  # it would hold too many threads
                pool.take(DORA, server.connect)
        for thread, key, one in zip(threads, (ANNA, BETO), lent, strict=True):
            thread.join()
            pool.give(key, one)
    pool.close_all()


def test_a_long_download_keeps_nobody_waiting(server: Scripted) -> None:
    pool = Pool(slow_s=0.05, slow_limit=1)
    with pool.lease(ANNA, server.connect) as connection:
        connection.run([b"NOOP"])
        time.sleep(0.2)  # what was read is sent to a slow browser
        with pool.lease(BETO, server.connect) as other:
            assert other is not connection
