"""The one interface between pages and mail: where a message lives never shows in a view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from webmail.mime.mbox import Kept
from webmail.moves import Moved, MoveEnded
from webmail.sources.kept import Beside
from webmail.values import (
    Capabilities,
    Folder,
    FolderId,
    Message,
    Page,
    Part,
    PartNumber,
    Query,
    Quota,
    Ref,
    Role,
    Searched,
    Summary,
    Window,
)

RELATED_LIMIT = 200
RELATED_IDS_LIMIT = 12


class MailSource(Protocol):
    """A mailbox that can be read and changed. Every method raises `MailError`; a ref with a stale validity, or whose
    message is not there any more, raises `Gone`.

    A source is used by one thread and closed by `close()` (or `with`); it holds a lease on a connection, no more.
    """

    @property
    def can(self) -> Capabilities:
        """What this source can do."""
        ...

    def look_ahead(self, folder: FolderId, query: Query, window: Window) -> None:
        """Says that the folders, the quota and this window will be asked for: the source may look for them all at once."""
        ...

    def look_at(self, ref: Ref, query: Query, beside: Beside | None = None) -> None:
        """Says that the flags of this message and its place in this list will be asked for. Who looks into Redis for that
        brings what is there `beside` it as well; the values of nobody are taken else."""
        ...

    def keep_along(self, values: Mapping[bytes, bytes], seconds: int) -> bool:
        """Keeps values in Redis for so long, with what the source keeps there itself when it is closed; False when it keeps
        nothing there."""
        ...

    def folders(self, *, subscribed_only: bool = False, fresh: bool = False) -> list[Folder]:
        """All folders, parents before children, in Thunderbird's order, with counts where they cost no round trip more. They may
        be those of the last event; `fresh` asks the server for those of now."""
        ...

    def page(self, folder: FolderId, query: Query, window: Window) -> Page:
        """The rows of one window. Raises Gone when the folder does not exist."""
        ...

    def search_on(self, folder: FolderId, query: Query) -> Searched | None:
        """Goes on with a search in the text of messages for about a second; None when it has come to its end. What it found
        is among the next rows of the query."""
        ...

    def neighbours(self, ref: Ref, query: Query) -> tuple[int, Ref | None, Ref | None, int]:
        """Where a message stands in its list: position from 0 (-1 when the query does not have it), the ref before, the
        ref after, and the total."""
        ...

    def message(self, ref: Ref) -> Message:
        """The message opened for reading: headers, structure and shown texts; flags are not changed."""
        ...

    def structure(self, ref: Ref) -> Part:
        """The MIME tree alone."""
        ...

    def part(self, ref: Ref, number: PartNumber) -> Iterator[bytes]:
        """The octets of one part as they stand in the message (still transfer-encoded), in pieces of at most 64 KiB.
        Number "" is the whole message."""
        ...

    def header(self, ref: Ref) -> bytes:
        """The header of the message, raw."""
        ...

    def refs(self, folder: FolderId, query: Query) -> list[Ref]:
        """Every message of a query, in its order: a whole folder, or all that was found."""
        ...

    def sizes(self, folder: FolderId, *, most: int) -> list[tuple[datetime, int]]:
        """When the messages of a folder were received, and their octets: the newest `most`, in no order."""
        ...

    def flags(self, refs: Iterable[Ref]) -> dict[Ref, frozenset[str]]:
        """The flags of messages as the server has them now; those that are gone are left out."""
        ...

    def summaries(self, refs: Iterable[Ref]) -> list[Summary]:
        """The rows of messages of one folder or several, in no order; those that are gone are left out."""
        ...

    def find(self, folder: FolderId, message_id: str, *, deleted: bool = False) -> list[Ref]:
        """The messages of a folder with this Message-ID ("<a@b>"), as the server has them now; with `deleted` those too that
        are marked as deleted and still there."""
        ...

    def conversations(self, refs: Iterable[Ref], query: Query) -> list[Ref]:
        """The messages of a list that are in the same conversations as these, themselves included, the newest first: what a
        grouped row stands for. The refs alone where threads cannot be told (`can.threads`)."""
        ...

    def lone(self, ref: Ref) -> tuple[Summary, list[str]] | None:
        """Of a message that is a conversation by itself in its folder, where that is known at little cost: its row, with flags
        of any time, and the ids that it carries and names. None where it has to be looked for in the usual way."""
        ...

    def related(self, folder: FolderId, ids: Sequence[str]) -> list[Ref]:
        """The messages of a folder that have one of these Message-IDs ("<a@b>"), or name one in References or In-Reply-To;
        at most RELATED_LIMIT of them, the newest."""
        ...

    def set_flags(
        self, refs: Iterable[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = (), wait: bool = True
    ) -> None:
        """Adds and removes flags or keywords on the server at once. Without `wait` it may be done by `close` only, and what
        the server says of it is told to nobody."""
        ...

    def change_flags(
        self, refs: Sequence[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> dict[Ref, frozenset[str]]:
        """The same, and gives the flags that each message had before; those that are gone are left out."""
        ...

    def move(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        """Moves messages of one folder into another; a message is always in at least one of them."""
        ...

    def finish_moves(self) -> list[MoveEnded]:
        """Ends moves that were cut in the middle: what has its copy leaves the folder it was moved from."""
        ...

    def copy(self, refs: Iterable[Ref], folder: FolderId) -> Moved:
        """Copies messages into another folder, flags and all."""
        ...

    def delete(self, refs: Iterable[Ref]) -> Moved:
        """Removes messages for good (UID EXPUNGE, RFC 4315; never a plain EXPUNGE). Gives those that were there to be removed."""
        ...

    def append(
        self, folder: FolderId, raw: bytes, *, flags: Iterable[str] = (), received: datetime | None = None
    ) -> Ref | None:
        """Stores a message; None when the server does not tell its new UID."""
        ...

    def append_all(self, folder: FolderId, messages: Sequence[Kept]) -> Sequence[Ref | None]:
        """Stores messages in their order; where `can.batches`, all of them or, with an error, none."""
        ...

    def create_folder(self, parent: FolderId | None, name: str, *, role: Role = Role.NONE) -> FolderId:
        """Makes a folder below `parent` (None = at the top), subscribed, with its special use where the server takes one.
        Raises Refused for a name that cannot be, or is there already."""
        ...

    def rename_folder(self, folder: Folder, parent: FolderId | None, name: str) -> FolderId:
        """Gives a folder another name or place, with all that is in it; subscriptions go with it."""
        ...

    def delete_folder(self, folder: Folder) -> None:
        """Deletes a folder with its mail and all folders below it."""
        ...

    def subscribe(self, folder: FolderId, *, on: bool) -> None:
        """Shows a folder in every program, or hides it."""
        ...

    def quota(self) -> Quota | None:
        """Space used and allowed, None where the server does not say."""
        ...

    def close(self) -> None:
        """Gives the connection back."""
        ...

    def __enter__(self) -> MailSource: ...
    def __exit__(self, *exc: object) -> None: ...
