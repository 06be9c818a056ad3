"""Making, renaming, removing and subscribing folders. A name is one level: what it may hold is checked here, so that no
name can end up somewhere else in the tree."""

from __future__ import annotations

from collections.abc import Iterable

from imapclient.imap_utf7 import encode as encode_utf7

from webmail.errors import Refused
from webmail.imap.connection import Connection, check
from webmail.imap.folders import ATTRIBUTES
from webmail.imap.wire import Piece, quote
from webmail.values import Folder, FolderId, Role

NAME_LIMIT = 120


def create_folder(connection: Connection, parent: FolderId | None, name: str, role: Role) -> FolderId:
    """Makes a folder below `parent` (None = top) and subscribes it, with its special use where the server takes one
    (RFC 6154 section 3). Raises Refused."""
    folder = child_id(connection, parent, name)
    create: list[Piece] = [b"CREATE", quote(folder)]
    use = next((word for word, known in ATTRIBUTES.items() if known is role), None)
    if use and connection.has("CREATE-SPECIAL-USE"):
        create.append(b"(USE (" + use.capitalize() + b"))")
    flight = connection.run(create)
    check(flight.ends[0])
    subscribe(connection, [folder], on=True)
    return folder


def rename_folder(
    connection: Connection, folder: Folder, below: Iterable[Folder], parent: FolderId | None, name: str
) -> FolderId:
    """Renames or moves a folder with all that is in it; subscriptions go with it, which no server does by itself."""
    target = child_id(connection, parent, name)
    _let_go(connection)
    check(connection.run([b"RENAME", quote(folder.id), quote(target)]).ends[0])
    subscribed = [one.id for one in (folder, *below) if one.subscribed]
    subscribe(connection, [FolderId(target + old[len(folder.id) :]) for old in subscribed], on=True)
    subscribe(connection, subscribed, on=False)
    return target


def delete_folders(connection: Connection, folders: Iterable[Folder]) -> None:
    """Deletes folders with their mail, the deepest first, and their subscriptions. A selected folder is let go before."""
    doomed = sorted(folders, key=lambda folder: len(folder.path), reverse=True)
    _let_go(connection)
    for folder in doomed:
        if folder.selectable:
            check(connection.run([b"DELETE", quote(folder.id)]).ends[0])
    subscribe(connection, [folder.id for folder in doomed], on=False)


def subscribe(connection: Connection, folders: Iterable[FolderId], *, on: bool) -> None:
    """Subscribes folders or not. That a server refuses to forget a name that it does not know is no error."""
    commands: list[list[Piece]] = [[b"SUBSCRIBE" if on else b"UNSUBSCRIBE", quote(folder)] for folder in folders]
    for end in connection.run(*commands).ends if commands else ():
        if on:
            check(end)


def child_id(connection: Connection, parent: FolderId | None, name: str) -> FolderId:
    """The id that a folder of this name would have below `parent`. Raises Refused for a name that is none: empty, too
    long, with a control character, the server's delimiter or a wildcard in it."""
    delimiter = _delimiter(connection)
    name = name.strip()
    forbidden = {delimiter, "%", "*"} if delimiter else {"%", "*"}
    if not name or len(name) > NAME_LIMIT or not name.isprintable() or any(char in name for char in forbidden):
        raise Refused("not a folder name")
    own = encode_utf7(name).decode("ascii")
    if parent is None:
        return FolderId((connection.prefix or "") + own)
    if not delimiter:
        raise Refused("this server has no folders in folders")
    return FolderId(parent + delimiter + own)


def _let_go(connection: Connection) -> None:
    """Selects the Inbox: Courier does not rename or delete the folder that is open."""
    connection.run([b"SELECT", b"INBOX"])


def _delimiter(connection: Connection) -> str:
    """The hierarchy delimiter (RFC 9051 section 6.3.9: LIST with an empty name), "" on a flat server."""
    flight = connection.run([b"LIST", b'""', b'""'])
    check(flight.ends[0])
    for response in flight.of(b"LIST"):
        tokens = response.tokens()
        if len(tokens) > 1 and isinstance(tokens[1], bytes):
            return tokens[1].decode("ascii", "replace")
    return ""
