"""Weighing mailboxes for whoever runs them: how much, by folder, year, size and the domain that sent it, and how big the biggest
messages are. Of a sender no more than the domain is kept; subjects are not asked for."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from heapq import heappush, heappushpop
from typing import cast

from django.conf import settings

from accounts.models import Domain, MailAccount, Mailbox
from accounts.services.usage.shares import (
    claim_shares,
    due_shares,
    give_up_shares,
    keep_shares,
    sum_domains,
    tell_shares,
)
from accounts.usage.shares import BIGGEST, KINDS, Big, Part, Shares
from webmail.errors import FolderGone, LoginRefused, MailError, Unreachable
from webmail.imap.connection import Connection
from webmail.imap.folders import list_folders
from webmail.imap.login import connect
from webmail.imap.space import Weighed, open_folder, weigh
from webmail.services.access import chosen_roles
from webmail.services.reserve import RESERVE
from webmail.services.space import SENDERS_MAX, WEIGHED_MAX
from webmail.values import Credentials, Endpoint, Folder, FolderId, Role, Tls

ROUND_S = 60.0
"""So long a round goes on; what is left is the next one's."""
AT_ONCE = 500
TELL_EVERY_S = 1.0
OWN_KINDS = frozenset({"sent", "drafts"})
"""Folders of what the owner writes: nobody sent that here."""
_HOST = re.compile(r"[\w.-]{1,253}")
Tell = Callable[[int, int], None]

log = logging.getLogger(__name__)


def weigh_due(*, limit_s: float = ROUND_S) -> int:
    """Weighs the mailboxes that are due until the time is up, and adds up their domains; gives how many. A server that does not
    answer ends the round."""
    until, domains, done = time.monotonic() + limit_s, set(), 0
    for mailbox in due_shares(most=AT_ONCE):
        if time.monotonic() > until:
            break
        if not claim_shares(mailbox):
            continue
        try:
            weigh_mailbox(mailbox)
        except Unreachable:
            give_up_shares(mailbox, "unreachable", tried=False)
            break
        except MailError as error:
            log.info("weighing mailbox %s: %s", mailbox.pk, type(error).__name__)
            give_up_shares(mailbox, "login" if isinstance(error, LoginRefused) else "refused")
            continue
        domains.add(mailbox.domain_id)
        done += 1
    sum_domains(domains)
    return done


def weigh_mailbox(mailbox: Mailbox) -> None:
    """Weighs one mailbox, which the caller has claimed, and keeps what was found. Raises MailError."""
    endpoint = Endpoint(settings.IMAP_HOST, settings.IMAP_PORT, cast(Tls, settings.IMAP_TLS))
    login = f"{mailbox.address}*{settings.MAIL_MASTER_USER}"
    connection = connect(endpoint, Credentials(login, settings.MAIL_MASTER_PASSWORD), ca_file=settings.MAIL_CA_FILE)
    account = MailAccount.objects.filter(mailbox=mailbox).first()
    try:
        folders = list_folders(connection, subscribed_only=False, chosen=chosen_roles(account) if account else None)
        own = set(Domain.objects.filter(customer=mailbox.domain.customer_id).values_list("name", flat=True))
        shares = _weigh_all(connection, folders, own, lambda done, of: tell_shares(mailbox, done=done, expected=of))
        reserve_bytes = _weigh_reserve(connection)
    finally:
        connection.close()
    keep_shares(mailbox, shares, reserve_bytes=reserve_bytes)


def _weigh_all(connection: Connection, folders: list[Folder], own: set[str], tell: Tell) -> Shares:
    """`own` are the customer's domains: who writes to whom inside it is not counted."""
    shares, by_id = Shares(), {folder.id: folder for folder in folders}
    expected, told = sum(folder.total or 0 for folder in folders), time.monotonic()
    biggest: list[Big] = []
    for folder in folders:
        if not folder.selectable or folder.role is Role.ALL:
            continue
        try:
            _state, uids = open_folder(connection, folder.id)
        except FolderGone:
            continue
        room = max(0, WEIGHED_MAX - shares.total.messages)
        shares.left_out += max(0, len(uids) - room)
        kind, before = kind_of(folder, by_id), Part(shares.total.messages, shares.total.size_bytes)
        senders = 0 if kind in OWN_KINDS else max(0, SENDERS_MAX - shares.asked)
        for one, asked in _weigh_some(connection, uids[:room], senders):
            shares.count(kind, one.received.year, one.size_bytes)
            if asked:
                shares.count_sender(sending_domain(one.sender, own), one.size_bytes, bulk=one.bulk)
            big = Big(one.size_bytes, one.received.date().isoformat(), kind)
            if len(biggest) < BIGGEST:
                heappush(biggest, big)
            elif big > biggest[0]:
                heappushpop(biggest, big)
            if time.monotonic() - told >= TELL_EVERY_S:
                told = time.monotonic()
                tell(shares.total.messages, expected)
        part = Part(shares.total.messages - before.messages, shares.total.size_bytes - before.size_bytes)
        if part.messages:
            shares.folders.append((folder.path, kind if folder.role is not Role.NONE else "", part))
    shares.biggest = sorted(biggest, reverse=True)
    return shares


def _weigh_some(connection: Connection, uids: list[int], senders: int) -> Iterator[tuple[Weighed, bool]]:
    """Messages of a folder, so many of the newest with their sender, and whether that was asked for."""
    for asked, some in ((True, uids[:senders]), (False, uids[senders:])):
        for one in weigh(connection, some, senders=asked, lists=asked):
            yield one, asked


def sending_domain(address: str, own: set[str]) -> str:
    """The domain of a sender's address, "" for none, and for one of the customer's own or below it."""
    host = address.rpartition("@")[2].strip(".").lower()
    if "." not in host or not _HOST.fullmatch(host):
        return ""
    return "" if any(host == name or host.endswith(f".{name}") for name in own) else host


def _weigh_reserve(connection: Connection) -> int:
    """What POP3 programs removed and can still be put back, in bytes."""
    try:
        _state, uids = open_folder(connection, RESERVE)
    except FolderGone:
        return 0
    return sum(one.size_bytes for one in weigh(connection, uids, senders=False))


def kind_of(folder: Folder, by_id: dict[FolderId, Folder]) -> str:
    """For what a folder is: what it or the nearest one above it is for, "other" for a person's own. Folders below the Inbox are
    one's own."""
    seen: Folder | None = folder
    while seen is not None:
        if seen.role is Role.INBOX and seen is not folder:
            break
        if seen.role.value in KINDS:
            return seen.role.value
        seen = by_id.get(seen.parent) if seen.parent else None
    return "other"
