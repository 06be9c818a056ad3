"""Weighing mailboxes for whoever runs them: how much, by folder, year and size. Senders and subjects are not asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import cast

from django.conf import settings

from accounts.models import MailAccount, Mailbox
from accounts.services.usage.shares import (
    claim_shares,
    due_shares,
    give_up_shares,
    keep_shares,
    sum_domains,
    tell_shares,
)
from accounts.usage.shares import KINDS, Part, Shares
from webmail.errors import FolderGone, LoginRefused, MailError, Unreachable
from webmail.imap.connection import Connection
from webmail.imap.folders import list_folders
from webmail.imap.login import connect
from webmail.imap.space import open_folder, weigh
from webmail.services.access import chosen_roles
from webmail.services.reserve import RESERVE
from webmail.services.space import WEIGHED_MAX
from webmail.values import Credentials, Endpoint, Folder, FolderId, Role, Tls

ROUND_S = 60.0
"""So long a round goes on; what is left is the next one's."""
AT_ONCE = 500
TELL_EVERY_S = 1.0
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
        shares = _weigh_all(connection, folders, lambda done, of: tell_shares(mailbox, done=done, expected=of))
        reserve_bytes = _weigh_reserve(connection)
    finally:
        connection.close()
    keep_shares(mailbox, shares, reserve_bytes=reserve_bytes)


def _weigh_all(connection: Connection, folders: list[Folder], tell: Tell) -> Shares:
    shares, by_id = Shares(), {folder.id: folder for folder in folders}
    expected, told = sum(folder.total or 0 for folder in folders), time.monotonic()
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
        for one in weigh(connection, uids[:room], senders=False):
            shares.count(kind, one.received.year, one.size_bytes)
            if time.monotonic() - told >= TELL_EVERY_S:
                told = time.monotonic()
                tell(shares.total.messages, expected)
        part = Part(shares.total.messages - before.messages, shares.total.size_bytes - before.size_bytes)
        if part.messages:
            shares.folders.append((folder.path, kind if folder.role is not Role.NONE else "", part))
    return shares


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
