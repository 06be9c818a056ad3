"""The source of mail that lives here: rows and octets of the store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import MailAccount
from webmail.errors import Gone, Refused
from webmail.folder_order import only_subscribed, sort_folders
from webmail.imap.search import is_filtered
from webmail.mime.choose import choose_bodies
from webmail.mime.fold import fold
from webmail.mime.mbox import Kept
from webmail.mime.parts import unpack_part
from webmail.mime.structure import parse_message, parse_spans
from webmail.mime.threads import thread_key
from webmail.models import LocalBody, LocalFolder, LocalMessage
from webmail.moves import Moved, MoveEnded
from webmail.sources.base import RELATED_IDS_LIMIT, RELATED_LIMIT
from webmail.sources.cache import MailCache
from webmail.sources.kept import Beside
from webmail.sources.letter import (
    BODY_LIMIT_BYTES,
    HEADER_LIMIT_BYTES,
    Told,
    build_bodies,
    build_message,
    check_part_number,
)
from webmail.sources.local_append import store_all
from webmail.sources.local_folders import LocalFolders
from webmail.sources.local_lists import LocalLists, ordered
from webmail.sources.local_rows import (
    CHUNK,
    VALIDITY,
    change_flags,
    checked_flags,
    copy_of,
    folder_id_of,
    key_of,
    path_of,
    refs_of,
    summary_of,
)
from webmail.storage.blobs import Blobs
from webmail.storage.folders import note_changes
from webmail.storage.rows import flags_of, index_messages, mapped
from webmail.storage.threads import threads_of_ids
from webmail.values import (
    Capabilities,
    Folder,
    FolderId,
    Message,
    Page,
    Part,
    PartNumber,
    Query,
    Quota,
    Ref,
    Role,
    Summary,
    Thread,
    Window,
)

PIECE_BYTES = 64 * 1024
INDEX_LIMIT_BYTES = 8 * 1024 * 1024
"""Rows that are shown before their bodies were read are read then, up to this size."""
_BLANK_LINE = re.compile(rb"\n\r{0,3}\n|\A\r{0,3}\n")
_CAN = Capabilities(batches=True, push=False, threads=True, quota=False)


class LocalSource(LocalFolders):
    """A `MailSource` over the store of one account."""

    def __init__(self, account: MailAccount) -> None:
        super().__init__(account)
        self._blobs = Blobs(account.pk)
        self._lists = LocalLists(MailCache(settings.REDIS_URL, f"store-{account.pk}"))

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def can(self) -> Capabilities:
        return _CAN

    def folders(self, *, subscribed_only: bool = False, fresh: bool = False) -> list[Folder]:
        rows = self._folder_rows()
        by_folder = self._lists.counts(rows)
        by_pk = {row.pk: row for row in rows}
        parents = {row.parent_id for row in rows}
        folders = [
            Folder(
                id=folder_id_of(row),
                path=path_of(row, by_pk),
                parent=folder_id_of(by_pk[row.parent_id]) if row.parent_id else None,
                role=Role(row.role),
                subscribed=row.subscribed,
                has_children=row.pk in parents,
                total=by_folder.get(row.pk, (0, 0))[0],
                unread=by_folder.get(row.pk, (0, 0))[1],
                validity=VALIDITY,
            )
            for row in rows
        ]
        return sort_folders(only_subscribed(folders) if subscribed_only else folders)

    def look_ahead(self, folder: FolderId, query: Query, window: Window) -> None:
        """Nothing is far away here."""

    def look_at(self, ref: Ref, query: Query, beside: Beside | None = None) -> None:
        """Nothing is far away here."""

    def keep_along(self, values: Mapping[bytes, bytes], seconds: int) -> bool:
        """Nothing is kept of what is here."""
        return False

    def search_on(self, folder: FolderId, query: Query) -> None:
        """Every search comes to its end at once here."""

    def page(self, folder: FolderId, query: Query, window: Window) -> Page:
        if query.grouped:
            return self._thread_page(folder, query, window)
        row = self._folder(folder)
        if query.sort == "date" and not is_filtered(query):  # an index has it
            total = self._lists.counts([row])[row.pk][0]
            start = max(0, min(window.start, total))
            pks = list(
                ordered(self._found(row, query), query).values_list("pk", flat=True)[start : start + window.size]
            )
        else:
            order = self._lists.order(row, query, self._found(row, query))
            total, start = len(order), max(0, min(window.start, len(order)))
            pks = order[start : start + window.size].tolist()
        found = LocalMessage.objects.defer("search").in_bulk(pks)
        rows = [found[pk] for pk in pks if pk in found]
        self._index_shown(rows)
        told = replace(query, threads=False)
        return Page(tuple(summary_of(folder, row) for row in rows), start, total, VALIDITY, told, self._next_id())

    def _thread_page(self, folder: FolderId, query: Query, window: Window) -> Page:
        row = self._folder(folder)
        groups = self._lists.groups(row, query, self._found(row, query))
        start = max(0, min(window.start, len(groups)))
        members = [groups.row(at) for at in range(start, min(start + window.size, len(groups)))]
        unread = set(
            LocalMessage.objects.filter(pk__in=[pk for thread in members for pk in thread], seen=False).values_list(
                "pk", flat=True
            )
        )
        rows = LocalMessage.objects.defer("search").in_bulk([thread[0] for thread in members])
        self._index_shown(list(rows.values()))
        shown = [thread for thread in members if thread[0] in rows]
        return Page(
            tuple(summary_of(folder, rows[thread[0]]) for thread in shown),
            start,
            len(groups),
            VALIDITY,
            query,
            self._next_id(),
            tuple(Thread(refs_of(folder, thread), not unread.isdisjoint(thread)) for thread in shown),
        )

    def refs(self, folder: FolderId, query: Query) -> list[Ref]:
        row = self._folder(folder)
        return list(refs_of(folder, self._lists.order(row, query, self._found(row, query))))

    def neighbours(self, ref: Ref, query: Query) -> tuple[int, Ref | None, Ref | None, int]:
        row, pk = self._folder(ref.folder), key_of(ref)
        found = self._found(row, query)
        if query.grouped:
            groups = self._lists.groups(row, query, found)
            at, order = groups.row_of(pk), groups.heads
        else:
            order = self._lists.order(row, query, found)
            at = order.index(pk) if pk in order else -1
        if at < 0:
            return -1, None, None, len(order)
        before, after = (order[i] if 0 <= i < len(order) else None for i in (at - 1, at + 1))
        one, two = (Ref(ref.folder, VALIDITY, str(pk)) if pk else None for pk in (before, after))
        return at, one, two, len(order)

    def sizes(self, folder: FolderId, *, most: int) -> list[tuple[datetime, int]]:
        rows = LocalMessage.objects.filter(folder=self._folder(folder)).order_by("-date", "-pk")
        return list(rows.values_list("received", "size_bytes")[:most])

    def flags(self, refs: Iterable[Ref]) -> dict[Ref, frozenset[str]]:
        found: dict[Ref, frozenset[str]] = {}
        for folder, rows in self._chunks(refs):
            for row in rows.only("pk", "seen", "flagged", "keywords"):
                found[Ref(folder, VALIDITY, str(row.pk))] = flags_of(row)
        return found

    def summaries(self, refs: Iterable[Ref]) -> list[Summary]:
        out: list[Summary] = []
        for folder, rows in self._chunks(refs):
            shown = list(rows.defer("search"))
            self._index_shown(shown)
            out += [summary_of(folder, row) for row in shown]
        return out

    def find(self, folder: FolderId, message_id: str, *, deleted: bool = False) -> list[Ref]:
        rows = self._messages().filter(
            folder=self._folder(folder), own_id=thread_key(message_id), message_id=message_id[:1000]
        )
        return [Ref(folder, VALIDITY, str(pk)) for pk in rows.order_by("pk").values_list("pk", flat=True)]

    def lone(self, ref: Ref) -> tuple[Summary, list[str]] | None:
        return None

    def conversations(self, refs: Iterable[Ref], query: Query) -> list[Ref]:
        refs = list(refs)
        out: list[Ref] = []
        for folder in dict.fromkeys(ref.folder for ref in refs):
            mine = [ref for ref in refs if ref.folder == folder]
            row, plain = self._folder(folder), replace(query, sort="date", descending=True)
            groups = self._lists.groups(row, plain, self._found(row, plain))
            out += dict.fromkeys([*refs_of(folder, groups.together(map(key_of, mine))), *mine])
        return out

    def related(self, folder: FolderId, ids: Sequence[str]) -> list[Ref]:
        threads = threads_of_ids(self._account.pk, ids[:RELATED_IDS_LIMIT])
        rows = LocalMessage.objects.filter(folder=self._folder(folder), thread__in=threads).order_by("pk")
        return list(refs_of(folder, list(rows.values_list("pk", flat=True))[-RELATED_LIMIT:]))

    def message(self, ref: Ref) -> Message:
        row = self._row(ref)
        with mapped(self._blobs, row.blob) as raw:
            structure, spans, defects = parse_spans(raw)
            shown, files = choose_bodies(structure)

            def data_of(part: Part) -> bytes:
                start, end = spans.get(part.number, (0, 0))
                return raw[start : min(end, start + BODY_LIMIT_BYTES)]

            told = Told(raw[:HEADER_LIMIT_BYTES], row.received, row.size_bytes, flags_of(row))
            return build_message(ref, told, structure, build_bodies(shown, data_of), files)

    def structure(self, ref: Ref) -> Part:
        row = self._row(ref)
        body = LocalBody.objects.filter(message=row).first()
        known = unpack_part(body.structure) if body and body.structure else None
        if known is not None:
            return known
        with mapped(self._blobs, row.blob) as raw:
            return parse_message(raw)[0]

    def part(self, ref: Ref, number: PartNumber) -> Iterator[bytes]:
        check_part_number(number)
        row = self._row(ref)
        with mapped(self._blobs, row.blob) as raw:
            start, end = (0, len(raw)) if not number else parse_spans(raw)[1].get(number, (0, 0))
            for at in range(start, end, PIECE_BYTES):
                yield raw[at : min(end, at + PIECE_BYTES)]

    def header(self, ref: Ref) -> bytes:
        head = self._blobs.read(self._row(ref).blob, HEADER_LIMIT_BYTES)
        end = _BLANK_LINE.search(head)
        return head[: end.end()] if end else head

    # --- changing ---------------------------------------------------------------------------------------------------

    def set_flags(
        self, refs: Iterable[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = (), wait: bool = True
    ) -> None:
        added, removed = checked_flags(add), checked_flags(remove)
        with transaction.atomic():
            for folder, rows in self._chunks(refs):
                change_flags(rows, added, removed)
                note_changes([self._folder(folder).pk])

    def change_flags(
        self, refs: Sequence[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> dict[Ref, frozenset[str]]:
        before = self.flags(refs)
        self.set_flags(before, add=add, remove=remove)
        return before

    def move(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        refs = list(refs)
        target = self._folder(folder)
        after: dict[Ref, Ref] = {}
        with transaction.atomic():
            for source, rows in self._chunks(refs):
                if source == folder:
                    continue
                pks = list(rows.select_for_update().values_list("pk", flat=True))
                self._messages().filter(pk__in=pks).update(folder=target)
                note_changes([target.pk, self._folder(source).pk])
                after |= {Ref(source, VALIDITY, str(pk)): Ref(folder, VALIDITY, str(pk)) for pk in pks}
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs))

    def finish_moves(self) -> list[MoveEnded]:
        return []

    def copy(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        refs = list(refs)
        target = self._folder(folder)
        after: dict[Ref, Ref] = {}
        with transaction.atomic():
            for source, rows in self._chunks(refs):
                olds = list(rows.select_related("body"))
                made = LocalMessage.objects.bulk_create([copy_of(row, target) for row in olds])
                bodies = [
                    LocalBody(message=new, text=old.body.text, structure=old.body.structure)
                    for old, new in zip(olds, made, strict=True)
                    if hasattr(old, "body")
                ]
                LocalBody.objects.bulk_create(bodies)
                note_changes([target.pk])
                for old, new in zip(olds, made, strict=True):
                    after[Ref(source, VALIDITY, str(old.pk))] = Ref(folder, VALIDITY, str(new.pk))
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs))

    def delete(self, refs: Iterable[Ref]) -> Moved:
        gone: list[Ref] = []
        with transaction.atomic():
            for folder, rows in self._chunks(refs):
                pks = list(rows.select_for_update().values_list("pk", flat=True))
                self._messages().filter(pk__in=pks).delete()
                note_changes([self._folder(folder).pk])
                gone += [Ref(folder, VALIDITY, str(pk)) for pk in pks]
        return Moved(tuple(gone), tuple(None for _ in gone))

    def append(
        self, folder: FolderId, raw: bytes, *, flags: Iterable[str] = (), received: datetime | None = None
    ) -> Ref | None:
        (ref,) = self.append_all(folder, [Kept(raw, frozenset(flags), received)])
        return ref

    def append_all(self, folder: FolderId, messages: Sequence[Kept]) -> Sequence[Ref | None]:
        target = self._folder(folder)
        for message in messages:
            checked_flags(message.flags)
        return [Ref(folder, VALIDITY, str(row.pk)) for row in store_all(self._account, self._blobs, target, messages)]

    def quota(self) -> Quota | None:
        return None

    # --- rows -------------------------------------------------------------------------------------------------------

    def _next_id(self) -> int:
        return (LocalMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1

    def _row(self, ref: Ref) -> LocalMessage:
        row = self._messages().select_related("folder").filter(pk=key_of(ref)).first()
        if row is None or folder_id_of(row.folder) != ref.folder:
            self._folder(ref.folder)
            raise Gone("the message is not there any more")
        return row

    def _found(self, folder: LocalFolder, query: Query) -> QuerySet[LocalMessage]:
        """The rows of a query. The folder is this account's: asking for the account too leads to worse plans."""
        rows = LocalMessage.objects.filter(folder=folder)
        if query.unread:
            rows = rows.filter(seen=False)
        if query.flagged:
            rows = rows.filter(flagged=True)
        if query.attachment:
            rows = rows.filter(has_attachment=True)
        if not query.text.isprintable():
            raise Refused("not a text to search for")
        text = fold(query.text)
        if text:
            wanted = Q(search__contains=text)
            rows = rows.filter(wanted | Q(body__text__contains=text) if query.in_body else wanted)
        return rows

    def _chunks(self, refs: Iterable[Ref]) -> Iterator[tuple[FolderId, QuerySet[LocalMessage]]]:
        """The rows of refs by folder, a chunk of primary keys at a time. Raises Gone for a folder that is not there, before
        anything of it is changed."""
        groups: dict[FolderId, list[int]] = {}
        for ref in refs:
            groups.setdefault(ref.folder, []).append(key_of(ref))
        for folder, pks in groups.items():
            row = self._folder(folder)
            for at in range(0, len(pks), CHUNK):
                yield folder, self._messages().filter(folder=row, pk__in=pks[at : at + CHUNK])

    def _index_shown(self, rows: Sequence[LocalMessage]) -> None:
        """Reads the bodies of rows that are about to be shown and were not read yet."""
        waiting = [row for row in rows if not row.indexed and row.size_bytes <= INDEX_LIMIT_BYTES]
        if waiting:
            index_messages(self._account.pk, waiting)
