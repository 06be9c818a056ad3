"""One message: reading it, its headers, source and print form."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webmail.errors import Gone, Refused
from webmail.markup.document import frame_csp
from webmail.mime.headers import parse_headers
from webmail.services.inline import with_inline_images
from webmail.services.notices import notices_of
from webmail.services.threads import read_conversation
from webmail.values import Folder, FolderId, Ref
from webmail.views.box import Box, open_box
from webmail.views.letters import change_url_of, letter_context, open_here, opened_by_person
from webmail.views.listed import list_context
from webmail.views.pane import open_ahead, show_in_pane
from webmail.views.query import query_of, start_around
from webmail.views.states import state_of

HEADER_TEXT_LIMIT_BYTES = 262_144
SOURCE_LIMIT_BYTES = 1_048_576


@login_required
@require_safe
def message_show(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """A message: in its pane for htmx, with the whole page around it otherwise. Opening marks it as read."""
    ref = Ref(folder_id, validity, uid)
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        with open_box(request, account_id) as box:
            return show_in_pane(box, ref)
    with open_box(request, account_id) as box:
        folders = box.folders()
        folder = box.folder(folders, folder_id)
        try:
            letter = open_here(box, folder, ref)
        except Gone as error:
            return _gone(box, folder_id, error)
        changed = opened_by_person(box, letter)
        context = letter_context(box, letter, seen=changed or not letter.message.summary.unread)
        context["notices"] = notices_of(account=box.account, source=box.source, letter=letter)
        context |= conversation_context(box, folder, ref)
        context |= list_context(box, folder_id, start=start_around(letter.position)) | {"view": "read"}
    return render(request, "webmail/mail.html", context)


@login_required
@require_safe
def message_ahead(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """Opens a message for later: what it shows is kept, nothing is marked, nothing is sent. The browser asks for it while
    nobody does anything (static/js/ahead.js). What has gone meanwhile is no error: nobody asked for it."""
    with open_box(request, account_id) as box, suppress(Gone):
        open_ahead(box, Ref(folder_id, validity, uid))
    return HttpResponse(status=204)


def _gone(box: Box, folder_id: FolderId, error: Gone) -> HttpResponse:
    """The folder as it is now, and beside it what became of the message."""
    state = state_of(error)
    context = list_context(box, folder_id) | {"view": "read", "state": state}
    return render(box.request, "webmail/mail.html", context, status=state.status)


def conversation_context(box: Box, folder: Folder, ref: Ref) -> dict[str, Any]:
    """What stands around an open message of its conversation; nothing where that cannot be told now."""
    try:
        conversation = read_conversation(box.source, box.known_folders() or box.source.folders(), folder, ref)
    except (Gone, Refused):
        return {"conversation": None}
    return {"conversation": conversation, "account": box.account, "change_url": change_url_of(box, folder.id)}


@login_required
@require_safe
def message_headers(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str
) -> HttpResponse:
    """Every header field, decoded, in the order of the message."""
    with open_box(request, account_id) as box:
        ref = Ref(folder_id, validity, uid)
        headers, _defects = parse_headers(box.source.header(ref)[:HEADER_TEXT_LIMIT_BYTES])
        context = _sheet_context(box, ref) | {"headers": headers}
    return render(request, "webmail/headers.html", context)


@login_required
@require_safe
def message_source(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """The message as it came, as text; the first megabyte of it."""
    with open_box(request, account_id) as box:
        ref = Ref(folder_id, validity, uid)
        raw = b""
        for chunk in box.source.part(ref, ""):  # type: ignore[arg-type]
            raw += chunk
            if len(raw) > SOURCE_LIMIT_BYTES:
                break
        context = _sheet_context(box, ref) | {
            "source": raw[:SOURCE_LIMIT_BYTES].decode("utf-8", "replace").replace("\r\n", "\n"),
            "truncated": len(raw) > SOURCE_LIMIT_BYTES,
        }
    return render(request, "webmail/source.html", context)


def _sheet_context(box: Box, ref: Ref) -> dict[str, Any]:
    return {
        "account": box.account,
        "ref": ref,
        "back_url": box.message_url(ref, query=query_of(box.request)),
        "eml_url": box.message_url(ref, "message_download"),
    }


@login_required
@require_safe
def message_print(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """The message on one sheet, to print: no script, no remote content, a policy of its own."""
    with open_box(request, account_id) as box:
        letter = open_here(box, Folder(id=folder_id, path=()), Ref(folder_id, validity, uid))
        context = letter_context(box, letter)
        response = render(request, "webmail/print.html", context)
        parts_url = box.message_url(letter.message.ref) + "part/"
        text = with_inline_images(response.content.decode(), box.source, letter.message.ref, parts_url=parts_url)
        response.content = text.encode()
    response["Content-Security-Policy"] = frame_csp(images=request.build_absolute_uri("/mail/"))
    return response
