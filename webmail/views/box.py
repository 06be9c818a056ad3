"""A person's open mailbox: what every webmail view loads first, and the context that every page of it shares."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast, get_args

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import MailAccount
from webmail.folder_order import only_subscribed
from webmail.markup.document import Theme
from webmail.services.access import account_for, open_source
from webmail.services.beside import Beside, look_beside
from webmail.services.folders import tree_items
from webmail.services.hierarchy import hidden, listed_with
from webmail.services.pulls import pull_state
from webmail.services.reading import find_folder
from webmail.services.special import find_rivals
from webmail.services.tags import Tags, tags_for
from webmail.sources.base import MailSource
from webmail.values import Folder, FolderId, PartNumber, Query, Quota, Ref, Role
from webmail.views.addresses import folder_address, message_address
from webmail.views.query import query_string


@dataclass(slots=True)
class Box:
    """An account that belongs to the person who asks, with its source open for one request."""

    request: HttpRequest
    account: MailAccount
    source: MailSource
    hidden: int = 0
    """Folders that `folders` left out because nobody subscribes to them."""
    _tags: Tags | None = None
    _beside: Beside | None = None

    @property
    def beside(self) -> Beside:
        """What there is beside the mail, looked for once."""
        self._beside = self._beside or look_beside(self.account)
        return self._beside

    @property
    def tags(self) -> Tags:
        """The tags of the account, read once."""
        if self._tags is None:
            self._tags = tags_for(self.account) if self.beside.tags else Tags()
        return self._tags

    @property
    def theme(self) -> Theme:
        """The theme that this person chose."""
        return theme_of(self.request)

    def folders(self) -> list[Folder]:
        """The folders that this person wants to see: subscribed, or all."""
        every = self.source.folders()
        _remember(self.account, every)
        if getattr(self.request.user, "all_folders", False):
            return every
        self.hidden = len(hidden(every))
        return only_subscribed(every)

    def folder(self, folders: list[Folder], folder_id: FolderId) -> Folder:
        """The folder of the address, also when it is not subscribed. Raises Gone."""
        if any(folder.id == folder_id for folder in folders):
            return find_folder(folders, folder_id)
        return find_folder(listed_with(self.source, folder_id), folder_id)

    def known_folder(self, folder_id: FolderId) -> Folder:
        """The folder of the address as it was listed a short while ago, without asking the server again; its counts are of
        then. Raises Gone."""
        known = _known_folders(self.account)
        if known is None or folder_id not in known:
            return self.folder(self.folders(), folder_id)
        return find_folder([known[folder_id]], folder_id)

    def known_folders(self) -> list[Folder]:
        """The folders as they were listed a short while ago, hidden ones too; nothing when they were not."""
        return list((_known_folders(self.account) or {}).values())

    def url(self, name: str, folder_id: FolderId, query: Query | None = None) -> str:
        path = folder_address(name, self.account.pk, folder_id)
        return path + (query_string(query) if query else "")

    def message_url(self, ref: Ref, name: str = "message", query: Query | None = None, **extra: Any) -> str:
        """The address of something of one message."""
        if extra:
            kwargs = {"account_id": self.account.pk, "folder_id": ref.folder, "validity": ref.validity, "uid": ref.id}
            path = reverse(name, kwargs=kwargs | extra)
        else:
            path = message_address(name, self.account.pk, ref)
        return path + (query_string(query) if query else "")

    def part_url(self, ref: Ref) -> Callable[[PartNumber], str]:
        """Where the parts of a message are served to be shown in place."""
        return lambda number: self.message_url(ref, "part_download", number=number) + "?inline=1"

    def tree(self, folders: list[Folder], current: FolderId | None) -> dict[str, Any]:
        """Context of the folder tree: both groups, the account and the person's others, how many messages are on their way or
        stuck, how downloads stand, and folders that look like special ones."""
        top, own = tree_items(folders, current)
        others: list[MailAccount] = []
        if self.beside.others:
            theirs = MailAccount.objects.filter(owner=self.account.owner_id).exclude(pk=self.account.pk)
            others = list(theirs.select_related("mailbox"))
        return {
            "account": self.account,
            "accounts": others,
            "tree_top": top,
            "tree_own": own,
            "outgoing": self.beside.outgoing,
            "pull": pull_state(self.account),
            "rivals": find_rivals(self.account, folders),
            "hidden_folders": self.hidden,
        }

    def quota(self) -> Quota | None:
        return self.source.quota() if self.source.can.quota else None


KNOWN_S = 120.0
KNOWN_ACCOUNTS = 500
_known: OrderedDict[tuple[int, str], tuple[float, dict[FolderId, Folder]]] = OrderedDict()


def _remember(account: MailAccount, folders: list[Folder]) -> None:
    """Which folders there are changes seldom; what a message is shown with (name, role) may be this old."""
    key = (account.pk, repr(account.special_folders))
    _known[key] = (time.monotonic(), {folder.id: folder for folder in folders})
    _known.move_to_end(key)
    while len(_known) > KNOWN_ACCOUNTS:
        _known.popitem(last=False)


def _known_folders(account: MailAccount) -> dict[FolderId, Folder] | None:
    at, folders = _known.get((account.pk, repr(account.special_folders)), (0.0, {}))
    return folders if folders and time.monotonic() - at < KNOWN_S else None


@contextmanager
def open_box(request: HttpRequest, account_id: int) -> Iterator[Box]:
    """Loads the account (404 unless it is this person's) and opens its source. Raises MailError."""
    account = account_for(request, account_id)
    with open_source(request, account) as source:
        yield Box(request, account, source)


def theme_of(request: HttpRequest) -> Theme:
    """The theme that this person chose, "system" without a choice."""
    theme = getattr(request.user, "theme", "")
    return cast(Theme, theme) if theme in get_args(Theme) else "system"


def inbox_of(folders: list[Folder]) -> Folder | None:
    """The folder to open first."""
    return next((folder for folder in folders if folder.role is Role.INBOX), folders[0] if folders else None)
