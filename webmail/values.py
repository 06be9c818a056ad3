"""The values that move between rooms: frozen, slotted, free of network, database and settings.

`bytes` is what was on the wire, `str` is decoded; the two are never mixed. Datetimes are aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType

FolderId = NewType("FolderId", str)
"""A folder's name exactly as its server writes it (modified UTF-7 or UTF-8, bytes outside UTF-8 as
surrogate escapes). Never shown; compared byte for byte, but for INBOX (RFC 3501 section 5.1)."""

PartNumber = NewType("PartNumber", str)
"""A body part's section number, "1" or "2.1.3" (RFC 3501 section 6.4.5). "" is the whole message."""


@dataclass(frozen=True, slots=True)
class Ref:
    """One message: its folder, the UIDVALIDITY under which it was seen, and its UID as text.

    A ref whose validity is no longer the folder's is `Gone`; it never names another message.
    """

    folder: FolderId
    validity: int
    id: str


class Role(StrEnum):
    """What a folder is for (RFC 6154, and Thunderbird's Templates). Order = order in the tree."""

    INBOX = "inbox"
    DRAFTS = "drafts"
    TEMPLATES = "templates"
    SENT = "sent"
    ARCHIVE = "archive"
    JUNK = "junk"
    TRASH = "trash"
    ALL = "all"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """How many messages of a folder are marked as deleted and still there, and how many of those are unread."""

    total: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the tree.

    `path` holds the decoded names from the top, without the server's namespace prefix or delimiter;
    `parent` is the id of the folder above (None at the top). Counts are None when the server gave none; `marked` are those
    that have been taken out of them.
    """

    id: FolderId
    path: tuple[str, ...]
    parent: FolderId | None = None
    role: Role = Role.NONE
    selectable: bool = True
    subscribed: bool = True
    has_children: bool = False
    total: int | None = None
    unread: int | None = None
    validity: int | None = None
    next_id: int | None = None
    modseq: int | None = None
    marked: Marked = Marked()

    @property
    def name(self) -> str:
        """The last name of the path: what stands in the tree."""
        return self.path[-1] if self.path else self.id

    def less(self, marked: Marked) -> Folder:
        """The same folder with counts without these messages, in place of those that had been taken out of them."""
        if marked == self.marked or self.total is None or self.unread is None:
            return self
        total = max(0, self.total + self.marked.total - marked.total)
        unread = max(0, self.unread + self.marked.unread - marked.unread)
        return replace(self, total=total, unread=unread, marked=marked)


@dataclass(frozen=True, slots=True)
class Address:
    """A decoded mail address; `email` is "" where the header held none, `name` "" where none was given."""

    name: str
    email: str

    @property
    def display(self) -> str:
        return self.name or self.email


class Flag(StrEnum):
    """The flags that Casilla itself speaks of; every other keyword is kept as the server wrote it."""

    SEEN = r"\Seen"
    ANSWERED = r"\Answered"
    FLAGGED = r"\Flagged"
    DELETED = r"\Deleted"
    DRAFT = r"\Draft"
    FORWARDED = "$Forwarded"
    MDN_SENT = "$MDNSent"
    JUNK = "Junk"
    NOT_JUNK = "NonJunk"


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of a message list. `sent` is the Date header (None when missing or broken), `received` the
    server's INTERNALDATE; `defects` are the codes of what could not be read (see `Defect`)."""

    ref: Ref
    subject: str
    sender: tuple[Address, ...]
    recipients: tuple[Address, ...]
    sent: datetime | None
    received: datetime
    size_bytes: int
    flags: frozenset[str]
    snippet: str = ""
    has_attachment: bool = False
    message_id: str = ""
    defects: tuple[str, ...] = ()

    def marked(self, flags: frozenset[str]) -> Summary:
        """The same row with other flags, as `dataclasses.replace` makes it, in half the time."""
        return Summary(
            self.ref, self.subject, self.sender, self.recipients, self.sent, self.received, self.size_bytes,
            flags, self.snippet, self.has_attachment, self.message_id, self.defects,
        )  # fmt: skip

    @property
    def date(self) -> datetime:
        """What the list shows and sorts by: the Date header, else the day of arrival."""
        return self.sent or self.received

    @property
    def unread(self) -> bool:
        return Flag.SEEN not in self.flags

    @property
    def flagged(self) -> bool:
        return Flag.FLAGGED in self.flags

    @property
    def answered(self) -> bool:
        return Flag.ANSWERED in self.flags

    @property
    def forwarded(self) -> bool:
        return Flag.FORWARDED in self.flags


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a message's MIME tree (RFC 2045, RFC 3501 BODYSTRUCTURE), names decoded.

    `type` and `subtype` are lower case; `size_bytes` counts the encoded octets; `cid` has no angle brackets;
    `disposition` is "", "inline" or "attachment". A multipart has children and no encoding; `start` is the cid of the
    root of a multipart/related (RFC 2387 section 3.2), "" where the first part is it.
    """

    number: PartNumber
    type: str
    subtype: str
    charset: str = ""
    encoding: str = ""
    size_bytes: int = 0
    disposition: str = ""
    filename: str = ""
    cid: str = ""
    format_flowed: bool = False
    delsp: bool = False
    description: str = ""
    children: tuple[Part, ...] = ()
    start: str = ""

    @property
    def media_type(self) -> str:
        return f"{self.type}/{self.subtype}"

    def find(self, number: PartNumber) -> Part | None:
        """The part with this number, itself or below it; a multipart is none that can be read."""
        if self.number == number and self.type != "multipart":
            return self
        return next((found for child in self.children if (found := child.find(number))), None)


@dataclass(frozen=True, slots=True)
class Defect:
    """Something foreign that could not be read as it should: a stable code and, where it helps, a detail that
    is safe to show. Codes are translated in `webmail/services/reading.py`."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """One header field: `name` as written, `value` unfolded and decoded (RFC 2047), controls made harmless."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Body:
    """One part that is read in place: decoded text. `truncated` when only the first bytes were fetched."""

    part: Part
    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """An opened message: everything needed to show it, and nothing that is not shown.

    `bodies` are the text and HTML parts chosen for display in order; `attachments` every other leaf part, inline
    images with a cid among them.
    """

    summary: Summary
    headers: tuple[Header, ...]
    structure: Part
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    bodies: tuple[Body, ...] = ()
    attachments: tuple[Part, ...] = ()
    defects: tuple[Defect, ...] = ()

    @property
    def ref(self) -> Ref:
        return self.summary.ref


