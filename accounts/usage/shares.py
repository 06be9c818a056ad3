"""Parts of a mailbox's space, as they are kept and added up: by kind of folder, by year, by size class, by the domain that sent,
and by folder, with the biggest messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any, NamedTuple

KINDS = ("inbox", "sent", "drafts", "archive", "junk", "trash", "other")
"""The kinds of folders, by what they are for; a person's own folders are "other"."""
CLASSES = (100_000, 1_000_000, 10_000_000)
"""The bounds in bytes between small, middling, large and very large messages."""
FOLDERS_KEPT = 300
"""So many folders of a mailbox are kept by name, the largest; the rest counts by kind alone."""
SENDERS_KEPT, SENDERS_SUMMED = 40, 100
"""So many sending domains are kept of a mailbox, and of a sum: those that take most."""
SENDERS_HELD = 50_000
"""So many are held in memory while a sum is made."""
BIGGEST = 20
"""So many of the biggest messages."""
NAMED_FROM = 3
"""A sending domain that so many mailboxes have mail of is named."""


@dataclass(slots=True)
class Part:
    """So many messages and bytes."""

    messages: int = 0
    size_bytes: int = 0

    def add(self, messages: int, size_bytes: int) -> None:
        self.messages += messages
        self.size_bytes += size_bytes


@dataclass(slots=True)
class Sent:
    """What came from a domain: so many messages and bytes, `bulk` of the messages to many at once, in so many mailboxes."""

    messages: int = 0
    size_bytes: int = 0
    bulk: int = 0
    mailboxes: int = 1

    @property
    def mass(self) -> bool:
        """Whether it sends to many at once, mostly."""
        return self.bulk * 2 >= self.messages

    def named(self, all_bytes: int) -> bool:
        """Whether it may be told to whoever runs the mailboxes: many have mail of it, or it is mail to many at once that takes a
        hundredth of the space or more. What is left could be one person who writes to another."""
        return self.mailboxes >= NAMED_FROM or (self.mass and self.size_bytes * 100 >= all_bytes)


class Big(NamedTuple):
    """A big message: no more than its size, the day it came (YYYY-MM-DD), for what its folder is, and whose mailbox (its key; 0
    in the mailbox's own figures)."""

    size_bytes: int
    day: str
    kind: str
    mailbox: int = 0


