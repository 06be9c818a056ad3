"""What each message of a folder takes: size, date and sender, a piece of the folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from webmail.imap.connection import Connection
from webmail.imap.fetch import Fetched, fetch
from webmail.imap.selected import Selected, search_result, select
from webmail.mime.addresses import parse_addresses
from webmail.mime.dates import parse_date
from webmail.mime.headers import split_header
from webmail.values import FolderId

PIECE = 1000
FROM_LIMIT_BYTES = 2_048


@dataclass(frozen=True, slots=True)
class Weighed:
    """A message and what it takes. `since` is when it came into this folder (SAVEDATE, RFC 8514), else when it was received;
    `sender` is "" where it was not asked for, or there is none."""

    uid: int
    size_bytes: int
    received: datetime
    since: datetime
    sender: str


def open_folder(connection: Connection, folder: FolderId) -> tuple[Selected, list[int]]:
    """The folder, and the UIDs in it, the newest first. Raises FolderGone."""
    state, flight = select(connection, folder)
    found = connection.run([b"UID", b"SEARCH", b"ALL"])
    return state, sorted(search_result(found), reverse=True)


def weigh(connection: Connection, uids: list[int], *, senders: bool) -> Iterator[Weighed]:
    """What messages of the folder that is open take; those that are gone are left out."""
    items = b"UID RFC822.SIZE INTERNALDATE"
    if connection.has("SAVEDATE"):
        items += b" SAVEDATE"
    if senders:
        items += b" BODY.PEEK[HEADER.FIELDS (FROM)]<0.%d>" % FROM_LIMIT_BYTES
    for start in range(0, len(uids), PIECE):
        for uid, fetched in fetch(connection, uids[start : start + PIECE], items).items():
            received = fetched.received()
            since = parse_date(fetched.text(b"SAVEDATE").strip().replace(b"-", b" ", 2)) or received
            yield Weighed(uid, fetched.number(b"RFC822.SIZE"), received, since, _sender(fetched) if senders else "")


def _sender(fetched: Fetched) -> str:
    fields, _defects = split_header(fetched.section())
    value = next((value for name, value in fields if name.lower() == "from"), b"")
    people, _more = parse_addresses(value, 1)
    return people[0].email.lower() if people else ""
