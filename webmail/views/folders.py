"""The folder tree and the list of messages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from webmail.errors import FolderGone, Unreachable
from webmail.services.access import first_account
from webmail.services.composing import to_rescue
from webmail.services.folders import folder_label
from webmail.services.reading import SENT_BY_ME, RowPage, look_ahead, open_page
from webmail.services.whereabouts import whereabouts
from webmail.tokens import decode_folder
from webmail.values import Folder, FolderId, MoveEnded, Query, Window
from webmail.views.box import Box, inbox_of, open_box
from webmail.views.query import PAGE_SIZE, THREADS_COOKIE, query_of, query_string, start_from
from webmail.views.rows import around_of, row_octets
from webmail.views.states import state_of

COOKIE_S = 365 * 24 * 3600


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first account of this person; a page that says so when there is none."""
    account = first_account(request)
    if account is None:
        return render(request, "webmail/no_account.html")
    if account.downloads:
        return redirect("account", account.pk)
    return redirect("folder", account.pk, FolderId("INBOX"))  # every IMAP server has it under this name


@login_required
@require_safe
def account_home(request: HttpRequest, account_id: int) -> HttpResponse:
    """Leads to the account's Inbox."""
    with open_box(request, account_id) as box:
        inbox = inbox_of(box.folders()) or inbox_of(box.source.folders())
        if inbox is None:
            raise FolderGone("the account has no folder")
        return redirect("folder", account_id, inbox.id)


@login_required
@require_safe
def folder_tree(request: HttpRequest, account_id: int) -> HttpResponse:
    """The tree alone, with fresh counts; `current` is the folder that the page shows. With `framed` its links lead to pages."""
    try:
        current = decode_folder(request.GET.get("current", ""))
    except ValueError:
        return HttpResponseBadRequest()
    with open_box(request, account_id) as box:
        context = box.tree(box.folders(), current or None) | {"framed": "framed" in request.GET}
    return render(request, "webmail/mail.html#tree", context)


@login_required
@require_safe
def message_list(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """A folder: the whole page, or its list pane for htmx."""
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if "threads" in request.GET and not partial:
        return _remember_threads(request, redirect(request.path + (query_string(query_of(request)))))
    with open_box(request, account_id) as box:
        if "on" in request.GET:  # where no script does it
            box.source.search_on(folder_id, query_of(request))
        try:
            context = list_context(box, folder_id)
        except FolderGone as error:
            return _gone(box, error)
    response = render(request, "webmail/mail.html" + ("#folder_change" if partial else ""), context)
    return _remember_threads(request, response) if "threads" in request.GET else response


def _remember_threads(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Lists stay by conversation, or by message, in this browser."""
    wanted = "1" if query_of(request).threads else "0"
    response.set_cookie(THREADS_COOKIE, wanted, max_age=COOKIE_S, httponly=True, samesite="Lax")
    return response


def _gone(box: Box, error: FolderGone) -> HttpResponse:
    """The folders that there are, and in place of the list what became of the one asked for."""
    state = state_of(error)
    context = box.tree(box.folders(), None) | {"view": "list", "state": state, "quota": box.quota()}
    partial = box.request.htmx and not box.request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(
        box.request, "webmail/mail.html" + ("#folder_change" if partial else ""), context, status=state.status
    )


@login_required
@require_safe
def message_rows(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """The rows of one window, for the list to grow by."""
    query = query_of(request)
    with open_box(request, account_id) as box:
        folder = Folder(id=folder_id, path=(), role=_role_hint(box, folder_id))
        page = open_page(box.source, folder, query, Window(start_from(request.GET), PAGE_SIZE), lambda: box.tags)
        response = draw_alone(box, folder, page, query)
    response["X-Total"] = str(page.total)
    if page.page.unsorted:
        response["X-Unsorted"] = str(page.page.sorted_count)
    return response


def draw_alone(box: Box, folder: Folder, page: RowPage, query: Query) -> HttpResponse:
    """Rows and nothing around them, as `webmail/rows.html` has them."""
    places = whereabouts(box.account, [row.summary.ref for row in page.rows])
    return HttpResponse(row_octets(page.rows, around_of(box.account.pk, folder, query, places)) + b"\n")


@login_required
@require_safe
def search_on(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Goes on with a search in the text of messages for about a second, and says how far it is. The browser asks for it as long
    as somebody looks at the list; a search that nobody asks to go on has ended."""
    query = query_of(request)
    with open_box(request, account_id) as box:
        try:
            searched, folder = box.source.search_on(folder_id, query), Folder(id=folder_id, path=())
        except Unreachable:
            return HttpResponse(status=503)
        found = searched.found if searched else box.source.page(folder_id, query, Window(0, 1)).total
        context = {"account": box.account, "folder": folder, "query": query, "searched": searched, "found": found}
    return render(request, "webmail/search_line.html", context)


def _role_hint(box: Box, folder_id: FolderId) -> Any:
    """The folder's role, told by the page that asks for more rows (it decides only whom the rows name)."""
    from webmail.values import Role

    hint = box.request.GET.get("role", "")
    return Role(hint) if hint in set(Role) else Role.NONE


def list_context(box: Box, folder_id: FolderId, *, start: int | None = None) -> dict[str, Any]:
    """Everything that the mail page shows but the reader: tree, quota, and the list from `start` (else as the address says)."""
    query = query_of(box.request)
    window = Window(start_from(box.request.GET) if start is None else start, PAGE_SIZE)
    look_ahead(box.source, folder_id, query, window)
    ended = box.source.finish_moves()
    folders = box.folders()
    folder = box.folder(folders, folder_id)
    if not folder.selectable:
        return box.tree(folders, folder_id) | {"folder": folder, "label": folder_label(folder), "query": query}
    page = open_page(box.source, folder, query, window, lambda: box.tags)
    folders = [one.less(page.page.marked) if one.id == folder.id else one for one in folders]
    folder = folder.less(page.page.marked)
    return (
        box.tree(folders, folder_id)
        | rows_context(box, folder, page, query)
        | {
            "quota": box.quota(),
            "can": box.source.can,
            "view": "list",
            "rescue": to_rescue(box.account) if box.beside.composing else [],
            "ended": [(move, *_labels(folders, move)) for move in ended],
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
