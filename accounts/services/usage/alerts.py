"""Thresholds that are passed: told once for each crossing, and again only after it was well below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Customer, CustomerSpace, DaySpace, DomainSpace, MailboxSpace, MailServer, Plan, SpaceAlert
from accounts.services.usage.report import read_limits
from accounts.services.usage.scope import Scope
from accounts.services.usage.standing import disk_bytes, server_bytes
from accounts.services.usage.steps import Steps, highest_passed

WELL_BELOW = 5
"""So many percent below its threshold something must be before it counts as passed no longer."""
KEEP_DAYS = 90
Space = MailboxSpace | DomainSpace | CustomerSpace
Group = tuple[Steps, Q]
"""A list of thresholds, and the rows that it holds for."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of passing a threshold, on a day, so many owners of mailboxes were told, so many domains and so many customers; none of
    them: it was a disk."""

    day: date
    percent: int
    mailboxes: int
    domains: int
    customers: int

    @property
    def of_disk(self) -> bool:
        return not (self.mailboxes or self.domains or self.customers)


def find_crossings(*, now: datetime | None = None) -> int:
    """Notes what has passed a threshold since it was looked at last, and what is well below again; gives how many alerts."""
    now = now or timezone.now()
    limits = read_limits()
    usual = tuple(limits.owner_steps)
    plans, customers = _lists(Plan, "owner_steps"), _lists(Customer, "alert_steps")
    found = _crossings(MailboxSpace, _groups(plans, "plan", usual), now)
    found += _crossings(DomainSpace, _groups(customers, "domain__customer", usual), now, Q(mailboxes__gt=1))
    found += _crossings(CustomerSpace, _groups(customers, "customer", usual), now)
    return found + sum(_disk_crossing(disk, tuple(limits.disk_steps), now) for disk in _disks())


def alerts_of_week(scope: Scope) -> list[Told]:
    """What was told in the last seven days, by day and threshold, the latest first; not what was noted without a letter (`mailed`
    is when it was noted)."""
    rows = SpaceAlert.objects.filter(at__gte=timezone.now() - timedelta(days=7)).exclude(mailed=F("at"))
    if not scope.everything:
        mailboxes = Q(mailbox__isnull=False) & scope.within("mailbox__domain")
        domains = Q(domain__isnull=False) & scope.within("domain")
        rows = rows.filter(mailboxes | domains | Q(customer__in=scope.customers().values("pk")))
    groups = rows.annotate(day=TruncDate("at")).values("day", "percent")
    groups = groups.annotate(mailboxes=Count("mailbox"), domains=Count("domain"), customers=Count("customer"))
    return [Told(**row) for row in groups.order_by("-day", "-percent")]


def forget_alerts() -> int:
    """Removes alerts that are long over; gives how many."""
    old = SpaceAlert.objects.filter(at__lt=timezone.now() - timedelta(days=KEEP_DAYS), cleared__isnull=False)
    removed, _by_model = old.delete()
    return removed


# --- Mailboxes, domains, customers --------------------------------------------------------------------------------------
def _lists(model: type[Plan] | type[Customer], field: str) -> dict[Steps, list[int]]:
    """The lists that were chosen for some of them, and for which (keys)."""
    found: dict[Steps, list[int]] = {}
    for key, steps in model._default_manager.filter(**{f"{field}__isnull": False}).values_list("pk", field):
        found.setdefault(tuple(steps), []).append(key)
    return found


def _groups(chosen: dict[Steps, list[int]], path: str, usual: Steps) -> list[Group]:
    """The rows of each list: `path` leads to what it was chosen for. The usual one holds for all others."""
    groups = [(steps, Q(**{f"{path}__in": keys})) for steps, keys in chosen.items()]
    others = [key for keys in chosen.values() for key in keys]
    return [*groups, (usual, ~Q(**{f"{path}__in": others}) if others else Q())]


def _crossings(model: type[Space], groups: list[Group], now: datetime, which: Q | None = None) -> int:
    """Of the rows of each list; `which` says of what is told, where that is not all: a domain of one mailbox is told as that."""
    found = 0
    for steps, those in groups:
        rows = model._default_manager.filter(those)
        for space in rows.filter(alerted__gt=0).exclude(alerted__in=steps):  # of a list that was changed since
            _lower(space, steps, now)
        for space in rows.filter(which or Q(), _above(steps), permille__gte=steps[0] * 10):
            found += _raise(space, steps, now)
        for space in rows.filter(_BELOW):
            _lower(space, steps, now)
    return found


def _above(steps: Steps) -> Q:
    """Above a threshold of which nobody was told."""
    passed = Q()
    for step, following in zip(steps, (*steps[1:], 10**6), strict=True):
        passed |= Q(permille__gte=step * 10, permille__lt=following * 10, alerted__lt=step)
    return passed


_BELOW = Q(alerted__gt=0, permille__lt=(F("alerted") - WELL_BELOW) * 10)


@transaction.atomic
def _raise(space: Space, steps: Steps, now: datetime) -> int:
    """One alert, for the highest threshold alone; none when another round was quicker."""
    step = highest_passed(steps, space.permille)
    if not type(space)._default_manager.filter(pk=space.pk, alerted=space.alerted).update(alerted=step):
        return 0
    SpaceAlert.objects.create(**_whose(space), percent=step, at=now)
    return 1


@transaction.atomic
def _lower(space: Space, steps: Steps, now: datetime) -> None:
    """Ends what is above. What was jumped over on the way up is still passed, and is noted without a letter."""
    step = highest_passed(steps, space.permille)
    if not type(space)._default_manager.filter(pk=space.pk, alerted=space.alerted).update(alerted=step):
        return
    alerts = SpaceAlert.objects.filter(**_whose(space), cleared__isnull=True)
    alerts.filter(percent__gt=step).update(cleared=now)
    if step and not alerts.filter(percent=step).exists():
        SpaceAlert.objects.create(**_whose(space), percent=step, at=now, mailed=now)


def _whose(space: Space) -> dict[str, int]:
    return {space._meta.pk.attname: space.pk}


# --- Disks ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Disk:
    """A disk of known size; without a server it is the installation's own."""

    server: MailServer | None
    permille: int


