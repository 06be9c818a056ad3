"""The rows of a list: what was kept of them, and what has to be asked, around a message over which the server stumbles."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping

from webmail.errors import FolderRenewed, Unreachable
from webmail.imap.connection import Connection, check
from webmail.imap.fetch import by_uid, fetch_command
from webmail.imap.rows import Row, fetch_least, fetch_rows
from webmail.imap.selected import Selected, extended_result, search_result
from webmail.imap.session import Session
from webmail.imap.wire import Piece
from webmail.sources.cache import MailCache
from webmail.values import Summary

SALVAGE_LIMIT = 12
SALVAGE_WITHIN_S = 10.0


class RowReader:
    """Reads rows over one session."""

    def __init__(self, session: Session, cache: MailCache) -> None:
        self._session = session
        self._cache = cache

    def read(
        self,
        state: Selected,
        uids: list[int],
        flags: dict[int, frozenset[str]],
        rows: Mapping[int, Row] | None = None,
    ) -> list[Summary]:
        """The rows of these messages in their order; `flags` are those that are known already, and so are `rows`."""
        here = rows or {}
        kept = self._cache.rows(state.folder, state.validity, [uid for uid in uids if uid not in here])
        missing = [uid for uid in uids if uid not in kept and uid not in here]
        fresh, more = self._fetch(state, missing, [uid for uid in kept if uid not in flags])
        flags, fresh = flags | more, {**here, **fresh}
        lasting = [row for row in fresh.values() if row.lasting]
        if lasting:
            structures = {row.summary.ref: row.structure for row in lasting if row.structure}
            self._cache.keep_rows((row.summary for row in lasting), structures)
        known = {uid: row.marked(flags[uid]) for uid, row in kept.items() if uid in flags}
        known |= {uid: row.summary for uid, row in fresh.items()}
        return [known[uid] for uid in uids if uid in known]

    def _fetch(
        self, state: Selected, uids: list[int], flags_of: list[int]
    ) -> tuple[dict[int, Row], dict[int, frozenset[str]]]:
        started = time.monotonic()
        try:
            return fetch_rows(self._session.connection, state.folder, state.validity, uids, flags_of)
        except Unreachable:
            if not self._session.connection.broken or time.monotonic() - started > SALVAGE_WITHIN_S:
                raise
        with contextlib.suppress(Unreachable):  # the network's fault, if the same works now
            self._reopen(state)
            return fetch_rows(self._session.connection, state.folder, state.validity, uids, flags_of)
        return self._salvage(state, uids, [SALVAGE_LIMIT]), self._fetch(state, [], flags_of)[1]

    def _salvage(self, state: Selected, uids: list[int], left: list[int]) -> dict[int, Row]:
        """After a connection that broke while rows were read: each half on a new one, down to the message over which the
        server stumbles, of which only the least is asked. Raises Unreachable when that does not help."""
        if not left[0]:
            raise Unreachable("the connection breaks again and again")
        left[0] -= 1
        self._reopen(state)
        if len(uids) == 1:
            return fetch_least(self._session.connection, state.folder, state.validity, uids[0])
        rows: dict[int, Row] = {}
        middle = len(uids) // 2
        for half in (uids[:middle], uids[middle:]):
            try:
                rows |= fetch_rows(self._session.connection, state.folder, state.validity, half)[0]
            except Unreachable:
                rows |= self._salvage(state, half, left)
        return rows

    def _reopen(self, state: Selected) -> None:
        """The same folder on a new connection. Raises FolderRenewed when it is another by now."""
        self._session.reconnect()
        if self._session.selected(state.folder)[0].validity != state.validity:
            raise FolderRenewed("the folder was made anew")


def read_marks(connection: Connection, uids: list[int]) -> tuple[set[int], dict[int, frozenset[str]]]:
    """The unread messages of the selected folder, and the flags of these, in one flight."""
    options: list[Piece] = [b"RETURN", b"(ALL)"] if connection.has("ESEARCH") else []
    commands: list[list[Piece]] = [[b"UID", b"SEARCH", *options, b"UNSEEN"]]
    if uids:
        commands.append(fetch_command(uids, b"UID FLAGS"))
    flight = connection.run(*commands)
    for end in flight.ends:
        check(end)
    unread = set(extended_result(flight, flight.tags[0])) if options else search_result(flight)
    return unread, {uid: one.flags() for uid, one in by_uid(flight, uids).items()}
