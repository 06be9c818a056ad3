"""What the pages of shares say."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from accounts.services.folder_words import KIND_WORDS, folder_words
from accounts.usage.shares import KINDS, Part, Shares

register = template.Library()


@register.filter
def kind_rows(shares: Shares) -> list[tuple[str, Part]]:
    """The kinds of folders by name, the largest first."""
    rows = [
        (str(KIND_WORDS.get(kind) or _("Own folders")), shares.kinds[kind]) for kind in KINDS if kind in shares.kinds
    ]
    return sorted(rows, key=lambda row: -row[1].size_bytes)


@register.filter
def year_texts(shares: Shares) -> list[tuple[str, Part]]:
    """The years, the latest first."""
    return [(str(year), part) for year, part in sorted(shares.years.items(), reverse=True)]


@register.filter
def folder_rows(shares: Shares) -> list[tuple[str, Part]]:
    """The folders of one mailbox by name, the largest first."""
    return [(folder_words(path, kind), part) for path, kind, part in shares.folders]
