"""What is kept in Redis about mail that cannot change: order of a folder while nothing came or went, the unchanging part
of each row, MIME trees. Losing it costs time, never truth; when Redis is away, everything is read from the server."""

from __future__ import annotations

import contextlib
import json
import logging
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from redis import RedisError

from accounts.redis_line import ask, client
from webmail.mime.parts import pack_part, unpack_part
from webmail.sources.later import Later
from webmail.sources.recent import Recent
from webmail.values import Address, FolderId, Part, Query, Ref, Summary

logger = logging.getLogger(__name__)

ORDER_TTL_S = 7 * 24 * 3600
ROW_TTL_S = 30 * 24 * 3600
FOUND_TTL_S = 24 * 3600
IDS_TTL_S = 600
FOUND_LIMIT = 50
"""Searches in the text of messages that are kept of an account."""
STRUCTURE_LIMIT_BYTES = 65_536
RECENT_ROWS = 20_000
"""Rows that a process holds, about 1.5 kB each: what cannot change under a UID needs no second look."""
RECENT_ORDER_BYTES = 32 * 1024 * 1024
"""Orders that a process holds: a folder of 100,000 has 400 kB."""
UID_BYTES = array("I").itemsize
VERSION = "4"


class Head(NamedTuple):
    """What an order was kept for, and how many it has."""

    mark: str
    length: int


_recent: Recent[Summary] = Recent(RECENT_ROWS)
_recent_orders: Recent[tuple[Head, array[int]]] = Recent(
    RECENT_ORDER_BYTES, lambda kept: 500 + kept[1].itemsize * len(kept[1])
)


