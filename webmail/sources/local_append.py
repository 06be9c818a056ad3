"""Messages that are put into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC

from django.db import transaction
from django.utils import timezone

from accounts.models import MailAccount
from webmail.mime.headers import HEADER_LIMIT_BYTES
from webmail.mime.mbox import Kept
from webmail.models import LocalFolder, LocalMessage
from webmail.storage.blobs import Blobs
from webmail.storage.folders import note_changes
from webmail.storage.rows import describe, flag_fields, index_messages
from webmail.storage.threads import settle_threads


def store_all(
    account: MailAccount, blobs: Blobs, folder: LocalFolder, messages: Sequence[Kept]
) -> Sequence[LocalMessage]:
    """Stores messages in their order: the octets are on the disk before there is any row, and all rows are there or none.
    Raises OverQuota and ServerTrouble of the disk."""
    names = [hashlib.sha256(message.raw).hexdigest() for message in messages]
    for name, message in zip(names, messages, strict=True):
        blobs.write(name, message.raw)
    blobs.sync()
    rows = [_row(account, folder, name, message) for name, message in zip(names, messages, strict=True)]
    with transaction.atomic():
        settle_threads(account.pk, rows)
        LocalMessage.objects.bulk_create(rows)
        note_changes([folder.pk])
    index_messages(account.pk, rows)
    return rows


def _row(account: MailAccount, folder: LocalFolder, name: str, message: Kept) -> LocalMessage:
    arrived = message.received.astimezone(UTC) if message.received else timezone.now()
    fields = describe(message.raw[:HEADER_LIMIT_BYTES], size_bytes=len(message.raw), received=arrived)
    fields |= {"received": arrived, "date": fields["sent"] or arrived} | flag_fields(frozenset(message.flags))
    return LocalMessage(account=account, folder=folder, blob=name, size_bytes=len(message.raw), **fields)
