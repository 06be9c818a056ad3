"""What the page of a folder shows, read once: its list, the tree, and what belongs to both; as a template takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from webmail.models import Composing
from webmail.moves import MoveEnded
from webmail.services.composing import to_rescue
from webmail.services.folders import folder_label
from webmail.services.reading import SENT_BY_ME, RowPage, look_ahead, open_page
from webmail.services.whereabouts import whereabouts
from webmail.values import Folder, FolderId, Query, Window
from webmail.views.box import Box
from webmail.views.query import PAGE_SIZE, query_of, query_string, start_from


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder that was opened, with the account's folders; `page` is None where it only holds others. `ended` are moves that
    had been cut, `rescue` texts that are not on the server."""

    query: Query
    folders: list[Folder]
    folder: Folder
    page: RowPage | None = None
    ended: Sequence[MoveEnded] = ()
    rescue: Sequence[Composing] = ()


def open_list(box: Box, folder_id: FolderId, *, start: int | None = None) -> Listed:
    """Reads a folder's list from `start` (else as the address says), and the tree. Raises MailError."""
    query = query_of(box.request)
    window = Window(start_from(box.request.GET) if start is None else start, PAGE_SIZE)
    look_ahead(box.source, folder_id, query, window)
    ended = box.source.finish_moves()
    folders = box.folders()
    folder = box.folder(folders, folder_id)
    if not folder.selectable:
        return Listed(query, folders, folder)
    page = open_page(box.source, folder, query, window, lambda: box.tags)
    folders = [one.less(page.page.marked) if one.id == folder.id else one for one in folders]
    rescue = to_rescue(box.account) if box.beside.composing else []
    return Listed(query, folders, folder.less(page.page.marked), page, ended, rescue)


def list_context(box: Box, folder_id: FolderId, *, start: int | None = None) -> dict[str, Any]:
    """Everything that the mail page shows but the reader: tree, quota, and the list from `start` (else as the address says)."""
    return context_of(box, open_list(box, folder_id, start=start))


def context_of(box: Box, listed: Listed) -> dict[str, Any]:
    """The same of a folder that was opened."""
    folder, folders, query = listed.folder, listed.folders, listed.query
    if listed.page is None:
        return box.tree(folders, folder.id) | {"folder": folder, "label": folder_label(folder), "query": query}
    return (
        box.tree(folders, folder.id)
        | rows_context(box, folder, listed.page, query)
        | {
            "quota": box.quota(),
            "can": box.source.can,
            "view": "list",
            "rescue": listed.rescue,
            "ended": [(move, *_labels(folders, move)) for move in listed.ended],
        }
    )


def _labels(folders: list[Folder], move: MoveEnded) -> list[str | Promise]:
    """The names of the two folders of a move, "" for one that is not listed."""
    names: dict[FolderId, str | Promise] = {folder.id: folder_label(folder) for folder in folders}
    return [names.get(move.folder, ""), names.get(move.target, "")]


def rows_context(box: Box, folder: Folder, page: RowPage, query: Query) -> dict[str, Any]:
    """What the rows of a list need."""
    return {
        "account": box.account,
        "folder": folder,
        "label": folder_label(folder),
        "query": query,
        "query_string": query_string(query),
        "change_url": box.url("messages_change", folder.id, query),
        "filtered": query.unread or query.flagged or query.attachment or bool(query.text),
        "page": page,
        "searched": page.page.searched,
        "places": whereabouts(box.account, [row.summary.ref for row in page.rows]),
        "page_size": PAGE_SIZE,
        "more_url": query_string(query, start=str(page.end)) if page.end < page.total else "",
        "less_url": query_string(query, start=str(max(0, page.page.start - PAGE_SIZE))) if page.page.start else "",
        "all_tags": box.tags.all,
        "grouped": page.page.query.grouped,
        "threads": _threads_link(box, folder, query),
        "sorts": sort_links(query, person="to" if folder.role in SENT_BY_ME else "from"),
        "filters": filter_links(query),
    }


def _threads_link(box: Box, folder: Folder, query: Query) -> tuple[str, str, bool] | None:
    """(address that turns grouping over, address of the list then, on); None where conversations cannot be told."""
    can = box.source.can
    if not can.threads or (can.threads_limit is not None and (folder.total or 0) > can.threads_limit):
        return None
    on = query.grouped
    return query_string(query, sort="", threads="0" if on else "1"), query_string(query, sort="") or "?", on


def sort_links(query: Query, *, person: str = "from") -> list[tuple[str, str, bool]]:
    """(key, address, current) for each order; choosing the current one turns it round. `person` is whom the rows name: "from",
    or "to" among what one sent."""
    links = []
    for key in ("date", person, "subject", "size"):
        current = key == query.sort
        changes = {"sort": key if key != "date" else "", "dir": ""}
        if current:
            changes["dir"] = "asc" if query.descending else "desc"
        links.append((key, query_string(query, **changes) or "?", current))
    return links


def filter_links(query: Query) -> list[tuple[str, str, bool]]:
    """(key, address, on) for each filter; following it turns it over."""
    state = {"unread": query.unread, "flagged": query.flagged, "attachment": query.attachment}
    return [(key, query_string(query, **{key: "" if on else "1"}) or "?", on) for key, on in state.items()]
