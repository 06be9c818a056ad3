"""Changes to messages of the selected folder. A message is always in at least one folder, and nobody else's is expunged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from webmail.errors import MoveCut, Unavailable, Uncopied
from webmail.imap.connection import EXPUNGED, Connection, check
from webmail.imap.fetch import by_uid, fetch_command
from webmail.imap.selected import search_result
from webmail.imap.wire import Flight, Literal, Piece, Untagged, flag_list, parse_uid_set, quote, uid_set
from webmail.values import FolderId, Ref

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SET_LIMIT_BYTES = 7_500
"""Octets of a UID set in one command: a line of 8,192 is what every server takes (RFC 7162 section 4)."""
LEFT_LIMIT = 1_000
"""Of the UIDs that left before, so many are remembered."""

_STATUS = re.compile(rb"\b(MESSAGES|UIDNEXT|UIDVALIDITY) ([0-9]{1,10})", re.IGNORECASE)
_MODSEQ = re.compile(rb"\bMODSEQ \(([0-9]{1,19})\)", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d{1,10})\b", re.IGNORECASE)


def store_flags(connection: Connection, uids: list[int], *, add: list[str], remove: list[str]) -> frozenset[int]:
    """Adds and removes flags, in one flight; gives the MODSEQ of each change that was made (see `stored_modseqs`)."""
    commands = store_commands(uids, add, remove)
    flight = connection.run(*commands) if commands else Flight()
    for end in flight.ends:
        check(end)
    return stored_modseqs(flight.untagged)


def stored_modseqs(answers: Iterable[Untagged]) -> frozenset[int]:
    """The MODSEQs that STORE gave what it changed (RFC 7162 section 3.1.3), one for each command and batch. What others changed
    comes with its FLAGS and is left out, and so is what was as it should be already. Nothing without CONDSTORE."""
    told = (one.data for one in answers if one.kind == b"FETCH" and b"FLAGS" not in one.data.upper())
    return frozenset(int(match[1]) for data in told if (match := _MODSEQ.search(data)))


def stored_uids(answers: Iterable[Untagged]) -> set[int]:
    """The messages to which STORE gave those MODSEQs."""
    told = (one.data for one in answers if one.kind == b"FETCH" and b"FLAGS" not in one.data.upper())
    return {int(match[1]) for data in told if _MODSEQ.search(data) and (match := _UID.search(data))}


def store_commands(uids: list[int], add: list[str], remove: list[str]) -> list[list[Piece]]:
    """The commands that do it, one for each batch of UIDs and sign."""
    changes = [(sign, flag_list(flags)) for sign, flags in ((b"+", add), (b"-", remove)) if flags]
    return [
        [b"UID", b"STORE", uid_set(batch), sign + b"FLAGS.SILENT", flags]
        for batch in batches(uids)
        for sign, flags in changes
    ]


def copy_messages(connection: Connection, uids: list[int], folder: FolderId) -> tuple[int, dict[int, int]]:
    """Copies messages; gives what `move_messages` gives."""
    validity = 0
    after: dict[int, int] = {}
    for batch in batches(uids):
        validity, pairs = _ask(connection, b"COPY", batch, quote(folder))
        after |= pairs
    return validity, after


def move_messages(connection: Connection, uids: list[int], folder: FolderId) -> tuple[int, dict[int, int]]:
    """Moves messages; gives the UIDVALIDITY of the folder they went to and their new UIDs by the old ones, (0, {}) where
    the server does not tell. Raises Uncopied where not every copy is certain, MoveCut where the originals could not be removed
    for now; the originals of that batch are there still."""
    validity = 0
    after: dict[int, int] = {}
    for batch in batches(uids):
        validity, pairs = _move(connection, batch, quote(folder))
        after |= pairs
    return validity, after


def moves_undeleted(connection: Connection) -> bool:
    """Whether the server can do what `move_undeleted` asks for."""
    return connection.has("SEARCHRES") and connection.has("MOVE")


def move_undeleted(connection: Connection, uids: list[int], folder: FolderId) -> tuple[int, dict[int, int]]:
    """`move_messages` of those that are not marked as deleted, found and moved in one flight: the server keeps what it found
    (RFC 5182). Of marks that another program has just made it must have heard before: Dovecot 2.3 looks for them after a
    UID FETCH, and begins a SEARCH only then (it does not wait after NOOP, nor with UID SEARCH)."""
    validity = 0
    after: dict[int, int] = {}
    for batch in batches(uids):
        look: list[Piece] = [b"UID", b"FETCH", b"%d" % batch[0], b"(FLAGS)"]
        found: list[Piece] = [b"SEARCH", b"RETURN", b"(SAVE)", b"UID", uid_set(batch), b"UNDELETED"]
        commands: list[list[Piece]] = [look, found, [b"UID", b"MOVE", b"$", quote(folder)]]
        validity, pairs = _again(lambda commands=commands: connection.run(*commands))  # type: ignore[misc]
        after |= pairs
        connection.left = [*connection.left[-LEFT_LIMIT:], *pairs]
    return validity, after


def _move(connection: Connection, uids: list[int], folder: Piece) -> tuple[int, dict[int, int]]:
    """UID MOVE, or COPY, and only then remove (RFC 6851 section 3.3) what has a copy for certain: COPYUID names it, or the folder
    that it went to has grown by just as many. The others are left where they are."""
    if connection.has("MOVE"):
        return _ask(connection, b"MOVE", uids, folder)
    validity, pairs, copied = _copy_counted(connection, uids, folder)
    try:
        expunge(connection, copied)
    except Unavailable as error:
        raise MoveCut(error.detail) from error
    return validity, pairs


def _copy_counted(connection: Connection, uids: list[int], folder: Piece) -> tuple[int, dict[int, int], list[int]]:
    """COPY; gives what COPYUID tells, and the messages that have their copy for certain. An OK alone is no proof where the
    server names no copies: which messages there are, and how many the folder has before and after, is asked in the same
    flight. Raises Uncopied where the numbers do not fit, also when another program changed that folder meanwhile."""
    status: list[Piece] = [b"STATUS", folder, b"(MESSAGES UIDNEXT UIDVALIDITY)"]
    search: list[Piece] = [b"UID", b"SEARCH", b"UID", uid_set(uids)]
    copy: list[Piece] = [b"UID", b"COPY", uid_set(uids), folder]
    # Dovecot 2.3 ends the connection at a STATUS of a folder that another program has renamed since COPY, and nobody would
    # know then what was copied: who is told the copies asks nothing more.
    after = [] if connection.has("UIDPLUS") else [status]
    flight = connection.run(search, status, copy, *after)
    if flight.ends[2].code.upper() == EXPUNGED and flight.ends[2].status != b"OK":
        flight = connection.run(search, status, copy, *after)
    check(flight.ends[2])
    validity, pairs = _copied(flight, 2)
    if pairs:
        return validity, pairs, [uid for uid in uids if uid in pairs]
    flights = [flight] if after else [flight, connection.run(status)]
    here = search_result(flight) & set(uids)
    told = [status_numbers(one) for each in flights for one in each.of(b"STATUS")]
    ends = [end for each in flights for end in each.ends]
    if any(end.status != b"OK" for end in ends) or len(told) != 2 or not _has_grown(told[0], told[1], len(here)):
        raise Uncopied("it said OK to COPY, and the copies are not all there")
    return 0, {}, sorted(here)


def _has_grown(before: dict[bytes, int], after: dict[bytes, int], count: int) -> bool:
    """Whether a folder has just this many messages more, in the UIDs that were free before."""
    if len(before) != 3 or len(after) != 3 or before[b"UIDVALIDITY"] != after[b"UIDVALIDITY"]:
        return False
    return after[b"MESSAGES"] - before[b"MESSAGES"] == count and after[b"UIDNEXT"] - before[b"UIDNEXT"] >= count


def status_numbers(response: Untagged) -> dict[bytes, int]:
    """MESSAGES, UIDNEXT and UIDVALIDITY of a STATUS response, as far as it has them."""
    return {name.upper(): int(number) for name, number in _STATUS.findall(response.data)}


def _ask(connection: Connection, command: Piece, uids: list[int], folder: Piece) -> tuple[int, dict[int, int]]:
    return _again(lambda: connection.run([b"UID", command, uid_set(uids), folder]))


def _again(send: Callable[[], Flight]) -> tuple[int, dict[int, int]]:
    """MOVE or COPY, the last command of a flight, of what is there: once more when another program expunged some of it and the
    server hears of that only now. COPY has done nothing then (RFC 9051 section 6.4.7); what MOVE has moved is not there any
    more."""
    flight = send()
    if flight.ends[-1].code.upper() != EXPUNGED or flight.ends[-1].status == b"OK":
        return _checked(flight)
    _validity, moved = _copied(flight)
    validity, pairs = _checked(send())
    return validity, moved | pairs


def _checked(flight: Flight) -> tuple[int, dict[int, int]]:
    for end in flight.ends:
        check(end)
    return _copied(flight)


def expunge(connection: Connection, uids: list[int], *, look: bool = False) -> set[int]:
    """Marks these messages as deleted and expunges just them. Without UIDPLUS (RFC 4315) they stay marked, and lists leave
    them out: a plain EXPUNGE would take other programs' messages with it. With `look` it gives those that were there: it
    is looked after STORE, whose end tells what other programs expunged."""
    there: set[int] = set()
    for batch in batches(uids):
        connection.ask(b"UID", b"STORE", uid_set(batch), b"+FLAGS.SILENT", b"(\\Deleted)")
        first: list[list[Piece]] = [fetch_command(batch, b"UID FLAGS")] if look else []
        last: list[list[Piece]] = [[b"UID", b"EXPUNGE", uid_set(batch)]] if connection.has("UIDPLUS") else []
        if not first + last:
            continue
        flight = connection.run(*first, *last)
        for end in flight.ends:
            if end.code.upper() != EXPUNGED:
                check(end)
        there |= by_uid(flight, batch).keys()
    return there


def _copied(flight: Flight, at: int = -1) -> tuple[int, dict[int, int]]:
    """(UIDVALIDITY, new UIDs by old) from COPYUID, tagged or untagged (RFC 4315 section 3, RFC 6851 section 4.3). `at` is the
    place of the command in the flight, the last unless said."""
    untagged = [b"COPYUID " + code for name, code in flight.codes().items() if name == b"COPYUID"]
    for code in [*untagged, flight.ends[at].code]:
        words = code.split()
        if len(words) == 4 and words[0].upper() == b"COPYUID" and words[1].isdigit():
            return int(words[1]), dict(zip(parse_uid_set(words[2]), parse_uid_set(words[3]), strict=False))
    return 0, {}


def append_message(
    connection: Connection, folder: FolderId, raw: bytes, *, flags: Iterable[str], received: datetime | None
) -> Ref | None:
    """Stores a message; its ref where the server tells (APPENDUID, RFC 4315)."""
    command: list[Piece] = [b"APPEND", quote(folder)]
    names = list(flags)
    if names:
        command.append(flag_list(names))
    if received:
        command.append(_date_time(received))
    flight = connection.ask(*command, Literal(raw))
    words = flight.ends[0].code.split()
    if len(words) == 3 and words[0].upper() == b"APPENDUID" and words[1].isdigit() and words[2].isdigit():
        return Ref(folder, int(words[1]), words[2].decode())
    return None


def _date_time(moment: datetime) -> bytes:
    """A date-time argument (RFC 9051 section 9); month names are English in every locale."""
    moment = moment.astimezone(UTC)
    return moment.strftime(f'"%d-{MONTHS[moment.month - 1]}-%Y %H:%M:%S +0000"').encode()


def batches(uids: list[int]) -> Iterator[list[int]]:
    """UIDs in pieces whose sets, runs joined, stay below the limit: a whole folder without gaps is one command."""
    batch: list[int] = []
    size = 0
    for uid in sorted(set(uids)):
        if not batch or uid != batch[-1] + 1:
            size += 2 * len(str(uid)) + 2
        if size > SET_LIMIT_BYTES:
            yield batch
            batch, size = [], 2 * len(str(uid)) + 2
        batch.append(uid)
    if batch:
        yield batch
