"""The folder tree as it is shown."""

from __future__ import annotations

from webmail.services.folders import tree_items
from webmail.services.tags import Tags
from webmail.values import Folder, FolderId, Role


def folder(name: str, role: Role = Role.NONE, **counts: int) -> Folder:
    path = tuple(name.split("/"))
    parent = FolderId("/".join(path[:-1])) if len(path) > 1 else None
    return Folder(FolderId(name), path, parent, role, total=counts.get("total"), unread=counts.get("unread"))


FOLDERS = [
    folder("INBOX", Role.INBOX, total=10, unread=3),
    folder("INBOX/Listas", unread=1),
    folder("Drafts", Role.DRAFTS, total=2, unread=2),
    folder("Archive", Role.ARCHIVE),
    folder("Archive/2024"),
    folder("Junk", Role.JUNK, total=9, unread=7),
    folder("Clientes"),
    folder("Clientes/Viña Aromo", unread=2),
]


def test_special_folders_come_first_with_what_is_below_them() -> None:
    top, own = tree_items(FOLDERS, FolderId("INBOX"))
    assert [item.folder.id for item in top] == ["INBOX", "Drafts", "Archive", "Archive/2024", "Junk"]
    assert [item.folder.id for item in own] == ["INBOX/Listas", "Clientes", "Clientes/Viña Aromo"]


def test_levels_count_from_the_group() -> None:
    top, own = tree_items(FOLDERS, None)
    levels = {item.folder.id: item.level for item in top + own}
    assert levels["Archive/2024"] == 2
    assert levels["INBOX/Listas"] == 1
    assert levels["Clientes/Viña Aromo"] == 2


def test_drafts_count_all_and_junk_is_never_bold() -> None:
    top, _own = tree_items(FOLDERS, None)
    items = {item.folder.id: item for item in top}
    assert (items["Drafts"].count, items["Drafts"].bold) == (2, False)
    assert (items["Junk"].count, items["Junk"].bold) == (7, False)
    assert (items["INBOX"].count, items["INBOX"].bold) == (3, True)


def test_tags_are_thunderbirds_first_and_never_the_technical_keywords() -> None:
    tags = Tags().of({r"\Seen", "$label3", "$Label1", "projekt=20x", "$Forwarded", "NonJunk", "$HasAttachment"})
    assert [(tag.keyword, tag.css) for tag in tags] == [
        ("$Label1", "tag--label1"),
        ("$label3", "tag--label3"),
        ("projekt=20x", ""),
    ]
