"""IMAP to download: every folder comes here with flags and dates, is compared, and then the account lives here.

What POP3 lists afterwards is recognised by its content (`storing.py`), so that the Inbox comes once; the other folders, which
POP3 does not show, leave the server by the same policy through `remove_copies`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from webmail.errors import Gone
from webmail.models import Download, LocalFolder, LocalMessage, Transfer, TransferItem, folder_octets, item_for
from webmail.services.downloads import Policy, start_download
from webmail.services.durable import durable
from webmail.services.transfer import Differs, Step, TransferLease, finished, secret_of
from webmail.sources.base import MailSource
from webmail.storage.blobs import Blobs
from webmail.storage.folders import ensure_folders, note_changes
from webmail.storage.rows import HEAD_BYTES, describe, flag_fields, index_pending
from webmail.storage.threads import settle_threads
from webmail.values import Folder, FolderId, PartNumber, Query, Ref, Role, Summary

BATCH = 50
BATCH_BYTES = 32 * 1024 * 1024
ROUNDS = 20
"""So often is looked again for what arrived in the meantime, before it is said that the mailbox does not come to rest."""
WHOLE = PartNumber("")


@dataclass(slots=True)
class ToDownload:
    """The work on one transfer; `live` is the mailbox on its server."""

    transfer: Transfer
    lease: TransferLease
    live: MailSource
    blobs: Blobs = field(init=False)
    _places: dict[FolderId, LocalFolder] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.transfer.account_id)

    def run(self) -> None:
        """Copies until nothing is new, compares everything, switches. Raises MailError, LeaseLost and Stopped."""
        self.lease.hold(step=Step.COPYING, problem="", detail="")
        for _round in range(ROUNDS):
            if not self._copy_all():
                break
        else:
            raise Differs("mail goes on arriving faster than it can be copied")
        self.lease.hold(step=Step.COMPARING)
        self._compare_all()
        self._switch()
        index_pending(self.transfer.account_id)

    # --- copying ----------------------------------------------------------------------------------------------------

    def _copy_all(self) -> int:
        """One round through all folders; gives how many messages were new."""
        folders = [folder for folder in self.live.folders() if folder.selectable]
        self.lease.hold(total=sum(folder.total or 0 for folder in folders))
        return sum(self._copy_folder(folder) for folder in folders)

    def _copy_folder(self, folder: Folder) -> int:
        self.lease.hold(folder="/".join(folder.path)[:400])
        here = self._place(folder)
        known = self._known(folder)
        missing = [
            ref for ref in self.live.refs(folder.id, Query(descending=False)) if (ref.validity, ref.id) not in known
        ]
        for at in range(0, len(missing), BATCH):
            self._copy_batch(here, missing[at : at + BATCH])
        return len(missing)

    def _known(self, folder: Folder) -> set[tuple[int, str]]:
        items = TransferItem.objects.filter(transfer=self.transfer, folder=folder_octets(folder.id))
        return set(items.values_list("validity", "uid"))

    def _place(self, folder: Folder) -> LocalFolder:
        """The folder here of one on the server: by what it is for, else by its names; made where it is missing."""
        if folder.id not in self._places:
            special = ensure_folders(self.transfer.account).get(folder.role) if folder.role is not Role.NONE else None
            self._places[folder.id] = special or self._by_names(folder)
        return self._places[folder.id]

    def _by_names(self, folder: Folder) -> LocalFolder:
        account, at = self.transfer.account, None
        names = list(folder.path)
        inbox = ensure_folders(account)[Role.INBOX]
        if len(names) > 1 and folder.parent and str(folder.parent).upper() == "INBOX":
            at, names = inbox, names[1:] if names[0].upper() == "INBOX" else names
        for name in names:
            at, _made = LocalFolder.objects.get_or_create(
                account=account, parent=at, name=name[:200], defaults={"subscribed": folder.subscribed}
            )
        assert at is not None
        return at

    def _copy_batch(self, here: LocalFolder, refs: Sequence[Ref]) -> None:
        """Fetches, syncs, and writes down a batch; what went away meanwhile is left out."""
        rows: list[tuple[Summary, str, dict[str, object]]] = []
        size = 0
        for row in self.live.summaries(refs):
            try:
                blob, head = self._fetch(row.ref)
            except Gone:
                continue
            fields = describe(head, size_bytes=row.size_bytes, received=row.received)
            fields |= {"received": row.received, "date": fields["sent"] or row.received} | flag_fields(row.flags)
            rows.append((row, blob, fields))
            size += row.size_bytes
            if size > BATCH_BYTES:
                self._write(here, rows)
                rows, size = [], 0
            self.lease.beat()
        self._write(here, rows)

    def _fetch(self, ref: Ref) -> tuple[str, bytes]:
        """The octets of a message into the store, not synced yet; gives their hash and their beginning."""
        digest, head = hashlib.sha256(), b""
        with tempfile.NamedTemporaryFile(dir=self.blobs.spool, prefix="copy-", delete=False) as file:
            path = Path(file.name)
            try:
                for piece in self.live.part(ref, WHOLE):
                    digest.update(piece)
                    file.write(piece)
                    head += piece if len(head) < HEAD_BYTES else b""
                    self.lease.beat()
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        self.blobs.adopt(digest.hexdigest(), path)
        return digest.hexdigest(), head

    def _write(self, here: LocalFolder, rows: list[tuple[Summary, str, dict[str, object]]]) -> None:
        if not rows:
            return
        self.blobs.sync()
        with durable():
            self.lease.hold(
                done=F("done") + len(rows), bytes_done=F("bytes_done") + sum(row.size_bytes for row, _b, _f in rows)
            )
            spare = self._spare(here, [blob for _row, blob, _fields in rows])
            messages = [
                spare.pop(blob)
                if blob in spare
                else LocalMessage(
                    account=self.transfer.account, folder=here, blob=blob, size_bytes=row.size_bytes, **fields
                )
                for row, blob, fields in rows
            ]
            fresh = [message for message in messages if message.pk is None]
            note_changes([here.pk])
            settle_threads(self.transfer.account_id, fresh)
            LocalMessage.objects.bulk_create(fresh)
            TransferItem.objects.bulk_create(
                item_for(self.transfer, row.ref, message=message, size_bytes=row.size_bytes)
                for (row, _blob, _fields), message in zip(rows, messages, strict=True)
            )

    def _spare(self, here: LocalFolder, blobs: list[str]) -> dict[str, LocalMessage]:
        """Messages that are in this folder here from an earlier time, and that no item of this transfer stands for."""
        mapped = TransferItem.objects.filter(transfer=self.transfer).values("message")
        found = LocalMessage.objects.filter(folder=here, blob__in=blobs).exclude(pk__in=mapped)
        return {message.blob: message for message in found}

    # --- comparing --------------------------------------------------------------------------------------------------

    def _compare_all(self) -> None:
        """Every copy against its original: there, of the same size, with the same flags; and its octets on the disk against
        their hash. Raises Differs. What is gone from the server since goes here too."""
        for folder in [folder for folder in self.live.folders() if folder.selectable]:
            self.lease.hold(folder="/".join(folder.path)[:400])
            refs = self.live.refs(folder.id, Query(descending=False))
            items = self._items(folder)
            gone = [item.pk for key, item in items.items() if key not in {(ref.validity, ref.id) for ref in refs}]
            self._drop(gone)
            for at in range(0, len(refs), BATCH):
                self._compare(refs[at : at + BATCH], items)

    def _items(self, folder: Folder) -> dict[tuple[int, str], TransferItem]:
        items = TransferItem.objects.filter(transfer=self.transfer, folder=folder_octets(folder.id))
        return {(item.validity, item.uid): item for item in items.select_related("message")}

    def _drop(self, pks: list[int]) -> None:
        for at in range(0, len(pks), 500):
            items = TransferItem.objects.filter(pk__in=pks[at : at + 500])
            gone = LocalMessage.objects.filter(pk__in=list(items.values_list("message", flat=True)))
            note_changes(gone.values_list("folder", flat=True))
            gone.delete()
            items.delete()

    def _compare(self, refs: Sequence[Ref], items: dict[tuple[int, str], TransferItem]) -> None:
        done = []
        for row in self.live.summaries(refs):
            item = items.get((row.ref.validity, row.ref.id))
            if item is None or item.message is None:
                raise Differs("a message was not copied")
            if row.size_bytes != item.message.size_bytes or not self.blobs.verify(item.message.blob):
                raise Differs("a copy is not what the original is")
            flags = flag_fields(row.flags)
            if any(getattr(item.message, name) != value for name, value in flags.items()):
                LocalMessage.objects.filter(pk=item.message.pk).update(**flags)
                note_changes([item.message.folder_id])
            done.append(item.pk)
            self.lease.beat()
        TransferItem.objects.filter(pk__in=done).update(verified=True)

    # --- switching --------------------------------------------------------------------------------------------------

    def _switch(self) -> None:
        """From here on the account lives here: everything at once, or nothing."""
        with transaction.atomic():
            self.lease.hold()
            start_download(
                account=self.transfer.account,
                policy=Policy(**self.transfer.policy),
                secret=secret_of(self.transfer) or "",
            )
            self.lease.release(**finished(self.transfer))


def remove_copies(transfer: Transfer, live: MailSource, *, now: datetime | None = None) -> int:
    """Takes off the server what the policy says of the folders that POP3 does not show: only what was verified, is on the disk
    here, and still is what it was there. Gives how many; the transfer is `cleaned` once nothing is left."""
    now = now or timezone.now()
    policy = Policy(**transfer.policy)
    if policy.keep == Download.Keep.ALWAYS or transfer.ended is None:
        return 0
    days = policy.keep_days if policy.keep == Download.Keep.DAYS else 0
    if transfer.ended + timedelta(days=days) > now:
        return 0
    blobs, removed = Blobs(transfer.account_id), 0
    for items in _by_folder(transfer):
        try:
            there = set(live.refs(items[0].ref.folder, Query()))
        except Gone:
            there = set()
        sure = [item for item in items if item.ref in there and (item.message is None or blobs.has(item.message.blob))]
        if sure:
            live.delete([item.ref for item in sure])
        TransferItem.objects.filter(pk__in=[item.pk for item in items]).update(removed=True)
        removed += len(sure)
    Transfer.objects.filter(pk=transfer.pk).update(cleaned=True)
    return removed


def _by_folder(transfer: Transfer) -> Iterator[list[TransferItem]]:
    """The items that are still on the server, a folder at a time; the Inbox is the pulls' business."""
    items = TransferItem.objects.filter(transfer=transfer, verified=True, removed=False).select_related("message")
    folders = {bytes(octets) for octets in items.order_by().values_list("folder", flat=True).distinct()}
    for octets in sorted(folders):
        if octets.upper() != b"INBOX":
            group = list(items.filter(folder=octets))
            for at in range(0, len(group), 500):
                yield group[at : at + 500]
