"""Kept-open connections, lent one at a time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from webmail.errors import MailError, Unreachable
from webmail.imap.connection import Connection

IDLE_CLOSE_S = 300.0
CHECK_AFTER_S = 15.0
WAIT_S = 10.0
SWEEP_S = 30.0
PER_ACCOUNT = 8
PER_SERVER = 300
IN_ALL = 500
SLOW_S = 4.0
SLOW_LIMIT = 16
"""So many requests may wait for one server for longer than SLOW_S, when nobody heard from it for as long: whoever comes after
them is refused at once. A page holds a thread while it waits, and a server that takes connections and answers nothing must
not hold them all (WEB_THREADS)."""
BUSY_LIMIT = 32
"""The same of a server that answers others meanwhile: it is busy, not dead, and what waits for it gets its turn."""

Open = Callable[[], Connection]


@dataclass(frozen=True, slots=True)
class Key:
    """Whose connection: two keys that are equal may lend each other's connections, so the account holds all that the
    login depends on."""

    server: Hashable
    account: Hashable


class Pool:
    """Idle and lent connections. Counts are held per account, per server and in all; who would go past one waits a while
    for a connection to come back, then gets Unreachable."""

    def __init__(
        self,
        *,
        per_account: int = PER_ACCOUNT,
        per_server: int = PER_SERVER,
        in_all: int = IN_ALL,
        wait_s: float = WAIT_S,
        slow_s: float = SLOW_S,
        slow_limit: int = SLOW_LIMIT,
        busy_limit: int = BUSY_LIMIT,
    ) -> None:
        self._per_account, self._per_server, self._in_all, self._wait_s = per_account, per_server, in_all, wait_s
        self._slow_s, self._slow_limit, self._busy_limit = slow_s, slow_limit, busy_limit
        self.idle_close_s = IDLE_CLOSE_S
        self.forget()

    def forget(self) -> None:
        """Starts empty without closing anything: in a forked child the connections belong to the parent."""
        self._changed = threading.Condition()
        self._idle: dict[Key, list[Connection]] = {}
        self._lent: dict[Key, int] = {}
        self._out: dict[Hashable, set[Connection]] = {}
        self._opening: dict[Hashable, list[float]] = {}
        self._heard: dict[Hashable, float] = {}
        self._sweeper: threading.Thread | None = None

    def take(
        self, key: Key, open_: Open, *, fresh: bool = False, prefer: Callable[[Connection], bool] | None = None
    ) -> tuple[Connection, bool]:
        """A connection, and whether it was kept (a kept one may turn out to be dead). `fresh` = a new one, and no kept one
        of this account is believed any more; `prefer` says which of several to take. Raises what `open_` raises, and
        Unreachable when too many are lent."""
        self._refuse_slow(key.server)
        connection, old = self._reserve(key, fresh, prefer)
        for closing in old:
            closing.close()
        if (
            connection is not None
            and time.monotonic() - connection.used_at > CHECK_AFTER_S
            and not _answers(connection)
        ):
            connection.close()
            connection = None
        if connection is not None:
            self._lend(key.server, connection)
            return connection, True
        began = time.monotonic()
        self._opening.setdefault(key.server, []).append(began)
        try:
            connection = open_()
        except BaseException:
            self._release(key)
            raise
        finally:
            self._opening[key.server].remove(began)
        self._heard[key.server] = time.monotonic()
        self._lend(key.server, connection)
        return connection, False

    def _lend(self, server: Hashable, connection: Connection) -> None:
        with self._changed:
            self._out.setdefault(server, set()).add(connection)

    def _refuse_slow(self, server: Hashable) -> None:
        """Raises Unreachable when so many wait for a server already that it seems to be dead, or that they hold nearly every
        thread."""
        before = time.monotonic() - self._slow_s
        with self._changed:
            out = [one for one in self._out.get(server, ()) if not one.broken]
            began = [*self._opening.get(server, ()), *(one.waits_since or 0.0 for one in out)]
            heard = max([self._heard.get(server, 0.0), *(one.used_at for one in out)])
        limit = self._busy_limit if heard > before else self._slow_limit
        if sum(1 for moment in began if 0.0 < moment < before) >= limit:
            raise Unreachable("the server keeps others waiting")

    def swap(self, key: Key, connection: Connection, open_: Open) -> tuple[Connection, bool] | None:
        """Another connection for a lent one, which comes back; None when there is none at once, and the lent one stays so."""
        with self._changed:
            others = [one for one in self._idle.get(key, []) if one.kept is None]
            full = self._count(key.server) >= self._per_server or self._count(None) >= self._in_all
            if self._lent.get(key, 0) >= self._per_account or (full and not others):
                return None
        try:
            other = self.take(key, open_, prefer=lambda one: one.kept is None)
        except MailError:
            return None
        self.give(key, connection)
        return other

    def give(self, key: Key, connection: Connection) -> None:
        """Takes a connection back: kept for the next one who asks, or closed when it is broken."""
        with self._changed:
            self._out.get(key.server, set()).discard(connection)
            if not connection.broken:
                self._heard[key.server] = max(self._heard.get(key.server, 0.0), connection.used_at)
        if connection.broken:
            connection.close()
        self._release(key, None if connection.broken else connection)

    def adopt(self, key: Key, connection: Connection) -> None:
        """Keeps a connection that was opened elsewhere; closes it when there are too many."""
        with self._changed:
            full = self._count(key.server) >= self._per_server or self._count(None) >= self._in_all
            if not full and len(self._idle.get(key, [])) + self._lent.get(key, 0) < self._per_account:
                self._idle.setdefault(key, []).append(connection)
                self._start_sweeper()
                return
        connection.close()

    @contextmanager
    def lease(self, key: Key, open_: Open) -> Iterator[Connection]:
        """A connection for the length of a block."""
        connection, _kept = self.take(key, open_)
        try:
            yield connection
        finally:
            self.give(key, connection)

    def close_all(self) -> None:
        """Closes every idle connection."""
        self._close_older(float("inf"))

    def counts(self) -> tuple[int, int]:
        """(idle, lent) connections now."""
        with self._changed:
            return sum(map(len, self._idle.values())), sum(self._lent.values())

    def _reserve(
        self, key: Key, fresh: bool, prefer: Callable[[Connection], bool] | None = None
    ) -> tuple[Connection | None, list[Connection]]:
        """A place among the lent, with a kept connection if there is one; and those that are to be closed for it."""
        until = time.monotonic() + self._wait_s
        with self._changed:
            old = self._idle.pop(key, []) if fresh else []
            while self._lent.get(key, 0) >= self._per_account or not self._has_room(key, old):
                if not self._changed.wait(until - time.monotonic()):
                    raise Unreachable("too many connections are in use")
            kept = self._idle.get(key)
            connection = _picked(kept, prefer) if kept else None
            self._lent[key] = self._lent.get(key, 0) + 1
            return connection, old

    def _has_room(self, key: Key, old: list[Connection]) -> bool:
        """Whether one more may be lent; idle connections of others make room, those unused for longest first."""
        if self._idle.get(key):
            return True
        while self._count(key.server) >= self._per_server:
            if not self._evict(key.server, old):
                return False
        while self._count(None) >= self._in_all:
            if not self._evict(None, old):
                return False
        return True

    def _count(self, server: Hashable) -> int:
        idle = sum(len(kept) for key, kept in self._idle.items() if server is None or key.server == server)
        return idle + sum(count for key, count in self._lent.items() if server is None or key.server == server)

    def _evict(self, server: Hashable, old: list[Connection]) -> bool:
        keys = [key for key, kept in self._idle.items() if kept and (server is None or key.server == server)]
        if not keys:
            return False
        key = min(keys, key=lambda key: self._idle[key][0].used_at)
        old.append(self._idle[key].pop(0))
        return True

    def _release(self, key: Key, connection: Connection | None = None) -> None:
        with self._changed:
            count = self._lent.pop(key, 1) - 1
            if count > 0:
                self._lent[key] = count
            if connection is not None:
                self._idle.setdefault(key, []).append(connection)
            self._start_sweeper()
            self._changed.notify()

    def _start_sweeper(self) -> None:
        if self._sweeper is None or not self._sweeper.is_alive():
            self._sweeper = threading.Thread(target=self._sweep, name="imap-idle", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """Closes what nobody used for a while, until nothing is kept."""
        while self.counts() != (0, 0):
            time.sleep(min(SWEEP_S, self.idle_close_s))
            self._close_older(time.monotonic() - self.idle_close_s)

    def _close_older(self, moment: float) -> None:
        with self._changed:
            old = [connection for kept in self._idle.values() for connection in kept if connection.used_at < moment]
            left = {key: [one for one in kept if one.used_at >= moment] for key, kept in self._idle.items()}
            self._idle = {key: kept for key, kept in left.items() if kept}
            self._changed.notify_all()
        for connection in old:
            connection.close()


def _picked(kept: list[Connection], prefer: Callable[[Connection], bool] | None) -> Connection:
    """The one that is preferred, else the one that was used last."""
    at = next((i for i in reversed(range(len(kept))) if prefer and prefer(kept[i])), -1)
    return kept.pop(at)


def _answers(connection: Connection) -> bool:
    try:
        connection.run([b"NOOP"])
    except Unreachable:
        return False
    return True


pool = Pool()
os.register_at_fork(after_in_child=pool.forget)
