"""What is written to Redis for the next time, and for nobody to wait for: all that one source found, sent in one piece when
it is closed, or when it has become much. Losing it costs time, never truth."""

from __future__ import annotations

import logging

from redis import Redis, RedisError

from accounts.redis_line import Command, tell

logger = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
"""Of values; a page has some 50 kB. Who goes through a whole mailbox with one source has as much as the mailbox."""


class Later:
    """Values by key, until `flush` writes them. Those who read in between must ask here first."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._values: dict[bytes, tuple[bytes, int]] = {}
        self._bytes = 0

    def keep(self, key: bytes, value: bytes, ttl_s: int) -> None:
        if self._redis is None:
            return
        self._values[key] = value, ttl_s
        self._bytes += len(value)
        if self._bytes > MOST_BYTES:
            self.flush()

    def replace(self, key: bytes, value: bytes) -> None:
        """Another value for as long as the one that is there would have stayed."""
        self.keep(key, value, 0)

    def waiting(self, key: bytes) -> bytes | None:
        """The value that is to be written under a key."""
        found = self._values.get(key)
        return found[0] if found else None

    def flush(self) -> None:
        """Writes them."""
        values, self._values, self._bytes = self._values, {}, 0
        if self._redis is None or not values:
            return
        try:
            tell(self._redis, *(_set(key, *value) for key, value in values.items()))
        except RedisError as error:
            logger.warning("the mail cache does not answer: %s", type(error).__name__)


def _set(key: bytes, value: bytes, ttl_s: int) -> Command:
    return ("SET", key, value, "EX", ttl_s) if ttl_s else ("SET", key, value, "XX", "KEEPTTL")
