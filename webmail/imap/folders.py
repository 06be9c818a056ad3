"""The folders of a server: listed in one round trip where it can, named for people, sorted as Thunderbird does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from imapclient.imap_utf7 import decode as decode_utf7

from webmail.folder_order import KNOWN_NAMES, only_subscribed, sort_folders
from webmail.imap.connection import Connection, check
from webmail.imap.wire import Flight, Piece, Token, Untagged, quote
from webmail.mime.headers import make_safe
from webmail.values import Folder, FolderId, Role

FOLDERS_LIMIT = 20_000
NAME_LIMIT_BYTES = 1_000
DEPTH_LIMIT = 50
STATUS_LIMIT = 200
TREES_KEPT = 256
LINES_MOST = 500
"""Longer lists of folders are read anew each time."""
LINES_KEPT = 4
"""Lines of STATUS that are kept of a folder."""
STATUS_ITEMS = b"(MESSAGES UNSEEN UIDNEXT UIDVALIDITY%s)"

ATTRIBUTES = {
    b"\\drafts": Role.DRAFTS,
    b"\\sent": Role.SENT,
    b"\\trash": Role.TRASH,
    b"\\junk": Role.JUNK,
    b"\\spam": Role.JUNK,
    b"\\archive": Role.ARCHIVE,
    b"\\all": Role.ALL,
}


@dataclass(slots=True)
class _Entry:
    name: bytes
    delimiter: str
    attributes: set[bytes]
    subscribed: bool = True
    status: dict[bytes, int] = field(default_factory=dict)


def list_folders(
    connection: Connection, *, subscribed_only: bool, chosen: Mapping[Role, FolderId] | None = None
) -> list[Folder]:
    """Every folder, parents before children, roles given (`chosen` before what the server says), in Thunderbird's order, with
    counts: one round trip with LIST-EXTENDED and LIST-STATUS (RFC 5258, 5819), two without."""
    commands = list_commands(connection)
    if commands:
        flight = _with_prefix(connection, *commands)
        return _extended(connection, flight, subscribed_only=subscribed_only, chosen=chosen)
    return _sorted(_list_plain(connection), connection.prefix or "", subscribed_only, chosen or {})


def list_commands(connection: Connection) -> list[list[Piece]]:
    """What lists the folders with their counts, in any flight; none where one flight cannot. Two LISTs: only the one that
    selects by subscription tells of folders that are subscribed and not there."""
    if not (connection.has("LIST-EXTENDED") and connection.has("LIST-STATUS")):
        return []
    modseq = b" HIGHESTMODSEQ" if connection.has("CONDSTORE") else b""
    special = b" SPECIAL-USE" if connection.has("SPECIAL-USE") else b""
    items = b"(SUBSCRIBED CHILDREN%s STATUS %s)" % (special, STATUS_ITEMS % modseq)
    return [[b"LIST", b'""', b'"*"', b"RETURN", items], [b"LIST", b"(SUBSCRIBED)", b'""', b'"*"']]


def listed_folders(connection: Connection, flight: Flight, *, chosen: Mapping[Role, FolderId]) -> list[Folder]:
    """The folders from the answers to `list_commands`, where the connection's prefix is known."""
    check(flight.ends[0])
    return _extended(connection, flight, subscribed_only=False, chosen=chosen)


def _sorted(entries: list[_Entry], prefix: str, subscribed_only: bool, chosen: Mapping[Role, FolderId]) -> list[Folder]:
    folders = _build(entries[:FOLDERS_LIMIT], prefix, chosen)
    return sort_folders(only_subscribed(folders) if subscribed_only else folders)


class _Tree:
    """The folders that the same lines of a LIST give, and each with the counts of a line of STATUS: a tree changes seldom, and
    the counts of few folders at a time, so the lines are read once."""

    def __init__(self, folders: list[Folder]) -> None:
        self._folders = folders
        self._by_name = {folder.id.encode("utf-8", "surrogateescape"): folder for folder in folders}
        self._counted: dict[bytes, Folder | None] = {}

    def counted(self, lines: Iterable[Untagged]) -> list[Folder]:
        found: dict[FolderId, Folder] = {}
        for line in lines:
            folder = self._counted[line.data] if line.data in self._counted else self._count(line)
            if folder is not None:
                found[folder.id] = folder
        return [found.get(folder.id, folder) for folder in self._folders]

    def _count(self, line: Untagged) -> Folder | None:
        folder, counts = None, _counts(line)
        if counts is not None and counts[0] in self._by_name:
            folder = _with_counts(self._by_name[counts[0]], counts[1])
        if len(self._counted) > LINES_KEPT * (1 + len(self._folders)):
            self._counted = {}
        self._counted[line.data] = folder
        return folder


@lru_cache(TREES_KEPT)
def _tree(
    lines: tuple[bytes, ...], prefix: str, subscribed_only: bool, chosen: tuple[tuple[Role, FolderId], ...]
) -> _Tree:
    entries = _merged([Untagged(b"LIST", 0, line) for line in lines])
    for entry in entries:
        entry.subscribed = b"\\subscribed" in entry.attributes
    return _Tree(_sorted(entries, prefix, subscribed_only, dict(chosen)))


