"""Opening folders and messages: what a page needs, read through one source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webmail.errors import FolderGone
from webmail.markup.document import Theme
from webmail.markup.text import TextBody, tokenize_text
from webmail.mime.frank import Authentication, read_authentication, transport_tls
from webmail.services.bodies import Framed, PartUrl, RawBody, frame_body, framed_values
from webmail.services.shortly import keep
from webmail.services.tags import Tag, Tags
from webmail.sources.base import MailSource
from webmail.sources.recent import Recent
from webmail.values import Body, Flag, Folder, FolderId, Message, Page, Part, Query, Ref, Role, Summary, Thread, Window

DEFECT_TEXTS: dict[str, Promise] = {
    "truncated": _("The message is very long; its beginning is shown."),
    "unreadable": _("The server could not read this message; only its size and date are known."),
    "date": _("The date in the message cannot be read; the day of arrival is shown."),
    "charset": _("Some characters could not be read and are marked with �."),
    "header": _("Part of the header could not be read."),
    "structure": _("The parts of the message are put together wrongly; what could be read is shown."),
    "too-many-parts": _("The message has too many parts; the first ones are shown."),
    "too-deep": _("The parts of the message are nested too deeply; the outer ones are shown."),
    "too-many-addresses": _("The message has too many recipients; the first ones are shown."),
    "empty": _("The message is empty."),
}
SENT_BY_ME = frozenset({Role.SENT, Role.DRAFTS, Role.TEMPLATES})
"""Folders of what one wrote oneself: their rows name the recipients."""

THREAD_LIMIT = 200
"""Messages of a conversation that a list shows at once."""

RECENT_PAGES = 500
"""Windows of rows that a process holds, about 40 kB each."""

OTHER_DEFECT = _("Part of the message does not follow the rules of mail and was read as well as possible.")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the list page: the summary, its position, its tags, the day that begins above it (or None), who it is from
    or to, whether it is drawn as unread (what one wrote oneself never is), and the conversation that it stands for."""

    summary: Summary
    position: int
    tags: list[Tag]
    day: date | None
    who: str
    unread: bool
    thread: Thread | None = None

    @property
    def count(self) -> int:
        """How many messages it stands for."""
        return len(self.thread.refs) if self.thread else 1


@dataclass(frozen=True, slots=True)
class RowPage:
    """A window of rows as the list shows it, with what the account's `tags` were then. Who draws it keeps what it is `drawn` of
    with it."""

    rows: list[Row]
    page: Page
    tags: Tags = field(default_factory=Tags)
    drawn: dict[Any, list[bytes]] = field(default_factory=dict, compare=False)

    @property
    def tagged(self) -> bool:
        """Whether any row shows a tag."""
        return any(row.tags for row in self.rows)

    @property
    def total(self) -> int:
        return self.page.total

    @property
    def end(self) -> int:
        """The position after the last row."""
        return self.page.start + len(self.page.rows)


@dataclass(frozen=True, slots=True)
class ShownBody:
    """One body as the reader shows it: plain text in `text`, or HTML in the frame `framed`."""

    body: Body
    text: TextBody | None = None
    framed: Framed | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """An opened message, ready for the reader. `frames` is what is kept for the frames of its HTML bodies."""

    message: Message
    folder: Folder
    tags: list[Tag]
    bodies: list[ShownBody]
    files: list[Part]
    authentication: Authentication
    tls: str
    notes: list[str | Promise]
    position: int
    total: int
    before: Ref | None
    after: Ref | None
    frames: dict[str, str]

    @property
    def remote_count(self) -> int:
        """How many remote images its bodies want."""
        return sum(shown.framed.remote_count for shown in self.bodies if shown.framed)

    @property
    def failed_checks(self) -> str:
        """The sender checks that failed, by name; "" when none did."""
        checks = {"SPF": self.authentication.spf, "DKIM": self.authentication.dkim, "DMARC": self.authentication.dmarc}
        return ", ".join(name for name, result in checks.items() if result == "fail")


_recent: Recent[RowPage] = Recent(RECENT_PAGES)


def find_folder(folders: Sequence[Folder], folder_id: FolderId) -> Folder:
    """The folder with this id. Raises FolderGone when the account has none: neither mail in it nor folders below it."""
    for folder in folders:
        if folder.id == folder_id and (folder.selectable or folder.has_children):
            return folder
    raise FolderGone("no such folder")


def look_ahead(source: MailSource, folder: FolderId, query: Query, window: Window) -> None:
    """Says that folders, quota and this window will be asked for."""
    source.look_ahead(folder, query, _looked_back(window))


def open_page(source: MailSource, folder: Folder, query: Query, window: Window, tags_of: Callable[[], Tags]) -> RowPage:
    """The rows of one window, with day headings when they are sorted by date. One row more is read above the window, so
    that its first day is told only if it begins there. `tags_of` gives the account's tags; it is not asked where no row of
    a page that is known has a keyword."""
    page = source.page(folder.id, query, _looked_back(window))
    if not page.digest:
        return _row_page(page, folder, query, window, tags_of())
    zone = timezone.get_current_timezone_name()
    key = (page.digest, folder.role, window.start, zone)
    rows = _recent.get(key)
    if rows is None or (rows.tagged and rows.tags != tags_of()):
        rows = _row_page(page, folder, query, window, tags_of())
        _recent.keep(key, rows)
    return rows


