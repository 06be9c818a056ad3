"""The mbox format (RFC 4155), written as mboxrd, so that nothing of a message is lost: lines that begin with "From ", with any
number of ">" before it, get one more.

Each message begins with a few fields that are ours, and are taken off again when it is read: what a mailbox knows of a message
beside its octets (flags, arrival). The last of them tells that they are over, and whether the message ended with a line end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from webmail.mime.headers import split_header

MESSAGE_LIMIT_BYTES = 512 * 1024 * 1024
LINE_BYTES = 1024 * 1024
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_MARK = b"X-Casilla-End: "
_START = b"X-Casilla-Flags: "
_STATUS = {"R": r"\Seen", "A": r"\Answered", "F": r"\Flagged", "T": r"\Draft", "D": r"\Deleted"}


class TooLarge(ValueError):
    """A message in the file is larger than any can be."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message out of a file: its octets, and what the file told of it."""

    raw: bytes
    flags: frozenset[str] = frozenset()
    received: datetime | None = None


def write_mbox(pieces: Iterable[bytes], *, flags: frozenset[str], received: datetime) -> Iterator[bytes]:
    """One message as it stands in an mbox, in pieces."""
    date = received.astimezone(UTC)
    yield f"From MAILER-DAEMON {date:%a %b %d %H:%M:%S %Y}\n".encode()
    status = "".join(letter for letter, flag in _STATUS.items() if flag in flags and letter in "R")
    marks = "".join(letter for letter, flag in _STATUS.items() if flag in flags and letter not in "R")
    words = " ".join(sorted(flags))
    yield _START + words.encode() + b"\n"
    yield f"X-Casilla-Received: {date.isoformat()}\nStatus: {status}O\nX-Status: {marks}\n".encode()
    held, ended = b"", True
    body: list[bytes] = []
    for piece in pieces:
        held += piece
        cut = held.rfind(b"\n") + 1
        if cut:
            body.append(_FROM.sub(rb">\1", held[:cut]))
            held = held[cut:]
    if held:
        body.append(_FROM.sub(rb">\1", held))
        ended = False
    yield _MARK + (b"whole" if ended else b"open") + b"\n"
    yield from body
    yield b"\n" if ended else b"\n\n"


def read_mbox(file: BinaryIO) -> Iterator[Kept]:
    """The messages of an mbox, ours or anybody's. Raises TooLarge; what stands before the first "From " line is passed over."""
    lines: list[bytes] | None = None
    size, blank = 0, True
    for line in _lines(file):
        if blank and line.startswith(b"From "):
            if lines is not None:
                yield _kept(lines)
            lines, size = [], 0
        elif lines is not None:
            lines.append(line)
            size += len(line)
            if size > MESSAGE_LIMIT_BYTES:
                raise TooLarge
        blank = line in {b"\n", b"\r\n"}
    if lines is not None:
        yield _kept(lines)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines; one that is longer than LINE_BYTES in pieces."""
    while line := file.readline(LINE_BYTES):
        yield line


def _kept(lines: list[bytes]) -> Kept:
    raw = b"".join(lines)
    raw = raw[:-1] if raw.endswith(b"\n") else raw  # the blank line between two messages
    raw = raw[:-1] if raw.endswith(b"\n\r") else raw
    if raw.startswith(_START) and _MARK in raw[:4000]:
        head, _mark, rest = raw.partition(_MARK)
        whole, _end, body = rest.partition(b"\n")
        fields = {name.lower(): value for name, value in split_header(head)[0]}
        flags = frozenset(fields.get("x-casilla-flags", b"").decode("utf-8", "replace").split())
        body = _QUOTED.sub(rb"\1", body)
        return Kept(body if whole == b"whole" else body.removesuffix(b"\n"), flags, _moment(fields))
    raw = _QUOTED.sub(rb"\1", raw)
    return Kept(raw, _foreign_flags(raw), None)


def _moment(fields: dict[str, bytes]) -> datetime | None:
    try:
        return datetime.fromisoformat(fields.get("x-casilla-received", b"").strip().decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None


def _foreign_flags(raw: bytes) -> frozenset[str]:
    """Flags as other programs write them: Status, X-Status, X-Keywords, and Thunderbird's X-Mozilla-Status."""
    fields = {name.lower(): value.strip().decode("ascii", "replace") for name, value in split_header(raw[:65_536])[0]}
    letters = fields.get("status", "") + fields.get("x-status", "")
    flags = {flag for letter, flag in _STATUS.items() if letter in letters and flag != r"\Deleted"}
    mozilla = fields.get("x-mozilla-status", "")
    if re.fullmatch(r"[0-9a-fA-F]{4}", mozilla):
        bits = int(mozilla, 16)
        flags |= {flag for bit, flag in ((1, r"\Seen"), (2, r"\Answered"), (4, r"\Flagged")) if bits & bit}
    words = fields.get("x-keywords", "") + " " + fields.get("x-mozilla-keys", "")
    flags |= {word for word in words.split() if re.fullmatch(r"[$A-Za-z0-9=_-]{1,60}", word)}
    return frozenset(flags)
