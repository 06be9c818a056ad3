"""From the wire into the store: messages whose octets are synced become rows, each with its entry in the ledger, in one
transaction with the proof that this worker still owns the account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from webmail.models import Download, LedgerEntry, LocalFolder, LocalMessage, Pull
from webmail.services.claims import PullLease
from webmail.services.durable import durable
from webmail.services.ledger import Entry, Wish, retry_delay
from webmail.storage.folders import note_changes
from webmail.storage.threads import settle_threads

State = LedgerEntry.State
CHUNK = 500
"""Primary keys in one statement."""
STAYS_AFTER = 3
"""A server that lists a message again after so many DELEs of ours does not delete."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that came whole: its octets are a blob that is synced, `fields` are those of its row."""

    wish: Wish
    blob: str
    size_bytes: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that did not come, and the word for why."""

    wish: Wish
    problem: str
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: each message that is in the store now, by its number on the server, with its entry."""

    entries: dict[int, LedgerEntry]
    new: int
    doubles: int


def remove_date(download: Download, stored_at: datetime) -> datetime | None:
    """When the policy takes a message off the server that was stored then; None = never."""
    if download.keep == Download.Keep.ALWAYS:
        return None
    days = download.keep_days if download.keep == Download.Keep.DAYS else 0
    return stored_at + timedelta(days=days)


def store_batch(
    download: Download,
    pull: Pull,
    lease: PullLease,
    *,
    arrived: Sequence[Arrived],
    failed: Sequence[Failed],
    inbox: LocalFolder,
    doubtful: frozenset[str],
    now: datetime,
) -> Stored:
    """Writes a batch down, for good. Raises LeaseLost, and then nothing is written."""
    with durable():
        lease.hold()
        batch = _Batch(download, inbox, doubtful, now, {one.blob for one in arrived})
        entries = {one.wish.number: batch.take(one) for one in arrived}
        batch.write()
        for one in failed:
            _note_failure(download, one, now)
        Pull.objects.filter(pk=pull.pk).update(
            fetched=F("fetched") + len(arrived),
            stored=F("stored") + batch.new,
            doubles=F("doubles") + len(arrived) - batch.new,
            skipped=F("skipped") + len(failed),
            bytes=F("bytes") + sum(one.size_bytes for one in arrived),
        )
    return Stored(entries, batch.new, len(arrived) - batch.new)


