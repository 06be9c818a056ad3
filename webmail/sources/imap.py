"""The live source: what the page shows is what the server has now."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self, TypeVar

from webmail.errors import Gone, Refused, Unreachable
from webmail.imap.connection import Connection, check, connect
from webmail.imap.fetch import Fetched, fetch, fetch_flags, fetch_rows, internal_date, structure_of
from webmail.imap.folders import Selected, list_folders, select
from webmail.imap.pool import pool
from webmail.imap.search import is_filtered, matching_uids, sorted_uids
from webmail.imap.wire import Flight, Literal, Piece, flag_list, parse_uid_set, quote, uid_set
from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import choose_bodies, has_attachment
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, parse_headers, split_header
from webmail.mime.structure import part_from_fields
from webmail.sources.cache import MailCache
from webmail.values import (
    Address,
    Body,
    Capabilities,
    Credentials,
    Defect,
    Endpoint,
    Flag,
    Folder,
    FolderId,
    Message,
    Moved,
    Page,
    Part,
    PartNumber,
    Query,
    Quota,
    Ref,
    Summary,
    Window,
)

HEADER_LIMIT_BYTES = 262_144
BODY_LIMIT_BYTES = 2 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024
MESSAGE_ITEMS = b"UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER]<0.%d>" % HEADER_LIMIT_BYTES
UNKNOWN = part_from_fields(PartNumber("1"), "text", "plain", {})

T = TypeVar("T")
Open = Callable[[], Connection]


def check_login(endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> None:
    """Logs in and out again. Raises LoginRefused, Unreachable or CertificateRefused."""
    connect(endpoint, credentials, ca_file=ca_file).close()


def open_imap(
    endpoint: Endpoint, credentials: Credentials, *, account_key: str, ca_file: str = "", redis_url: str = ""
) -> ImapSource:
    """The source of an account, on a kept-open connection. It connects when something is first asked of it."""
    key = (account_key, endpoint, credentials.login, credentials.password)
    return ImapSource(key, lambda: connect(endpoint, credentials, ca_file=ca_file), MailCache(redis_url, account_key))


class ImapSource:
    """A `MailSource` over one leased IMAP connection."""

    def __init__(self, key: tuple[object, ...], open_: Open, cache: MailCache) -> None:
        self._key = key
        self._open_connection = open_
        self._cache = cache
        self._leased: Connection | None = None
        self._kept = False
        self._state: Selected | None = None
        self._structures: dict[Ref, Part] = {}

    # --- the connection ---------------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        """The leased connection, taken from the pool at first use."""
        if self._leased is None:
            self._leased, self._kept = pool.take(self._key, self._open_connection)
        return self._leased

    def _read(self, action: Callable[[], T]) -> T:
        """Does something that changes nothing; once more on a new connection if a kept one turns out to be dead."""
        try:
            return action()
        except Unreachable:
            if not self._kept or self._leased is None or not self._leased.broken:
                raise
            self._drop()
            self._leased, self._kept = self._open_connection(), False
            return action()

    def _drop(self) -> None:
        if self._leased is not None:
            self._leased.close()
        self._leased, self._state = None, None

    def close(self) -> None:
        if self._leased is not None:
            pool.give(self._key, self._leased)
            self._leased, self._state = None, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def can(self) -> Capabilities:
        connection = self.connection
        return Capabilities(
            push=False,
            threads=connection.has("THREAD=REFERENCES"),
            server_sort=connection.has("SORT"),
            quota=connection.has("QUOTA"),
            move=True,
        )

    # --- reading ----------------------------------------------------------------------------------------------------

    def folders(self, *, subscribed_only: bool = False) -> list[Folder]:
        return self._read(lambda: list_folders(self.connection, subscribed_only=subscribed_only))

    def page(self, folder: FolderId, query: Query, window: Window) -> Page:
        return self._read(lambda: self._page(folder, query, window))

    def _page(self, folder: FolderId, query: Query, window: Window) -> Page:
        state = self._select(folder)
        order = self._order(state, query)
        start = max(0, min(window.start, len(order)))
        uids = list(order[start : start + window.size])
        return Page(tuple(self._rows(state, uids)), start, len(order), state.validity, query)

    def neighbours(self, ref: Ref, query: Query) -> tuple[int, Ref | None, Ref | None, int]:
        return self._read(lambda: self._neighbours(ref, query))

    def _neighbours(self, ref: Ref, query: Query) -> tuple[int, Ref | None, Ref | None, int]:
        state = self._valid(ref)
        order = self._order(state, query)
        uid = _uid(ref)
        if uid not in order:
            return -1, None, None, len(order)
        at = order.index(uid)
        near = [
            Ref(ref.folder, state.validity, str(order[i])) if 0 <= i < len(order) else None for i in (at - 1, at + 1)
        ]
        return at, near[0], near[1], len(order)

    def message(self, ref: Ref) -> Message:
        return self._read(lambda: self._message(ref))

    def _message(self, ref: Ref) -> Message:
        fetched = self._fetch_one(ref, MESSAGE_ITEMS)
        structure = structure_of(fetched)
        self._structures[ref] = structure or UNKNOWN
        shown, files = choose_bodies(structure or UNKNOWN)
        bodies, guessed = self._bodies(ref, shown)
        return build_message(ref, fetched, structure, bodies, files, guessed=guessed)

    def _bodies(self, ref: Ref, parts: tuple[Part, ...]) -> tuple[tuple[Body, ...], bool]:
        """The texts of the shown parts, in one flight, each up to its limit."""
        if not parts:
            return (), False
        items = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (part.number.encode(), BODY_LIMIT_BYTES) for part in parts)
        fetched = self._fetch_one(ref, b"UID " + items)
        bodies, guessed = [], False
        for part in parts:
            data = fetched.text(b"BODY[%s]" % part.number.encode())
            text, guess = text_of(part, decode_part(part, data))
            guessed = guessed or (guess and "\ufffd" in text)
            bodies.append(Body(part, text, len(data) >= BODY_LIMIT_BYTES))
        return tuple(bodies), guessed

    def structure(self, ref: Ref) -> Part:
        if ref not in self._structures:
            fetched = self._read(lambda: self._fetch_one(ref, b"UID BODYSTRUCTURE"))
            self._structures[ref] = structure_of(fetched) or UNKNOWN
        return self._structures[ref]

    def header(self, ref: Ref) -> bytes:
        item = b"UID BODY.PEEK[HEADER]<0.%d>" % HEADER_LIMIT_BYTES
        return self._read(lambda: self._fetch_one(ref, item)).section()

    def part(self, ref: Ref, number: PartNumber) -> Iterator[bytes]:
        if number and not number.replace(".", "").isdigit():
            raise Refused("not a part number")
        start = 0
        while True:
            item = b"UID BODY.PEEK[%s]<%d.%d>" % (number.encode(), start, CHUNK_BYTES)
            data = self._read(lambda item=item: self._fetch_one(ref, item)).section()  # type: ignore[misc]
            for at in range(0, len(data), PIECE_BYTES):
                yield data[at : at + PIECE_BYTES]
            start += len(data)
            if len(data) < CHUNK_BYTES:
                return

    def quota(self) -> Quota | None:
        return self._read(self._quota) if self.connection.has("QUOTA") else None

    def _quota(self) -> Quota | None:
        flight = self.connection.run([b"GETQUOTAROOT", b"INBOX"])
        for response in flight.of(b"QUOTA"):
            tokens = response.tokens()
            resources = tokens[1] if len(tokens) > 1 else None
            words = [word for word in resources if isinstance(word, bytes)] if isinstance(resources, list) else []
            for name, used, limit in zip(words[::3], words[1::3], words[2::3], strict=False):
                if name.upper() == b"STORAGE" and used.isdigit() and limit.isdigit():
                    return Quota(int(used) * 1024, int(limit) * 1024 or None)
        return None

    # --- what reading stands on -------------------------------------------------------------------------------------

    def _select(self, folder: FolderId) -> Selected:
        """The folder's state, asked for once in the life of this source unless something changed."""
        if self._state is None or self._state.folder != folder or self.connection.dirty:
            self._state = select(self.connection, folder)
        return self._state

    def _valid(self, ref: Ref) -> Selected:
        state = self._select(ref.folder)
        if state.validity != ref.validity:
            raise Gone("the folder was made anew")
        return state

    def _fetch_one(self, ref: Ref, items: bytes) -> Fetched:
        self._valid(ref)
        uid = _uid(ref)
        fetched = fetch(self.connection, [uid], items).get(uid)
        if fetched is None:
            raise Gone("the message is not there any more")
        return fetched

    def _order(self, state: Selected, query: Query) -> array[int]:
        """The UIDs of a query in its order, without messages that are marked as deleted."""
        name = f"{state.folder}:{query.sort}"
        mark = f"{state.validity}:{state.next_uid}:{state.exists}"
        order = self._cache.index(name, mark)
        if order is None:
            order = sorted_uids(self.connection, query.sort) if state.exists else array("I")
            if state.next_uid and len(order) == state.exists:
                self._cache.keep_index(name, mark, order)
        if is_filtered(query):
            matching = matching_uids(self.connection, query, state.keywords) - state.deleted
            order = array("I", (uid for uid in order if uid in matching))
        elif state.deleted:
            order = array("I", (uid for uid in order if uid not in state.deleted))
        return order[::-1] if query.descending else order

    def _rows(self, state: Selected, uids: list[int]) -> list[Summary]:
        kept = self._cache.rows(state.folder, state.validity, uids)
        flags = fetch_flags(self.connection, kept)
        missing = [uid for uid in uids if uid not in kept]
        fresh = fetch_rows(self.connection, state.folder, state.validity, missing)
        self._cache.keep_rows(row for row in fresh.values() if "unreadable" not in row.defects)
        known = {uid: replace(row, flags=flags[uid]) for uid, row in kept.items() if uid in flags} | fresh
        return [known[uid] for uid in uids if uid in known]

    # --- changing ---------------------------------------------------------------------------------------------------

    def set_flags(self, refs: Iterable[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        add, remove = list(add), list(remove)
        for state, uids in self._by_folder(refs):
            commands: list[list[Piece]] = [
                [b"UID", b"STORE", uid_set(uids), sign + b"FLAGS.SILENT", flag_list(flags)]
                for sign, flags in ((b"+", add), (b"-", remove))
                if flags
            ]
            if not commands:
                continue
            flight = self.connection.run(*commands)
            for end in flight.ends:
                check(end)
            if state.deleted or Flag.DELETED in add:
                self.connection.dirty = True

    def move(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        refs = list(refs)
        after: dict[Ref, Ref] = {}
        for state, uids in self._by_folder(refs):
            if state.folder == folder:
                continue
            if self.connection.has("MOVE"):
                flight = self.connection.ask(b"UID", b"MOVE", uid_set(uids), quote(folder))
            else:
                flight = self._copy_and_remove(uids, folder)
            after |= _copied(flight, state, folder)
            self.connection.dirty = True
        return Moved(tuple(refs), tuple(after.get(ref) for ref in refs))

    def _copy_and_remove(self, uids: list[int], folder: FolderId) -> Flight:
        """COPY, make sure, mark, and expunge just these (RFC 6851 section 3.3). Without UIDPLUS they stay marked: a plain
        EXPUNGE would take other programs' messages with it."""
        flight = self.connection.ask(b"UID", b"COPY", uid_set(uids), quote(folder))
        self._expunge(uids)
        return flight

    def _expunge(self, uids: list[int]) -> None:
        self.connection.dirty = True
        self.connection.ask(b"UID", b"STORE", uid_set(uids), b"+FLAGS.SILENT", b"(\\Deleted)")
        if self.connection.has("UIDPLUS"):
            self.connection.ask(b"UID", b"EXPUNGE", uid_set(uids))

    def delete(self, refs: Iterable[Ref]) -> Moved:
        refs = list(refs)
        for _state, uids in self._by_folder(refs):
            self._expunge(uids)
        return Moved(tuple(refs), tuple(None for _ in refs))

    def append(
        self, folder: FolderId, raw: bytes, *, flags: Iterable[str] = (), received: datetime | None = None
    ) -> Ref | None:
        command: list[Piece] = [b"APPEND", quote(folder)]
        names = list(flags)
        if names:
            command.append(flag_list(names))
        if received:
            command.append(received.astimezone(UTC).strftime('"%d-%b-%Y %H:%M:%S +0000"').encode())
        flight = self.connection.ask(*command, Literal(raw))
        self.connection.dirty = True
        words = flight.ends[0].code.split()
        if len(words) == 3 and words[0].upper() == b"APPENDUID" and words[1].isdigit() and words[2].isdigit():
            return Ref(folder, int(words[1]), words[2].decode())
        return None

    def _by_folder(self, refs: Iterable[Ref]) -> Iterator[tuple[Selected, list[int]]]:
        """The refs of each folder, its validity checked. Raises Gone before anything of that folder is changed."""
        groups: dict[FolderId, list[Ref]] = {}
        for ref in refs:
            groups.setdefault(ref.folder, []).append(ref)
        for group in groups.values():
            states = [self._valid(ref) for ref in group]
            yield states[0], [_uid(ref) for ref in group]


def _uid(ref: Ref) -> int:
    if not (ref.id.isascii() and ref.id.isdigit()) or not 0 < int(ref.id) <= 0xFFFFFFFF:
        raise Gone("not a UID")
    return int(ref.id)


def _copied(flight: Flight, state: Selected, folder: FolderId) -> dict[Ref, Ref]:
    """Old and new refs from COPYUID (RFC 4315 section 3)."""
    codes = [flight.ends[0].code] + [b"COPYUID " + code for name, code in flight.codes().items() if name == b"COPYUID"]
    for code in codes:
        words = code.split()
        if len(words) == 4 and words[0].upper() == b"COPYUID" and words[1].isdigit():
            pairs = zip(parse_uid_set(words[2]), parse_uid_set(words[3]), strict=False)
            validity = int(words[1])
            return {Ref(state.folder, state.validity, str(old)): Ref(folder, validity, str(new)) for old, new in pairs}
    return {}


def build_message(
    ref: Ref,
    fetched: Fetched,
    structure: Part | None,
    bodies: tuple[Body, ...],
    files: tuple[Part, ...],
    *,
    guessed: bool,
) -> Message:
    """A message from its raw header, its structure and its texts."""
    raw = fetched.section()
    headers, defects = parse_headers(raw)
    fields = {name.lower(): value for name, value in reversed(split_header(raw)[0])}
    found = list(defects)

    def people(name: str) -> tuple[Address, ...]:
        addresses, more = parse_addresses(fields.get(name, b""))
        if more:
            found.append(Defect("too-many-addresses"))
        return addresses

    sent = parse_date(fields["date"]) if "date" in fields else None
    if "date" in fields and sent is None:
        found.append(Defect("date"))
    if guessed:
        found.append(Defect("charset"))
    if structure is None:
        found.append(Defect("structure"))
    summary = Summary(
        ref=ref,
        subject=decode_header(fields.get("subject", b"")),
        sender=people("from"),
        recipients=people("to"),
        sent=sent,
        received=internal_date(fetched),
        size_bytes=int(fetched.text(b"RFC822.SIZE") or 0),
        flags=fetched.flags(),
        has_attachment=has_attachment(structure or UNKNOWN),
        message_id=decode_header(fields.get("message-id", b""))[:1000],
    )
    return Message(
        summary=summary,
        headers=headers,
        structure=structure or UNKNOWN,
        to=summary.recipients,
        cc=people("cc"),
        bcc=people("bcc"),
        reply_to=people("reply-to"),
        bodies=bodies,
        attachments=files,
        defects=tuple(found),
    )
