"""How every mailbox stands: what Dovecot counted, brought into the rows that tables are made of. Two statements for all of them,
every two minutes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import (
    Customer,
    CustomerSpace,
    DaySpace,
    MailAccount,
    Mailbox,
    MailboxSpace,
    MailboxUsage,
    MailServer,
)
from accounts.models.usage import FULL_PERMILLE
from accounts.services.usage.used import known_from

PERMILLE_MAX = 100_000
FALLEN_PART = 20
"""A mailbox that lost more than this part of its quota at once is full on another day than was foretold (requota.py)."""
FULL_PART = 100
"""What is free of a mailbox that is full is less than this part of its quota, and less than its usual letter."""

_NEW = """
    INSERT INTO accounts_mailboxspace
        (mailbox_id, domain_id, customer_id, plan_id, reseller_id, server_id,
         bytes, messages, quota_bytes, permille, mode, month_bytes, jump_bytes, alerted, idle_since)
    SELECT m.id, d.id, c.id, c.plan_id, c.reseller_id, d.server_id, 0, 0, -1, 0, 'imap', 0, 0, 0,
           CASE WHEN m.created < %s THEN %s ELSE m.created END
      FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id JOIN accounts_customer c ON c.id = d.customer_id
     WHERE m.deleted IS NULL AND NOT EXISTS (SELECT 1 FROM accounts_mailboxspace s WHERE s.mailbox_id = m.id)
"""
_FOLLOW = """
    UPDATE accounts_mailboxspace
       SET customer_id = c.id, plan_id = c.plan_id, reseller_id = c.reseller_id, server_id = d.server_id
      FROM accounts_domain d JOIN accounts_customer c ON c.id = d.customer_id
     WHERE d.id = accounts_mailboxspace.domain_id
       AND (c.id <> accounts_mailboxspace.customer_id OR c.plan_id <> accounts_mailboxspace.plan_id
            OR COALESCE(c.reseller_id, 0) <> COALESCE(accounts_mailboxspace.reseller_id, 0)
            OR COALESCE(d.server_id, 0) <> COALESCE(accounts_mailboxspace.server_id, 0))
"""
# The same text for SQLite (3.33 and later) and PostgreSQL. What Dovecot has never counted keeps what it was.
_GONE = """
    DELETE FROM accounts_mailboxspace
     WHERE mailbox_id IN (SELECT id FROM accounts_mailbox WHERE deleted IS NOT NULL)
"""
_REFRESH = """
    UPDATE accounts_mailboxspace SET
        bytes = fresh.bytes, messages = fresh.messages, quota_bytes = fresh.quota_bytes,
        full_on = CASE WHEN accounts_mailboxspace.bytes - fresh.bytes > fresh.quota_bytes / %s THEN NULL
                       ELSE accounts_mailboxspace.full_on END,
        permille = CASE WHEN fresh.quota_bytes <= 0 THEN 0
                        WHEN fresh.bytes / fresh.quota_bytes >= 100 THEN %s
                        WHEN fresh.messages > 0 AND fresh.bytes < fresh.quota_bytes
                             AND fresh.quota_bytes - fresh.bytes < fresh.bytes / fresh.messages
                             AND fresh.quota_bytes - fresh.bytes < fresh.quota_bytes / %s THEN %s
                        ELSE fresh.bytes * 1000 / fresh.quota_bytes END
      FROM (SELECT m.id, m.quota_bytes, COALESCE(c.bytes, s.bytes) AS bytes, COALESCE(c.messages, s.messages) AS messages
              FROM accounts_mailboxspace s JOIN accounts_mailbox m ON m.id = s.mailbox_id
              LEFT JOIN mail_usage c ON c.username = m.address
             WHERE s.quota_bytes <> m.quota_bytes OR s.bytes <> COALESCE(c.bytes, s.bytes)
                OR s.messages <> COALESCE(c.messages, s.messages)) AS fresh
     WHERE fresh.id = accounts_mailboxspace.mailbox_id
"""
_DOMAINS_NEW = """
    INSERT INTO accounts_domainspace
        (domain_id, bytes, quota_bytes, mailboxes, permille, month_bytes, jump_bytes, alerted, samples, promised)
    SELECT DISTINCT s.domain_id, 0, 0, 0, 0, 0, 0, 0, %s, %s FROM accounts_mailboxspace s
     WHERE NOT EXISTS (SELECT 1 FROM accounts_domainspace d WHERE d.domain_id = s.domain_id)
