"""What POP3 programs removed and can be put back: gone when its days are over, in mailboxes that nobody opens too; and how much
disk it takes. Dovecot removes it when a session of the mailbox ends (autoexpunge); here the rest is asked for, once a day."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Mailbox, MailboxEvent, MailboxShares
from accounts.provisioning.doveadm import DoveadmFailed, tidy_reserve
from accounts.services.usage.shares import sum_domains

SPARE = timedelta(days=14)
"""So long after its days are over, a reserve is still looked into: where the server did not answer, or the task did not run."""

log = logging.getLogger(__name__)


def tidy_reserves(*, days: int | None = None) -> int:
    """Removes what has lain in reserves for longer than RESERVE_DAYS, and notes what is left; gives how many reserves were looked
    into. A server that does not answer ends it until the next day."""
    days = settings.RESERVE_DAYS if days is None else days
    domains, done = set(), 0
    for mailbox in list(_with_reserve(days)):  # read to its end before anything is written (docs/usage.md)
        try:
            left = tidy_reserve(mailbox.address, days=days)
        except DoveadmFailed as error:
            log.warning("reserves were not tidied: %s", error)
            break
        MailboxShares.objects.update_or_create(mailbox=mailbox, defaults={"reserve_bytes": left})
        domains.add(mailbox.domain_id)
        done += 1
    sum_domains(domains)
    return done


def _with_reserve(days: int) -> QuerySet[Mailbox]:
    """Mailboxes of which POP3 removed something lately, by the log, and those whose reserve was not empty the last time."""
    since = timezone.now().date() - timedelta(days=days) - SPARE
    taken = MailboxEvent.objects.filter(kind=MailboxEvent.Kind.TAKEN, protocol="pop3", day__gte=since)
    held = Q(pk__in=taken.values("mailbox")) | Q(shares__reserve_bytes__gt=0)
    return Mailbox.objects.filter(held).order_by("pk").distinct()
