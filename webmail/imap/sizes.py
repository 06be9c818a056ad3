"""When every message of a folder came and how large it is, of folders of any length: three words of each message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from webmail.imap.connection import check
from webmail.imap.session import Session
from webmail.values import FolderId

PIECE = 5_000
"""So many messages are asked for in one round trip."""
_DATE = re.compile(rb'INTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"', re.IGNORECASE)
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,15})", re.IGNORECASE)
_MONTHS = {name: number for number, name in enumerate(
    (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1)}  # fmt: skip


def read_sizes(session: Session, folder: FolderId, *, most: int) -> Iterator[tuple[datetime, int]]:
    """(received, octets) of a folder's messages, the newest `most` of them at most. Raises Gone. What a server does not tell
    in the form of RFC 9051 (section 9, date-time) is passed over."""
    state, _flight = session.selected(folder)
    last = state.exists
    while last > 0 and most > 0:
        first = max(1, last - min(PIECE, most) + 1)
        flight = session.connection.run([b"FETCH", b"%d:%d" % (first, last), b"(INTERNALDATE RFC822.SIZE)"])
        check(flight.ends[0])
        for response in flight.of(b"FETCH"):
            found = read_words(response.data)
            if found:
                yield found
        most -= last - first + 1
        last = first - 1


def read_words(data: bytes) -> tuple[datetime, int] | None:
    """Date and size in one FETCH response."""
    date, size = _DATE.search(data), _SIZE.search(data)
    month = _MONTHS.get(date[2].lower()) if date else None
    if date is None or size is None or month is None:
        return None
    day, year, hour, minute, second, zone_hours, zone_minutes = (int(date[n]) for n in (1, 3, 4, 5, 6, 8, 9))
    ahead = timedelta(hours=zone_hours, minutes=zone_minutes)
    try:
        zone = timezone(-ahead if date[7] == b"-" else ahead)
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).astimezone(UTC), int(size[1])
    except (ValueError, OverflowError):
        return None
