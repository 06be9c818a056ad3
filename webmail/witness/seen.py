"""What a witness says of a mailbox, and who may be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from webmail.values import FolderId


class WitnessFailed(Exception):
    """The witness could not read the mailbox; its text quotes the server or says what went wrong."""

    def __init__(self, detail: str, *, unreachable: bool = False) -> None:
        super().__init__(detail)
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Untold:
    """In the place of a value that breaks the rules of mail, so that two programs may both be right about it."""


UNTOLD = Untold()


@dataclass(frozen=True, slots=True)
class SeenFolder:
    """One folder of the server's own list. `path` holds its decoded names from the top. `attributes` are in lower case;
    counts are None where the server tells none."""

    id: FolderId
    path: tuple[str, ...]
    attributes: frozenset[str]
    subscribed: bool
    total: int | None = None
    unread: int | None = None
    validity: int | None = None

    @property
    def selectable(self) -> bool:
        return self.attributes.isdisjoint({"\\noselect", "\\nonexistent"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One message. `sender` are pairs of name and address; `received` and `sent` are in UTC, `sent` None without a Date field.
    `modseq` tells two states of it apart where the server has it. `whole` is false when its octets are not what they were."""

    flags: frozenset[str]
    size_bytes: int
    received: datetime | Untold
    sent: datetime | Untold | None
    subject: str | Untold
    sender: tuple[tuple[str, str], ...] | Untold
    modseq: int | None = None
    whole: bool = True


class Witness(Protocol):
    """Reads one mailbox. Every method raises WitnessFailed."""

    def folders(self) -> list[SeenFolder]:
        """Every folder, in the server's order."""
        ...

    def enter(self, folder: FolderId) -> int | None:
        """Goes to a folder as it is now, and gives its UIDVALIDITY; None when there is no such folder."""
        ...

    def uids(self) -> Iterator[tuple[int, frozenset[str]]]:
        """The UID of each message of the folder, and its flags in lower case."""
        ...

    def read(self, uids: Sequence[int]) -> dict[int, Seen]:
        """These messages of the folder as they are now; those that are gone are left out."""
        ...