"""
_DOMAINS = """
    UPDATE accounts_domainspace SET
        bytes = fresh.bytes, quota_bytes = fresh.quota_bytes, mailboxes = fresh.mailboxes,
        permille = CASE WHEN fresh.quota_bytes <= 0 THEN 0
                        WHEN fresh.bytes / fresh.quota_bytes >= 100 THEN %s
                        ELSE fresh.bytes * 1000 / fresh.quota_bytes END
      FROM (SELECT d.domain_id, COUNT(s.mailbox_id) AS mailboxes, CAST(COALESCE(SUM(s.bytes), 0) AS bigint) AS bytes,
                   CAST(COALESCE(SUM(s.quota_bytes), 0) AS bigint) AS quota_bytes
              FROM accounts_domainspace d LEFT JOIN accounts_mailboxspace s ON s.domain_id = d.domain_id
             GROUP BY d.domain_id) AS fresh
     WHERE fresh.domain_id = accounts_domainspace.domain_id
       AND (fresh.bytes <> accounts_domainspace.bytes OR fresh.quota_bytes <> accounts_domainspace.quota_bytes
            OR fresh.mailboxes <> accounts_domainspace.mailboxes)
"""


def refresh_standing(*, now: datetime | None = None) -> int:
    """Brings every mailbox's row up to what is counted, and the row of today; gives how many mailboxes had changed."""
    now = now or timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_GONE)
        cursor.execute(_NEW, _known(now))
        cursor.execute(_FOLLOW)
        cursor.execute(_REFRESH, [FALLEN_PART, PERMILLE_MAX, FULL_PART, FULL_PERMILLE])
        changed = int(cursor.rowcount)
        here = MailAccount.objects.filter(mailbox__isnull=False, mode=MailAccount.Mode.DOWNLOAD).values("mailbox")
        pop3 = MailboxSpace.Mode.POP3  # what programs do is looked at once a day
        MailboxSpace.objects.filter(pk__in=here).exclude(mode=pop3).update(mode=pop3)
        refresh_day(now)
    return changed


def _known(now: datetime) -> list[Any]:
    """What stands for the two places of _NEW."""
    return [connection.ops.adapt_datetimefield_value(known_from(now))] * 2


def follow_customer(customer: Customer) -> None:
    """Gives a customer's mailboxes the plan and the reseller that it has now."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_FOLLOW} AND c.id = %s", [customer.pk])


def refresh_domains() -> None:
    """Brings what domains use, and what is promised in them, up to the mailboxes': a domain fills between two samples too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DOMAINS_NEW, [b"", b""])
        cursor.execute(_DOMAINS, [PERMILLE_MAX])


def refresh_customers() -> None:
    """Brings what customers with a limit use up to the mailboxes': a plan's space fills between two samples too. Whose plan has
    no limit any more is full no longer."""
    CustomerSpace.objects.filter(permille__gt=0, customer__plan__total_bytes__isnull=True).update(permille=0)
    sums = MailboxSpace.objects.filter(plan__total_bytes__gt=0).values_list("customer", "plan__total_bytes")
    found = sums.annotate(total=Sum("bytes"), promised=Sum("quota_bytes"), number=Count("pk")).order_by()
    known = {row[0]: row[1:] for row in CustomerSpace.objects.values_list("pk", "bytes", "permille")}
    rows = [
        CustomerSpace(
            customer_id=key,
            bytes=total,
            quota_bytes=promised,
            mailboxes=number,
            permille=permille_of(total, limit),
        )
        for key, limit, total, promised, number in found.iterator()
        if known.get(key) != (total, permille_of(total, limit))
    ]
    CustomerSpace.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["customer"],
        update_fields=["bytes", "quota_bytes", "mailboxes", "permille"],
    )


def refresh_day(now: datetime) -> None:
    """Brings the row of the day up to the mailboxes'."""
    pop3 = Q(mode=MailboxSpace.Mode.POP3)
    sums = MailboxSpace.objects.aggregate(
        pop3_bytes=Sum("bytes", filter=pop3, default=0),
        pop3_mailboxes=Count("pk", filter=pop3),
        mailboxes=Count("pk"),
        quota_bytes=Sum("quota_bytes", default=0),
        bytes=Sum("bytes", default=0),  # last: what comes after it would be summed over the sum
    )
    disks = [disk_of(server) for server in (None, *MailServer.objects.all())]
    sizes = [disk.size_bytes for disk in disks if disk]
    taken = [disk.taken_bytes for disk in disks if disk and disk.taken_bytes is not None]
    values = sums | {"at": now, "disk_bytes": sum(sizes) if len(sizes) == len(disks) else None}
    values["other_bytes"] = max(0, sum(taken) - sums["bytes"]) if len(taken) == len(disks) else None
    DaySpace.objects.update_or_create(day=timezone.localdate(now), defaults=values)


