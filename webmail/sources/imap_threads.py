"""Conversations on a live source: what belongs together, and at how little cost that can be told of a message that stands alone,
as most do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from webmail.errors import FolderRenewed
from webmail.imap.search import is_filtered
from webmail.imap.threads import related_command, related_result
from webmail.sources.base import RELATED_IDS_LIMIT, RELATED_LIMIT
from webmail.sources.grouping import is_alone, stands_alone
from webmail.sources.imap_lists import ImapLists, uid_of
from webmail.sources.kept import Beside
from webmail.sources.listing import mark_of
from webmail.sources.packing import STATE
from webmail.sources.patching import read_mark
from webmail.values import FolderId, Query, Ref, Summary

STATE_NAME = "state"


class ImapThreads(ImapLists):
    """The part of an `ImapSource` that knows conversations."""

    def lone(self, ref: Ref) -> tuple[Summary, list[str]] | None:
        uid = uid_of(ref)
        beside = Beside(self._cache.lone_keys(ref), self._cache.read_early)
        self._answers.look_ahead({(STATE_NAME, ref.folder): STATE}, beside)
        kept = self._cache.orders(ref.folder, ["threads"])[0]
        ids = self._cache.ids(ref)
        row = self._cache.rows(ref.folder, ref.validity, [uid]).get(uid)
        if kept is None or ids is None or row is None or not stands_alone(kept[1], uid):
            return None
        (mark,) = self._answers.ask(
            STATE_NAME, ref.folder, STATE, lambda: [self._session.read(lambda: self._state(ref))]
        )
        state, limit = read_mark(mark), self.can.threads_limit
        if state is None or mark != kept[0] or state.validity != ref.validity:
            return None
        return (row, ids) if limit is None or state.exists <= limit else None

    def _state(self, ref: Ref) -> str:
        """The state of a folder for which its threads hold, "" where messages are marked as deleted."""
        state = self._session.valid(ref)[0]
        return "" if state.deleted else mark_of(state, Query())

    def conversations(self, refs: Iterable[Ref], query: Query) -> list[Ref]:
        refs = list(refs)
        return self._session.read(lambda: self._conversations(refs, query))

    def _conversations(self, refs: list[Ref], query: Query) -> list[Ref]:
        out: list[Ref] = []
        for folder, validity in dict.fromkeys((ref.folder, ref.validity) for ref in refs):
            mine = [ref for ref in refs if (ref.folder, ref.validity) == (folder, validity)]
            state, _flight = self._session.valid(mine[0])
            if not is_filtered(query) and is_alone(self._session, self._cache, state, map(uid_of, mine)):
                out += mine
                continue
            listing, groups = self._groups(folder, replace(query, sort="date", descending=True))
            if listing.state.validity != validity:
                raise FolderRenewed("the folder was made anew")
            together = groups.together(map(uid_of, mine)) if groups else ()
            out += dict.fromkeys([*self._refs(listing.state, together), *mine])
        return out

    def related(self, folder: FolderId, ids: Sequence[str]) -> list[Ref]:
        return self._session.read(lambda: self._related(folder, ids))

    def _related(self, folder: FolderId, ids: Sequence[str]) -> list[Ref]:
        """One round trip where the server names its answers (ESEARCH): the search goes out with the SELECT."""
        if not ids:
            return []
        command = related_command(self.connection, ids[:RELATED_IDS_LIMIT])
        if self.connection.has("ESEARCH"):
            state, flight = self._session.selected(folder, command)
        else:
            state, flight = self._session.selected(folder)[0], self.connection.run(command)
        found = related_result(self.connection, flight)
        return list(self._refs(state, found[-RELATED_LIMIT:]))
