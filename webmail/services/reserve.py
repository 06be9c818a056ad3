"""What POP3 programs have removed: it lies in a reserve that no program sees (deploy/dovecot/dovecot.conf) for some days, and can
be put back into the Inbox."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from accounts.models import MailAccount, Mailbox, MailboxEvent
from accounts.provisioning import doveadm
from accounts.services.audit import Actor, record
from webmail.errors import FolderGone, Refused
from webmail.imap.login import connect
from webmail.imap.space import open_folder, weigh
from webmail.services.access import endpoint_for
from webmail.sources.base import MailSource
from webmail.values import Credentials, FolderId, Ref, Role

RESERVE = FolderId(doveadm.RESERVE)
AROUND = timedelta(minutes=2)
"""A session takes no longer than this to remove what it was told to."""
STEP = 1000


@dataclass(frozen=True, slots=True)
class Reserve:
    """What is in the reserve, the latest first, and when each message came into it."""

    refs: tuple[Ref, ...] = ()
    since: tuple[datetime, ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(self.sizes)

    @property
    def oldest(self) -> datetime | None:
        """When the one that has been there the longest came."""
        return min(self.since, default=None)


def reserve_of(account: MailAccount, credentials: Credentials, *, at: datetime | None = None) -> Reserve:
    """The reserve of a hosted mailbox, or with `at` only what the POP3 session removed that ended then. Raises MailError, and
    Refused for a mailbox on another server."""
    if not account.hosted:
        raise Refused("another server has no reserve")
    connection = connect(endpoint_for(account), credentials, ca_file=settings.MAIL_CA_FILE)
    try:
        state, uids = open_folder(connection, RESERVE)
        rows = sorted(weigh(connection, uids, senders=False), key=lambda row: row.since, reverse=True)
    except FolderGone:
        return Reserve()
    finally:
        connection.close()
    if at is not None:
        first, last = _session(account, at)
        rows = [row for row in rows if first <= row.since <= last]
    refs = tuple(Ref(RESERVE, state.validity, str(row.uid)) for row in rows)
    return Reserve(refs, tuple(row.since for row in rows), tuple(row.size_bytes for row in rows))


def _session(account: MailAccount, at: datetime) -> tuple[datetime, datetime]:
    """Between which moments the session that ended at `at` has removed messages: after the one before it, whose end is in the
    log. The reserve knows whole seconds."""
    taken = MailboxEvent.objects.filter(mailbox=account.mailbox_id, kind=MailboxEvent.Kind.TAKEN)
    before = taken.filter(last_at__lt=at, last_at__gt=at - AROUND).order_by("-last_at").first()
    first = before.last_at.replace(microsecond=0) + timedelta(seconds=1) if before else at - AROUND
    return first, at


def put_back(account: MailAccount, source: MailSource, found: Reserve, refs: Sequence[Ref], *, by: Actor) -> int:
    """Moves messages of the reserve into the Inbox, which the log of the mailbox says and its timeline shows; gives how many.
    Raises Refused for those that are not in `found`."""
    since = dict(zip(found.refs, found.since, strict=True))
    if any(ref not in since for ref in refs):
        raise Refused("not of the reserve")
    inbox = next(folder for folder in source.folders() if folder.role is Role.INBOX)
    for start in range(0, len(refs), STEP):
        source.move(refs[start : start + STEP], inbox.id)
    if refs and account.mailbox:
        _note_back(account.mailbox, [since[ref] for ref in refs])
        record(by=by, verb="mailbox.reserve", thing=account.mailbox, after={"messages": len(refs)})
    return len(refs)


def taken_by(mailbox: Mailbox, moments: Sequence[datetime]) -> list[MailboxEvent | None]:
    """For each of these moments in which a message came into the reserve, the POP3 session that removed it: the first that ended
    then or soon after; None where the log tells of none."""
    if not moments:
        return []
    ended = MailboxEvent.objects.filter(mailbox=mailbox, kind=MailboxEvent.Kind.TAKEN, protocol="pop3")
    events = list(ended.filter(last_at__gte=min(moments), last_at__lte=max(moments) + AROUND).order_by("last_at"))
    times = [event.last_at for event in events]
    found: list[MailboxEvent | None] = []
    for moment in moments:
        place = bisect_left(times, moment.replace(microsecond=0))
        near = place < len(times) and times[place] - moment <= AROUND
        found.append(events[place] if near else None)
    return found


@dataclass(slots=True)
class Session:
    """What one POP3 session removed: when it ended (None: the log does not tell), and how much of it is in the reserve."""

    at: datetime | None
    messages: int = 0
    size_bytes: int = 0


def sessions_of(mailbox: Mailbox, found: Reserve) -> list[Session]:
    """The sessions of which something is in the reserve, the latest first."""
    sessions: dict[int | None, Session] = {}
    for event, size in zip(taken_by(mailbox, found.since), found.sizes, strict=True):
        one = sessions.setdefault(event.pk if event else None, Session(event.last_at if event else None))
        one.messages += 1
        one.size_bytes += size
    return list(sessions.values())


def _note_back(mailbox: Mailbox, moments: Sequence[datetime]) -> None:
    """Adds to the sessions that removed them how many messages are back."""
    counts = Counter(event.pk for event in taken_by(mailbox, moments) if event)
    for key, count in counts.items():
        MailboxEvent.objects.filter(pk=key).update(back=F("back") + count)
