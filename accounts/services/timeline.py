"""The timeline of a mailbox, told: sessions put together, moves recognised, and the one thing that most wants an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import Max, Min
from django.utils import timezone

from accounts.models import LogPosition, Mailbox, MailboxEvent, ProgramUse
from accounts.services.activity import STALE
from accounts.services.folder_words import FolderNames
from accounts.services.networks import Places
from accounts.usage.strip import Strip, Touch, draw

ROWS_MAX = 3000
"""Of a period with more than this only the latest are told."""
PERIODS = (1, 7, 30)
SEEN_MAX = 20
NO_PLACES = Places()
WAYS = {"imap": "IMAP", "pop3": "POP3", "web": "web", "smtp": "SMTP"}
Kind = MailboxEvent.Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `kind` is that of the event, or "took" for a POP3 session, of whose `count` messages
    `removed` were taken from the server. What was removed has a `target` where copies of it lie, though no move is proved."""

    at: datetime
    protocol: str
    program: str
    network: str
    kind: str
    count: int
    removed: int = 0
    folder: str = ""
    target: str = ""
    size_bytes: int = 0
    folder_words: str = ""
    target_words: str = ""
    device: str = ""
    """What its owner calls the device by whose password it came."""
    back: int = 0
    """How many of those taken away were put back into the Inbox."""
    back_run: int = 0
    """How many of those, or of what was put back, not by the owner but by whoever runs the mailbox."""
    session: int | None = None
    """By what the reserve knows what a POP3 program took away."""
    place_name: str = ""
    """What the network is called, "" where it has no name."""

    @property
    def where(self) -> str:
        """The network by its name, or as it is."""
        return self.place_name or self.network

    @property
    def gone(self) -> int:
        """How many messages left the server with it and are not back."""
        if self.kind == "took":
            return max(0, self.removed - self.back)
        return self.count if self.kind == Kind.REMOVED else 0

    @property
    def unfetched(self) -> int:
        """How many of those that a POP3 session removed it cannot have downloaded itself: it did so before, or nobody did."""
        return max(0, self.removed - self.count) if self.kind == "took" else 0

    @property
    def kept_until(self) -> datetime | None:
        """Until when what was taken away by a POP3 program can be put back; None for what is not kept, or no longer."""
        until = self.at + timedelta(days=settings.RESERVE_DAYS)
        return until if self.kept and until > timezone.now() else None

    @property
    def kept(self) -> int:
        """How many of those that a POP3 program took away are not back yet."""
        return self.gone if self.kind == "took" and self.protocol == "pop3" else 0

    @property
    def why(self) -> str:
        """Why mail was refused: full or other; "" for all else."""
        return self.folder if self.kind == Kind.REFUSED else ""

    @property
    def of_server(self) -> bool:
        """Whether the mail server did it by itself: what it delivered or refused is no person's, nor is the network."""
        return self.protocol in {"lmtp", "smtp"} and self.kind != Kind.SENT

    @property
    def way(self) -> str:
        return "" if self.of_server else WAYS.get(self.protocol, "")

    @property
    def place(self) -> str:
        """Where the messages are afterwards, for the place mark: server, both, gone, or "" where that says nothing."""
        if self.gone:
            return "gone"
        if self.kind == "took":
            return "both"
        return "" if self.kind in {Kind.REFUSED, Kind.SENT} else "server"


