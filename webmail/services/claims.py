"""Who pulls which account: rows claimed in the database, by any number of workers on any number of machines.

A worker owns an account through a token that only it knows, as long as its lease lasts. Everything that it writes asks for
the token in the same transaction: a worker that was too slow finds that it owns nothing any more, and drops its connection
without QUIT.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models import Download, Transfer


class LeaseLost(Exception):
    """Another worker may own the account by now."""


def claim(
    account_id: int | None = None, *, by_hand: bool = False, clock: Callable[[], datetime] = timezone.now
) -> Download | None:
    """This account, or the one that has been due for longest, owned by the caller from now on; None when there is none.
    `by_hand` does not ask whether it is due, paused, or waits for its owner."""
    now = clock()
    wanted = Q(account__mode=MailAccount.Mode.DOWNLOAD) & (Q(lease_until=None) | Q(lease_until__lt=now))
    if not by_hand:
        wanted &= Q(due__lte=now, paused=False, asks_owner=False)
    if account_id is not None:
        wanted &= Q(account_id=account_id)
    wanted &= ~Q(account__in=_being_switched())
    token = secrets.token_hex(16)
    with transaction.atomic():
        found = Download.objects.select_for_update(skip_locked=True, of=("self",)).filter(wanted).order_by("due", "pk")
        pk = found.values_list("pk", flat=True).first()
        if pk is None or not Download.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=pk).update(
            lease_token=token, lease_until=now + timedelta(seconds=settings.PULL_LEASE_S)
        ):
            return None
    return Download.objects.select_related("account", "account__mailbox__domain__customer").get(pk=pk)


def _being_switched() -> QuerySet[Transfer, int]:
    """Accounts whose mail is on its way to the other side: nobody pulls them."""
    under_way = [Transfer.State.WAITING, Transfer.State.RUNNING, Transfer.State.STOPPED, Transfer.State.FAILED]
    return Transfer.objects.filter(state__in=under_way).values_list("account", flat=True)


def are_due(*, clock: Callable[[], datetime] = timezone.now) -> bool:
    """Whether an account waits for somebody to pull it."""
    now = clock()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Q(due__lte=now, paused=False, asks_owner=False, account__mode=MailAccount.Mode.DOWNLOAD)
    return Download.objects.filter(free & due & ~Q(account__in=_being_switched())).exists()


@dataclass(slots=True)
class PullLease:
    """The ownership of one account."""

    pk: int
    token: str
    clock: Callable[[], datetime] = timezone.now
    renewed: float = field(default_factory=time.monotonic)

    def hold(self, **fields: object) -> None:
        """Makes it last, in the transaction at hand, with whatever else there is to write. Raises LeaseLost."""
        until = self.clock() + timedelta(seconds=settings.PULL_LEASE_S)
        if not Download.objects.filter(pk=self.pk, lease_token=self.token).update(lease_until=until, **fields):
            raise LeaseLost
        self.renewed = time.monotonic()

    def beat(self) -> None:
        """The same when a third of it is over. Raises LeaseLost."""
        if time.monotonic() - self.renewed > settings.PULL_LEASE_S / 3:
            self.hold()

    def release(self, **fields: object) -> None:
        """Gives the account back, with what there is to say about it. Raises LeaseLost."""
        mine = Download.objects.filter(pk=self.pk, lease_token=self.token)
        if not mine.update(lease_until=None, lease_token="", **fields):
            raise LeaseLost
