"""Rows of the store as values: their refs, the paths of folders, summaries, flags; pure but for `change_flags`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from webmail.errors import Gone, Refused
from webmail.models import LocalFolder, LocalMessage
from webmail.storage.rows import flags_of
from webmail.values import Address, Flag, FolderId, Ref, Role, Summary

INBOX = FolderId("INBOX")
VALIDITY = 1
"""Primary keys are never used again, so that one validity holds for ever."""
CHUNK = 500
DEPTH_LIMIT = 50
_FLAG = re.compile(r"\\?[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]{1,200}")


def refs_of(folder: FolderId, pks: Iterable[int]) -> tuple[Ref, ...]:
    return tuple(Ref(folder, VALIDITY, str(pk)) for pk in pks)


def folder_id_of(row: LocalFolder) -> FolderId:
    return INBOX if row.role == Role.INBOX else FolderId(str(row.pk))


def checked_flags(flags: Iterable[str]) -> set[str]:
    """Flags, each of which could be one on an IMAP server too (RFC 3501 section 9, flag)."""
    words = set(flags)
    for word in words:
        if not _FLAG.fullmatch(word):
            raise Refused("not a flag")
    return words


def key_of(ref: Ref) -> int:
    if ref.validity != VALIDITY or not ref.id.isascii() or not ref.id.isdigit() or len(ref.id) > 18:
        raise Gone("no such message")
    return int(ref.id)


def path_of(row: LocalFolder, by_pk: dict[int, LocalFolder] | None) -> tuple[str, ...]:
    """The names from the top; `by_pk` has the folders of the account, None to read them one by one."""
    names = [row.name]
    at = row
    while at.parent_id and len(names) <= DEPTH_LIMIT:
        above = by_pk.get(at.parent_id) if by_pk is not None else at.parent
        if above is None:
            break
        names.append(above.name)
        at = above
    return tuple(reversed(names))


def line_of(row: LocalFolder) -> set[int]:
    """A folder and all those that it is in."""
    found = {row.pk}
    at: LocalFolder | None = row
    while at is not None and at.parent_id and at.parent_id not in found:
        found.add(at.parent_id)
        at = at.parent
    return found


def summary_of(folder: FolderId, row: LocalMessage) -> Summary:
    return Summary(
        ref=Ref(folder, VALIDITY, str(row.pk)),
        subject=row.subject,
        sender=_people(row.sender),
        recipients=_people(row.recipients),
        sent=row.sent,
        received=row.received,
        size_bytes=row.size_bytes,
        flags=flags_of(row),
        snippet=row.snippet,
        has_attachment=row.has_attachment,
        message_id=row.message_id,
        defects=tuple(row.defects),
    )


def _people(pairs: Any) -> tuple[Address, ...]:
    return tuple(Address(name, email) for name, email in pairs)


def change_flags(rows: QuerySet[LocalMessage], add: set[str], remove: set[str]) -> None:
    """Flags of a chunk of rows: a statement for each column, and one for each set of keywords that occurs among them."""
    columns = {str(Flag.SEEN): "seen", str(Flag.FLAGGED): "flagged"}
    changes = {field: True for flag, field in columns.items() if flag in add}
    changes |= {field: False for flag, field in columns.items() if flag in remove}
    if changes:
        rows.update(**changes)
    more, less = add - columns.keys(), remove - columns.keys()
    if not more and not less:
        return
    for keywords in list(rows.order_by().values_list("keywords", flat=True).distinct()):
        changed = " ".join(sorted((set(keywords.split()) | more) - less))
        if changed != keywords:
            rows.filter(keywords=keywords).update(keywords=changed)


def copy_of(row: LocalMessage, folder: LocalFolder) -> LocalMessage:
    fields = {field.attname: getattr(row, field.attname) for field in LocalMessage._meta.concrete_fields}
    del fields["id"]
    return LocalMessage(**fields | {"folder_id": folder.pk})
