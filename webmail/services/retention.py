"""Copies that downloads leave on the server for longer than need be: what a shorter retention would free, and shortening it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.audit import Actor
from webmail.models import Download, LedgerEntry
from webmail.services.downloads import KEEP_DAYS_MAX, Policy, change_policy

SHORT_DAYS = 14
"""What is enough: two weeks to notice that something is missing."""


@dataclass(frozen=True, slots=True)
class Shorter:
    """A hosted mailbox that leaves copies for longer than SHORT_DAYS (`days` None: for ever), and what would go: messages
    that are stored here and have lain on the server for longer."""

    download: Download
    address: str
    days: int | None
    messages: int
    size_bytes: int


SORTS: dict[str, Callable[[Shorter], tuple[Any, ...]]] = {
    "freed": lambda row: (-row.size_bytes, row.address),
    "messages": lambda row: (-row.messages, row.address),
    "days": lambda row: (-(row.days or KEEP_DAYS_MAX + 1), row.address),
    "name": lambda row: (row.address,),
}
"""The orders of the table: what is largest, longest or first in the alphabet comes first."""


def could_be_shorter(*, text: str = "", sort: str = "freed") -> list[Shorter]:
    """The mailboxes whose retention could be shorter, of those with `text` in their address, in an order of SORTS."""
    old = Q(state=LedgerEntry.State.KEPT, hold=False, stored_at__lt=timezone.now() - timedelta(days=SHORT_DAYS))
    long = _long().filter(account__address__icontains=text) if text else _long()
    rows = LedgerEntry.objects.filter(old, account__in=long.values("account"))
    sums = rows.values("account").annotate(messages=Count("pk"), total=Sum("size_bytes")).order_by()
    found = {row["account"]: row for row in sums}
    downloads = long.select_related("account")
    every = [
        Shorter(
            one,
            one.account.address,
            one.keep_days if one.keep == Download.Keep.DAYS else None,
            found[one.account_id]["messages"],
            int(found[one.account_id]["total"]),
        )
        for one in downloads
        if one.account_id in found
    ]
    return sorted(every, key=SORTS[sort])


def shorten(account_ids: Iterable[int], *, by: Actor) -> int:
    """Lets these accounts leave copies for SHORT_DAYS from now on; gives how many had left them for longer. Nothing is removed
    that is not stored here."""
    changed = 0
    for download in _long().filter(account__in=list(account_ids)).select_related("account__mailbox__domain__customer"):
        policy = Policy(Download.Keep.DAYS, SHORT_DAYS, download.max_bytes, download.every_s)
        change_policy(download, policy, by=by)
        changed += 1
    return changed


def _long() -> QuerySet[Download]:
    longer = Q(keep=Download.Keep.DAYS, keep_days__gt=SHORT_DAYS) | Q(keep=Download.Keep.ALWAYS)
    mine = Q(account__mailbox__isnull=False, account__mode=MailAccount.Mode.DOWNLOAD)
    return Download.objects.filter(longer, mine)
