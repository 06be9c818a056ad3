"""A folder's list: its order, its filters and the flags of the rows shown, in as few round trips as can be.

What was kept from the last time is believed only if the folder's state, told by the SELECT of the same flight, is still
the one for which it was kept. When it is, a page is one round trip.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from webmail.errors import Unreachable
from webmail.imap.fetch import by_uid, fetch_command
from webmail.imap.rows import Row, newest_command, newest_rows
from webmail.imap.search import (
    filter_command,
    filter_result,
    is_filtered,
    is_text_only,
    sort_command,
    sort_here,
    sort_result,
)
from webmail.imap.selected import Selected, search_result
from webmail.imap.session import Session
from webmail.imap.wire import Flight, Piece, quote
from webmail.sources.cache import Head, MailCache
from webmail.sources.patching import patch_order, read_mark
from webmail.sources.since import CHANGED, changed_filter, changes_commands, keep_modseq, modseq_name, read_since
from webmail.sources.texts import Texts
from webmail.values import FolderId, Query, Searched, Window

FEW = 20
LARGE = 20_000
"""Messages of a folder that is not sorted while somebody waits for a page."""
SORTING = "sort"
"""The work of sorting such a folder, which one alone does."""


@dataclass(slots=True)
class Listing:
    """A query's answer: how many messages it has, the UIDs of the window that was asked for in the list's order (all of them
    without one), and the flags that came with them. `unsorted` when the folder has no order yet: they are then as they came, the
    last first. `rows` are those that were read on the way."""

    state: Selected
    total: int
    uids: array[int]
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    unsorted: bool = False
    searched: Searched | None = None
    rows: dict[int, Row] = field(default_factory=dict)


def read_listing(
    session: Session, cache: MailCache, folder: FolderId, query: Query, window: Window | None = None
) -> Listing:
    """The list of a query: a search for text is answered from what is kept of the folder, where all of it is."""
    found = search_listing(session, cache, folder, query, window) if is_text_only(query) else None
    return found or _read_listing(session, cache, folder, query, window)


def search_listing(
    session: Session, cache: MailCache, folder: FolderId, query: Query, window: Window | None
) -> Listing | None:
    """A search in subjects, senders and recipients without the server's: one round trip, for the folder's state and flags.
    None where not every message was read for it yet, or the server's own answer is kept. Raises Refused for a text that no
    server takes."""
    quote(query.text)
    plain, texts = Query(sort=query.sort), Texts(session, cache)
    head, answered, then = cache.heads(folder, [query.sort, filter_name(query), modseq_name(query)])
    if head and answered and head.mark == answered.mark:
        return None
    mark = read_mark(head.mark) if head else None
    order = cache.order(folder, query.sort, head) if head else None
    if head is None or mark is None or order is None:
        return None
    found = texts.find(folder, mark.validity, order, head, query.text)
    hits = array("I", filter((found or set()).__contains__, order))
    stretch = span(len(hits), query, window) if window else (0, 0)
    guess = hits[stretch[0] : stretch[1]].tolist()
    commands = [fetch_command(guess, b"UID FLAGS")] if guess else []
    state, flight = session.selected(folder, *commands, since=read_since(head, then))
    flags = {uid: one.flags() for uid, one in by_uid(flight, guess).items() if b"FLAGS" in one.items}
    if found is None or head.mark != mark_of(state, plain):
        order = read_order(session, cache, state, plain, Answers(Commands(), flight), head)
        if len(order) != state.exists:
            return None
        found = texts.find(folder, state.validity, order, Head(mark_of(state, plain), len(order)), query.text)
        if found is None:
            return None
        hits = array("I", filter(found.__contains__, order))
    hits = turned(without_deleted(hits, state), query)
    return Listing(state, len(hits), hits[window.start : window.start + window.size] if window else hits, flags)


def _read_listing(
    session: Session, cache: MailCache, folder: FolderId, query: Query, window: Window | None = None
) -> Listing:
    """The list of a query, without messages that are marked as deleted; with the flags of `window` as far as it could be
    told beforehand. Of an order that holds still, no more than the window is read. Raises Gone when there is no such folder."""
    filtered = is_filtered(query)
    name = filter_name(query) if filtered else query.sort
    head, base, then = cache.heads(folder, [name, query.sort, modseq_name(query)])
    stretch = span(head.length, query, window) if head and window else (0, 0)
    guess = cache.stretch(folder, name, head, *stretch) if head and window else None
    asked = _likely(session, cache, folder, name, head, stretch, guess, query) if head and guess else None
    commands = Commands()
    if asked:
        commands.add("flags", fetch_command(asked, b"UID FLAGS"))
    if window and not head and is_usual(query):
        return _read_first(session, cache, folder, query, window)
    changes = changes_commands(session.connection, query, head) if filtered else {}
    for purpose, command in changes.items():
        commands.add(purpose, command)
    if not head:
        add_missing(commands, session, query, base=base, filtered=filtered)
    state, flight = session.selected(folder, *commands.pieces, since=read_since(base, then))
    flags = {uid: one.flags() for uid, one in by_uid(flight, asked or ()).items() if b"FLAGS" in one.items}
    holds = head is not None and head.mark == mark_of(state, query)
    if base and base.mark == mark_of(state, Query(sort=query.sort)):
        keep_modseq(cache, query, base.mark, state, then)
    if head and holds and guess is not None and not state.deleted:
        return Listing(state, head.length, turned(array("I", guess), query), flags)
    order = cache.order(folder, name, head) if head and holds else None
    if order is None:
        order = read_order(session, cache, state, query, Answers(commands, flight), base, head)
    return _windowed(state, order, query, window, flags)


def _likely(
    session: Session,
    cache: MailCache,
    folder: FolderId,
    name: str,
    head: Head,
    stretch: tuple[int, int],
    guess: list[int],
    query: Query,
) -> list[int]:
    """The messages that will be shown, as far as it is known: in the place of those that this connection moved away come those
    after them."""
    left = set(session.connection.left).intersection(guess)
    if not left:
        return guess
    start, end = stretch
    more = (max(0, start - len(left)), start) if query.descending else (end, min(head.length, end + len(left)))
    others = cache.stretch(folder, name, head, *more) or []
    return [uid for uid in [*guess, *others] if uid not in left]


def _windowed(
    state: Selected, order: array[int], query: Query, window: Window | None, flags: dict[int, frozenset[str]]
) -> Listing:
    order = turned(without_deleted(order, state), query)
    uids = order[max(0, window.start) : window.start + window.size] if window else order
    return Listing(state, len(order), uids, flags)


def is_usual(query: Query) -> bool:
    """Whether it is the list that a folder opens with."""
    return query.sort == "date" and query.descending and not is_filtered(query)


def is_large(state: Selected) -> bool:
    """Whether the selected folder is not sorted while somebody waits."""
    return state.exists > LARGE


def _read_first(session: Session, cache: MailCache, folder: FolderId, query: Query, window: Window) -> Listing:
    """The usual list of a folder of which no order is kept. How large it is, only the SELECT tells: a large one is shown as its
    messages came, and sorted when nobody waits; a small one is sorted, and the rows that came last fly along."""
    state, _flight = session.selected(folder)
    large, commands = is_large(state), Commands()
    at_top = window.start <= 0 and not state.deleted and not (large and cache.is_locked(folder, SORTING))
    rows: dict[int, Row] = {}
    first = max(1, state.exists - window.size + 1)
    if at_top and state.exists and window.size:
        commands.add("rows", newest_command(session.connection, first, state.exists, sized=not large))
    if not large:
        add_missing(commands, session, query, base=None, filtered=False)
    try:
        flight = session.connection.run(*commands.pieces) if commands.pieces else Flight()
        if "rows" in commands.names:
            rows = newest_rows(session.connection, folder, state.validity, flight)
    except Unreachable:
        if not session.connection.broken:
            raise
        session.reconnect()  # it may be a message over which the server stumbles: rows are read another way then
        state, _flight = session.selected(folder)
        commands, flight, large = Commands(), Flight(), is_large(state)
    flags = {uid: row.summary.flags for uid, row in rows.items()}
    if large:
        uids = array("I", sorted(rows, reverse=True)) if rows else _came_last(session, state, window)
        return Listing(state, state.exists - len(state.deleted), uids, flags, unsorted=True, rows=rows)
    order = read_order(session, cache, state, query, Answers(commands, flight), None)
    listing = _windowed(state, order, query, window, flags)
    listing.rows = rows
    return listing


def _came_last(session: Session, state: Selected, window: Window) -> array[int]:
    """The UIDs of a window of the messages as they came, the last first, without those that are marked as deleted."""
    end = max(0, window.start) + window.size
    first = max(1, state.exists - end - len(state.deleted) + 1)
    flight = session.connection.ask(b"UID", b"SEARCH", b"%d:%d" % (first, state.exists))
    here = sorted(search_result(flight) - state.deleted, reverse=True)
    return array("I", here[max(0, window.start) : end])


def sort_folder(session: Session, cache: MailCache, folder: FolderId, *, beat: Callable[[int], None]) -> None:
    """Sorts a folder by date and keeps its order. Piece by piece first, which lets the server remember the dates: a million
    that it has not seen yet take it longer than any answer may. `beat` is called after each piece with how many are through."""
    state, _flight = session.selected(folder)
    if not session.connection.has("SORT"):
        order = sort_here(session.connection, "date", beat)
        if state.next_uid and len(order) == state.exists:
            cache.keep_orders(folder, {"date": (mark_of(state, Query()), order)})
        return
    command = sort_command(session.connection, "date")
    for first in range(1, state.exists + 1, LARGE):
        last = min(first + LARGE - 1, state.exists)
        session.connection.run([*command[:-1], b"%d:%d" % (first, last)])
        beat(last)
    _read_listing(session, cache, folder, Query())


def turned(order: array[int], query: Query) -> array[int]:
    if query.descending:
        order.reverse()
    return order


@dataclass(slots=True)
class Commands:
    """Commands of a flight, by what they are for."""

    pieces: list[list[Piece]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, command: list[Piece]) -> None:
        self.names.append(name)
        self.pieces.append(command)


@dataclass(frozen=True, slots=True)
class Answers:
    """A flight, and which of its commands was for what."""

    commands: Commands
    flight: Flight

    def index(self, name: str) -> int | None:
        return self.commands.names.index(name) if name in self.commands.names else None


def add_missing(commands: Commands, session: Session, query: Query, *, base: Head | None, filtered: bool) -> None:
    """What will be needed for certain, into the same flight as the SELECT."""
    connection = session.connection
    if base is None and connection.has("SORT"):
        commands.add("sort", sort_command(connection, query.sort))
    if filtered and connection.has("ESEARCH"):
        commands.add("filter", filter_command(connection, query))


def read_order(
    session: Session,
    cache: MailCache,
    state: Selected,
    query: Query,
    answers: Answers,
    base: Head | None,
    filtered: Head | None = None,
) -> array[int]:
    """The ascending order of a query from the answers at hand, from the server where they do not suffice; kept for the
    next time. `base` is the head of the order, `filtered` that of the query's own."""
    keep: dict[str, tuple[str, array[int]]] = {}
    base_mark = mark_of(state, Query(sort=query.sort))
    kept = cache.order(state.folder, query.sort, base) if base else None
    if base and kept is not None and base.mark == base_mark:
        order = kept
    else:
        patched = patch_order(session.connection, query.sort, kept, base.mark, state) if base and kept else None
        order = patched if patched is not None else _sorted(session, state, query, answers)
        if state.next_uid and len(order) == state.exists:
            keep[query.sort] = (base_mark, order)
            keep_modseq(cache, query, base_mark, state, None)
    if is_filtered(query):
        whole = len(order) == state.exists
        passed = _patched_filter(cache, state, query, answers, order, filtered)
        order = passed if passed is not None else _passing(order, matching(session, query, answers))
        if whole and (mark := mark_of(state, query)):
            keep[filter_name(query)] = (mark, order)
    cache.keep_orders(state.folder, keep)
    return array("I", order)


