"""Lists of the store: their orders and numbers, kept in Redis as long as nothing in the folder has changed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from webmail.models import LocalFolder, LocalMessage
from webmail.sources.cache import MailCache
from webmail.sources.grouping import Groups
from webmail.sources.listing import filter_name
from webmail.values import FolderId, Query

SORT_FIELDS = {
    "date": "date",
    "from": "sender_key",
    "to": "recipients_key",
    "subject": "subject_key",
    "size": "size_bytes",
}
LARGE = "Q"


class LocalLists:
    """Orders, conversations and numbers of an account's folders. A folder's `changes` says for which state they hold: it is
    read with the folder, before them."""

    def __init__(self, cache: MailCache) -> None:
        self._cache = cache

    def order(self, folder: LocalFolder, query: Query, found: QuerySet[LocalMessage]) -> array[int]:
        """Primary keys of a list in its order."""
        order = self._kept(folder, filter_name(query))
        if order is None:
            rising = found.order_by(*_order(query, descending=False)).values_list("pk", flat=True)
            order = array(LARGE, rising.iterator(chunk_size=5000))
            self._keep(folder, filter_name(query), order)
        return order[::-1] if query.descending else order

    def groups(self, folder: LocalFolder, query: Query, found: QuerySet[LocalMessage]) -> Groups:
        """The conversations of a list."""
        packed = self._kept(folder, "g" + filter_name(query))
        if packed is None:
            packed = _packed(found)
            self._keep(folder, "g" + filter_name(query), packed)
        count = packed[0]
        return Groups(packed[1 : count + 1], packed[count + 1 :], turned=not query.descending)

    def counts(self, folders: Sequence[LocalFolder]) -> dict[int, tuple[int, int]]:
        """(messages, unread) of each of these, by primary key."""
        kept = self._cache.numbers("counts", [_key(folder) for folder in folders])
        found = {
            folder.pk: (one[1][0], one[1][1])
            for folder, one in zip(folders, kept, strict=True)
            if one and one[0] == _mark(folder) and len(one[1]) == 2
        }
        stale = [folder for folder in folders if folder.pk not in found]
        if stale:
            rows = LocalMessage.objects.filter(folder__in=[folder.pk for folder in stale]).order_by()
            told = rows.values("folder").annotate(total=Count("pk"), unread=Count("pk", filter=Q(seen=False)))
            numbers = {row["folder"]: (row["total"], row["unread"]) for row in told}
            for folder in stale:
                found[folder.pk] = numbers.get(folder.pk, (0, 0))
                self._cache.keep_orders(_key(folder), {"counts": (_mark(folder), array("I", found[folder.pk]))})
        return found

    def _kept(self, folder: LocalFolder, name: str) -> array[int] | None:
        kept = self._cache.orders(_key(folder), [name], code=LARGE)[0]
        return kept[1] if kept and kept[0] == _mark(folder) else None

    def _keep(self, folder: LocalFolder, name: str, order: array[int]) -> None:
        self._cache.keep_orders(_key(folder), {name: (_mark(folder), order)})


def ordered(found: QuerySet[LocalMessage], query: Query) -> QuerySet[LocalMessage]:
    """A list in its order."""
    return found.order_by(*_order(query, descending=query.descending))


def _order(query: Query, *, descending: bool) -> tuple[str, str]:
    sign = "-" if descending else ""
    return f"{sign}{SORT_FIELDS[query.sort]}", f"{sign}pk"


def _packed(found: QuerySet[LocalMessage]) -> array[int]:
    """Groups in one array: how many starts, the starts, the members."""
    groups: dict[int, list[int]] = {}
    newest_first = found.order_by("-date", "-pk").values_list("thread", "pk")
    for thread, pk in newest_first.iterator(chunk_size=5000):
        groups.setdefault(thread, []).append(pk)
    starts, members = array(LARGE, [0]), array(LARGE)
    for group in groups.values():
        members.extend(group)
        starts.append(len(members))
    return array(LARGE, [len(starts)]) + starts + members


def _key(folder: LocalFolder) -> FolderId:
    return FolderId(str(folder.pk))


def _mark(folder: LocalFolder) -> str:
    return str(folder.changes)
