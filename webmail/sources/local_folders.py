"""The folders of the store: found, made, renamed, moved, deleted."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import MailAccount
from webmail.errors import FolderGone, Refused
from webmail.models import LocalFolder, LocalMessage
from webmail.sources.local_rows import CHUNK, DEPTH_LIMIT, INBOX, folder_id_of, line_of, path_of
from webmail.storage.folders import ensure_folders
from webmail.values import Folder, FolderId, Role

NAME_LIMIT = 120


class LocalFolders:
    """The part of a `MailSource` that is about folders, over the store of one account."""

    def __init__(self, account: MailAccount) -> None:
        self._account = account

    def create_folder(self, parent: FolderId | None, name: str, *, role: Role = Role.NONE) -> FolderId:
        above = self._folder(parent) if parent is not None else None
        self._check_name(above, name)
        if above is not None and len(path_of(above, None)) >= DEPTH_LIMIT:
            raise Refused("too deep")
        if role is not Role.NONE and LocalFolder.objects.filter(account=self._account, role=role.value).exists():
            role = Role.NONE
        row = LocalFolder.objects.create(account=self._account, parent=above, name=name, role=role.value)
        return folder_id_of(row)

    def rename_folder(self, folder: Folder, parent: FolderId | None, name: str) -> FolderId:
        row = self._folder(folder.id)
        if row.role == Role.INBOX:
            raise Refused("the Inbox stays where it is")
        above = self._folder(parent) if parent is not None else None
        if above is not None and row.pk in line_of(above):
            raise Refused("a folder cannot be moved into itself")
        self._check_name(above, name, but=row.pk)
        LocalFolder.objects.filter(pk=row.pk).update(parent=above, name=name)
        return folder.id

    def delete_folder(self, folder: Folder) -> None:
        row = self._folder(folder.id)
        if row.role == Role.INBOX:
            raise Refused("the Inbox cannot be deleted")
        with transaction.atomic():
            pks, level = [row.pk], [row.pk]
            while level := list(LocalFolder.objects.filter(parent__in=level).values_list("pk", flat=True)):
                pks += level
            messages = list(self._messages().filter(folder__in=pks).values_list("pk", flat=True))
            for at in range(0, len(messages), CHUNK):
                self._messages().filter(pk__in=messages[at : at + CHUNK]).delete()
            row.delete()

    def subscribe(self, folder: FolderId, *, on: bool) -> None:
        LocalFolder.objects.filter(pk=self._folder(folder).pk).update(subscribed=on)

    def _check_name(self, parent: LocalFolder | None, name: str, *, but: int = 0) -> None:
        if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable() or set(name) & set("*%"):
            raise Refused("not a name for a folder")
        beside = LocalFolder.objects.filter(account=self._account, parent=parent, name=name).exclude(pk=but)
        if beside.exists():
            raise Refused("a folder of this name is there already")

    def _messages(self) -> QuerySet[LocalMessage]:
        return LocalMessage.objects.filter(account=self._account)

    def _folder_rows(self) -> list[LocalFolder]:
        rows = list(LocalFolder.objects.filter(account=self._account))
        if not any(row.role == Role.INBOX for row in rows):
            ensure_folders(self._account)
            rows = list(LocalFolder.objects.filter(account=self._account))
        return rows

    def _folder(self, folder: FolderId) -> LocalFolder:
        rows = LocalFolder.objects.filter(account=self._account)
        if folder == INBOX:
            return rows.filter(role=Role.INBOX).first() or ensure_folders(self._account)[Role.INBOX]
        if not folder.isascii() or not folder.isdigit() or len(folder) > 18:
            raise FolderGone("no such folder")
        row = rows.filter(pk=int(folder)).exclude(role=Role.INBOX).first()
        if row is None:
            raise FolderGone("the folder is not there any more")
        return row
