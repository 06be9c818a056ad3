"""One opened message: loading it, marking it, and the context that each of its pages draws it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format, number_format

from webmail.mime.frank import list_unsubscribe
from webmail.mime.headers import header_value
from webmail.services.contacts import hear_from
from webmail.services.reading import Letter, mark_seen, open_letter
from webmail.services.whereabouts import whereabouts
from webmail.templatetags.casilla import filesize, mail_date
from webmail.templatetags.mailpage import people
from webmail.tokens import encode_folder
from webmail.values import Folder, FolderId, Ref
from webmail.views.addresses import account_address
from webmail.views.box import Box
from webmail.views.query import query_of, query_string


def open_here(box: Box, folder: Folder, ref: Ref, *, placed: bool = True) -> Letter:
    """The letter of a ref with its place in the list of the address, if that is wanted; without it, what its frames show is for
    the caller to keep. Raises Gone."""
    return open_letter(
        box.source,
        folder,
        ref,
        query_of(box.request) if placed else None,
        account_id=box.account.pk,
        part_url=box.part_url(ref),
        theme=box.theme,
        tags=box.tags,
        keep_later=not placed,
    )


def opened_by_person(box: Box, letter: Letter) -> bool:
    """Marks a letter as read and remembers its sender, when a person of this site opened it. Whether that changed a mark."""
    if not is_from_here(box.request):
        return False
    changed = mark_seen(box.source, letter.message.summary)
    hear_from(box.account, letter, first=changed)
    return changed


def change_url_of(box: Box, folder_id: FolderId) -> str:
    return box.url("messages_change", folder_id, query_of(box.request))


def is_from_here(request: HttpRequest) -> bool:
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
        "change_url": change_url_of(box, letter.folder.id),
        "place_n": number_format(letter.position + 1),
        "place_total": number_format(letter.total),
        "place_at": str(letter.position),
        "conversation_url": box.message_url(letter.message.ref, "conversation", query=query),
        "compose_url": compose_url_of(box, letter.message.ref),
        "place": whereabouts(box.account, [letter.message.ref]).get(letter.message.ref),
        "arrival": letter.message.summary.received,
        "told": told_of(box, letter),
        "is_list": bool(header_value(letter.message.headers, "List-Post")),
        "all_tags": box.tags.all,
        "images": box.request.GET.get("images") == "1",
        "images_url": box.message_url(letter.message.ref) + query_string(query, images="1"),
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What the head of a message says of it, in words: its date as in RFC 3339, whole and short, when it came, its size, and to
    whom it and its copies went."""

    iso: str
    date: str
    near: str
    received: str
    size: str
    to: str
    cc: str


def told_of(box: Box, letter: Letter) -> Told:
    summary, mine = letter.message.summary, box.account.address
    sent, came = timezone.localtime(summary.date), timezone.localtime(summary.received)
    return Told(
        iso=sent.isoformat(),
        date=date_format(sent, "DATETIME_FORMAT"),
        near=mail_date(sent, "long"),
        received=date_format(came, "DATETIME_FORMAT"),
        size=filesize(summary.size_bytes),
        to=people(letter.message.to, mine),
        cc=people(letter.message.cc, mine),
    )


def compose_url_of(box: Box, ref: Ref) -> str:
    """Where an answer to this message is begun; `kind` is still to be added."""
    of = quote_plus(f"{ref.validity}.{ref.id}")
    return f"{account_address('compose_new', box.account.pk)}?folder={encode_folder(ref.folder)}&of={of}"
