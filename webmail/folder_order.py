"""Which folders of an account are shown, and in which order."""

from __future__ import annotations

from webmail.values import Folder, FolderId, Role

ORDER = list(Role)
KNOWN_NAMES: dict[Role, tuple[str, ...]] = {
    Role.DRAFTS: ("drafts", "borradores", "draft", "entwürfe", "brouillons"),
    Role.SENT: ("sent", "sent items", "sent messages", "enviados", "elementos enviados", "gesendet", "envoyés"),
    Role.TRASH: (
        "trash",
        "deleted items",
        "deleted messages",
        "papelera",
        "elementos eliminados",
        "papierkorb",
        "corbeille",
    ),
    Role.JUNK: ("junk", "spam", "junk e-mail", "bulk mail", "correo no deseado", "junk email"),
    Role.ARCHIVE: ("archive", "archives", "archivo", "archiv"),
    Role.TEMPLATES: ("templates", "plantillas"),
}
"""What programs call special folders, in lower case, the most usual first."""


def only_subscribed(folders: list[Folder]) -> list[Folder]:
    """Subscribed folders, special ones, and the parents that hold them."""
    by_id = {folder.id: folder for folder in folders}
    keep: set[FolderId] = set()
    for folder in folders:
        if folder.subscribed or folder.role is not Role.NONE:
            seen: Folder | None = folder
            while seen and seen.id not in keep:
                keep.add(seen.id)
                seen = by_id.get(seen.parent) if seen.parent else None
    return [folder for folder in folders if folder.id in keep]


def sort_folders(folders: list[Folder]) -> list[Folder]:
    """Depth first; special folders in Thunderbird's order, then names without regard to case."""
    below: dict[FolderId | None, list[Folder]] = {}
    ids = {folder.id for folder in folders}
    for folder in folders:
        below.setdefault(folder.parent if folder.parent in ids else None, []).append(folder)
    out: list[Folder] = []
    stack = sorted(below.get(None, []), key=_rank, reverse=True)
    while stack:
        folder = stack.pop()
        out.append(folder)
        stack += sorted(below.get(folder.id, []), key=_rank, reverse=True)
    return out


def _rank(folder: Folder) -> tuple[int, str, str]:
    place = ORDER.index(folder.role) if folder.role is not Role.NONE else len(ORDER)
    return place, folder.name.casefold(), folder.id
