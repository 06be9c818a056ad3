"""Messages of the store that belong to a conversation, found without a column for it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from webmail.errors import Gone
from webmail.mime.headers import HEADER_LIMIT_BYTES
from webmail.mime.threads import read_ids
from webmail.models import LocalFolder, LocalMessage
from webmail.storage.blobs import Blobs

CANDIDATES_LIMIT = 60


def find_related(blobs: Blobs, folder: LocalFolder, ids: Sequence[str], limit: int) -> list[int]:
    """Primary keys of the messages of a folder that have one of these Message-IDs, or name one, ascending. What names one is
    looked for among messages with the same subject, whose headers are then read."""
    if not ids:
        return []
    known = LocalMessage.objects.filter(account=folder.account_id, message_id__in=ids)
    keys = set(known.order_by().values_list("subject_key", flat=True)) - {""}
    here = LocalMessage.objects.filter(folder=folder)
    found = set(here.filter(message_id__in=ids).order_by().values_list("pk", flat=True))
    wanted = {one.encode("utf-8", "replace") for one in ids}
    for pk, blob in _candidates(here, keys).exclude(pk__in=found).values_list("pk", "blob")[:CANDIDATES_LIMIT]:
        if not wanted.isdisjoint(_ids_of(blobs, blob)):
            found.add(pk)
    return sorted(found)[-limit:]


def _candidates(messages: QuerySet[LocalMessage], keys: set[str]) -> QuerySet[LocalMessage]:
    return messages.filter(subject_key__in=keys).order_by("-date", "-pk")


def _ids_of(blobs: Blobs, blob: str) -> list[bytes]:
    try:
        return read_ids(blobs.read(blob, HEADER_LIMIT_BYTES))
    except Gone:
        return []
