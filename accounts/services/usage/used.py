"""When mailboxes were opened last, for the table of those that nobody opens: a sign-in takes a mailbox out of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from accounts.models import LogPosition, MailboxSpace, User

FINE = timedelta(days=1)
"""Rows are written to for a sign-in once in so long; the day's sample has the very moment."""

_USED = """
    UPDATE accounts_mailboxspace SET used_at = %s, idle_since = %s
     WHERE mailbox_id = (SELECT id FROM accounts_mailbox WHERE address = %s) AND idle_since < %s
"""


def note_programs(seen: Iterable[tuple[str, datetime]]) -> None:
    """Programs signed in to mailboxes (addresses): one statement for each that was seen, no row written to where that is known to
    the day."""
    latest: dict[str, datetime] = {}
    for address, at in seen:
        latest[address] = max(at, latest.get(address, at))
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        rows = [(moment(at), moment(at), address, moment(at - FINE)) for address, at in sorted(latest.items())]
        cursor.executemany(_USED, rows)


def note_owner(person: User) -> None:
    """A person signed in here: that opens all mailboxes of theirs."""
    now = timezone.now()
    rows = MailboxSpace.objects.filter(mailbox__account__owner=person, idle_since__lt=now - FINE)
    MailboxSpace.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(used_at=now, idle_since=now)


def recorded_since() -> datetime | None:
    """Since when it is recorded who opens mailboxes; None where it is not."""
    began: datetime | None = LogPosition.objects.aggregate(began=Min("began"))["began"]
    return began


def known_from(now: datetime) -> datetime:
    """Of a mailbox without any record nothing is claimed of what was before this: since when that is recorded, or now, where
    programs are not."""
    return min(recorded_since() or now, now)
