"""A line of Dovecot's log, whichever of ours it is."""

from __future__ import annotations

from accounts.activity.deeds import Deed, read_done, read_imap_end
from accounts.activity.lines import Event, read_line

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
