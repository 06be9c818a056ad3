"""Download to IMAP: the messages that live here are put back on the server, each once, and then the account is read there.

What the server still has is recognised (Message-ID and size find it, the hash of its octets decides) and moved or marked
instead of being put there again; only what is missing is appended, after the quota was asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from accounts.models import MailAccount
from webmail.errors import Gone, OverQuota
from webmail.models import Download, LocalFolder, LocalMessage, Transfer, TransferItem, item_for
from webmail.services.durable import durable
from webmail.services.organising import special_folder
from webmail.services.transfer import Altered, Differs, Step, TransferLease, finished
from webmail.sources.base import MailSource
from webmail.storage.blobs import Blobs
from webmail.storage.rows import flags_of
from webmail.values import Folder, FolderId, PartNumber, Query, Ref, Role, Summary

BATCH = 50
WHOLE = PartNumber("")
QUOTA_SPARE = 1.02
"""A server counts a little more than the octets of its messages."""
Key = tuple[str, int]
"""By what a message is looked for on the server: Message-ID and size."""


@dataclass(slots=True)
class ToImap:
    """The work on one transfer; `live` is the mailbox on its server."""

    transfer: Transfer
    lease: TransferLease
    live: MailSource
    blobs: Blobs = field(init=False)
    _there: dict[FolderId, dict[Key, list[Summary]]] = field(init=False, default_factory=dict)
    _taken: set[Ref] = field(init=False, default_factory=set)
    _inbox: Folder = field(init=False)

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.transfer.account_id)

    def run(self) -> None:
        """Puts everything there, compares, switches. Raises MailError, LeaseLost and Stopped."""
        self._inbox = next(folder for folder in self.live.folders() if folder.role is Role.INBOX)
        self._taken = {item.ref for item in TransferItem.objects.filter(transfer=self.transfer)}
        messages = LocalMessage.objects.filter(account=self.transfer.account)
        self.lease.hold(step=Step.COPYING, problem="", detail="", total=messages.count(), done=self._mapped().count())
        self._check_room()
        for row in LocalFolder.objects.filter(account=self.transfer.account).order_by("pk"):
            if row.role or row.messages.exists() or row.children.exists():
                self._copy_folder(row)
        self.lease.hold(step=Step.COMPARING)
        self._compare()
        self._switch()

    def _mapped(self) -> QuerySet[TransferItem]:
        return TransferItem.objects.filter(transfer=self.transfer, message__isnull=False)

    def _check_room(self) -> None:
        """Raises OverQuota, with numbers, where what is to be put there does not fit."""
        quota = self.live.quota() if self.live.can.quota else None
        if quota is None or quota.limit_bytes is None:
            return
        done = TransferItem.objects.filter(transfer=self.transfer).values("message")
        kept = self.transfer.account.ledger.filter(state="kept").values("message")
        missing = LocalMessage.objects.filter(account=self.transfer.account).exclude(pk__in=done).exclude(pk__in=kept)
        needed = int((missing.aggregate(size=Sum("size_bytes"))["size"] or 0) * QUOTA_SPARE)
        room = quota.limit_bytes - quota.used_bytes
        if needed > room:
            raise OverQuota(f"{needed} bytes needed, {max(0, room)} free")

    # --- putting there ----------------------------------------------------------------------------------------------

    def _copy_folder(self, row: LocalFolder) -> None:
        folder = self._place(row)
        self.lease.hold(folder="/".join(folder.path)[:400])
        done = TransferItem.objects.filter(transfer=self.transfer).values("message")
        pks = list(row.messages.exclude(pk__in=done).order_by("pk").values_list("pk", flat=True))
        for at in range(0, len(pks), BATCH):
            for message in LocalMessage.objects.filter(pk__in=pks[at : at + BATCH]).order_by("pk"):
                self._put(message, folder)

    def _place(self, row: LocalFolder) -> Folder:
        """The server's folder for one here: by what it is for, else by its names; made where it is missing."""
        if row.role == Role.INBOX:
            return self._inbox
        if row.role:
            return special_folder(self.live, Role(row.role))
        names = _names(row)
        parent: Folder | None = None
        if names[0][1] == Role.INBOX:
            parent, names = self._inbox, names[1:]
        for name, role in names:
            parent = special_folder(self.live, Role(role)) if role else self._below(parent, name)
        assert parent is not None
        return parent

    def _below(self, parent: Folder | None, name: str) -> Folder:
        wanted = parent.id if parent else None
        for folder in self.live.folders():
            if folder.parent == wanted and folder.name == name:
                return folder
        made = self.live.create_folder(wanted, name)
        return next(folder for folder in self.live.folders() if folder.id == made)

    def _put(self, message: LocalMessage, folder: Folder) -> None:
        """One message: found on the server, or appended; written down at once."""
        flags = sorted(flags_of(message))
        ref = self._find(message, folder)
        if ref is None:
            raw = self.blobs.read(message.blob)
            ref = self.live.append(folder.id, raw, flags=flags, received=message.received)
            if ref is None:  # a server that tells no UIDs (no UIDPLUS)
                self._there.pop(folder.id, None)
                ref = self._find(message, folder)
            if ref is None:
                raise Differs("a message was put there and is not found")
            self._prove(ref, message, raw)
        else:
            self._mark(ref, flags)
        self._taken.add(ref)
        with durable():
            self.lease.hold(done=F("done") + 1, bytes_done=F("bytes_done") + message.size_bytes)
            item_for(self.transfer, ref, message=message, size_bytes=message.size_bytes).save()

    def _prove(self, ref: Ref, message: LocalMessage, raw: bytes) -> None:
        """What was put there is read back where a server may change it without changing its size: Cyrus 3.6 writes an X for each
        octet over 127 of a header, unless it is told not to. Raises Altered; the copy is not left there."""
        if raw.partition(b"\r\n\r\n")[0].isascii() or self._hash(ref) == message.blob:
            return
        self.live.delete([ref])
        raise Altered("a header with octets over 127")

    def _mark(self, ref: Ref, flags: list[str]) -> None:
        there = self.live.flags([ref]).get(ref, frozenset())
        add = sorted(set(flags) - there)
        remove = sorted(flag for flag in there - set(flags) if flag.lower() not in {r"\recent", r"\deleted"})
        if add or remove:
            self.live.set_flags([ref], add=add, remove=remove)

    # --- what is there already --------------------------------------------------------------------------------------

    def _find(self, message: LocalMessage, folder: Folder) -> Ref | None:
        """The very message on the server, in its folder; from the Inbox, where downloads leave their copies, it is moved."""
        found = self._same(message, folder.id)
        if found is not None or folder.id == self._inbox.id:
            return found
        copy = self._same(message, self._inbox.id)
        if copy is None:
            return None
        moved = self.live.move([copy], folder.id)
        self._there.pop(folder.id, None)
        return moved.after[0] or self._same(message, folder.id)

    def _same(self, message: LocalMessage, folder: FolderId) -> Ref | None:
        for row in self._listed(folder).get((message.message_id, message.size_bytes), []):
            if row.ref not in self._taken and self._hash(row.ref) == message.blob:
                return row.ref
        return None

    def _listed(self, folder: FolderId) -> dict[Key, list[Summary]]:
        """What the server's folder has, read once."""
        if folder not in self._there:
            found: dict[Key, list[Summary]] = {}
            refs = self.live.refs(folder, Query(descending=False))
            for at in range(0, len(refs), BATCH):
                for row in self.live.summaries(refs[at : at + BATCH]):
                    found.setdefault((row.message_id, row.size_bytes), []).append(row)
                self.lease.beat()
            self._there[folder] = found
        return self._there[folder]

    def _hash(self, ref: Ref) -> str:
        digest = hashlib.sha256()
        try:
            for piece in self.live.part(ref, WHOLE):
                digest.update(piece)
                self.lease.beat()
        except Gone:
            return ""
        return digest.hexdigest()

    # --- comparing and switching ------------------------------------------------------------------------------------

    def _compare(self) -> None:
        """Every message here against its item: on the server, of the same size, in its folder. What was moved or marked here in
        the meantime follows; raises Differs for what is missing."""
        items = TransferItem.objects.filter(transfer=self.transfer).select_related("message", "message__folder")
        for part in _parts(list(items.order_by("pk"))):
            sizes = {row.ref: row.size_bytes for row in self._rows(item.ref for item in part)}
            for item in part:
                self._compare_one(item, sizes.get(item.ref))
            self.lease.hold()
        done = TransferItem.objects.filter(transfer=self.transfer).values("message")
        if LocalMessage.objects.filter(account=self.transfer.account).exclude(pk__in=done).exists():
            raise Differs("messages arrived here in the meantime")

    def _rows(self, refs: Iterable[Ref]) -> list[Summary]:
        groups: dict[FolderId, list[Ref]] = {}
        for ref in refs:
            groups.setdefault(ref.folder, []).append(ref)
        return [row for group in groups.values() for row in self.live.summaries(group)]

    def _compare_one(self, item: TransferItem, size: int | None) -> None:
        if item.message is None:  # its owner deleted it here meanwhile
            if size is not None:
                self.live.delete([item.ref])
            item.delete()
            return
        if size != item.size_bytes:
            raise Differs("a message on the server is not what it is here")
        message = item.message
        folder = self._place(message.folder)
        if folder.id != item.ref.folder:
            item.delete()
            self._taken.discard(item.ref)
            self._there.clear()
            moved = self.live.move([item.ref], folder.id).after[0]
            if moved is None:
                raise Differs("a message was moved and is not found")
            item = item_for(self.transfer, moved, message=message, size_bytes=item.size_bytes)
        self._mark(item.ref, sorted(flags_of(message)))
        item.verified = True
        item.save()

    def _switch(self) -> None:
        with transaction.atomic():
            self.lease.hold()
            account = self.transfer.account
            Download.objects.filter(account=account).update(paused=False, digest="")
            MailAccount.objects.filter(pk=account.pk).update(mode=MailAccount.Mode.IMAP)
            self.lease.release(**finished(self.transfer))


def _names(row: LocalFolder) -> list[tuple[str, str]]:
    """(name, role) of a folder and those that it is in, from the top."""
    names = [(row.name, row.role)]
    at = row
    while at.parent is not None:
        at = at.parent
        names.append((at.name, at.role))
    return list(reversed(names))


def _parts(items: Sequence[TransferItem]) -> Iterable[list[TransferItem]]:
    return (list(items[at : at + BATCH]) for at in range(0, len(items), BATCH))
