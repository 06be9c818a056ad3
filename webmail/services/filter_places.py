"""The folders into which a filter may put mail, by the names that Sieve has for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webmail.imap.folders import decode_name
from webmail.services.folders import folder_label
from webmail.sieve.rules import FOLDER_LIMIT
from webmail.values import Folder, Role


@dataclass(frozen=True, slots=True)
class Place:
    """A folder as `fileinto` names it, as people read it, and what it is for."""

    name: str
    label: str
    role: Role = Role.NONE


def folder_places(folders: Iterable[Folder], current: str = "") -> list[Place]:
    """The folders that can be chosen, but for the inbox; `current` among them although it may be gone."""
    found = [
        Place(name, _label(one), one.role)
        for one in folders
        if one.selectable and one.role is not Role.INBOX and len(name := decode_name(one.id)) <= FOLDER_LIMIT
    ]
    if current and all(place.name != current for place in found):
        found.append(Place(current, current))
    return found


def _label(folder: Folder) -> str:
    return "/".join((*folder.path[:-1], str(folder_label(folder))))
