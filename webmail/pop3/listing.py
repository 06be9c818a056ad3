"""What a POP3 server lists: its messages with their unique-ids (RFC 1939 sections 5 and 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from webmail.errors import Unreachable

MESSAGES_LIMIT = 1_000_000
UIDL_LIMIT = 200
_GRAPHIC = bytes(range(0x21, 0x7F))
_HIGH = bytes(range(0xA1, 0x100))


class Listed(NamedTuple):
    """One message of a listing. `uidl` is the unique-id as text; one that is too long or holds what no unique-id may stands as
    the hash of itself; "" where the server has none."""

    number: int
    uidl: str
    size_bytes: int | None = None


@dataclass(frozen=True)
class Listing:
    """What a server lists. `raw` is its answer to UIDL, or to LIST where it knows no UIDL."""

    raw: bytes
    has_uidl: bool

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the answer to UIDL, "" without UIDL."""
        return hashlib.sha256(self.raw).hexdigest() if self.has_uidl else ""

    @property
    def count(self) -> int:
        """How many lines it has."""
        return self.raw.count(b"\n")

    @cached_property
    def messages(self) -> tuple[Listed, ...]:
        """The messages, in the server's order. Raises Unreachable for what is no listing."""
        if self.has_uidl:
            return tuple(Listed(number, clean_uidl(rest)) for number, rest in numbered_lines(self.raw))
        return tuple(Listed(number, "") for number, _rest in numbered_lines(self.raw))


def numbered_lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a listing: message number, and the rest. Raises Unreachable for what is none."""
    if raw.count(b"\n") > MESSAGES_LIMIT:
        raise Unreachable("too many messages")
    seen: set[int] = set()
    for line in raw.split(b"\r\n"):
        if not line:
            continue
        digits, _space, rest = line.partition(b" ")
        if not digits.isdigit() or len(digits) > 10 or not (number := int(digits)) or number in seen:
            raise Unreachable("not a listing")
        seen.add(number)
        yield number, rest


def clean_uidl(rest: bytes) -> str:
    """A unique-id as `Listed` holds it."""
    text = rest.strip()
    if not text or len(text) > UIDL_LIMIT or text.translate(None, _GRAPHIC + _HIGH):
        return f"sha256:{hashlib.sha256(rest).hexdigest()}"
    return text.decode("latin-1")
