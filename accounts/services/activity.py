"""Which programs use a mailbox: counted from the mail server's log, and told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from accounts.activity.deeds import Deed
from accounts.activity.lines import Event, PopEnded, SignedIn
from accounts.activity.moves import Moves
from accounts.activity.reading import read_event, read_postfix
from accounts.activity.sessions import (
    Done,
    Sessions,
    Use,
    deed_of_sending,
    network_of,
    of_reserve,
    use_of_sending,
)
from accounts.activity.submission import HandedIn, Queued, Sent, Submissions
from accounts.activity.tail import Position, Tail
from accounts.models import AppPassword, LogPosition, Mailbox, ProgramUse
from accounts.services.events import add_events
from accounts.services.networks import Places, places_of
from accounts.services.usage.used import note_programs

MACHINE_ZONE = Path("/etc/localtime")
log = logging.getLogger(__name__)
DAYS = 30
"""What "lately" means where programs are told."""
CHECK_EVERY = timedelta(minutes=1)
"""So often a collector says that it is there, when there is nothing to count."""
STALE = timedelta(minutes=15)
"""After so long without a word, the collector counts as stopped."""

_COUNT = """
    INSERT INTO accounts_programuse
        (mailbox_id, protocol, program, version, device, network, first_at, last_at, sign_ins, retrieved, deleted)
    SELECT id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM accounts_mailbox WHERE address = %s
    ON CONFLICT (mailbox_id, protocol, program, device, network) DO UPDATE SET
        version = CASE WHEN excluded.version = '' THEN accounts_programuse.version ELSE excluded.version END,
        last_at = CASE WHEN excluded.last_at > accounts_programuse.last_at
                       THEN excluded.last_at ELSE accounts_programuse.last_at END,
        sign_ins = accounts_programuse.sign_ins + excluded.sign_ins,
        retrieved = accounts_programuse.retrieved + excluded.retrieved,
        deleted = accounts_programuse.deleted + excluded.deleted
"""


Told = Event | Deed | HandedIn | Queued


class Overtaken(Exception):
    """Another collector has read the same log on: nothing of this step was counted."""


class Collector:
    """Reads one log on and counts. A step that fails has counted nothing: a new collector goes on from what is saved. `read`
    gives what a line tells; Dovecot's lines unless said otherwise."""

    def __init__(self, path: Path, read: Callable[[bytes], Told | None] = read_event) -> None:
        now = timezone.now()
        self._read = read
        self._saved, _made = LogPosition.objects.get_or_create(path=str(path), defaults={"began": now, "checked": now})
        self._tail = Tail(path, Position(self._saved.first_line, self._saved.offset))
        self._sessions = Sessions(own_user=settings.MAIL_MASTER_USER)
        self._sessions.load(self._saved.waiting)
        self._moves = Moves()
        self._moves.load(self._saved.waiting.get("copies", []))
        self._submissions = Submissions()
        self._submissions.load(self._saved.waiting.get("begun", []))
        self._sends_since = self._saved.waiting.get("sends_since") or now.isoformat()

    def step(self, *, now: datetime | None = None) -> int:
        """Reads some more lines and counts what they tell; gives how many lines, 0 at the log's end. There, what waits for a
        name waits by the clock (`now`). Raises Overtaken."""
        uses: list[Use] = []
        done: list[Done] = []
        passwords: dict[int, SignedIn] = {}
        sent: list[Sent] = []
        latest: datetime | None = None
        lines = self._tail.read()
        for line in lines:
            event = self._read(line)
            if event is None:
                continue
            latest = event.at
            if isinstance(event, Deed):
                told = of_reserve(self._moves.take(self._sessions.name(event)))
                done += [told] if told else []
                continue
            if isinstance(event, HandedIn | Queued):
                if one := self._submissions.take(event):
                    sent.append(one)
                continue
            uses += self._sessions.take(event)
            if isinstance(event, PopEnded):
                done += self._sessions.name_pop3(event)
            if isinstance(event, SignedIn) and event.app:
                passwords[event.app] = event
        uses += [use_of_sending(one) for one in sent if not one.own]
        done += [deed_of_sending(one) for one in sent]
        now = now or timezone.now()
        until = latest if lines else now
        if until:
            uses += self._sessions.settle(until)
            self._moves.settle(until)
            self._submissions.settle(until)
        if lines or uses or now - self._saved.checked >= CHECK_EVERY:
            self._save(uses, done, passwords, sent, now)
        return len(lines)

    def close(self) -> None:
        """Lets go of the log."""
        self._tail.close()

    def _dump(self) -> dict[str, Any]:
        moves, begun = self._moves.dump(), self._submissions.dump()
        return {"copies": moves, "begun": begun, "sends_since": self._sends_since}

    def _save(
        self, uses: list[Use], done: list[Done], passwords: dict[int, SignedIn], sent: list[Sent], now: datetime
    ) -> None:
        position = self._tail.position
        values = {
            "first_line": position.first_line,
            "offset": position.offset,
            "waiting": self._sessions.dump() | self._dump(),
            "checked": now,
        }
        before = {"first_line": self._saved.first_line, "offset": self._saved.offset}
        with transaction.atomic():
            if not LogPosition.objects.filter(pk=self._saved.pk, **before).update(**values):
                raise Overtaken
            devices = _devices({use.app for use in uses} | {one.app for one in done})
            _count(_summed(uses, devices))
            note_programs((use.user, use.at) for use in uses if use.sign_ins)
            _note_passwords(passwords)
            _note_sending({one.app: one for one in sent if one.app})
            add_events(done, devices)
        for name, value in values.items():
            setattr(self._saved, name, value)


