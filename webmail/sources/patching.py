"""A kept order made true again: what left the folder is taken out, and the server says where among the others it would sort
what came. Nothing is compared here, so the order is the server's own; where it cannot be patched, it is asked for whole."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webmail.imap.connection import Connection, check
from webmail.imap.search import sort_command, sort_result
from webmail.imap.selected import Selected, parse_runs, search_result
from webmail.imap.wire import Piece, uid_set
from webmail.sources.orders import holds_all, take_out
from webmail.sources.since import among
from webmail.values import SortKey

PROBES = 240
"""Messages among which the server places the new ones in one round trip."""
NEWEST = 160
"""Of these, so many at the end of the order: that is where most new ones belong."""
PROBES_LIMIT = 600
"""What a command of 8,192 octets has room for."""
ROUNDS = 12
NEW_LIMIT = 1_000
"""With more new messages than that a folder is sorted whole."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a folder for which an order was kept: which messages there were."""

    validity: int
    next_uid: int
    exists: int


def read_mark(text: str) -> Mark | None:
    """The mark of an order that no flag decides."""
    words = text.split(":")
    return Mark(*map(int, words)) if len(words) == 3 and all(word.isdigit() for word in words) else None


def patch_order(
    connection: Connection, sort: SortKey, kept: array[int], was: str, state: Selected
) -> array[int] | None:
    """The ascending order of the selected folder from the one that was kept; None where it has to be asked for whole. One
    round trip for new mail, one more when something left the folder, unless it is known what: it was moved over this very
    connection, or the server told what vanished, and there are as many fewer. None for new mail of which all was moved away
    over this connection since."""
    mark = read_mark(was)
    if mark is None or mark.validity != state.validity or not mark.next_uid or mark.next_uid > state.next_uid:
        return None
    if len(kept) != mark.exists or not state.exists or not connection.has("SORT"):
        return None
    placed = _Placing(connection, sort, kept, mark.next_uid, state.next_uid)
    came_and_left = sum(mark.next_uid <= uid < state.next_uid for uid in frozenset(connection.left))
    if came_and_left < state.next_uid - mark.next_uid and not placed.look():
        return None
    gone = len(kept) + len(placed.new) - state.exists
    if gone < 0 or len(placed.new) > NEW_LIMIT:
        return None
    left = frozenset([uid for uid in connection.left if uid < mark.next_uid][-gone:] if gone else ())
    if len(left) != gone or not holds_all(kept, left):
        left = among(kept, state.vanished or ())
    if len(left) != gone:
        left = find_gone(connection, kept, mark.next_uid)
    if len(left) != gone or not placed.settle(left):
        return None
    return _inserted(kept, placed.places(), left)


def find_gone(connection: Connection, kept: Sequence[int], before: int) -> frozenset[int]:
    """Those of these UIDs that are not in the selected folder any more."""
    if not connection.has("ESEARCH"):
        flight = connection.ask(b"UID", b"SEARCH", b"UID", b"1:%d" % max(1, before - 1))
        here = search_result(flight)
        return frozenset(uid for uid in kept if uid not in here)
    flight = connection.ask(b"UID", b"SEARCH", b"RETURN", b"(ALL)", b"UID", b"1:%d" % max(1, before - 1))
    spans = sorted(_spans(flight.of(b"ESEARCH")[0].data if flight.of(b"ESEARCH") else b""))
    ordered = sorted(kept)
    gone: list[int] = []
    at = 0
    for low, high in spans:
        gone += ordered[at : bisect_left(ordered, low, at)]
        at = bisect_right(ordered, high, at)
    return frozenset(gone + ordered[at:])


def _spans(data: bytes) -> Iterable[tuple[int, int]]:
    """The runs of an ESEARCH response (RFC 4731)."""
    words = data.split()
    return parse_runs(words[words.index(b"ALL") + 1]) if b"ALL" in words[:-1] else ()


class _Placing:
    """Where in an order new messages belong: each between two positions that come nearer to each other."""

    def __init__(self, connection: Connection, sort: SortKey, order: array[int], first: int, end: int) -> None:
        self._connection, self._sort, self._order = connection, sort, order
        self._first, self._end = first, end
        self.new: list[int] = []
        self._between: dict[int, tuple[int, int]] = {}

    def look(self) -> bool:
        """The first round; False when the answer contradicts the order."""
        count = len(self._order)
        step = max(1, count // (PROBES - NEWEST))
        return self._ask({*range(max(0, count - NEWEST), count), *range(0, count, step)})

    def settle(self, gone: frozenset[int]) -> bool:
        """Further rounds, until every new message has its place among those that are not gone."""
        for _round in range(ROUNDS):
            self._pass_over(gone)
            open_ = {span for span in self._between.values() if span[0] < span[1]}
            if not open_:
                return True
            share = max(1, PROBES // len(open_))
            probes: set[int] = set()
            for low, high in open_:
                probes.update(low + (high - low) * (part + 1) // (share + 1) for part in range(share))
            if len(probes) > PROBES_LIMIT or not self._ask(probes):
                return False
        self._pass_over(gone)
        return all(low == high for low, high in self._between.values())

    def _pass_over(self, gone: frozenset[int]) -> None:
        """The server says nothing of messages that are gone: which side of them a new one stands is all the same."""
        for uid, (low, high) in list(self._between.items()) if gone else ():
            while low < high and self._order[low] in gone:
                low += 1
            while low < high and self._order[high - 1] in gone:
                high -= 1
            self._between[uid] = low, high

    def places(self) -> list[tuple[int, int]]:
        """(position, UID) of the new messages, in their order."""
        return [(self._between[uid][0], uid) for uid in self.new]

    def _ask(self, probes: set[int]) -> bool:
        """Lets the server sort these positions together with what is new."""
        position_of = {self._order[at]: at for at in probes}
        uids = b"%d:*" % self._first
        if position_of:
            uids = uid_set(position_of) + b"," + uids
        command: list[Piece] = sort_command(self._connection, self._sort, uids)
        flight = self._connection.run(command)
        check(flight.ends[0])
        waiting: list[int] = []
        self.new, low = [], 0
        for uid in sort_result(self._connection, flight, 0):
            if uid in position_of:
                at = position_of[uid]
                if at < low:
                    return False
                self._narrow(waiting, low, at)
                waiting, low = [], at + 1
            elif self._first <= uid < self._end:
                self.new.append(uid)
                waiting.append(uid)
        self._narrow(waiting, low, len(self._order))
        return True

    def _narrow(self, uids: list[int], low: int, high: int) -> None:
        for uid in uids:
            before = self._between.get(uid, (0, len(self._order)))
            self._between[uid] = max(before[0], low), min(before[1], high)


def _inserted(order: array[int], places: list[tuple[int, int]], gone: frozenset[int]) -> array[int]:
    """The order with new messages at their places, and without those that left."""
    out = array("I")
    done = 0
    for at, uid in places:
        out.extend(order[done:at])
        out.append(uid)
        done = at
    out.extend(order[done:])
    return take_out(out, gone) if gone else out
