"""Bringing mail in from a file, in a way that can be cut anywhere and gone on with: nothing is lost, nothing comes in twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from webmail.errors import Refused
from webmail.mime.headers import decode_header, split_header
from webmail.mime.mbox import Kept
from webmail.services.export import ROLE_NAMES
from webmail.services.import_files import BadFile, Place, read_entries
from webmail.services.organising import special_folder
from webmail.sources.base import MailSource
from webmail.tokens import encode_folder
from webmail.values import Folder, FolderId, PartNumber, Query, Ref, Role

DEPTH_LIMIT = 20
MARKS_LIMIT = 50
BATCH, BATCH_BYTES = 50, 4 * 1024 * 1024
_ROLES = {name.casefold(): role for role, name in ROLE_NAMES.items()}
_WHOLE = PartNumber("")


@dataclass(slots=True)
class Brought:
    """What has come of an import so far. `entries` are the messages of the file that are dealt with; `marks` is the last id
    that each folder had before what comes next is put into it, so that a message whose arrival nobody wrote down is found."""

    stored: int = 0
    doubles: int = 0
    refused: int = 0
    folders: int = 0
    size_bytes: int = 0
    entries: int = 0
    marks: dict[str, int] = field(default_factory=dict)


Progress = Callable[[Brought], None]
"""Called for every message of the file, and before the first one of a folder: what it keeps of `Brought` is where another run
goes on."""


def import_stream(
    source: MailSource,
    file: BinaryIO,
    *,
    folder: Folder | None = None,
    skip_doubles: bool = True,
    progress: Progress | None = None,
    so_far: Brought | None = None,
) -> Brought:
    """Brings in every message of a file that can be sought in; into `folder`, else into folders by the names in the file;
    goes on after `so_far`, if given. Raises BadFile, and other MailErrors of the source; what came in before stays."""
    brought = so_far or Brought()
    into = _Into(source, folder, skip_doubles, brought, progress or _nobody, doubt=so_far is not None)
    done = brought.entries
    try:
        for number, (place, kept) in enumerate(read_entries(file)):
            if number >= done:
                into.take(place, kept)
            into.progress(brought)
    except BadFile:
        into.flush()
        raise
    into.flush()
    return brought


def _nobody(_brought: Brought) -> None:
    """Progress that nobody asked for."""


@dataclass(slots=True)
class _Into:
    """Where the messages go: one folder, or folders by the names in the file, made where they are missing. With `doubt`, the
    next message may be there already, because whoever put it there was killed before it was written down."""

    source: MailSource
    only: Folder | None
    skip_doubles: bool
    brought: Brought
    progress: Progress
    doubt: bool
    _folders: dict[Place, Folder] = field(default_factory=dict)
    _batch: list[tuple[Folder, Kept]] = field(default_factory=list)
    _keys: set[tuple[str, int]] = field(default_factory=set)
    """Message-ID and size of those in the batch, for doubles among themselves."""

    def take(self, place: Place, kept: Kept) -> None:
        """Puts a message where it belongs, alone or with those that follow it."""
        folder = self.only or self._folder(place)
        if self.doubt and (found := self._came_in(folder, kept.raw)):
            self._count(folder, kept, found)
            self.brought.entries += 1
            return
        self.doubt = False
        key = (_message_id(kept.raw), len(kept.raw)) if self.skip_doubles else ("", 0)
        if (key[0] and key in self._keys) or (self._batch and self._batch[0][0].id != folder.id):
            self.flush()
        if key[0] and self._is_here(folder.id, *key):
            self.flush()
            self.brought.doubles += 1
            self.brought.entries += 1
            return
        self._mark(folder)
        self._batch.append((folder, kept))
        self._keys.add(key)
        full = sum(len(one.raw) for _folder, one in self._batch) >= BATCH_BYTES or len(self._batch) >= BATCH
        if full or not self.source.can.batches:
            self.flush()

    def flush(self) -> None:
        """Stores what has been gathered; nothing else of it is told before."""
        batch, self._batch, self._keys = self._batch, [], set()
        if not batch:
            return
        self._store(batch[0][0], [kept for _folder, kept in batch])

    def _store(self, folder: Folder, messages: list[Kept]) -> None:
        try:
            refs = self.source.append_all(folder.id, messages)
        except Refused:
            if len(messages) > 1:
                for kept in messages:
                    self._store(folder, [kept])
                return
            self.brought.refused += 1
        else:
            for kept, ref in zip(messages, refs, strict=True):
                self._count(folder, kept, ref)
        self.brought.entries += len(messages)
        self.progress(self.brought)

    def _count(self, folder: Folder, kept: Kept, ref: Ref | None) -> None:
        self.brought.stored += 1
        self.brought.size_bytes += len(kept.raw)
        if ref is not None:
            self.brought.marks[encode_folder(folder.id)] = int(ref.id)

    def _mark(self, folder: Folder) -> None:
        marks, token = self.brought.marks, encode_folder(folder.id)
        if token in marks:
            return
        while len(marks) >= MARKS_LIMIT:
            del marks[next(iter(marks))]
        marks[token] = max((int(ref.id) for ref in self.source.refs(folder.id, Query())), default=0)
        self.progress(self.brought)

    def _came_in(self, folder: Folder, raw: bytes) -> Ref | None:
        """The message of these very octets that came into the folder after its mark."""
        last = self.brought.marks.get(encode_folder(folder.id))
        if last is None:
            return None
        new = [ref for ref in self.source.refs(folder.id, Query()) if int(ref.id) > last]
        like = [row.ref for row in self.source.summaries(new) if row.size_bytes == len(raw)] if new else []
        for ref in sorted(like, key=lambda ref: int(ref.id)):
            if b"".join(self.source.part(ref, _WHOLE)) == raw:
                return ref
        return None

    def _is_here(self, folder: FolderId, message_id: str, size_bytes: int) -> bool:
        """By Message-ID and size; a message without a Message-ID is never taken for another."""
        found = self.source.find(folder, message_id)
        return any(row.size_bytes == size_bytes for row in self.source.summaries(found)) if found else False

    def _folder(self, place: Place) -> Folder:
        place = tuple(_clean(name) for name in place[:DEPTH_LIMIT]) or ("INBOX",)
        if place not in self._folders:
            self._folders[place] = self._find(place)
            self.brought.folders = max(self.brought.folders, len(self._folders))
        return self._folders[place]

    def _find(self, place: Place) -> Folder:
        at: Folder | None = None
        for depth, name in enumerate(place):
            role = _ROLES.get(name.casefold()) if depth == 0 else None
            at = self._special(role) if role else self._below(at, name)
        assert at is not None
        return at

    def _special(self, role: Role) -> Folder:
        if role is Role.INBOX:
            return next(folder for folder in self.source.folders() if folder.role is role)
        return special_folder(self.source, role)

    def _below(self, parent: Folder | None, name: str) -> Folder:
        wanted: FolderId | None = parent.id if parent else None
        for folder in self.source.folders():
            if folder.parent == wanted and folder.name == name and folder.selectable:
                return folder
        made = self.source.create_folder(wanted, name)
        return next(folder for folder in self.source.folders() if folder.id == made)


def _message_id(raw: bytes) -> str:
    fields = {name.lower(): value for name, value in split_header(raw)[0]}
    return decode_header(fields.get("message-id", b""))[:1000]


def _clean(name: str) -> str:
    """A folder's name that a mailbox can have."""
    kept = "".join(char if char.isprintable() and char not in "*%/" else "_" for char in name).strip()
    return kept[:100] or "_"
