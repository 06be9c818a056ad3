"""Kept-open connections, lent one at a time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from webmail.errors import Unreachable
from webmail.imap.connection import Connection

IDLE_CLOSE_S = 300.0
CHECK_AFTER_S = 15.0
PER_KEY = 4
IN_ALL = 500


@dataclass(slots=True)
class Pool:
    """Idle connections by key (account and server). `take` gives one that answers, `give` takes it back."""

    idle: dict[Hashable, list[Connection]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    process: int = field(default_factory=os.getpid)

    def take(self, key: Hashable, open_: Callable[[], Connection]) -> tuple[Connection, bool]:
        """A connection, and whether it was kept (a kept one may turn out to be dead). Raises what `open_` raises."""
        while True:
            with self.lock:
                self._after_fork()
                kept = self.idle.get(key)
                connection = kept.pop() if kept else None
            if connection is None:
                return open_(), False
            if time.monotonic() - connection.used_at < CHECK_AFTER_S or _answers(connection):
                return connection, True
            connection.close()

    def give(self, key: Hashable, connection: Connection) -> None:
        """Keeps a connection for the next one who asks, or closes it when it is broken or there are enough."""
        stale = []
        with self.lock:
            self._after_fork()
            stale = self._pop_stale()
            kept = self.idle.setdefault(key, [])
            if connection.broken or len(kept) >= PER_KEY or sum(map(len, self.idle.values())) >= IN_ALL:
                stale.append(connection)
            else:
                kept.append(connection)
        for old in stale:
            old.close()

    def close_all(self) -> None:
        """Closes every idle connection."""
        with self.lock:
            connections = [connection for kept in self.idle.values() for connection in kept]
            self.idle.clear()
        for connection in connections:
            connection.close()

    def _pop_stale(self) -> list[Connection]:
        oldest = time.monotonic() - IDLE_CLOSE_S
        stale = []
        for key, kept in list(self.idle.items()):
            stale += [connection for connection in kept if connection.used_at < oldest]
            self.idle[key] = [connection for connection in kept if connection.used_at >= oldest]
            if not self.idle[key]:
                del self.idle[key]
        return stale

    def _after_fork(self) -> None:
        if self.process != os.getpid():
            self.process = os.getpid()
            self.idle.clear()


def _answers(connection: Connection) -> bool:
    try:
        connection.run([b"NOOP"])
    except Unreachable:
        return False
    return True


pool = Pool()
