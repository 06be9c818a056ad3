"""What was done to a mailbox, from the lines of Dovecot's mail_log plugin, of the ends of its IMAP sessions, of its deliveries,
and of Postfix's refusals: how many messages, of which folder, and nothing of what is in them.

The forms are held at both ends, as in lines.py. A folder's name may hold anything; it is cut where it would be too long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from accounts.activity.lines import clean_text, moment_of, text_of

FOLDER_MAX = 200
_ADDRESS = rb"([0-9a-fA-F.:]+)"
_STAMP = rb"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}) "
_PREFIX = rb"\(([^)]*)\)<\d+><([^>]*)><" + _ADDRESS + rb"?><([^>]*)>: Info: "
_DONE = re.compile(
    _STAMP
    + rb"(imap|lmtp)"
    + _PREFIX
    + rb"(?:sieve: )?(expunge|save|copy from (.*?)): box=(.*?)"
    # What strangers choose, the Message-ID, stands behind the folder: the first number that follows that ends it.
    + rb"(?:, uid=\d{1,10}(?:, msgid=(.*?))?)?(?:, vsize=(\d{1,15}))?"
)
_IMAP_ENDED = re.compile(_STAMP + rb"imap" + _PREFIX + rb"Disconnected: .*body_count=(\d{1,9}) body_bytes=(\d{1,15})")
_REFUSED = re.compile(
    rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ postfix/smtpd\[\d+\]: NOQUEUE: reject: RCPT from [^ ]*: "
    rb"([45]\d\d) (\d\.\d{1,3}\.\d{1,3}) <([^>]*)>: Recipient address rejected: .*"
)
# What Dovecot refused when Postfix handed it over: where nobody had told the size before, or it leads there by another address.
_BOUNCED = re.compile(
    rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ postfix/lmtp\[\d+\]: \w+: to=<([^>]*)>, (?:orig_to=<([^>]*)>, )?relay=[^ ,]+, "
    rb"(?:conn_use=\d+, )?delay=[\d.]+, delays=[\d./]+, dsn=(5\.\d{1,3}\.\d{1,3}), status=bounced \(.*\)"
)
_KINDS = {b"expunge": "removed", b"save": "saved"}
_FULL = (b"5.2.2", b"4.2.2")


@dataclass(frozen=True, slots=True)
class Deed:
    """So many messages were removed from a folder, copied or moved from it to `target`, saved into it, read (anywhere), or came
    in; or were refused, `folder` being why (full or other). `asked_by` is the master user for Casilla's own sessions."""

    at: datetime
    user: str
    protocol: str
    session: str
    asked_by: str
    address: str
    kind: str
    folder: str = ""
    target: str = ""
    count: int = 1
    size_bytes: int = 0
    message: str = ""
    """Its Message-ID, by which a copy and a removal are brought together (moves.py); kept nowhere."""


def read_done(line: bytes) -> Deed | None:
    """What a line of mail_log tells, in an IMAP session or of a delivery."""
    found = _DONE.fullmatch(line)
    if found is None:
        return None
    at, protocol, user, session, address, asked_by, verb, source, box, message, size = found.groups()
    arrived = protocol == b"lmtp"
    if arrived and verb != b"save":
        return None
    kind = "arrived" if arrived else _KINDS.get(verb, "copied")
    folder, target = (source, box) if source is not None else (box, b"")
    return Deed(
        moment_of(at),
        text_of(user),
        "lmtp" if arrived else "imap",
        text_of(session),
        text_of(asked_by),
        text_of(address or b""),
        kind,
        _folder(folder),
        _folder(target),
        size_bytes=int(size or 0),
        message="" if arrived else text_of(message or b""),
    )


def read_imap_end(line: bytes) -> Deed | None:
    """How many messages an IMAP session that has ended had read; None for none."""
    found = _IMAP_ENDED.fullmatch(line)
    if found is None or not int(found[6]):
        return None
    at, user, session, address, asked_by, count, size = found.groups()
    return Deed(
        moment_of(at),
        text_of(user),
        "imap",
        text_of(session),
        text_of(asked_by),
        text_of(address or b""),
        "read",
        count=int(count),
        size_bytes=int(size),
    )


def read_refusal(line: bytes, now: datetime) -> Deed | None:
    """What a line of Postfix's log tells of mail that was refused at RCPT, or by the mailbox when it was handed over and then
    sent back; `target` is the address to which it was written, where that is another. Its lines have no year and no zone: they
    are of the zone of `now`, and no more than a day ahead of it."""
    if b"\0" in line:
        return None
    if b"NOQUEUE: reject: RCPT" in line:
        if (found := _REFUSED.fullmatch(line)) is None:
            return None
        stamp, _code, status, recipient = found.groups()
        written = b""
    elif b" postfix/lmtp[" in line:
        if (found := _BOUNCED.fullmatch(line)) is None:
            return None
        stamp, recipient, written, status = found.groups()
    else:
        return None
    try:
        at = dated(stamp, now)
    except ValueError:
        return None
    why = "full" if status in _FULL else "other"
    user, to = _address(recipient), _address(written or b"")
    return Deed(at, user, "smtp", "", "", "", "refused", why, "" if to == user else to)


def _address(raw: bytes) -> str:
    """An address, fit to be compared and kept."""
    return clean_text(text_of(raw), most=FOLDER_MAX).lower()


def dated(stamp: bytes, now: datetime) -> datetime:
    """The moment of "Nov 27 21:42:08" in the zone of `now`, no more than a day ahead of it. Raises ValueError."""
    for year in (now.year + 1, now.year, now.year - 1):
        at = _local(stamp, year, now.tzinfo)
        if at is not None and at <= now + timedelta(days=1):
            return at
    raise ValueError("no such day")


@lru_cache(maxsize=1024)
def _local(stamp: bytes, year: int, zone: tzinfo | None) -> datetime | None:
    try:
        return datetime.strptime(f"{year} {stamp.decode('ascii')}", "%Y %b %d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _folder(raw: bytes) -> str:
    """A folder's name, fit to be shown and kept."""
    return clean_text(text_of(raw), most=FOLDER_MAX)
