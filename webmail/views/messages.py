"""One message: reading it, its headers, source and print form."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from webmail.errors import Gone, Refused
from webmail.markup.document import frame_csp
from webmail.mime.frank import list_unsubscribe
from webmail.mime.headers import header_value, parse_headers
from webmail.services.contacts import hear_from
from webmail.services.inline import with_inline_images
from webmail.services.notices import notices_of
from webmail.services.reading import Letter, mark_seen, open_letter
from webmail.services.threads import read_conversation
from webmail.services.whereabouts import whereabouts
from webmail.tokens import encode_folder
from webmail.values import Folder, FolderId, Ref
from webmail.views.box import Box, open_box
from webmail.views.folders import list_context
from webmail.views.query import query_of, query_string, start_around
from webmail.views.states import state_of

HEADER_TEXT_LIMIT_BYTES = 262_144
SOURCE_LIMIT_BYTES = 1_048_576


@login_required
@require_safe
def message_show(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """A message: in its pane for htmx, with the whole page around it otherwise. Opening marks it as read."""
    ref = Ref(folder_id, validity, uid)
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    with open_box(request, account_id) as box:
        folders = box.folders()
        folder = box.folder(folders, folder_id)
        try:
            letter = _open(box, folder, ref)
        except Gone as error:
            if partial:
                raise
            return _gone(box, folder_id, error)
        changed = opened_by_person(box, letter)
        context = letter_context(box, letter, seen=changed or not letter.message.summary.unread)
        context["notices"] = notices_of(account=box.account, source=box.source, letter=letter)
        if partial:
            context |= box.tree(box.folders() if changed else folders, folder_id) | {"counters": changed}
        else:
            context |= conversation_context(box, folder, ref)
            context |= list_context(box, folder_id, start=start_around(letter.position)) | {"view": "read"}
    template = "webmail/mail.html#reader_change" if partial else "webmail/mail.html"
    return render(request, template, context)


def _gone(box: Box, folder_id: FolderId, error: Gone) -> HttpResponse:
    """The folder as it is now, and beside it what became of the message."""
    state = state_of(error)
    context = list_context(box, folder_id) | {"view": "read", "state": state}
    return render(box.request, "webmail/mail.html", context, status=state.status)


def _open(box: Box, folder: Folder, ref: Ref) -> Letter:
    return open_letter(
        box.source,
        folder,
        ref,
        query_of(box.request),
        account_id=box.account.pk,
        part_url=box.part_url(ref),
        theme=box.theme,
        tags=box.tags,
    )


def opened_by_person(box: Box, letter: Letter) -> bool:
    """Marks a letter as read and remembers its sender, when a person of this site opened it. Whether that changed a mark."""
    if not _from_here(box.request):
        return False
    changed = mark_seen(box.source, letter.message.summary)
    hear_from(box.account, letter, first=changed)
    return changed


def conversation_context(box: Box, folder: Folder, ref: Ref) -> dict[str, Any]:
    """What stands around an open message of its conversation; nothing where that cannot be told now."""
    try:
        conversation = read_conversation(box.source, box.source.folders(), folder, ref)
    except (Gone, Refused):
        return {"conversation": None}
    return {"conversation": conversation, "account": box.account, "change_url": _change_url(box, folder.id)}


def _change_url(box: Box, folder_id: FolderId) -> str:
    return box.url("messages_change", folder_id, query_of(box.request))


def _from_here(request: HttpRequest) -> bool:
    """False for a visit that no person of this site made: another site's page, or a browser's prefetch."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site in {"none", "same-origin"} and "prefetch" not in request.headers.get("Sec-Purpose", "")


def letter_context(box: Box, letter: Letter, *, seen: bool = True) -> dict[str, Any]:
    """What the reader shows of a letter; `seen` is what the server holds now that it was opened."""
    query = query_of(box.request)
    mailto, https, one_click = list_unsubscribe(letter.message.headers)
    return {
        "account": box.account,
        "letter": letter,
        "message": letter.message,
        "summary": letter.message.summary,
        "ref": letter.message.ref,
        "query": query,
        "seen": seen,
        "unsubscribe": https or mailto,
        "before_url": box.message_url(letter.before, query=query) if letter.before else "",
        "after_url": box.message_url(letter.after, query=query) if letter.after else "",
        "back_url": box.url("folder", letter.folder.id, query),
        "change_url": _change_url(box, letter.folder.id),
        "conversation_url": box.message_url(letter.message.ref, "conversation", query=query),
        "compose_url": _compose_url(box, letter.message.ref),
        "place": whereabouts(box.account, [letter.message.ref]).get(letter.message.ref),
        "arrival": letter.message.summary.received,
        "is_list": bool(header_value(letter.message.headers, "List-Post")),
        "all_tags": box.tags.all,
        "images": box.request.GET.get("images") == "1",
        "images_url": box.message_url(letter.message.ref) + query_string(query, images="1"),
    }


def _compose_url(box: Box, ref: Ref) -> str:
    """Where an answer to this message is begun; `kind` is still to be added."""
    of = {"folder": encode_folder(ref.folder), "of": f"{ref.validity}.{ref.id}"}
    return reverse("compose_new", args=[box.account.pk]) + "?" + urlencode(of)


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
        letter = _open(box, Folder(id=folder_id, path=()), Ref(folder_id, validity, uid))
        context = letter_context(box, letter)
        response = render(request, "webmail/print.html", context)
        parts_url = box.message_url(letter.message.ref) + "part/"
        text = with_inline_images(response.content.decode(), box.source, letter.message.ref, parts_url=parts_url)
        response.content = text.encode()
    response["Content-Security-Policy"] = frame_csp(images=request.build_absolute_uri("/mail/"))
    return response
