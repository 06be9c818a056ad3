"""What the pages of shares say."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote, urlencode

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.services.folder_words import folder_words
from accounts.services.usage.share_rows import BigRow, kind_words, sender_rows
from accounts.usage.shares import KINDS, Part, Shares

register = template.Library()


@register.filter
def kind_rows(shares: Shares) -> list[tuple[str, Part]]:
    """The kinds of folders by name, the largest first."""
    rows = [(kind_words(kind), shares.kinds[kind]) for kind in KINDS if kind in shares.kinds]
    return sorted(rows, key=lambda row: -row[1].size_bytes)


register.filter(kind_words)
register.filter(sender_rows)


@register.filter
def day_of(day: str) -> date:
    """The day that a figure says (YYYY-MM-DD)."""
    return date.fromisoformat(day)


@register.simple_tag
def owner_letter(row: BigRow, size: str, compose: str = "") -> str:
    """The address of a letter to the owner that says which message it is about, of this size in words: the composer's at
    `compose`, else a mailto."""
    values = {
        "size": size,
        "day": date_format(day_of(row.big.day), "DATE_FORMAT"),
        "folder": kind_words(row.big.kind),
    }
    lines = [
        _("A message of %(size)s, received on %(day)s (%(folder)s), takes much of the space of your mailbox.") % values
    ]
    if row.account:
        where = settings.SITE_URL + reverse("space", args=[row.account])
        lines += [_("Here you see it among the biggest ones, and can delete it:"), where]
    fields = {"subject": _("About the space of your mailbox"), "body": "\n\n".join(lines)}
    if compose:
        return f"{compose}?{urlencode({'to': row.mailbox.address, **fields})}"
    return f"mailto:{quote(row.mailbox.address)}?{urlencode(fields, quote_via=quote)}"


@register.filter
def year_texts(shares: Shares) -> list[tuple[str, Part]]:
    """The years, the latest first."""
    return [(str(year), part) for year, part in sorted(shares.years.items(), reverse=True)]


@register.filter
def folder_rows(shares: Shares) -> list[tuple[str, Part]]:
    """The folders of one mailbox by name, the largest first."""
    return [(folder_words(path, kind), part) for path, kind, part in shares.folders]
