"""Managing folders: the menu of a folder, the dialogs that ask, and what they do. Each dialog is also a page of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webmail.errors import FolderGone, MailError, Refused
from webmail.services import hierarchy, organising, undo
from webmail.services.folders import folder_label
from webmail.services.hierarchy import Change, Contents
from webmail.tokens import decode_folder, encode_folder
from webmail.values import Flag, Folder, FolderId, Query, Ref
from webmail.views.box import open_box
from webmail.views.folder_answers import (
    Held,
    answer_change,
    answer_dialog,
    answer_done,
    answer_failure,
    answer_toast,
    open_folder,
    part_for,
    tried,
)

require_form = require_http_methods(["GET", "HEAD", "POST"])

_UPTO = re.compile(r"([0-9]{1,20})\.([0-9]{1,20})")
_COUNTED = re.compile(r"([0-9]{1,12})\.([0-9]{1,6})")


@login_required
@require_safe
def folder_menu(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """What can be done with a folder."""
    with open_folder(request, account_id, folder_id) as held:
        folder, everything = held.folder, bool(getattr(request.user, "all_folders", False))
        context = {
            "account": held.box.account,
            "folder": folder,
            "label": held.name,
            "can": held.box.source.can,
            "real": hierarchy.exists(folder),
            "free": not hierarchy.is_protected(held.folders, folder),
            "everything": everything,
            "hidden": [] if everything else hierarchy.hidden(held.folders),
            "emptied": folder.role in hierarchy.EMPTIED,
            "back_url": held.url("folder") if hierarchy.exists(folder) else reverse("account", args=[account_id]),
        }
    return render(request, "webmail/folder_menu.html" + part_for(request, "menu"), context)


@login_required
@require_form
def folder_new(request: HttpRequest, account_id: int) -> HttpResponse:
    """Makes a folder called `name` below `place`."""
    with open_box(request, account_id) as box:
        folders = box.source.folders()
        data = request.POST if request.method == "POST" else request.GET
        form: dict[str, Any] = {
            "title": _("New folder"),
            "action": reverse("folder_new", args=[account_id]),
            "submit": _("Create folder"),
            "name": data.get("name", ""),
            "places": _places(folders) if box.source.can.nested_folders else None,
            "places_label": _("Inside"),
            "place": data.get("place", ""),
        }
        if request.method != "POST":
            return answer_dialog(box, form)

        def change() -> FolderId:
            parent = _place_named(hierarchy.places(folders), form["place"])
            return hierarchy.create(box.source, folders, parent=parent, name=form["name"])

        made = tried(change)
        if isinstance(made, MailError):
            return answer_dialog(box, form, error=made)
        text = _("Folder “%(name)s” created") % {"name": form["name"].strip()}
        return answer_done(box, text, focus=made, goto=made)


@login_required
@require_form
def folder_rename(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Gives a folder the name `name`."""
    with open_folder(request, account_id, folder_id, free=True) as held:
        form = {
            "title": _("Rename “%(name)s”") % {"name": held.name},
            "action": held.url("folder_rename"),
            "submit": _("Rename"),
            "name": request.POST.get("name", held.folder.name),
        }
        if request.method != "POST":
            return answer_dialog(held.box, form, held)
        change = tried(lambda: hierarchy.rename(held.box.source, held.folders, held.folder, name=form["name"]))
        if isinstance(change, MailError):
            return answer_dialog(held.box, form, held, error=change)
        text = _("“%(old)s” is called “%(new)s” now") % {"old": held.name, "new": form["name"].strip()}
        return answer_change(held, change, text)


