"""A search in the text of messages: by the server, from the newest back, in parts of about a second, of which each is one
question. Nobody who waits waits for more than the next part, and a search that nobody asks to go on has ended.

What was found is kept (`webmail/sources/cache.py`) with the range of UIDs that was searched: a text does not change under its
UID, so it holds as long as the folder's UIDVALIDITY. New messages are searched in addition; who is still in the folder its order
says, and how a message is marked is asked anew each time. A server with an index (Dovecot's fts) answers a range as quickly as
the whole: it is known by the messages a second that it searched the last time, and then asked for everything at once.
"""

from __future__ import annotations

import hashlib
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from webmail.errors import Refused, Unreachable
from webmail.imap.fetch import by_uid, fetch_command
from webmail.imap.search import filter_result, is_filtered, range_command
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.wire import Flight, Piece, quote
from webmail.sources.cache import Head, MailCache
from webmail.sources.listing import (
    Answers,
    Commands,
    Listing,
    add_missing,
    mark_of,
    matching,
    read_listing,
    read_order,
    span,
    turned,
    without_deleted,
)
from webmail.sources.orders import ascending
from webmail.sources.patching import read_mark
from webmail.sources.texts import Index, Texts
from webmail.values import FolderId, Query, Searched, SearchProblem, Window

PART_S = 0.8
"""What a part is to take the server."""
ENOUGH_S = 0.4
"""When that much time went by, no further part is begun for who waits."""
FIRST_RATE = 500
"""Messages a second of a server that was never asked."""
SMALLEST = 50
"""Messages of a part that a server is asked for at the least, however slow it is."""
SLOWER = 8
GROWTH = 64
"""How much larger the next part may be."""
HEAD = 4
"""Numbers before the UIDs of what is kept: UIDVALIDITY, lowest and highest UID searched, when the lowest arrived."""


@dataclass(frozen=True, slots=True)
class Found:
    """The messages from `low` to `high` (UIDs) that have a text; `back_to` is when `low` arrived, in seconds."""

    low: int
    high: int
    back_to: int
    hits: array[int]

    def pack(self, validity: int) -> array[int]:
        return array("I", [validity, self.low, self.high, self.back_to]) + self.hits


def unpack_found(numbers: array[int] | None, validity: int) -> Found | None:
    """What is kept, None when it is of another folder of this name."""
    if numbers is None or len(numbers) < HEAD or numbers[0] != validity:
        return None
    return Found(numbers[1], numbers[2], numbers[3], numbers[HEAD:])


def plan_part(found: Found | None, uids: Sequence[int], size: int) -> tuple[int, int] | None:
    """The range of UIDs to be searched next among `uids` (ascending), None when all are: what is new first, then back from
    the oldest that was."""
    above = bisect_right(uids, found.high) if found else len(uids)
    below = bisect_left(uids, found.low) if found else len(uids)
    if above < len(uids):
        return uids[above], uids[min(above + size, len(uids)) - 1]
    return (uids[max(0, below - size)], uids[below - 1]) if below else None


