"""FETCH: what the server says of messages. Never ENVELOPE: one broken header must not spoil a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from webmail.imap.connection import Connection, check
from webmail.imap.structure import read_structure
from webmail.imap.wire import Flight, Piece, Token, Untagged, uid_set
from webmail.mime.dates import parse_date
from webmail.values import Part

RECENT = rb"\recent"
_MARKS = re.compile(rb"\s*\(UID ([0-9]{1,10}) FLAGS \(([^]\[(){}\"\r\n]*)\)\)\s*")
"""UID and flags alone, which a list asks of fifty messages at once."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The items of one FETCH response, by name in capitals; a body section under its whole name without its origin."""

    items: Mapping[bytes, Token]

    @property
    def uid(self) -> int:
        return self.number(b"UID")

    def number(self, name: bytes) -> int:
        """A number, 0 where it is missing or none."""
        value = self.text(name)
        return int(value) if value.isdigit() and len(value) < 20 else 0

    def text(self, name: bytes) -> bytes:
        value = self.items.get(name)
        return value if isinstance(value, bytes) else b""

    def flags(self) -> frozenset[str]:
        """Flags and keywords; system flags in the case in which we know them. \\Recent is none of the message's: it tells which
        connection heard of it first (RFC 3501 section 2.3.2), and the next one is told something else."""
        value = self.items.get(b"FLAGS")
        words = value if isinstance(value, list) else []
        return _flags(tuple(word for word in words if isinstance(word, bytes)))

    def section(self) -> bytes:
        """The first body section of the response."""
        for name, value in self.items.items():
            if name.startswith(b"BODY[") and isinstance(value, bytes):
                return value
        return b""

    def structure(self) -> Part | None:
        """The MIME tree, None when the server gave none that can be read."""
        return read_structure(self.items.get(b"BODYSTRUCTURE"))

    def received(self) -> datetime:
        """When the server received it; the epoch when it does not say."""
        text = self.text(b"INTERNALDATE").strip().replace(b"-", b" ", 2)
        return parse_date(text) or datetime.fromtimestamp(0, UTC)


@lru_cache(maxsize=1_000)
def _flags(words: tuple[bytes, ...]) -> frozenset[str]:
    return frozenset(_flag(word) for word in words if word.lower() != RECENT)


def _flag(word: bytes) -> str:
    name = word.decode("utf-8", "replace")
    return "\\" + name[1:].capitalize() if name.startswith("\\") else name


def parse_fetch(response: Untagged) -> Fetched:
    """One FETCH response in tokens."""
    marks = _MARKS.fullmatch(response.data)
    if marks and b"NIL" not in marks[2].upper():
        return Fetched({b"UID": marks[1], b"FLAGS": [*marks[2].split()]})
    tokens = response.tokens()
    items = tokens[0] if tokens and isinstance(tokens[0], list) else []
    pairs = zip(items[::2], items[1::2], strict=False)
    return Fetched({key.upper().partition(b"<")[0]: value for key, value in pairs if isinstance(key, bytes)})


def fetch_command(uids: Iterable[int], items: bytes) -> list[Piece]:
    """UID FETCH of items of these messages."""
    return [b"UID", b"FETCH", uid_set(uids), b"(" + items + b")"]


def fetch(connection: Connection, uids: Iterable[int], items: bytes) -> dict[int, Fetched]:
    """FETCHes items of messages of the selected folder; those that are not there any more are not in the result."""
    wanted = list(uids)
    if not wanted:
        return {}
    flight = connection.run(fetch_command(wanted, items))
    check(flight.ends[0])
    return by_uid(flight, wanted)


def by_uid(flight: Flight, wanted: Iterable[int]) -> dict[int, Fetched]:
    """The FETCH responses of a flight, those of one message put together; nothing that was not asked for."""
    asked = set(wanted)
    found: dict[int, Fetched] = {}
    for response in flight.of(b"FETCH"):
        fetched = parse_fetch(response)
        uid = fetched.uid
        if uid in asked:
            known = found.get(uid)
            found[uid] = Fetched({**known.items, **fetched.items}) if known else fetched
    return found