def _looked_back(window: Window) -> Window:
    look_back = 1 if window.start > 0 else 0
    return Window(window.start - look_back, window.size + look_back)


def _row_page(page: Page, folder: Folder, query: Query, window: Window, tags: Tags) -> RowPage:
    look_back = 1 if window.start > 0 else 0
    sent_by_me = folder.role in SENT_BY_ME
    rows: list[Row] = []
    last: date | None = None
    zone = timezone.get_current_timezone()
    for index, summary in enumerate(page.rows):
        day = summary.date.astimezone(zone).date()
        shown_day = day if query.sort == "date" and day != last else None
        last = day
        if index >= look_back:
            thread = page.threads[index] if page.threads else None
            rows.append(
                Row(
                    summary,
                    page.start + index,
                    tags.of(summary.flags),
                    shown_day,
                    _who(summary, sent_by_me),
                    unread=(thread.unread if thread else summary.unread) and not sent_by_me,
                    thread=thread,
                )
            )
    kept = replace(page, rows=page.rows[look_back:], threads=page.threads[look_back:], start=page.start + look_back)
    return RowPage(rows, kept, tags)


def thread_rows(source: MailSource, folder: Folder, ref: Ref, query: Query, tags: Tags) -> list[Row]:
    """The other messages of a conversation as rows, the newest first; at most THREAD_LIMIT."""
    refs = [one for one in source.conversations([ref], query) if one != ref][:THREAD_LIMIT]
    found = {summary.ref: summary for summary in source.summaries(refs)}
    sent_by_me = folder.role in SENT_BY_ME
    return [
        Row(
            summary,
            -1,
            tags.of(summary.flags),
            None,
            _who(summary, sent_by_me),
            unread=summary.unread and not sent_by_me,
        )
        for summary in (found[one] for one in refs if one in found)
    ]


def _who(summary: Summary, sent_by_me: bool) -> str:
    people = summary.recipients if sent_by_me else summary.sender
    return ", ".join(person.display for person in people[:3])


def mark_seen(source: MailSource, summary: Summary) -> bool:
    """Marks a message as read, as opening it does everywhere. True when that changed something."""
    if not summary.unread:
        return False
    source.set_flags([summary.ref], add=[Flag.SEEN])
    return True


def open_letter(
    source: MailSource,
    folder: Folder,
    ref: Ref,
    query: Query | None,
    *,
    account_id: int,
    part_url: PartUrl,
    theme: Theme,
    tags: Tags,
    keep_later: bool = False,
) -> Letter:
    """The message of `ref` with everything that the reader shows; its HTML bodies are cleaned and kept for their frames, unless
    the caller does that. Without a query its place in a list is not asked for. Raises Gone when it is not there any more."""
    message = source.message(ref)
    position, before, after, total = source.neighbours(ref, query) if query else (-1, None, None, 0)
    bodies = [_shown(body, message, part_url, theme) for body in message.bodies]
    frames = {shown.body.part.number: shown.framed for shown in bodies if shown.framed}
    values = framed_values(account_id, ref, frames, theme=theme)
    if not keep_later:
        keep(values)
    return Letter(
        message=message,
        folder=folder,
        tags=tags.of(message.summary.flags),
        bodies=bodies,
        files=_files(message),
        authentication=read_authentication(message.headers, settings.AUTHSERV_IDS),
        tls=transport_tls(message.headers),
        notes=_notes(message, bodies),
        position=position,
        total=total,
        before=before,
        after=after,
        frames=values,
    )


def _shown(body: Body, message: Message, part_url: PartUrl, theme: Theme) -> ShownBody:
    if body.part.subtype != "html":
        return ShownBody(body, text=tokenize_text(body.text))
    cids = {part.cid: part.number for part in message.attachments if part.cid}
    return ShownBody(body, framed=frame_body(RawBody(body.text, cids), part_url, theme=theme))


def _files(message: Message) -> list[Part]:
    """The attachments to list: inline images that an HTML body shows are left out of the tiles."""
    html = " ".join(body.text for body in message.bodies if body.part.subtype == "html")
    return [part for part in message.attachments if not (part.cid and part.type == "image" and part.cid in html)]


def _notes(message: Message, shown: list[ShownBody]) -> list[str | Promise]:
    """What could not be read, once each, in words."""
    codes = [defect.code for defect in message.defects] + list(message.summary.defects)
    if any(body.body.truncated or (body.framed and body.framed.truncated) for body in shown):
        codes.append("truncated")
    notes: list[str | Promise] = []
    for code in codes:
        text = DEFECT_TEXTS.get(code, OTHER_DEFECT)
        if text not in notes:
            notes.append(text)
    return notes