class _Batch:
    """The rows of one batch, told apart from what is here already by their content."""

    def __init__(
        self, download: Download, inbox: LocalFolder, doubtful: frozenset[str], now: datetime, blobs: set[str]
    ) -> None:
        self._download, self._inbox, self._doubtful, self._now = download, inbox, doubtful, now
        account = download.account_id
        self._known: dict[str, list[LedgerEntry]] = {}
        for entry in LedgerEntry.objects.filter(account=account, blob__in=blobs).order_by("pk"):
            self._known.setdefault(entry.blob, []).append(entry)
        rows = LocalMessage.objects.filter(account=account, blob__in=blobs).order_by("-pk")
        self._here: dict[str, int] = dict(rows.values_list("blob", "pk"))
        self._messages: dict[str, LocalMessage] = {}
        self._of_new: list[tuple[LedgerEntry, str]] = []
        self._fresh: list[LedgerEntry] = []
        self._changed: list[LedgerEntry] = []

    @property
    def new(self) -> int:
        """How many messages the store did not have."""
        return len(self._messages)

    def take(self, one: Arrived) -> LedgerEntry:
        """The entry of a message, made or found; and its row, where the content is not here."""
        before = next((entry for entry in self._known.get(one.blob, []) if entry.state != State.WAITING), None)
        entry = self._entry(one)
        again = entry.state == State.REMOVED
        entry.size_bytes = one.wish.size_bytes if one.wish.size_bytes is not None else one.size_bytes
        entry.state, entry.gone_at, entry.retry_at, entry.problem = State.KEPT, None, None, ""
        if before is None:
            entry.stored_at, entry.remove_at, entry.hold = self._now, remove_date(self._download, self._now), False
        elif before is not entry:  # the same message under another unique-id
            entry.stored_at, entry.remove_at, entry.hold = before.stored_at, before.remove_at, before.hold
        self._link(entry, one, before)
        self._doubt(entry, one, again=again)
        return entry

    def _entry(self, one: Arrived) -> LedgerEntry:
        """The row for this unique-id and content: the very one, one that waited for its content, or a new one."""
        found = next((entry for entry in self._known.get(one.blob, []) if entry.uidl == one.wish.uidl), None)
        if found is None and one.wish.entry and one.wish.entry.state == State.WAITING:
            found = LedgerEntry.objects.filter(pk=one.wish.entry.pk).first()
        if found is None:
            found = LedgerEntry(
                account_id=self._download.account_id, uidl=one.wish.uidl, blob=one.blob, first_seen=self._now
            )
            self._fresh.append(found)
        elif found.pk and found not in self._changed:
            self._changed.append(found)
        found.blob = one.blob
        if found not in (mine := self._known.setdefault(one.blob, [])):
            mine.append(found)
        return found

    def _link(self, entry: LedgerEntry, one: Arrived, before: LedgerEntry | None) -> None:
        """Which row here has the content. None where its owner has deleted it: it does not come back."""
        if one.blob in self._messages:
            self._of_new.append((entry, one.blob))
        elif before is not None:
            entry.message_id = before.message_id
        elif one.blob in self._here:
            entry.message_id = self._here[one.blob]
        else:
            self._messages[one.blob] = LocalMessage(
                account_id=self._download.account_id, folder=self._inbox, blob=one.blob, size_bytes=one.size_bytes, **one.fields
            )  # fmt: skip
            self._of_new.append((entry, one.blob))

    def _doubt(self, entry: LedgerEntry, one: Arrived, *, again: bool) -> None:
        """What is never removed on the evidence at hand."""
        if one.wish.uidl in self._doubtful:
            entry.problem, entry.remove_at = "double-uidl", None
        elif one.wish.size_bytes is not None and one.size_bytes < one.wish.size_bytes:
            entry.problem, entry.remove_at = "short", None
        elif again:
            entry.attempts += 1
            if entry.attempts >= STAYS_AFTER:
                entry.problem, entry.remove_at = "stays", None

    def write(self) -> None:
        """The rows, new ones first."""
        if self._messages:
            note_changes([self._inbox.pk])
        settle_threads(self._download.account_id, list(self._messages.values()))
        made = {message.blob: message for message in LocalMessage.objects.bulk_create(self._messages.values())}
        for entry, blob in self._of_new:
            entry.message = made[blob]
        LedgerEntry.objects.bulk_create(self._fresh)
        for entry in self._changed:
            entry.save()


def _note_failure(download: Download, one: Failed, now: datetime) -> None:
    """What could not be fetched waits, and is tried again later; a message that is too large waits for another limit."""
    if not one.wish.uidl:
        return  # without a unique-id it is listed, and tried, every time
    entry = None
    if one.wish.entry is not None:
        entry = LedgerEntry.objects.filter(pk=one.wish.entry.pk).first()
    if entry is None or entry.state == State.REMOVED:
        waiting = LedgerEntry.objects.filter(
            account_id=download.account_id, uidl=one.wish.uidl, blob=one.blob, state=State.WAITING
        )
        entry = waiting.first() or LedgerEntry(
            account_id=download.account_id, uidl=one.wish.uidl, first_seen=now, state=State.WAITING
        )
    entry.size_bytes = one.wish.size_bytes or 0
    entry.problem = one.problem
    if entry.state == State.WAITING:
        entry.blob = one.blob
    if one.problem != "large":
        entry.attempts += 1
        entry.retry_at = now + retry_delay(entry.attempts - 1)
    entry.save()


def load_entries(account_id: int) -> Iterator[Entry]:
    """The ledger of an account."""
    rows = LedgerEntry.objects.filter(account=account_id)
    names = ("pk", "uidl", "blob", "size_bytes", "state", "remove_at", "retry_at", "problem", "hold")
    return (Entry(*row) for row in rows.values_list(*names).iterator(chunk_size=2000))


def set_state(pks: Sequence[int], **fields: object) -> None:
    """Changes entries, a chunk at a time."""
    for part in chunks(pks):
        LedgerEntry.objects.filter(pk__in=part).update(**fields)


def chunks(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    """Primary keys in parts that fit into one statement."""
    return (pks[at : at + CHUNK] for at in range(0, len(pks), CHUNK))
