"""Thresholds that are passed: told once for each crossing, and again only after it was well below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import CustomerSpace, DaySpace, MailboxSpace, Plan, SpaceAlert
from accounts.services.usage.report import read_limits
from accounts.services.usage.scope import Scope

STEPS = (90, 95, 100)
"""In percent; the first one, which is agreed (80), comes before them."""
WELL_BELOW = 5
"""So many percent below its threshold a mailbox must be before it counts as passed no longer."""
KEEP_DAYS = 90
LEAST = 50
"""No threshold is lower."""
Space = MailboxSpace | CustomerSpace


@dataclass(frozen=True, slots=True)
class Told:
    """Of passing a threshold, on a day, so many owners of mailboxes were told, and so many customers; nobody of both: it was the
    disk."""

    day: date
    percent: int
    mailboxes: int
    customers: int


def steps(first: int) -> tuple[int, ...]:
    """The thresholds, lowest first."""
    return (first, *(step for step in STEPS if step > first))


def find_crossings(*, now: datetime | None = None) -> int:
    """Notes what has passed a threshold since it was looked at last, and what is well below again; gives how many alerts."""
    now = now or timezone.now()
    limits = read_limits()
    found = _mailbox_crossings(limits.owner_percent, now)
    found += _customer_crossings(limits.owner_percent, now)
    return found + _disk_crossing(limits.disk_percent, now)


def alerts_of_week(scope: Scope) -> list[Told]:
    """What was told in the last seven days, by day and threshold, the latest first."""
    rows = SpaceAlert.objects.filter(at__gte=timezone.now() - timedelta(days=7))
    if not scope.everything:
        rows = rows.filter(
            Q(mailbox__isnull=False) & scope.within("mailbox__domain") | Q(customer__in=scope.customers().values("pk"))
        )
    groups = rows.annotate(day=TruncDate("at")).values("day", "percent")
    groups = groups.annotate(mailboxes=Count("mailbox"), customers=Count("customer")).order_by("-day", "-percent")
    return [Told(row["day"], row["percent"], row["mailboxes"], row["customers"]) for row in groups]


def forget_alerts() -> int:
    """Removes alerts that are long over; gives how many."""
    old = SpaceAlert.objects.filter(at__lt=timezone.now() - timedelta(days=KEEP_DAYS), cleared__isnull=False)
    removed, _by_model = old.delete()
    return removed


# --- Mailboxes ----------------------------------------------------------------------------------------------------------
def _mailbox_crossings(usual: int, now: datetime) -> int:
    """Of every plan with its own threshold, then of all others."""
    own = {plan.pk: plan.owner_percent or usual for plan in Plan.objects.filter(owner_percent__isnull=False)}
    groups = [(percent, Q(plan=key)) for key, percent in own.items()]
    groups.append((usual, ~Q(plan__in=list(own)) if own else Q()))
    found = 0
    for percent, those in groups:
        thresholds = steps(percent)
        rows = MailboxSpace.objects.filter(those)
        for space in rows.filter(_above(thresholds), permille__gte=thresholds[0] * 10):
            found += _raise(space, thresholds, now)
        for space in rows.filter(_BELOW):
            _lower(space, thresholds, now)
    return found


def _customer_crossings(usual: int, now: datetime) -> int:
    """Of those whose plan says how much space there is."""
    rows = CustomerSpace.objects.select_related("customer").filter(Q(permille__gte=LEAST * 10) | Q(alerted__gt=0))
    found = 0
    for space in rows:
        thresholds = steps(space.customer.alert_percent or usual)
        passed = max((step for step in thresholds if space.permille >= step * 10), default=0)
        if passed > space.alerted:
            found += _raise(space, thresholds, now)
        elif space.alerted and space.permille < (space.alerted - WELL_BELOW) * 10:
            _lower(space, thresholds, now)
    return found


def _above(thresholds: tuple[int, ...]) -> Q:
    """Above a threshold of which nobody was told."""
    passed = Q()
    for step, following in zip(thresholds, (*thresholds[1:], 10**6), strict=True):
        passed |= Q(permille__gte=step * 10, permille__lt=following * 10, alerted__lt=step)
    return passed


_BELOW = Q(alerted__gt=0, permille__lt=(F("alerted") - WELL_BELOW) * 10)


@transaction.atomic
def _raise(space: Space, thresholds: tuple[int, ...], now: datetime) -> int:
    """One alert, for the highest threshold alone; none when another round was quicker."""
    step = max(step for step in thresholds if space.permille >= step * 10)
    if not type(space)._default_manager.filter(pk=space.pk, alerted=space.alerted).update(alerted=step):
        return 0
    SpaceAlert.objects.create(**_whose(space), percent=step, at=now)
    return 1


@transaction.atomic
def _lower(space: Space, thresholds: tuple[int, ...], now: datetime) -> None:
    step = max((step for step in thresholds if space.permille >= step * 10), default=0)
    if type(space)._default_manager.filter(pk=space.pk, alerted=space.alerted).update(alerted=step):
        SpaceAlert.objects.filter(**_whose(space), percent__gt=step, cleared__isnull=True).update(cleared=now)


def _whose(space: Space) -> dict[str, int]:
    return {"mailbox_id" if isinstance(space, MailboxSpace) else "customer_id": space.pk}


# --- The disk -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def _disk_crossing(percent: int, now: datetime) -> int:
    today = DaySpace.objects.order_by("-day").first()
    if today is None or not today.disk_bytes:
        return 0
    used = today.bytes * 100 // today.disk_bytes
    open_alert = (
        SpaceAlert.objects.select_for_update()
        .filter(mailbox__isnull=True, customer__isnull=True, cleared__isnull=True)
        .first()
    )
    if open_alert:
        if used < min(open_alert.percent, percent) - WELL_BELOW:
            SpaceAlert.objects.filter(pk=open_alert.pk).update(cleared=now)
        return 0
    if used < percent:
        return 0
    SpaceAlert.objects.create(percent=percent, at=now)
    return 1