def search_name(query: Query) -> str:
    """What is kept of a search is kept under this: neither order nor filters change what has a text."""
    return hashlib.sha256(query.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_list(
    session: Session, cache: MailCache, folder: FolderId, query: Query, window: Window | None = None
) -> Listing:
    """The list of any query. A search in the text of messages of which nothing is kept is begun."""
    if query.text and query.in_body:
        return search_bodies(session, cache, folder, query, window)
    return read_listing(session, cache, folder, query, window)


def search_bodies(
    session: Session,
    cache: MailCache,
    folder: FolderId,
    query: Query,
    window: Window | None = None,
    *,
    on: bool = False,
) -> Listing:
    """What was found so far. With `on` the search goes on for a part; without, only what is new is searched. Raises Refused
    for a text that no server takes, Unreachable, Gone."""
    quote(query.text)
    return _Search(session, cache, folder, query, on=on).read(window)


class _Search:
    """One look at a search."""

    def __init__(self, session: Session, cache: MailCache, folder: FolderId, query: Query, *, on: bool) -> None:
        self._session, self._cache, self._folder, self._query, self._on = session, cache, folder, query, on
        self._name = search_name(query)
        self._plain = Query(sort=query.sort)
        self._marks = replace(query, text="", in_body=False, threads=False)
        self._kept, self._rate = cache.found(folder, self._name)
        self._rate = self._rate or FIRST_RATE
        self._found: Found | None = None
        self._fresh = False
        self._problem: SearchProblem = ""
        self._heads: set[int] | None = None
        self._index: Index | None = None
        self._heads_for: Head | None = None
        self._asked = False
        self._until = time.monotonic() + ENOUGH_S

    def read(self, window: Window | None) -> Listing:
        """The list as far as it was found. After a part without an answer the next one is smaller."""
        try:
            return self._read(window)
        except Unreachable:
            numbers = self._kept if self._kept is not None else array("I")
            self._cache.keep_found(self._folder, self._name, numbers, max(1, self._rate // SLOWER))
            raise

    def _read(self, window: Window | None) -> Listing:
        head = self._cache.heads(self._folder, [self._query.sort])[0]
        commands, part, guess = self._plan_flight(head, window)
        began = time.monotonic()
        state, flight = self._session.selected(self._folder, *commands.pieces)
        answers = Answers(commands, flight)
        flags = {uid: one.flags() for uid, one in by_uid(flight, guess).items() if b"FLAGS" in one.items}
        self._found = unpack_found(self._kept, state.validity)
        order = self._order(state, answers, head)
        uids = ascending(order)
        at = answers.index("part")
        mark = read_mark(head.mark) if head else None
        if part and at is not None and mark and mark.validity == state.validity:
            self._take(part, flight, at, began, uids)
        if self._next(self._found, uids):
            self._look_at_heads(state.validity, order, Head(mark_of(state, self._plain), len(order)))
        self._go_on(state, uids)
        passing = matching(self._session, self._marks, answers) if is_filtered(self._marks) else None
        hits = set(self._found.hits) if self._found else set()
        order = array("I", filter((hits if passing is None else hits & passing).__contains__, order))
        order = turned(without_deleted(order, state), self._query)
        shown = order[max(0, window.start) : window.start + window.size] if window else order
        return Listing(state, len(order), shown, flags, searched=self._searched(uids, len(order)))

    def _plan_flight(
        self, head: Head | None, window: Window | None
    ) -> tuple[Commands, tuple[int, int] | None, list[int]]:
        """What flies with the SELECT: by the order that is kept, the part that comes next, or the flags of what is shown."""
        commands, connection = Commands(), self._session.connection
        add_missing(commands, self._session, self._marks, base=head, filtered=is_filtered(self._marks))
        mark = read_mark(head.mark) if head else None
        order = self._cache.order(self._folder, self._query.sort, head) if head else None
        if mark is None or order is None:
            return commands, None, []
        found = unpack_found(self._kept, mark.validity)
        uids = ascending(order)
        part = self._next(found, uids)
        if part:
            self._look_at_heads(mark.validity, order, head)
        if part and connection.has("ESEARCH"):
            for piece in self._part_commands(part, uids):
                commands.add("part", piece)
        if part or not window or not found or is_filtered(self._marks):
            return commands, part, []
        listed = [*filter(set(found.hits).__contains__, order)]
        first, last = span(len(listed), self._query, window)
        if listed[first:last]:
            commands.add("flags", fetch_command(listed[first:last], b"UID FLAGS"))
        return commands, None, listed[first:last]

    def _order(self, state: Selected, answers: Answers, head: Head | None) -> array[int]:
        order = self._cache.order(self._folder, self._query.sort, head) if head else None
        if order is not None and head and head.mark == mark_of(state, self._plain):
            return order
        return read_order(self._session, self._cache, state, self._plain, answers, head)

    def _next(self, found: Found | None, uids: Sequence[int]) -> tuple[int, int] | None:
        """The part that this look has to search: without `on` only what is new, once something was searched."""
        part = plan_part(found, uids, max(SMALLEST, int(self._rate * PART_S)))
        known = found is not None and part is not None and part[0] < found.low
        return None if known and not self._on and not self._fresh else part

    def _look_at_heads(self, validity: int, order: array[int], head: Head | None) -> None:
        """Finds out in whose head the text is, where all heads of this order are known here (`texts.py`): then the server
        need not look through them, which takes it a third of a search. It is done while the server looks through the bodies."""
        if head is None or head == self._heads_for:
            return
        texts = Texts(self._session, self._cache)
        counts = self._kept is None and self._heads_for is None
        self._heads_for, self._heads = head, None
        self._index = texts.whole(self._folder, validity, order, head)
        if self._index is None:
            self._heads = texts.find(self._folder, validity, order, head, self._query.text, counts=counts)
        else:
            self._session.connection.meanwhile = self._find_heads

    def _find_heads(self) -> None:
        index, self._index = self._index, None
        if index is not None:
            self._heads = index.find(self._query.text)

    def _part_commands(self, part: tuple[int, int], uids: Sequence[int]) -> list[list[Piece]]:
        """The search of a part, and when its oldest message arrived. A part that is the whole folder is asked for without naming
        it, which takes a server with an index a sixth less."""
        body_only = self._heads is not None or self._index is not None
        which = None if part == (uids[0], uids[-1]) else part
        return [
            range_command(self._session.connection, self._query.text, which, body_only=body_only),
            fetch_command([part[0]], b"UID INTERNALDATE"),
        ]

    def _go_on(self, state: Selected, uids: Sequence[int]) -> None:
        """Parts until the time is up; to the end where nothing can be kept, since the next look would begin anew."""
        self._fresh = self._fresh or self._found is None
        try:
            while not self._problem and (part := self._next(self._found, uids)):
                if self._asked and time.monotonic() > self._until and self._kept_so_far(state):
                    return
                began = time.monotonic()
                self._take(part, self._session.connection.run(*self._part_commands(part, uids)), 0, began, uids)
        finally:
            self._kept_so_far(state)

    def _take(self, part: tuple[int, int], flight: Flight, at: int, began: float, uids: Sequence[int]) -> None:
        """The answer to a part, and how quick it was."""
        self._asked = True
        if self._found is None:
            self._fresh = True
        count = bisect_right(uids, part[1]) - bisect_left(uids, part[0])
        code = flight.ends[at].code.split(b" ")[0].upper()
        if code == b"LIMIT" and count > SMALLEST:
            self._rate = max(SMALLEST, count // SLOWER)
            return
        try:
            hits = filter_result(self._session.connection, flight, at)
        except (Refused, Unreachable) as error:  # it said so, the connection is whole
            other: SearchProblem = "unreachable" if isinstance(error, Unreachable) else "refused"
            self._problem = "charset" if code == b"BADCHARSET" else "limit" if code == b"LIMIT" else other
            return
        fetched = by_uid(flight, [part[0]]).get(part[0])
        arrived = int(fetched.received().timestamp()) if fetched and b"INTERNALDATE" in fetched.items else 0
        self._find_heads()
        hits = {uid for uid in hits.union(self._heads or ()) if part[0] <= uid <= part[1]}
        self._found = _joined(self._found, part, array("I", sorted(hits)), max(0, min(arrived, 0xFFFFFFFF)))
        measured = int(count / max(0.001, time.monotonic() - began))
        if count >= SMALLEST:
            self._rate = max(SMALLEST, min(measured, self._rate * GROWTH))

    def _kept_so_far(self, state: Selected) -> bool:
        """Whether what was found is kept for the next look."""
        numbers = self._found.pack(state.validity) if self._found else array("I")
        if self._found and numbers == self._kept:
            return True
        self._kept = numbers
        return self._cache.keep_found(self._folder, self._name, numbers, self._rate)

    def _searched(self, uids: Sequence[int], found: int) -> Searched | None:
        """How far it has come, None at its end."""
        if not self._problem and plan_part(self._found, uids, 1) is None:
            return None
        if self._found is None:
            return Searched(0, len(uids), 0, problem=self._problem)
        done = bisect_right(uids, self._found.high) - bisect_left(uids, self._found.low)
        back_to = datetime.fromtimestamp(self._found.back_to, UTC) if self._found.back_to else None
        return Searched(done, len(uids), found, back_to, self._problem)


def _joined(found: Found | None, part: tuple[int, int], hits: array[int], arrived: int) -> Found:
    if found is None:
        return Found(*part, arrived, hits)
    below = part[0] < found.low
    back_to = (arrived or found.back_to) if below else found.back_to
    return Found(min(part[0], found.low), max(part[1], found.high), back_to, found.hits + hits)
