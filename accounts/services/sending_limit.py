"""To how many recipients a mailbox may send in a day, and to how many it has: asked by Postfix at the end of each message.

Whoever sends is counted, mail programs and the webmail alike: both hand over to Postfix's submission service. What filters
forward is counted too (Postfix's `filtered` service asks, in the context FILTERS): too much is refused for good, so that Dovecot
keeps it in the mailbox instead of trying again until tomorrow.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Mailbox, SentToday
from accounts.numbers import read_number
from accounts.provisioning.maps import LOGIN_MARK

KEPT_DAYS = 35
ALLOWED = "DUNNO"
TOO_MANY = "550 5.7.1 A day's limit is {limit} recipients, and this message has {count}: it can never be sent like this"
DAILY = "Daily sending limit reached"
REACHED = f"450 4.7.1 {DAILY}: {{left}} of {{limit}} recipients are left today, and this message has {{count}}"
"""The code of a wait (RFC 3463, 4.7.1): who tries again tomorrow may. Our own worker knows it by `DAILY`."""
FILTERS = "filters"
"""The policy_context of Postfix's question (main.cf): no login, and the sender is the mailbox whose filter forwards."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Recipients a day, and those of today."""

    limit: int
    sent: int

    @property
    def left(self) -> int:
        """Recipients that may still be written to today, never below 0."""
        return max(0, self.limit - self.sent)


def allowance_of(mailbox: Mailbox) -> Allowance | None:
    """What the mailbox's plan allows today; None when there is no limit."""
    limit = mailbox.domain.customer.plan.daily_sending_limit
    if limit is None:
        return None
    sent = SentToday.objects.filter(mailbox=mailbox, day=timezone.localdate()).values_list("recipients", flat=True)
    return Allowance(limit, sent.first() or 0)


def answer_policy(asked: dict[str, str]) -> str:
    """Postfix's question at the end of a message (SMTPD_POLICY_README): counts its recipients, or refuses all of it. Two messages
    at once cannot both take the last place."""
    filters = asked.get("policy_context") == FILTERS
    login = (
        _mailbox_of(asked.get("sender", ""))
        if filters
        else asked.get("sasl_username", "").lower().partition(LOGIN_MARK)[0]
    )
    count = read_number(asked.get("recipient_count", ""), digits=7)
    if asked.get("protocol_state") != "END-OF-MESSAGE" or not login or not count:
        return ALLOWED
    found = Mailbox.objects.filter(address=login).select_related("domain__customer__plan").first()
    limit = found.domain.customer.plan.daily_sending_limit if found else None
    if found is None or limit is None:
        return ALLOWED
    if count > limit:
        return TOO_MANY.format(limit=limit, count=count)
    if _take(found.pk, count, limit, timezone.localdate()):
        return ALLOWED
    allowed = Allowance(limit, SentToday.objects.get(mailbox=found, day=timezone.localdate()).recipients)
    log.info("daily sending limit of mailbox %s reached", found.pk)
    told = REACHED.format(left=allowed.left, limit=limit, count=count)
    return told.replace("450 4.7.1", "550 5.7.1", 1) if filters else told


def forget_old() -> int:
    """Removes the counts of days that nobody asks for any more."""
    return SentToday.objects.filter(day__lt=timezone.localdate() - timedelta(days=KEPT_DAYS)).delete()[0]


def _mailbox_of(sender: str) -> str:
    """The address of the mailbox that a forward has as its sender, without what stands behind the +."""
    local, at, domain = sender.lower().rpartition("@")
    return local.partition("+")[0] + at + domain


def _take(mailbox_id: int, count: int, limit: int, day: date) -> bool:
    with transaction.atomic():
        row, _made = SentToday.objects.get_or_create(mailbox_id=mailbox_id, day=day)
        free = SentToday.objects.filter(pk=row.pk, recipients__lte=limit - count)
        return free.update(recipients=F("recipients") + count) == 1
