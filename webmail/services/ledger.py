"""What a POP3 listing means, held against what is known of the server's copies. Pure: no network, no database, no clock.

The unique-id (RFC 1939 section 7) is the key, and is not believed further than it deserves: one that is listed twice is
never deleted on its evidence, one that came back with another size is another message, and one that we had removed is
fetched again to see what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from webmail.models import LedgerEntry

State = LedgerEntry.State
REMEMBER = timedelta(days=30)
"""How long an entry outlives the server's copy at least."""
RETRY_FIRST = timedelta(minutes=10)
RETRY_LAST = timedelta(days=1)


class Line(Protocol):
    """One message of a listing."""

    @property
    def number(self) -> int: ...
    @property
    def uidl(self) -> str: ...
    @property
    def size_bytes(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger, as far as plans need it."""

    pk: int
    uidl: str
    blob: str
    size_bytes: int
    state: str
    remove_at: datetime | None = None
    retry_at: datetime | None = None
    problem: str = ""
    hold: bool = False
    """Its owner decided about this one: a message that waits is fetched whatever its size."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A message to fetch; `entry` where something is known of it already."""

    number: int
    uidl: str
    size_bytes: int | None
    entry: Entry | None = None


@dataclass(slots=True)
class Plan:
    """What one listing asks for. Lists of ints are primary keys of entries; `remove` pairs a message number with one."""

    wanted: list[Wish] = field(default_factory=list)
    remove: list[tuple[int, int]] = field(default_factory=list)
    too_large: list[Wish] = field(default_factory=list)
    later: int = 0
    """How many are known not to be here, and are not tried now."""
    back: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    doubtful: frozenset[str] = frozenset()
    """Unique-ids that are listed more than once."""


def make_plan(
    listed: Sequence[Line], entries: Iterable[Entry], *, now: datetime, max_bytes: int | None, has_uidl: bool = True
) -> Plan:
    """What to fetch, what to remove, and what the listing tells of the copies that we knew. `listed` in the server's order;
    with sizes where it tells them. Without unique-ids everything is fetched and told by its content."""
    if not has_uidl:
        return Plan(wanted=[Wish(line.number, "", line.size_bytes) for line in listed if _fits(line, max_bytes)])
    counts = Counter(line.uidl for line in listed)
    known: dict[str, list[Entry]] = {}
    for entry in entries:
        known.setdefault(entry.uidl, []).append(entry)
    plan = Plan(doubtful=frozenset(uidl for uidl, count in counts.items() if count > 1))
    for line in listed:
        if line.uidl in plan.doubtful:
            _plan_doubtful(plan, line, max_bytes)
        else:
            _plan_line(plan, line, known.get(line.uidl, []), now=now, max_bytes=max_bytes)
    for uidl, mine in known.items():
        if uidl not in counts:
            for entry in mine:
                _plan_missing(plan, entry)
    return plan


def _plan_line(plan: Plan, line: Line, mine: list[Entry], *, now: datetime, max_bytes: int | None) -> None:
    entry = _match(line, mine)
    wish = Wish(line.number, line.uidl, line.size_bytes, entry)
    if entry is None or entry.state in {State.REMOVED, State.WAITING}:
        _want(plan, wish, now, max_bytes)
        return
    if entry.state in {State.TAKEN, State.DELETING}:
        plan.back.append(entry.pk)
    if entry.problem == "lost-here":
        plan.wanted.append(wish)
    elif entry.remove_at and entry.remove_at <= now:
        plan.remove.append((line.number, entry.pk))


def _plan_doubtful(plan: Plan, line: Line, max_bytes: int | None) -> None:
    """One of several under the same unique-id: fetched whenever the listing has changed, and told by its content."""
    wish = Wish(line.number, line.uidl, line.size_bytes)
    (plan.wanted if _fits(line, max_bytes) else plan.too_large).append(wish)


def _plan_missing(plan: Plan, entry: Entry) -> None:
    if entry.state == State.KEPT:
        plan.taken.append(entry.pk)
    elif entry.state == State.DELETING:
        plan.finished.append(entry.pk)
    elif entry.state == State.WAITING:
        plan.forgotten.append(entry.pk)


def _match(line: Line, mine: list[Entry]) -> Entry | None:
    """The entry of this line: one that says the message is there rather than one that says it is gone, and never one of
    another size, which is another message under a unique-id that was used before."""
    fitting = [entry for entry in mine if line.size_bytes in {None, entry.size_bytes}]
    order = [State.KEPT, State.DELETING, State.TAKEN, State.WAITING, State.REMOVED]
    return min(fitting, key=lambda entry: (order.index(State(entry.state)), -entry.pk), default=None)


def _want(plan: Plan, wish: Wish, now: datetime, max_bytes: int | None) -> None:
    wished = wish.entry is not None and wish.entry.state == State.WAITING and wish.entry.hold
    if not wished and not _fits(wish, max_bytes):
        plan.too_large.append(wish)
    elif wish.entry and wish.entry.retry_at and wish.entry.retry_at > now:
        plan.later += 1
    else:
        plan.wanted.append(wish)


def _fits(line: Line | Wish, max_bytes: int | None) -> bool:
    return max_bytes is None or line.size_bytes is None or line.size_bytes <= max_bytes


def retry_delay(attempts: int) -> timedelta:
    """How long a message that could not be fetched is left in peace, after so many tries."""
    return min(RETRY_LAST, RETRY_FIRST * (1 << min(attempts, 10)))
