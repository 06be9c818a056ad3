"""The IMAP wire: commands made safe on the way out, responses cut into tokens on the way in (RFC 9051 section 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from webmail.errors import Refused

NESTING_LIMIT = 500

Token = bytes | None | list["Token"]
"""An atom, string or literal as bytes, NIL as None, a parenthesised list as a list."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_FLAG = re.compile(r"\\?[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]{1,200}")
_TOKEN = re.compile(
    rb'[ \r\n\t]*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"|~?\{(?P<literal>\d{1,12})\+?\}\r\n'
    rb'|(?P<atom>(?i:BODY|BINARY|BINARY\.SIZE)\[[^\]]{0,1000}\][^\s()"]*|[^\s()"]+))',
    re.DOTALL,
)
_OPEN, _QUOTED, _LITERAL, _ATOM = (_TOKEN.groupindex[name] for name in ("open", "quoted", "literal", "atom"))
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets that go out as a literal (RFC 9051 section 4.3), counted in bytes."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """An argument, quoted already, that must not show in a traceback."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A line that goes out once the server asks for it with + (RFC 9051 section 7.6), as in AUTHENTICATE."""

    data: bytes = field(repr=False)


Piece = bytes | Literal | Answer | Secret


def quote(text: str) -> bytes | Literal:
    """A string argument: quoted when it is plain ASCII, else a literal. Raises Refused for control characters and lone
    surrogates that stand for no byte, so that no argument can end a command."""
    if _UNSAFE.search(text):
        raise Refused("control character in an argument")
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise Refused("lone surrogate in an argument") from error
    if data.isascii() and len(data) < 1000:
        return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return Literal(data)


def uid_set(uids: Iterable[int]) -> bytes:
    """UIDs as a sequence set, runs joined: 1:4,7. Raises Refused for anything that is no UID."""
    numbers = sorted(set(uids))
    if not numbers or numbers[0] < 1 or numbers[-1] > 0xFFFFFFFF:
        raise Refused("not a UID")
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return b",".join(b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in runs)


def parse_uid_set(text: bytes) -> Iterator[int]:
    """The UIDs of a set in its own order, as ESEARCH and COPYUID give them. Ranges are read upwards."""
    for piece in text.split(b","):
        first, colon, last = piece.partition(b":")
        if not first.isdigit() or (colon and not last.isdigit()):
            continue
        low = int(first)
        high = int(last) if colon else low
        yield from range(min(low, high), min(max(low, high), min(low, high) + 5_000_000) + 1)


def flag_list(flags: Iterable[str]) -> bytes:
    """Flags as a parenthesised list. Raises Refused for what is no flag."""
    names = list(flags)
    if not names or not all(_FLAG.fullmatch(name) for name in names):
        raise Refused("not a flag")
    return b"(" + " ".join(names).encode("ascii") + b")"


def tokenize(data: bytes, start: int = 0) -> list[Token]:
    """The tokens of a response from `start` on. Lists may be cut short by a broken server; nesting is bounded."""
    top: list[Token] = []
    stack, push, find = [top], top.append, _TOKEN.match
    at = start
    while match := find(data, at):
        at = match.end()
        kind = match.lastindex
        if kind == _ATOM:
            atom = match[_ATOM]
            push(None if len(atom) == 3 and atom.upper() == b"NIL" else atom)
        elif kind == _QUOTED:
            text = match[_QUOTED]
            push(_ESCAPE.sub(rb"\1", text) if b"\\" in text else text)
        elif kind == _OPEN:
            inner: list[Token] = []
            if len(stack) < NESTING_LIMIT:
                push(inner)
            stack.append(inner)
            push = inner.append
        elif kind == _LITERAL:
            size = int(match[_LITERAL])
            push(data[at : at + size])
            at += size
        elif len(stack) > 1:
            stack.pop()
            push = stack[-1].append
    return top


@dataclass(frozen=True, slots=True)
class Untagged:
    """One untagged response: its kind in capitals (FETCH, LIST, EXISTS...), its message number if it has one, and
    everything after the kind."""

    kind: bytes
    number: int
    data: bytes

    def tokens(self) -> list[Token]:
        return tokenize(self.data)


@dataclass(frozen=True, slots=True)
class Tagged:
    """The end of a command: OK, NO or BAD, the response code without brackets (b"" without one), and the text."""

    status: bytes
    code: bytes
    text: str


@dataclass(slots=True)
class Flight:
    """What came back for commands that were sent together: one end each, and all untagged responses in order. `marks`
    tells how many of these had come when each command ended."""

    ends: list[Tagged] = field(default_factory=list)
    untagged: list[Untagged] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    tags: list[bytes] = field(default_factory=list)

    def after(self, count: int) -> Flight:
        """What came after the first `count` commands had ended, and how the others did."""
        start = max(self.marks[:count])
        marks = [max(0, mark - start) for mark in self.marks[count:]]
        return Flight(self.ends[count:], self.untagged[start:], marks, self.tags[count:])

    def without_first(self) -> Flight:
        """The same answers, without the end of the first command."""
        return Flight(self.ends[1:], self.untagged, self.marks[1:], self.tags[1:])

    def from_command(self, count: int) -> Flight:
        """How the commands after the first `count` ended, with all that came: what it is for, its kind tells."""
        return Flight(self.ends[count:], self.untagged, self.marks[count:], self.tags[count:])

    def up_to_command(self, count: int) -> Flight:
        """The same for the first `count` commands."""
        return Flight(self.ends[:count], self.untagged, self.marks[:count], self.tags[:count])

    def of(self, kind: bytes) -> list[Untagged]:
        return [response for response in self.untagged if response.kind == kind]

    def codes(self) -> dict[bytes, bytes]:
        """Response codes of untagged OKs: {b"UIDVALIDITY": b"1234"}."""
        found: dict[bytes, bytes] = {}
        for response in self.of(b"OK"):
            name, _space, value = split_code(response.data)[0].partition(b" ")
            if name:
                found[name.upper()] = value
        return found


def split_code(text: bytes) -> tuple[bytes, bytes]:
    """(response code, rest) of a status text."""
    text = text.strip()
    if not text.startswith(b"["):
        return b"", text
    code, _bracket, rest = text[1:].partition(b"]")
    return code, rest.strip()


def parse_tagged(line: bytes) -> Tagged:
    """The end of a command, from what stands after its tag."""
    status, _space, rest = line.strip().partition(b" ")
    code, text = split_code(rest)
    return Tagged(status.upper(), code, text.decode("utf-8", "replace")[:500])


def parse_untagged(line: bytes) -> Untagged:
    """An untagged response, from what stands after the star."""
    word, _space, rest = line.partition(b" ")
    if word.isdigit():
        kind, _space, rest = rest.partition(b" ")
        return Untagged(kind.strip().upper(), int(word[:12]), rest)
    return Untagged(word.strip().upper(), 0, rest)
