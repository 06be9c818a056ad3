"""Moves, told from deletions message by message: a removal is part of a move where a copy of that very message was made before.

Dovecot writes one line for each copy and one for each removal, MOVE (RFC 6851) being the one after the other. The copy's line
has the number of the new message and the removal's that of the old one, so the two are known by Message-ID and size, of which no
more than a digest is held, for a day at most, and nothing stays once they have met. Where that does not prove a move, the removal
stays one and says where the copy lies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from accounts.activity.deeds import Deed
from accounts.activity.sessions import Done

OTHER_SESSION = timedelta(minutes=10)
"""So soon after its copy another connection of the same program makes a removal a move: programs have several."""
ONE_COMMAND = timedelta(seconds=2)
"""Between the lines of one MOVE; of messages that are told by size alone only that is proof."""
KEPT = timedelta(days=1)
WAITING_MAX, WAITING_SAVED = 50_000, 2_000
"""So many copies are held at most, by mailbox and size, and so many are saved; beyond them the oldest are let go."""
SAME_MAX = 5_000
"""So many of one size in one mailbox."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """`message` is a digest of its Message-ID, "" where the log has none: Dovecot writes what it has at hand."""

    message: str
    done: Done

    def is_of(self, message: str) -> bool:
        """Whether it is of this message for sure."""
        return bool(message) and self.message == message

    def may_be_of(self, message: str) -> bool:
        return not (message and self.message)

    def proves(self, removal: Done, *, named: bool) -> bool:
        """Whether the removal of the original ends a move that began with this copy."""
        after = removal.deed.at - self.done.deed.at
        if self.done.deed.session == removal.deed.session:
            return named or after <= ONE_COMMAND
        return named and after <= OTHER_SESSION and _same_program(self.done, removal)


class Moves:
    """Copies whose originals are not removed yet."""

    def __init__(self) -> None:
        self._copies: dict[tuple[str, int], list[_Copy]] = {}

    def take(self, done: Done) -> Done:
        """What was done; of a removal, whether it was part of a move: then it is "moved", of the session that copied and of the
        moment in which it did. A removal that is none but of which a copy is known has that one's folder as its target."""
        if done.deed.kind == "copied":
            self._hold(_Copy(digest_of(done.deed.message), done))
        elif done.deed.kind == "removed":
            return self._told(done)
        return done

    def settle(self, now: datetime) -> None:
        """Lets go of copies that are a day old."""
        limit = now - KEPT
        while self._copies:
            key = next(iter(self._copies))
            if self._copies[key][-1].done.deed.at > limit:
                return
            del self._copies[key]

    def dump(self) -> list[list[Any]]:
        """What is held, for JSON."""
        latest = list(self._copies.values())[-WAITING_SAVED:]
        return [_dumped(copy) for copies in latest for copy in copies][-WAITING_SAVED:]

    def load(self, dumped: list[list[Any]]) -> None:
        """Takes up what `dump` gave."""
        for values in dumped:
            self._hold(_loaded(*values))

    def _hold(self, copy: _Copy) -> None:
        key = copy.done.deed.user, copy.done.deed.size_bytes
        copies = self._copies.pop(key, [])
        copies.append(copy)
        del copies[:-SAME_MAX]
        self._copies[key] = copies  # the latest stand last
        if len(self._copies) > WAITING_MAX:
            del self._copies[next(iter(self._copies))]

    def _told(self, removal: Done) -> Done:
        deed, message = removal.deed, digest_of(removal.deed.message)
        key = deed.user, deed.size_bytes
        copies = self._copies.get(key, [])
        if message:
            found = _found(copies, removal, lambda copy: copy.is_of(message), named=True)
            if found:
                return self._explained(key, found[0], removal, move=found[1])
            for place, copy in enumerate(copies):
                if copy.is_of(message) and copy.done.deed.target == deed.folder:
                    self._let_go(key, place)  # the copy itself is gone: it explains nothing any more
                    return removal
        found = _found(copies, removal, lambda copy: copy.may_be_of(message), named=False)
        return self._explained(key, found[0], removal, move=found[1]) if found else removal

    def _explained(self, key: tuple[str, int], place: int, removal: Done, *, move: bool) -> Done:
        copy = self._let_go(key, place)
        if move:
            return replace(copy, deed=replace(copy.deed, kind="moved", size_bytes=removal.deed.size_bytes))
        return replace(removal, deed=replace(removal.deed, target=copy.deed.target))

    def _let_go(self, key: tuple[str, int], place: int) -> Done:
        copies = self._copies[key]
        copy = copies.pop(place)
        if not copies:
            del self._copies[key]
        return copy.done


def _found(
    copies: list[_Copy], removal: Done, is_it: Callable[[_Copy], bool], *, named: bool
) -> tuple[int, bool] | None:
    """Which of these copies is of what was removed, and whether that was a move; one that proves it before any other. Those
    told by size alone count no longer than a move on another connection may take."""
    first: int | None = None
    for place, copy in enumerate(copies):
        near = named or removal.deed.at - copy.done.deed.at <= OTHER_SESSION
        if copy.done.deed.folder != removal.deed.folder or not near or not is_it(copy):
            continue
        if copy.proves(removal, named=named):
            return place, True
        first = place if first is None else first
    return None if first is None else (first, False)


def digest_of(message: str) -> str:
    """By what a Message-ID is known again; "" for none."""
    return hashlib.blake2b(message.encode(), digest_size=9).hexdigest() if message else ""


def _same_program(one: Done, other: Done) -> bool:
    """Whether these are connections of one program: of the same name, by the same password, from the same network or, where the
    password is a single device's, from any."""
    if (one.protocol, one.program, one.app) != (other.protocol, other.program, other.app):
        return False
    return bool(one.app) or one.network == other.network


def _dumped(copy: _Copy) -> list[Any]:
    deed, done = copy.done.deed, copy.done
    what = [copy.message, deed.user, deed.session, deed.at.isoformat(), deed.folder, deed.target, deed.size_bytes]
    return [*what, done.protocol, done.program, done.network, done.app]


def _loaded(message: str, user: str, session: str, at: str, folder: str, target: str, size: int, *who: Any) -> _Copy:
    deed = Deed(datetime.fromisoformat(at), user, "imap", session, "", "", "copied", folder, target, size_bytes=size)
    protocol, program, network, app = who
    return _Copy(message, Done(deed, protocol, program, network, app))
