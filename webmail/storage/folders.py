"""The folders that every account's store has."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from accounts.models import MailAccount
from webmail.models import LocalFolder
from webmail.values import Role

NAMES = {
    Role.INBOX: "Inbox",
    Role.DRAFTS: "Drafts",
    Role.SENT: "Sent",
    Role.ARCHIVE: "Archive",
    Role.JUNK: "Junk",
    Role.TRASH: "Trash",
}


def ensure_folders(account: MailAccount) -> dict[Role, LocalFolder]:
    """The special folders of an account's store, made where they are missing."""
    here = {Role(folder.role): folder for folder in LocalFolder.objects.filter(account=account).exclude(role="")}
    for role, name in NAMES.items():
        if role not in here:
            here[role] = _make(account, role, name)
    return here


def note_changes(folders: Iterable[int]) -> None:
    """To be called in the transaction of every change to messages of these folders: what was kept of their lists no longer
    holds (LocalFolder.changes)."""
    LocalFolder.objects.filter(pk__in=set(folders)).update(changes=F("changes") + 1)


def _make(account: MailAccount, role: Role, name: str) -> LocalFolder:
    """A special folder; one of that name at the top becomes it."""
    folder = LocalFolder.objects.filter(account=account, parent=None, name=name, role="").first()
    if folder is not None:
        folder.role = role.value
        folder.save(update_fields=["role"])
        return folder
    folder, _made = LocalFolder.objects.get_or_create(
        account=account, role=role.value, defaults={"name": name, "parent": None}
    )
    return folder
