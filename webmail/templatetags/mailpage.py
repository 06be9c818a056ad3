"""Filters that the mail pages need beside the general ones in `casilla`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import MailAccount
from accounts.services.usage.standing import permille_now
from accounts.services.usage.thresholds import level_of
from webmail.markup.images import previewable
from webmail.mime.addresses import format_address
from webmail.mime.recipients import parse_recipients
from webmail.models import Composing, Contact
from webmail.services.folders import folder_label as label_of
from webmail.values import Address, Folder, Part, Query, Quota, Ref
from webmail.views.addresses import message_address
from webmail.views.query import query_string

register = template.Library()


@register.simple_tag(takes_context=True)
def message_url(context: dict[str, Any], ref: Ref, name: str, **extra: str) -> str:
    """The address of something of one message in the account of the page."""
    if not extra:
        return message_address(name, context["account"].pk, ref)
    kwargs = {"account_id": context["account"].pk, "folder_id": ref.folder, "validity": ref.validity, "uid": ref.id}
    return reverse(name, kwargs=kwargs | extra)


@register.filter
def folder_label(folder: Folder) -> str:
    """A folder's name on screen."""
    return str(label_of(folder))


@register.filter
def local_part(address: str) -> str:
    """What stands before the @."""
    return address.rpartition("@")[0] or address


@register.filter
def fill_level(percent: int, account: MailAccount) -> str:
    """How full by the thresholds of the mailbox's plan: "", some, near or full."""
    return level_of(account.mailbox, percent)


@register.filter
def filled(quota: Quota, account: MailAccount) -> int:
    """How many percent of it are used, rounded down, as tables, bell and alerts say it: 100 is full."""
    return permille_now(account.mailbox, quota.used_bytes, quota.limit_bytes or 0) // 10


@register.filter
def percent_of(part: int, whole: int) -> int:
    """How many percent of `whole` `part` is, rounded down; 0 when the whole is 0."""
    return part * 100 // whole if whole else 0


@register.filter
def at_most(value: int, limit: int) -> int:
    return min(value, limit)


@register.filter
def without(query: Query, field: str) -> str:
    """The address of the same list without one search field."""
    changed = replace(query, text="", in_body=False) if field == "text" else query
    return query_string(changed) or "?"


@register.filter
def toggled(query: Query, field: str) -> str:
    """The address of the same list with one yes-or-no turned over."""
    changes: dict[str, Any] = {field: not getattr(query, field)}
    return query_string(replace(query, **changes)) or "?"


@register.filter
def with_role(query: Query, role: str) -> str:
    """The query for the rows address, which tells the folder's role; always starts with a question mark."""
    text = query_string(query)
    return f"{text}{'&' if text else '?'}{urlencode({'role': role})}"


@register.filter
def file_extension(part: Part) -> str:
    """At most four capitals for an attachment's tile: its extension, else its kind."""
    name, dot, extension = part.filename.rpartition(".")
    short = extension if dot and name and extension.isascii() and extension.isalnum() else part.subtype
    return (short if len(short) <= 4 else short[:3]).upper()


@register.filter
def file_name(part: Part) -> str:
    """The attachment's name, or what it is when it has none."""
    if part.filename:
        return part.filename
    if part.media_type == "message/rfc822":
        return _("Attached message")
    return _("Unnamed attachment")


@register.filter
def can_preview(part: Part) -> str:
    """ "image", "pdf" or "": whether the part can be shown in place, by its type and name (its bytes decide later)."""
    return previewable(part)


@register.filter
def decoded_size(part: Part) -> int:
    """About how many bytes the attachment has once decoded."""
    return part.size_bytes * 3 // 4 if part.encoding.lower() == "base64" else part.size_bytes


@register.filter
def senders(addresses: tuple[Address, ...], mine: str) -> str:
    """Names of those who wrote, oneself as "I", the rest counted after the first four."""
    return _named(addresses, mine, pgettext("sender", "me"))


@register.filter
def people(addresses: tuple[Address, ...], mine: str) -> str:
    """Names of recipients, oneself as "me", the rest counted after the first four."""
    return _named(addresses, mine, _("me"))


def _named(addresses: tuple[Address, ...], mine: str, me: str) -> str:
    names = [me if person.email.lower() == mine.lower() else person.display for person in addresses]
    shown = ", ".join(name for name in names[:4] if name)
    rest = len(names) - 4
    if rest > 0:
        shown += " " + ngettext("and %(n)d more", "and %(n)d more", rest) % {"n": rest}
    return shown


@register.filter
def recipient(contact: Contact) -> str:
    """A contact as it stands in a recipients field."""
    return format_address(Address(contact.name, contact.email))


@register.filter
def extension(name: str) -> str:
    """At most four capitals for a file's tile."""
    _stem, dot, found = name.rpartition(".")
    return found[:4].upper() if dot and found.isascii() and found.isalnum() else "…"


@register.filter
def outgoing_state(state: str) -> str:
    """Where an outgoing message stands, in words."""
    words = {
        "waiting": _("waiting"),
        "sending": _("being sent"),
        "handing": _("being sent"),
        "doubt": _("perhaps sent"),
        "failed": _("not sent"),
        "sent": _("sent"),
    }
    return words.get(state, state)


@register.filter
def outgoing_error(row: Any) -> str:
    """Why an outgoing message was not sent (yet), in words."""
    words = {
        "daily": _("This mailbox has sent to as many as it may in a day; it is tried again tomorrow by itself."),
        "deferred": _("The server asked to wait; it is tried again by itself."),
        "unreachable": _("The outgoing server does not answer; it is tried again by itself."),
        "certificate": _("The outgoing server could not prove who it is, so nothing was sent to it."),
        "login": _("The outgoing server did not take the password. Sign in again, then try again."),
        "rejected": _("The server refused the message."),
        "refused": _("The server refused the message."),
        "recipients": _("The server refused all recipients."),
        "too_large": _("The message is larger than the server takes."),
        "gave_up": _("It was tried for two days and could not be sent."),
        "interrupted": _("The sending was interrupted before anything was handed over; it is tried again by itself."),
        "lost": _(
            "The server's answer was lost at the very end: it may have been sent, or not. "
            "Ask the recipient before you send it again."
        ),
    }
    if row.error == "recipients" and row.delivered:
        return _(
            "The server refused the recipients below; the others have the message. Trying again goes to these alone."
        )
    return words.get(str(row.error), str(row.error))


@register.filter
def outgoing_note(row: Any) -> str:
    """What could not be done after a message was sent, in words."""
    words = {
        "no_copy": _("It was sent, but the copy among the sent mail could not be kept."),
        "not_marked": _("It was sent, but the message that it answers could not be marked."),
        "draft_left": _("It was sent, but its draft could not be removed."),
    }
    return " ".join(str(words[code]) for code in row.note.split() if code in words)


@register.filter
def composer_title(composing: Composing) -> str:
    """What a composer is called: its subject, else whom it goes to, else what it is."""
    first = next(iter(parse_recipients(composing.to[:2000])), None)
    return composing.subject.strip() or (first.display if first else "") or _("New message")
