"""Once a day: a sample of every mailbox and domain, with what follows from their history: growth, the day on which they will be
full, jumps, who reads them how, and since when nobody does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
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
    ProgramUse,
    ServerSpace,
)
from accounts.services.usage.standing import permille_of, refresh_day, refresh_standing
from accounts.usage.forecast import Event, find_events, forecast
from accounts.usage.series import Sample, add, unpack

BATCH = 5000
MONTH_DAYS = 30
EVENT_DAYS = 30
"""So long an event is told in tables."""
READ_DAYS = 30
"""Programs seen within so many days say how a mailbox is read."""
Mode = MailboxSpace.Mode

_SAVE = """
    INSERT INTO accounts_mailboxhistory (mailbox_id, samples) VALUES (%s, %s)
    ON CONFLICT (mailbox_id) DO UPDATE SET samples = excluded.samples
"""
_FOUND = """
    UPDATE accounts_mailboxspace SET month_bytes = %s, full_on = %s, jump_bytes = %s, jump_on = %s, mode = %s, used_at = %s,
           idle_since = COALESCE(%s, (SELECT m.created FROM accounts_mailbox m WHERE m.id = mailbox_id))
     WHERE mailbox_id = %s
"""


def take_samples(*, now: datetime | None = None) -> int:
    """Samples everything; gives how many mailboxes. A second time on one day replaces the first. Batches are transactions of
    their own: one that is cut short is done over by the next round, and nothing counts twice."""
    now = now or timezone.now()
    refresh_standing(now=now)
    _forget_orphans()
    day = timezone.localdate(now)
    modes, used = _modes(now), _last_used()
    done = 0
    for rows in _batches(MailboxSpace.objects.order_by("pk").values_list("pk", "bytes", "quota_bytes").iterator(BATCH)):
        _sample_batch(rows, day, modes, used)
        done += len(rows)
    _sample_domains(day)
    _sample_customers(day)
    _sample_servers(day)
    refresh_day(now)
    return done


def _sample_batch(
    rows: list[tuple[int, int, int]], day: date, modes: dict[int, str], used: dict[int, datetime]
) -> None:
    histories = dict(
        MailboxHistory.objects.filter(pk__gte=rows[0][0], pk__lte=rows[-1][0]).values_list("pk", "samples")
    )
    moment = connection.ops.adapt_datetimefield_value
    on = connection.ops.adapt_datefield_value
    saved, found = [], []
    for key, size_bytes, quota_bytes in rows:
        samples = add(bytes(histories.get(key, b"")), Sample(day.toordinal(), size_bytes))
        saved.append((key, samples))
        month, full_on, event = look_ahead(unpack(samples), quota_bytes)
        jump = (event.change_bytes, on(date.fromordinal(event.day))) if event else (0, None)
        last = moment(used.get(key))
        found.append((month, on(full_on), *jump, modes.get(key, Mode.IMAP), last, last, key))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_SAVE, saved)
        cursor.executemany(_FOUND, found)


def look_ahead(samples: list[Sample], limit_bytes: int) -> tuple[int, date | None, Event | None]:
    """What a series says: growth in 30 days, the day on which so much is used (None: not to be seen, or no limit), and its last
    event, if that is not long ago."""
    events = find_events(samples)
    line = forecast(samples, events)
    lately = [event for event in events if samples[-1].day - event.day <= EVENT_DAYS]
    if line is None:
        return 0, None, lately[-1] if lately else None
    full = line.reaches(limit_bytes) if limit_bytes > 0 else None
    full_on = date.fromordinal(full) if full is not None else None
    return round(line.day_bytes * MONTH_DAYS), full_on, lately[-1] if lately else None


def _sample_domains(day: date) -> None:
    sums = MailboxSpace.objects.values("domain").annotate(
        total=Sum("bytes"), promised=Sum("quota_bytes"), number=Count("pk")
    )
    known = dict(DomainSpace.objects.values_list("pk", "samples"))
    rows = []
    for one in sums.order_by().iterator(BATCH):
        size_bytes, quota_bytes = int(one["total"]), int(one["promised"])
        key = one["domain"]
        samples = add(bytes(known.get(key, b"")), Sample(day.toordinal(), size_bytes))
        month, full_on, event = look_ahead(unpack(samples), quota_bytes)
        rows.append(
            DomainSpace(
                domain_id=key,
                bytes=size_bytes,
                quota_bytes=quota_bytes,
                mailboxes=one["number"],
                permille=permille_of(size_bytes, quota_bytes),
                month_bytes=month,
                full_on=full_on,
                **_jump(event),
                samples=samples,
            )
        )
    fields = [
        "bytes",
        "quota_bytes",
        "mailboxes",
        "permille",
        "month_bytes",
        "full_on",
        "jump_bytes",
        "jump_on",
        "samples",
    ]
    with transaction.atomic():
        DomainSpace.objects.bulk_create(
            rows, batch_size=1000, update_conflicts=True, unique_fields=["domain"], update_fields=fields
        )
        empty = DomainSpace.objects.exclude(domain__in=Mailbox.objects.values("domain"))
        empty.update(bytes=0, quota_bytes=0, mailboxes=0, permille=0, month_bytes=0, full_on=None, **_jump(None))


def _jump(event: Event | None) -> dict[str, Any]:
    """The columns of what jumped, for a domain and a customer."""
    day = date.fromordinal(event.day) if event else None
    return {"jump_bytes": event.change_bytes if event else 0, "jump_on": day}


def _sample_customers(day: date) -> None:
    """From the domains' figures, which are of this moment."""
    sums = Customer.objects.annotate(
        total=Sum("domains__space__bytes", default=0),
        promised=Sum("domains__space__quota_bytes", default=0),
        number=Sum("domains__space__mailboxes", default=0),
    )
    known = dict(CustomerSpace.objects.values_list("pk", "samples"))
    rows = []
    found = sums.values_list("pk", "total", "promised", "number", "plan__total_bytes").order_by()
    for key, total, promised, number, limit in found.iterator(BATCH):
        if not number and key not in known:
            continue
        samples = add(bytes(known.get(key, b"")), Sample(day.toordinal(), int(total)))
        month, full_on, event = look_ahead(unpack(samples), limit or 0)
        rows.append(
            CustomerSpace(
                customer_id=key,
                bytes=total,
                quota_bytes=promised,
                mailboxes=number,
                permille=permille_of(total, limit or 0),
                month_bytes=month,
                full_on=full_on,
                **_jump(event),
                samples=samples,
            )
        )
    fields = [
        "bytes",
        "quota_bytes",
        "mailboxes",
        "permille",
        "month_bytes",
        "full_on",
        "jump_bytes",
        "jump_on",
        "samples",
    ]
    CustomerSpace.objects.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=["customer"], update_fields=fields
    )


def _sample_servers(day: date) -> None:
    """From the domains' figures too. Nothing is kept of servers that are gone."""
    sums = DomainSpace.objects.values("domain__server").annotate(
        total=Sum("bytes"), promised=Sum("quota_bytes"), number=Sum("mailboxes")
    )
    figures = {one["domain__server"] or 0: (one["total"], one["promised"], one["number"]) for one in sums.order_by()}
    known = dict(ServerSpace.objects.values_list("pk", "samples"))
    rows = []
    for key in [0, *MailServer.objects.values_list("pk", flat=True)]:
        total, promised, number = figures.get(key, (0, 0, 0))
        samples = add(bytes(known.get(key, b"")), Sample(day.toordinal(), total))
        rows.append(ServerSpace(server=key, bytes=total, quota_bytes=promised, mailboxes=number, samples=samples))
    with transaction.atomic():
        ServerSpace.objects.exclude(pk__in=[row.server for row in rows]).delete()
        ServerSpace.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["server"],
            update_fields=["bytes", "quota_bytes", "mailboxes", "samples"],
        )


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


def _batches(rows: Iterable[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch
