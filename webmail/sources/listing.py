"""A folder's list: its order, its filters and the flags of the rows shown, in as few round trips as can be.

What was kept from the last time is believed only if the folder's state, told by the SELECT of the same flight, is still
the one for which it was kept. When it is, a page is one round trip.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field

from webmail.imap.fetch import by_uid, fetch_command
from webmail.imap.search import (
    filter_command,
    filter_result,
    is_filtered,
    sort_command,
    sort_here,
    sort_result,
)
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.wire import Flight, Piece
from webmail.sources.cache import MailCache
from webmail.values import FolderId, Query, Window

FEW = 20

Kept = tuple[str, "array[int]"] | None


@dataclass(slots=True)
class Listing:
    """The UIDs of a query in its order, and the flags that came with them."""

    state: Selected
    order: array[int]
    flags: dict[int, frozenset[str]] = field(default_factory=dict)


def read_listing(
    session: Session, cache: MailCache, folder: FolderId, query: Query, window: Window | None = None
) -> Listing:
    """The list of a query, without messages that are marked as deleted; with the flags of `window` as far as it could be
    told beforehand. Raises Gone when there is no such folder."""
    filtered = is_filtered(query)
    name = filter_name(query)
    kept, base = cache.orders(folder, [name, query.sort]) if filtered else [*cache.orders(folder, [query.sort]), None]
    commands = _Commands()
    guess = _window(kept[1], query, window) if kept and window else []
    if guess:
        commands.add("flags", fetch_command(guess, b"UID FLAGS"))
    if not kept:
        _add_missing(commands, session, query, base=base, filtered=filtered)
    state, flight = session.selected(folder, *commands.pieces)
    listing = Listing(state, array("I"))
    listing.flags = {uid: one.flags() for uid, one in by_uid(flight, guess).items() if b"FLAGS" in one.items}
    order = kept[1] if kept and kept[0] == mark_of(state, query) else None
    if order is None:
        order = _read_order(
            session, cache, listing.state, query, _Answers(commands, flight), base if filtered else None
        )
    listing.order = _without_deleted(order, state)
    if query.descending:
        listing.order.reverse()
    return listing


@dataclass(slots=True)
class _Commands:
    """Commands of a flight, by what they are for."""

    pieces: list[list[Piece]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, command: list[Piece]) -> None:
        self.names.append(name)
        self.pieces.append(command)


@dataclass(frozen=True, slots=True)
class _Answers:
    """A flight, and which of its commands was for what."""

    commands: _Commands
    flight: Flight

    def index(self, name: str) -> int | None:
        return self.commands.names.index(name) if name in self.commands.names else None


def _add_missing(commands: _Commands, session: Session, query: Query, *, base: Kept, filtered: bool) -> None:
    """What will be needed for certain, into the same flight as the SELECT."""
    connection = session.connection
    if base is None and connection.has("SORT"):
        commands.add("sort", sort_command(connection, query.sort))
    if filtered and connection.has("ESEARCH"):
        commands.add("filter", filter_command(connection, query))


def _read_order(
    session: Session, cache: MailCache, state: Selected, query: Query, answers: _Answers, base: Kept
) -> array[int]:
    """The ascending order of a query from the answers at hand, from the server where they do not suffice; kept for the
    next time."""
    keep: dict[str, tuple[str, array[int]]] = {}
    base_mark = mark_of(state, Query(sort=query.sort))
    if base and base[0] == base_mark:
        order = base[1]
    else:
        order = _sorted(session, state, query, answers)
        if state.next_uid and len(order) == state.exists:
            keep[query.sort] = (base_mark, order)
    if is_filtered(query):
        whole = len(order) == state.exists
        matching = _matching(session, query, answers)
        order = array("I", (uid for uid in order if uid in matching))
        if whole and (mark := mark_of(state, query)):
            keep[filter_name(query)] = (mark, order)
    cache.keep_orders(state.folder, keep)
    return array("I", order)


def _sorted(session: Session, state: Selected, query: Query, answers: _Answers) -> array[int]:
    connection = session.connection
    if not state.exists:
        return array("I")
    if not connection.has("SORT"):
        return sort_here(connection, query.sort)
    at = answers.index("sort")
    if at is not None:
        return sort_result(connection, answers.flight, at)
    return sort_result(connection, connection.run(sort_command(connection, query.sort)), 0)


def _matching(session: Session, query: Query, answers: _Answers) -> set[int]:
    connection = session.connection
    at = answers.index("filter")
    if at is not None:
        return filter_result(connection, answers.flight, at)
    return filter_result(connection, connection.run(filter_command(connection, query)), 0)


def mark_of(state: Selected, query: Query) -> str:
    """The state of the folder for which an order holds: no message came or went, and where flags decide, none changed
    (RFC 7162). "" = it cannot be told, so nothing is kept."""
    mark = f"{state.validity}:{state.next_uid}:{state.exists}"
    if not (query.unread or query.flagged or query.attachment):
        return mark
    return f"{mark}:{state.modseq}" if state.modseq else ""


def filter_name(query: Query) -> str:
    """What the order of a filtered list is kept under."""
    parts = (query.sort, query.unread, query.flagged, query.attachment, query.in_body, query.text)
    return "f" + hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _window(order: array[int], query: Query, window: Window) -> list[int]:
    """The UIDs of a window of a list, `order` being ascending."""
    start, end = window.start, window.start + window.size
    if query.descending:
        start, end = max(0, len(order) - end), max(0, len(order) - start)
    return list(order[start:end])


def _without_deleted(order: array[int], state: Selected) -> array[int]:
    if not state.deleted:
        return array("I", order)
    if len(state.deleted) > FEW:
        return array("I", (uid for uid in order if uid not in state.deleted))
    order = array("I", order)
    for uid in state.deleted:
        if uid in order:
            order.remove(uid)
    return order