@dataclass(frozen=True, slots=True)
class Counted:
    """What some mailboxes use together, as it was brought up `at` (None: never yet)."""

    mailboxes: int
    size_bytes: int
    quota_bytes: int
    at: datetime | None


def counted_of(mailboxes: QuerySet[MailboxSpace]) -> Counted:
    """The sum of these rows, which are two minutes old at most."""
    sums = mailboxes.aggregate(number=Count("pk"), total=Sum("bytes"), promised=Sum("quota_bytes"))
    at = DaySpace.objects.order_by("-day").values_list("at", flat=True).first()
    return Counted(sums["number"], sums["total"] or 0, sums["promised"] or 0, at)


def refresh_mailbox(*, mailbox: Mailbox) -> MailboxSpace:
    """How one mailbox stands at this moment, its row brought up."""
    counted = MailboxUsage.objects.filter(username=mailbox.address).first()
    with connection.cursor() as cursor:
        cursor.execute(f"{_NEW} AND m.id = %s", [*_known(timezone.now()), mailbox.pk])
    space = MailboxSpace.objects.get(mailbox=mailbox)
    if counted:
        space.bytes, space.messages = counted.bytes, counted.messages
    space.quota_bytes = mailbox.quota_bytes
    space.permille = permille_of(space.bytes, space.quota_bytes, messages=space.messages)
    space.save(update_fields=["bytes", "messages", "quota_bytes", "permille"])
    return space


def set_counted(*, mailbox: Mailbox, size_bytes: int, now: datetime | None = None) -> bool:
    """Takes Dovecot's own figure, asked for, where the counted one differs by more than its rounding (KiB); True if it did."""
    counted = MailboxUsage.objects.filter(username=mailbox.address).first()
    wrong = counted is None or abs(counted.bytes - size_bytes) > 1024
    if wrong:
        MailboxUsage.objects.update_or_create(username=mailbox.address, defaults={"bytes": size_bytes})
    MailboxSpace.objects.filter(pk=mailbox.pk).update(checked=now or timezone.now())
    return wrong


def used_by(mailboxes: Iterable[Mailbox]) -> dict[str, int]:
    """What each of these mailboxes uses now, in octets, by its address, as the mail server counts it; one query."""
    addresses = [one.address for one in mailboxes]
    found = MailboxUsage.objects.filter(username__in=addresses).values_list("username", "bytes")
    return dict.fromkeys(addresses, 0) | dict(found)


def permille_of(size_bytes: int, quota_bytes: int, *, messages: int = 0) -> int:
    """So many thousandths of the quota, rounded down; 0 without a quota. With `messages` it is that of a mailbox, which is full
    (1000) when a letter as large as its usual one does not fit any more: the last letter never passes the quota, so that a
    mailbox that refuses mail would stand below it for ever. Nothing is full below 99 percent."""
    if quota_bytes <= 0:
        return 0
    free = quota_bytes - size_bytes
    if messages > 0 and 0 < free < size_bytes // messages and free < quota_bytes // FULL_PART:
        return FULL_PERMILLE
    return min(size_bytes * 1000 // quota_bytes, PERMILLE_MAX)


def permille_now(mailbox: Mailbox | None, size_bytes: int, quota_bytes: int) -> int:
    """The same by what the server says of a mailbox at this moment. How many messages there are is asked for where that decides
    alone: a query for one that is nearly full, none for the others. None is a mailbox of another server."""
    permille = permille_of(size_bytes, quota_bytes)
    if mailbox is None or not FULL_PERMILLE - 1000 // FULL_PART <= permille < FULL_PERMILLE:
        return permille
    messages = MailboxSpace.objects.filter(pk=mailbox.pk).values_list("messages", flat=True).first()
    return permille_of(size_bytes, quota_bytes, messages=messages or 0)


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that holds mail: what it can hold, and what lies on it now, whatever it is (None: it is not seen from here)."""

    size_bytes: int
    taken_bytes: int | None = None


def disk_of(server: MailServer | None = None) -> Disk | None:
    """The disk of a server, without one that of the installation's own mail folder. Its size is what the row of the server or
    MAIL_DISK_BYTES says, else the disk is looked at where its folder is seen from here; None when nothing says it."""
    said = server.disk_bytes if server else int(settings.MAIL_DISK_BYTES)
    return Disk(said) if said else _seen(server.path if server else settings.MAIL_DISK_PATH)


def _seen(path: str) -> Disk | None:
    """As df tells it: what is kept for the system alone can hold nothing."""
    try:
        disk = os.statvfs(path) if path else None
    except OSError:
        return None
    if disk is None:
        return None
    taken = disk.f_blocks - disk.f_bfree
    return Disk(disk.f_frsize * (taken + disk.f_bavail), disk.f_frsize * taken)
