"""Copies that downloads leave on the server for longer than need be: what a shorter retention would free, and shortening it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.core import signing
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.audit import Actor
from accounts.services.permissions import above
from accounts.services.usage.scope import Scope
from webmail.models import Download, LedgerEntry
from webmail.services.downloads import KEEP_DAYS_MAX, Policy, change_policy

UNDO_SALT, UNDO_AGE_S = "usage.retention", 900
SHORT_DAYS = 14
"""What is enough, where nothing else is said: two weeks to notice that something is missing."""


@dataclass(frozen=True, slots=True)
class Shorter:
    """A hosted mailbox that leaves copies for longer than was asked (`days` None: for ever), and what would go: messages that are
    stored here and have lain on the server for longer."""

    download: Download
    address: str
    days: int | None
    messages: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Freed:
    """How many mailboxes, and what would go in all."""

    mailboxes: int
    size_bytes: int


Before = tuple[int, str, int]
"""How it was: the account, and its policy's `keep` and `keep_days`."""

SORTS: dict[str, Callable[[Shorter], tuple[Any, ...]]] = {
    "freed": lambda row: (-row.size_bytes, row.address),
    "messages": lambda row: (-row.messages, row.address),
    "days": lambda row: (-(row.days or KEEP_DAYS_MAX + 1), row.address),
    "name": lambda row: (row.address,),
}
"""The orders of the table: what is largest, longest or first in the alphabet comes first."""


def could_be_shorter(scope: Scope, *, days: int = SHORT_DAYS, text: str = "", sort: str = "freed") -> list[Shorter]:
    """The mailboxes of a scope that leave copies for longer than so many days, of those with `text` in their address, in an
    order of SORTS."""
    long = _long(scope, days)
    if text:
        long = long.filter(account__address__icontains=text)
    found = {row["account"]: row for row in _sums(long, days)}
    every = [
        Shorter(
            one,
            one.account.address,
            one.keep_days if one.keep == Download.Keep.DAYS else None,
            found[one.account_id]["messages"],
            int(found[one.account_id]["total"]),
        )
        for one in long.select_related("account")
        if one.account_id in found
    ]
    return sorted(every, key=SORTS[sort])


def sum_of(scope: Scope, *, days: int = SHORT_DAYS) -> Freed:
    """The same, added up."""
    rows = list(_sums(_long(scope, days), days))
    return Freed(len(rows), sum(int(row["total"]) for row in rows))


@transaction.atomic
def shorten(account_ids: Iterable[int], *, days: int = SHORT_DAYS, scope: Scope, by: Actor) -> list[Before]:
    """Lets those of these accounts that are in the scope leave copies for so many days from now on; gives how it was, of those
    that had left them for longer. Mailboxes of somebody who runs more stay as they are. Nothing is removed that is not stored
    here."""
    rows = _long(scope, days).filter(account__in=list(account_ids)).select_related("account__mailbox__domain__customer")
    changed = []
    for download in _below(rows, by):
        changed.append((download.account_id, download.keep, download.keep_days))
        change_policy(download, Policy(Download.Keep.DAYS, days, download.max_bytes, download.every_s), by=by)
    return changed


@transaction.atomic
def lengthen(before: Sequence[Before], *, days: int, scope: Scope, by: Actor) -> int:
    """Takes that back where the policy is still as it was set then; gives how many. What a download has removed from the server
    meanwhile is here and stays off it."""
    policies = {account: Policy(keep, keep_days) for account, keep, keep_days in before}
    rows = _mine(scope).filter(account__in=policies, keep=Download.Keep.DAYS, keep_days=days)
    done = 0
    for download in _below(rows.select_related("account__mailbox__domain__customer"), by):
        old = policies[download.account_id]
        change_policy(download, Policy(old.keep, old.keep_days, download.max_bytes, download.every_s), by=by)
        done += 1
    return done


class TooLate(ValueError):
    """What should be undone was not sealed here, or too long ago."""


def seal_undo(days: int, before: Sequence[Before]) -> str:
    """What `shorten` gave, for whoever may want to take it back."""
    return signing.dumps([days, before], salt=UNDO_SALT, compress=True)


def open_undo(text: str) -> tuple[int, list[Before]]:
    """The days, and how it was before. Raises TooLate."""
    try:
        days, rows = signing.loads(text, salt=UNDO_SALT, max_age=UNDO_AGE_S)
    except signing.BadSignature as error:
        raise TooLate from error
    return days, [cast(Before, tuple(row)) for row in rows]


def _below(rows: QuerySet[Download], by: Actor) -> list[Download]:
    """Without the mailboxes of people who run more than who asks."""
    found = list(rows)
    if by.person is None:
        return found
    high = above(by.person, [one.account.mailbox for one in found if one.account.mailbox])
    return [one for one in found if one.account.mailbox_id not in high]


def _sums(long: QuerySet[Download], days: int) -> Iterable[Any]:
    old = Q(state=LedgerEntry.State.KEPT, hold=False, stored_at__lt=timezone.now() - timedelta(days=days))
    rows = LedgerEntry.objects.filter(old, account__in=long.values("account"))
    return rows.values("account").annotate(messages=Count("pk"), total=Sum("size_bytes")).order_by()


def _long(scope: Scope, days: int) -> QuerySet[Download]:
    longer = Q(keep=Download.Keep.DAYS, keep_days__gt=days) | Q(keep=Download.Keep.ALWAYS)
    return _mine(scope).filter(longer)


def _mine(scope: Scope) -> QuerySet[Download]:
    hosted = Q(account__mailbox__isnull=False, account__mode=MailAccount.Mode.DOWNLOAD)
    return Download.objects.filter(scope.within("account__mailbox__domain"), hosted)
