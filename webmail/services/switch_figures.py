"""What would stay on the server under a policy, counted from the mail that the mailbox has really got."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.db.models import Sum
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models import LocalMessage
from webmail.services.simulator import Bag, Course, bag_of
from webmail.services.transfer import SwitchPlan, plan_switch
from webmail.sources.base import MailSource

DAYS_MAX = 90
FRESH_S = 600


@dataclass(frozen=True, slots=True)
class Figures:
    """The mailbox now, and under a policy of so many days; `course` is the same from month to month."""

    plan: SwitchPlan
    course: Course

    @property
    def bag(self) -> Bag:
        return self.course.bag

    @property
    def days(self) -> int:
        return self.course.days

    @property
    def stays(self) -> tuple[int, int]:
        """Messages and octets that would be on the server today."""
        return self.bag.arrived_within(self.days)

    @property
    def leaves(self) -> int:
        """How many of the messages of now would be there no longer, once their days are over."""
        return max(0, self.plan.messages - self.stays[0])

    @property
    def freed(self) -> int | None:
        """How many octets that frees, once the copies of today have had their days and others lie there at the rate at which mail
        arrives; None where the server does not tell what is used."""
        return None if self.plan.size_bytes is None else max(0, self.plan.size_bytes - self.course.steady)


def figures_of(account: MailAccount, source: MailSource, *, days: int) -> Figures:
    """The figures for a mailbox; what its server says is kept for ten minutes. Of one that is downloaded they come from the mail
    that lives here, and what is on its server is not among them. Raises MailError."""
    key = f"switch-figures:{account.pk}:{account.mode}"
    told: dict[str, Any] | None = cache.get(key)
    if told is None:
        plan = plan_switch(source)
        told = {
            "plan": replace(plan, size_bytes=None) if account.downloads else plan,
            "bag": bag_of(source, timezone.now()),
            "quota": _limit(account, source),
        }
        cache.set(key, told, FRESH_S)
    return Figures(told["plan"], Course(told["bag"], days, timezone.localdate(), told["quota"]))


def _limit(account: MailAccount, source: MailSource) -> int | None:
    """The octets that the server gives the mailbox; None for no limit, or an unknown one."""
    if account.downloads:
        return account.mailbox.quota_bytes or None if account.mailbox else None
    quota = source.quota() if source.can.quota else None
    return quota.limit_bytes if quota else None


def size_here(account: MailAccount) -> int:
    """How many bytes of mail the store has of an account."""
    return LocalMessage.objects.filter(account=account).aggregate(size=Sum("size_bytes"))["size"] or 0
