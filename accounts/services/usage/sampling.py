"""Once a day: a sample of every mailbox and domain, with what follows from their history: growth, the day on which they will be
full, jumps, who reads them how, and since when nobody does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Sum
from django.utils import timezone

from accounts.models import (
    Customer,
    CustomerSpace,
    DomainSpace,
    MailAccount,
    Mailbox,
    MailboxHistory,
    MailboxSpace,
    MailboxUsage,
    MailServer,
    PartSpace,
    ProgramUse,
    ServerSpace,
)
from accounts.services.usage.standing import permille_of, refresh_day, refresh_standing
from accounts.services.usage.used import known_from
from accounts.usage.forecast import Event, find_events, forecast
from accounts.usage.judging import judge
from accounts.usage.series import Sample, add, add_change, unpack

BATCH = 5000
MONTH_DAYS = 30
EVENT_DAYS = 30
"""So long an event is told in tables."""
SUMMED = ("bytes", "quota_bytes", "mailboxes", "permille", "samples", "promised")
READ_DAYS = 30
"""Programs seen within so many days say how a mailbox is read."""
Mode = MailboxSpace.Mode

_SAVE = """
    INSERT INTO accounts_mailboxhistory (mailbox_id, samples) VALUES (%s, %s)
    ON CONFLICT (mailbox_id) DO UPDATE SET samples = excluded.samples
"""
_FOUND = """
    UPDATE accounts_mailboxspace SET
           month_bytes = %s, full_on = %s, full_early = %s, full_late = %s, jump_bytes = %s, jump_on = %s, mode = %s,
           used_at = %s, idle_since = COALESCE(%s, (SELECT CASE WHEN m.created < %s THEN %s ELSE m.created END
                                                      FROM accounts_mailbox m WHERE m.id = mailbox_id))
     WHERE mailbox_id = %s