class MailCache:
    """Orders, rows and MIME trees of one account."""

    def __init__(self, redis_url: str, account_key: str) -> None:
        self.redis = client(redis_url) if redis_url else None
        self.account = account_key
        self.later = Later(self.redis)
        self._prefix = f"mail:{VERSION}:{account_key}:".encode()
        self._early: dict[bytes, bytes | None] = {}

    def keys_of(self, ref: Ref, query: Query) -> list[bytes]:
        """What will be read when this message is opened in a list, for `read_early`."""
        return [
            self._prefix + key
            for key in (
                _ref_key("s", ref),
                *(_folder_key(f"m:{name}", ref.folder) for name in (query.sort, f"{query.sort}@")),
            )
        ]

    def read_early(self, values: Mapping[bytes, bytes | None]) -> None:
        """Takes what somebody read of these keys along with something else; good for one request."""
        self._early = dict(values)

    def heads(self, folder: FolderId, names: list[str]) -> list[Head | None]:
        """Of the orders kept under these names: the mark of the folder's state for which each holds, and how long it is."""
        return [_read_head(value) for value in self._get([_folder_key(f"m:{name}", folder) for name in names])]

    def order(self, folder: FolderId, name: str, head: Head, *, code: str = "I") -> array[int] | None:
        """A kept order, never to be changed: the one that has this head. `code` is the kind of array that was kept: "I" for
        UIDs, "Q" for larger numbers. What was read lately is in this process as well."""
        key = (self._prefix, folder, name)
        recent = _recent_orders.get(key)
        if recent and recent[0] == head and recent[1].typecode == code:
            return recent[1]
        kept = _unpack_order(self._get([_folder_key(f"o:{name}", folder)])[0], code)
        if kept is None or kept[0] != head.mark or len(kept[1]) != head.length:
            return None
        _recent_orders.keep(key, (head, kept[1]))
        return kept[1]

    def stretch(self, folder: FolderId, name: str, head: Head, start: int, end: int) -> list[int] | None:
        """The UIDs from `start` to before `end` of the order that has this head, without reading it whole."""
        recent = _recent_orders.get((self._prefix, folder, name))
        if recent and recent[0] == head:
            return recent[1][start:end].tolist()
        if self.redis is None or start >= end:
            return None if self.redis is None else []
        key, first = self._prefix + _folder_key(f"o:{name}", folder), len(head.mark) + 1
        try:
            pieces = (
                ("GETRANGE", key, 0, first - 1),
                (
                    "GETRANGE",
                    key,
                    first + UID_BYTES * start,
                    first + UID_BYTES * end - 1,
                ),
            )
            answer = ask(self.redis, ("MULTI",), *pieces, ("EXEC",))[-1]
        except RedisError:
            logger.warning("the mail cache does not answer")
            return None
        mark, packed = answer if isinstance(answer, list) else (b"", b"")
        if mark != head.mark.encode() + b"\n" or len(packed) != UID_BYTES * (end - start):
            return None
        return array("I", packed).tolist()

    def orders(self, folder: FolderId, names: list[str], *, code: str = "I") -> list[tuple[str, array[int]] | None]:
        """The kept orders of these names, each with its mark."""
        found = []
        for name, head in zip(names, self.heads(folder, names), strict=True):
            order = self.order(folder, name, head, code=code) if head else None
            found.append((head.mark, order) if head and order is not None else None)
        return found

    def keep_orders(self, folder: FolderId, orders: Mapping[str, tuple[str, array[int]]]) -> None:
        values: dict[bytes, bytes] = {}
        for name, (mark, uids) in orders.items():
            head = Head(mark, len(uids))
            values[_folder_key(f"o:{name}", folder)] = mark.encode() + b"\n" + uids.tobytes()
            values[_folder_key(f"m:{name}", folder)] = f"{head.length} {mark}".encode()
            if self.redis is not None:
                _recent_orders.keep((self._prefix, folder, name), (head, uids))
        self._set(values, ORDER_TTL_S)

    def keep_head(self, folder: FolderId, name: str, head: Head) -> None:
        """Keeps a head alone, at the end."""
        key = _folder_key(f"m:{name}", folder)
        self._early.pop(self._prefix + key, None)
        self.later.keep(self._prefix + key, f"{head.length} {head.mark}".encode(), ORDER_TTL_S)

    def numbers(self, name: str, folders: list[FolderId]) -> list[tuple[str, array[int]] | None]:
        """What was kept under one name for many folders, each with its mark."""
        return [
            _unpack_order(value, "I") for value in self._get([_folder_key(f"o:{name}", folder) for folder in folders])
        ]

    def thread_ids(self, folder: FolderId, validity: int) -> array[int]:
        """What was read of a folder to put its threads together (see `webmail/imap/threads.py`)."""
        ids: array[int] = array("Q")
        value = self._get([_folder_key(f"i:{validity}", folder)])[0] or b""
        if len(value) % ids.itemsize == 0:
            ids.frombytes(value)
        return ids

    def keep_thread_ids(self, folder: FolderId, validity: int, ids: array[int]) -> None:
        self._set({_folder_key(f"i:{validity}", folder): ids.tobytes()}, ORDER_TTL_S)

    def lone_keys(self, ref: Ref) -> list[bytes]:
        """What will be read when it is asked whether a message stands alone, for `read_early`."""
        return [self._prefix + key for key in (_ref_key("n", ref), _folder_key("m:threads", ref.folder))]

    def ids(self, ref: Ref) -> list[str] | None:
        """The ids that a message carries and names, when it was opened lately."""
        value = self._get([_ref_key("n", ref)])[0]
        return value.decode("ascii").split(" ") if value else None

    def keep_ids(self, ref: Ref, ids: list[str]) -> None:
        """Keeps them; of a message without any nothing is kept."""
        self.later.keep(self._prefix + _ref_key("n", ref), " ".join(ids).encode("ascii"), IDS_TTL_S)

    def rows(self, folder: FolderId, validity: int, uids: list[int]) -> dict[int, Summary]:
        """The kept rows among these, without flags. Those read lately are in this process as well."""
        if self.redis is None:
            return {}
        found = {uid: row for uid in uids if (row := _recent.get((self._prefix, folder, validity, uid)))}
        missing = [uid for uid in uids if uid not in found]
        values = self._get([_folder_key(f"r:{validity}:{uid}", folder) for uid in missing])
        for uid, value in zip(missing, values, strict=True):
            row = _unpack_row(folder, validity, uid, value) if value else None
            if row is not None:
                found[uid] = row
                _recent.keep((self._prefix, folder, validity, uid), row)
        return found

    def keep_rows(self, rows: Iterable[Summary], structures: Mapping[Ref, Part] | None = None) -> None:
        """Keeps rows, and the MIME trees that were read with them."""
        for row in rows:
            self.later.keep(self._prefix + _ref_key("r", row.ref), _pack_row(row), ROW_TTL_S)
            if self.redis is not None:
                key = (self._prefix, row.ref.folder, row.ref.validity, int(row.ref.id))
                _recent.keep(key, row.marked(frozenset()))
        self.keep_structures(structures or {})

    def text_pieces(self, folder: FolderId, validity: int) -> int:
        """How many pieces of texts there are (see `webmail/sources/texts.py`)."""
        value = self._get([_folder_key(f"tn:{validity}", folder)])[0]
        return int(value) if value and value.isdigit() else 0

    def texts(self, folder: FolderId, validity: int, numbers: Iterable[int]) -> list[bytes | None]:
        """Pieces of texts by their numbers."""
        return self._get([_folder_key(f"t:{validity}:{number}", folder) for number in numbers])

    def add_texts(self, folder: FolderId, validity: int, piece: bytes) -> None:
        """One more piece. It is there before it is counted."""
        if self.redis is None:
            return
        try:
            count = self._prefix + _folder_key(f"tn:{validity}", folder)
            number = self.redis.incr(self._prefix + _folder_key(f"tw:{validity}", folder)) - 1
            self._set({_folder_key(f"t:{validity}:{number}", folder): piece}, ROW_TTL_S)
            self.redis.set(count, number + 1, ex=ROW_TTL_S)
        except RedisError:
            logger.warning("the mail cache does not answer")

    def lock(self, folder: FolderId, work: str, seconds: int, *, again: bool = False, done: int = 0) -> bool:
        """Whether who asks may do some work on a folder that one alone does, for so long; `again` for more of it, with how many
        messages are done."""
        if self.redis is None:
            return False
        try:
            return bool(self.redis.set(self._prefix + _folder_key(f"l:{work}", folder), done, ex=seconds, nx=not again))
        except RedisError:
            return False

    def count(self, folder: FolderId, what: str, seconds: int) -> int:
        """How often this was asked since it was asked first, which is forgotten after so long; 0 when nobody counts."""
        if self.redis is None:
            return 0
        key = self._prefix + _folder_key(f"c:{what}", folder)
        try:
            count = ask(self.redis, ("INCR", key), ("EXPIRE", key, seconds, "NX"))[0]
        except RedisError:
            return 0
        return count if isinstance(count, int) else 0

    def unlock(self, folder: FolderId, work: str) -> None:
        if self.redis is not None:
            with contextlib.suppress(RedisError):
                self.redis.delete(self._prefix + _folder_key(f"l:{work}", folder))

    def is_locked(self, folder: FolderId, work: str) -> bool:
        """Whether somebody is at this work."""
        return self._get([_folder_key(f"l:{work}", folder)])[0] is not None

    def progress(self, folder: FolderId, work: str) -> int:
        """How many messages are done of this work; 0 when nobody is at it."""
        value = self._get([_folder_key(f"l:{work}", folder)])[0]
        return int(value) if value and value.isdigit() else 0

    def found(self, folder: FolderId, name: str) -> tuple[array[int] | None, int]:
        """What was found in the text of a folder's messages (see `webmail/sources/body_search.py`), and how many messages a
        second this account's server searched the last time (0 = nobody knows)."""
        value, rate = self._get([_folder_key(f"b:{name}", folder), b"rate"])
        numbers = array("I")
        if value and len(value) % UID_BYTES == 0:
            numbers.frombytes(value)
        return numbers or None, int(rate) if rate and rate.isdigit() else 0

    def found_version(self, folder: FolderId, name: str) -> str:
        """A word that is another one when more was searched."""
        if self.redis is None:
            return ""
        try:
            key = self._prefix + _folder_key(f"b:{name}", folder)
            return cast(bytes, self.redis.getrange(key, 0, 4 * UID_BYTES - 1)).hex()
        except RedisError:
            return ""

    def keep_found(self, folder: FolderId, name: str, numbers: array[int], rate: int) -> bool:
        """Keeps the same, of the FOUND_LIMIT searches of an account that were made last; whether that worked."""
        if self.redis is None:
            return False
        key, names = self._prefix + _folder_key(f"b:{name}", folder), self._prefix + b"searches"
        try:
            with self.redis.pipeline(transaction=False) as pipe:
                pipe.set(key, numbers.tobytes(), ex=FOUND_TTL_S)
                pipe.set(self._prefix + b"rate", rate, ex=ORDER_TTL_S)
                pipe.lrem(names, 0, cast(str, key))
                pipe.lpush(names, key)
                pipe.expire(names, FOUND_TTL_S)
                pipe.lrange(names, FOUND_LIMIT, -1)
                pipe.ltrim(names, 0, FOUND_LIMIT - 1)
                old = pipe.execute()[5]
            if old:
                self.redis.delete(*old)
        except RedisError:
            return False
        return True

    def structure(self, ref: Ref) -> Part | None:
        """The kept MIME tree of a message."""
        key = _ref_key("s", ref)
        value = self.later.waiting(self._prefix + key) or self._get([key])[0]
        return _unpack_structure(value) if value else None

    def keep_structures(self, structures: Mapping[Ref, Part]) -> None:
        """Keeps MIME trees, but for monstrous ones."""
        for ref, part in structures.items():
            key, value = self._prefix + _ref_key("s", ref), _pack_structure(part)
            self._early.pop(key, None)
            if len(value) <= STRUCTURE_LIMIT_BYTES:
                self.later.keep(key, value, ROW_TTL_S)

    def _get(self, keys: list[bytes]) -> list[bytes | None]:
        if self.redis is None or not keys:
            return [None] * len(keys)
        names = [self._prefix + key for key in keys]
        if all(name in self._early for name in names):
            return [self._early[name] for name in names]
        try:
            found = ask(self.redis, ("MGET", *names))[0]
        except RedisError:
            found = None
        if isinstance(found, list):
            return found
        logger.warning("the mail cache does not answer")
        return [None] * len(keys)

    def _set(self, values: Mapping[bytes, bytes], ttl_s: int) -> None:
        if self.redis is None or not values:
            return
        try:
            for key in values:
                self._early.pop(self._prefix + key, None)
            ask(self.redis, *(("SET", self._prefix + key, value, "EX", ttl_s) for key, value in values.items()))
        except RedisError:
            logger.warning("the mail cache does not answer")