def _disks() -> list[_Disk]:
    """Each disk for itself: one may be full while others are empty."""
    servers = list(MailServer.objects.all())
    if servers:
        rows = MailboxSpace.objects.values_list("server").annotate(Sum("bytes")).order_by()
        used: dict[int | None, int] = dict(rows)
        sizes: list[tuple[MailServer | None, int, int | None]] = [(None, used.get(None, 0), disk_bytes())]
        sizes += [(one, used.get(one.pk, 0), server_bytes(one)) for one in servers]
    else:
        today = DaySpace.objects.order_by("-day").first()
        sizes = [(None, today.bytes, today.disk_bytes)] if today else []
    return [_Disk(server, taken * 1000 // size) for server, taken, size in sizes if size]


@transaction.atomic
def _disk_crossing(disk: _Disk, steps: Steps, now: datetime) -> int:
    """The same of a disk. What was told is what its open alerts say: those that were jumped over are noted with it, and
    mailed to nobody, so that they are not told on the way down."""
    passed = highest_passed(steps, disk.permille)
    alerts = SpaceAlert.objects.filter(mailbox=None, domain=None, customer=None, server=disk.server, cleared=None)
    known = set(alerts.select_for_update().values_list("percent", flat=True))
    told = max(known, default=0)
    if passed > told:
        below = [step for step in steps if step < passed and step not in known]
        SpaceAlert.objects.bulk_create(
            SpaceAlert(server=disk.server, percent=step, at=now, mailed=now) for step in below
        )
        SpaceAlert.objects.create(server=disk.server, percent=passed, at=now)
        return 1
    if told and disk.permille < (told - WELL_BELOW) * 10:
        alerts.filter(percent__gt=passed).update(cleared=now)
    return 0
