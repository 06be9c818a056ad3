"""Which folder is for what: chosen by the owner, and two folders for the same thing made one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import MailAccount
from accounts.numbers import read_number
from webmail.errors import Refused
from webmail.folder_order import KNOWN_NAMES
from webmail.models import LocalFolder
from webmail.services.organising import special_folder
from webmail.sources.base import MailSource
from webmail.tokens import encode_folder
from webmail.values import Folder, FolderId, Query, Ref, Role

CHOOSABLE = (Role.DRAFTS, Role.TEMPLATES, Role.SENT, Role.ARCHIVE, Role.JUNK, Role.TRASH)
APART = "apart"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Rival:
    """A folder that looks as if it were for the same thing as the special folder of the account."""

    role: Role
    main: Folder
    other: Folder


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: messages moved, and those that were there already and went to the Trash. `left` are for the next
    step."""

    moved: int
    doubles: int
    left: int


def find_rivals(account: MailAccount, folders: Sequence[Folder]) -> list[Rival]:
    """The folders at the top, or below the Inbox, whose name says that they are for what another one is used for."""
    apart = set(account.special_folders.get(APART, []))
    main = {folder.role: folder for folder in folders if folder.role is not Role.NONE}
    inbox = main.get(Role.INBOX)
    found = []
    for folder in folders:
        top = folder.parent is None or (inbox is not None and folder.parent == inbox.id)
        if folder.role is not Role.NONE or not folder.selectable or not top or encode_folder(folder.id) in apart:
            continue
        for role, names in KNOWN_NAMES.items():
            if role in main and folder.name.casefold() in names:
                found.append(Rival(role, main[role], folder))
    return found


def choose_folder(account: MailAccount, source: MailSource, role: Role, folder: FolderId | None) -> None:
    """Makes a folder the one for `role`; None = as the server says. Raises Refused for one that is for something else."""
    if role not in CHOOSABLE:
        raise Refused("not a role to choose for")
    if account.downloads:
        _choose_here(account, role, folder)
        return
    if folder is not None:
        target = next((one for one in source.folders() if one.id == folder and one.selectable), None)
        if target is None or target.role not in {Role.NONE, role}:
            raise Refused("not a folder to choose")
    chosen = {name: token for name, token in account.special_folders.items() if name != role}
    if folder is not None:
        chosen[role.value] = encode_folder(folder)
    _save(account, chosen)


def _choose_here(account: MailAccount, role: Role, folder: FolderId | None) -> None:
    """In the store of downloaded mail the folder's own row says it."""
    rows = LocalFolder.objects.filter(account=account)
    if folder is None:
        return
    row = rows.filter(pk=read_number(folder) or 0).first()
    if row is None or row.role not in {"", role.value}:
        raise Refused("not a folder to choose")
    rows.filter(role=role.value).exclude(pk=row.pk).update(role="")
    rows.filter(pk=row.pk).update(role=role.value)


def leave_apart(account: MailAccount, folder: FolderId) -> None:
    """Says no more that this folder looks like a special one."""
    apart = [*account.special_folders.get(APART, []), encode_folder(folder)]
    _save(account, account.special_folders | {APART: sorted(set(apart))})


def merge_folder(source: MailSource, rival: Rival) -> Merged:
    """Moves the messages of the other folder into the special one, a batch at a time, oldest first; what is there already (the
    same Message-ID and size) goes to the Trash instead. Called again until nothing is left."""
    refs = source.refs(rival.other.id, Query(descending=False))
    batch = refs[:BATCH]
    doubles = _doubles(source, batch, rival.main.id)
    trash = special_folder(source, Role.TRASH)
    fresh = [ref for ref in batch if ref not in doubles]
    if fresh:
        source.move(fresh, rival.main.id)
    if doubles and trash.id != rival.main.id:
        source.move(sorted(doubles, key=lambda ref: int(ref.id)), trash.id)
    elif doubles:
        source.move(sorted(doubles, key=lambda ref: int(ref.id)), rival.main.id)
    return Merged(len(fresh), len(doubles), len(refs) - len(batch))


def _doubles(source: MailSource, refs: Sequence[Ref], folder: FolderId) -> set[Ref]:
    """Those that the folder has too. A message without a Message-ID is never taken for another."""
    found = set()
    for row in source.summaries(refs):
        if row.message_id:
            same = source.summaries(source.find(folder, row.message_id))
            if any(one.size_bytes == row.size_bytes for one in same):
                found.add(row.ref)
    return found


def _save(account: MailAccount, chosen: dict[str, object]) -> None:
    account.special_folders = chosen
    account.save(update_fields=["special_folders"])
