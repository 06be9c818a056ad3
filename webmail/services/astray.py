"""What became of a message that another program removed while it was open here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from webmail.errors import Gone, MailError, Refused
from webmail.mime.report import first_id
from webmail.sources.base import MailSource
from webmail.values import Folder, FolderId, Ref, Role

FOLDERS_LIMIT = 12
"""Folders that are looked into."""
PATIENCE_S = 0.3
"""After so long no further folder is looked into: the page waits."""
ROLES = (Role.TRASH, Role.ARCHIVE, Role.JUNK, Role.INBOX)
"""Where messages go most, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Astray:
    """A message that is not there any more, and where one with its Message-ID is now: None where none was found at once."""

    ref: Ref
    now: Ref | None = None
    folder: Folder | None = None

    @property
    def anew(self) -> bool:
        """Whether it is in the same folder, as another message."""
        return self.now is not None and self.now.folder == self.ref.folder


def find_astray(source: MailSource, folders: Sequence[Folder], ref: Ref, message_id: str) -> Astray | None:
    """None while the message is there, or where that cannot be told now."""
    try:
        if ref in source.flags([ref]):
            return None
    except Gone:
        pass
    except MailError:
        return None
    wanted = first_id(message_id.encode("utf-8", "replace"))
    return _found(source, _likely(folders, ref.folder), ref, wanted) if wanted else Astray(ref)


def _found(source: MailSource, folders: Sequence[Folder], ref: Ref, message_id: str) -> Astray:
    end = time.monotonic() + PATIENCE_S
    for folder in folders:
        if time.monotonic() > end:
            break
        try:
            refs = source.find(folder.id, message_id)
        except (Gone, Refused):
            continue  # that folder went too, or is not ours to read
        except MailError:
            break
        if refs:
            return Astray(ref, refs[-1], folder)
    return Astray(ref)


def _likely(folders: Sequence[Folder], own: FolderId) -> list[Folder]:
    """The folders to look into: special ones, years of the Archive with the latest first, others as they stand, its own last.
    Sent mail is left out, where a message to oneself lies from the beginning."""
    archive = next((one.id for one in folders if one.role is Role.ARCHIVE), None)
    named = sorted((one for one in folders if one.role in ROLES), key=lambda one: ROLES.index(one.role))
    years = sorted(
        (one for one in folders if archive and one.parent == archive), key=lambda one: one.name, reverse=True
    )
    others = [one for one in folders if one.role is Role.NONE]
    mine = [one for one in folders if one.id == own]
    once = {one.id: one for one in [*named, *years, *others] if one.selectable and one.id != own}
    return [*list(once.values())[: FOLDERS_LIMIT - len(mine)], *mine]
