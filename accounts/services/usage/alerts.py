"""Thresholds that are passed: told once for each crossing, and again only after it was well below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import DaySpace, MailboxSpace, SpaceAlert
from accounts.services.usage.disk import read_limits

STEPS = (90, 95, 100)
"""In percent; the first one, which is agreed (80), comes before them."""
WELL_BELOW = 5
"""So many percent below its threshold a mailbox must be before it counts as passed no longer."""
KEEP_DAYS = 90


@dataclass(frozen=True, slots=True)
class Told:
    """So many owners were told on a day that they have passed a threshold; 0 for the disk."""

    day: date
    percent: int
    mailboxes: int


def steps(owner_percent: int) -> tuple[int, ...]:
    """The thresholds of mailboxes, lowest first."""
    return (owner_percent, *(step for step in STEPS if step > owner_percent))


def find_crossings(*, now: datetime | None = None) -> int:
    """Notes what has passed a threshold since it was looked at last, and what is well below again; gives how many alerts."""
    now = now or timezone.now()
    limits = read_limits()
    thresholds = steps(limits.owner_percent)
    found = sum(_raise(space, thresholds, now) for space in _above(thresholds))
    for space in _below():
        _lower(space, thresholds, now)
    return found + _disk_crossing(limits.disk_percent, now)


def alerts_of_week() -> list[Told]:
    """What was told in the last seven days, by day and threshold, the latest first."""
    since = timezone.now() - timedelta(days=7)
    rows = SpaceAlert.objects.filter(at__gte=since).annotate(day=TruncDate("at")).values("day", "percent")
    rows = rows.annotate(mailboxes=Count("mailbox")).order_by("-day", "-percent")
    return [Told(row["day"], row["percent"], row["mailboxes"]) for row in rows]


def forget_alerts() -> int:
    """Removes alerts that are long over; gives how many."""
    old = SpaceAlert.objects.filter(at__lt=timezone.now() - timedelta(days=KEEP_DAYS), cleared__isnull=False)
    removed, _by_model = old.delete()
    return removed


def _above(thresholds: tuple[int, ...]) -> Iterable[MailboxSpace]:
    """The mailboxes above a threshold of which their owner was not told."""
    passed = Q()
    for step, following in zip(thresholds, (*thresholds[1:], 10**6), strict=True):
        passed |= Q(permille__gte=step * 10, permille__lt=following * 10, alerted__lt=step)
    return MailboxSpace.objects.filter(passed, permille__gte=thresholds[0] * 10)


def _below() -> Iterable[MailboxSpace]:
    return MailboxSpace.objects.filter(alerted__gt=0, permille__lt=(F("alerted") - WELL_BELOW) * 10)


@transaction.atomic
def _raise(space: MailboxSpace, thresholds: tuple[int, ...], now: datetime) -> int:
    """One alert, for the highest threshold alone; none when another round was quicker."""
    step = max(step for step in thresholds if space.permille >= step * 10)
    if not MailboxSpace.objects.filter(pk=space.pk, alerted=space.alerted).update(alerted=step):
        return 0
    SpaceAlert.objects.create(mailbox_id=space.pk, percent=step, at=now)
    return 1


@transaction.atomic
def _lower(space: MailboxSpace, thresholds: tuple[int, ...], now: datetime) -> None:
    step = max((step for step in thresholds if space.permille >= step * 10), default=0)
    if MailboxSpace.objects.filter(pk=space.pk, alerted=space.alerted).update(alerted=step):
        SpaceAlert.objects.filter(mailbox_id=space.pk, percent__gt=step, cleared__isnull=True).update(cleared=now)


@transaction.atomic
def _disk_crossing(percent: int, now: datetime) -> int:
    today = DaySpace.objects.order_by("-day").first()
    if today is None or not today.disk_bytes:
        return 0
    used = today.bytes * 100 // today.disk_bytes
    open_alert = SpaceAlert.objects.select_for_update().filter(mailbox__isnull=True, cleared__isnull=True).first()
    if open_alert:
        if used < min(open_alert.percent, percent) - WELL_BELOW:
            SpaceAlert.objects.filter(pk=open_alert.pk).update(cleared=now)
        return 0
    if used < percent:
        return 0
    SpaceAlert.objects.create(percent=percent, at=now)
    return 1
