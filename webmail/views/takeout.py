"""Taking one's mail away, and bringing mail in, as files."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from webmail.errors import LoginRefused, MailError
from webmail.services.access import account_for
from webmail.services.export import FORMATS, export_stream, names_of, suffix
from webmail.services.folders import folder_label
from webmail.services.importing import BadFile, Brought, import_stream
from webmail.tokens import decode_folder
from webmail.values import Folder
from webmail.views.box import Box, open_box
from webmail.views.parts import disposition, streamed
from webmail.views.states import state_of

FILE_LIMIT_BYTES = 2_000_000_000
REPORT = "brought_in"
PROGRESS_S = 3600
TELL_EVERY_S = 0.5
TOKEN = 24
BAD_FILES = {
    "kind": _("This is neither mbox nor Maildir nor a zip of messages. Choose a file that a mail program exported."),
    "bomb": _("This file would unpack to far more than any mail is. Nothing of it was taken in."),
    "large": _("There is more in this file, or in one message of it, than can be taken in at once."),
    "broken": _("The file ends too early or is damaged. What stands before that place was taken in."),
}


@login_required
@require_safe
def takeout(request: HttpRequest, account_id: int) -> HttpResponse:
    """Both forms, and what the last import brought."""
    with open_box(request, account_id) as box:
        report = request.session.pop(f"{REPORT}:{account_id}", None)
        return _page(box, report=report)


def _page(box: Box, *, status: int = 200, **more: Any) -> HttpResponse:
    folders = [folder for folder in box.source.folders() if folder.selectable]
    context = {
        "account": box.account,
        "tab": "takeout",
        "folders": [(folder, _path(folder)) for folder in folders],
        "limit": FILE_LIMIT_BYTES,
        "token": get_random_string(TOKEN),
    }
    return render(box.request, "webmail/takeout.html", context | more, status=status)


def _path(folder: Folder) -> str:
    """A folder with those that it is in, as people read them."""
    return str(folder_label(folder)) if folder.role else " / ".join(folder.path)


@login_required
@require_safe
def takeout_export(request: HttpRequest, account_id: int) -> HttpResponse | StreamingHttpResponse:
    """A folder, or the whole account, as a file that is made while it is sent."""
    format_ = request.GET.get("format", "")
    if format_ not in FORMATS:
        return HttpResponseBadRequest()
    stack = ExitStack()
    with stack:
        box = stack.enter_context(open_box(request, account_id))
        folders = box.source.folders()
        if chosen := request.GET.get("folder", ""):
            try:
                folders = [box.folder(folders, decode_folder(chosen))]
            except ValueError:
                return HttpResponseBadRequest()
        count = sum(folder.selectable for folder in folders)
        name = box.account.address + (f" {' '.join(names_of(folders[0]))}" if chosen else "") + suffix(format_, count)
        stream = export_stream(box.source, folders, format_)
        response = streamed(request, stream, stack.pop_all(), "application/octet-stream")
    response["Content-Disposition"] = disposition("attachment", name)
    return response


@login_required
@require_POST
def takeout_import(request: HttpRequest, account_id: int) -> HttpResponse:
    """Takes a file in, into `folder` or into folders by the names in it; `token` is under which its progress is told."""
    with open_box(request, account_id) as box:
        file = request.FILES.get("file")
        if file is None or not file.size:
            return _page(box, status=422, import_error=_("Choose a file."))
        if file.size > FILE_LIMIT_BYTES:
            return _page(box, status=422, import_error=BAD_FILES["large"])
        try:
            brought = _take_in(box, cast(BinaryIO, file.file))
        except ValueError:
            return HttpResponseBadRequest()
        except LoginRefused:
            raise
        except MailError as error:
            told = BAD_FILES.get(error.code, "") if isinstance(error, BadFile) else state_of(error).title
            return _page(box, status=422, import_error=told, report=_told(box))
        request.session[f"{REPORT}:{account_id}"] = asdict(brought)
    return redirect("takeout", account_id)


def _take_in(box: Box, file: BinaryIO) -> Brought:
    """Brings the file in, and tells how far it is twice a second. Raises ValueError for what is no folder, and MailError."""
    data = box.request.POST
    folder = box.folder(box.source.folders(), decode_folder(data["folder"])) if data.get("folder") else None
    told = 0.0

    def tell(brought: Brought) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            cache.set(_key(box.request, box.account.pk, data.get("token", "")), asdict(brought), PROGRESS_S)

    return import_stream(box.source, file, folder=folder, skip_doubles="doubles" not in data, progress=tell)


def _told(box: Box) -> dict[str, Any] | None:
    """How far an import was that did not come to its end."""
    told: dict[str, Any] | None = cache.get(_key(box.request, box.account.pk, box.request.POST.get("token", "")))
    return told


@login_required
@require_safe
def takeout_progress(request: HttpRequest, account_id: int, token: str) -> HttpResponse:
    """How far an import of this person is."""
    account = account_for(request, account_id)
    told = cache.get(_key(request, account.pk, token))
    return render(request, "webmail/takeout.html#progress", {"told": told})


def _key(request: HttpRequest, account_id: int, token: str) -> str:
    safe = "".join(char for char in token[:TOKEN] if char.isascii() and char.isalnum())
    return f"import:{request.user.pk}:{account_id}:{safe}"
