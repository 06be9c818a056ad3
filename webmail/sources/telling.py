"""The store of downloaded mail, with open pages told of what is changed in it: no server does that here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings

from accounts.models import MailAccount
from webmail.live.events import NO_FOLDER, Event, Kind, publish
from webmail.mime.mbox import Kept
from webmail.moves import Moved
from webmail.sources.local import LocalSource
from webmail.values import Folder, FolderId, Ref, Role


class TellingStore(LocalSource):
    """A `LocalSource` that publishes what was done through it, each thing once, when it is closed."""

    def __init__(self, account: MailAccount) -> None:
        super().__init__(account)
        self._account_id = account.pk
        self._events: dict[Event, None] = {}

    def close(self) -> None:
        events, self._events = self._events, {}
        if events:
            publish(settings.REDIS_URL, *events)

    def _note(self, kind: Kind, *folders: FolderId) -> None:
        self._events |= dict.fromkeys(Event(self._account_id, kind, folder) for folder in folders)

    def set_flags(
        self, refs: Iterable[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = (), wait: bool = True
    ) -> None:
        refs = list(refs)
        super().set_flags(refs, add=add, remove=remove, wait=wait)
        self._note(Kind.FLAGS, *(ref.folder for ref in refs))

    def move(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        moved = super().move(refs, folder)
        self._note(Kind.GONE, *(ref.folder for ref in moved.before))
        self._note(Kind.NEW, folder)
        return moved

    def copy(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        copied = super().copy(refs, folder)
        self._note(Kind.NEW, folder)
        return copied

    def delete(self, refs: Iterable[Ref]) -> Moved:
        moved = super().delete(refs)
        self._note(Kind.GONE, *(ref.folder for ref in moved.before))
        return moved

    def append_all(self, folder: FolderId, messages: Sequence[Kept]) -> Sequence[Ref | None]:
        stored = super().append_all(folder, messages)
        self._note(Kind.NEW, folder)
        return stored

    def create_folder(self, parent: FolderId | None, name: str, *, role: Role = Role.NONE) -> FolderId:
        made = super().create_folder(parent, name, role=role)
        self._note(Kind.FOLDERS, NO_FOLDER)
        return made

    def rename_folder(self, folder: Folder, parent: FolderId | None, name: str) -> FolderId:
        renamed = super().rename_folder(folder, parent, name)
        self._note(Kind.FOLDERS, NO_FOLDER)
        return renamed

    def delete_folder(self, folder: Folder) -> None:
        super().delete_folder(folder)
        self._note(Kind.FOLDERS, NO_FOLDER)
