"""The timeline of mailboxes: what was done is added up by session and day, and forgotten when it is old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.activity.sessions import Done
from accounts.models import MailboxEvent
from accounts.services.recipients import mailboxes_behind, without_detail

BY_THE_HOUR = frozenset({"lmtp", "smtp"})
"""Of these protocols every message has a session of its own: an hour counts as one."""
SESSION_MAX = 64
NO_DEVICES: Mapping[tuple[int, str], str] = {}
Key = tuple[str, date, str, str, str, str]

_ADD = """
    INSERT INTO accounts_mailboxevent
        (mailbox_id, day, session, kind, folder, target, protocol, program, device, network, first_at, last_at, count,
         size_bytes, reserve)
    SELECT id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM accounts_mailbox WHERE address = %s
    ON CONFLICT (mailbox_id, day, session, kind, folder, target) DO UPDATE SET
        program = CASE WHEN excluded.program = '' THEN accounts_mailboxevent.program ELSE excluded.program END,
        last_at = CASE WHEN excluded.last_at > accounts_mailboxevent.last_at
                       THEN excluded.last_at ELSE accounts_mailboxevent.last_at END,
        count = accounts_mailboxevent.count + excluded.count,
        size_bytes = accounts_mailboxevent.size_bytes + excluded.size_bytes,
        reserve = CASE WHEN excluded.reserve = '' THEN accounts_mailboxevent.reserve ELSE excluded.reserve END
"""


@dataclass(slots=True)
class _Sum:
    done: Done
    first_at: datetime
    last_at: datetime
    count: int = 0
    size_bytes: int = 0


def add_events(done: Iterable[Done], devices: Mapping[tuple[int, str], str] = NO_DEVICES) -> None:
    """Adds what was done to the timelines of mailboxes that are hosted here; what is said of others is passed over. `devices` are
    the names of their passwords, by id and mailbox."""
    sums: dict[Key, _Sum] = {}
    for one in _at_their_mailboxes(list(done)):
        deed = one.deed
        row = sums.setdefault(_key(one), _Sum(one, deed.at, deed.at))
        row.first_at, row.last_at = min(row.first_at, deed.at), max(row.last_at, deed.at)
        row.count += deed.count
        row.size_bytes += deed.size_bytes
    if sums:
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, [_values(key, row, devices) for key, row in sums.items()])


def _at_their_mailboxes(done: list[Done]) -> Iterable[Done]:
    """Of mail that was refused at another address that leads to mailboxes, each of them, with that address as the target."""
    refused = {one.deed.user for one in done if one.deed.kind == "refused"}
    behind = mailboxes_behind(refused) if refused else {}
    for one in done:
        deed = one.deed
        if deed.kind != "refused":
            yield one
            continue
        for mailbox in behind.get(deed.user, ()):
            written = deed.target or deed.user
            target = "" if without_detail(written) == mailbox else written
            yield replace(one, deed=replace(deed, user=mailbox, target=target))


def clear_events() -> int:
    """Forgets what is older than TIMELINE_DAYS; gives how many rows."""
    limit = timezone.now().date() - timedelta(days=settings.TIMELINE_DAYS)
    removed, _by_model = MailboxEvent.objects.filter(day__lt=limit).delete()
    return removed


def _key(one: Done) -> Key:
    deed = one.deed
    if deed.kind == "sent":  # an hour of each device and network
        session = f"sent-{deed.at:%H}-{one.protocol}-{one.app}-{one.network}"[:SESSION_MAX]
    else:
        session = f"{one.protocol}-{deed.at:%H}" if one.protocol in BY_THE_HOUR else deed.session[:SESSION_MAX]
    return deed.user, deed.at.date(), session, deed.kind, deed.folder, deed.target


def _values(key: Key, row: _Sum, devices: Mapping[tuple[int, str], str]) -> tuple[str | int | None, ...]:
    """What stands for the places of _ADD."""
    user, day, session, kind, folder, target = key
    moment = connection.ops.adapt_datetimefield_value
    device = devices.get((row.done.app, user), "") if row.done.app else ""
    who = row.done.protocol, row.done.program, device, row.done.network
    sums = moment(row.first_at), moment(row.last_at), row.count, row.size_bytes, row.done.reserve
    return connection.ops.adapt_datefield_value(day), session, kind, folder, target, *who, *sums, user
