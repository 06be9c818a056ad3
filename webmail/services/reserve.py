"""What POP3 programs have removed: it lies in a reserve that no program sees (deploy/dovecot/dovecot.conf) for some days; and
which session removed what."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import MailAccount, Mailbox, MailboxEvent
from accounts.provisioning import doveadm
from webmail.errors import FolderGone, Refused
from webmail.imap.login import connect
from webmail.imap.quota import read_quota
from webmail.imap.space import open_folder, weigh
from webmail.services.access import endpoint_for
from webmail.values import Credentials, FolderId, Ref

RESERVE = FolderId(doveadm.RESERVE)
AROUND = timedelta(minutes=2)
"""A session takes no longer than this to remove what it was told to, where no numbers tell which it was."""
LONGEST = timedelta(hours=1)
"""And no longer than this in any case: an older message under the same number is one of a reserve that was made anew."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """What is in the reserve, the latest first, and when each message came into it; `room_bytes` is how much goes into the
    mailbox (None: nothing says it, or nothing limits it)."""

    refs: tuple[Ref, ...] = ()
    since: tuple[datetime, ...] = ()
    sizes: tuple[int, ...] = ()
    room_bytes: int | None = None

    @property
    def size_bytes(self) -> int:
        return sum(self.sizes)

    @property
    def oldest(self) -> datetime | None:
        """When the one that has been there the longest came."""
        return min(self.since, default=None)


def reserve_of(account: MailAccount, credentials: Credentials, *, sessions: Collection[int] | None = None) -> Reserve:
    """The reserve of a hosted mailbox, or only what these POP3 sessions removed (keys of their events). Raises MailError, and
    Refused for a mailbox on another server."""
    if not account.hosted:
        raise Refused("another server has no reserve")
    connection = connect(endpoint_for(account), credentials, ca_file=settings.MAIL_CA_FILE)
    try:
        state, uids = open_folder(connection, RESERVE)
        rows = sorted(weigh(connection, uids, senders=False), key=lambda row: row.since, reverse=True)
        quota = read_quota(connection) if connection.has("QUOTA") else None
    except FolderGone:
        return Reserve()
    finally:
        connection.close()
    refs = tuple(Ref(RESERVE, state.validity, str(row.uid)) for row in rows)
    room = max(0, quota.limit_bytes - quota.used_bytes) if quota and quota.limit_bytes is not None else None
    found = Reserve(refs, tuple(row.since for row in rows), tuple(row.size_bytes for row in rows), room)
    return found if sessions is None else _only(account, found, sessions)


def ended_at(account: MailAccount, at: datetime) -> list[int]:
    """The POP3 sessions that ended in this moment: more than one may."""
    return list(_taking(account.mailbox_id).filter(last_at=at).values_list("pk", flat=True))


def _only(account: MailAccount, found: Reserve, sessions: Collection[int]) -> Reserve:
    events = taken_by(account.mailbox_id, found)
    places = [place for place, event in enumerate(events) if event and event.pk in sessions]
    refs = tuple(found.refs[place] for place in places)
    since = tuple(found.since[place] for place in places)
    return Reserve(refs, since, tuple(found.sizes[place] for place in places), found.room_bytes)


def _taking(mailbox_id: int | None) -> QuerySet[MailboxEvent]:
    return MailboxEvent.objects.filter(mailbox=mailbox_id, kind=MailboxEvent.Kind.TAKEN, protocol="pop3")


def taken_by(mailbox_id: int | None, found: Reserve) -> list[MailboxEvent | None]:
    """For each message of the reserve the POP3 session that removed it; None where the log tells of none. The log says under
    which number each lies there; where it did not yet, it is the first session that ended then or soon after."""
    if not found.since:
        return []
    ended = _taking(mailbox_id).filter(last_at__gte=min(found.since), last_at__lte=max(found.since) + LONGEST)
    events = list(ended.order_by("last_at"))
    by_uid = {uid: event for event in events for uid in _numbers(event.reserve)}
    unnumbered = [event for event in events if not event.reserve]
    times = [event.last_at for event in unnumbered]
    taken: list[MailboxEvent | None] = []
    for ref, moment in zip(found.refs, found.since, strict=True):
        event = by_uid.get(int(ref.id))
        if event is None or not moment.replace(microsecond=0) <= event.last_at <= moment + LONGEST:
            place = bisect_left(times, moment.replace(microsecond=0))
            near = place < len(times) and times[place] - moment <= AROUND
            event = unnumbered[place] if near else None
        taken.append(event)
    return taken


def _numbers(written: str) -> Iterator[int]:
    """The numbers of "1:3,7"."""
    for part in filter(None, written.split(",")):
        first, _colon, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)


@dataclass(slots=True)
class Session:
    """What one POP3 session removed: the key of its event and when it ended (None: the log does not tell), and how much of it is
    in the reserve."""

    key: int | None
    at: datetime | None
    messages: int = 0
    size_bytes: int = 0


def sessions_of(mailbox: Mailbox, found: Reserve) -> list[Session]:
    """The sessions of which something is in the reserve, the latest first."""
    sessions: dict[int | None, Session] = {}
    for event, size in zip(taken_by(mailbox.pk, found), found.sizes, strict=True):
        key, at = (event.pk, event.last_at) if event else (None, None)
        one = sessions.setdefault(key, Session(key, at))
        one.messages += 1
        one.size_bytes += size
    return list(sessions.values())
