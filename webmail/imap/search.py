"""Order and filters: the server sorts and searches where it can; where it cannot, we read the fields and sort."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Callable

from webmail.errors import Gone, Refused
from webmail.imap.connection import Connection, check
from webmail.imap.fetch import Fetched, parse_fetch
from webmail.imap.selected import extended_result, search_result
from webmail.imap.wire import Flight, Piece, quote
from webmail.mime.addresses import parse_addresses
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, split_header
from webmail.mime.subjects import base_subject
from webmail.values import Query, SortKey

SORT_KEYS: dict[SortKey, bytes] = {
    "date": b"DATE",
    "from": b"FROM",
    "to": b"TO",
    "subject": b"SUBJECT",
    "size": b"SIZE",
}
HEADERS: dict[SortKey, bytes] = {"date": b"DATE", "from": b"FROM", "to": b"TO", "subject": b"SUBJECT"}
BATCH = 2_000
HEADER_LIMIT_BYTES = 2_000
NOT_BODY = ("SUBJECT", "FROM", "TO", "CC")


def sort_command(connection: Connection, key: SortKey, uids: bytes = b"") -> list[Piece]:
    """UID SORT of all messages, or of a set of UIDs, ascending (RFC 5256); by the names that people see where the server can
    (RFC 5957)."""
    keys = b"DISPLAY" + SORT_KEYS[key] if key in {"from", "to"} and connection.has("SORT=DISPLAY") else SORT_KEYS[key]
    options: list[Piece] = [b"RETURN", b"(ALL)"] if connection.has("ESORT") else []
    which: list[Piece] = [b"UID", uids] if uids else [b"ALL"]
    return [b"UID", b"SORT", *options, b"(" + keys + b")", b"UTF-8", *which]


def sort_result(connection: Connection, flight: Flight, index: int) -> array[int]:
    """The answer to the sort that was command `index` of a flight. Equal ones are in the order of their UIDs."""
    check(flight.ends[index])
    if connection.has("ESORT"):
        return extended_result(flight, flight.tags[index])
    words = (word for response in flight.of(b"SORT") for word in response.data.split())
    return array("I", (int(word) for word in words if word.isdigit()))


def sort_here(connection: Connection, key: SortKey, beat: Callable[[int], None] = lambda _done: None) -> array[int]:
    """For servers without SORT: reads the one field that the order needs, in batches, and sorts (RFC 5256 for what is
    compared). `beat` is called after each batch with how many are through."""
    flight = connection.ask(b"UID", b"SEARCH", b"ALL")
    uids = sorted(search_result(flight))
    header = HEADERS.get(key)
    item = b"BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (header, HEADER_LIMIT_BYTES) if header else b"RFC822.SIZE"
    keyed: list[tuple[object, int]] = []
    for start in range(0, len(uids), BATCH):
        batch = uids[start : start + BATCH]
        items = b"(UID INTERNALDATE %s)" % item
        flight = connection.ask(b"UID", b"FETCH", b"%d:%d" % (batch[0], batch[-1]), items)
        fetched = (parse_fetch(response) for response in flight.of(b"FETCH"))
        keyed += [(KEY_FUNCTIONS[key](one), one.uid) for one in fetched if one.uid and b"INTERNALDATE" in one.items]
        beat(start + len(batch))
    keyed.sort(key=lambda pair: pair)
    return array("I", dict.fromkeys(uid for _key, uid in keyed))


def _header_value(fetched: Fetched) -> bytes:
    parsed, _defects = split_header(fetched.section())
    return parsed[0][1] if parsed else b""


def _date_key(fetched: Fetched) -> float:
    return (parse_date(_header_value(fetched)) or fetched.received()).timestamp()


def _person_key(fetched: Fetched) -> str:
    addresses, _more = parse_addresses(_header_value(fetched), 1)
    return _folded(addresses[0].display) if addresses else ""


def _subject_key(fetched: Fetched) -> str:
    return _folded(base_subject(decode_header(_header_value(fetched))))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKD", text).casefold()


def _size_key(fetched: Fetched) -> int:
    return fetched.number(b"RFC822.SIZE")


KEY_FUNCTIONS: dict[SortKey, Callable[[Fetched], object]] = {
    "date": _date_key,
    "from": _person_key,
    "to": _person_key,
    "subject": _subject_key,
    "size": _size_key,
}


def is_filtered(query: Query) -> bool:
    """Whether the query leaves messages out."""
    return query.unread or query.flagged or query.attachment or bool(query.text)


def is_text_only(query: Query) -> bool:
    """Whether a text in subject, sender or recipients is all that the query asks for."""
    return bool(query.text) and not (query.unread or query.flagged or query.attachment or query.in_body)


def filter_command(connection: Connection, query: Query) -> list[Piece]:
    """UID SEARCH for what passes the query's filters. It may fly with another SEARCH only where the server has ESEARCH,
    whose answer names its command."""
    criteria: list[Piece] = []
    if query.unread:
        criteria.append(b"UNSEEN")
    if query.flagged:
        criteria.append(b"FLAGGED")
    if query.attachment:
        criteria += [b"OR", b"KEYWORD", b"$HasAttachment", b"HEADER", b"Content-Type", b'"multipart/mixed"']
    if query.text:
        criteria += _text_criteria(query)
    options: list[Piece] = [b"RETURN", b"(ALL)"] if connection.has("ESEARCH") else []
    charset: list[Piece] = [] if query.text.isascii() else [b"CHARSET", b"UTF-8"]
    return [b"UID", b"SEARCH", *options, *charset, *criteria]


def range_command(
    connection: Connection, text: str, uids: tuple[int, int] | None, *, body_only: bool = False
) -> list[Piece]:
    """UID SEARCH for a text anywhere in the messages of a range of UIDs, both ends included, or of the whole folder; or below
    their heads alone."""
    criteria = [b"BODY", quote(text)] if body_only else _text_criteria(Query(text=text, in_body=True))
    options: list[Piece] = [b"RETURN", b"(ALL)"] if connection.has("ESEARCH") else []
    charset: list[Piece] = [] if text.isascii() else [b"CHARSET", b"UTF-8"]
    which: list[Piece] = [b"UID", b"%d:%d" % uids] if uids else []
    return [b"UID", b"SEARCH", *options, *charset, *which, *criteria]


def filter_result(connection: Connection, flight: Flight, index: int) -> set[int]:
    """The answer to the filter that was command `index` of a flight. Raises Refused when the server cannot search for
    this text."""
    end = flight.ends[index]
    if end.code.upper().startswith(b"BADCHARSET"):
        raise Refused("the server cannot search for this text")
    try:
        check(end)
    except Gone as error:
        raise Refused(error.detail) from error
    if connection.has("ESEARCH"):
        return set(extended_result(flight, flight.tags[index]))
    return search_result(flight)


def _text_criteria(query: Query) -> list[Piece]:
    text = quote(query.text)
    fields = [*NOT_BODY, "BODY"] if query.in_body else NOT_BODY
    out: list[Piece] = []
    for index, name in enumerate(fields):
        if index < len(fields) - 1:
            out.append(b"OR")
        out += [name.encode(), text]
    return out