@dataclass(slots=True)
class Shares:
    """What takes the space: all of it, by kind of folder, by year, by size class (the smallest first), by the domain that sent
    it, and of one mailbox by folder (its path from the top, its kind). `left_out` messages were not looked at; `asked` is of how
    many the sender was."""

    total: Part = field(default_factory=Part)
    kinds: dict[str, Part] = field(default_factory=dict)
    years: dict[int, Part] = field(default_factory=dict)
    classes: list[Part] = field(default_factory=lambda: [Part() for _number in range(len(CLASSES) + 1)])
    folders: list[tuple[tuple[str, ...], str, Part]] = field(default_factory=list)
    senders: dict[str, Sent] = field(default_factory=dict)
    biggest: list[Big] = field(default_factory=list)
    asked: int = 0
    left_out: int = 0

    def count(self, kind: str, year: int, size_bytes: int) -> None:
        """One message more."""
        self.total.add(1, size_bytes)
        self.kinds.setdefault(kind, Part()).add(1, size_bytes)
        self.years.setdefault(year, Part()).add(1, size_bytes)
        self.classes[sum(size_bytes >= bound for bound in CLASSES)].add(1, size_bytes)

    def count_sender(self, host: str, size_bytes: int, *, bulk: bool) -> None:
        """The sender of a message more; "" for one that counts for nobody."""
        self.asked += 1
        if host:
            sent = self.senders.setdefault(host, Sent())
            sent.messages, sent.size_bytes, sent.bulk = (
                sent.messages + 1,
                sent.size_bytes + size_bytes,
                sent.bulk + bulk,
            )

    def add(self, other: Shares) -> None:
        """The same with what is in another one, but for its folders."""
        self.total.add(other.total.messages, other.total.size_bytes)
        for kind, part in other.kinds.items():
            self.kinds.setdefault(kind, Part()).add(part.messages, part.size_bytes)
        for year, part in other.years.items():
            self.years.setdefault(year, Part()).add(part.messages, part.size_bytes)
        for mine, part in zip(self.classes, other.classes, strict=True):
            mine.add(part.messages, part.size_bytes)
        for host, sent in other.senders.items():
            self._add_sent(host, sent.messages, sent.size_bytes, sent.bulk, sent.mailboxes)
        self.biggest = nlargest(BIGGEST, [*self.biggest, *other.biggest])
        self.asked += other.asked
        self.left_out += other.left_out

    def take(self, values: dict[str, Any]) -> None:
        """The same with what `dump` gave for another one, but for its folders."""
        self.total.add(*values.get("total", (0, 0)))
        for kind, pair in values.get("kinds", {}).items():
            self.kinds.setdefault(kind, Part()).add(*pair)
        for year, pair in values.get("years", {}).items():
            self.years.setdefault(int(year), Part()).add(*pair)
        for part, pair in zip(self.classes, values.get("classes", ()), strict=False):
            part.add(*pair)
        for host, numbers in values.get("senders", {}).items():
            self._add_sent(host, *numbers)
        if len(self.senders) > SENDERS_HELD:
            largest = nlargest(SENDERS_HELD // 5, self.senders.items(), key=lambda row: row[1].size_bytes)
            self.senders = dict(largest)
        if biggest := values.get("biggest"):
            least = self.biggest[-1].size_bytes if len(self.biggest) == BIGGEST else 0
            larger = [Big(*row) for row in biggest if row[0] >= least]
            self.biggest = nlargest(BIGGEST, [*self.biggest, *larger]) if larger else self.biggest
        self.asked += values.get("asked", 0)
        self.left_out += values.get("left_out", 0)

    def _add_sent(self, host: str, messages: int, size_bytes: int, bulk: int, mailboxes: int) -> None:
        known = self.senders.get(host)
        if known is None:
            self.senders[host] = Sent(messages, size_bytes, bulk, mailboxes)
            return
        known.messages += messages
        known.size_bytes += size_bytes
        known.bulk += bulk
        known.mailboxes += mailboxes


def dump(shares: Shares, *, senders: int = SENDERS_KEPT) -> dict[str, Any]:
    """For JSON: {"total": [messages, bytes], "kinds": {kind: ...}, "years": {year: ...}, "classes": [...], "folders": [[path,
    kind, messages, bytes], ...], "senders": {domain: [messages, bytes, bulk, mailboxes]}, "biggest": [[bytes, day, kind,
    mailbox], ...], "asked": n, "left_out": n}, folders the largest first, so many senders, those that take most."""
    sent = nlargest(senders, shares.senders.items(), key=lambda row: row[1].size_bytes)
    largest = sorted(shares.folders, key=lambda row: -row[2].size_bytes)[:FOLDERS_KEPT]
    return {
        "total": _pair(shares.total),
        "kinds": {kind: _pair(part) for kind, part in shares.kinds.items()},
        "years": {str(year): _pair(part) for year, part in shares.years.items()},
        "classes": [_pair(part) for part in shares.classes],
        "folders": [[list(path), kind, *_pair(part)] for path, kind, part in largest],
        "senders": {host: [one.messages, one.size_bytes, one.bulk, one.mailboxes] for host, one in sent},
        "biggest": [list(one) for one in shares.biggest],
        "asked": shares.asked,
        "left_out": shares.left_out,
    }


def load(values: dict[str, Any]) -> Shares:
    """What `dump` gave; nothing for nothing."""
    shares = sum_up([values])
    for path, kind, messages, size_bytes in values.get("folders", ()):
        shares.folders.append((tuple(path), kind, Part(messages, size_bytes)))
    return shares


def sum_up(many: Iterable[dict[str, Any]]) -> Shares:
    """The sum of what `dump` gave for many mailboxes, without their folders."""
    shares = Shares()
    for values in many:
        shares.take(values)
    return shares


def _pair(part: Part) -> list[int]:
    return [part.messages, part.size_bytes]
