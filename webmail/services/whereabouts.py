"""Where each message of a downloaded account lives, as its pages tell it: on the server and here, only here, or never there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from django.utils import timezone

from accounts.models import MailAccount
from webmail.models import LedgerEntry
from webmail.services.downloads import as_policy_says, keep_on_server, places, remove_now
from webmail.services.organising import Change
from webmail.services.storing import chunks
from webmail.values import Ref

State = LedgerEntry.State
Kind = Literal["until", "leaving", "stays", "removed", "taken", "never"]
PLACES: dict[Kind, str] = {
    "until": "both",
    "leaving": "both",
    "stays": "both",
    "removed": "here",
    "taken": "taken",
    "never": "here",
}
STEP = 5
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One message's place. `until` is when the server's copy goes; `left` how much of its time there is left, in percent by
    fives. `entry` is what is known of the copy, None for a message that never was on the server."""

    kind: Kind
    until: datetime | None = None
    left: int = 100
    entry: LedgerEntry | None = None

    @property
    def at(self) -> str:
        """The state of the place mark: both, here or taken."""
        return PLACES[self.kind]

    @property
    def on_server(self) -> bool:
        """Whether there is a copy to decide about."""
        return self.at == "both"

    @property
    def held(self) -> bool:
        """Whether its owner decided about this one copy."""
        return self.entry is not None and self.entry.hold

    @property
    def doubt(self) -> str:
        """Why the copy is never removed, "" when it may be."""
        return self.entry.problem if self.entry is not None and self.on_server else ""

    @property
    def days(self) -> int:
        """Whole days until the copy goes, the day that has begun among them."""
        return max(0, ceil((self.until - timezone.now()) / DAY)) if self.until else 0


NEVER = Whereabouts("never")


def whereabouts(account: MailAccount, refs: Iterable[Ref]) -> dict[Ref, Whereabouts]:
    """The place of each message, in one query; none for an account that is read live on its server."""
    if not account.downloads:
        return {}
    refs = list(refs)
    now = timezone.now()
    entries = places(account, [int(ref.id) for ref in refs if ref.id.isdigit()])
    return {ref: _place(entries.get(int(ref.id)), now) if ref.id.isdigit() else NEVER for ref in refs}


def _place(entry: LedgerEntry | None, now: datetime) -> Whereabouts:
    if entry is None:
        return NEVER
    if entry.state == State.REMOVED:
        return Whereabouts("removed", entry=entry)
    if entry.state == State.TAKEN:
        return Whereabouts("taken", entry=entry)
    if entry.state == State.DELETING or (entry.remove_at and entry.remove_at <= now):
        return Whereabouts("leaving", left=0, entry=entry)
    if entry.remove_at is None:
        return Whereabouts("stays", entry=entry)
    return Whereabouts("until", entry.remove_at, _left(entry, now), entry)


def _left(entry: LedgerEntry, now: datetime) -> int:
    """How much of its time on the server is left, in percent by fives, at least one step."""
    assert entry.remove_at
    whole = (entry.remove_at - (entry.stored_at or entry.first_seen)).total_seconds()
    share = (entry.remove_at - now).total_seconds() / whole if whole > 0 else 0.0
    return max(STEP, min(100, round(share * 100 / STEP) * STEP))


COPIES = {"keep_copy": keep_on_server, "drop_copy": remove_now, "policy_copy": as_policy_says}
"""What can be decided about copies on the server."""


def decide(account: MailAccount, refs: Iterable[Ref], *, what: str) -> Change:
    """Decides about the server's copies of these messages. Raises ValueError for an account that has none."""
    if not account.downloads:
        raise ValueError("this account is read on its server")
    numbers = [int(ref.id) for ref in refs if ref.id.isdigit()]
    return Change(sum(COPIES[what](account, list(part)) for part in chunks(numbers)))
