"""Taking one's mail away, and bringing mail in, as files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import MailAccount
from webmail.errors import OverQuota
from webmail.models import Import
from webmail.services.access import account_for, credentials_for
from webmail.services.export import FORMATS, export_stream, names_of, suffix
from webmail.services.folders import folder_label
from webmail.services.import_files import BadFile
from webmail.services.import_jobs import (
    NotNow,
    cancel_import,
    last_import,
    resume_import,
    start_import,
    stop_import,
)
from webmail.services.import_words import import_problem
from webmail.services.transfer import open_transfer
from webmail.tokens import decode_folder
from webmail.values import Folder
from webmail.views.box import Box, open_box
from webmail.views.parts import disposition, streamed

FILE_LIMIT_BYTES = 2_000_000_000
UNPROCESSABLE = 422
TELL_FOR = timedelta(days=1)
"""How long the page tells what came of a file."""
WORKING = (Import.State.WAITING, Import.State.RUNNING)


@login_required
@require_safe
def takeout(request: HttpRequest, account_id: int) -> HttpResponse:
    """Both forms, and how far the import is or what it brought; that alone for a part."""
    if _is_partial(request):
        return _part(request, account_for(request, account_id))
    with open_box(request, account_id) as box:
        return _page(box)


def _page(box: Box, *, status: int = 200, **more: Any) -> HttpResponse:
    folders = [folder for folder in box.source.folders() if folder.selectable]
    context = {
        "account": box.account,
        "tab": "takeout",
        "folders": [(folder, _path(folder)) for folder in folders],
        "limit": FILE_LIMIT_BYTES,
    } | _bringing(box.account)
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
        response = streamed(stream, stack.pop_all(), "application/octet-stream")
    response["Content-Disposition"] = disposition("attachment", name)
    return response


@login_required
@require_POST
def takeout_import(request: HttpRequest, account_id: int) -> HttpResponse:
    """Keeps a file for the workers to take in, into `folder` or into folders by the names in it."""
    with open_box(request, account_id) as box:
        file = request.FILES.get("file")
        if file is None or not file.size:
            return _page(box, status=UNPROCESSABLE, import_error=_("Choose a file."))
        if file.size > FILE_LIMIT_BYTES:
            return _page(box, status=UNPROCESSABLE, import_error=import_problem("large").text)
        try:
            _start(box, file)
        except ValueError:
            return HttpResponseBadRequest()
        except NotNow:
            return _page(
                box, status=UNPROCESSABLE, import_error=_("Another file is being taken in, or the mailbox moved.")
            )
        except BadFile as error:
            return _page(box, status=UNPROCESSABLE, import_error=import_problem(error.code).text)
        except OverQuota:
            return _page(box, status=UNPROCESSABLE, import_error=_("There is no room here for this file now."))
    return redirect("takeout", account_id)


def _start(box: Box, file: UploadedFile[Any]) -> None:
    """Raises ValueError for what is no folder, NotNow, and MailError."""
    data = box.request.POST
    folder = box.folder(box.source.folders(), decode_folder(data["folder"])) if data.get("folder") else None
    start_import(
        account=box.account,
        file=file,
        name=file.name or "",
        folder=folder,
        skip_doubles="doubles" not in data,
        secret=_secret(box.request, box.account),
    )


def _secret(request: HttpRequest, account: MailAccount) -> str:
    """The password that a worker needs to put mail on another server. Raises LoginRefused."""
    return "" if account.hosted or account.downloads else credentials_for(request, account).password


@login_required
@require_POST
def takeout_change(request: HttpRequest, account_id: int) -> HttpResponse:
    """Stops the file that is being taken in, goes on with it, or gives it up, as `do` says."""
    account = account_for(request, account_id)
    change = CHANGES.get(request.POST.get("do", ""))
    if change is None:
        return HttpResponseBadRequest()
    job = last_import(account)
    if job is not None:
        change(request, job)
    return _part(request, account) if _is_partial(request) else redirect("takeout", account_id)


def _resume(request: HttpRequest, job: Import) -> None:
    resume_import(job, secret=_secret(request, job.account))


CHANGES: dict[str, Callable[[HttpRequest, Import], object]] = {
    "stop": lambda _request, job: stop_import(job),
    "resume": _resume,
    "cancel": lambda _request, job: cancel_import(job),
}


def _part(request: HttpRequest, account: MailAccount) -> HttpResponse:
    """How far the import is, alone: the source is not asked."""
    return render(request, "webmail/takeout.html#bringing", {"account": account, "alone": True} | _bringing(account))


def _bringing(account: MailAccount) -> dict[str, Any]:
    job = last_import(account)
    return {
        "job": job if job and (job.is_open or (job.ended and job.ended > timezone.now() - TELL_FOR)) else None,
        "working": job is not None and job.state in WORKING,
        "moved": open_transfer(account) is not None,
        "stamp": str(int(timezone.now().timestamp() * 1000)),
    }


def _is_partial(request: HttpRequest) -> bool:
    return bool(request.htmx and not request.htmx.history_restore_request)  # type: ignore[attr-defined]
