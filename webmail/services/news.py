"""What came into the Inbox since a page was told of it last."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.numbers import read_number
from webmail.sources.base import MailSource
from webmail.values import Folder, Query, Summary, Window

LOOKED_AT = 10
"""The newest messages of the Inbox, among which new ones are looked for."""


@dataclass(frozen=True, slots=True)
class News:
    """`mark` is what to ask with the next time; `rows` are unread messages that came, the newest first, `unread` is how many
    there are in all."""

    mark: str
    unread: int
    rows: tuple[Summary, ...] = ()


def find_news(source: MailSource, inbox: Folder | None, after: str) -> News:
    """The news of the Inbox after a mark; none for "" or a mark of a folder that was made anew."""
    if inbox is None or not inbox.selectable:
        return News("", 0)
    unread = inbox.unread or 0
    mark = f"{inbox.validity}.{inbox.next_id}"
    if inbox.next_id is not None and (not after or mark == after):
        return News(mark, unread)
    page = source.page(inbox.id, Query(), Window(0, LOOKED_AT))
    mark = f"{page.validity}.{page.next_id}"
    validity, _dot, first = after.partition(".")
    number = read_number(first)
    if validity != str(page.validity) or number is None:
        return News(mark, unread)
    return News(mark, unread, tuple(row for row in page.rows if row.unread and int(row.ref.id) >= number))
