"""One line of Dovecot's log, understood: the forms are those of deploy/dovecot/dovecot.conf, as Dovecot 2.3.19 writes them.

Strangers choose user names and program names, so every form is held at its beginning and at its end; control characters Dovecot
itself replaces. What is no line of ours is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

TEXT_MAX = 60


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session has begun. `asked_by` is who gave the password: the master user for Casilla's own sessions; `app` the id of
    the device's password that was given, 0 for the mailbox's own."""

    at: datetime
    protocol: str
    user: str
    asked_by: str
    address: str
    session: str
    app: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """A program has said what it is (IMAP ID, RFC 2971), before its sign-in or after it."""

    at: datetime
    session: str
    program: str
    version: str


@dataclass(frozen=True, slots=True)
class PopEnded:
    """A POP3 session has ended, having fetched and removed so many messages. `top` were asked for by TOP (RFC 1939, section 7)
    in part; where that gave the whole maildrop, as it does to fetchmail, they count as fetched."""

    at: datetime
    user: str
    asked_by: str
    address: str
    retrieved: int
    deleted: int
    session: str = ""
    size_bytes: int = 0
    top: int = 0
    top_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Reserved:
    """A POP3 session has removed a message, which lies in the reserve under this number."""

    at: datetime
    session: str
    uid: int


Event = SignedIn | Named | PopEnded | Reserved

_STAMP = rb"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}) "
_ADDRESS = rb"([0-9a-fA-F.:]+)"
# (user)<pid><session><address><asked by>
_PREFIX = rb"\(([^)]*)\)<\d+><([^>]*)><" + _ADDRESS + rb"><([^>]*)>: Info: "
_SIGNED_IN = re.compile(
    _STAMP
    + rb"(imap|pop3|managesieve)-login: Info: Login: user=<([^>]*)>, auth=<([^>]*)>, .*?rip="
    + _ADDRESS
    + rb", .*?(?:app=<(\d{0,18})>, )?session=<([^>]*)>"
)
_NAMED_BEFORE = re.compile(_STAMP + rb"imap-login: Info: ID sent: (.*): user=<[^>]*>, .*session=<([^>]*)>")
_NAMED_AFTER = re.compile(_STAMP + rb"imap" + _PREFIX + rb"ID sent: (.*)")
_RESERVED = re.compile(_STAMP + rb"pop3" + _PREFIX + rb"copy from INBOX: box=\.reserve/INBOX, uid=(\d{1,10})(?:, .*)?")
_POP_ENDED = re.compile(
    _STAMP
    + rb"pop3"
    + _PREFIX
    + rb"Disconnected: .*top=(\d{1,9})/(\d{1,15}), retr=(\d{1,9})/(\d{1,15}), del=(\d{1,9})/(\d{1,9}), size=(\d{1,15})"
)


def read_line(line: bytes) -> Event | None:
    """The event that a line (without its line feed) tells of."""
    if b"\0" in line:
        return None
    rest = line[25:39]
    for start, read in _FORMS:
        if rest.startswith(start):
            try:
                return read(line)
            except ValueError:  # a day that no calendar has
                return None
    return None


def _signed_in(line: bytes) -> Event | None:
    found = _SIGNED_IN.fullmatch(line)
    if found is None:
        return None
    at, protocol, user, asked_by, address, app, session = found.groups()
    people = text_of(user), text_of(asked_by)
    return SignedIn(moment_of(at), text_of(protocol), *people, text_of(address), text_of(session), int(app or 0))


def _login_line(line: bytes) -> Event | None:
    """Of imap-login: a sign-in, or a name given before it."""
    found = _NAMED_BEFORE.fullmatch(line)
    if found is None:
        return _signed_in(line)
    at, fields, session = found.groups()
    return _named(at, session, fields)


def _named_after(line: bytes) -> Event | None:
    found = _NAMED_AFTER.fullmatch(line)
    if found is None:
        return None
    at, _user, session, _address, _asked_by, fields = found.groups()
    return _named(at, session, fields)


def _named(at: bytes, session: bytes, fields: bytes) -> Named | None:
    program, version = _id_fields(text_of(fields))
    return Named(moment_of(at), text_of(session), program, version) if program else None


def _id_fields(text: str) -> tuple[str, str]:
    """Name and version, which stand in the order in which the program sent them."""
    if text.startswith("version="):
        version, _, name = text.removeprefix("version=").partition(", name=")
    else:
        name, _, version = text.removeprefix("name=").partition(", version=")
    return clean_text(name), clean_text(version)


def _pop_line(line: bytes) -> Event | None:
    """Of a POP3 session: a message that it removed, or its end."""
    found = _RESERVED.fullmatch(line)
    if found is None:
        return _pop_ended(line)
    at, _user, session, _address, _asked_by, uid = found.groups()
    return Reserved(moment_of(at), text_of(session), int(uid))


def _pop_ended(line: bytes) -> Event | None:
    found = _POP_ENDED.fullmatch(line)
    if found is None:
        return None
    at, user, session, address, asked_by = found.groups()[:5]
    top, top_bytes, retrieved, fetched_bytes, deleted, all_, all_bytes = map(int, found.groups()[5:])
    if top and top >= all_ and top_bytes >= all_bytes:
        retrieved, fetched_bytes, top, top_bytes = retrieved + top, fetched_bytes + top_bytes, 0, 0
    who = moment_of(at), text_of(user), text_of(asked_by), text_of(address)
    return PopEnded(*who, retrieved, deleted, text_of(session), fetched_bytes, top, top_bytes)


_FORMS: tuple[tuple[bytes, Callable[[bytes], Event | None]], ...] = (
    (b"imap-login: ", _login_line),
    (b"pop3-login: ", _signed_in),
    (b"managesieve-", _signed_in),
    (b"imap(", _named_after),
    (b"pop3(", _pop_line),
)


def clean_text(text: str, *, most: int = TEXT_MAX) -> str:
    """What a program calls itself, fit to be shown: nothing invisible, nothing that turns the line round, not too long."""
    return " ".join("".join(char for char in text if char.isprintable()).split())[:most]


@lru_cache(maxsize=1024)
def moment_of(stamp: bytes) -> datetime:
    """The moment of "2026-11-27T21:42:08-0300". Raises ValueError."""
    return datetime.strptime(stamp.decode("ascii"), "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)


def text_of(raw: bytes) -> str:
    """Text of a log, whatever its bytes."""
    return raw.decode("utf-8", "replace")
