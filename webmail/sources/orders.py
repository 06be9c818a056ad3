"""Orders of messages: arrays of UIDs, long ones, in which a few are looked for."""

from __future__ import annotations

from array import array

from webmail.sources.recent import Recent

ASCENDING_BYTES = 16 * 1024 * 1024
"""Of orders that were put in the order of their UIDs lately."""
END = 4_000
"""At the end of an order by date is what most changes concern; only for others the whole is looked at."""


_ascending: Recent[tuple[array[int], array[int]]] = Recent(ASCENDING_BYTES, lambda kept: 1_000 + 8 * len(kept[1]))


def ascending(order: array[int]) -> array[int]:
    """The UIDs of an order that is never changed from the lowest to the highest, which is not to be changed either."""
    kept = _ascending.get(id(order))
    if kept is None or kept[0] is not order:
        kept = order, array(order.typecode, sorted(order))
        _ascending.keep(id(order), kept)
    return kept[1]


def index_of(order: array[int], uid: int) -> int:
    """Where a UID stands, as `array.index` tells it, several times as fast in a long one. Raises ValueError."""
    octets, size = order.tobytes(), order.itemsize
    wanted, at = array(order.typecode, [uid]).tobytes(), 0
    while (at := octets.index(wanted, at)) % size:
        at += 1
    return at // size


def holds_all(order: array[int], uids: frozenset[int]) -> bool:
    """Whether all of these are in an order."""
    left = uids.difference(order[-END:])
    return not left or len(left.intersection(order[:-END])) == len(left)


def take_out(order: array[int], uids: frozenset[int]) -> array[int]:
    """An order without some of its UIDs."""
    start = max(0, len(order) - END)
    end = array(order.typecode, (uid for uid in order[start:] if uid not in uids))
    if len(order) - start - len(end) == len(uids):
        return order[:start] + end
    return array(order.typecode, (uid for uid in order[:start] if uid not in uids)) + end