def log_zone(name: str, *, machine: Path = MACHINE_ZONE) -> tzinfo:
    """The zone of a log whose lines name none: the one of this name, else this machine's, else UTC. Django has made TIME_ZONE the
    process's, so the process cannot be asked."""
    try:
        if name:
            return ZoneInfo(name.removeprefix(":"))
        with machine.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        log.warning("the zone of Postfix's log is not known: UTC is taken")
        return UTC


def sending(path: Path) -> Collector:
    """A collector of Postfix's log: the mail that it refused, and who sent."""
    zone = log_zone(settings.POSTFIX_LOG_ZONE)
    return Collector(path, lambda line: read_postfix(line, timezone.now().astimezone(zone)))


@dataclass(slots=True)
class _Sum:
    version: str
    first_at: datetime
    last_at: datetime
    sign_ins: int = 0
    retrieved: int = 0
    deleted: int = 0

    def values(self, user: str, protocol: str, program: str, device: str, network: str) -> tuple[str | int | None, ...]:
        """What stands for the places of _COUNT."""
        moment = connection.ops.adapt_datetimefield_value
        first, last = moment(self.first_at), moment(self.last_at)
        counts = self.sign_ins, self.retrieved, self.deleted
        return protocol, program, self.version, device, network, first, last, *counts, user


def _devices(keys: set[int]) -> dict[tuple[int, str], str]:
    """What the passwords of devices are called, by id and mailbox."""
    keys.discard(0)
    if not keys:
        return {}
    rows = AppPassword.objects.filter(pk__in=keys).values_list("pk", "mailbox__address", "name")
    return {(key, address): name for key, address, name in rows}


def _summed(uses: Iterable[Use], devices: dict[tuple[int, str], str]) -> dict[tuple[str, str, str, str, str], _Sum]:
    sums: dict[tuple[str, str, str, str, str], _Sum] = {}
    for use in uses:
        device = devices.get((use.app, use.user), "") if use.app else ""
        key = use.user, use.protocol, use.program, device, use.network
        row = sums.setdefault(key, _Sum(use.version, use.at, use.at))
        row.version = use.version or row.version
        row.first_at, row.last_at = min(row.first_at, use.at), max(row.last_at, use.at)
        row.sign_ins += use.sign_ins
        row.retrieved += use.retrieved
        row.deleted += use.deleted
    return sums


