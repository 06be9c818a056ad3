"""What POP3 programs have removed: it lies in a reserve that no program sees (deploy/dovecot/dovecot.conf) for some days, and can
be put back into the Inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import MailAccount
from webmail.errors import FolderGone, Refused
from webmail.imap.login import connect
from webmail.imap.space import open_folder, weigh
from webmail.services.access import endpoint_for
from webmail.sources.base import MailSource
from webmail.values import Credentials, FolderId, Ref, Role

RESERVE = FolderId(".reserve/INBOX")
AROUND = timedelta(minutes=2)
"""Messages that came into the reserve so near to a moment were removed by one session."""
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
    """The reserve of a hosted mailbox, or with `at` only what came into it around that moment. Raises MailError, and Refused
    for a mailbox on another server."""
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
    rows = [row for row in rows if at is None or abs(row.since - at) <= AROUND]
    refs = tuple(Ref(RESERVE, state.validity, str(row.uid)) for row in rows)
    return Reserve(refs, tuple(row.since for row in rows), tuple(row.size_bytes for row in rows))


def put_back(source: MailSource, refs: Sequence[Ref]) -> int:
    """Moves messages of the reserve into the Inbox; gives how many. Raises Refused for those of another folder."""
    if any(ref.folder != RESERVE for ref in refs):
        raise Refused("not of the reserve")
    inbox = next(folder for folder in source.folders() if folder.role is Role.INBOX)
    for start in range(0, len(refs), STEP):
        source.move(refs[start : start + STEP], inbox.id)
    return len(refs)
