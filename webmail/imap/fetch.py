"""FETCH: rows and messages out of the server's answers. Never ENVELOPE: one broken header must not spoil a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from webmail.imap.connection import Connection
from webmail.imap.wire import Flight, Piece, Token, Untagged, uid_set
from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import find_html, find_plain, has_attachment
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, split_header
from webmail.mime.snippet import snippet_from_html, snippet_from_text
from webmail.mime.structure import part_from_fields
from webmail.values import FolderId, Part, PartNumber, Ref, Summary

LIST_HEADERS = b"FROM TO SUBJECT DATE MESSAGE-ID"
LIST_HEADER_LIMIT_BYTES = 16_384
SNIPPET_LIMIT_BYTES = 2_048
DEPTH_LIMIT = 50
PARTS_LIMIT = 1_000
PEOPLE_LIMIT = 20

ROW_ITEMS = b"UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (
    LIST_HEADERS,
    LIST_HEADER_LIMIT_BYTES,
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The items of one FETCH response, by name in capitals; a body section under its whole name without its origin."""

    items: Mapping[bytes, Token]

    @property
    def uid(self) -> int:
        value = self.items.get(b"UID")
        return int(value) if isinstance(value, bytes) and value.isdigit() else 0

    def text(self, name: bytes) -> bytes:
        value = self.items.get(name)
        return value if isinstance(value, bytes) else b""

    def flags(self) -> frozenset[str]:
        value = self.items.get(b"FLAGS")
        words = value if isinstance(value, list) else []
        return frozenset(_flag(word) for word in words if isinstance(word, bytes))

    def section(self) -> bytes:
        """The first body section of the response."""
        for name, value in self.items.items():
            if name.startswith(b"BODY[") and isinstance(value, bytes):
                return value
        return b""


def _flag(word: bytes) -> str:
    name = word.decode("utf-8", "replace")
    return "\\" + name[1:].capitalize() if name.startswith("\\") else name


def parse_fetch(response: Untagged) -> Fetched:
    """One FETCH response in tokens."""
    tokens = response.tokens()
    items = tokens[0] if tokens and isinstance(tokens[0], list) else []
    pairs = zip(items[::2], items[1::2], strict=False)
    return Fetched({key.upper().partition(b"<")[0]: value for key, value in pairs if isinstance(key, bytes)})


def fetch(connection: Connection, uids: Iterable[int], items: bytes) -> dict[int, Fetched]:
    """FETCHes items of messages of the selected folder; those that are not there any more are not in the result."""
    wanted = list(uids)
    if not wanted:
        return {}
    flight = connection.ask(b"UID", b"FETCH", uid_set(wanted), b"(%s)" % items)
    return _by_uid(flight, set(wanted))


def _by_uid(flight: Flight, wanted: set[int]) -> dict[int, Fetched]:
    found: dict[int, Fetched] = {}
    for response in flight.of(b"FETCH"):
        fetched = parse_fetch(response)
        if fetched.uid in wanted:
            known = found.get(fetched.uid)
            found[fetched.uid] = Fetched({**known.items, **fetched.items}) if known else fetched
    return found