def _extended(
    connection: Connection, flight: Flight, *, subscribed_only: bool, chosen: Mapping[Role, FolderId] | None
) -> list[Folder]:
    lines = tuple(response.data for response in flight.of(b"LIST"))
    make = _tree if len(lines) <= LINES_MOST else _tree.__wrapped__
    tree = make(lines, connection.prefix or "", subscribed_only, tuple((chosen or {}).items()))
    return tree.counted(flight.of(b"STATUS"))


def _list_plain(connection: Connection) -> list[_Entry]:
    flight = _with_prefix(connection, [b"LIST", b'""', b'"*"'], [b"LSUB", b'""', b'"*"'])
    entries = _merged(flight.of(b"LIST"))
    known = {entry.name for entry in entries}
    subscribed = {entry.name: entry for entry in _merged(flight.of(b"LSUB"))}
    for entry in entries:
        entry.subscribed = entry.name in subscribed
    for name, missing in subscribed.items():
        if name not in known:
            missing.attributes.add(b"\\nonexistent")
            entries.append(missing)
    modseq = b" HIGHESTMODSEQ" if connection.has("CONDSTORE") else b""
    wanted = sorted((entry for entry in entries if _selectable(entry)), key=_wanted_first)[:STATUS_LIMIT]
    commands: list[list[Piece]] = [[b"STATUS", _raw_quote(entry.name), STATUS_ITEMS % modseq] for entry in wanted]
    if commands:
        _add_status(entries, connection.run(*commands))
    return entries


def _wanted_first(entry: _Entry) -> tuple[bool, bool]:
    return entry.name.upper() != b"INBOX", not entry.subscribed


def _with_prefix(connection: Connection, *commands: list[Piece]) -> Flight:
    """Commands that list folders; the first time on a connection its namespaces are asked for in the same flight. The
    first of the commands must end with OK. A folder that a kept connection has selected is let go of before: Dovecot 2.3 tells
    its STATUS as of the last time that it looked, and a NOOP in the same flight changes nothing. An Inbox that stays selected
    (see `webmail/imap/selected.py`) is looked at before, in a flight of its own."""
    asks = connection.prefix is None and connection.has("NAMESPACE")
    more: list[list[Piece]] = [[b"NAMESPACE"]] if asks else []
    if connection.kept is not None:
        connection.run([b"NOOP"])
        connection.dirty = True
        flight = connection.run(*commands, *more)
    elif connection.selected and connection.has("UNSELECT"):
        connection.selected, connection.dirty = False, True
        flight = connection.run([b"UNSELECT"], *commands, *more).without_first()
    else:
        flight = connection.run(*commands, *more)
    if asks:
        connection.prefix = _prefix(flight)
    check(flight.ends[0])
    return flight


def _prefix(flight: Flight) -> str:
    """The personal namespace's prefix with its delimiter ("INBOX." on Courier), "" without one (RFC 2342)."""
    for response in flight.of(b"NAMESPACE"):
        tokens = response.tokens()
        personal = tokens[0] if tokens else None
        if isinstance(personal, list) and personal and isinstance(personal[0], list) and personal[0]:
            first = personal[0][0]
            return first.decode("utf-8", "surrogateescape") if isinstance(first, bytes) else ""
    return ""


def _merged(responses: list[Untagged]) -> list[_Entry]:
    """One entry for each name; what several responses say of it is put together."""
    entries: dict[bytes, _Entry] = {}
    for response in responses[: 2 * FOLDERS_LIMIT]:
        entry = _entry(response)
        if entry and entry.name in entries:
            entries[entry.name].attributes |= entry.attributes
        elif entry:
            entries[entry.name] = entry
    return list(entries.values())


def _raw_quote(name: bytes) -> Piece:
    return quote(name.decode("utf-8", "surrogateescape"))


def _entry(response: Untagged) -> _Entry | None:
    tokens = response.tokens()
    if len(tokens) < 3 or not isinstance(tokens[0], list) or not isinstance(tokens[2], bytes):
        return None
    attributes = {token.lower() for token in tokens[0] if isinstance(token, bytes)}
    delimiter = tokens[1].decode("ascii", "replace") if isinstance(tokens[1], bytes) else ""
    if not 0 < len(tokens[2]) <= NAME_LIMIT_BYTES:
        return None
    if any(octet < 32 or octet == 127 for octet in tokens[2]):
        attributes.add(b"\\noselect")  # a name that may never go into a command
    return _Entry(tokens[2], delimiter, attributes)


def _add_status(entries: list[_Entry], flight: Flight) -> None:
    by_name = {entry.name: entry for entry in entries}
    for response in flight.of(b"STATUS"):
        counts = _counts(response)
        if counts is not None and counts[0] in by_name:
            by_name[counts[0]].status = counts[1]


