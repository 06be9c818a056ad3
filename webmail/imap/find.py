"""Finding a message by what its sender called it."""

from __future__ import annotations

from webmail.imap.connection import check
from webmail.imap.selected import search_result
from webmail.imap.session import Session
from webmail.imap.wire import quote
from webmail.values import FolderId, Ref


def find_message(session: Session, folder: FolderId, message_id: str, *, deleted: bool) -> list[Ref]:
    """The messages of a folder with this Message-ID, in angle brackets; those marked as deleted only with `deleted`. Raises
    Gone when there is no such folder."""
    state, flight = session.selected(folder)
    which = b"ALL" if deleted else b"UNDELETED"
    flight = session.connection.run([b"UID", b"SEARCH", which, b"HEADER", b"Message-ID", quote(message_id)])
    check(flight.ends[0])
    return [Ref(folder, state.validity, str(uid)) for uid in sorted(search_result(flight))]
