"""Filters and vacation replies as people put them together: values, free of any server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

RULES_LIMIT = 100
CONDITIONS_LIMIT = 12
NAME_LIMIT, VALUE_LIMIT, FOLDER_LIMIT = 80, 300, 400
FORWARDS_LIMIT = 10
"""Different addresses to which the filters of a mailbox may forward; Pigeonhole's sieve_max_redirects in deploy/ is the same."""
TAGS_LIMIT = 8
SUBJECT_LIMIT, TEXT_LIMIT = 200, 8_000
DAYS_MIN, DAYS_MAX = 1, 30


class About(StrEnum):
    """What a condition looks at: "to" is To and Cc."""

    FROM = "from"
    TO = "to"
    SUBJECT = "subject"
    SIZE = "size"


class Op(StrEnum):
    """How it compares. The last two are for sizes alone; all others are for texts."""

    CONTAINS = "contains"
    LACKS = "lacks"
    IS = "is"
    IS_NOT = "is-not"
    BEGINS = "begins"
    ENDS = "ends"
    OVER = "over"
    UNDER = "under"


class Match(StrEnum):
    """Which of the conditions have to hold; EVERY = no condition, every message."""

    ALL = "all"
    ANY = "any"
    EVERY = "every"


class Where(StrEnum):
    """What becomes of the message itself: it stays in the inbox, goes to a folder, stays and has a copy in a folder, goes to
    the Trash, or is only forwarded."""

    INBOX = "inbox"
    MOVE = "move"
    COPY = "copy"
    TRASH = "trash"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing to look at. `value` is a text, or for sizes `size_bytes` counts."""

    about: About
    op: Op
    value: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `folder` is the name of a folder as Sieve has it (decoded, with the server's separators) for MOVE, COPY and
    TRASH; `tags` are keywords; `forward` are addresses. `stop` = no row below this one is looked at."""

    name: str
    on: bool = True
    match: Match = Match.ALL
    conditions: tuple[Condition, ...] = ()
    where: Where = Where.INBOX
    folder: str = ""
    tags: tuple[str, ...] = ()
    read: bool = False
    star: bool = False
    forward: tuple[str, ...] = ()
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Vacation:
    """The answer that goes out while one is away. `first` and `last` are days in `zone_first` and `zone_last`, which are
    offsets like "-0300": they differ where summer time begins between them. None = without an end on that side."""

    on: bool = False
    subject: str = ""
    text: str = ""
    days: int = 7
    addresses: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    zone_first: str = "+0000"
    zone_last: str = "+0000"


@dataclass(frozen=True, slots=True)
class Filters:
    """All that a mailbox's script is made of."""

    rules: tuple[Rule, ...] = ()
    vacation: Vacation = field(default_factory=Vacation)

    @property
    def forwards(self) -> set[str]:
        """Every address to which something is forwarded by a row that is on."""
        return {address for rule in self.rules if rule.on for address in rule.forward}
