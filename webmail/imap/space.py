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
FROM_LIMIT_BYTES, LISTS_LIMIT_BYTES = 2_048, 4_096
LIST_FIELDS = {"list-id", "list-unsubscribe", "list-post"}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A message and what it takes. `since` is when it came into this folder (SAVEDATE, RFC 8514), else when it was received;
    `sender` is "" where it was not asked for, or there is none."""

    uid: int
    size_bytes: int
    received: datetime
    since: datetime
    sender: str
    bulk: bool = False
    """Whether it was sent to many at once: a list's, or one that can be unsubscribed from (RFC 2369, RFC 2919). Asked for with
    `lists` alone."""


def open_folder(connection: Connection, folder: FolderId) -> tuple[Selected, list[int]]:
    """The folder, and the UIDs in it, the newest first. Raises FolderGone."""
    state, flight = select(connection, folder)
    found = connection.run([b"UID", b"SEARCH", b"ALL"])
    return state, sorted(search_result(found), reverse=True)


def weigh(connection: Connection, uids: list[int], *, senders: bool, lists: bool = False) -> Iterator[Weighed]:
    """What messages of the folder that is open take; those that are gone are left out. `lists`: and whether they came to many
    at once, where the sender is asked for."""
    items = b"UID RFC822.SIZE INTERNALDATE"
    if connection.has("SAVEDATE"):
        items += b" SAVEDATE"
    if senders:
        fields = b"FROM LIST-ID LIST-UNSUBSCRIBE LIST-POST PRECEDENCE" if lists else b"FROM"
        limit = LISTS_LIMIT_BYTES if lists else FROM_LIMIT_BYTES
        items += b" BODY.PEEK[HEADER.FIELDS (%s)]<0.%d>" % (fields, limit)
    for start in range(0, len(uids), PIECE):
        for uid, fetched in fetch(connection, uids[start : start + PIECE], items).items():
            received = fetched.received()
            since = parse_date(fetched.text(b"SAVEDATE").strip().replace(b"-", b" ", 2)) or received
            sender, bulk = _sender(fetched) if senders else ("", False)
            yield Weighed(uid, fetched.number(b"RFC822.SIZE"), received, since, sender, bulk)


def _sender(fetched: Fetched) -> tuple[str, bool]:
    """The address that a message is from, and whether it went to many at once."""
    fields, _defects = split_header(fetched.section())
    value = next((value for name, value in fields if name.lower() == "from"), b"")
    people, _more = parse_addresses(value, 1)
    return people[0].email.lower() if people else "", any(_of_list(name.lower(), text) for name, text in fields)


def _of_list(name: str, value: bytes) -> bool:
    return name in LIST_FIELDS or (name == "precedence" and value.strip().lower() in {b"bulk", b"list", b"junk"})
