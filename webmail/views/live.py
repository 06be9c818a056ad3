"""What a page asks for when it hears that something changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.numbers import read_number
from webmail.errors import MailError
from webmail.services.access import account_for
from webmail.services.astray import find_astray
from webmail.services.news import find_news
from webmail.tokens import decode_folder, encode_folder
from webmail.values import Flag, FolderId, Ref
from webmail.views.box import Box, inbox_of, open_box


@login_required
@require_safe
def live_absent(request: HttpRequest, account_id: int) -> HttpResponse:
    """Where events are streamed when an ASGI server runs Casilla (webmail/live/stream.py); any other has none, and says so to
    the browser, which then does not ask on."""
    account_for(request, account_id)
    return HttpResponse(status=204)


@login_required
@require_safe
def live_part(request: HttpRequest, account_id: int) -> HttpResponse:
    """The tree with its counts, how downloads stand, what came into the Inbox after the mark `after`, how many unread messages
    the folder `current` has (not with `filtered`: such a list says what it found), and the state of the message `open`
    (VALIDITY.UID) of the folder `within`, or where the one with its Message-ID `id` is when it is not there any more."""
    try:
        current = decode_folder(request.GET.get("current", ""))
        within = decode_folder(request.GET.get("within", "")) or current
    except ValueError:
        return HttpResponseBadRequest()
    with open_box(request, account_id) as box:
        folders = box.folders()
        inbox = inbox_of(folders)
        context = box.tree(folders, current or None)
        context["at"] = request.GET.get("current", "")
        context["folder"] = next((folder for folder in folders if folder.id == current), None)
        context["filtered"] = "filtered" in request.GET
        context["in_inbox"] = inbox is not None and inbox.id == current
        context["news"] = find_news(box.source, inbox, request.GET.get("after", ""))
        ref = _ref(within, request.GET.get("open", ""))
        context["open"] = letter_state(box, ref)
        context["open_at"] = place_of(ref) if ref else ""
        if ref and not context["open"]:
            context["astray"] = find_astray(box.source, box.known_folders() or folders, ref, request.GET.get("id", ""))
    return render(request, "webmail/live_part.html", context)


def _ref(folder: FolderId, text: str) -> Ref | None:
    validity, _dot, uid = text.partition(".")
    number = read_number(validity)
    known = folder and uid.isascii() and uid.isalnum()
    return Ref(folder, number, uid[:64]) if known and number is not None else None


def place_of(ref: Ref) -> str:
    """The message's place in a page, as a CSS selector: while another is open, or in another folder, there is none."""
    return f'[data-ref="{ref.validity}.{ref.id}"][data-within="{encode_folder(ref.folder)}"]'


def letter_state(box: Box, ref: Ref | None, known: Mapping[Ref, frozenset[str]] | None = None) -> dict[str, Any] | None:
    """How a message that the page shows is marked now; None when there is none, or it is not there any more. Where the flags
    of some messages are `known`, the others are as they were, and nothing is told of them."""
    try:
        flags = (known if known is not None else box.source.flags([ref])) if ref else {}
    except MailError:
        return None
    if ref is None or ref not in flags:
        return None
    mine = flags[ref]
    return {
        "folder": box.known_folder(ref.folder),
        "tags": box.tags.of(mine),
        "seen": Flag.SEEN in mine,
        "flagged": Flag.FLAGGED in mine,
        "answered": Flag.ANSWERED in mine,
        "forwarded": Flag.FORWARDED in mine,
    }