def _passing(order: array[int], passing: set[int]) -> array[int]:
    return array("I", (uid for uid in order if uid in passing))


def _patched_filter(
    cache: MailCache, state: Selected, query: Query, answers: Answers, order: array[int], head: Head | None
) -> array[int] | None:
    """What passes a filter, from what did and what has changed since; None where it has to be asked for whole."""
    at = {name: at for at, name in enumerate(answers.commands.names)}
    kept = cache.order(state.folder, filter_name(query), head) if head and CHANGED in at else None
    found = changed_filter(kept, head, query, state, answers.flight, at) if head and kept is not None else None
    if found is None:
        return None
    passing, count = found
    passed = _passing(order, passing)
    return passed if count in (None, len(passed)) else None


def _sorted(session: Session, state: Selected, query: Query, answers: Answers) -> array[int]:
    connection = session.connection
    if not state.exists:
        return array("I")
    if not connection.has("SORT"):
        return sort_here(connection, query.sort)
    at = answers.index("sort")
    if at is not None:
        return sort_result(connection, answers.flight, at)
    return sort_result(connection, connection.run(sort_command(connection, query.sort)), 0)


def matching(session: Session, query: Query, answers: Answers) -> set[int]:
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


def span(count: int, query: Query, window: Window) -> tuple[int, int]:
    """Where a window of a list is in its order, which is ascending and has `count` messages."""
    start, end = min(max(0, window.start), count), min(max(0, window.start) + window.size, count)
    return (count - end, count - start) if query.descending else (start, end)


def without_deleted(order: array[int], state: Selected) -> array[int]:
    if not state.deleted:
        return array("I", order)
    if len(state.deleted) > FEW:
        return array("I", (uid for uid in order if uid not in state.deleted))
    order = array("I", order)
    for uid in state.deleted:
        if uid in order:
            order.remove(uid)
    return order