@login_required
@require_form
def folder_place(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Moves a folder below `place` ("" = to the top)."""
    with open_folder(request, account_id, folder_id, free=True) as held:
        form: dict[str, Any] = {
            "title": _("Move “%(name)s”") % {"name": held.name},
            "text": _("What is in the folder moves with it."),
            "action": held.url("folder_place"),
            "submit": _("Move folder"),
            "places": _places(held.folders, held.folder),
            "places_label": _("Move into"),
            "place": request.POST.get("place", _token(held.folder.parent)),
        }
        if request.method != "POST":
            return answer_dialog(held.box, form, held)

        def move() -> Change:
            to = _place_named(hierarchy.places(held.folders, held.folder), form["place"])
            return hierarchy.move(held.box.source, held.folders, held.folder, parent=to)

        change = tried(move)
        if isinstance(change, MailError):
            return answer_dialog(held.box, form, held, error=change)
        to = next((label for token, label in form["places"] if token == form["place"]), "")
        text = _("“%(name)s” moved to %(to)s") % {"name": held.name, "to": to} if form["place"] else ""
        return answer_change(held, change, text or _("“%(name)s” moved to the top") % {"name": held.name})


@login_required
@require_form
def folder_delete(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Moves a folder to the Trash; with `way` purge deletes it for good, if no more is in it than the dialog counted."""
    with open_folder(request, account_id, folder_id, free=True) as held:
        source, folders, folder = held.box.source, held.folders, held.folder
        inside = hierarchy.contents(source, folders, folder)
        final = hierarchy.in_trash(folders, folder) or not source.can.nested_folders
        if request.method != "POST":
            return answer_dialog(held.box, _deletion(held, inside, final=final), held)
        if request.POST.get("way") != "purge":
            change = tried(lambda: hierarchy.trash(source, folders, folder))
            if isinstance(change, Refused):
                note = _("The server does not take this folder into the Trash. It can only be deleted for good.")
                return answer_dialog(held.box, _deletion(held, inside, final=True), held, note=note, status=422)
        elif inside.exceeds(_counted(request.POST.get("counted", ""))):
            note = _("More has come into it in the meantime. Look again before you delete it.")
            return answer_dialog(held.box, _deletion(held, inside, final=True), held, note=note, status=422)
        else:
            change = tried(lambda: hierarchy.purge(source, folders, folder))
        if isinstance(change, MailError):
            return answer_dialog(held.box, _deletion(held, inside, final=final), held, error=change)
        if change.folder is None:
            return answer_change(held, change, _("“%(name)s” deleted for good") % {"name": held.name})
        return answer_change(held, change, _("“%(name)s” moved to Trash") % {"name": held.name}, leave=True)


@login_required
@require_POST
def folder_subscribe(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Shows a folder in every program (`on` 1), or hides it with all below it."""
    with open_folder(request, account_id, folder_id) as held:
        on = request.POST.get("on") == "1"
        if not on and hierarchy.is_protected(held.folders, held.folder):
            raise PermissionDenied
        change = tried(
            lambda: (
                hierarchy.show(held.box.source, held.folder)
                if on
                else hierarchy.hide(held.box.source, held.folders, held.folder)
            )
        )
        if isinstance(change, MailError):
            return answer_failure(held.box, change)
        text = _("“%(name)s” is shown again") if on else _("“%(name)s” hidden. Its mail stays where it is.")
        return answer_change(held, change, text % {"name": held.name})


@login_required
@require_safe
def folders_hidden(request: HttpRequest, account_id: int) -> HttpResponse:
    """The folders that are hidden, each with a button that shows it."""
    with open_box(request, account_id) as box:
        folders = box.source.folders()
        rows = [(one, _path_label(folders, one)) for one in hierarchy.hidden(folders)]
        form = {"title": _("Hidden folders"), "rows": rows}
        form["text"] = _("They are on the server with all their mail, and no program lists them.") if rows else ""
        return answer_dialog(box, form, empty=_("No folder is hidden.") if not rows else "")


@login_required
@require_POST
def folder_read(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Marks all messages of a folder as read."""
    with open_folder(request, account_id, folder_id) as held:
        source = held.box.source

        def mark() -> organising.Change:
            refs = source.refs(folder_id, Query(unread=True))
            return organising.mark(source, refs, add=[Flag.SEEN]) if refs else organising.Change(0)

        change = tried(mark)
        if isinstance(change, MailError):
            return answer_failure(held.box, change)
        if not change.count:
            return answer_done(held.box, _("Nothing is unread in “%(name)s”.") % {"name": held.name}, goto=folder_id)
        token = undo.keep(request.user.pk or 0, account_id, change.undo) if change.undo else ""
        text = ngettext("%(n)d message marked as read", "%(n)d messages marked as read", change.count)
        undo_url = reverse("change_undo", args=[account_id, token]) if token else ""
        text %= {"n": change.count}
        return answer_done(held.box, text, undo_url=undo_url, mail_changed=True, focus=folder_id, goto=folder_id)


@login_required
@require_form
def folder_empty(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Deletes for good what is in the Trash or in Junk: up to `upto`, and of the folders below no more than was `counted`.
    htmx gets it done step by step, with a toast that tells how far it is and goes on (`total`) until `stop`."""
    with open_folder(request, account_id, folder_id) as held:
        if held.folder.role not in hierarchy.EMPTIED:
            raise PermissionDenied
        inner = hierarchy.inner_contents(held.box.source, held.folders, held.folder)
        if request.method != "POST":
            return answer_dialog(held.box, _emptying(held, inner), held)
        try:
            step = Step.read(held)
        except ValueError:
            return HttpResponseBadRequest()
        if step.first and inner.exceeds(_counted(request.POST.get("counted", ""))):
            note = _("More has come into it in the meantime. Look again before you delete it.")
            return answer_dialog(held.box, _emptying(held, inner), held, note=note, status=422)
        after = tried(step.run)
        if isinstance(after, MailError):
            return answer_failure(held.box, after)
        if after.left:
            return answer_toast(
                request, "progress", {"step": after, "label": held.name, "action": held.url("folder_empty")}
            )
        text = _("Deleted for good: %(what)s.") % {"what": _counted_words(Contents(after.done, after.folders))}
        return answer_done(held.box, text, mail_changed=True, focus=folder_id, goto=folder_id, redraw=True)


@login_required
@require_POST
def hierarchy_undo(request: HttpRequest, account_id: int, token: str) -> HttpResponse:
    """Takes back what a toast told of."""
    with open_box(request, account_id) as box:
        kept = hierarchy.take_undo(request.user.pk or 0, account_id, token)
        if kept is None:
            return answer_done(box, _("This can no longer be undone."), status=410)
        change = tried(lambda: hierarchy.take_back(box.source, kept))
        if isinstance(change, MailError):
            return answer_failure(box, change)
        return answer_done(
            box, _("Undone: the folder is as it was."), ids=change.ids, focus=change.folder, goto=change.folder
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of emptying a folder: what was deleted so far, of how many; `total` 0 in the first one."""

    held: Held
    upto: Ref
    done: int = 0
    folders: int = 0
    total: int = 0
    left: int = 0

    @classmethod
    def read(cls, held: Held) -> Step:
        """The step that the request asks for. Raises ValueError."""
        data = held.box.request.POST
        match = _UPTO.fullmatch(data.get("upto", ""))
        if match is None:
            raise ValueError("no mark")
        done, folders, total = (min(int(data.get(name) or "0"), 10**9) for name in ("done", "folders", "total"))
        return cls(held, Ref(held.folder.id, int(match[1]), match[2]), done, folders, total)

    @property
    def first(self) -> bool:
        return not self.total

    @property
    def mark(self) -> str:
        return f"{self.upto.validity}.{self.upto.id}"

    def run(self) -> Step:
        """Does it; all that is left at once for a browser without htmx. The step after it; `left` 0 when it was the last."""
        source, request = self.held.box.source, self.held.box.request
        folders, done, left = self.folders, self.done, 0
        if self.first:
            folders += hierarchy.empty_inner(source, self.held.folders, self.held.folder)
        if "stop" not in request.POST:
            count, left = hierarchy.empty_step(source, self.held.folder, self.upto)
            done += count
            while left and not request.htmx:  # type: ignore[attr-defined]
                count, left = hierarchy.empty_step(source, self.held.folder, self.upto)
                done += count
        return Step(self.held, self.upto, done, folders, done + left, left)


def _deletion(held: Held, inside: Contents, *, final: bool) -> dict[str, Any]:
    """The dialog that asks before a folder is deleted."""
    form: dict[str, Any] = {
        "action": held.url("folder_delete"),
        "hidden": {"way": "purge" if final else "trash", "counted": f"{inside.messages}.{inside.folders}"},
    }
    what = {"name": held.name, "what": _counted_words(inside)}
    if not final:
        empty = _("It is empty. In the Trash it can be brought back.")
        full = _("It holds %(what)s. All of it moves to the Trash, from where it can be brought back.") % what
        return form | {
            "title": _("Move “%(name)s” to Trash?") % what,
            "text": full if inside.messages or inside.folders else empty,
            "submit": _("Move to Trash"),
        }
    full = _("It holds %(what)s. All of it is removed from the server and from every program. Nothing brings it back.")
    return form | {
        "title": _("Delete “%(name)s” for good?") % what,
        "text": full % what if inside.messages or inside.folders else _("It is empty."),
        "submit": _("Delete for good"),
        "danger": True,
    }


def _emptying(held: Held, inner: Contents) -> dict[str, Any]:
    """The dialog that asks before a folder is emptied."""
    total, upto = hierarchy.mark_of(held.box.source, held.folder)
    what = Contents(total + inner.messages, inner.folders)
    form: dict[str, Any] = {"title": _("Empty %(name)s?") % {"name": held.name}}
    if not what.messages and not what.folders:
        return form | {
            "title": _("%(label)s is empty") % {"label": held.name},
            "text": _("There is nothing to delete."),
        }
    text = _("This removes %(what)s from the server and from every program. Nothing brings it back.")
    return form | {
        "text": text % {"what": _counted_words(what)},
        "action": held.url("folder_empty"),
        "hidden": {"upto": f"{upto.validity}.{upto.id}", "counted": f"{inner.messages}.{inner.folders}"},
        "submit": _("Empty %(name)s") % {"name": held.name},
        "danger": True,
    }


def _counted_words(what: Contents) -> str:
    """ "12 messages and 2 folders"; folders only where there are any."""
    messages = ngettext("%(n)s message", "%(n)s messages", what.messages) % {"n": localize(what.messages)}
    folders = ngettext("%(n)s folder", "%(n)s folders", what.folders) % {"n": localize(what.folders)}
    if not what.folders:
        return messages
    return _("%(messages)s and %(folders)s") % {"messages": messages, "folders": folders} if what.messages else folders


def _counted(text: str) -> Contents:
    """What a dialog counted: MESSAGES.FOLDERS, nothing when it cannot be read."""
    match = _COUNTED.fullmatch(text)
    return Contents(int(match[1]), int(match[2])) if match else Contents(0, 0)


def _places(folders: list[Folder], folder: Folder | None = None) -> list[tuple[str, str]]:
    """(token, path on screen) of the folders to choose from."""
    return [(_token(one.id), _path_label(folders, one)) for one in hierarchy.places(folders, folder)]


def _place_named(places: list[Folder], token: str) -> FolderId | None:
    """The folder that was chosen, None for the top. Raises FolderGone when it is none of those."""
    try:
        chosen = decode_folder(token) if token else None
    except ValueError as error:
        raise FolderGone("no folder") from error
    if chosen is not None and all(one.id != chosen for one in places):
        raise FolderGone("no such place")
    return chosen


def _path_label(folders: list[Folder], folder: Folder) -> str:
    names = [str(folder_label(one)) for one in (folder, *hierarchy.above(folders, folder))]
    return " / ".join(reversed(names))


def _token(folder_id: FolderId | None) -> str:
    return encode_folder(folder_id) if folder_id is not None else ""