SortKey = Literal["date", "from", "to", "subject", "size"]


@dataclass(frozen=True, slots=True)
class Query:
    """Which messages of a folder, in which order. `text` is searched in subject, sender, recipients (and body when
    `in_body`); the filters are combined with and. With `threads` each row of a list by date is a conversation, where the
    source can tell them."""

    sort: SortKey = "date"
    descending: bool = True
    unread: bool = False
    flagged: bool = False
    attachment: bool = False
    text: str = ""
    in_body: bool = False
    threads: bool = False

    @property
    def name(self) -> str:
        """What no other query has."""
        filters = (self.unread, self.flagged, self.attachment, self.text, self.in_body)
        return f"{(self.sort, self.descending, self.threads, *filters)}"

    @property
    def grouped(self) -> bool:
        """Whether rows are conversations: only lists by date have them."""
        return self.threads and self.sort == "date"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the sorted list: `size` rows from position `start`, which counts from 0."""

    start: int = 0
    size: int = 50


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation among the messages of a list: those that the list has of it, the newest first, and whether one of them
    is unread."""

    refs: tuple[Ref, ...]
    unread: bool


SearchProblem = Literal["", "charset", "limit", "refused", "unreachable"]


@dataclass(frozen=True, slots=True)
class Searched:
    """How far a search in the text of messages has come, which goes from the newest back: `done` of the folder's `total`
    messages, those that arrived since `back_to`; `found` are the hits so far. With a `problem` the server did not take the
    last question: it does not know these characters, not even a short stretch is allowed, it says no, or nothing."""

    done: int
    total: int
    found: int
    back_to: datetime | None = None
    problem: SearchProblem = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a window, and how many rows the whole query has. `validity` is the folder's, `next_id` the id that the
    next message will have at least; rows that vanished while they were fetched are left out, never replaced by others.

    `query` is the one that was answered: without `threads` where the source could not tell them. With them there is a thread
    for each row, and the row is that of its newest message. `marked` are messages of the folder that no list shows.
    `digest`, where there is one, no other page has: what is made of the page may be kept under it. `unsorted` while a
    large folder is sorted for the first time: the rows are those that came last, and `sorted_count` messages are through.
    `searched` while a search in the text of messages has not come to its end: the rows are what was found so far."""

    rows: tuple[Summary, ...]
    start: int
    total: int
    validity: int
    query: Query
    next_id: int = 0
    threads: tuple[Thread, ...] = ()
    marked: Marked = Marked()
    digest: str = field(default="", compare=False)
    unsorted: bool = False
    sorted_count: int = 0
    searched: Searched | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """Space used and allowed on the server in bytes (RFC 2087 counts KiB); `limit_bytes` None = no limit."""

    used_bytes: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a source can do; pages show or hide by it, never by the kind of source. `threads`: its lists can be grouped by
    conversation, in folders of up to `threads_limit` messages (None = of any size). `batches`: several messages are stored all
    together or not at all, and faster than one by one. `whole_moves`: a move is done or not, nothing cuts it in the middle."""

    push: bool = False
    threads: bool = False
    threads_limit: int | None = None
    body_search: bool = True
    server_sort: bool = True
    nested_folders: bool = True
    subscriptions: bool = True
    quota: bool = False
    move: bool = True
    keywords: bool = True
    batches: bool = False
    whole_moves: bool = True


Tls = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens and how: `tls` is fixed for an account, there is never a fall-back to clear text.
    `public_only` is for servers that are not ours: they must have public addresses only."""

    host: str
    port: int
    tls: Tls = "tls"
    public_only: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to log in. `login` is the SASL user ("ana@example.org", or "ana@example.org*master" through a Dovecot master
    user). `origin` is the web user's address, told to servers that trust us (x-originating-ip)."""

    login: str
    password: str = field(repr=False)
    origin: str = ""
    session: str = ""
