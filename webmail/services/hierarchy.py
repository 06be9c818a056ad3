"""Managing folders: make, rename, move, delete, hide and empty them, and how each of it is taken back."""

from __future__ import annotations

import secrets
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.core.cache import cache

from webmail.errors import FolderGone, FolderRenewed, Refused
from webmail.services.organising import special_folder
from webmail.sources.base import MailSource
from webmail.values import Folder, FolderId, Query, Ref, Role, Window

NAME_LIMIT = 120
FORBIDDEN = frozenset("%*")
"""Wildcards of LIST (RFC 9051 section 6.3.9): no server could list such a folder alone."""

EMPTIED = frozenset({Role.TRASH, Role.JUNK})
BATCH = 1000
"""Messages that are deleted for good in one step, so that a person sees it go on and can stop it."""

KEEP_S = 900


class NameRefused(Refused):
    """A name that no folder can have; `code` says why: empty, long, signs or taken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a folder and in those below it: messages, and how many folders are below."""

    messages: int
    folders: int

    def exceeds(self, other: Contents) -> bool:
        """Whether there is more in it than a person was told."""
        return self.messages > other.messages or self.folders > other.folders


@dataclass(frozen=True, slots=True)
class Undo:
    """Enough to take a change of folders back: where one belongs (id now, parent, name), or which ones are to be shown or
    hidden again."""

    place: tuple[FolderId, FolderId | None, str] | None = None
    folders: tuple[FolderId, ...] = ()
    subscribed: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What was done: the folder's id now (None = it is gone), the ids before and after of it and those below, its undo
    (None = it cannot be taken back)."""

    folder: FolderId | None
    ids: dict[FolderId, FolderId] = field(default_factory=dict)
    undo: Undo | None = None


def listed_with(source: MailSource, folder_id: FolderId) -> list[Folder]:
    """The folders, asked for anew where the list does not have this one: another program may have made it a moment ago."""
    folders = source.folders()
    return folders if any(folder.id == folder_id for folder in folders) else source.folders(fresh=True)


def find(folders: Iterable[Folder], folder_id: FolderId) -> Folder:
    """The folder with this id, also one that is only a subscribed name. Raises FolderGone."""
    for folder in folders:
        if folder.id == folder_id:
            return folder
    raise FolderGone("no such folder")


def exists(folder: Folder) -> bool:
    """Whether there is a folder behind the name: mail can be in it, or folders are below it."""
    return folder.selectable or folder.has_children


def below(folders: Iterable[Folder], folder: Folder) -> list[Folder]:
    """All folders below one, at any depth, parents first."""
    inside = {folder.id}
    found = []
    for one in folders:
        if one.parent in inside and one.id not in inside:
            inside.add(one.id)
            found.append(one)
    return found


def above(folders: Sequence[Folder], folder: Folder) -> list[Folder]:
    """The folders above one, the nearest first."""
    by_id = {one.id: one for one in folders}
    found: list[Folder] = []
    while folder.parent in by_id and by_id[folder.parent] not in found:
        folder = by_id[folder.parent]
        found.append(folder)
    return found


def is_protected(folders: Iterable[Folder], folder: Folder) -> bool:
    """Whether it is a special folder or holds one: those are neither renamed, moved, hidden nor deleted."""
    return any(one.role is not Role.NONE for one in (folder, *below(folders, folder)))


def in_trash(folders: Sequence[Folder], folder: Folder) -> bool:
    """Whether it lies below the Trash."""
    return any(one.role is Role.TRASH for one in above(folders, folder))


def hidden(folders: Iterable[Folder]) -> list[Folder]:
    """The folders that nobody subscribes to: they are not in the tree unless all are."""
    return [one for one in folders if not one.subscribed and one.role is Role.NONE and exists(one)]


def places(folders: Sequence[Folder], folder: Folder | None = None) -> list[Folder]:
    """The folders below which another can be: for `folder` all but itself and those below it, for None all."""
    without = {one.id for one in (folder, *below(folders, folder))} if folder else set()
    return [one for one in folders if exists(one) and one.id not in without]


def contents(source: MailSource, folders: Sequence[Folder], folder: Folder) -> Contents:
    """Counts what is in a folder and below it."""
    inside = below(folders, folder)
    return Contents(sum(_count(source, one) for one in (folder, *inside)), len(inside))


def inner_contents(source: MailSource, folders: Sequence[Folder], folder: Folder) -> Contents:
    """The same for the folders that go when this one is emptied: those below the Trash; none of Junk."""
    counted = [contents(source, folders, one) for one in _emptied(folders, folder)]
    return Contents(sum(one.messages for one in counted), sum(one.folders + 1 for one in counted))


def create(source: MailSource, folders: Sequence[Folder], *, parent: FolderId | None, name: str) -> FolderId:
    """Makes a folder, subscribed. Raises NameRefused, and Refused when the server does not take it."""
    return source.create_folder(parent, _clean(folders, parent, name))


def rename(source: MailSource, folders: Sequence[Folder], folder: Folder, *, name: str) -> Change:
    """Gives a folder another name. Raises NameRefused, and Refused when the server does not take it."""
    if name.strip() == folder.name:
        return Change(folder.id)
    return _place(source, folders, folder, folder.parent, _clean(folders, folder.parent, name))


def move(source: MailSource, folders: Sequence[Folder], folder: Folder, *, parent: FolderId | None) -> Change:
    """Puts a folder below another (None = at the top) with all that is in it. Raises NameRefused when one of its name is
    there already, and Refused."""
    if parent == folder.parent:
        return Change(folder.id)
    if folder.name in {one.name for one in _children(folders, parent)}:
        raise NameRefused("taken")
    return _place(source, folders, folder, parent, folder.name)


def trash(source: MailSource, folders: Sequence[Folder], folder: Folder) -> Change:
    """Moves a folder below the Trash, under a free name. Raises Refused where the server has no folders in it."""
    bin_ = special_folder(source, Role.TRASH)
    if bin_.id in {one.id for one in (folder, *below(folders, folder))}:
        raise Refused("the Trash is in it")
    taken = {one.name.casefold() for one in _children(source.folders(), bin_.id)}
    plain = "".join("_" if char in FORBIDDEN or not char.isprintable() else char for char in folder.name)[:NAME_LIMIT]
    names = [plain, *(f"{plain[: NAME_LIMIT - 6]} ({number})" for number in range(2, 1000))]
    name = next((one for one in names if one.casefold() not in taken), None)
    if name is None:
        raise Refused("no free name in the Trash")
    change = _place(source, folders, folder, bin_.id, name)
    return change if plain == folder.name else Change(change.folder, change.ids)


def purge(source: MailSource, folders: Sequence[Folder], folder: Folder) -> Change:
    """Deletes a folder with all that is in it, for good."""
    if is_protected(folders, folder):
        raise Refused("a special folder")
    source.delete_folder(folder)
    return Change(None, {one.id: one.id for one in (folder, *below(folders, folder))})


def hide(source: MailSource, folders: Sequence[Folder], folder: Folder) -> Change:
    """Ends the subscription of a folder and of all below it: no program shows them; their mail stays."""
    ended = [one for one in (folder, *below(folders, folder)) if one.subscribed]
    for one in ended:
        source.subscribe(one.id, on=False)
    real = tuple(one.id for one in ended if exists(one))
    return Change(folder.id, undo=Undo(folders=real, subscribed=True) if real else None)


def show(source: MailSource, folder: Folder) -> Change:
    """Subscribes a folder: every program shows it."""
    source.subscribe(folder.id, on=True)
    return Change(folder.id, undo=Undo(folders=(folder.id,), subscribed=False))


def mark_of(source: MailSource, folder: Folder) -> tuple[int, Ref]:
    """How many messages a folder has, and the ref that the next one would have at least: what comes later is not emptied
    with it."""
    page = source.page(folder.id, Query(), Window(0, 1))
    return page.total, Ref(folder.id, page.validity, str(page.next_id))


def empty_inner(source: MailSource, folders: Sequence[Folder], folder: Folder) -> int:
    """Deletes for good the folders that go when this one is emptied; how many there were."""
    count = inner_contents(source, folders, folder).folders
    for one in _emptied(folders, folder):
        source.delete_folder(one)
    return count


def empty_step(source: MailSource, folder: Folder, upto: Ref) -> tuple[int, int]:
    """Deletes for good up to BATCH messages that were there at `upto`; how many it deleted, and how many are left. Raises
    FolderRenewed when the folder was made anew."""
    if folder.role not in EMPTIED:
        raise Refused("not a folder that is emptied")
    found = source.refs(folder.id, Query())
    if any(ref.validity != upto.validity for ref in found[:1]):
        raise FolderRenewed("the folder was made anew")
    limit = int(upto.id) or sys.maxsize
    doomed = [ref for ref in found if int(ref.id) < limit]
    if doomed:
        source.delete(doomed[:BATCH])
    return len(doomed[:BATCH]), len(doomed[BATCH:])


def take_back(source: MailSource, undo: Undo) -> Change:
    """Undoes a change. Raises FolderGone when the folder, or the one it was below, is not there any more."""
    folders = source.folders()
    if undo.place is None:
        known = [one for one in undo.folders if any(folder.id == one for folder in folders)]
        for one in known:
            source.subscribe(one, on=undo.subscribed)
        if not known:
            raise FolderGone("no such folder")
        return Change(known[0])
    now, parent, name = undo.place
    folder = find(folders, now)
    if parent is not None:
        find(folders, parent)
    return _place(source, folders, folder, parent, name)


def keep_undo(user_id: int, account_id: int, undo: Undo) -> str:
    """Keeps an undo for a quarter of an hour; gives the token that takes it out once."""
    token = secrets.token_urlsafe(16)
    cache.set(_key(user_id, account_id, token), (undo.place, undo.folders, undo.subscribed), KEEP_S)
    return token


def take_undo(user_id: int, account_id: int, token: str) -> Undo | None:
    """The undo of a token, once; None when it has run out or was taken."""
    key = _key(user_id, account_id, token)
    kept = cache.get(key)
    if kept is None or not cache.delete(key):
        return None
    place, folders, subscribed = kept
    return Undo(place, folders, subscribed)


def _place(source: MailSource, folders: Sequence[Folder], folder: Folder, parent: FolderId | None, name: str) -> Change:
    if is_protected(folders, folder):
        raise Refused("a special folder")
    inside = below(folders, folder)
    new = source.rename_folder(folder, parent, name)
    ids = {one.id: FolderId(new + one.id[len(folder.id) :]) for one in (folder, *inside)}
    return Change(new, ids, Undo(place=(new, folder.parent, folder.name)))


def _clean(folders: Iterable[Folder], parent: FolderId | None, name: str) -> str:
    """A name as it goes to the server. Raises NameRefused."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise NameRefused("empty")
    if len(name) > NAME_LIMIT:
        raise NameRefused("long")
    if not name.isprintable() or FORBIDDEN & set(name):
        raise NameRefused("signs")
    if name in {one.name for one in _children(folders, parent)} or (parent is None and name.upper() == "INBOX"):
        raise NameRefused("taken")
    return name


def _children(folders: Iterable[Folder], parent: FolderId | None) -> list[Folder]:
    """The folders right below one (None = at the top) that are really there."""
    return [one for one in folders if one.parent == parent and exists(one)]


def _emptied(folders: Sequence[Folder], folder: Folder) -> list[Folder]:
    if folder.role is not Role.TRASH:
        return []
    return [one for one in folders if one.parent == folder.id and not is_protected(folders, one)]


def _count(source: MailSource, folder: Folder) -> int:
    if not folder.selectable:
        return 0
    return folder.total if folder.total is not None else len(source.refs(folder.id, Query()))


def _key(user_id: int, account_id: int, token: str) -> str:
    return f"folder-undo:{user_id}:{account_id}:{token[:40]}"
