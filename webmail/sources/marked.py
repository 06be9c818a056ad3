"""Counts that agree with the lists. A server counts messages that are marked as deleted and not expunged yet; lists leave
them out. How many there are is found out when a list meets some, and kept for the tree."""

from __future__ import annotations

from array import array

from webmail.errors import Gone
from webmail.imap.connection import check
from webmail.imap.selected import Selected, search_result
from webmail.imap.session import Session
from webmail.imap.wire import Piece
from webmail.sources.cache import MailCache
from webmail.values import Folder, FolderId, Marked

NAME = "marked"
UNREAD: list[Piece] = [b"UID", b"SEARCH", b"DELETED", b"UNSEEN"]


def read_marked(session: Session, cache: MailCache, state: Selected) -> Marked:
    """How many messages of the selected folder are marked as deleted. One round trip, where there are some and what was kept
    does not hold any more."""
    if not state.deleted:
        return Marked()
    mark = _mark(state.validity, state.next_uid, state.exists, state.modseq)
    kept = cache.numbers(NAME, [state.folder])[0]
    if kept and kept[0] == mark and state.modseq and len(kept[1]) == 2:
        return Marked(*kept[1])
    flight = session.connection.run(UNREAD)
    check(flight.ends[0])
    found = Marked(len(state.deleted), len(search_result(flight) & state.deleted))
    cache.keep_orders(state.folder, {NAME: (mark, array("I", (found.total, found.unread)))})
    return found


def without_marked(session: Session, cache: MailCache, folders: list[Folder]) -> list[Folder]:
    """Folders with counts as their lists have them. Nothing is asked for but in folders that had such messages and have
    changed since."""
    counted = [folder.id for folder in folders if folder.selectable and folder.total]
    kept = dict(zip(counted, cache.numbers(NAME, counted), strict=True))
    return [_without(session, cache, folder, kept.get(folder.id)) for folder in folders]


def _without(session: Session, cache: MailCache, folder: Folder, kept: tuple[str, array[int]] | None) -> Folder:
    if kept is None or len(kept[1]) != 2 or not kept[1][0]:
        return folder
    if kept[0] == _mark(folder.validity, folder.next_id, folder.total, folder.modseq):
        return folder.less(Marked(*kept[1]))
    try:
        state, _flight = session.selected(folder.id)
    except Gone:
        return folder
    if not state.deleted:
        _forget(cache, folder.id)
    return folder.less(read_marked(session, cache, state))


def _forget(cache: MailCache, folder: FolderId) -> None:
    cache.keep_orders(folder, {NAME: ("", array("I", (0, 0)))})


def _mark(validity: int | None, next_uid: int | None, total: int | None, modseq: int | None) -> str:
    return f"{validity}:{next_uid}:{total}:{modseq}"
