"""What a mail server answered, in JSON and back, for `webmail/sources/kept.py`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from webmail.live.marks import Step
from webmail.sources.kept import Shape
from webmail.sources.recent import Recent
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
    Searched,
    Summary,
    Thread,
)

Rows = Callable[[FolderId, int, list[int]], dict[int, Summary]]
"""The unchanging parts of messages that are kept, by UID."""
_pages: Recent[Page] = Recent(1_000)
_FOLDER = [one.name for one in fields(Folder)]


def _pack_folders(folders: list[Folder]) -> Any:
    return [[*(getattr(one, name) for name in _FOLDER[:-1]), one.marked.total, one.marked.unread] for one in folders]


def _unpack_folder(id_: str, path: list[str], parent: str | None, role: str, *rest: Any) -> Folder:
    *others, total, unread = rest
    named = dict(zip(_FOLDER[4:-1], others, strict=True))
    above = FolderId(parent) if parent is not None else None
    return Folder(FolderId(id_), tuple(path), above, Role(role), **named, marked=Marked(total, unread))


@lru_cache(maxsize=500)
def _read_folders(packed: bytes) -> tuple[Folder, ...]:
    return tuple(_unpack_folder(*values) for values in json.loads(packed))


def _as_it_is(packed: bytes, _steps: Sequence[Step]) -> bytes:
    """What no flag changes."""
    return packed


FOLDERS = Shape(_pack_folders, lambda packed: list(_read_folders(packed)), _as_it_is)
"""The tree; it is not carried over steps that change counts (`steps_between`)."""


def _read_quota(packed: bytes) -> list[Quota | None]:
    (values,) = json.loads(packed)
    return [Quota(*values) if values else None]


@lru_cache(maxsize=100)
def _read_capabilities(packed: bytes) -> Capabilities:
    return Capabilities(**json.loads(packed))


QUOTA = Shape(lambda one: [one[0] and [one[0].used_bytes, one[0].limit_bytes]], _read_quota, _as_it_is)
"""A quota in a list: that there is none is an answer too."""
CAPABILITIES = Shape(asdict, _read_capabilities, _as_it_is)
FLAGS = Shape(lambda found: [sorted(flags) for flags in found], lambda packed: [*map(frozenset, json.loads(packed))])
"""The flags of one message, in a list: that it is not there is an answer too."""
STATE = Shape(list, json.loads, _as_it_is)
"""The state of a folder's messages, in a list: no flag changes it."""


def place_shape(query: Query) -> Shape:
    """Where a message is in its list: its row, the UIDs before and after it, and how many rows there are."""
    return Shape(list, json.loads, _as_it_is if holds_over_flags(query) else None)


def flags_shape(ref: Ref) -> Shape:
    """`FLAGS` of a message that is known."""

    def carry(packed: bytes, steps: Sequence[Step]) -> bytes | None:
        return _packed([sorted(_after(ref.id, ref.validity, flags, steps)) for flags in json.loads(packed)])

    return Shape(FLAGS.pack, FLAGS.unpack, carry)


def holds_over_flags(query: Query) -> bool:
    """Whether the same messages are in a list, each for itself, whatever flags they have."""
    return not (query.unread or query.flagged or query.attachment or query.in_body or query.grouped)


def _after(uid: str, validity: int, flags: Iterable[str], steps: Sequence[Step]) -> Iterable[str]:
    for step in steps:
        if step.validity == validity and int(uid) in step.uids:
            flags = step.applied(flags)
    return flags


def _carry_page(packed: bytes, steps: Sequence[Step]) -> bytes | None:
    page = json.loads(packed)
    if any(step.validity != page["validity"] for step in steps):
        return None
    touched = {uid for step in steps for uid in step.uids}
    for row in page["rows"]:
        if row[0] in touched:
            row[1] = sorted(_after(row[0], page["validity"], row[1], steps))
    return _packed(page)


def _packed(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def page_shape(account: str, folder: FolderId, query: Query, rows: Rows) -> Shape:
    """A page of an account without what cannot change of its rows: that is kept for itself."""

    def unpack(packed: bytes) -> Page | None:
        digest = hashlib.blake2b(repr((account, folder, query)).encode("utf-8", "replace") + packed).hexdigest()
        page = _pages.get(digest) or _read_page(json.loads(packed), digest, folder, query, rows)
        if page is not None:
            _pages.keep(digest, page)
        return page

    return Shape(_pack_page, unpack, _carry_page if holds_over_flags(query) else None)


def _read_page(packed: Any, digest: str, folder: FolderId, query: Query, rows: Rows) -> Page | None:
    """A page, None when what cannot change of one of its rows is not kept any more."""
    validity = packed["validity"]
    known = rows(folder, validity, [uid for uid, _flags in packed["rows"]])
    if len(known) < len(packed["rows"]):
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
        digest=digest,
        unsorted=packed["unsorted"],
        sorted_count=packed["sorted_count"],
        searched=_read_searched(packed["searched"]),
    )


def _pack_searched(one: Searched | None) -> Any:
    back_to = one.back_to.timestamp() if one and one.back_to else None
    return [one.done, one.total, one.found, back_to, one.problem] if one else None


def _read_searched(packed: Any) -> Searched | None:
    if packed is None:
        return None
    done, total, found, back_to, problem = packed
    return Searched(done, total, found, datetime.fromtimestamp(back_to, UTC) if back_to else None, problem)


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
        "unsorted": page.unsorted,
        "sorted_count": page.sorted_count,
        "searched": _pack_searched(page.searched),
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
