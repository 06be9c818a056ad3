"""Conversations of a folder: the server's THREAD where it has one (RFC 5256), else put together from three header fields."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence

from webmail.imap.connection import Connection, check
from webmail.imap.fetch import parse_fetch
from webmail.imap.selected import extended_result, search_result
from webmail.imap.wire import Flight, Piece, quote
from webmail.mime.threads import group_threads, read_ids, short_id

HERE_LIMIT = 20_000
"""Messages of a folder whose threads are put together here."""
BATCH = 2_000
HEADER_LIMIT_BYTES = 8_192
NAMING = ("REFERENCES", "IN-REPLY-TO", "MESSAGE-ID")
_TOKEN = re.compile(rb"[()]|[0-9]{1,10}")


def server_threads(connection: Connection) -> bool:
    """Whether the server tells threads."""
    return connection.has("THREAD=REFS") or connection.has("THREAD=REFERENCES")


def ask_threads(connection: Connection) -> array[int]:
    """The threads of the selected folder, as UIDs with a 0 after each thread. REFS where there is a choice: REFERENCES joins
    what merely has the same subject (RFC 5256, step 5 of its algorithm)."""
    name = b"REFS" if connection.has("THREAD=REFS") else b"REFERENCES"
    flight = connection.ask(b"UID", b"THREAD", name, b"UTF-8", b"ALL")
    flat: array[int] = array("I")
    for response in flight.of(b"THREAD"):
        flat.extend(parse_threads(response.data))
    return flat


def parse_threads(data: bytes) -> array[int]:
    """The UIDs of a THREAD response, with a 0 after each thread at the top: their shape does not matter."""
    flat: array[int] = array("I")
    depth = 0
    for token in _TOKEN.findall(data):
        if token == b"(":
            depth += 1
        elif token == b")":
            depth -= 1
            if depth == 0:
                flat.append(0)
        elif int(token) <= 0xFFFFFFFF:
            flat.append(int(token))
    if flat and flat[-1]:
        flat.append(0)
    return flat


def threads_here(connection: Connection, known: array[int]) -> tuple[array[int], array[int]]:
    """The same for a server without THREAD, from `known`, what was read before (UID, count, short ids, over and over); gives
    it with what was new as well."""
    uids = sorted(search_result(connection.ask(b"UID", b"SEARCH", b"ALL")))
    ids = _unpack(known)
    missing = [uid for uid in uids if uid not in ids]
    item = b"(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID IN-REPLY-TO REFERENCES)]<0.%d>)" % HEADER_LIMIT_BYTES
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        flight = connection.ask(b"UID", b"FETCH", b"%d:%d" % (batch[0], batch[-1]), item)
        for fetched in map(parse_fetch, flight.of(b"FETCH")):
            if fetched.uid:
                ids[fetched.uid] = [short_id(one) for one in read_ids(fetched.section())]
    here = {uid: ids[uid] for uid in uids if uid in ids}
    flat: array[int] = array("I")
    for group in group_threads(here.items()):
        flat.extend([*group, 0])
    return flat, _pack(here.items())


def _pack(ids: Iterable[tuple[int, list[int]]]) -> array[int]:
    packed: array[int] = array("Q")
    for uid, ones in ids:
        packed.extend([uid, len(ones), *ones])
    return packed


def _unpack(packed: array[int]) -> dict[int, list[int]]:
    ids: dict[int, list[int]] = {}
    at = 0
    while at + 1 < len(packed):
        count = packed[at + 1]
        ids[packed[at]] = packed[at + 2 : at + 2 + count].tolist()
        at += 2 + count
    return ids


def related_command(connection: Connection, ids: Sequence[str]) -> list[Piece]:
    """The search for messages of the selected folder that have one of these Message-IDs, or name one. Raises Refused."""
    keys: list[list[Piece]] = [[b"HEADER", name.encode(), quote(one)] for one in ids for name in NAMING]
    criteria: list[Piece] = keys[-1]
    for key in reversed(keys[:-1]):
        criteria = [b"OR", *key, *criteria]
    options: list[Piece] = [b"RETURN", b"(ALL)"] if connection.has("ESEARCH") else []
    return [b"UID", b"SEARCH", *options, b"UNDELETED", *criteria]


def related_result(connection: Connection, flight: Flight) -> list[int]:
    """The UIDs that it found, ascending, in a flight of which it is the first command."""
    check(flight.ends[0])
    if connection.has("ESEARCH"):
        return sorted(extended_result(flight, flight.tags[0]))
    return sorted(search_result(flight))
