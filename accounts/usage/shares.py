"""Parts of a mailbox's space, as they are kept and added up: by kind of folder, by year, by size class, and by folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KINDS = ("inbox", "sent", "drafts", "archive", "junk", "trash", "other")
"""The kinds of folders, by what they are for; a person's own folders are "other"."""
CLASSES = (100_000, 1_000_000, 10_000_000)
"""The bounds in bytes between small, middling, large and very large messages."""
FOLDERS_KEPT = 300
"""So many folders of a mailbox are kept by name, the largest; the rest counts by kind alone."""


@dataclass(slots=True)
class Part:
    """So many messages and bytes."""

    messages: int = 0
    size_bytes: int = 0

    def add(self, messages: int, size_bytes: int) -> None:
        self.messages += messages
        self.size_bytes += size_bytes


@dataclass(slots=True)
class Shares:
    """What takes the space: all of it, by kind of folder, by year, by size class (the smallest first), and of one mailbox by
    folder (its path from the top, its kind). `left_out` messages were not looked at."""

    total: Part = field(default_factory=Part)
    kinds: dict[str, Part] = field(default_factory=dict)
    years: dict[int, Part] = field(default_factory=dict)
    classes: list[Part] = field(default_factory=lambda: [Part() for _number in range(len(CLASSES) + 1)])
    folders: list[tuple[tuple[str, ...], str, Part]] = field(default_factory=list)
    left_out: int = 0

    def count(self, kind: str, year: int, size_bytes: int) -> None:
        """One message more."""
        self.total.add(1, size_bytes)
        self.kinds.setdefault(kind, Part()).add(1, size_bytes)
        self.years.setdefault(year, Part()).add(1, size_bytes)
        self.classes[sum(size_bytes >= bound for bound in CLASSES)].add(1, size_bytes)

    def add(self, other: Shares) -> None:
        """The same with what is in another one, but for its folders."""
        self.total.add(other.total.messages, other.total.size_bytes)
        for kind, part in other.kinds.items():
            self.kinds.setdefault(kind, Part()).add(part.messages, part.size_bytes)
        for year, part in other.years.items():
            self.years.setdefault(year, Part()).add(part.messages, part.size_bytes)
        for mine, part in zip(self.classes, other.classes, strict=True):
            mine.add(part.messages, part.size_bytes)
        self.left_out += other.left_out


def dump(shares: Shares) -> dict[str, Any]:
    """For JSON: {"total": [messages, bytes], "kinds": {kind: ...}, "years": {year: ...}, "classes": [...], "folders": [[path,
    kind, messages, bytes], ...], "left_out": n}, folders the largest first."""
    largest = sorted(shares.folders, key=lambda row: -row[2].size_bytes)[:FOLDERS_KEPT]
    return {
        "total": _pair(shares.total),
        "kinds": {kind: _pair(part) for kind, part in shares.kinds.items()},
        "years": {str(year): _pair(part) for year, part in shares.years.items()},
        "classes": [_pair(part) for part in shares.classes],
        "folders": [[list(path), kind, *_pair(part)] for path, kind, part in largest],
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
        shares.total.add(*values.get("total", (0, 0)))
        for kind, pair in values.get("kinds", {}).items():
            shares.kinds.setdefault(kind, Part()).add(*pair)
        for year, pair in values.get("years", {}).items():
            shares.years.setdefault(int(year), Part()).add(*pair)
        for part, pair in zip(shares.classes, values.get("classes", ()), strict=False):
            part.add(*pair)
        shares.left_out += values.get("left_out", 0)
    return shares


def _pair(part: Part) -> list[int]:
    return [part.messages, part.size_bytes]
