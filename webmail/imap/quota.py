"""Space on the server (RFC 2087)."""

from __future__ import annotations

from webmail.imap.connection import Connection
from webmail.imap.wire import Flight, Piece
from webmail.values import Quota

QUOTA_COMMAND: list[Piece] = [b"GETQUOTAROOT", b"INBOX"]


def read_quota(connection: Connection) -> Quota | None:
    """Space used and allowed for the Inbox; None where the server sets no limit or does not say."""
    return quota_of(connection.run(QUOTA_COMMAND))


def quota_of(flight: Flight) -> Quota | None:
    """The quota from the answer to QUOTA_COMMAND."""
    for response in flight.of(b"QUOTA"):
        tokens = response.tokens()
        resources = tokens[1] if len(tokens) > 1 else None
        words = [word for word in resources if isinstance(word, bytes)] if isinstance(resources, list) else []
        for name, used, limit in zip(words[::3], words[1::3], words[2::3], strict=False):
            if name.upper() == b"STORAGE" and used.isdigit() and limit.isdigit():
                return Quota(int(used) * 1024, int(limit) * 1024 or None)
    return None
