"""A selected folder: what the server says of it when it is opened."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace

from webmail.errors import FolderGone
from webmail.imap.connection import Connection, check
from webmail.imap.wire import Flight, Piece, Untagged, parse_uid_set, quote
from webmail.values import FolderId

MOVEMENTS = frozenset({b"EXISTS", b"EXPUNGE", b"VANISHED"})
NEWS = MOVEMENTS | {b"FETCH"}
KEPT_FROM = 1
"""Messages from which on the Inbox of a Dovecot stays selected: opening 100,000 in Maildir anew costs it 100 ms and more, and in
a small one a mark is one round trip then."""

_KEPT_STATUS = re.compile(rb"\b(MESSAGES|UIDNEXT|UIDVALIDITY|HIGHESTMODSEQ) ([0-9]{1,20})", re.IGNORECASE)


Runs = tuple[tuple[int, int], ...]
"""UIDs in runs, both ends included."""


@dataclass(frozen=True, slots=True)
class Since:
    """How a folder was when it was looked at the last time."""

    validity: int
    modseq: int
    next_uid: int


@dataclass(slots=True)
class Selected:
    """What the server said when the folder was selected. `modseq` is None without CONDSTORE; `vanished` is what left since then,
    among others that are not there either, None when that was not asked for or is not told."""

    folder: FolderId
    validity: int
    exists: int
    next_uid: int
    modseq: int | None
    keywords: frozenset[str]
    deleted: frozenset[int] = frozenset()
    vanished: Runs | None = None


def select(
    connection: Connection, folder: FolderId, *commands: list[Piece], since: Since | None = None
) -> tuple[Selected, Flight]:
    """Selects a folder, asks for messages marked as deleted, and sends `commands` after it, all in one flight. Gives the
    folder's state and the answers to those commands; with `since` also what vanished since then (QRESYNC, RFC 7162 section
    3.2.5), where the server has that. Raises Gone when there is no such folder.

    A folder that is already selected is selected again: Dovecot 2.3 goes on showing one that was deleted and made anew,
    and says nothing of it in answer to NOOP or STATUS. An Inbox cannot be deleted, and a large one stays selected."""
    if is_kept(connection, folder):
        found = _looked_again(connection, *commands, since=since)
        if found is not None:
            return found
    connection.kept, connection.left = None, []
    condstore: list[Piece] = [b"(CONDSTORE)"] if connection.has("CONDSTORE") else []
    known = since if since and since.next_uid > 1 and connection.has("QRESYNC") else None
    if known:
        condstore = [b"(QRESYNC (%d %d 1:%d))" % (known.validity, known.modseq, known.next_uid - 1)]
    enable: list[list[Piece]] = (
        [[b"ENABLE", b"QRESYNC"]] if connection.has("QRESYNC") and not connection.resyncs else []
    )
    flight = connection.run(*enable, [b"SELECT", quote(folder), *condstore], [b"UID", b"SEARCH", b"DELETED"], *commands)
    if enable:
        connection.resyncs = True
        flight = flight.after(1)
    connection.selected = flight.ends[0].status == b"OK"
    if known and flight.ends[0].status == b"BAD":
        return select(connection, folder, *commands)
    if flight.ends[0].status == b"NO":
        _gone(flight)
    check(flight.ends[0])
    later = flight.after(1)
    connection.dirty = any(response.kind in MOVEMENTS for response in later.untagged)
    state = _selected(folder, flight, later)
    if known and known.validity == state.validity and _remembers(state, known):
        state.vanished = _earlier(flight.untagged[: flight.marks[0]])
    if state.exists >= KEPT_FROM and folder.upper() == "INBOX" and state.modseq and connection.is_dovecot:
        connection.kept = replace(state, vanished=None)
    return state, later.without_first()


def _remembers(state: Selected, since: Since) -> bool:
    """Whether the folder is as old as what was known of it: one that was restored from a backup is not."""
    return bool(state.modseq) and since.modseq <= (state.modseq or 0)


def _earlier(responses: list[Untagged]) -> Runs:
    """What a server says that vanished before (RFC 7162 section 3.2.10)."""
    told = (response.data.partition(b" ") for response in responses if response.kind == b"VANISHED")
    return tuple(run for word, _space, uids in told if word.upper() == b"(EARLIER)" for run in parse_runs(uids))


def parse_runs(uids: bytes) -> Iterator[tuple[int, int]]:
    """The runs of a set of UIDs, each with its lower end first."""
    for piece in uids.strip().split(b","):
        first, _colon, last = piece.partition(b":")
        if first.isdigit():
            other = int(last) if last.isdigit() else int(first)
            yield min(int(first), other), max(int(first), other)


def is_kept(connection: Connection, folder: FolderId) -> bool:
    """Whether this folder is selected and may stay so."""
    kept: Selected | None = connection.kept
    return kept is not None and kept.folder == folder


def _looked_again(
    connection: Connection, *commands: list[Piece], since: Since | None = None
) -> tuple[Selected, Flight] | None:
    """The state of the folder that stays selected, and answers of it as it is now; None when it has to be selected anew.

    What changed since the last look is told after one of the commands, wherever Dovecot finds time for it, and STATUS of a
    selected folder is of the last look. So what comes back counts when STATUS says the same before and after, and the NOOP
    at the end brings nothing; otherwise all is sent once more."""
    kept: Selected = connection.kept
    status: list[Piece] = [b"STATUS", quote(kept.folder), b"(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"]
    known = since if since and since.next_uid > 1 and since.validity == kept.validity and connection.resyncs else None
    asked: list[list[Piece]] = []
    if known:
        which, told_since = b"1:%d" % (known.next_uid - 1), b"(CHANGEDSINCE %d VANISHED)" % known.modseq
        asked = [[b"UID", b"FETCH", which, b"(UID)", told_since]]
    for _attempt in range(LOOKS):
        flight = connection.run(status, [b"UID", b"SEARCH", b"DELETED"], *commands, *asked, status, [b"NOOP"])
        if flight.ends[0].status != b"OK" or flight.ends[1].status != b"OK":
            return None
        told = [one for one in flight.of(b"STATUS") if b"UNSEEN" not in one.data.upper()]
        if len(told) != 2:  # those of a tree that is listed in the same flight tell what is unread as well
            return None
        before, after = map(_told, told)
        news = [one for one in flight.untagged[flight.marks[-2] :] if one.kind in NEWS]
        if before == after and not news:
            break
    if before.get(b"UIDVALIDITY") != kept.validity or len(before) != 4:
        return None
    connection.dirty = before != after or any(response.kind in MOVEMENTS for response in news)
    later = flight.after(1)
    others = [
        one for one in later.untagged if one is not told[-1]
    ]  # it has no UNSEEN, which a tree in this flight wants
    vanished = _earlier(others) if known and later.ends[-3].status == b"OK" else None
    end = -2 - len(asked)
    later = Flight(later.ends[:end], others, later.marks[:end], later.tags[:end])
    connection.kept = state = replace(
        kept,
        exists=before[b"MESSAGES"],
        next_uid=before[b"UIDNEXT"],
        modseq=before[b"HIGHESTMODSEQ"],
        deleted=frozenset(search_result(later)),
        vanished=None,
    )
    if known and _remembers(state, known):
        state = replace(state, vanished=vanished)
    return state, later.without_first()


def _told(response: Untagged) -> dict[bytes, int]:
    return {name.upper(): int(value) for name, value in _KEPT_STATUS.findall(response.data)}


LOOKS = 3
"""How often an Inbox that changes all the time is looked at before what was read of it counts."""


def _gone(flight: Flight) -> None:
    end = flight.ends[0]
    code = end.code.split(b" ")[0].upper()
    if code in {b"UNAVAILABLE", b"SERVERBUG", b"INUSE", b"NOPERM"}:
        check(end)
    raise FolderGone(end.text)


def _selected(folder: FolderId, flight: Flight, later: Flight) -> Selected:
    codes = flight.codes()
    exists = [response.number for response in flight.untagged[: flight.marks[0]] if response.kind == b"EXISTS"]
    flags = b" ".join(response.data for response in flight.of(b"FLAGS")) + b" " + codes.get(b"PERMANENTFLAGS", b"")
    return Selected(
        folder=folder,
        validity=_int(codes.get(b"UIDVALIDITY")),
        exists=exists[-1] if exists else 0,
        next_uid=_int(codes.get(b"UIDNEXT")),
        modseq=_int(codes[b"HIGHESTMODSEQ"]) if b"HIGHESTMODSEQ" in codes else None,
        keywords=frozenset(word.strip("()") for word in flags.decode("ascii", "replace").split()),
        deleted=frozenset(search_result(later)),
    )


def search_result(flight: Flight) -> set[int]:
    """The numbers of untagged SEARCH responses. Only one SEARCH may be in a flight: its answer does not name it."""
    return {int(word) for response in flight.of(b"SEARCH") for word in response.data.split() if word.isdigit()}


def extended_result(flight: Flight, tag: bytes) -> array[int]:
    """The UIDs of the ESEARCH response that names this command (RFC 4731, 5267), in their own order."""
    for response in flight.of(b"ESEARCH"):
        words = response.data.split()
        if b'"%s")' % tag in words[:3] and b"ALL" in words[:-1]:
            return array("I", parse_uid_set(words[words.index(b"ALL") + 1]))
    return array("I")


def extended_count(flight: Flight, tag: bytes) -> int | None:
    """The COUNT of the ESEARCH response that names this command."""
    for response in flight.of(b"ESEARCH"):
        words = response.data.split()
        if b'"%s")' % tag in words[:3] and b"COUNT" in words[:-1]:
            return _int(words[words.index(b"COUNT") + 1])
    return None


def _int(value: bytes | None) -> int:
    text = (value or b"").strip()
    return int(text) if text.isdigit() else 0
