"""Folders by the mail server's names, as the interface calls them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

KIND_WORDS: dict[str, str | Promise] = {
    "inbox": pgettext_lazy("folder", "Inbox"),
    "drafts": _("Drafts"),
    "templates": _("Templates"),
    "sent": _("Sent"),
    "archive": _("Archive"),
    "junk": _("Spam"),
    "trash": _("Trash"),
}
"""What folders are for, and how they are called then."""


def folder_words(path: Sequence[str], kind: str = "") -> str:
    """The words of a folder whose path from the top this is; `kind` is what it is for, "" for nothing in particular."""
    names = list(path)
    if kind in KIND_WORDS:
        names[-1:] = [str(KIND_WORDS[kind])]
    return " / ".join(names)
