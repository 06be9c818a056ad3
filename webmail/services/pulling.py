"""One pull of one account over POP3: nothing lost, nothing twice.

The order is the promise: the octets are on the disk and synced, then row and ledger are committed, then DELE, then QUIT, and
only its +OK makes a message removed. Whatever goes wrong, the connection is dropped without QUIT, so that the server forgets
every DELE (RFC 1939 section 6); the next pull goes on from what was committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.db.models import F, Min
from django.utils import timezone

from webmail.errors import MixedUp, Refused
from webmail.models import Download, LedgerEntry, LocalFolder, Pull
from webmail.pop3.flow import Retrieved, Wanted
from webmail.pop3.listing import Listing
from webmail.services.claims import PullLease
from webmail.services.durable import durable
from webmail.services.ledger import Plan, Wish, make_plan
from webmail.services.storing import Arrived, Failed, chunks, load_entries, set_state, store_batch
from webmail.storage.blobs import Blobs
from webmail.storage.folders import ensure_folders
from webmail.storage.rows import describe
from webmail.values import Credentials, Role

State = LedgerEntry.State
MIXED = "mixed"
"""The problem of messages around which the answers got mixed up."""
BATCH_MESSAGES = 200
BATCH_BYTES = 16 * 1024 * 1024
BATCH_S = 2.0
SESSION_MESSAGES = 1000
"""After so many messages QUIT lets the deletes take effect; what was stored is never fetched again, so a session that breaks
costs deletes only."""
SESSION_S = 60.0
PULL_S = 900.0
"""How long one pull goes on before another account has its turn."""
DIGEST_DAYS = 1
HEAD_BYTES = 256 * 1024

log = logging.getLogger(__name__)


class NoUidl(Refused):
    """The server has no unique-ids: copies cannot be left on it."""


class Session(Protocol):
    """What a pull needs of a POP3 connection (`webmail.pop3.client.Pop3Session`)."""

    fenced: bool

    @property
    def answer_ms(self) -> int: ...
    @property
    def pipelining(self) -> bool: ...
    def login_and_list(self, credentials: Credentials, *, oauth2: bool = False, pipelined: bool = False) -> Listing: ...
    def sizes(self) -> dict[int, int]: ...
    def retrieve(
        self, wanted: Iterable[Wanted], spool: Path, *, beat: Callable[[], None] | None = None
    ) -> Iterator[Retrieved]: ...
    def delete(self, numbers: Sequence[int]) -> list[int]: ...
    def quit(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Puller:
    """The work on one claimed account. `connect` opens a connection that is not logged in yet."""

    download: Download
    pull: Pull
    lease: PullLease
    connect: Callable[[], Session]
    credentials: Credentials
    clock: Callable[[], datetime] = timezone.now
    blobs: Blobs = field(init=False)
    _inbox: LocalFolder = field(init=False)
    _until: float = field(init=False)
    _plan: Plan = field(init=False, default_factory=Plan)
    _mixed_up: bool = field(init=False, default=False)
    _fenced: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.download.account_id)
        self._inbox = ensure_folders(self.download.account)[Role.INBOX]
        self._until = time.monotonic() + PULL_S

    def run(self) -> None:
        """Pulls until nothing is left or time is up. Raises MailError and LeaseLost; what was committed stays."""
        while self._one_session():
            pass

    def _one_session(self) -> bool:
        """One connection from greeting to QUIT; gives whether there is more to fetch."""
        session = self.connect()
        session.fenced, self._mixed_up = self._fenced, False
        try:
            listing = session.login_and_list(
                self.credentials,
                oauth2=self.download.auth == Download.Auth.OAUTH2,
                pipelined=self.download.pipelining,
            )
            self._note_connection(session)
            if self._is_quiet(listing):
                session.quit()
                return False
            self._read(session, listing)
            left = self._fetch(session)
            if self._mixed_up:  # it may not end well: no DELE, no QUIT
                session.close()
                return time.monotonic() < self._until
            deleted = self._delete(session)
            session.quit()
        except BaseException:
            session.close()
            raise
        self._note_deleted(deleted)
        self._note_listing(listing, changed=bool(deleted or self._plan.wanted))
        return left

    # --- the listing ------------------------------------------------------------------------------------------------

    def _note_connection(self, session: Session) -> None:
        self.pull.answer_ms = session.answer_ms
        if session.pipelining != self.download.pipelining:
            self.download.pipelining = session.pipelining
            Download.objects.filter(pk=self.download.pk).update(pipelining=session.pipelining)

    def _is_quiet(self, listing: Listing) -> bool:
        """Whether everything is as the last pull left it, and nothing has become due since."""
        quiet = self.download.quiet_until
        if not (listing.digest and listing.digest == self.download.digest and quiet and self.clock() < quiet):
            return False
        Pull.objects.filter(pk=self.pull.pk).update(listed=listing.count)
        return True

    def _read(self, session: Session, listing: Listing) -> None:
        """Makes the plan, and writes down what the listing tells."""
        if not listing.has_uidl and self.download.keep != Download.Keep.DELETE:
            raise NoUidl
        sizes = session.sizes() if listing.messages else {}
        lines = [Wish(one.number, one.uidl, sizes.get(one.number)) for one in listing.messages]
        entries = list(load_entries(self.download.account_id))
        now = self.clock()
        plan = make_plan(lines, entries, now=now, max_bytes=self.download.max_bytes, has_uidl=listing.has_uidl)
        with durable():
            self.lease.hold(digest="", quiet_until=None)
            set_state(plan.back, state=State.KEPT, gone_at=None)
            set_state(plan.taken, state=State.TAKEN, gone_at=now)
            set_state(plan.finished, state=State.REMOVED, gone_at=now)
            for part in chunks(plan.forgotten):
                LedgerEntry.objects.filter(pk__in=part).delete()
            Pull.objects.filter(pk=self.pull.pk).update(
                listed=len(lines),
                wanted=F("fetched") + F("skipped") + len(plan.wanted),
                taken=F("taken") + len(plan.taken),
                removed=F("removed") + len(plan.finished),
            )
        self._plan = plan

    # --- fetching ---------------------------------------------------------------------------------------------------

    def _fetch(self, session: Session) -> bool:
        """Fetches and stores what the plan wants, a batch at a time; gives whether something was left for another session."""
        plan = self._plan
        self._store(
            [], [Failed(wish, "large") for wish in plan.too_large if not wish.entry or wish.entry.problem != "large"]
        )
        if not plan.wanted:
            return False
        deletes = self.download.keep == Download.Keep.DELETE
        some = plan.wanted[:SESSION_MESSAGES] if deletes else plan.wanted
        until = min(self._until, time.monotonic() + SESSION_S) if deletes else self._until
        taken = self._fetch_some(session, some, until)
        self.pull.waiting = len(plan.wanted) - taken
        return taken < len(plan.wanted) and time.monotonic() < self._until

    def _fetch_some(self, session: Session, wishes: list[Wish], until: float) -> int:
        """Gives how many were dealt with."""
        by_number = {wish.number: wish for wish in wishes}
        arrived: list[Arrived] = []
        failed: list[Failed] = []
        size, started, taken = 0, time.monotonic(), 0
        wanted = (_asked_for(wish) for wish in sorted(wishes, key=_doubt) if time.monotonic() < until)
        for one in self._in_step(session.retrieve(wanted, self.blobs.spool, beat=self.lease.beat), failed, by_number):
            taken += 1
            result = self._receive(by_number[one.number], one)
            (arrived if isinstance(result, Arrived) else failed).append(result)  # type: ignore[arg-type]
            size += one.size_bytes
            full = len(arrived) + len(failed) >= BATCH_MESSAGES or size >= BATCH_BYTES
            if full or time.monotonic() - started > BATCH_S:
                self._store(arrived, failed)
                arrived, failed, size, started = [], [], 0, time.monotonic()
        self._store(arrived, failed)
        return len(wishes) if self._mixed_up else taken

    def _in_step(
        self, retrieved: Iterator[Retrieved], failed: list[Failed], by_number: dict[int, Wish]
    ) -> Iterator[Retrieved]:
        """What was retrieved, up to where the server's answers fit no longer: what is in doubt then has failed, and is told
        apart from the others when it is tried again. The session is of no more use."""
        try:
            yield from retrieved
        except MixedUp as error:
            self._mixed_up = True
            self._fenced = self._fenced and bool(error.numbers)
            failed += [Failed(by_number[number], MIXED) for number in error.numbers]

    def _receive(self, wish: Wish, one: Retrieved) -> Arrived | Failed:
        """Puts the octets into the store, not synced yet, and reads what a row needs."""
        if one.error is not None:
            return Failed(wish, "refused")
        if one.size_bytes == 0:
            return Failed(wish, "empty")
        if _is_short(wish, one):
            if one.path is not None:
                one.path.unlink(missing_ok=True)
            return Failed(wish, "short", one.sha256)
        if one.data is not None:
            head = one.data
            self.blobs.write(one.sha256, one.data)
        else:
            assert one.path
            with one.path.open("rb") as file:
                head = file.read(HEAD_BYTES)
            self.blobs.adopt(one.sha256, one.path)
        fields = describe(head, size_bytes=one.size_bytes, received=self.clock())
        return Arrived(wish, one.sha256, one.size_bytes, fields)

    def _store(self, arrived: list[Arrived], failed: list[Failed]) -> None:
        if not arrived and not failed:
            return
        self.blobs.sync()
        now = self.clock()
        stored = store_batch(
            self.download,
            self.pull,
            self.lease,
            arrived=arrived,
            failed=failed,
            inbox=self._inbox,
            doubtful=self._plan.doubtful,
            now=now,
        )
        for number, entry in stored.entries.items():
            if entry.remove_at and entry.remove_at <= now:
                self._plan.remove.append((number, entry.pk))

    # --- deleting ---------------------------------------------------------------------------------------------------

    def _delete(self, session: Session) -> list[int]:
        """DELE for what is due and surely here; gives the entries that the server accepted, whose QUIT is to come."""
        pairs = dict(self._sure(self._plan.remove))
        if not pairs:
            return []
        with durable():
            self.lease.hold()
            set_state(list(pairs.values()), state=State.DELETING)
        accepted = session.delete(sorted(pairs))
        refused = [pk for number, pk in pairs.items() if number not in set(accepted)]
        set_state(refused, state=State.KEPT)
        return [pairs[number] for number in accepted]

    def _sure(self, remove: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Only what is still due, and has its octets in the store unless its owner deleted it here. What lost them is fetched
        again."""
        numbers = {pk: number for number, pk in remove}
        now, lost = self.clock(), []
        for part in chunks(list(numbers)):
            rows = LedgerEntry.objects.filter(pk__in=part, state=State.KEPT, remove_at__lte=now)
            for pk, blob, message in rows.values_list("pk", "blob", "message"):
                if message is None or self.blobs.has(blob):
                    yield numbers[pk], pk
                else:
                    lost.append(pk)
        if lost:
            log.error("account %s: %s blobs are missing", self.download.account_id, len(lost))
            set_state(lost, problem="lost-here")

    def _note_deleted(self, pks: list[int]) -> None:
        if not pks:
            return
        with durable():
            self.lease.hold()
            set_state(pks, state=State.REMOVED, gone_at=self.clock())
            Pull.objects.filter(pk=self.pull.pk).update(removed=F("removed") + len(pks))

    def _note_listing(self, listing: Listing, *, changed: bool) -> None:
        """Remembers a listing in which everything is dealt with: the same again means that there is nothing to do."""
        if changed or not listing.digest:
            return
        now = self.clock()
        mine = LedgerEntry.objects.filter(account=self.download.account_id)
        next_removal = mine.filter(state=State.KEPT).aggregate(at=Min("remove_at"))["at"]
        next_try = mine.filter(state=State.WAITING).aggregate(at=Min("retry_at"))["at"]
        dates = [now + timedelta(days=DIGEST_DAYS), *(date for date in (next_removal, next_try) if date)]
        self.lease.hold(digest=listing.digest, quiet_until=min(dates))


def _asked_for(wish: Wish) -> Wanted:
    return Wanted(wish.number, wish.size_bytes, wish.uidl, doubtful=_doubt(wish))


def _doubt(wish: Wish) -> bool:
    """Whether it was among messages that could not be told apart; those come last."""
    return bool(wish.entry and wish.entry.problem == MIXED)


def _is_short(wish: Wish, one: Retrieved) -> bool:
    """Whether less came than was listed. The same octets in two sessions are what the server has, whatever it listed."""
    if wish.size_bytes is None or one.size_bytes >= wish.size_bytes:
        return False
    known = wish.entry
    return not (known and known.problem == "short" and known.blob == one.sha256)
