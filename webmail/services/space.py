"""What takes the space of a mailbox: by folder, year, size and sender, the biggest messages, and what could go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nlargest

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from accounts.models import MailAccount
from accounts.usage.shares import CLASSES
from webmail.errors import FolderGone, FolderRenewed, Refused
from webmail.imap.connection import Connection
from webmail.imap.login import connect
from webmail.imap.space import Weighed, open_folder, weigh
from webmail.models import LocalFolder, LocalMessage
from webmail.services.access import endpoint_for
from webmail.sources.base import MailSource
from webmail.sources.local_rows import VALIDITY, folder_id_of
from webmail.values import Credentials, Folder, FolderId, Ref, Role, Summary

FRESH_S = 600
WEIGHED_MAX = 200_000
"""No more messages than this are looked at; the rest is told as not looked at."""
SENDERS_MAX = 20_000
"""Of so many messages, the newest of each folder first, the sender is asked for: it costs five times the rest."""
BIGGEST, SENDERS = 20, 15
SIZE_CLASSES = CLASSES
TIDIED = (Role.TRASH, Role.JUNK)
TIDY_DAYS = (0, 7, 30, 90)
STEP = 1000
"""So many messages are deleted at once (clearing.py)."""


@dataclass(slots=True)
class Share:
    """So many messages and bytes."""

    messages: int = 0
    size_bytes: int = 0

    def add(self, size_bytes: int) -> None:
        self.messages += 1
        self.size_bytes += size_bytes


@dataclass(frozen=True, slots=True)
class Tidy:
    """What has been in the Trash or among the junk for longer than so many days."""

    folder: FolderId
    role: str
    days: int
    share: Share


@dataclass(slots=True)
class Space:
    """The whole of it, shares by key, the largest first. `left_out` messages were not looked at; senders are those of
    `sender_messages` messages."""

    at: datetime
    total: Share = field(default_factory=Share)
    folders: list[tuple[FolderId, str, Share]] = field(default_factory=list)
    years: list[tuple[int, Share]] = field(default_factory=list)
    classes: list[Share] = field(default_factory=lambda: [Share() for _number in range(len(SIZE_CLASSES) + 1)])
    senders: list[tuple[str, Share]] = field(default_factory=list)
    sender_messages: int = 0
    biggest: list[Ref] = field(default_factory=list)
    tidies: list[Tidy] = field(default_factory=list)
    left_out: int = 0

    def percent(self, share: Share) -> int:
        """A share of all, in percent."""
        return share.size_bytes * 100 // self.total.size_bytes if self.total.size_bytes else 0


def space_of(account: MailAccount, folders: Iterable[Folder], credentials: Credentials, *, anew: bool = False) -> Space:
    """What takes the space, as it was ten minutes ago at most; `anew` looks now. Raises MailError."""
    key = _key(account)
    known: Space | None = None if anew else cache.get(key)
    if known is None:
        known = _look(account, folders, credentials)
        cache.set(key, known, FRESH_S)
    return known


def forget(account: MailAccount) -> None:
    """What was found is looked for anew the next time: something was deleted."""
    cache.delete(_key(account))


def _key(account: MailAccount) -> str:
    return f"space:{account.pk}:{account.mode}"


def biggest_messages(source: MailSource, space: Space) -> list[Summary]:
    """The rows of the biggest messages, the biggest first; those that are gone are left out."""
    rows: list[Summary] = []
    by_folder: dict[FolderId, list[Ref]] = defaultdict(list)
    for ref in space.biggest:
        by_folder[ref.folder].append(ref)
    for refs in by_folder.values():
        try:
            rows += source.summaries(refs)
        except (FolderGone, FolderRenewed):
            continue
    return sorted(rows, key=lambda row: -row.size_bytes)


def tidied(account: MailAccount, folder: Folder, credentials: Credentials, *, days: int) -> tuple[list[Ref], Share]:
    """What has been in the Trash or among the junk for longer than so many days, as it is now, the oldest first, and its
    share. Raises Refused for another folder, and MailError."""
    if folder.role not in TIDIED or days not in TIDY_DAYS or (account.downloads and days):
        raise Refused("not a folder that is tidied")
    if account.downloads:
        found = read_store(account, folder.id, room=WEIGHED_MAX)
        return _refs(folder.id, found), _share(found.seen)
    connection = connect(endpoint_for(account), credentials, ca_file=settings.MAIL_CA_FILE)
    try:
        state, uids = open_folder(connection, folder.id)
        limit = timezone.now() - timedelta(days=days)
        old = [one for one in weigh(connection, uids, senders=False) if one.since < limit]
    finally:
        connection.close()
    return _refs(folder.id, Read(state.validity, len(uids), 0, old)), _share(old)


def _refs(folder: FolderId, found: Read) -> list[Ref]:
    return [Ref(folder, found.validity, str(one.uid)) for one in sorted(found.seen, key=lambda one: one.uid)]


def _share(seen: list[Weighed]) -> Share:
    return Share(len(seen), sum(one.size_bytes for one in seen))


@dataclass(frozen=True, slots=True)
class Read:
    """What a folder holds: `number` messages, of which `seen` were looked at, the newest first, and of `asked` the sender too."""

    validity: int
    number: int
    asked: int
    seen: list[Weighed]


Reader = Callable[[Folder, int, int], Read]
"""Reads a folder: no more than so many messages, and no more than so many senders. Raises FolderGone."""


def _look(account: MailAccount, folders: Iterable[Folder], credentials: Credentials) -> Space:
    folders = [folder for folder in folders if folder.selectable]
    if account.downloads:
        return _weigh_all(lambda folder, room, _senders: read_store(account, folder.id, room=room), folders, aged=False)
    connection = connect(endpoint_for(account), credentials, ca_file=settings.MAIL_CA_FILE)
    try:
        return _weigh_all(lambda folder, room, senders: _read_imap(connection, folder, room, senders), folders)
    finally:
        connection.close()


def _read_imap(connection: Connection, folder: Folder, room: int, senders: int) -> Read:
    state, uids = open_folder(connection, folder.id)
    asked, rest = uids[:senders], uids[senders:room]
    seen = [*weigh(connection, asked[:room], senders=True), *weigh(connection, rest, senders=False)]
    return Read(state.validity, len(uids), len(asked), seen)


def read_store(account: MailAccount, folder: FolderId, *, room: int) -> Read:
    """A folder of mail that lives here. Since when a message is in it is not known: when it was received counts. Raises
    FolderGone."""
    keys = {folder_id_of(row): row.pk for row in LocalFolder.objects.filter(account=account)}
    if folder not in keys:
        raise FolderGone("no such folder")
    rows = LocalMessage.objects.filter(account=account, folder=keys[folder])
    found = rows.order_by("-pk").values_list("pk", "size_bytes", "received", "sender")[:room]
    seen = [
        Weighed(pk, size, received, received, str(sender[0][1]).lower() if sender else "")
        for pk, size, received, sender in found.iterator(2000)
    ]
    return Read(VALIDITY, rows.count(), len(seen), seen)


def _weigh_all(read: Reader, folders: list[Folder], *, aged: bool = True) -> Space:
    """`aged`: whether it is known since when messages are in their folders."""
    now = timezone.now()
    space, years, senders = Space(now), defaultdict[int, Share](Share), defaultdict[str, Share](Share)
    heaviest: list[tuple[int, Ref]] = []
    for folder in folders:
        room = max(0, WEIGHED_MAX - space.total.messages)
        try:
            found = read(folder, room, max(0, SENDERS_MAX - space.sender_messages))
        except FolderGone:
            continue
        space.left_out += max(0, found.number - room)
        space.sender_messages += found.asked
        share = Share()
        for one in found.seen:
            share.add(one.size_bytes)
            space.total.add(one.size_bytes)
            years[one.received.year].add(one.size_bytes)
            space.classes[sum(one.size_bytes >= bound for bound in SIZE_CLASSES)].add(one.size_bytes)
            if one.sender:
                senders[one.sender].add(one.size_bytes)
        top = nlargest(BIGGEST, found.seen, key=lambda one: one.size_bytes)
        heaviest += [(one.size_bytes, Ref(folder.id, found.validity, str(one.uid))) for one in top]
        space.folders.append((folder.id, folder.name, share))
        space.tidies += _tidies(folder, found.seen, now, TIDY_DAYS if aged else TIDY_DAYS[:1])
    space.folders.sort(key=lambda row: -row[2].size_bytes)
    space.years = sorted(years.items(), reverse=True)
    space.senders = nlargest(SENDERS, senders.items(), key=lambda row: row[1].size_bytes)
    space.biggest = [ref for _size, ref in nlargest(BIGGEST, heaviest, key=lambda row: row[0])]
    return space


def _tidies(folder: Folder, seen: list[Weighed], now: datetime, choices: Iterable[int]) -> list[Tidy]:
    if folder.role not in TIDIED:
        return []
    found = []
    for days in choices:
        old = [one for one in seen if one.since < now - timedelta(days=days)]
        found.append(Tidy(folder.id, str(folder.role), days, _share(old)))
    return found
