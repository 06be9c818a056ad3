"""What would stay on the server under a policy, counted from the mail that the mailbox has really got."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db.models import Sum
from django.utils import timezone

from accounts.models import MailAccount
from accounts.models.usage import FULL_PERMILLE
from accounts.services.usage.report import mailbox_line
from accounts.services.usage.standing import permille_of
from webmail.models import LedgerEntry, LocalMessage
from webmail.services.course_chart import Chart
from webmail.services.downloads import KEEP_DAYS_MAX, ON_SERVER
from webmail.services.simulator import STEPS, Bag, Course, bag_of
from webmail.services.transfer import SwitchPlan, plan_switch
from webmail.sources.base import MailSource

FRESH_S = 600


@dataclass(frozen=True)
class Figures:
    """The mailbox now, and under a policy of so many days; `course` is the same from month to month."""

    plan: SwitchPlan
    course: Course

    @cached_property
    def chart(self) -> Chart:
        return Chart(self.course)

    @property
    def bag(self) -> Bag:
        return self.course.bag

    @property
    def days(self) -> int:
        return self.course.days

    @property
    def step(self) -> int:
        """Which of STEPS is nearest to the days, from below."""
        return bisect_right(STEPS, self.days) - 1

    @property
    def steps(self) -> str:
        """All of STEPS, for the slider."""
        return " ".join(map(str, STEPS))

    @property
    def most_days(self) -> int:
        return STEPS[-1]

    @property
    def last_step(self) -> int:
        return len(STEPS) - 1

    @property
    def stays(self) -> tuple[int, int]:
        """Messages and octets that would be on the server today, had it been downloaded all along."""
        return self.bag.arrived_within(self.days)

    @property
    def is_full(self) -> bool:
        """Whether the quota takes no usual letter any more, as tables and alerts say it."""
        quota = self.course.quota_bytes or 0
        return permille_of(self.course.used, quota, messages=self.plan.messages) >= FULL_PERMILLE

    @property
    def freed(self) -> int | None:
        """How many octets are free then that are used now, once the copies of today have had their days and others lie there at
        the rate at which mail arrives; None where the server does not tell what is used."""
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
    used, held = told["plan"].size_bytes, _held(account) if account.downloads else None
    growth = _growth(account, used)
    return Figures(told["plan"], Course(told["bag"], days, timezone.localdate(), told["quota"], used, growth, held))


def _growth(account: MailAccount, used_bytes: int | None) -> float | None:
    """Octets a day that the forecast of the mailbox's space goes on with; None where there is none, or the mail lives here."""
    if account.mailbox is None or account.downloads:
        return None
    line = mailbox_line(account.mailbox, now_bytes=used_bytes)
    return line.day_bytes if line else None


def _held(account: MailAccount) -> list[int]:
    """Octets of the copies on the server, by the days since their download."""
    rows = LedgerEntry.objects.filter(account=account, state__in=ON_SERVER, stored_at__isnull=False)
    now, found = timezone.now(), [0] * (KEEP_DAYS_MAX + 1)
    for stored_at, size_bytes in rows.values_list("stored_at", "size_bytes").iterator():
        age_days = (now - stored_at).days if stored_at else 0
        found[min(KEEP_DAYS_MAX, max(0, age_days))] += size_bytes
    return found


def _limit(account: MailAccount, source: MailSource) -> int | None:
    """The octets that the server gives the mailbox; None for no limit, or an unknown one."""
    if account.downloads:
        return account.mailbox.quota_bytes or None if account.mailbox else None
    quota = source.quota() if source.can.quota else None
    return quota.limit_bytes if quota else None


def size_here(account: MailAccount) -> int:
    """How many bytes of mail the store has of an account."""
    return LocalMessage.objects.filter(account=account).aggregate(size=Sum("size_bytes"))["size"] or 0
