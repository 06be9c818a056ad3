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
    pool = redis.connection_pool
    line = _lines.of.get(pool)
    if line is None or line.process != os.getpid():
        line = _lines.of[pool] = _Line(pool)
    return line.ask(commands)


class _Lines(threading.local):
    def __init__(self) -> None:
        self.of: WeakKeyDictionary[ConnectionPool, _Line] = WeakKeyDictionary()


class _Line:
    """One connection of one thread, in the process that opened it."""

    def __init__(self, pool: ConnectionPool) -> None:
        self.process = os.getpid()
        self._connection: Any = pool.make_connection()

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        packed = b"".join(hiredis.pack_command(command) for command in commands)  # type: ignore[arg-type]
        if self._connection.is_connected:
            try:
                return self._exchange(packed, len(commands))
            except ConnectionError:
                self._connection.disconnect()
        self._connection.connect_check_health(retry_socket_connect=False)  # once: `connect` tries for four seconds
        return self._exchange(packed, len(commands))

    def _exchange(self, packed: bytes, count: int) -> list[Any]:
        """Sends, and reads so many answers. redis-py closes the connection at every error but Redis's own."""
        self._connection.send_packed_command([packed], check_health=False)
        return [self._answer() for _ in range(count)]

    def _answer(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            return error


_lines = _Lines()
