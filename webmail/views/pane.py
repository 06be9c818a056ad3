"""An opened message in its pane, for htmx: of what was kept where it can be, and kept for the next time.

What the answer waits for is one round trip to the server, for the message, or for its flags alone when the rest was kept. That it
is read now goes out while the pane is drawn.
"""

from __future__ import annotations

import secrets
from functools import cache
from html import escape
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.services.brand import look
from webmail.errors import Gone
from webmail.services.contacts import heard_people, note_heard
from webmail.services.notices import is_told_of, notices_of
from webmail.services.opened import Opened, keep_opened, look_at_opened
from webmail.services.reading import SENT_BY_ME, Letter
from webmail.values import Flag, Folder, Ref
from webmail.views.around import Around, draw_letter
from webmail.views.box import Box
from webmail.views.letters import (
    change_url_of,
    compose_url_of,
    is_from_here,
    letter_context,
    open_here,
    opened_by_person,
)
from webmail.views.part import draw_part
from webmail.views.query import query_of, query_string


def show_in_pane(box: Box, ref: Ref) -> HttpResponse:
    """The pane and the page's title; with a sign that counts have changed when it was unread. Raises MailError."""
    folder = box.known_folder(ref.folder)
    if box.account.downloads or box.request.GET.get("images") == "1":
        return _whole(box, open_here(box, folder, ref))
    opened, flags = _kept(box, ref)
    if opened is None:
        letter = open_here(box, folder, ref, placed=False)
        notices = notices_of(account=box.account, source=box.source, letter=letter)
        opened, flags = _opened(box, letter), letter.message.summary.flags
        if folder.role in SENT_BY_ME or notices:
            return _whole(box, open_here(box, folder, ref))
        keep_opened(box.source, box.account.pk, ref, _variant(box), opened, letter.frames)
    changed = _read_by_person(box, folder, ref, opened, flags)
    text = draw_letter(box.request, opened, _around(box, folder, ref, flags | ({Flag.SEEN} if changed else set())))
    title = f"{opened.subject or _('(no subject)')} · {look().name}"
    before, between, after = _drawn_in(changed)
    return HttpResponse(f"{before}{escape(title)}{between}{text}{after}")


@cache
def _drawn_in(counters: bool) -> tuple[str, str, str]:
    """What stands around and between the title and the drawn pane."""
    title, drawn = (secrets.token_hex(12) for _ in range(2))
    values = {"title": title, "drawn": drawn, "counters": counters}
    before, rest = render_to_string("webmail/mail.html#reader_drawn", values).split(title)
    between, after = rest.split(drawn)
    return before, between, after


def open_ahead(box: Box, ref: Ref) -> None:
    """Keeps what a message would show. Raises MailError."""
    folder = box.known_folder(ref.folder)
    if box.account.downloads or folder.role in SENT_BY_ME:
        return
    variant = _variant(box)
    if look_at_opened(box.source, box.account.pk, ref, variant, query_of(box.request)):
        return
    letter = open_here(box, folder, ref, placed=False)
    if not notices_of(account=box.account, source=box.source, letter=letter):
        keep_opened(box.source, box.account.pk, ref, variant, _opened(box, letter), letter.frames)


def _kept(box: Box, ref: Ref) -> tuple[Opened | None, frozenset[str]]:
    """What was kept of a message, with its flags of now. Raises Gone when it is not there any more."""
    opened = look_at_opened(box.source, box.account.pk, ref, _variant(box), query_of(box.request))
    if opened is None or is_told_of(box.account, opened.message_id):
        return None, frozenset()
    flags = box.source.flags([ref])
    if ref not in flags:
        raise Gone("the message is not there any more")
    return opened, flags[ref]


def _variant(box: Box) -> str:
    """Whatever a drawn message depends on besides itself."""
    zone = timezone.get_current_timezone_name()
    return f"{get_language()}\0{zone}\0{timezone.localdate()}\0{box.theme}\0{box.account.address}\0{settings.DRAWN_BY}"


def _opened(box: Box, letter: Letter) -> Opened:
    message, mark = letter.message, secrets.token_hex(12)
    context = letter_context(box, letter) | {
        "images_url": mark,
        "s": message.summary,
        "images_target": "#reader",
        "theme": box.theme,
        "frame_url": lambda number: box.message_url(message.ref, "body_frame", number=number),
    }
    sender = message.summary.sender
    return Opened(
        subject=message.summary.subject,
        who=sender[0].display if sender else "",
        sender=sender[0].email if sender else "",
        message_id=message.summary.message_id,
        is_list=context["is_list"],
        part=draw_part(box.request, letter, context),
        mark=mark,
        heard=heard_people(box.account, letter),
        moment=message.summary.date.timestamp(),
    )


def _read_by_person(box: Box, folder: Folder, ref: Ref, opened: Opened, flags: frozenset[str]) -> bool:
    """As `opened_by_person`, of what was kept. The mark is sent, and not waited for until the source is closed."""
    if not is_from_here(box.request):
        return False
    unread = Flag.SEEN not in flags
    if unread:
        box.source.set_flags([ref], add=[Flag.SEEN], wait=False)
    note_heard(box.account, opened.heard, first=unread, moment=opened.moment)
    return unread


def _around(box: Box, folder: Folder, ref: Ref, flags: frozenset[str]) -> Around:
    query = query_of(box.request)
    position, before, after, total = box.source.neighbours(ref, query)
    return Around(
        account_id=box.account.pk,
        folder=folder,
        ref=ref,
        flags=flags,
        tags=box.tags.of(flags),
        all_tags=box.tags.all,
        position=position,
        total=total,
        change=change_url_of(box, folder.id),
        back=box.url("folder", folder.id, query),
        before=box.message_url(before, query=query) if before else "",
        after=box.message_url(after, query=query) if after else "",
        conversation=box.message_url(ref, "conversation", query=query),
        compose=compose_url_of(box, ref),
        images=box.message_url(ref) + query_string(query, images="1"),
    )


def _whole(box: Box, letter: Letter) -> HttpResponse:
    """The pane as the template draws it, for what is not kept."""
    changed = opened_by_person(box, letter)
    context: dict[str, Any] = letter_context(box, letter, seen=changed or not letter.message.summary.unread)
    context["notices"] = notices_of(account=box.account, source=box.source, letter=letter)
    context["counters"] = changed
    return render(box.request, "webmail/mail.html#reader_change", context)
