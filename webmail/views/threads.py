"""Conversations: what stands around an open message, one of its messages opened in place, and the rows behind a row."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webmail.services.reading import RowPage, open_letter, thread_rows
from webmail.services.threads import Conversation
from webmail.values import FolderId, Page, Ref
from webmail.views.box import open_box
from webmail.views.drawing import draw
from webmail.views.folders import draw_alone
from webmail.views.letters import letter_context, opened_by_person
from webmail.views.messages import conversation_context
from webmail.views.query import query_of, query_string

ALONE = Conversation()
"""Of a message to which nobody wrote another, as of most: nothing is drawn, always alike."""


@login_required
@require_safe
def conversation(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """The other messages of a conversation, for the pane that shows one of them."""
    ref = Ref(folder_id, validity, uid)
    with open_box(request, account_id) as box:
        folder = box.known_folder(folder_id)
        context = conversation_context(box, folder, ref) | {"ref": ref, "folder": folder}
    if context["conversation"] == ALONE:
        return HttpResponse(draw("webmail/conversation.html", {"conversation": ALONE}))
    return render(request, "webmail/conversation.html", context)


@login_required
@require_safe
def message_in_place(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str
) -> HttpResponse:
    """One message of a conversation with its head and text alone; opening it marks it as read."""
    ref = Ref(folder_id, validity, uid)
    with open_box(request, account_id) as box:
        folders = box.folders()
        folder = box.folder(folders, folder_id)
        letter = open_letter(
            box.source,
            folder,
            ref,
            None,
            account_id=account_id,
            part_url=box.part_url(ref),
            theme=box.theme,
            tags=box.tags,
        )
        changed = opened_by_person(box, letter)
        context = letter_context(box, letter)
        context["images_url"] = box.message_url(ref, "message_in_place") + query_string(query_of(request), images="1")
        context["open_url"] = box.message_url(ref)
        if changed:
            context |= box.tree(box.folders(), folder_id) | {"counters": True}
    return render(request, "webmail/mail.html#in_place", context)


@login_required
@require_safe
def thread_messages(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str
) -> HttpResponse:
    """The rows of the other messages of a conversation, for the row that stands for it."""
    ref, query = Ref(folder_id, validity, uid), query_of(request)
    with open_box(request, account_id) as box:
        folder = box.folder(box.folders(), folder_id)
        rows = thread_rows(box.source, folder, ref, query, box.tags)
        return draw_alone(box, folder, RowPage(rows, Page((), 0, len(rows), validity, query)), query)