@dataclass(frozen=True, slots=True)
class Words:
    """What folders and networks are called in one mailbox."""

    folders: FolderNames = field(default_factory=FolderNames)
    places: Places = NO_PLACES

    def put_into(self, entry: Entry) -> Entry:
        """The same entry in these words. Of a refusal the folder is a reason and none, and the target an address."""
        if entry.kind == Kind.REFUSED:
            return replace(entry, target_words=entry.target)
        return replace(
            entry,
            folder_words=self.folders.words(entry.folder) if entry.folder else "",
            target_words=self.folders.words(entry.target) if entry.target else "",
            place_name=self.places.name_of(entry.network),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A program's use of a mailbox, and what its network is called ("" for nothing)."""

    use: ProgramUse
    place_name: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened in so many days, the latest first; `answer` is what most wants one, `state` whether it is recorded: never,
    stopped (at `until`) or on; `since` where that began within the period."""

    days: int
    entries: tuple[Entry, ...]
    answer: Entry | None
    strip: Strip
    state: str
    since: datetime | None
    until: datetime | None
    cut: bool
    """Whether more happened than is told."""


def timeline_of(mailbox: Mailbox, *, days: int = 7, only_gone: bool = False, words: Words | None = None) -> Timeline:
    """The timeline of a mailbox over the last days, today among them, with the `words` for its folders and networks."""
    words = words or Words()
    now = timezone.localtime()
    start = timezone.make_aware(datetime.combine(now.date() - timedelta(days=days - 1), time.min))
    end = timezone.make_aware(datetime.combine(now.date() + timedelta(days=1), time.min))
    rows = list(MailboxEvent.objects.filter(mailbox=mailbox, last_at__gte=start).order_by("-last_at")[: ROWS_MAX + 1])
    every = tuple(sorted(_entries(rows[:ROWS_MAX], words), key=lambda entry: entry.at, reverse=True))
    known = LogPosition.objects.aggregate(began=Min("began"), checked=Max("checked"))
    began, checked = known["began"], known["checked"]
    state = "never" if checked is None else "on" if now - checked < STALE else "stopped"
    return Timeline(
        days=days,
        entries=tuple(entry for entry in every if entry.gone) if only_gone else every,
        answer=find_answer(every),
        strip=draw(
            [_touch(entry) for entry in every if entry.way and entry.kind != Kind.SENT], start=start, end=end, now=now
        ),
        state=state,
        since=began if began and began > start else None,
        until=checked,
        cut=len(rows) > ROWS_MAX,
    )


def find_answer(entries: Iterable[Entry]) -> Entry | None:
    """What most wants an answer: the largest taking away by POP3, one that was put back last of them; else by another program
    than ours, before one of which copies may lie elsewhere; else the refusals because the mailbox was full, together, with the
    last of them; None when all is well."""
    entries = list(entries)
    by_pop3 = [entry for entry in entries if entry.kind == "took" and entry.removed and entry.protocol == "pop3"]
    by_others = [entry for entry in entries if entry.gone and entry.protocol == "imap"]
    refused = [entry for entry in entries if entry.kind == Kind.REFUSED and entry.folder == "full"]
    for some in (by_pop3, by_others):
        if some:
            return max(some, key=lambda entry: (entry.gone, entry.removed or entry.count, not entry.target, entry.at))
    if refused:
        last = max(refused, key=lambda entry: entry.at)
        return replace(last, count=sum(entry.count for entry in refused))
    return None


def programs_seen(mailbox: Mailbox, places: Places = NO_PLACES) -> list[Seen]:
    """The last sign-in of each program, the latest first."""
    uses = ProgramUse.objects.filter(mailbox=mailbox).order_by("-last_at")[:SEEN_MAX]
    return [Seen(use, places.name_of(use.network)) for use in uses]


def _entries(rows: Iterable[MailboxEvent], words: Words) -> Iterable[Entry]:
    ordered = sorted(rows, key=lambda row: (row.day, row.session, row.pk))
    for _session, some in groupby(ordered, key=lambda row: (row.day, row.session)):
        for entry in _session_entries(list(some)):
            yield words.put_into(entry)


def _session_entries(rows: list[MailboxEvent]) -> Iterable[Entry]:
    """What one session did. What it moved stands among its copies too (accounts/activity/moves.py)."""
    moved = {(row.folder, row.target): row for row in rows if row.kind == Kind.MOVED}
    for row in rows:
        if row.kind in {Kind.FETCHED, Kind.TAKEN}:
            continue
        count, size = row.count, row.size_bytes
        if row.kind == Kind.COPIED and (also := moved.get((row.folder, row.target))):
            count, size = count - also.count, max(0, size - also.size_bytes)
        if count > 0:
            yield _entry(row, row.kind, count, size_bytes=size)
    yield from _taking(rows)


def _taking(rows: list[MailboxEvent]) -> Iterable[Entry]:
    fetched = next((row for row in rows if row.kind == Kind.FETCHED), None)
    taken = next((row for row in rows if row.kind == Kind.TAKEN), None)
    one = fetched or taken
    if one:
        count, size = (fetched.count, fetched.size_bytes) if fetched else (0, 0)
        told = _entry(one, "took", count, removed=taken.count if taken else 0, size_bytes=size)
        if taken:
            back, run = min(taken.back, taken.count), min(taken.back_run, taken.count)
            told = replace(told, back=back, back_run=run, session=taken.pk if taken.protocol == "pop3" else None)
        yield told


def _entry(row: MailboxEvent, kind: str, count: int, *, removed: int = 0, size_bytes: int | None = None) -> Entry:
    return Entry(
        at=row.last_at,
        protocol=row.protocol,
        program=row.program,
        device=row.device,
        network=row.network,
        kind=kind,
        count=count,
        removed=removed,
        folder=row.folder,
        target=row.target,
        size_bytes=row.size_bytes if size_bytes is None else size_bytes,
        back_run=row.back_run,
    )


def _touch(entry: Entry) -> Touch:
    tone = "lacre" if entry.gone else "kraft" if entry.kind == "took" else "tinta"
    who = entry.device or entry.program or (entry.where if entry.protocol != "web" else "")
    return Touch(who, entry.way, entry.at, max(entry.count, entry.removed), tone)
