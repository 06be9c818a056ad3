"""Django's cache in Redis, for a web server that goes on working while Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import RedisError, ResponseError

from accounts.redis_line import Word, ask

log = logging.getLogger(__name__)


class KeptClient(RedisCacheClient):
    """Django's, but that it keeps redis-py's client (Django makes a new one for each command, which is more work than the
    command, and signing in has eight), and asks on the thread's own connection."""

    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        self._kept: dict[int, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """One client for each pool, kept: Django makes one for each question."""
        django: Any = self
        pool = django._get_connection_pool(write)
        if id(pool) not in self._kept:  # pools stay as long as this
            self._kept[id(pool)] = django._client(connection_pool=pool)
        return self._kept[id(pool)]

    def get(self, key: Any, default: Any) -> Any:
        django: Any = self
        (value,) = ask(self.get_client(key), ("GET", key))
        return default if value is None else django._serializer.loads(_checked(value))

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        django: Any = self
        if timeout == 0:
            self.delete(key)
            return
        ends: tuple[Word, ...] = () if timeout is None else ("EX", timeout)
        packed = django._serializer.dumps(value)
        _checked(*ask(self.get_client(key, write=True), ("SET", key, packed, *ends)))


def _checked(answer: Any) -> Any:
    """An answer, unless Redis refused. Raises ResponseError."""
    if isinstance(answer, ResponseError):
        raise answer
    return answer


class LossyRedisCache(RedisCache):
    """Reads find nothing and writes are let go while Redis does not answer: what is kept is read or made anew, sessions from the
    database. `add`, `incr`, `touch` and `delete` raise RedisError as ever: counts of tries and ended sessions hang on them."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except RedisError as error:
            return _lost(error, default)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        try:
            return dict(super().get_many(keys, version))
        except RedisError as error:
            return dict(_lost(error, {}))

    def has_key(self, key: str, version: int | None = None) -> bool:
        try:
            return bool(super().has_key(key, version))
        except RedisError as error:
            return bool(_lost(error, False))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except RedisError as error:
            _lost(error, None)

    def set_many(self, data: dict[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        try:
            return list(super().set_many(data, timeout, version))
        except RedisError as error:
            _lost(error, None)
            return list(data)


def _lost(error: RedisError, answer: Any) -> Any:
    log.warning("cache: Redis: %s", type(error).__name__)
    return answer
