"""What is written to Redis for the next time, and for nobody to wait for: all that one source found, in one round trip when it is
closed. Losing it costs time, never truth."""

from __future__ import annotations

import logging

from redis import Redis, RedisError

logger = logging.getLogger(__name__)


class Later:
    """Values by key, until `flush` writes them. Those who read in between must ask here first."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._values: dict[bytes, tuple[bytes, int]] = {}

    def keep(self, key: bytes, value: bytes, ttl_s: int) -> None:
        if self._redis is not None:
            self._values[key] = value, ttl_s

    def waiting(self, key: bytes) -> bytes | None:
        """The value that is to be written under a key."""
        found = self._values.get(key)
        return found[0] if found else None

    def flush(self) -> None:
        """Writes them."""
        values, self._values = self._values, {}
        if self._redis is None or not values:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for key, (value, ttl_s) in values.items():
                    pipe.set(key, value, ex=ttl_s)
                pipe.execute()
        except RedisError as error:
            logger.warning("the mail cache does not answer: %s", type(error).__name__)
