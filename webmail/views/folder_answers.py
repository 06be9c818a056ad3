"""How managing folders answers: a dialog that asks, a toast that tells, the tree and, where it has to, the list drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from webmail.errors import LoginRefused, MailError, Refused
from webmail.services import hierarchy
from webmail.services.folders import folder_label
from webmail.services.hierarchy import Change, NameRefused
from webmail.values import Folder, FolderId
from webmail.views.box import Box, inbox_of, open_box
from webmail.views.listed import list_context
from webmail.views.states import state_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A folder of an open mailbox, and all folders beside it, hidden ones too."""

    box: Box
    folders: list[Folder]
    folder: Folder

    @property
    def name(self) -> str:
        return str(folder_label(self.folder))

    def url(self, name: str) -> str:
        return self.box.url(name, self.folder.id)


@contextmanager
def open_folder(request: HttpRequest, account_id: int, folder_id: FolderId, *, free: bool = False) -> Iterator[Held]:
    """Opens the mailbox and finds the folder. Raises FolderGone; with `free`, PermissionDenied for special folders."""
    with open_box(request, account_id) as box:
        folders = hierarchy.listed_with(box.source, folder_id)
        held = Held(box, folders, hierarchy.find(folders, folder_id))
        if free and hierarchy.is_protected(folders, held.folder):
            raise PermissionDenied
        yield held


def tried(action: Callable[[], T]) -> T | MailError:
    """What an action gives, or what went wrong with it. Raises LoginRefused."""
    try:
        return action()
    except LoginRefused:
        raise
    except MailError as error:
        return error


def answer_dialog(
    box: Box,
    form: dict[str, Any],
    held: Held | None = None,
    *,
    error: MailError | None = None,
    note: str = "",
    empty: str = "",
    status: int = 200,
) -> HttpResponse:
    """A dialog for htmx, else a page; with an error it keeps what was typed."""
    if error is not None:
        status = 422 if isinstance(error, Refused) else state_of(error).status
    context = form | {
        "account": box.account,
        "error": _error_words(error, form) if error else "",
        "note": note,
        "empty": empty,
        "back_url": held.url("folder") if held else reverse("account", args=[box.account.pk]),
    }
    part = part_for(box.request, "dialog")
    return render(box.request, f"webmail/folder_dialogs.html{part}", context | {"in_dialog": bool(part)}, status=status)


def _error_words(error: MailError, form: dict[str, Any]) -> str:
    """What to write under the field."""
    if isinstance(error, NameRefused):
        texts = {
            "empty": _("Write a name for the folder."),
            "long": _("The name is too long: it may have %(n)d characters.") % {"n": hierarchy.NAME_LIMIT},
            "signs": _("A name cannot have a percent sign or an asterisk in it, nor signs that do not show."),
            "taken": _("There is a folder of this name there already."),
        }
        return texts[error.code]
    if not isinstance(error, Refused):
        return str(state_of(error).title)
    if "name" in form:
        return _("The server does not take this name. Leave out signs such as / or . and try again.")
    if "places" in form:
        return _("The server does not let this folder be moved there. Choose another place.")
    return _("The server refused. Nothing was changed.")


def answer_change(held: Held, change: Change, text: str, *, leave: bool = False) -> HttpResponse:
    """The answer to a change of one folder; with `leave` a page that shows it goes on to the Inbox."""
    request, account = held.box.request, held.box.account
    undo_url = ""
    if change.undo:
        token = hierarchy.keep_undo(request.user.pk or 0, account.pk, change.undo)
        undo_url = reverse("hierarchy_undo", args=[account.pk, token])
    gone = leave or change.folder is None
    inbox = inbox_of(held.folders)
    goto = (inbox.id if inbox else None) if gone or not hierarchy.exists(held.folder) else change.folder
    ids = dict.fromkeys(change.ids, goto) if gone and goto is not None else change.ids
    focus = held.folder.parent if gone else change.folder
    return answer_done(held.box, text, undo_url=undo_url, ids=ids, focus=focus, goto=goto)


def answer_failure(box: Box, error: MailError) -> HttpResponse:
    """A toast that says what went wrong."""
    state = state_of(error)
    return answer_done(box, str(state.title), status=state.status)


def answer_done(
    box: Box,
    text: str,
    *,
    undo_url: str = "",
    ids: dict[FolderId, FolderId] | None = None,
    focus: FolderId | None = None,
    goto: FolderId | None = None,
    mail_changed: bool = False,
    redraw: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The toast and the tree; the list as well when the folder that the page shows has another id now (`ids`), or with
    `redraw` when it is `goto`. Without htmx it leads to `goto`, with the toast."""
    request, account = box.request, box.account
    if not request.htmx:  # type: ignore[attr-defined]
        notices.info(request, text, extra_tags=undo_url)
        return redirect(box.url("folder", goto) if goto is not None else reverse("account", args=[account.pk]))
    shown = _shown_folder(request, account.pk)
    now = (ids or {}).get(shown, shown) if shown is not None else None
    moved = now is not None and (now != shown or (redraw and now == goto))
    context: dict[str, Any] = list_context(box, now) if moved and now else box.tree(box.folders(), now)
    context |= {
        "text": text,
        "undo_url": undo_url,
        "from_folder": now or "INBOX",
        "moved": moved,
        "focus": focus or "",
        "mail_changed": mail_changed,
        "failed": status >= 400,
    }
    response = answer_toast(request, "done", context, status=status)
    if moved and now is not None and now != shown:
        response["HX-Replace-Url"] = box.url("folder", now)
    return response


def answer_toast(request: HttpRequest, part: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A part that goes to the toasts, whatever asked for it; one that goes on takes the place of the one before."""
    response = render(request, f"webmail/folder_dialogs.html#{part}", context, status=status)
    if "total" not in request.POST:
        response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "beforeend"
    return response


def _shown_folder(request: HttpRequest, account_id: int) -> FolderId | None:
    """The folder of this account that the page shows, by its address."""
    url = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
    try:
        found = resolve(url.partition("?")[0]).kwargs if url else {}
    except (Resolver404, ValueError):
        return None
    return found.get("folder_id") if found.get("account_id") == account_id else None


def part_for(request: HttpRequest, name: str) -> str:
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return f"#{name}" if partial else ""
