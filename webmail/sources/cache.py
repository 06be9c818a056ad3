"""What is kept in Redis about mail that cannot change: order of a folder while nothing came or went, and the unchanging part
of each row. Losing it costs time, never truth; when Redis is away, everything is read from the server."""

from __future__ import annotations

import json
import logging
from array import array
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache as memoize
from typing import Any, cast

from redis import Redis, RedisError

from webmail.values import Address, FolderId, Ref, Summary

logger = logging.getLogger(__name__)

INDEX_TTL_S = 7 * 24 * 3600
ROW_TTL_S = 30 * 24 * 3600
VERSION = "1"


class MailCache:
    """Indexes and rows of one account."""

    def __init__(self, redis_url: str, account_key: str) -> None:
        self._redis = _client(redis_url) if redis_url else None
        self._prefix = f"mail:{VERSION}:{account_key}:"

    def index(self, name: str, state: str) -> array[int] | None:
        """The kept order `name`, if it was kept for exactly this state of the folder."""
        kept = self._get([f"i:{name}"])[0]
        mark = state.encode()
        if kept is None or not kept.startswith(mark + b"\n"):
            return None
        uids: array[int] = array("I")
        uids.frombytes(kept[len(mark) + 1 :])
        return uids

    def keep_index(self, name: str, state: str, uids: array[int]) -> None:
        self._set({f"i:{name}": state.encode() + b"\n" + uids.tobytes()}, INDEX_TTL_S)

    def rows(self, folder: FolderId, validity: int, uids: list[int]) -> dict[int, Summary]:
        """The kept rows among these, without flags."""
        values = self._get([_row_key(folder, validity, uid) for uid in uids])
        return {
            uid: _unpack(folder, validity, uid, value)
            for uid, value in zip(uids, values, strict=True)
            if value is not None
        }

    def keep_rows(self, rows: Iterable[Summary]) -> None:
        self._set({_row_key(row.ref.folder, row.ref.validity, int(row.ref.id)): _pack(row) for row in rows}, ROW_TTL_S)

    def _get(self, names: list[str]) -> list[bytes | None]:
        if self._redis is None or not names:
            return [None] * len(names)
        try:
            return cast(list[bytes | None], self._redis.mget([self._prefix + name for name in names]))
        except RedisError:
            logger.warning("the mail cache does not answer")
            return [None] * len(names)

    def _set(self, values: dict[str, bytes], ttl_s: int) -> None:
        if self._redis is None or not values:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for name, value in values.items():
                    pipe.set(self._prefix + name, value, ex=ttl_s)
                pipe.execute()
        except RedisError:
            logger.warning("the mail cache does not answer")


@memoize
def _client(redis_url: str) -> Redis:
    return Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)


def _row_key(folder: FolderId, validity: int, uid: int) -> str:
    return f"r:{validity}:{uid}:{folder.encode('utf-8', 'surrogateescape').hex()}"


def _pack(row: Summary) -> bytes:
    fields = asdict(row)
    del fields["ref"], fields["flags"]
    fields["sent"] = row.sent.timestamp() if row.sent else None
    fields["received"] = row.received.timestamp()
    return json.dumps(fields, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _unpack(folder: FolderId, validity: int, uid: int, value: bytes) -> Summary:
    fields: dict[str, Any] = json.loads(value)
    sent = fields.pop("sent")
    return Summary(
        ref=Ref(folder, validity, str(uid)),
        flags=frozenset(),
        sender=tuple(Address(**person) for person in fields.pop("sender")),
        recipients=tuple(Address(**person) for person in fields.pop("recipients")),
        sent=datetime.fromtimestamp(sent, UTC) if sent is not None else None,
        received=datetime.fromtimestamp(fields.pop("received"), UTC),
        defects=tuple(fields.pop("defects")),
        **fields,
    )
