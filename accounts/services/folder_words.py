"""Folders by the mail server's names, as the interface calls them."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from imapclient.imap_utf7 import decode as decode_utf7

from accounts.models import MailAccount
from accounts.provisioning.doveadm import RESERVE

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


SEPARATOR = "/"
"""Between the names of a path, on our own server (deploy/dovecot/dovecot.conf)."""
USUAL = {
    "INBOX": "inbox",
    "Drafts": "drafts",
    "Templates": "templates",
    "Sent": "sent",
    "Archive": "archive",
    "Junk": "junk",
    "Trash": "trash",
}
"""The folders that our own server makes, and what they are for."""


@dataclass(frozen=True, slots=True)
class FolderNames:
    """What the folders of a mailbox on our own server are for: as they are made, or as their owner has chosen."""

    kinds: dict[str, str] = field(default_factory=lambda: dict(USUAL))

    def words(self, name: str) -> str:
        """A folder's name in the server's log, as the folder tree calls it, with those above it."""
        if name == RESERVE:
            return gettext("the reserve")
        path = name.split(SEPARATOR)
        if path[0].upper() == "INBOX":
            path[0] = "INBOX"
        above = [SEPARATOR.join(path[: number + 1]) for number in range(len(path))]
        return " / ".join(folder_words([last], self.kinds.get(one, "")) for one, last in zip(above, path, strict=True))


def folder_names(account: MailAccount | None) -> FolderNames:
    """Those of an account's mailbox; as they are made where there is no account yet."""
    kinds = dict(USUAL)
    for kind, token in (account.special_folders if account else {}).items():
        name = _name_of(token) if kind in KIND_WORDS and isinstance(token, str) else ""
        if name:
            kinds = {one: what for one, what in kinds.items() if what != kind} | {name: kind}
    return FolderNames(kinds)


def _name_of(token: str) -> str:
    """The name that a chosen folder's token stands for (webmail/tokens.py), "" for none."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return str(decode_utf7(raw))
    except (binascii.Error, ValueError):
        return ""
