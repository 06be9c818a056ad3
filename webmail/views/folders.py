"""The folder tree and the list of messages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from webmail.errors import FolderGone, Unreachable
from webmail.services.access import first_account
from webmail.services.reading import RowPage, open_page
from webmail.services.whereabouts import whereabouts
from webmail.tokens import decode_folder
from webmail.values import Folder, FolderId, Query, Window
from webmail.views.box import Box, inbox_of, open_box
from webmail.views.list_forms import draw_list, draw_page
from webmail.views.listed import open_list
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
            listed = open_list(box, folder_id)
        except FolderGone as error:
            return _gone(box, error)
        response = draw_list(box, listed) if partial else draw_page(box, listed)
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
    return HttpResponse(row_octets(page.rows, around_of(box.account.pk, folder, query, places), page.drawn) + b"\n")


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
