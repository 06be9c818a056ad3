"""The folder tree as a person reads it: names in their language, special folders first, counts that matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webmail.values import Folder, FolderId, Role

ROLE_NAMES: dict[Role, Promise] = {
    Role.INBOX: _("Inbox"),
    Role.DRAFTS: _("Drafts"),
    Role.TEMPLATES: _("Templates"),
    Role.SENT: _("Sent"),
    Role.ARCHIVE: _("Archive"),
    Role.JUNK: _("Spam"),
    Role.TRASH: _("Trash"),
    Role.ALL: _("All mail"),
}

ROLE_ICONS: dict[Role, str] = {
    Role.INBOX: "inbox",
    Role.DRAFTS: "pencil-line",
    Role.TEMPLATES: "layout-template",
    Role.SENT: "send",
    Role.ARCHIVE: "archive",
    Role.JUNK: "shield-alert",
    Role.TRASH: "trash-2",
    Role.ALL: "mails",
    Role.NONE: "folder",
}

COUNTS_ALL = frozenset({Role.DRAFTS, Role.TEMPLATES})
"""Folders whose number is all that is in them, not what is unread."""

MAX_LEVEL = 5


@dataclass(frozen=True, slots=True)
class TreeItem:
    """One line of the tree. `count` is what stands at its end (0 = nothing); `bold` when it has unread mail that
    somebody should read; `level` from 1; `closed_under` the id of the parent that folds it ("" at the top)."""

    folder: Folder
    label: str | Promise
    icon: str
    level: int
    count: int
    bold: bool
    current: bool
    parent: str

    @property
    def counts_all(self) -> bool:
        """Whether `count` is all that is in the folder, not what is unread."""
        return self.folder.role in COUNTS_ALL


def folder_label(folder: Folder) -> str | Promise:
    """The folder's name on screen: translated for special folders, the server's own otherwise."""
    return ROLE_NAMES.get(folder.role) or folder.name


def tree_items(folders: Iterable[Folder], current: FolderId | None) -> tuple[list[TreeItem], list[TreeItem]]:
    """The tree in two groups: special folders with what is below them, and the person's own folders. A name without a folder
    behind it (deleted, but still subscribed) is among them, as in Thunderbird, and cannot be chosen."""
    folders = list(folders)
    special = {folder.id for folder in folders if folder.role is not Role.NONE}
    by_id = {folder.id: folder for folder in folders}
    top: list[TreeItem] = []
    own: list[TreeItem] = []
    for folder in folders:
        root = _root(folder, by_id, special)
        (top if root.id in special else own).append(_item(folder, root, by_id, current))
    return top, own


def _root(folder: Folder, by_id: dict[FolderId, Folder], special: set[FolderId]) -> Folder:
    """The special folder above (or at) this one, else its topmost ancestor. Folders below INBOX count as one's own."""
    seen = folder
    while seen.id not in special and seen.parent in by_id:
        above = by_id[seen.parent]
        if above.role is Role.INBOX:
            break
        seen = above
    return seen


def _item(folder: Folder, root: Folder, by_id: dict[FolderId, Folder], current: FolderId | None) -> TreeItem:
    level = 1
    seen = folder
    while seen.id != root.id and seen.parent in by_id:
        seen = by_id[seen.parent]
        level += 1
    unread = folder.unread or 0
    count = (folder.total or 0) if folder.role in COUNTS_ALL else unread
    quiet = folder.role in COUNTS_ALL or folder.role in {Role.JUNK, Role.TRASH}
    return TreeItem(
        folder=folder,
        label=folder_label(folder),
        icon=ROLE_ICONS[folder.role],
        level=min(level, MAX_LEVEL),
        count=count,
        bold=unread > 0 and not quiet,
        current=folder.id == current,
        parent="" if level == 1 else (folder.parent or ""),
    )
