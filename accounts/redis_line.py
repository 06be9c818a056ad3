"""Commands to Redis on a connection that belongs to the thread alone.

redis-py takes a connection out of its pool for each command, looks whether it is still there, counts, and gives it back: three to
five times the work of the command. A page asks Redis three times and more, so its thread keeps a connection of its own. It is
opened by redis-py, as the client's settings say.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import hiredis
from redis import ConnectionPool, Redis
from redis.exceptions import ConnectionError, ResponseError

TIMEOUT_S = 2.0

Word = bytes | str | int
Command = tuple[Word, ...]


@cache
def client(url: str) -> Redis:
    """One client for the process, for everything that pages ask. A thread has one connection for each client."""
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def ask(redis: Redis, *commands: Command) -> list[Any]:
    """The answers to these commands, in one round trip: octets, numbers, lists of them, None. A command that Redis refuses
    gives its ResponseError. Commands are sent again when a kept connection turns out to have ended: only for those that may
    be done twice. Raises RedisError when Redis does not answer."""
    return _line(redis).ask(commands)


def tell(redis: Redis, *commands: Command) -> None:
    """Sends commands and waits for no answer: for what may be lost. Raises RedisError when Redis cannot be reached."""
    _line(redis).tell(commands)


def _line(redis: Redis) -> _Line:
    pool = redis.connection_pool
    line = _lines.of.get(pool)
    if line is None or line.process != os.getpid():
        line = _lines.of[pool] = _Line(pool)
    return line


class _Lines(threading.local):
    def __init__(self) -> None:
        self.of: WeakKeyDictionary[ConnectionPool, _Line] = WeakKeyDictionary()


OWED = 256
"""So many answers are left unread at most."""


class _Line:
    """One connection of one thread, in the process that opened it. Answers that nobody waits for are read along with the next
    that somebody does."""

    def __init__(self, pool: ConnectionPool) -> None:
        self.process = os.getpid()
        self._connection: Any = pool.make_connection()
        self._owed = 0

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """As the function `ask`."""
        self._send(commands)
        try:
            return self._answers(len(commands))
        except ConnectionError:
            self._connection.disconnect()
            self._send(commands)
            return self._answers(len(commands))

    def tell(self, commands: Sequence[Command]) -> None:
        """As the function `tell`."""
        if self._owed > OWED:
            self.ask(commands)
            return
        self._send(commands)
        self._owed += len(commands)

    def _send(self, commands: Sequence[Command]) -> None:
        """redis-py closes the connection at every error but Redis's own."""
        packed = b"".join(hiredis.pack_command(command) for command in commands)  # type: ignore[arg-type]
        if self._connection.is_connected:
            try:
                self._connection.send_packed_command([packed], check_health=False)
                return
            except ConnectionError:
                self._connection.disconnect()
        self._owed = 0
        self._connection.connect_check_health(retry_socket_connect=False)  # once: `connect` tries for four seconds
        self._connection.send_packed_command([packed], check_health=False)

    def _answers(self, count: int) -> list[Any]:
        owed, self._owed = self._owed, 0
        return [self._answer() for _ in range(owed + count)][owed:]

    def _answer(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            return error


_lines = _Lines()
