"""Who is asked beside Casilla: the mail server, or, where the mail lives here, the octets that every row was made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.db.models import Count, Q

from accounts.models import MailAccount
from webmail.errors import Gone
from webmail.models import LocalFolder, LocalMessage
from webmail.services.access import endpoint_for
from webmail.sources.local_rows import VALIDITY
from webmail.storage.blobs import Blobs
from webmail.values import Credentials, FolderId
from webmail.witness.headers import moment_of, read_header, sender_of, sent_of, subject_of
from webmail.witness.reader import HEADER_LIMIT_BYTES, ImapWitness
from webmail.witness.seen import UNTOLD, Seen, SeenFolder, Witness

PIECE_BYTES = 256 * 1024


def open_witness(account: MailAccount, credentials: Credentials | None) -> AbstractContextManager[Witness]:
    """The witness of an account; `credentials` are those of its IMAP server. Raises WitnessFailed."""
    if account.downloads or credentials is None:
        return nullcontext(StoreWitness(account))
    return ImapWitness(endpoint_for(account), credentials, ca_file=settings.MAIL_CA_FILE)


class StoreWitness:
    """A `Witness` of the store: folders and marks as their tables have them, and each message out of its own octets, which must
    still have the SHA-256 that is their name. What only the table knows, as flags, is no second opinion: it tells whether lists
    and caches agree with it."""

    def __init__(self, account: MailAccount) -> None:
        self._account = account
        self._blobs = Blobs(account.pk)
        self._folder = 0

    def folders(self) -> list[SeenFolder]:
        rows = list(LocalFolder.objects.filter(account=self._account))
        by_pk = {row.pk: row for row in rows}
        told = LocalMessage.objects.filter(account=self._account).order_by().values("folder")
        told = told.annotate(total=Count("pk"), unread=Count("pk", filter=Q(seen=False)))
        counts = {one["folder"]: (one["total"], one["unread"]) for one in told}
        return [
            SeenFolder(
                FolderId("INBOX" if row.role == "inbox" else str(row.pk)),
                tuple(_names(row, by_pk)),
                frozenset(),
                row.subscribed,
                total=counts.get(row.pk, (0, 0))[0],
                unread=counts.get(row.pk, (0, 0))[1],
                validity=VALIDITY,
            )
            for row in rows
        ]

    def enter(self, folder: FolderId) -> int | None:
        mine = LocalFolder.objects.filter(account=self._account)
        row = (mine.filter(role="inbox") if folder == "INBOX" else mine.filter(pk=folder)).first()
        self._folder = row.pk if row else 0
        return VALIDITY if row else None

    def uids(self) -> Iterator[tuple[int, frozenset[str]]]:
        found = LocalMessage.objects.filter(folder=self._folder).order_by("pk").values_list("pk", "seen")
        return ((pk, frozenset({"\\seen"} if seen else ())) for pk, seen in found.iterator(chunk_size=5_000))

    def read(self, uids: Sequence[int]) -> dict[int, Seen]:
        columns = ("pk", "blob", "seen", "flagged", "keywords")
        rows = LocalMessage.objects.filter(folder=self._folder, pk__in=uids).values_list(*columns)
        return {pk: self._seen(blob, _flags(seen, flagged, keywords)) for pk, blob, seen, flagged, keywords in rows}

    def _seen(self, blob: str, flags: frozenset[str]) -> Seen:
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            with self._blobs.open(blob) as file:
                while piece := file.read(PIECE_BYTES):
                    head = head or piece[: 4 * HEADER_LIMIT_BYTES]
                    digest.update(piece)
                    size += len(piece)
        except Gone:
            return Seen(flags, 0, UNTOLD, UNTOLD, UNTOLD, UNTOLD, whole=False)
        message, clean = read_header(head)
        clean = clean and (b"\n\r\n" in head or b"\n\n" in head)
        taken = message.get_all("Received") or []
        received = moment_of(str(taken[0]).rpartition(";")[2]) if taken and clean else UNTOLD
        return Seen(
            flags,
            size,
            received,
            sent_of(message) if clean else UNTOLD,
            subject_of(message) if clean else UNTOLD,
            sender_of(message) if clean else UNTOLD,
            whole=digest.hexdigest() == blob,
        )


def _flags(seen: bool, flagged: bool, keywords: str) -> frozenset[str]:
    marks = {name for name, on in (("\\Seen", seen), ("\\Flagged", flagged)) if on}
    return frozenset(marks | set(keywords.split()))


def _names(row: LocalFolder, by_pk: dict[int, LocalFolder]) -> list[str]:
    names: list[str] = []
    seen: LocalFolder | None = row
    while seen and len(names) < len(by_pk):
        names.insert(0, seen.name)
        seen = by_pk.get(seen.parent_id) if seen.parent_id else None
    return names
