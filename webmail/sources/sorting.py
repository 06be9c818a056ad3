"""The first order of a large folder, which nobody waits for: a connection of its own sorts it, once the page that found it
without one has been given."""

from __future__ import annotations

import logging
from threading import Thread as Worker

from webmail.errors import MailError
from webmail.imap.session import Session
from webmail.sources.cache import MailCache
from webmail.sources.grouping import can_group, read_threads
from webmail.sources.kept import Answers
from webmail.sources.listing import SORTING, read_listing, sort_folder
from webmail.sources.reading_rows import RowReader
from webmail.values import FolderId, Query, Window

SORTING_S = 300
logger = logging.getLogger(__name__)


class Sorting:
    """Sorts for one source; one process does it at a time."""

    def __init__(self, session: Session, cache: MailCache, answers: Answers) -> None:
        self._session, self._cache, self._answers = session, cache, answers
        self._planned: tuple[FolderId, Window, bool] | None = None

    def plan(self, folder: FolderId, window: Window, *, grouped: bool) -> None:
        """Has a folder sorted after `begin`, unless somebody is at it; with the rows of a window, and with conversations if
        `grouped`."""
        if self._cache.lock(folder, SORTING, SORTING_S):
            self._planned = folder, window, grouped

    def begin(self) -> None:
        """Begins with what was planned. Whoever planned reads and keeps nothing after it."""
        planned, self._planned = self._planned, None
        if planned is not None:
            Worker(target=self._sort, args=(self._session.another(), *planned), name="sort", daemon=True).start()

    def _sort(self, session: Session, folder: FolderId, window: Window, grouped: bool) -> None:
        """After a failure the lock stays until it expires, and nobody is told: a page that reads again would begin it again."""
        try:
            session.read(lambda: self._sort_all(session, folder, window, grouped))
        except MailError as error:
            logger.info("sorting: %s", type(error).__name__)
            return
        finally:
            session.close()
        self._cache.unlock(folder, SORTING)
        self._answers.tell(folder)

    def _sort_all(self, session: Session, folder: FolderId, window: Window, grouped: bool) -> None:
        sort_folder(session, self._cache, folder, beat=lambda done: self._hold(folder, done))
        listing = read_listing(session, self._cache, folder, Query(), window)
        RowReader(session, self._cache).read(listing.state, listing.uids.tolist(), listing.flags)
        self._cache.later.flush()
        if grouped and can_group(session.connection, listing.state.exists):
            read_threads(session, self._cache, listing.state)

    def _hold(self, folder: FolderId, done: int) -> None:
        """Goes on holding the lock, and lets open pages say how far it is."""
        self._cache.lock(folder, SORTING, SORTING_S, again=True, done=done)
        self._answers.tell(folder)
