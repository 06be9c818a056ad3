"""Templates: messages in the server's Templates folder, as Thunderbird keeps them, that others are begun from."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from webmail.errors import Gone
from webmail.mime.build import build_message
from webmail.mime.headers import header_value, parse_headers
from webmail.mime.wire import pick_ids
from webmail.models import Composing
from webmail.services.organising import special_folder
from webmail.services.written import draft_of
from webmail.sources.base import MailSource
from webmail.values import Flag, Query, Ref, Role, Summary, Window

LIST_LIMIT = 50


def templates_of(source: MailSource) -> list[Summary]:
    """The templates of the mailbox by subject; none, and no folder made, where it has no such folder. Raises MailError."""
    folder = next((one for one in source.folders() if one.role is Role.TEMPLATES and one.selectable), None)
    if folder is None:
        return []
    query = Query(sort="subject", descending=False)
    return list(source.page(folder.id, query, Window(0, LIST_LIMIT)).rows)


def save_template(composing: Composing, source: MailSource) -> None:
    """Puts what a composer holds among the templates, with the fields by which Thunderbird knows how to go on. It takes the
    place of the one that it changes, or that was saved from this composer before: the new one is there before that goes.
    Raises ValueError as `build_message`, MailError."""
    old = composing.template
    known = _message_id(source, old) if old else None
    message_id = known or _own_id(composing)
    draft = replace(draft_of(composing), in_reply_to="", references=(), forwarded=())
    raw = build_message(draft, date=timezone.now(), message_id=message_id, keep_bcc=True, draft_headers=True)
    folder = special_folder(source, Role.TEMPLATES)
    earlier = source.find(folder.id, message_id) + ([old] if old and known == "" else [])
    source.append(folder.id, raw, flags=[Flag.SEEN], received=timezone.now())
    if earlier:
        source.delete(earlier)


def _own_id(composing: Composing) -> str:
    """The name that a composer gives to its template: the same each time."""
    return f"<{composing.pk.hex}.template@{composing.message_id.rpartition('@')[2].rstrip('>')}>"


def _message_id(source: MailSource, ref: Ref) -> str | None:
    """The Message-ID of a template, "" when it has none that can be kept, None when it is gone."""
    try:
        headers, _defects = parse_headers(source.header(ref))
    except Gone:
        return None
    return next(iter(pick_ids(header_value(headers, "Message-ID"))), "")