def fetch_flags(connection: Connection, uids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The flags of messages now."""
    return {uid: fetched.flags() for uid, fetched in fetch(connection, uids, b"UID FLAGS").items()}


def fetch_rows(connection: Connection, folder: FolderId, validity: int, uids: list[int]) -> dict[int, Summary]:
    """Summaries of messages, with snippets. A message that the server cannot describe gets a row that says so."""
    if not uids:
        return {}
    preview = b" PREVIEW" if connection.has("PREVIEW") else b""
    flight = connection.run([b"UID", b"FETCH", uid_set(uids), b"(%s%s)" % (ROW_ITEMS, preview)])
    found = _by_uid(flight, set(uids))
    if flight.ends[0].status != b"OK":
        found |= _one_by_one(connection, [uid for uid in uids if not _complete(found.get(uid))])
    rows = {uid: _row(folder, validity, fetched) for uid, fetched in found.items()}
    if not preview:
        _add_snippets(connection, rows, found)
    return rows


def _complete(fetched: Fetched | None) -> bool:
    return fetched is not None and bool(fetched.section()) and b"BODYSTRUCTURE" in fetched.items


def _one_by_one(connection: Connection, uids: list[int]) -> dict[int, Fetched]:
    """After a NO: each message alone, and the least of the one that is at fault."""
    found: dict[int, Fetched] = {}
    for uid in uids:
        for items in (ROW_ITEMS, b"UID FLAGS INTERNALDATE RFC822.SIZE", b"UID FLAGS"):
            flight = connection.run([b"UID", b"FETCH", uid_set([uid]), b"(%s)" % items])
            if flight.ends[0].status == b"OK":
                found |= _by_uid(flight, {uid})
                break
    return found


def _row(folder: FolderId, validity: int, fetched: Fetched) -> Summary:
    structure = structure_of(fetched)
    fields, defects = split_header(fetched.section())
    headers = {name.lower(): value for name, value in reversed(fields)}
    sent = parse_date(headers["date"]) if "date" in headers else None
    codes = [defect.code for defect in defects]
    if "date" in headers and sent is None:
        codes.append("date")
    if not fetched.section() and structure is None:
        codes.append("unreadable")
    preview = fetched.items.get(b"PREVIEW")
    return Summary(
        ref=Ref(folder, validity, str(fetched.uid)),
        subject=decode_header(headers.get("subject", b"")),
        sender=parse_addresses(headers.get("from", b""), PEOPLE_LIMIT)[0],
        recipients=parse_addresses(headers.get("to", b""), PEOPLE_LIMIT)[0],
        sent=sent,
        received=internal_date(fetched),
        size_bytes=int(fetched.text(b"RFC822.SIZE") or 0),
        flags=fetched.flags(),
        snippet=snippet_from_text(preview.decode("utf-8", "replace")) if isinstance(preview, bytes) else "",
        has_attachment=structure is not None and has_attachment(structure),
        message_id=decode_header(headers.get("message-id", b""))[:1000],
        defects=tuple(dict.fromkeys(codes)),
    )


def internal_date(fetched: Fetched) -> datetime:
    """When the server received it; the epoch when it does not say."""
    text = fetched.text(b"INTERNALDATE").strip().replace(b"-", b" ", 2)
    return parse_date(text) or datetime.fromtimestamp(0, UTC)


def _add_snippets(connection: Connection, rows: dict[int, Summary], found: dict[int, Fetched]) -> None:
    """For servers without PREVIEW (RFC 8970): the first bytes of each message's text, one command for each part number."""
    parts = {uid: part for uid in rows if (part := _snippet_part(found[uid]))}
    groups: dict[PartNumber, list[int]] = {}
    for uid, part in parts.items():
        groups.setdefault(part.number, []).append(uid)
    commands: list[list[Piece]] = [
        [b"UID", b"FETCH", uid_set(uids), b"(UID BODY.PEEK[%s]<0.%d>)" % (number.encode(), SNIPPET_LIMIT_BYTES)]
        for number, uids in groups.items()
    ]
    if not commands:
        return
    flight = connection.run(*commands)
    for uid, fetched in _by_uid(flight, set(parts)).items():
        rows[uid] = replace(rows[uid], snippet=_snippet(parts[uid], fetched.section()))


def _snippet_part(fetched: Fetched) -> Part | None:
    structure = structure_of(fetched)
    return structure and (find_plain(structure) or find_html(structure))


def _snippet(part: Part, data: bytes) -> str:
    text, _guessed = text_of(part, decode_part(part, data))
    return snippet_from_html(text) if part.subtype == "html" else snippet_from_text(text)


def structure_of(fetched: Fetched) -> Part | None:
    """The MIME tree of a BODYSTRUCTURE, None when there is none that can be read."""
    value = fetched.items.get(b"BODYSTRUCTURE")
    if not isinstance(value, list) or not value:
        return None
    return _part(value, "", 0, [0])


def _part(items: list[Token], prefix: str, depth: int, count: list[int]) -> Part:
    count[0] += 1
    if items and isinstance(items[0], list):
        return _multipart(items, prefix, depth, count)
    return _leaf(items, prefix or "1", depth, count)


def _multipart(items: list[Token], prefix: str, depth: int, count: list[int]) -> Part:
    children: list[Part] = []
    at = 0
    while at < len(items) and isinstance(child := items[at], list):
        at += 1
        if depth < DEPTH_LIMIT and count[0] < PARTS_LIMIT:
            children.append(_part(child, f"{prefix}.{at}" if prefix else str(at), depth + 1, count))
    subtype = _text(items, at)
    return part_from_fields(
        PartNumber(prefix), "multipart", subtype or "mixed", _params(items, at + 1), children=tuple(children)
    )


def _leaf(items: list[Token], number: str, depth: int, count: list[int]) -> Part:
    """A part that is no multipart (RFC 3501 section 7.4.2): seven fields, more for text and message, then extensions."""
    type_, subtype = _text(items, 0).lower(), _text(items, 1).lower()
    children: tuple[Part, ...] = ()
    extension = 7
    if type_ == "text":
        extension = 8
    elif (type_, subtype) in {("message", "rfc822"), ("message", "global")}:
        extension = 10
        inner = items[8] if len(items) > 8 else None
        if isinstance(inner, list) and inner and depth < DEPTH_LIMIT and count[0] < PARTS_LIMIT:
            multipart = isinstance(inner[0], list)
            children = (_part(inner, number if multipart else f"{number}.1", depth + 1, count),)
    disposition = items[extension + 1] if len(items) > extension + 1 else None
    kind, disposition_params = _disposition(disposition)
    size = _text(items, 6)
    return part_from_fields(
        PartNumber(number),
        type_,
        subtype,
        _params(items, 2),
        encoding=_text(items, 5),
        size=int(size) if size.isdigit() else 0,
        disposition=kind,
        disposition_params=disposition_params,
        cid=_bytes(items, 3),
        description=_bytes(items, 4),
        children=children,
    )


def _disposition(value: Token) -> tuple[str, dict[str, bytes]]:
    if not isinstance(value, list) or not value or not isinstance(value[0], bytes):
        return "", {}
    return value[0].decode("ascii", "replace"), _params(value, 1)


def _params(items: list[Token], at: int) -> dict[str, bytes]:
    value = items[at] if len(items) > at else None
    if not isinstance(value, list):
        return {}
    pairs = zip(value[::2], value[1::2], strict=False)
    return {
        key.decode("ascii", "replace").lower(): text
        for key, text in pairs
        if isinstance(key, bytes) and isinstance(text, bytes)
    }


def _bytes(items: list[Token], at: int) -> bytes:
    value = items[at] if len(items) > at else None
    return value if isinstance(value, bytes) else b""


def _text(items: list[Token], at: int) -> str:
    return _bytes(items, at).decode("ascii", "replace")