"""


def take_samples(*, now: datetime | None = None) -> int:
    """Samples everything; gives how many mailboxes. A second time on one day replaces the first. Batches are transactions of
    their own: one that is cut short is done over by the next round, and nothing counts twice."""
    now = now or timezone.now()
    refresh_standing(now=now)
    _forget_orphans()
    day = timezone.localdate(now)
    modes, used, since = _modes(now), _last_used(), known_from(now)
    done = 0
    for rows in _batches():
        _sample_batch(rows, day, modes, used, since)
        done += len(rows)
    _sample_domains(day)
    _sample_customers(day)
    _sample_servers(day)
    _sample_parts(day)
    refresh_day(now)
    return done


def _sample_batch(
    rows: list[tuple[int, int, int]], day: date, modes: dict[int, str], used: dict[int, datetime], since: datetime
) -> None:
    histories = dict(
        MailboxHistory.objects.filter(pk__gte=rows[0][0], pk__lte=rows[-1][0]).values_list("pk", "samples")
    )
    moment = connection.ops.adapt_datetimefield_value
    known = moment(since)
    on = connection.ops.adapt_datefield_value
    saved, found = [], []
    for key, size_bytes, quota_bytes in rows:
        samples = add(bytes(histories.get(key, b"")), Sample(day.toordinal(), size_bytes))
        saved.append((key, samples))
        ahead = look_ahead(unpack(samples), quota_bytes)
        full = (on(ahead.full_on), on(ahead.full_early), on(ahead.full_late))
        event = ahead.event
        jump = (event.change_bytes, on(date.fromordinal(event.day))) if event else (0, None)
        last = moment(used.get(key))
        found.append((ahead.month_bytes, *full, *jump, modes.get(key, Mode.IMAP), last, last, known, known, key))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_SAVE, saved)
        cursor.executemany(_FOUND, found)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a series says: growth in 30 days, the day on which so much is used (None: not to be seen, or no limit) and between
    which days in four of five cases (`full_late` None: perhaps not at all), and the last event, if that is not long ago."""

    month_bytes: int = 0
    full_on: date | None = None
    full_early: date | None = None
    full_late: date | None = None
    event: Event | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a domain or a customer."""
        jump = (
            {"jump_bytes": self.event.change_bytes, "jump_on": date.fromordinal(self.event.day)} if self.event else {}
        )
        full = {"full_on": self.full_on, "full_early": self.full_early, "full_late": self.full_late}
        return {"month_bytes": self.month_bytes, "jump_bytes": 0, "jump_on": None, **full, **jump}


def look_ahead(samples: list[Sample], limit_bytes: int, *, judged: bool = False) -> Ahead:
    """What a series says of `limit_bytes` (0: no limit). `judged`: the band is as wide as its past asks for, which costs 3 ms
    where it fills at all; that of a single mailbox holds without."""
    events = find_events(samples)
    line = forecast(samples, events)
    lately = [event for event in events if samples[-1].day - event.day <= EVENT_DAYS]
    event = lately[-1] if lately else None
    if line is None:
        return Ahead(event=event)
    full = line.reaches(limit_bytes) if limit_bytes > 0 else None
    month = round(line.day_bytes * MONTH_DAYS)
    if full is None:
        return Ahead(month, event=event)
    past = judge(samples, events) if judged else None
    early, late = (past.widen(line) if past else line).reaches_between(limit_bytes)
    return Ahead(
        month, date.fromordinal(full), date.fromordinal(early), date.fromordinal(late) if late else None, event
    )


def _sample_domains(day: date) -> None:
    sums = MailboxSpace.objects.values("domain").annotate(
        total=Sum("bytes"), promised=Sum("quota_bytes"), number=Count("pk")
    )
    known = {key: series for key, *series in DomainSpace.objects.values_list("pk", "samples", "promised")}
    rows = []
    for one in sums.order_by().iterator(BATCH):
        size_bytes, quota_bytes = int(one["total"]), int(one["promised"])
        key = one["domain"]
        samples, promised = _grown(known.get(key), day, size_bytes, quota_bytes)
        rows.append(
            DomainSpace(
                domain_id=key,
                bytes=size_bytes,
                quota_bytes=quota_bytes,
                mailboxes=one["number"],
                permille=permille_of(size_bytes, quota_bytes),
                samples=samples,
                promised=promised,
                **look_ahead(unpack(samples), quota_bytes, judged=True).columns,
            )
        )
    fields = [*SUMMED, *Ahead().columns]
    with transaction.atomic():
        DomainSpace.objects.bulk_create(
            rows, batch_size=1000, update_conflicts=True, unique_fields=["domain"], update_fields=fields
        )
        empty = DomainSpace.objects.exclude(domain__in=Mailbox.objects.values("domain"))
        empty.update(bytes=0, quota_bytes=0, mailboxes=0, permille=0, **Ahead().columns)


def _grown(
    known: Sequence[bytes | memoryview] | None, day: date, size_bytes: int, quota_bytes: int
) -> tuple[bytes, bytes]:
    """The two series of what is used and promised, with a day more."""
    used, promised = known or (b"", b"")
    today = day.toordinal()
    return add(bytes(used), Sample(today, size_bytes)), add_change(bytes(promised), Sample(today, quota_bytes))


def _sample_customers(day: date) -> None:
    """From the domains' figures, which are of this moment."""
    sums = Customer.objects.annotate(
        total=Sum("domains__space__bytes", default=0),
        promised=Sum("domains__space__quota_bytes", default=0),
        number=Sum("domains__space__mailboxes", default=0),
    )
    known = {key: series for key, *series in CustomerSpace.objects.values_list("pk", "samples", "promised")}
    rows = []
    found = sums.values_list("pk", "total", "promised", "number", "plan__total_bytes").order_by()
    for key, total, promised, number, limit in found.iterator(BATCH):
        if not number and key not in known:
            continue
        samples, granted = _grown(known.get(key), day, int(total), int(promised))
        ahead = look_ahead(unpack(samples), limit or 0, judged=True).columns
        rows.append(
            CustomerSpace(
                customer_id=key,
                bytes=total,
                quota_bytes=promised,
                mailboxes=number,
                permille=permille_of(total, limit or 0),
                samples=samples,
                promised=granted,
                **ahead,
            )
        )
    fields = [*SUMMED, *Ahead().columns]
    CustomerSpace.objects.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=["customer"], update_fields=fields
    )


