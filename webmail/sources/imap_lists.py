"""What a live source lists: folders, pages, conversations. What was asked for a watched account holds until something changes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from webmail.errors import FolderRenewed, Gone
from webmail.folder_order import only_subscribed
from webmail.imap.connection import Connection
from webmail.imap.folders import list_commands, list_folders, listed_folders
from webmail.imap.quota import QUOTA_COMMAND, quota_of, read_quota
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.threads import HERE_LIMIT, server_threads
from webmail.imap.wire import Flight
from webmail.sources.body_search import read_list, search_bodies, search_name
from webmail.sources.cache import MailCache
from webmail.sources.grouping import Groups, read_groups
from webmail.sources.kept import TRUST_S, Answers, Shape
from webmail.sources.listing import SORTING, Listing, is_large, is_usual
from webmail.sources.marked import read_marked, without_marked
from webmail.sources.orders import index_of
from webmail.sources.packing import CAPABILITIES, FOLDERS, QUOTA, page_shape, place_shape
from webmail.sources.reading_rows import RowReader, read_marks
from webmail.sources.recent import Recent
from webmail.sources.sorting import Sorting
from webmail.values import Capabilities, Folder, FolderId, Page, Query, Quota, Ref, Role, Searched, Thread, Window

Place = tuple[int, int, int, int]

_can: Recent[tuple[float, Capabilities]] = Recent(10_000)
"""What servers can do, by whose connections they are, and when that was known."""


class ImapLists:
    """The half of an `ImapSource` that lists."""

    def __init__(self, session: Session, cache: MailCache, roles: Mapping[Role, FolderId], answers: Answers) -> None:
        self._session = session
        self._cache = cache
        self._roles = roles
        self._answers = answers
        self._rows = RowReader(session, cache)
        self._sorting = Sorting(session, cache, answers)
        self._can: Capabilities | None = None
        self._early: tuple[tuple[str, FolderId], Page] | None = None
        self._versions: dict[tuple[FolderId, str], str] = {}
        self._tree_along: Flight | None = None
        self._quota_along: Flight | None = None

    @property
    def connection(self) -> Connection:
        """The leased connection."""
        return self._session.connection

    @property
    def can(self) -> Capabilities:
        if self._can is None:
            since, known = _can.get(self._session.key) or (-TRUST_S, None)
            if known is None or time.monotonic() - since >= TRUST_S:
                known = self._answers.ask("can", None, CAPABILITIES, self._capabilities)
                _can.keep(self._session.key, (time.monotonic(), known))
            self._can = known
        return self._can

    def _capabilities(self) -> Capabilities:
        connection = self.connection
        return Capabilities(
            push=False,
            threads=True,
            threads_limit=None if server_threads(connection) else HERE_LIMIT,
            server_sort=connection.has("SORT"),
            quota=connection.has("QUOTA"),
            move=True,
            whole_moves=connection.has("MOVE"),
        )

    def look_ahead(self, folder: FolderId, query: Query, window: Window) -> None:
        name, tree, quota = (
            (self._page_name(folder, query, window), folder),
            (self._folders_name(), None),
            ("quota", None),
        )
        shapes = {tree: FOLDERS, ("can", None): CAPABILITIES, quota: QUOTA, name: self._shape(folder, query)}
        missing = self._answers.look_ahead(shapes)
        if name not in missing or tree not in missing or not self.can.whole_moves:
            return
        self._session.read(lambda: self._take_along(with_quota=quota in missing))
        with suppress(Gone):
            self._early = name, self.page(folder, query, window)

    def _take_along(self, *, with_quota: bool) -> None:
        """The tree and the quota come with the page, in one flight."""
        connection = self.connection
        commands = list_commands(connection)
        if commands and self._knows_prefix():
            more = [QUOTA_COMMAND] if with_quota and connection.has("QUOTA") else []
            self._session.take_along(*commands, *more)

    def folders(self, *, subscribed_only: bool = False, fresh: bool = False) -> list[Folder]:
        def ask() -> list[Folder]:
            return self._session.read(self._folders)

        found = ask() if fresh else self._answers.ask(self._folders_name(), None, FOLDERS, ask)
        return only_subscribed(found) if subscribed_only else found

    def _folders_name(self) -> str:
        """The tree depends on the folders that its owner has chosen for something."""
        return f"folders:{sorted(self._roles.items())}"

    def _folders(self) -> list[Folder]:
        self._collect()
        along, self._tree_along = self._tree_along, None
        if along is not None and self._knows_prefix():
            found = listed_folders(self.connection, along, chosen=self._roles)
        else:
            found = list_folders(self.connection, subscribed_only=False, chosen=self._roles)
        return without_marked(self._session, self._cache, found)

    def _quota(self) -> Quota | None:
        self._collect()
        along, self._quota_along = self._quota_along, None
        return quota_of(along) if along is not None and along.of(b"QUOTA") else read_quota(self.connection)

    def _collect(self) -> None:
        """Takes what came along with a page: each is used once."""
        if self._session.along is not None:
            self._tree_along = self._quota_along = self._session.along
            self._session.along = None

    def _forget(self) -> None:
        """What was found beforehand is of before a change."""
        self._session.along = self._tree_along = self._quota_along = self._early = None

    def _knows_prefix(self) -> bool:
        return self.connection.prefix is not None or not self.connection.has("NAMESPACE")

    def quota(self) -> Quota | None:
        if not self.can.quota:
            return None
        ask = lambda: [self._session.read(self._quota)]  # noqa: E731
        return self._answers.ask("quota", None, QUOTA, ask)[0]

    def page(self, folder: FolderId, query: Query, window: Window) -> Page:
        early, self._early = self._early, None
        name = self._page_name(folder, query, window)
        if early and early[0] == (name, folder):
            return early[1]
        return self._answers.ask(
            name,
            folder,
            self._shape(folder, query),
            lambda: self._session.read(lambda: self._page(folder, query, window)),
        )

    def _shape(self, folder: FolderId, query: Query) -> Shape:
        return page_shape(self._cache.account, folder, query, self._cache.rows)

    def _page_name(self, folder: FolderId, query: Query, window: Window) -> str:
        return f"page:{query.name}:{window.start}:{window.size}{self._version(folder, query)}"

    def _version(self, folder: FolderId, query: Query) -> str:
        """What was found in texts is another answer when more was searched; looked at once for a page."""
        if not (query.text and query.in_body):
            return ""
        key = (folder, search_name(query))
        if key not in self._versions:
            self._versions[key] = self._cache.found_version(*key)
        return f":{self._versions[key]}"

    def _page(self, folder: FolderId, query: Query, window: Window) -> Page:
        grouped = query.grouped
        if grouped and not self._is_unsorted(folder, query):
            page = self._thread_page(folder, query, window)
            if page is not None:
                return page
        query = replace(query, threads=False)
        listing = read_list(self._session, self._cache, folder, query, window)
        start = max(0, min(window.start, listing.total))
        rows = self._rows.read(listing.state, listing.uids.tolist(), listing.flags, listing.rows)
        marked = read_marked(self._session, self._cache, listing.state)
        state = listing.state
        if listing.unsorted:
            self._sorting.plan(folder, window, grouped=grouped)
        return Page(
            tuple(rows),
            start,
            listing.total,
            state.validity,
            query,
            state.next_uid,
            marked=marked,
            unsorted=listing.unsorted,
            sorted_count=self._cache.progress(folder, SORTING) if listing.unsorted else 0,
            searched=listing.searched,
        )

    def search_on(self, folder: FolderId, query: Query) -> Searched | None:
        if not (query.text and query.in_body):
            return None
        self._versions.clear()
        plain = replace(query, threads=False)
        return self._session.read(lambda: search_bodies(self._session, self._cache, folder, plain, on=True)).searched

    def _is_unsorted(self, folder: FolderId, query: Query) -> bool:
        """Whether the folder is a large one that has no order yet, so that nobody waits for its conversations either."""
        if not is_usual(query) or self._cache.heads(folder, [query.sort])[0]:
            return False
        return is_large(self._session.selected(folder)[0])

    def _thread_page(self, folder: FolderId, query: Query, window: Window) -> Page | None:
        """A window of conversations; None where nobody can tell them."""
        listing, groups = self._groups(folder, query)
        if groups is None:
            return None
        state, start = listing.state, max(0, min(window.start, len(groups)))
        members = [groups.row(at) for at in range(start, min(start + window.size, len(groups)))]
        unread, flags = read_marks(self.connection, [thread[0] for thread in members])
        rows = {int(row.ref.id): row for row in self._rows.read(state, [thread[0] for thread in members], flags)}
        shown = [thread for thread in members if thread[0] in rows]
        threads = (Thread(self._refs(state, thread), unread=not unread.isdisjoint(thread.tolist())) for thread in shown)
        return Page(
            tuple(rows[thread[0]] for thread in shown),
            start,
            len(groups),
            state.validity,
            query,
            state.next_uid,
            tuple(threads),
            read_marked(self._session, self._cache, state),
            searched=listing.searched,
        )

    def _groups(self, folder: FolderId, query: Query) -> tuple[Listing, Groups | None]:
        listing = read_list(self._session, self._cache, folder, query)
        return listing, read_groups(self._session, self._cache, listing, query)

    @staticmethod
    def _refs(state: Selected, uids: Iterable[int]) -> tuple[Ref, ...]:
        return tuple(Ref(state.folder, state.validity, str(uid)) for uid in uids)

    def neighbours(self, ref: Ref, query: Query) -> tuple[int, Ref | None, Ref | None, int]:
        name = self._place_name(ref, query)
        at, before, after, total = self._answers.ask(
            name, ref.folder, place_shape(query), lambda: self._session.read(lambda: self._place(ref, query))
        )
        beside = (Ref(ref.folder, ref.validity, str(uid)) if uid else None for uid in (before, after))
        return at, *beside, total  # type: ignore[return-value]

    def _place_name(self, ref: Ref, query: Query) -> str:
        return f"place:{query.name}:{ref.validity}:{ref.id}{self._version(ref.folder, query)}"

    def _place(self, ref: Ref, query: Query) -> Place:
        """The row of a message, the UIDs before and after it (0 = none), and how many rows there are."""
        if not self._cache.heads(ref.folder, [query.sort])[0] and self._cache.is_locked(ref.folder, SORTING):
            return -1, 0, 0, 0
        listing = read_list(self._session, self._cache, ref.folder, query)
        if listing.state.validity != ref.validity:
            raise FolderRenewed("the folder was made anew")
        groups = read_groups(self._session, self._cache, listing, query) if query.grouped else None
        order = listing.uids if groups is None else groups.heads
        try:
            at = index_of(order, uid_of(ref)) if groups is None else groups.row_of(uid_of(ref))
        except ValueError:
            at = -1
        if at < 0:
            return -1, 0, 0, len(order)
        before, after = (order[i] if 0 <= i < len(order) else 0 for i in (at - 1, at + 1))
        return at, before, after, len(order)

    def refs(self, folder: FolderId, query: Query) -> list[Ref]:
        listing = self._session.read(lambda: read_list(self._session, self._cache, folder, query))
        return [Ref(folder, listing.state.validity, str(uid)) for uid in listing.uids]


def uid_of(ref: Ref) -> int:
    """The UID of a ref. Raises Gone when it has none."""
    if not (ref.id.isascii() and ref.id.isdigit()) or len(ref.id) > 10 or not 0 < int(ref.id) <= 0xFFFFFFFF:
        raise Gone("not a UID")
    return int(ref.id)