def _count(sums: dict[tuple[str, str, str, str, str], _Sum]) -> None:
    """Adds to the rows of mailboxes that are hosted here; what is said of others is passed over."""
    if not sums:
        return
    with connection.cursor() as cursor:
        cursor.executemany(_COUNT, [row.values(*key) for key, row in sums.items()])


def _note_passwords(used: dict[int, SignedIn]) -> None:
    """When, how and from where each password of a device was last used."""
    for key, event in used.items():
        AppPassword.objects.filter(pk=key, mailbox__address=event.user).exclude(last_at__gt=event.at).update(
            last_at=event.at,
            last_protocol="sieve" if event.protocol == "managesieve" else event.protocol,
            last_network=network_of(event.address),
        )


def _note_sending(last: dict[int, Sent]) -> None:
    """When and from where each password of a device was last used to send, which is a use as any other."""
    for key, sent in last.items():
        rows = AppPassword.objects.filter(pk=key, mailbox__address=sent.user)
        network = network_of(sent.address)
        rows.exclude(sent_at__gt=sent.at).update(sent_at=sent.at, sent_network=network)
        rows.exclude(last_at__gt=sent.at).update(last_at=sent.at, last_protocol="smtp", last_network=network)


def clear_activity() -> int:
    """Removes what was last seen longer ago than ACTIVITY_DAYS; gives how many rows."""
    limit = timezone.now() - timedelta(days=settings.ACTIVITY_DAYS)
    removed, _by_model = ProgramUse.objects.filter(last_at__lt=limit).delete()
    return removed


# --- Told ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was seen lately, by its name, else by that of its device's password. One without any is told by its
    network, the others wherever they were."""

    name: str
    network: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Programs:
    """What is known of the programs that use a mailbox. `state` is "apart" for a mailbox that is not hosted here, "never" where
    nothing was recorded yet, "stopped" where that ended at `until`, else "on". `since` is from when on they are told; `partly`
    where that is less than the whole time."""

    state: str
    imap: tuple[Program, ...] = ()
    pop3: tuple[Program, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    partly: bool = False
    days: int = DAYS

    @property
    def recorded(self) -> bool:
        """Whether there is something to read: of a mailbox whose log nobody reads nothing can be said."""
        return self.state in {"on", "stopped"}


def programs_of(mailbox: Mailbox | None, *, own: bool = False) -> Programs:
    """The programs that signed in to a mailbox in the last 30 days, the latest first; with the names that its owner gave to
    networks (`own`), or only those that others gave."""
    if mailbox is None:
        return Programs("apart")
    now = timezone.now()
    known = LogPosition.objects.aggregate(began=Min("began"), checked=Max("checked"))
    if known["checked"] is None:
        return Programs("never")
    since = now - timedelta(days=DAYS)
    uses = list(ProgramUse.objects.filter(mailbox=mailbox, last_at__gte=since).order_by("-last_at"))
    places = places_of(mailbox, own=own) if any(not (use.program or use.device) for use in uses) else Places()
    return Programs(
        state="on" if now - known["checked"] < STALE else "stopped",
        imap=_programs(uses, ProgramUse.Protocol.IMAP, places),
        pop3=_programs(uses, ProgramUse.Protocol.POP3, places),
        since=max(since, known["began"]),
        until=known["checked"],
        partly=known["began"] > since,
    )


def _programs(uses: list[ProgramUse], protocol: str, places: Places) -> tuple[Program, ...]:
    found: dict[tuple[str, str], Program] = {}
    for use in uses:
        if use.protocol == protocol:
            name = use.program or use.device
            network = "" if name else use.network
            found.setdefault((name, network), Program(name, places.words(network), use.last_at))
    return tuple(found.values())