def _sample_servers(day: date) -> None:
    """From the domains' figures too. Nothing is kept of servers that are gone."""
    sums = DomainSpace.objects.values("domain__server").annotate(
        total=Sum("bytes"), promised=Sum("quota_bytes"), number=Sum("mailboxes")
    )
    figures = {one["domain__server"] or 0: (one["total"], one["promised"], one["number"]) for one in sums.order_by()}
    known = {key: series for key, *series in ServerSpace.objects.values_list("pk", "samples", "promised")}
    rows = []
    for key in [0, *MailServer.objects.values_list("pk", flat=True)]:
        total, promised, number = figures.get(key, (0, 0, 0))
        samples, granted = _grown(known.get(key), day, total, promised)
        row = ServerSpace(server=key, bytes=total, quota_bytes=promised, mailboxes=number)
        row.samples, row.promised = samples, granted
        rows.append(row)
    with transaction.atomic():
        ServerSpace.objects.exclude(pk__in=[row.server for row in rows]).delete()
        ServerSpace.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["server"],
            update_fields=["bytes", "quota_bytes", "mailboxes", "samples", "promised"],
        )


def _sample_parts(day: date) -> None:
    """From the mailboxes' rows. A part that has no mailboxes any more is one that uses nothing."""
    names = ("reseller", "plan", "server", "mode")
    sums = MailboxSpace.objects.values_list(*names).annotate(Sum("bytes"), Sum("quota_bytes")).order_by()
    figures = {
        (reseller or 0, plan, server or 0, mode): (int(used), int(promised))
        for reseller, plan, server, mode, used, promised in sums
    }
    known = {tuple(key): (used, promised) for *key, used, promised in _parts()}
    rows = []
    for key in figures.keys() | known.keys():
        samples, promised = _grown(known.get(key), day, *figures.get(key, (0, 0)))
        rows.append(PartSpace(**dict(zip(names, key, strict=True)), samples=samples, promised=promised))
    PartSpace.objects.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=names, update_fields=["samples", "promised"]
    )


def _parts() -> Iterable[tuple[Any, ...]]:
    return PartSpace.objects.values_list("reseller", "plan", "server", "mode", "samples", "promised")


def _modes(now: datetime) -> dict[int, str]:
    """The mailboxes that are read by POP3: by a download here, or by programs of which none is an IMAP one."""
    lately = ProgramUse.objects.filter(last_at__gte=now - timedelta(days=READ_DAYS))
    imap = set(lately.filter(protocol=ProgramUse.Protocol.IMAP).values_list("mailbox", flat=True))
    pop3 = set(lately.filter(protocol=ProgramUse.Protocol.POP3).values_list("mailbox", flat=True))
    downloads = MailAccount.objects.filter(mailbox__isnull=False, mode=MailAccount.Mode.DOWNLOAD)
    return dict.fromkeys((pop3 - imap) | set(downloads.values_list("mailbox", flat=True)), Mode.POP3)


def _last_used() -> dict[int, datetime]:
    """When each mailbox was last opened: by a program, or by its owner here."""
    seen = ProgramUse.objects.values("mailbox").annotate(at=Max("last_at")).values_list("mailbox", "at")
    used: dict[int, datetime] = dict(seen)
    here = MailAccount.objects.filter(mailbox__isnull=False, owner__last_login__isnull=False)
    opened = here.values_list("mailbox", "owner__last_login")
    for mailbox, at in opened:
        if at:
            used[mailbox] = max(at, used.get(mailbox, at))
    return used


def _forget_orphans() -> None:
    """Counts of addresses that are no mailbox any more: nothing else removes them, for Dovecot writes without asking."""
    MailboxUsage.objects.exclude(pk__in=Mailbox.objects.values("address")).delete()


def _batches() -> Iterator[list[tuple[int, int, int]]]:
    """All mailboxes, each batch read to its end: on SQLite a query that is still being read holds an old state of the database,
    and nothing can be written beside it once another process has written."""
    last = 0
    found = MailboxSpace.objects.order_by("pk").values_list("pk", "bytes", "quota_bytes")
    while batch := list(found.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1][0]
