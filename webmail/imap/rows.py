"""Rows of a message list out of FETCH: each message on its own, so that a broken one spoils no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from webmail.errors import Unreachable
from webmail.imap.connection import EXPUNGED, Connection
from webmail.imap.fetch import Fetched, by_uid, fetch, fetch_command, parse_fetch
from webmail.imap.wire import Flight, Piece
from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import find_html, find_plain, has_attachment
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, split_header
from webmail.mime.snippet import snippet_from_html, snippet_from_text
from webmail.values import FolderId, Part, PartNumber, Ref, Summary

LIST_HEADERS = b"FROM TO SUBJECT DATE MESSAGE-ID"
LIST_HEADER_LIMIT_BYTES = 16_384
SNIPPET_LIMIT_BYTES = 2_048
PEOPLE_LIMIT = 20

LEAST_ITEMS = b"UID FLAGS INTERNALDATE RFC822.SIZE"
_SHOWN_ITEMS = b" BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (LIST_HEADERS, LIST_HEADER_LIMIT_BYTES)
ROW_ITEMS = LEAST_ITEMS + _SHOWN_ITEMS
UNSIZED_ITEMS = b"UID FLAGS INTERNALDATE" + _SHOWN_ITEMS
"""Without the size, which a list shows only where it sorts by it. Of a Maildir Dovecot 2.3 has everything else in its cache, and
reads the whole list of UIDs for the size: 76 CPU-ms at 100,000."""


@dataclass(frozen=True, slots=True)
class Row:
    """A summary, and the MIME tree that was read with it. `lasting` when it may be kept: nothing of it can change."""

    summary: Summary
    structure: Part | None
    lasting: bool = True


def row_items(connection: Connection, *, sized: bool = True) -> bytes:
    """What is fetched for a row. PREVIEW (RFC 8970), where the server has it, is asked for without LAZY: Dovecot answers
    NIL to that until somebody made the preview."""
    return (ROW_ITEMS if sized else UNSIZED_ITEMS) + (b" PREVIEW" if connection.has("PREVIEW") else b"")


def fetch_rows(
    connection: Connection, folder: FolderId, validity: int, uids: list[int], flags_of: Iterable[int] = ()
) -> tuple[dict[int, Row], dict[int, frozenset[str]]]:
    """Rows of `uids`, with snippets, and in the same flight the flags of the messages `flags_of`. A message that the server
    cannot describe gets a row that says so."""
    known = list(flags_of)
    commands = [fetch_command(uids, row_items(connection))] if uids else []
    commands += [fetch_command(known, b"UID FLAGS")] if known else []
    if not commands:
        return {}, {}
    flight = connection.run(*commands)
    found = by_uid(flight, [*uids, *known])
    flags = {uid: found[uid].flags() for uid in known if uid in found}
    fresh = {uid: found[uid] for uid in uids if uid in found}
    if uids and flight.ends[0].code.upper() == EXPUNGED:
        fresh = {uid: one for uid, one in fresh.items() if _complete(one)}
    elif uids and flight.ends[0].status != b"OK":
        fresh |= _one_by_one(connection, [uid for uid in uids if not _complete(fresh.get(uid))])
    rows = {uid: _row(folder, validity, fetched) for uid, fetched in fresh.items()}
    _add_snippets(connection, rows, fresh)
    return rows, flags


def newest_command(connection: Connection, first: int, last: int, *, sized: bool) -> list[Piece]:
    """FETCH of rows by message numbers, both ends included: what came last is known by them without its UIDs. Rows that are not
    `sized` are for showing only."""
    return [b"FETCH", b"%d:%d" % (first, last), b"(" + row_items(connection, sized=sized) + b")"]


def newest_rows(connection: Connection, folder: FolderId, validity: int, flight: Flight) -> dict[int, Row]:
    """The rows from the answer to `newest_command`, with snippets, when that was the first command of its flight. Nothing where
    the server could not describe each of them."""
    if flight.ends[0].status != b"OK" or flight.ends[0].code:
        return {}
    asked = [one.uid for one in map(parse_fetch, flight.of(b"FETCH")) if _complete(one)]
    found = by_uid(flight, asked)
    rows = {uid: _row(folder, validity, fetched) for uid, fetched in found.items()}
    _add_snippets(connection, rows, found)
    return rows


def fetch_least(connection: Connection, folder: FolderId, validity: int, uid: int) -> dict[int, Row]:
    """The row of a message of which nothing but flags, date and size can be had."""
    return {uid: _row(folder, validity, fetched) for uid, fetched in fetch(connection, [uid], LEAST_ITEMS).items()}


def _complete(fetched: Fetched | None) -> bool:
    return fetched is not None and bool(fetched.section()) and b"BODYSTRUCTURE" in fetched.items


def _one_by_one(connection: Connection, uids: list[int]) -> dict[int, Fetched]:
    """After a NO: each message alone, all in one flight, and then the least of those that are at fault."""
    found: dict[int, Fetched] = {}
    for items in (ROW_ITEMS, LEAST_ITEMS, b"UID FLAGS"):
        left = [uid for uid in uids if uid not in found]
        if left:
            flight = connection.run(*(fetch_command([uid], items) for uid in left))
            fine = {uid for uid, end in zip(left, flight.ends, strict=True) if end.status == b"OK"}
            found |= by_uid(flight, fine)
    return found


def _row(folder: FolderId, validity: int, fetched: Fetched) -> Row:
    structure = fetched.structure()
    section = fetched.section()
    fields, defects = split_header(section)
    headers = {name.lower(): value for name, value in reversed(fields)}
    sent = parse_date(headers["date"]) if "date" in headers else None
    codes = [defect.code for defect in defects]
    if "date" in headers and sent is None:
        codes.append("date")
    unreadable = not section and structure is None
    if unreadable:
        codes.append("unreadable")
    preview = fetched.items.get(b"PREVIEW")
    summary = Summary(
        ref=Ref(folder, validity, str(fetched.uid)),
        subject=decode_header(headers.get("subject", b"")),
        sender=parse_addresses(headers.get("from", b""), PEOPLE_LIMIT)[0],
        recipients=parse_addresses(headers.get("to", b""), PEOPLE_LIMIT)[0],
        sent=sent,
        received=fetched.received(),
        size_bytes=fetched.number(b"RFC822.SIZE"),
        flags=fetched.flags(),
        snippet=snippet_from_text(preview.decode("utf-8", "replace")) if isinstance(preview, bytes) else "",
        has_attachment=structure is not None and has_attachment(structure),
        message_id=decode_header(headers.get("message-id", b""))[:1000],
        defects=tuple(dict.fromkeys(codes)),
    )
    return Row(summary, structure, lasting=not unreadable and b"RFC822.SIZE" in fetched.items)


def _add_snippets(connection: Connection, rows: dict[int, Row], found: dict[int, Fetched]) -> None:
    """Where the server made no preview: the first bytes of each message's text, one command for each part number. A list
    without snippets is better than none, so what goes wrong here is let go."""
    parts = {
        uid: part
        for uid, row in rows.items()
        if not isinstance(found[uid].items.get(b"PREVIEW"), bytes) and (part := _snippet_part(row.structure))
    }
    groups: dict[PartNumber, list[int]] = {}
    for uid, part in parts.items():
        groups.setdefault(part.number, []).append(uid)
    commands: list[list[Piece]] = [
        fetch_command(uids, b"UID BODY.PEEK[%s]<0.%d>" % (number.encode(), SNIPPET_LIMIT_BYTES))
        for number, uids in groups.items()
    ]
    if not commands:
        return
    try:
        flight = connection.run(*commands)
    except Unreachable:
        rows |= {uid: replace(rows[uid], lasting=False) for uid in parts}
        return
    for uid, fetched in by_uid(flight, parts).items():
        row = rows[uid]
        rows[uid] = replace(row, summary=replace(row.summary, snippet=_snippet(parts[uid], fetched.section())))


def _snippet_part(structure: Part | None) -> Part | None:
    return structure and (find_plain(structure) or find_html(structure))


def _snippet(part: Part, data: bytes) -> str:
    text, _guessed = text_of(part, decode_part(part, data))
    return snippet_from_html(text) if part.subtype == "html" else snippet_from_text(text)
