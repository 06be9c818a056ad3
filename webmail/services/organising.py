"""Acting on messages: marks, tags, moves, and how each of them is undone exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.utils import timezone

from webmail.errors import Refused
from webmail.sources.base import MailSource
from webmail.values import Flag, Folder, FolderId, Ref, Role

MARKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "read": ((Flag.SEEN,), ()),
    "unread": ((), (Flag.SEEN,)),
    "star": ((Flag.FLAGGED,), ()),
    "unstar": ((), (Flag.FLAGGED,)),
}
"""Mark -> flags that it adds and takes away."""

JUNK = ((Flag.JUNK, "$Junk"), (Flag.NOT_JUNK, "NotJunk", "$NotJunk"))
NOT_JUNK = ((Flag.NOT_JUNK, "$NotJunk"), (Flag.JUNK, "$Junk"))
"""What Thunderbird writes, and the registered keywords beside it: a stale opposite would win over the new one."""

DEFAULT_NAMES = {
    Role.ARCHIVE: "Archive",
    Role.JUNK: "Junk",
    Role.TRASH: "Trash",
    Role.SENT: "Sent",
    Role.DRAFTS: "Drafts",
    Role.TEMPLATES: "Templates",
}
"""Names of special folders that have to be made; on the server they are English, on screen they are translated."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Enough to take a change back: where each message was, where it is now, and which flags it gained and lost (before it
    moved). `now` is the same ref when it did not move."""

    before: tuple[Ref, ...]
    now: tuple[Ref, ...]
    gained: tuple[tuple[str, tuple[int, ...]], ...] = ()
    lost: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What was done: to how many messages, where they went (None = nowhere), how to undo it (None = it cannot be)."""

    count: int
    to: Folder | None = None
    undo: Undo | None = None
    flags: Mapping[Ref, frozenset[str]] = field(default_factory=dict)
    """The flags that messages have now which stay where they are, where that is known."""


