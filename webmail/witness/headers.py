"""Header fields by Python's email package, strictly: what is not plainly right is `UNTOLD`, never guessed."""

from __future__ import annotations

import email.header
import email.message
import email.parser
import email.policy
import email.utils
import re
from datetime import UTC, datetime, timedelta

from webmail.witness.seen import UNTOLD, Untold

VALUE_LIMIT = 40_000
_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_UNUSUAL = re.compile(r'[()\[\];:"\\]')
_FIELD = re.compile(rb"[!-9;-~]+:")
_MOMENT = re.compile(
    r"[A-Za-z0-9 ,:]+\b(?:19[789]|20[0-9])[0-9] [0-9:]+ (?:[+-](?:0[0-9]|1[0-4])[0-5][0-9]|GMT|UT|Z)\b"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def read_header(raw: bytes) -> tuple[email.message.Message, bool]:
    """The fields of a header block, and whether every line of it is one or goes on with one."""
    block = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    clean = all(line[:1] in b" \t" or _FIELD.match(line) for line in block.split(b"\n") if line)
    return email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(raw), clean


def subject_of(message: email.message.Message) -> str | Untold:
    """The decoded subject, "" without one."""
    values = message.get_all("Subject") or [""]
    return UNTOLD if len(values) > 1 else _decoded(_flat(values[0]))


def sender_of(message: email.message.Message) -> tuple[tuple[str, str], ...] | Untold:
    """Name and address of everybody in From, () without the field."""
    values = message.get_all("From") or []
    if len(values) > 1:
        return UNTOLD
    text = _flat(values[0]) if values else ""
    if isinstance(text, Untold) or not text.strip():
        return text if isinstance(text, Untold) else ()
    if _UNUSUAL.search(_QUOTED.sub("", text)) or any("=?" in part for part in _QUOTED.findall(text)):
        return UNTOLD
    people: list[tuple[str, str]] = []
    for name, address in email.utils.getaddresses([text]):
        decoded = _decoded(name)
        if isinstance(decoded, Untold) or address.count("@") != 1 or " " in address:
            return UNTOLD
        people.append((decoded, address))
    return tuple(people)


def sent_of(message: email.message.Message) -> datetime | Untold | None:
    """The moment of the Date field, None without one."""
    values = message.get_all("Date") or []
    if not values:
        return None
    return moment_of(str(values[0])) if len(values) == 1 else UNTOLD


def moment_of(text: str) -> datetime | Untold:
    """A date of mail (RFC 5322 section 3.3) in UTC."""
    fields = email.utils.parsedate_tz(text) if _MOMENT.match(text.strip()) else None
    if fields is None or fields[9] is None:
        return UNTOLD
    try:
        return datetime(*fields[:6], tzinfo=UTC) - timedelta(seconds=fields[9])
    except (ValueError, OverflowError):
        return UNTOLD


def _flat(value: object) -> str | Untold:
    """An unfolded value, as it stands. Octets outside ASCII and controls have no meaning there (RFC 5322
    section 2.2)."""
    text = "" if isinstance(value, email.header.Header) else str(value).replace("\n", "").replace("\r", "")
    strange = isinstance(value, email.header.Header) or not text.isascii() or _CONTROL.search(text)
    return UNTOLD if strange or len(text) > VALUE_LIMIT else text


def _decoded(text: str | Untold) -> str | Untold:
    """Encoded words (RFC 2047) made text."""
    if isinstance(text, Untold) or "=?" not in text:
        return text
    if "=?" in _WORD.sub("", text):
        return UNTOLD
    try:
        pieces = email.header.decode_header(text)
        decoded = "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii") for piece, charset in pieces
        )
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return UNTOLD
    return UNTOLD if "=?" in decoded else decoded
