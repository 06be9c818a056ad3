"""Answers of a mail server that hold while its account is watched and nothing has changed: they cost no round trip.

An answer is kept under the mark that the folder had before the server was asked (see `webmail/live/marks.py`). It is given
again only while a watcher that is alive hears of the whole account, the mark is still that one, and not longer than TRUST_S:
so long at most would a list be old if a watcher were deaf without knowing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from redis import Redis, RedisError
from redis.exceptions import NoScriptError

from webmail.live.marks import Marks
from webmail.values import FolderId

TRUST_S = 60
T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is packed into JSON and read again. `unpack` gives None for what does not hold any more."""

    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


class Answers:
    """What an account's server said, by name and folder. Without Redis, or for an account that nobody can watch, everything
    is asked."""

    def __init__(self, redis: Redis | None, account_id: int | None) -> None:
        self._marks = Marks(redis, account_id) if redis is not None and account_id is not None else None

    def ask(self, name: str, folder: FolderId | None, shape: Shape, question: Callable[[], T]) -> T:
        """The kept answer, else the server's. `folder` is what it depends on (None = any change in the account)."""
        if self._marks is None:
            return question()
        key = self._key(name, folder)
        mark, kept = self._read(key, folder)
        if mark and kept is not None and kept.startswith(mark + b"\n"):
            known: T | None = shape.unpack(json.loads(kept[len(mark) + 1 :]))
            if known is not None:
                return known
        answer = question()
        if mark:
            self._keep(key, mark + b"\n" + json.dumps(shape.pack(answer), separators=(",", ":")).encode())
        return answer

    def changed(self, *folders: FolderId) -> None:
        """Says that something in these folders was changed; EVERY for the account as a whole."""
        if self._marks is not None:
            self._marks.set(*folders)

    def _key(self, name: str, folder: FolderId | None) -> bytes:
        assert self._marks
        digest = hashlib.blake2b(repr((name, folder)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"kept:1:{self._marks.account_id}:{digest}".encode()

    def _read(self, key: bytes, folder: FolderId | None) -> tuple[bytes | None, bytes | None]:
        """The mark under which an answer holds from now on, and what is kept. One round trip to Redis."""
        assert self._marks
        try:
            for _attempt in range(2):
                with self._marks.redis.pipeline(transaction=False) as pipe:
                    self._marks.read_into(pipe, folder)
                    pipe.get(key)
                    mark, kept = pipe.execute(raise_on_error=False)
                if not isinstance(mark, NoScriptError):
                    break
                self._marks.load()
            return (mark, kept) if isinstance(mark, bytes) and not isinstance(kept, Exception) else (None, None)
        except RedisError as error:
            logger.warning("live %s: no kept answer: %s", self._marks.account_id, type(error).__name__)
            return None, None

    def _keep(self, key: bytes, value: bytes) -> None:
        assert self._marks
        try:
            self._marks.redis.set(key, value, ex=TRUST_S)
        except RedisError as error:
            logger.warning("live %s: an answer was not kept: %s", self._marks.account_id, type(error).__name__)
