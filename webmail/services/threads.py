"""The conversation around an open message: what else of it is in the same folder, and what was sent or received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.errors import Gone
from webmail.mime.threads import read_ids
from webmail.sources.base import RELATED_IDS_LIMIT, MailSource
from webmail.values import Folder, Query, Ref, Role, Summary

SHOWN_LIMIT = 100
ACROSS = {Role.SENT: Role.INBOX}
"""Where the other half of a conversation is: among the sent mail, and for sent mail in the Inbox."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Another message of the conversation, and the folder that it is in."""

    summary: Summary
    folder: Folder


@dataclass(frozen=True, slots=True)
class Conversation:
    """The other messages of a conversation before and after the open one, by date; `here` counts those in its folder, itself
    included, `left_out` those that are too many to be listed."""

    older: tuple[Entry, ...] = ()
    newer: tuple[Entry, ...] = ()
    here: int = 1
    left_out: int = 0

    @property
    def total(self) -> int:
        return len(self.older) + len(self.newer) + self.left_out + 1


def read_conversation(source: MailSource, folders: Sequence[Folder], folder: Folder, ref: Ref) -> Conversation:
    """The conversation of a message, at most SHOWN_LIMIT others of each folder. Raises Gone."""
    known = source.lone(ref)
    mine, rows, ids, others = (known[0], [], known[1], 0) if known else _read_here(source, folder, ref)
    entries = [Entry(row, folder) for row in rows]
    across = next((one for one in folders if one.role is ACROSS.get(folder.role, Role.SENT) and one.selectable), None)
    if across is not None and across.id != folder.id:
        wanted = _wanted(ids, [row.message_id for row in rows])
        entries += [Entry(row, across) for row in source.summaries(source.related(across.id, wanted)[-SHOWN_LIMIT:])]
    found = _once(entries, mine)
    older = [entry for entry in found if _place(entry.summary) < _place(mine)]
    newer = [entry for entry in found if _place(entry.summary) >= _place(mine)]
    return Conversation(tuple(older), tuple(newer), others + 1, max(0, others - SHOWN_LIMIT))


def _read_here(source: MailSource, folder: Folder, ref: Ref) -> tuple[Summary, list[Summary], list[str], int]:
    """The row of a message, those of the others of its conversation in its folder, as many as are shown, the ids that it
    carries and names, and how many others there are. Raises Gone."""
    ids = [one.decode() for one in read_ids(source.header(ref)) if one.isascii()]
    others = [one for one in _in_folder(source, folder, ref, ids) if one != ref]
    mine, *rows = _sorted_first(source.summaries([ref, *others[:SHOWN_LIMIT]]), ref)
    return mine, rows, ids, len(others)


def _in_folder(source: MailSource, folder: Folder, ref: Ref, ids: Sequence[str]) -> list[Ref]:
    limit = source.can.threads_limit
    if source.can.threads and (limit is None or (folder.total or 0) <= limit):
        return source.conversations([ref], Query())
    found = source.related(ref.folder, ids[:RELATED_IDS_LIMIT])
    return list(dict.fromkeys([ref, *reversed(found)]))


def _sorted_first(rows: Sequence[Summary], ref: Ref) -> list[Summary]:
    """The row of `ref`, then the others. Raises Gone."""
    mine = [row for row in rows if row.ref == ref]
    if not mine:
        raise Gone("the message is not there any more")
    return [mine[0], *(row for row in rows if row.ref != ref)]


def _wanted(ids: Sequence[str], here: Sequence[str]) -> list[str]:
    """The ids to look for in the other folder: the message's own, its parent's and the first of the conversation, then those
    of the other messages, then what else it names, the last first."""
    clean = [one for one in here if one.isascii() and one.isprintable() and one]
    return list(dict.fromkeys([*ids[:3], *clean[: RELATED_IDS_LIMIT // 2], *reversed(ids[3:])]))[:RELATED_IDS_LIMIT]


def _once(entries: Sequence[Entry], mine: Summary) -> list[Entry]:
    """Each message once, by its Message-ID, that of the first folder before its copy; by date."""
    seen = {mine.message_id} - {""}
    kept: list[Entry] = []
    for entry in entries:
        if entry.summary.message_id in seen:
            continue
        if entry.summary.message_id:
            seen.add(entry.summary.message_id)
        kept.append(entry)
    return sorted(kept, key=lambda entry: _place(entry.summary))


def _place(row: Summary) -> tuple[float, str]:
    return row.date.timestamp(), row.ref.id.zfill(20)
