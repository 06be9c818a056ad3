"""What is kept in Redis for ten minutes of a message that was opened: text, by a digest of what it depends on. Losing it costs
time, never truth."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping

from django.conf import settings
from redis import RedisError

from accounts.redis_line import ask, client

logger = logging.getLogger(__name__)

KEEP_S = 600


def key_of(kind: str, *words: object) -> str:
    """The key of what depends on these words."""
    name = "\0".join(map(str, words))
    return f"{kind}:" + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def keep(values: Mapping[str, str]) -> None:
    """Keeps texts by their keys, in one round trip."""
    if not values:
        return
    try:
        ask(client(settings.REDIS_URL), *(("SET", key, encoded(value), "EX", KEEP_S) for key, value in values.items()))
    except RedisError:
        logger.warning("Redis does not answer; nothing is kept of an opened message")


def kept(key: str) -> str | None:
    """What was kept, None when there is nothing."""
    try:
        value = ask(client(settings.REDIS_URL), ("GET", key))[0]
    except RedisError:
        return None
    return decoded(value) if isinstance(value, bytes) else None


def encoded(text: str) -> bytes:
    """A text as Redis holds it."""
    return text.encode("utf-8", "surrogatepass")


def decoded(value: bytes | None) -> str | None:
    """A text that Redis held, None for none and for what is no text."""
    try:
        return value.decode("utf-8", "surrogatepass") if value is not None else None
    except ValueError:
        return None
