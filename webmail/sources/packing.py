"""What a mail server answered, in JSON and back, for `webmail/sources/kept.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from webmail.sources.kept import Shape
from webmail.values import (
    Capabilities,
    Folder,
    FolderId,
    Marked,
    Page,
    Query,
    Quota,
    Ref,
    Role,
    Summary,
    Thread,
)

Rows = Callable[[FolderId, int, list[int]], dict[int, Summary]]
"""The unchanging parts of messages that are kept, by UID."""
_FOLDER = [one.name for one in fields(Folder)]


def _pack_folders(folders: list[Folder]) -> Any:
    return [[*(getattr(one, name) for name in _FOLDER[:-1]), one.marked.total, one.marked.unread] for one in folders]


def _unpack_folders(packed: list[list[Any]]) -> list[Folder]:
    return [_unpack_folder(*values) for values in packed]


def _unpack_folder(id_: str, path: list[str], parent: str | None, role: str, *rest: Any) -> Folder:
    *others, total, unread = rest
    named = dict(zip(_FOLDER[4:-1], others, strict=True))
    above = FolderId(parent) if parent is not None else None
    return Folder(FolderId(id_), tuple(path), above, Role(role), **named, marked=Marked(total, unread))


FOLDERS = Shape(_pack_folders, _unpack_folders)
QUOTA = Shape(
    lambda one: [one[0] and [one[0].used_bytes, one[0].limit_bytes]],
    lambda packed: [Quota(*packed[0]) if packed[0] else None],
)
"""A quota in a list: that there is none is an answer too."""
CAPABILITIES = Shape(asdict, lambda packed: Capabilities(**packed))
PLACE = Shape(list, lambda packed: packed)
"""Where a message is in its list: its row, the UIDs before and after it, and how many rows there are."""


def page_shape(folder: FolderId, query: Query, rows: Rows) -> Shape:
    """A page without what cannot change of its rows: that is kept for itself."""

    def unpack(packed: Mapping[str, Any]) -> Page | None:
        validity = packed["validity"]
        uids = [uid for uid, _flags in packed["rows"]]
        known = rows(folder, validity, uids)
        if len(known) < len(uids):
            return None
        return Page(
            rows=tuple(with_flags(known[uid], flags) for uid, flags in packed["rows"]),
            start=packed["start"],
            total=packed["total"],
            validity=validity,
            query=query if packed["threads"] is not None else replace(query, threads=False),
            next_id=packed["next_id"],
            threads=tuple(
                Thread(tuple(Ref(folder, validity, str(uid)) for uid in uids), unread)
                for uids, unread in packed["threads"] or ()
            ),
            marked=Marked(*packed["marked"]),
        )

    return Shape(_pack_page, unpack)


def _pack_page(page: Page) -> Any:
    return {
        "validity": page.validity,
        "next_id": page.next_id,
        "start": page.start,
        "total": page.total,
        "rows": [[int(row.ref.id), sorted(row.flags)] for row in page.rows],
        "threads": [[[int(ref.id) for ref in one.refs], one.unread] for one in page.threads]
        if page.query.threads
        else None,
        "marked": [page.marked.total, page.marked.unread],
    }


def with_flags(row: Summary, flags: list[str]) -> Summary:
    """A row that was kept without flags, with these."""
    return Summary(
        row.ref,
        row.subject,
        row.sender,
        row.recipients,
        row.sent,
        row.received,
        row.size_bytes,
        frozenset(flags),
        row.snippet,
        row.has_attachment,
        row.message_id,
        row.defects,
    )