def mark(source: MailSource, refs: Sequence[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Change:
    """Adds and removes flags; those that a message had already are not undone."""
    add, remove = tuple(add), tuple(remove)
    before = source.change_flags(refs, add=add, remove=remove)
    known = tuple(ref for ref in refs if ref in before)
    now = {ref: flags.difference(remove).union(add) for ref, flags in before.items()}
    had = {flag: {index for index, ref in enumerate(known) if flag in before[ref]} for flag in add + remove}
    gained = tuple((flag, tuple(index for index in range(len(known)) if index not in had[flag])) for flag in add)
    lost = tuple((flag, tuple(sorted(had[flag]))) for flag in remove)
    return Change(len(known), undo=Undo(known, known, gained, lost), flags=now)


def move(source: MailSource, refs: Sequence[Ref], folder: Folder) -> Change:
    """Moves messages into a folder."""
    if not folder.selectable:
        raise Refused("this folder holds no messages")
    refs = [ref for ref in refs if ref.folder != folder.id]
    return _moved(source, refs, folder)


def copy(source: MailSource, refs: Sequence[Ref], folder: Folder) -> Change:
    """Copies messages into a folder."""
    if not folder.selectable:
        raise Refused("this folder holds no messages")
    copied = source.copy(refs, folder.id)
    return Change(sum(one is not None for one in copied.after) if copied.named else len(refs), to=folder)


def archive(source: MailSource, refs: Sequence[Ref], *, by: str = "year", known: Sequence[Folder] = ()) -> Change:
    """Moves messages into the Archive, by the date of each message, as Thunderbird does (archive_granularity): `by` is
    "year" (2026), "month" (2026/2026-11) or "none" (the Archive itself)."""
    root = special_folder(source, Role.ARCHIVE, known)
    if by == "none":
        return move(source, refs, root)
    places: dict[tuple[str, ...], list[Ref]] = {}
    for row in source.summaries(refs):
        date = timezone.localtime(row.date)
        path = (f"{date:%Y}", f"{date:%Y-%m}") if by == "month" else (f"{date:%Y}",)
        places.setdefault(path, []).append(row.ref)
    changes = [move(source, group, _deep_below(source, root, path, known)) for path, group in sorted(places.items())]
    return _joined(changes, root)


def junk(source: MailSource, refs: Sequence[Ref], *, known: Sequence[Folder] = ()) -> Change:
    """Marks messages as junk and moves them there."""
    return _marked_and_moved(source, refs, JUNK, special_folder(source, Role.JUNK, known))


def not_junk(source: MailSource, refs: Sequence[Ref]) -> Change:
    """Marks messages as no junk and moves them into the Inbox."""
    inbox = next(folder for folder in source.folders() if folder.role is Role.INBOX)
    return _marked_and_moved(source, refs, NOT_JUNK, inbox)


def delete(source: MailSource, refs: Sequence[Ref], *, known: Sequence[Folder] = ()) -> Change:
    """Moves messages to the Trash; those that are there already are deleted for good."""
    trash = special_folder(source, Role.TRASH, known)
    return move(source, refs, trash) if any(ref.folder != trash.id for ref in refs) else purge(source, refs)


def purge(source: MailSource, refs: Sequence[Ref]) -> Change:
    """Deletes messages for good: nothing brings them back. Those that others removed meanwhile are not counted."""
    return Change(len(source.delete(refs).before))


def take_back(source: MailSource, undo: Undo) -> int:
    """Undoes a change: moves the messages back to where they were, then gives each the flags that it had. The count of
    messages. Raises Gone when another program renewed one of the folders in the meantime."""
    there: dict[Ref, Ref] = {ref: ref for ref in undo.before}
    groups: dict[FolderId, list[int]] = {}
    for index, (before, now) in enumerate(zip(undo.before, undo.now, strict=True)):
        if before != now:
            groups.setdefault(before.folder, []).append(index)
    for folder, places in groups.items():
        moved = source.move([undo.now[index] for index in places], folder)
        for index, after in zip(places, moved.after, strict=True):
            if after is not None:
                there[undo.before[index]] = after
    for flags, adding in ((undo.gained, False), (undo.lost, True)):
        for flag, places_ in flags:
            refs = [there[undo.before[index]] for index in places_]
            if refs:
                source.set_flags(refs, add=[flag] if adding else [], remove=[] if adding else [flag])
    return len(undo.before)


def special_folder(source: MailSource, role: Role, known: Sequence[Folder] = ()) -> Folder:
    """The folder of a role, among those that were listed a short while ago or those of now; made and subscribed when the
    account has none."""
    for folder in known:
        if folder.role is role and folder.selectable:
            return folder
    found = next((folder for folder in source.folders() if folder.role is role and folder.selectable), None)
    if found is not None:
        return found
    created = source.create_folder(None, DEFAULT_NAMES[role], role=role)
    return next(folder for folder in source.folders() if folder.id == created)


def _deep_below(source: MailSource, root: Folder, path: Iterable[str], known: Sequence[Folder]) -> Folder:
    """The folder at the end of a path of names below another, each made when it is not there."""
    for name in path:
        root = _below(source, root, name, known)
    return root


def _below(source: MailSource, parent: Folder, name: str, known: Sequence[Folder]) -> Folder:
    """The folder of this name below another, made when it is not there."""
    for folder in chain(known, _listed(source)):
        if folder.parent == parent.id and folder.name == name and folder.selectable:
            return folder
    created = source.create_folder(parent.id, name)
    return next(folder for folder in source.folders() if folder.id == created)


def _listed(source: MailSource) -> Iterator[Folder]:
    """The folders of now; they are asked for only when one comes to them."""
    yield from source.folders()


def _marked_and_moved(
    source: MailSource, refs: Sequence[Ref], flags: tuple[tuple[str, ...], tuple[str, ...]], folder: Folder
) -> Change:
    marked = mark(source, refs, add=flags[0], remove=flags[1])
    moved = move(source, marked.undo.before if marked.undo else refs, folder)
    if moved.undo is None or marked.undo is None:
        return Change(marked.count, to=folder)
    now = dict(zip(moved.undo.before, moved.undo.now, strict=True))
    undo = Undo(
        marked.undo.before,
        tuple(now.get(ref, ref) for ref in marked.undo.before),
        marked.undo.gained,
        marked.undo.lost,
    )
    return Change(marked.count, to=folder, undo=undo)


def _moved(source: MailSource, refs: Sequence[Ref], folder: Folder) -> Change:
    """Where the server tells new UIDs, a message without one was gone already: it is not counted, nor told as moved."""
    if not refs:
        return Change(0, to=folder)
    moved = source.move(refs, folder.id)
    pairs = [(old, new) for old, new in zip(moved.before, moved.after, strict=True) if new is not None]
    if not pairs:
        return Change(0 if moved.named else len(refs), to=folder)
    return Change(
        len(pairs), to=folder, undo=Undo(tuple(old for old, _new in pairs), tuple(new for _old, new in pairs))
    )


def _joined(changes: Sequence[Change], to: Folder) -> Change:
    undos = [change.undo for change in changes if change.undo]
    count = sum(change.count for change in changes)
    if len(undos) < len(changes):
        return Change(count, to=to)
    before = tuple(ref for undo in undos for ref in undo.before)
    return Change(count, to=to, undo=Undo(before, tuple(ref for undo in undos for ref in undo.now)))