def _folder_key(name: str, folder: FolderId) -> bytes:
    return f"{name}:{folder}".encode("utf-8", "surrogatepass")


def _ref_key(kind: str, ref: Ref) -> bytes:
    return _folder_key(f"{kind}:{ref.validity}:{ref.id}", ref.folder)


def _unpack_order(value: bytes | None, code: str) -> tuple[str, array[int]] | None:
    mark, newline, packed = (value or b"").partition(b"\n")
    uids: array[int] = array(code)
    if not newline or len(packed) % uids.itemsize:
        return None
    uids.frombytes(packed)
    return mark.decode("ascii", "replace"), uids


def _read_head(value: bytes | None) -> Head | None:
    count, space, mark = (value or b"").partition(b" ")
    return Head(mark.decode("ascii", "replace"), int(count)) if space and count.isdigit() else None


def _pack_row(row: Summary) -> bytes:
    fields = {
        "subject": row.subject,
        "sender": [(person.name, person.email) for person in row.sender],
        "recipients": [(person.name, person.email) for person in row.recipients],
        "sent": row.sent.timestamp() if row.sent else None,
        "received": row.received.timestamp(),
        "size_bytes": row.size_bytes,
        "snippet": row.snippet,
        "has_attachment": row.has_attachment,
        "message_id": row.message_id,
        "defects": row.defects,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def _unpack_row(folder: FolderId, validity: int, uid: int, value: bytes) -> Summary | None:
    try:
        fields: dict[str, Any] = json.loads(value)
        sent = fields.pop("sent")
        return Summary(
            ref=Ref(folder, validity, str(uid)),
            flags=frozenset(),
            sender=tuple(Address(*person) for person in fields.pop("sender")),
            recipients=tuple(Address(*person) for person in fields.pop("recipients")),
            sent=datetime.fromtimestamp(sent, UTC) if sent is not None else None,
            received=datetime.fromtimestamp(fields.pop("received"), UTC),
            defects=tuple(fields.pop("defects")),
            **fields,
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        return None


def _pack_structure(part: Part) -> bytes:
    return json.dumps(pack_part(part), separators=(",", ":")).encode()


def _unpack_structure(value: bytes) -> Part | None:
    try:
        return unpack_part(json.loads(value))
    except (ValueError, RecursionError):
        return None
