"""A POP3 maildrop in memory that may do to a pull what servers do, and a clock to turn: for orders of events that no real
server can be made to show. The real Dovecot is in test_pulling.py and test_kill.py."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from webmail.errors import MailError, Refused, Unreachable
from webmail.pop3.flow import Retrieved, Wanted
from webmail.pop3.listing import Listing
from webmail.values import Credentials


class Killed(BaseException):
    """The worker is gone: nothing that would follow happens."""


@dataclass
class Clock:
    """A clock that stands until it is turned."""

    now: datetime = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Drop:
    """A maildrop. `fault` is called with the name of each step before it is done, and may raise."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)
    fault: Callable[[str], None] = lambda step: None
    has_uidl: bool = True
    ever: set[bytes] = field(default_factory=set)
    removed_by_us: list[bytes] = field(default_factory=list)
    refuses: set[bytes] = field(default_factory=set)
    cuts: dict[bytes, int] = field(default_factory=dict)
    ignores_dele: bool = False
    sessions: int = 0
    retrieved: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def deliver(self, raw: bytes, uidl: str = "") -> None:
        self.messages.append((uidl or f"u{next(self.numbers)}", raw))
        self.ever.add(raw)

    def renew_uidls(self) -> None:
        self.messages = [(f"r{next(self.numbers)}", raw) for _uidl, raw in self.messages]

    def connect(self, *_: object) -> ModelSession:
        self.fault("connect")
        self.sessions += 1
        return ModelSession(self, list(self.messages))


@dataclass
class ModelSession:
    """One session: what it lists is what there was at its beginning."""

    drop: Drop
    seen: list[tuple[str, bytes]]
    marked: set[int] = field(default_factory=set)
    answer_ms: int = 1
    pipelining: bool = True
    ended: bool = False

    def login_and_list(self, credentials: Credentials, *, oauth2: bool = False, pipelined: bool = False) -> Listing:
        self.drop.fault("list")
        lines = [f"{number} {uidl}\r\n" for number, (uidl, _raw) in enumerate(self.seen, 1)]
        return Listing("".join(lines).encode(), self.drop.has_uidl)

    def sizes(self) -> dict[int, int]:
        self.drop.fault("sizes")
        return {number: len(raw) for number, (_uidl, raw) in enumerate(self.seen, 1)}

    def retrieve(
        self,
        wanted: Iterable[Wanted],
        spool: Path,
        *,
        beat: Callable[[], None] | None = None,
    ) -> Iterator[Retrieved]:
        for number, *_rest in wanted:
            self.drop.fault("retr")
            raw = self.seen[number - 1][1]
            if raw in self.drop.refuses:
                yield Retrieved(number, "", 0, None, None, Refused("-ERR not now"))
                continue
            raw = raw[: self.drop.cuts.get(raw, len(raw))]
            self.drop.retrieved += 1
            yield Retrieved(number, hashlib.sha256(raw).hexdigest(), len(raw), raw, None, None)

    def delete(self, numbers: Iterable[int]) -> list[int]:
        done = []
        for number in numbers:
            self.drop.fault("dele")
            self.marked.add(number)
            done.append(number)
        return done

    def quit(self) -> None:
        self.drop.fault("quit")
        if not self.drop.ignores_dele:
            for number in self.marked:
                message = self.seen[number - 1]
                if message in self.drop.messages:
                    self.drop.messages.remove(message)
                    self.drop.removed_by_us.append(message[1])
        self.ended = True
        self.drop.fault("quit-answer")

    def close(self) -> None:
        self.ended = True


def fail_at(step: int, how: str) -> Callable[[str], None]:
    """A fault at the step of this number, counted from 0: the connection breaks, or the worker is killed."""
    count = itertools.count()

    def fault(name: str) -> None:
        if next(count) == step:
            raise Killed if how == "killed" else Unreachable(f"cut at {name}")

    return fault


__all__ = ["Clock", "Drop", "Killed", "MailError", "ModelSession", "fail_at"]
