"""Order and filters: the server sorts and searches where it can; where it cannot, we read the fields and sort."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable

from webmail.errors import Refused
from webmail.imap.connection import Connection, check
from webmail.imap.wire import Piece, parse_uid_set, quote, tokenize
from webmail.mime.addresses import parse_addresses
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, split_header
from webmail.values import Query, SortKey

SORT_KEYS: dict[SortKey, bytes] = {"date": b"DATE", "from": b"FROM", "subject": b"SUBJECT", "size": b"SIZE"}
HEADERS: dict[SortKey, bytes] = {"date": b"DATE", "from": b"FROM", "subject": b"SUBJECT"}
BATCH = 2_000
HEADER_LIMIT_BYTES = 2_000

_REPLY = re.compile(r"^\s*((re|fwd?|rv|aw|tr|sv)\s*(\[\d+\])?\s*:\s*|\[[^\]]{0,50}\]\s*)+", re.IGNORECASE)


def sorted_uids(connection: Connection, key: SortKey) -> array[int]:
    """All UIDs of the selected folder in ascending order of `key`; equal ones by UID."""
    if connection.has("SORT"):
        return _server_sort(connection, key)
    return _client_sort(connection, key)


def _server_sort(connection: Connection, key: SortKey) -> array[int]:
    criteria: list[Piece] = [b"(%s)" % SORT_KEYS[key], b"UTF-8", b"ALL"]
    if connection.has("ESORT"):
        flight = connection.ask(b"UID", b"SORT", b"RETURN", b"(ALL)", *criteria)
        for response in flight.of(b"ESEARCH"):
            words = response.data.split()
            if b"ALL" in words[:-1]:
                return array("I", parse_uid_set(words[words.index(b"ALL") + 1]))
        return array("I")
    flight = connection.ask(b"UID", b"SORT", *criteria)
    return array("I", (int(word) for response in flight.of(b"SORT") for word in response.data.split()))


def all_uids(connection: Connection) -> list[int]:
    """All UIDs of the selected folder, ascending."""
    flight = connection.ask(b"UID", b"SEARCH", b"ALL")
    return sorted(int(word) for response in flight.of(b"SEARCH") for word in response.data.split() if word.isdigit())


def _client_sort(connection: Connection, key: SortKey) -> array[int]:
    """Reads the one field that the order needs, in batches, and sorts here (RFC 5256 for what is compared)."""
    uids = all_uids(connection)
    header = HEADERS.get(key)
    item = b"BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (header, HEADER_LIMIT_BYTES) if header else b"RFC822.SIZE"
    keyed: list[tuple[object, int]] = []
    for start in range(0, len(uids), BATCH):
        batch = uids[start : start + BATCH]
        flight = connection.ask(b"UID", b"FETCH", b"%d:%d" % (batch[0], batch[-1]), b"(UID INTERNALDATE %s)" % item)
        for response in flight.of(b"FETCH"):
            fields = _fields(response.data)
            if b"UID" in fields:
                keyed.append((KEY_FUNCTIONS[key](fields), int(fields[b"UID"])))
    keyed.sort(key=lambda pair: pair)
    return array("I", (uid for _key, uid in keyed))


def _fields(data: bytes) -> dict[bytes, bytes]:
    tokens = tokenize(data)
    items = tokens[0] if tokens and isinstance(tokens[0], list) else []
    return {
        (b"HEADER" if key.upper().startswith(b"BODY[") else key.upper()): value
        for key, value in zip(items[::2], items[1::2], strict=False)
        if isinstance(key, bytes) and isinstance(value, bytes)
    }


def _header_value(fields: dict[bytes, bytes]) -> bytes:
    parsed, _defects = split_header(fields.get(b"HEADER", b""))
    return parsed[0][1] if parsed else b""


def _date_key(fields: dict[bytes, bytes]) -> float:
    date = parse_date(_header_value(fields)) or parse_date(fields.get(b"INTERNALDATE", b"").replace(b"-", b" "))
    return date.timestamp() if date else 0.0


def _from_key(fields: dict[bytes, bytes]) -> str:
    addresses, _more = parse_addresses(_header_value(fields), 1)
    return addresses[0].email.partition("@")[0].casefold() if addresses else ""


def _subject_key(fields: dict[bytes, bytes]) -> str:
    return unicodedata.normalize("NFKD", base_subject(decode_header(_header_value(fields)))).casefold()


def base_subject(subject: str) -> str:
    """A subject without reply and forward marks (RFC 5256 section 2.1)."""
    return _REPLY.sub("", subject).strip()


def _size_key(fields: dict[bytes, bytes]) -> int:
    return int(fields.get(b"RFC822.SIZE", b"0"))


KEY_FUNCTIONS: dict[SortKey, Callable[[dict[bytes, bytes]], object]] = {
    "date": _date_key,
    "from": _from_key,
    "subject": _subject_key,
    "size": _size_key,
}


def is_filtered(query: Query) -> bool:
    """Whether the query leaves messages out."""
    return query.unread or query.flagged or query.attachment or bool(query.text)


def matching_uids(connection: Connection, query: Query, keywords: frozenset[str]) -> set[int]:
    """The UIDs of the selected folder that pass the query's filters."""
    criteria: list[Piece] = []
    if query.unread:
        criteria.append(b"UNSEEN")
    if query.flagged:
        criteria.append(b"FLAGGED")
    if query.attachment:
        mixed: list[Piece] = [b"HEADER", b"Content-Type", b'"multipart/mixed"']
        if "$HasAttachment" in keywords:
            criteria += [b"OR", b"KEYWORD", b"$HasAttachment"]
        criteria += mixed
    if query.text:
        criteria += _text_criteria(query)
    charset: list[Piece] = [] if query.text.isascii() else [b"CHARSET", b"UTF-8"]
    command: list[Piece] = [b"UID", b"SEARCH", *charset, *criteria]
    flight = connection.run(command)
    if flight.ends[0].code.upper().startswith(b"BADCHARSET"):
        raise Refused("the server cannot search for this text")
    check(flight.ends[0])
    return {int(word) for response in flight.of(b"SEARCH") for word in response.data.split() if word.isdigit()}


def _text_criteria(query: Query) -> list[Piece]:
    text = quote(query.text)
    fields = [b"SUBJECT", b"FROM", b"TO", b"CC"] + ([b"BODY"] if query.in_body else [])
    out: list[Piece] = []
    for index, name in enumerate(fields):
        if index < len(fields) - 1:
            out.append(b"OR")
        out += [name, text]
    return out