def _counts(response: Untagged) -> tuple[bytes, dict[bytes, int]] | None:
    """The name of a folder and its counts, of a line of STATUS."""
    tokens = response.tokens()
    if len(tokens) < 2 or not isinstance(tokens[0], bytes) or not isinstance(tokens[1], list):
        return None
    return tokens[0], _pairs(tokens[1])


def _pairs(items: list[Token]) -> dict[bytes, int]:
    return {
        key.upper(): int(value)
        for key, value in zip(items[::2], items[1::2], strict=False)
        if isinstance(key, bytes) and isinstance(value, bytes) and value.isdigit()
    }


def _selectable(entry: _Entry) -> bool:
    return not entry.attributes & {b"\\noselect", b"\\nonexistent"}


def _build(entries: list[_Entry], prefix: str, chosen: Mapping[Role, FolderId]) -> list[Folder]:
    """Folders from list entries; parents that the server left out are put in as unselectable."""
    folders: dict[str, Folder] = {}
    for entry in entries:
        folder = _folder(entry, prefix)
        folders[folder.id] = folder
    delimiter = next((entry.delimiter for entry in entries if entry.delimiter), "/")
    inbox = next((folder.id for folder in folders.values() if folder.role is Role.INBOX), None)
    for folder in list(folders.values()):
        if inbox and folder.parent and folder.parent != inbox and folder.parent.upper() == "INBOX":
            folder = folders[folder.id] = replace(folder, parent=inbox)
        _add_parents(folders, folder, delimiter)
    parents = {folder.parent for folder in folders.values() if folder.parent}
    listed = [replace(folder, has_children=folder.id in parents) for folder in folders.values()]
    return _with_roles(listed, {entry.name.decode("utf-8", "surrogateescape"): entry for entry in entries}, chosen)


def _folder(entry: _Entry, prefix: str) -> Folder:
    raw = entry.name.decode("utf-8", "surrogateescape")
    inbox = raw.upper() == "INBOX"
    shown = raw[len(prefix) :] if prefix and raw.startswith(prefix) and not inbox else raw
    names = shown.split(entry.delimiter) if entry.delimiter and shown.count(entry.delimiter) < DEPTH_LIMIT else [shown]
    parent = raw.rpartition(entry.delimiter)[0] if len(names) > 1 else ""
    folder = Folder(
        id=FolderId(raw),
        path=tuple(decode_name(name) or "?" for name in names),
        parent=FolderId(parent) if parent else None,
        role=Role.INBOX if inbox else Role.NONE,
        selectable=_selectable(entry),
        subscribed=entry.subscribed or inbox,
    )
    return _with_counts(folder, entry.status)


def _with_counts(folder: Folder, status: Mapping[bytes, int]) -> Folder:
    return replace(
        folder,
        total=status.get(b"MESSAGES"),
        unread=status.get(b"UNSEEN"),
        validity=status.get(b"UIDVALIDITY"),
        next_id=status.get(b"UIDNEXT"),
        modseq=status.get(b"HIGHESTMODSEQ"),
    )


def decode_name(name: str) -> str:
    """One name of a path as a person reads it: modified UTF-7 decoded (RFC 3501 section 5.1.3), anything else as it is."""
    raw = name.encode("utf-8", "surrogateescape")
    if raw.isascii() and b"&" in raw:
        try:
            return make_safe(decode_utf7(raw))
        except (ValueError, UnicodeError, LookupError):
            return make_safe(name)
    return make_safe(raw.decode("utf-8", "replace"))


def _add_parents(folders: dict[str, Folder], folder: Folder, delimiter: str) -> None:
    while folder.parent and folder.parent not in folders:
        above = folder.parent.rpartition(delimiter)[0] if len(folder.path) > 2 else ""
        parent = Folder(
            id=folder.parent,
            path=folder.path[:-1],
            parent=FolderId(above) if above else None,
            selectable=False,
            subscribed=folder.subscribed,
        )
        folders[parent.id] = parent
        folder = parent


def _with_roles(folders: list[Folder], entries: dict[str, _Entry], chosen: Mapping[Role, FolderId]) -> list[Folder]:
    """One folder for each role: the owner's choice first, then the server's word, then the names that programs use at the top
    level."""
    here = {folder.id for folder in folders if folder.selectable}
    taken = {role: folder_id for role, folder_id in chosen.items() if folder_id in here}
    for folder in folders:
        if folder.id in taken.values():
            continue
        for attribute in entries[folder.id].attributes if folder.id in entries else ():
            role = ATTRIBUTES.get(attribute)
            if role:
                taken.setdefault(role, folder.id)
    used = set(taken.values())
    top = {f.path[0].lower(): f.id for f in reversed(folders) if len(f.path) == 1 and f.selectable}
    for role, names in KNOWN_NAMES.items():
        match = next((top[name] for name in names if name in top and top[name] not in used), None)
        if match and role not in taken:
            taken[role] = match
            used.add(match)
    roles = {folder_id: role for role, folder_id in taken.items()}
    return [replace(f, role=roles.get(f.id, f.role)) if f.role is Role.NONE else f for f in folders]
