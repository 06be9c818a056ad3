"""What happened in a folder since it was looked at the last time: asked for in the flight of the SELECT, so that it costs no trip
and what is told is as much as has happened, whatever the size of the folder (CONDSTORE and QRESYNC, RFC 7162)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import chain

from webmail.imap.connection import Connection
from webmail.imap.search import filter_command
from webmail.imap.selected import Runs, Selected, Since, extended_count, extended_result
from webmail.imap.wire import Flight, Piece
from webmail.sources.cache import Head, MailCache
from webmail.values import Query

CHANGED, PASSING, COUNT = "changed", "passing", "count"
"""The commands of `changes_commands`, by what they are for."""
FEW = 10_000


def modseq_name(query: Query) -> str:
    """What the HIGHESTMODSEQ is kept under of which the order of a list is."""
    return f"{query.sort}@"


def read_since(order: Head | None, then: Head | None) -> Since | None:
    """What is known of a folder from the heads of its order and of the HIGHESTMODSEQ that was kept for it."""
    base, _colon, modseq = then.mark.rpartition(":") if then else ("", "", "")
    if order is None or base != order.mark or not modseq.isdigit():
        return None
    words = base.split(":")
    if len(words) != 3 or not all(word.isdigit() for word in words):
        return None
    return Since(int(words[0]), int(modseq), int(words[1]))


def keep_modseq(cache: MailCache, query: Query, mark: str, state: Selected, then: Head | None) -> None:
    """Remembers until when an order is known to be right, so that nothing older is told another time."""
    if state.modseq and (then is None or then.mark != f"{mark}:{state.modseq}"):
        cache.keep_head(state.folder, modseq_name(query), Head(f"{mark}:{state.modseq}", 0))


def among(uids: array[int], runs: Runs) -> frozenset[int]:
    """Those of these UIDs that are in the runs."""
    if sum(high - low + 1 for low, high in runs) <= FEW:
        return frozenset(chain.from_iterable(range(low, high + 1) for low, high in runs)).intersection(uids)
    ordered = sorted(runs)
    left: set[int] = set()
    at = 0
    for uid in sorted(uids):
        while at < len(ordered) and ordered[at][1] < uid:
            at += 1
        if at < len(ordered) and ordered[at][0] <= uid:
            left.add(uid)
    return frozenset(left)


def changes_commands(connection: Connection, query: Query, head: Head | None) -> dict[str, list[Piece]]:
    """What tells how the answer of a filter changed since it was kept: which messages did, which of them pass, and how many pass
    now. That is as much as has changed, where the filter asked again is as much as passes. Nothing where it cannot be asked."""
    since = _filter_modseq(head)
    if since is None or not (connection.has("ESEARCH") and connection.has("CONDSTORE")):
        return {}
    new: list[Piece] = [b"MODSEQ", b"%d" % (since + 1)]
    found: dict[str, list[Piece]] = {
        CHANGED: [b"UID", b"SEARCH", b"RETURN", b"(ALL)", *new],
        PASSING: [*filter_command(connection, query), *new],
    }
    if _is_counted(query):
        found[COUNT] = [piece if piece != b"(ALL)" else b"(COUNT)" for piece in filter_command(connection, query)]
    return found


def changed_filter(
    kept: Iterable[int], head: Head, query: Query, state: Selected, flight: Flight, at: dict[str, int]
) -> tuple[set[int], int | None] | None:
    """Which messages pass a filter now, from those that did, among others that are gone; and how many it must be, where the
    server was asked. `at` says which command of the flight was for what. None where that cannot be told."""
    since = _filter_modseq(head)
    if since is None or CHANGED not in at or not head.mark.startswith(f"{state.validity}:"):
        return None
    if (
        not state.modseq
        or since > state.modseq
        or any(flight.ends[at[name]].status != b"OK" for name in (CHANGED, PASSING, COUNT) if name in at)
    ):
        return None  # restored from a backup, or a server that will not say
    changed, passing = (extended_result(flight, flight.tags[at[name]]) for name in (CHANGED, PASSING))
    count = extended_count(flight, flight.tags[at[COUNT]]) if COUNT in at else None
    return set(kept).difference(changed).union(passing), count


def _is_counted(query: Query) -> bool:
    """Whether the server counts what passes without reading messages."""
    return not (query.attachment or query.text)


def _filter_modseq(head: Head | None) -> int | None:
    words = head.mark.split(":") if head else []
    return int(words[3]) if len(words) == 4 and all(word.isdigit() for word in words) else None
