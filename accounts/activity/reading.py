"""A line of Dovecot's log or of Postfix's, whichever of ours it is."""

from __future__ import annotations

from datetime import datetime

from accounts.activity.deeds import Deed, dated, read_done, read_imap_end, read_refusal
from accounts.activity.lines import Event, read_line
from accounts.activity.submission import HandedIn, Queued, reads_submission, split_submission, submission_of

_MARKS = (b": Info: expunge: box=", b": Info: save: box=", b": Info: copy from ")


def read_event(line: bytes) -> Event | Deed | None:
    """The event that a line (without its line feed) tells of; None for what is no line of ours."""
    start = line[25:30]
    if start == b"imap(" or start == b"lmtp(":
        if b"\0" in line:
            return None
        try:
            if any(mark in line for mark in _MARKS):
                return read_done(line)
            if start == b"imap(" and b": Info: Disconnected: " in line:
                return read_imap_end(line)
        except ValueError:  # a day that no calendar has
            return None
    return read_line(line)


def read_postfix(line: bytes, now: datetime) -> Deed | HandedIn | Queued | None:
    """The same of Postfix's log: mail that was refused, and who sent. Its lines have no year and no zone: they are of the zone of
    `now`, and no more than a day ahead of it."""
    if not reads_submission(line):
        return read_refusal(line, now)
    found = split_submission(line)
    if found is None or b"\0" in line:
        return None
    try:
        return submission_of(dated(found[0], now), found[1])
    except ValueError:  # a day that no calendar has
        return None
