"""The live source: what the page shows is what the server has now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from webmail.errors import FolderRenewed, Gone, Refused
from webmail.imap.changes import (
    append_message,
    batches,
    copy_messages,
    expunge,
    store_commands,
    store_flags,
    stored_modseqs,
)
from webmail.imap.connection import EXPUNGED, check
from webmail.imap.fetch import Fetched, by_uid, fetch, fetch_command
from webmail.imap.find import find_message
from webmail.imap.folders import list_folders
from webmail.imap.hierarchy import create_folder, delete_folders, rename_folder, subscribe
from webmail.imap.login import connect
from webmail.imap.pool import Key, Open
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.sizes import read_sizes
from webmail.imap.wire import Flight
from webmail.live.marks import EVERY, Own
from webmail.mime.choose import choose_bodies
from webmail.mime.mbox import Kept
from webmail.sources.cache import MailCache
from webmail.sources.imap_lists import ImapLists, uid_of
from webmail.sources.kept import Answers, Wanted
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
from webmail.values import (
    Credentials,
    Endpoint,
    Flag,
    Folder,
    FolderId,
    Message,
    Moved,
    MoveEnded,
    Part,
    PartNumber,
    Query,
    Ref,
    Role,
    Summary,
)

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


class ImapSource(ImapLists):
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
        super().__init__(Session(key, open_, folder), cache, roles or {}, Answers(cache.redis, account_id, page))
        self._mover = Mover(self._session, account_id)
        self._structures: dict[Ref, Part] = {}
        self._sent: list[Ref] = []
        """One message of each folder in which a mark was sent and not waited for."""

    def close(self) -> None:
        sent, self._sent = self._sent, []
        for ref in sent:
            modseqs = stored_modseqs(self._session.settled()) if len(sent) == 1 else frozenset()
            self._answers.changed(ref.folder, own=Own(ref.folder, ref.validity, modseqs))
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- one message ------------------------------------------------------------------------------------------------

    def message(self, ref: Ref) -> Message:
        message = self._session.read(lambda: self._message(ref))
        self._answers.keep_looked(*_flags_name(ref), FLAGS, [message.summary.flags])
        return message

    def look_at(self, ref: Ref, query: Query) -> None:
        self._answers.look_ahead([_flags_name(ref), (self._place_name(ref, query), ref.folder)])

    def _message(self, ref: Ref) -> Message:
        """One round trip when the MIME tree is known from the list, two otherwise."""
        structure = self._known_structure(ref)
        if structure is not None:
            shown, files = choose_bodies(structure)
            fetched = self._fetch_one(ref, HEAD_ITEMS + (b" " + _body_items(shown) if shown else b""))
            return build_message(ref, _told(fetched), structure, build_bodies(shown, _texts(fetched)), files)
        head = self._fetch_head(ref)
        structure = head.structure()
        shown, files = choose_bodies(structure or UNKNOWN)
        self._keep_structure(ref, structure)
        fetched = self._fetch_one(ref, b"UID " + _body_items(shown)) if shown else head
        return build_message(ref, _told(head), structure, build_bodies(shown, _texts(fetched)), files)

    def _fetch_head(self, ref: Ref) -> Fetched:
        """Header and MIME tree; without the tree where the server cannot make it."""
        try:
            return self._fetch_one(ref, HEAD_ITEMS + b" BODYSTRUCTURE")
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

    def flags(self, refs: Iterable[Ref]) -> dict[Ref, frozenset[str]]:
        refs = list(refs)
        if len(refs) != 1:
            return self._session.read(lambda: self._flags(refs))
        found = self._answers.ask(*_flags_name(refs[0]), FLAGS, lambda: self._flags_now(refs[0]))
        return {refs[0]: found[0]} if found else {}

    def _flags(self, refs: list[Ref]) -> dict[Ref, frozenset[str]]:
        found: dict[Ref, frozenset[str]] = {}
        for state, uids in self._by_folder(refs):
            for batch in batches(uids):
                for uid, one in fetch(self.connection, batch, b"UID FLAGS").items():
                    found[Ref(state.folder, state.validity, str(uid))] = one.flags()
        return found

    def _flags_now(self, ref: Ref) -> list[frozenset[str]]:
        return list(self._session.read(lambda: self._flags_of(ref)).values())

    def _flags_of(self, ref: Ref) -> dict[Ref, frozenset[str]]:
        """The flags of one message, in the flight that selects its folder."""
        uid = uid_of(ref)
        state, flight = self._session.valid(ref, fetch_command([uid], b"UID FLAGS"))
        if flight.ends[0].code.upper() == EXPUNGED:
            return {}
        check(flight.ends[0])
        fetched = by_uid(flight, [uid]).get(uid)
        return {ref: fetched.flags()} if fetched and uid not in state.deleted else {}

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

    def set_flags(
        self, refs: Iterable[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = (), wait: bool = True
    ) -> None:
        added, removed = list(add), list(remove)
        refs = list(refs)
        if not wait and len(refs) == 1:
            self._send_flags(refs[0], added, removed)
            return
        for state, uids in self._by_folder(refs):
            with self._marking(state.folder, state.validity) as done:
                done |= store_flags(self.connection, uids, add=added, remove=removed)

    def _send_flags(self, ref: Ref, add: list[str], remove: list[str]) -> None:
        """Flags of one message, whose end is waited for when the source is closed; what was kept holds no more from then on."""
        commands = store_commands([uid_of(ref)], add, remove)
        if not self._session.is_at(ref):
            state, _flight = self._session.read(lambda: self._session.valid(ref))
            if uid_of(ref) in state.deleted:
                return
        self._forget()
        self._sent.append(ref)
        self.connection.send(commands)

    def change_flags(
        self, refs: Sequence[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> dict[Ref, frozenset[str]]:
        added, removed = list(add), list(remove)
        before = self._session.read(lambda: self._changed_at_once(refs, added, removed))
        if before is None:
            before = self._session.read(lambda: self._flags_of(refs[0]) if len(refs) == 1 else self._flags(list(refs)))
            self.set_flags(before, add=added, remove=removed)
        return before

    def _changed_at_once(
        self, refs: Sequence[Ref], add: list[str], remove: list[str]
    ) -> dict[Ref, frozenset[str]] | None:
        """Flags read and changed in one flight, where the folder is selected already and the set is one command's; None
        elsewhere. A repetition after a cut does no harm."""
        uids = [uid_of(ref) for ref in refs]
        if not refs or len({(ref.folder, ref.validity) for ref in refs}) > 1 or len(list(batches(uids))) > 1:
            return None
        commands = [fetch_command(uids, b"UID FLAGS"), *store_commands(uids, add, remove)]
        if not self._session.is_at(refs[0]):
            return None
        with self._marking(refs[0].folder, refs[0].validity, disturbs=False) as done:
            flight = self.connection.run(*commands)
            done |= stored_modseqs(flight.untagged)
        for end in flight.ends:
            check(end)
        first = Flight(flight.ends[:1], flight.untagged[: flight.marks[0]], flight.marks[:1], flight.tags[:1])
        found = {uid: one.flags() for uid, one in by_uid(first, uids).items() if b"FLAGS" in one.items}
        return {
            ref: found[uid]
            for ref, uid in zip(refs, uids, strict=True)
            if Flag.DELETED not in found.get(uid, {Flag.DELETED})
        }

    def move(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        refs = list(refs)
        after: dict[Ref, Ref] = {}
        for state, uids in self._by_folder(refs):
            if state.folder == folder:
                continue
            with self._changing(state.folder, folder):
                validity, pairs = self._mover.move(state, uids, folder)
            for old, new in pairs.items():
                after[Ref(state.folder, state.validity, str(old))] = Ref(folder, validity, str(new))
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs))

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
            for old, new in pairs.items():
                after[Ref(state.folder, state.validity, str(old))] = Ref(folder, validity, str(new))
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs))

    def delete(self, refs: Iterable[Ref]) -> Moved:
        refs = list(refs)
        for state, uids in self._by_folder(refs, marked=True):
            with self._changing(state.folder):
                expunge(self.connection, uids)
        return Moved(tuple(refs), tuple(None for _ in refs))

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

    @contextmanager
    def _marking(self, folder: FolderId, validity: int, *, disturbs: bool = True) -> Iterator[set[int]]:
        """The same for a change of marks: the block adds the MODSEQs of what the server did. What `disturbs` not at this moment
        leaves the selected folder's state as it is known."""
        if disturbs:
            self._session.disturbed()
        self._forget()
        done: set[int] = set()
        try:
            yield done
        finally:
            self._answers.changed(folder, own=Own(folder, validity, frozenset(done)))

    def _below(self, folder: Folder) -> list[Folder]:
        """The folders below one, as the server has them at this moment."""
        depth = len(folder.path)
        every = self._session.read(self._folders)
        return [one for one in every if len(one.path) > depth and one.path[:depth] == folder.path]

    def _by_folder(self, refs: Iterable[Ref], *, marked: bool = False) -> Iterator[tuple[Selected, list[int]]]:
        """The refs of each folder, its validity checked; messages that are marked as deleted only with `marked`: a move would
        bring those back. Raises Gone before anything of that folder is changed."""
        groups: dict[FolderId, list[Ref]] = {}
        for ref in refs:
            groups.setdefault(ref.folder, []).append(ref)
        for group in groups.values():
            uids = [uid_of(ref) for ref in group]
            if len({ref.validity for ref in group}) > 1:
                raise FolderRenewed("the folder was made anew")
            state, _flight = self._session.read(lambda ref=group[0]: self._session.valid(ref))  # type: ignore[misc]
            left = [uid for uid in uids if marked or uid not in state.deleted]
            if left:
                yield state, left


def _body_items(parts: tuple[Part, ...]) -> bytes:
    """What is fetched of the parts to show: each up to its limit."""
    return b" ".join(b"BODY.PEEK[%s]<0.%d>" % (part.number.encode(), BODY_LIMIT_BYTES) for part in parts)


def _flags_name(ref: Ref) -> Wanted:
    return f"flags:{ref.validity}:{ref.id}", ref.folder


def _told(fetched: Fetched) -> Told:
    header, size = fetched.text(b"BODY[HEADER]"), fetched.number(b"RFC822.SIZE")
    return Told(header, fetched.received(), size, fetched.flags())


def _texts(fetched: Fetched) -> Callable[[Part], bytes]:
    return lambda part: fetched.text(b"BODY[%s]" % part.number.encode())
