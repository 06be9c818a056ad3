"""Putting back what POP3 programs have removed: as much as the mailbox has room for, the rest stays in the reserve; and who
did it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.models import MailAccount, Mailbox, MailboxEvent
from accounts.services.audit import Actor, record
from webmail.errors import OverQuota, Refused
from webmail.imap.changes import move_messages
from webmail.imap.login import connect
from webmail.imap.space import open_folder
from webmail.services.access import endpoint_for
from webmail.services.reserve import RESERVE, Reserve, taken_by
from webmail.sources.base import MailSource
from webmail.values import Credentials, FolderId, Ref, Role

STEP = 250
"""So many at once are one command, whatever their numbers: it is done or not."""
KIB = 1024
"""Servers tell quotas in so many bytes (RFC 2087), rounded."""


@dataclass(frozen=True, slots=True)
class Back:
    """So many messages are in the Inbox again. `left` had no room: they stay in the reserve, take `left_bytes`, and the
    mailbox has room for `room_bytes` (None: its server does not say)."""

    messages: int
    left: int = 0
    left_bytes: int = 0
    room_bytes: int | None = None


def put_back(
    account: MailAccount,
    source: MailSource,
    found: Reserve,
    refs: Sequence[Ref],
    *,
    by: Actor,
    credentials: Credentials,
) -> Back:
    """Moves messages of the reserve into the Inbox, the first first and those that fit, which the log of the mailbox says and its
    timeline shows. Raises MailError, and Refused for those that are not in `found`; what was moved by then is noted."""
    sizes = dict(zip(found.refs, found.sizes, strict=True))
    if any(ref not in sizes for ref in refs):
        raise Refused("not of the reserve")
    inbox = next(folder for folder in source.folders() if folder.role is Role.INBOX)
    moved: set[Ref] = set()
    room = found.room_bytes
    try:
        if not _move(lambda some: source.move(some, inbox.id), sizes, refs, moved, room):
            room = _move_anew(account, credentials, inbox.id, sizes, refs, moved, room)
    finally:
        if moved and account.mailbox:
            _note(account, account.mailbox, found, moved, by=by)
    left = [sizes[ref] for ref in refs if ref not in moved]
    if room is not None:
        room = max(0, room - sum(sizes[ref] for ref in moved))
    return Back(len(moved), len(left), sum(left), room)


def _move_anew(
    account: MailAccount,
    credentials: Credentials,
    inbox: FolderId,
    sizes: Mapping[Ref, int],
    refs: Sequence[Ref],
    moved: set[Ref],
    room: int | None,
) -> int | None:
    """Tries again what the server had no room for, on a connection of its own: Dovecot 2.3 goes by the quota that was when a
    session began, and it may have been raised. Gives how much room there is; None where that is not known."""
    if room is None:
        return None
    connection = connect(endpoint_for(account), credentials, ca_file=settings.MAIL_CA_FILE)
    try:
        state, _uids = open_folder(connection, RESERVE)

        def move(some: list[Ref]) -> None:
            uids = [int(ref.id) for ref in some if ref.validity == state.validity]
            move_messages(connection, uids, inbox)

        for spare in (0, KIB):
            if _move(move, sizes, refs, moved, room - spare):
                return room - spare
    finally:
        connection.close()
    return None  # somebody else has filled it meanwhile


def _move(
    move: Callable[[list[Ref]], object],
    sizes: Mapping[Ref, int],
    refs: Sequence[Ref],
    moved: set[Ref],
    room: int | None,
) -> bool:
    """Moves those for which there is room and that are not `moved`, and adds them to these; whether the server had it too."""
    left = room - sum(sizes[ref] for ref in moved) if room is not None else None
    fitting = []
    for ref in refs:
        if ref not in moved and (left is None or sizes[ref] <= left):
            fitting.append(ref)
            left = left - sizes[ref] if left is not None else None
    try:
        for start in range(0, len(fitting), STEP):
            some = fitting[start : start + STEP]
            move(some)  # all of them or, where they do not fit, none
            moved.update(some)
    except OverQuota:
        return False
    return True


def _note(account: MailAccount, mailbox: Mailbox, found: Reserve, moved: set[Ref], *, by: Actor) -> None:
    """Says of the sessions that removed them how many are back, and in the timeline and the log of the mailbox who did it."""
    run = by.person is None or by.person.pk != account.owner_id
    events = zip(found.refs, taken_by(mailbox.pk, found), strict=True)
    counts = Counter(event.pk for ref, event in events if event and ref in moved)
    for key, count in counts.items():
        changes = {"back": F("back") + count} | ({"back_run": F("back_run") + count} if run else {})
        MailboxEvent.objects.filter(pk=key).update(**changes)
    now = timezone.now()
    MailboxEvent.objects.create(
        mailbox=mailbox,
        day=now.date(),
        session=f"back-{secrets.token_hex(8)}",
        kind=MailboxEvent.Kind.BACK,
        folder=RESERVE,
        target="INBOX",
        protocol="web",
        first_at=now,
        last_at=now,
        count=len(moved),
        back_run=len(moved) if run else 0,
        size_bytes=sum(size for ref, size in zip(found.refs, found.sizes, strict=True) if ref in moved),
    )
    record(by=by, verb="mailbox.reserve", thing=mailbox, after={"messages": len(moved)})
