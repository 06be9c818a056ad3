"""The live source: what the page shows is what the server has now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Self

from webmail.errors import Gone, Refused
from webmail.imap.changes import (
    append_message,
    batches,
    copy_messages,
    expunge,
    move_undeleted,
    moves_undeleted,
)
from webmail.imap.connection import EXPUNGED, check
from webmail.imap.fetch import Fetched, by_uid, fetch_command
from webmail.imap.find import find_message
from webmail.imap.folders import list_folders
from webmail.imap.hierarchy import create_folder, delete_folders, rename_folder, subscribe
from webmail.imap.login import connect
from webmail.imap.pool import Key, Open
from webmail.imap.session import Session
from webmail.imap.sizes import read_sizes
from webmail.live.marks import EVERY
from webmail.mime.choose import choose_bodies
from webmail.mime.mbox import Kept
from webmail.mime.threads import ids_among
from webmail.moves import Moved, MoveEnded
from webmail.sources.cache import MailCache
from webmail.sources.guessing import GUESSED_ITEMS, has_guessed
from webmail.sources.imap_flags import ImapFlags, flags_name
from webmail.sources.imap_lists import uid_of
from webmail.sources.kept import Answers
from webmail.sources.letter import (
    BODY_LIMIT_BYTES,
    HEADER_LIMIT_BYTES,
    UNKNOWN,
    Told,
    build_bodies,
    build_message,
    check_part_number,
)
from webmail.sources.logging_in import pool_key
from webmail.sources.moving import Mover
from webmail.sources.packing import FLAGS
from webmail.values import Credentials, Endpoint, Folder, FolderId, Message, Part, PartNumber, Ref, Role, Summary

CHUNK_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024

HEAD_ITEMS = b"UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.%d>" % HEADER_LIMIT_BYTES


def open_imap(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    account_key: str,
    ca_file: str = "",
    redis_url: str = "",
    roles: Mapping[Role, FolderId] | None = None,
    account_id: int | None = None,
    folder: FolderId | None = None,
    page: str = "",
) -> ImapSource:
    """The source of an account, on a kept-open connection. It connects when something is first asked of it. `roles` are the
    special folders that its owner has chosen; `account_id` is the row under which moves in two steps are written down;
    `folder` is the one that will be asked for, as far as is known; `page` the page that asks, for what is changed."""
    return ImapSource(
        pool_key(endpoint, credentials, account_key),
        lambda: connect(endpoint, credentials, ca_file=ca_file),
        MailCache(redis_url, account_key),
        roles or {},
        account_id,
        folder,
        page,
    )


class ImapSource(ImapFlags):
    """A `MailSource` over one leased IMAP connection."""

    def __init__(
        self,
        key: Key,
        open_: Open,
        cache: MailCache,
        roles: Mapping[Role, FolderId] | None = None,
        account_id: int | None = None,
        folder: FolderId | None = None,
        page: str = "",
    ) -> None:
        super().__init__(
            Session(key, open_, folder), cache, roles or {}, Answers(cache.later, cache.redis, account_id, page)
        )
        self._mover = Mover(self._session, account_id)
        self._structures: dict[Ref, Part] = {}

    def close(self) -> None:
        self._settle()
        self._session.close()
        self._cache.later.flush()
        self._sorting.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- one message ------------------------------------------------------------------------------------------------

    def message(self, ref: Ref) -> Message:
        message = self._session.read(lambda: self._message(ref))
        self._answers.keep_looked(*flags_name(ref), FLAGS, [message.summary.flags])
        ids = ids_among((header.name, header.value.encode("utf-8", "replace")) for header in message.headers)
        self._cache.keep_ids(ref, [one.decode() for one in ids if one.isascii()])
        return message

    def _message(self, ref: Ref) -> Message:
        """One round trip when the MIME tree is known from the list, or the texts are where they mostly are; else two."""
        structure = self._known_structure(ref)
        if structure is not None:
            shown, files = choose_bodies(structure)
            fetched = self._fetch_one(ref, HEAD_ITEMS + (b" " + _body_items(shown) if shown else b""))
            return build_message(ref, _told(fetched), structure, build_bodies(shown, _texts(fetched)), files)
        head = self._fetch_head(ref)
        structure = head.structure()
        shown, files = choose_bodies(structure or UNKNOWN)
        self._keep_structure(ref, structure)
        fetched = head if has_guessed(head, shown) else self._fetch_one(ref, b"UID " + _body_items(shown))
        return build_message(ref, _told(head), structure, build_bodies(shown, _texts(fetched)), files)

    def _fetch_head(self, ref: Ref) -> Fetched:
        """Header, MIME tree and what is guessed of the texts; without the tree where the server cannot make it."""
        guessed = b" " + GUESSED_ITEMS if self.connection.is_dovecot else b""
        try:
            return self._fetch_one(ref, HEAD_ITEMS + b" BODYSTRUCTURE" + guessed)
        except Refused:
            return self._fetch_one(ref, HEAD_ITEMS)

    def _known_structure(self, ref: Ref) -> Part | None:
        return self._structures.get(ref) or self._cache.structure(ref)

    def _keep_structure(self, ref: Ref, structure: Part | None) -> None:
        self._structures[ref] = structure or UNKNOWN
        if structure is not None:
            self._cache.keep_structures({ref: structure})

    def structure(self, ref: Ref) -> Part:
        known = self._known_structure(ref)
        if known is None:
            structure = self._session.read(lambda: self._fetch_one(ref, b"UID BODYSTRUCTURE")).structure()
            self._keep_structure(ref, structure)
            known = structure or UNKNOWN
        return known

    def header(self, ref: Ref) -> bytes:
        item = b"UID BODY.PEEK[HEADER]<0.%d>" % HEADER_LIMIT_BYTES
        return self._session.read(lambda: self._fetch_one(ref, item)).section()

    def part(self, ref: Ref, number: PartNumber) -> Iterator[bytes]:
        check_part_number(number)
        start = 0
        while True:
            item = b"UID BODY.PEEK[%s]<%d.%d>" % (number.encode("ascii"), start, CHUNK_BYTES)
            data = self._session.read(lambda item=item: self._fetch_one(ref, item)).section()  # type: ignore[misc]
            for at in range(0, len(data), PIECE_BYTES):
                yield data[at : at + PIECE_BYTES]
            start += len(data)
            if len(data) < CHUNK_BYTES:
                return

    def _fetch_one(self, ref: Ref, items: bytes) -> Fetched:
        """Items of one message. Raises Gone when it is not there, or marked as deleted: what comes back is of the UID that
        was asked, in a folder with the UIDVALIDITY that the ref has, or nothing."""
        uid = uid_of(ref)
        state, flight = self._session.valid(ref, fetch_command([uid], items))
        if uid in state.deleted:
            raise Gone("the message is marked as deleted")
        check(flight.ends[0])
        fetched = by_uid(flight, [uid]).get(uid)
        if fetched is None or flight.ends[0].code.upper() == EXPUNGED:  # Dovecot then gives NIL, with OK
            raise Gone("the message is not there any more")
        return fetched

    def sizes(self, folder: FolderId, *, most: int) -> list[tuple[datetime, int]]:
        return self._session.read(lambda: list(read_sizes(self._session, folder, most=most)))

    def summaries(self, refs: Iterable[Ref]) -> list[Summary]:
        refs = list(refs)
        return self._session.read(lambda: self._summaries(refs))

    def _summaries(self, refs: list[Ref]) -> list[Summary]:
        rows: list[Summary] = []
        for state, uids in self._by_folder(refs):
            for batch in batches(uids):
                rows += self._rows.read(state, batch, {})
        return rows

    def find(self, folder: FolderId, message_id: str, *, deleted: bool = False) -> list[Ref]:
        return self._session.read(lambda: find_message(self._session, folder, message_id, deleted=deleted))

    # --- changing ---------------------------------------------------------------------------------------------------

    def move(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        refs = list(refs)
        after = self._moved_at_once(refs, folder) if self._may_move_at_once(refs, folder) else self._moved(refs, folder)
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs), self.connection.has("UIDPLUS"))

    def _moved(self, refs: list[Ref], folder: FolderId) -> dict[Ref, Ref]:
        after: dict[Ref, Ref] = {}
        for state, uids in self._by_folder(refs):
            if state.folder == folder:
                continue
            with self._changing(state.folder, folder):
                validity, pairs = self._mover.move(state, uids, folder)
            after |= _paired(Ref(state.folder, state.validity, ""), Ref(folder, validity, ""), pairs)
        return after

    def _may_move_at_once(self, refs: list[Ref], folder: FolderId) -> bool:
        """Whether the messages are in the one folder that is selected for certain, on a connection that is not known to be dead:
        a move is never sent twice."""
        if len({(ref.folder, ref.validity) for ref in refs}) != 1 or refs[0].folder == folder:
            return False
        newest = max(map(uid_of, refs))
        if self._session.is_at(refs[0], 0) and not self._session.is_at(refs[0], newest):
            self._session.read(lambda: self._session.valid(refs[0]))
        connection = self.connection
        return self._session.is_at(refs[0], newest) and moves_undeleted(connection) and connection.is_quiet

    def _moved_at_once(self, refs: list[Ref], folder: FolderId) -> dict[Ref, Ref]:
        with self._changing(refs[0].folder, folder):
            validity, pairs = move_undeleted(self.connection, [uid_of(ref) for ref in refs], folder)
        return _paired(refs[0], Ref(folder, validity, ""), pairs)

    def finish_moves(self) -> list[MoveEnded]:
        if self.can.whole_moves:
            return []
        ended = self._session.read(lambda: list(self._mover.finish()))
        if ended:
            self._answers.changed(EVERY)
        return ended

    def copy(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        refs = list(refs)
        after: dict[Ref, Ref] = {}
        for state, uids in self._by_folder(refs):
            with self._changing(folder):
                validity, pairs = copy_messages(self.connection, uids, folder)
            after |= _paired(Ref(state.folder, state.validity, ""), Ref(folder, validity, ""), pairs)
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs), self.connection.has("UIDPLUS"))

    def delete(self, refs: Iterable[Ref]) -> Moved:
        gone: list[Ref] = []
        for state, uids in self._by_folder(refs, marked=True):
            with self._changing(state.folder):
                there = expunge(self.connection, uids, look=True) - set(state.deleted)
            gone += [Ref(state.folder, state.validity, str(uid)) for uid in uids if uid in there]
        return Moved(tuple(gone), tuple(None for _ in gone))

    def append(
        self, folder: FolderId, raw: bytes, *, flags: Iterable[str] = (), received: datetime | None = None
    ) -> Ref | None:
        names = list(flags)
        self._session.read(self._session.ensure_alive)
        with self._changing(folder):
            return append_message(self.connection, folder, raw, flags=names, received=received)

    def append_all(self, folder: FolderId, messages: Sequence[Kept]) -> Sequence[Ref | None]:
        return [self.append(folder, one.raw, flags=sorted(one.flags), received=one.received) for one in messages]

    def create_folder(self, parent: FolderId | None, name: str, *, role: Role = Role.NONE) -> FolderId:
        self._session.read(
            lambda: list_folders(self.connection, subscribed_only=False)
        )  # the namespace, a live connection
        with self._changing(EVERY):
            return create_folder(self.connection, parent, name, role)

    def rename_folder(self, folder: Folder, parent: FolderId | None, name: str) -> FolderId:
        below = self._below(folder)
        with self._changing(EVERY):
            return rename_folder(self.connection, folder, below, parent, name)

    def delete_folder(self, folder: Folder) -> None:
        below = self._below(folder)
        with self._changing(EVERY):
            delete_folders(self.connection, [folder, *below])

    def subscribe(self, folder: FolderId, *, on: bool) -> None:
        with self._changing(EVERY):
            self._session.read(lambda: subscribe(self.connection, [folder], on=on))

    @contextmanager
    def _changing(self, *folders: FolderId) -> Iterator[None]:
        """For the length of a change of these folders: afterwards, whatever became of it, nothing that was kept of them is
        believed any more."""
        self._session.disturbed()
        self._forget()
        try:
            yield
        finally:
            self._answers.changed(*folders)

    def _below(self, folder: Folder) -> list[Folder]:
        """The folders below one, as the server has them at this moment."""
        depth = len(folder.path)
        every = self._session.read(self._folders)
        return [one for one in every if len(one.path) > depth and one.path[:depth] == folder.path]


def _paired(old: Ref, new: Ref, pairs: Mapping[int, int]) -> dict[Ref, Ref]:
    """Refs by refs, from UIDs by UIDs; `old` and `new` are any of their folders."""
    return {replace(old, id=str(before)): replace(new, id=str(now)) for before, now in pairs.items()}


def _body_items(parts: tuple[Part, ...]) -> bytes:
    """What is fetched of the parts to show: each up to its limit."""
    return b" ".join(b"BODY.PEEK[%s]<0.%d>" % (part.number.encode(), BODY_LIMIT_BYTES) for part in parts)


def _told(fetched: Fetched) -> Told:
    header, size = fetched.text(b"BODY[HEADER]"), fetched.number(b"RFC822.SIZE")
    return Told(header, fetched.received(), size, fetched.flags())


def _texts(fetched: Fetched) -> Callable[[Part], bytes]:
    return lambda part: fetched.text(b"BODY[%s]" % part.number.encode())
