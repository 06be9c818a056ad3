"""What space is made of: by folder, by kind of folder, by year and by size."""

from __future__ import annotations

from datetime import datetime
from itertools import zip_longest
from typing import Any

from ninja import Schema

from accounts.models import MailboxShares
from accounts.services.usage.shares import Whole, shares_in
from accounts.usage.shares import CLASSES, Part, Shares


class PartOut(Schema):
    """So many messages, and their sizes together."""

    messages: int
    size_bytes: int

    @classmethod
    def values(cls, part: Part) -> dict[str, int]:
        """The fields of a part."""
        return {"messages": part.messages, "size_bytes": part.size_bytes}


class KindOut(PartOut):
    """`kind`: inbox, sent, drafts, archive, junk, trash, or other for a person's own folders."""

    kind: str


class YearOut(PartOut):
    """What came in a year."""

    year: int


class SizeOut(PartOut):
    """Messages of less than `below_bytes` each, and no less than the class before; null: all that are larger."""

    below_bytes: int | None


class FolderOut(PartOut):
    """`path` from the top."""

    path: list[str]
    kind: str


class SharesOut(Schema):
    """What many mailboxes are made of: `weighed` of `mailboxes` are in it, the longest ago at `since` (null: none yet).
    `reserve_bytes` are what POP3 programs removed and can be put back."""

    mailboxes: int
    weighed: int
    since: datetime | None
    reserve_bytes: int
    total: PartOut
    kinds: list[KindOut]
    years: list[YearOut]
    sizes: list[SizeOut]
    left_out: int

    @classmethod
    def of(cls, whole: Whole) -> SharesOut:
        """The shares as they are shown."""
        names = ("mailboxes", "weighed", "since", "reserve_bytes")
        return cls(**{name: getattr(whole, name) for name in names}, **_parts(whole.shares))


class MailboxSharesOut(Schema):
    """What one mailbox is made of, as it was weighed `at` (null: not yet). `working`: it is being weighed, `done` of `expected`
    messages are. `folders` are the largest, `left_out` messages were not looked at. `problem` is why it did not work the last
    time."""

    at: datetime | None
    working: bool
    done: int
    expected: int
    problem: str
    total: PartOut
    kinds: list[KindOut]
    years: list[YearOut]
    sizes: list[SizeOut]
    folders: list[FolderOut]
    left_out: int

    @classmethod
    def of(cls, row: MailboxShares) -> MailboxSharesOut:
        """Those of one mailbox, as far as they are found."""
        shares = shares_in(row)
        folders = [FolderOut(path=list(path), kind=kind, **PartOut.values(part)) for path, kind, part in shares.folders]
        values: dict[str, Any] = {name: getattr(row, name) for name in ("at", "done", "expected", "problem")}
        return cls(working=row.asked is not None, folders=folders, **values, **_parts(shares))


def _parts(shares: Shares) -> dict[str, Any]:
    sizes = zip_longest(CLASSES, shares.classes)
    return {
        "total": PartOut(**PartOut.values(shares.total)),
        "kinds": [KindOut(kind=kind, **PartOut.values(part)) for kind, part in shares.kinds.items()],
        "years": [YearOut(year=year, **PartOut.values(part)) for year, part in sorted(shares.years.items())],
        "sizes": [SizeOut(below_bytes=bound, **PartOut.values(part)) for bound, part in sizes],
        "left_out": shares.left_out,
    }
