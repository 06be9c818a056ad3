"""Thresholds that are passed: told once for each crossing, and again only after it was well below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import (
    Customer,
    CustomerSpace,
    DaySpace,
    DomainSpace,
    MailboxSpace,
    MailServer,
    Plan,
    Reseller,
    SpaceAlert,
)
from accounts.services.usage.report import read_limits
from accounts.services.usage.scope import Scope
from accounts.services.usage.standing import Disk, disk_of, permille_of
from accounts.services.usage.steps import Steps, highest_passed

WELL_BELOW = 5
"""So many percent below its threshold something must be before it counts as passed no longer."""
KEEP_DAYS = 90
BACK_S = 900
"""So long a change of quotas can be taken back (seconds)."""
SELLER_TOLD = "seller_alerted"
Space = MailboxSpace | DomainSpace | CustomerSpace
Group = tuple[Steps, Q]
"""A list of thresholds, and the rows that it holds for."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of passing a threshold, on a day, so many owners of mailboxes were told and so many could not be (`missed`: their mailbox
    took no letter, and there was no other address), so many domains, so many customers, and so many times a reseller; none of
    them: it was a disk."""

    day: date
    percent: int
    mailboxes: int
    missed: int
    domains: int
    customers: int
    resellers: int

    @property
    def of_disk(self) -> bool:
        return not (self.mailboxes or self.missed or self.domains or self.customers or self.resellers)


def find_crossings(*, now: datetime | None = None) -> int:
    """Notes what has passed a threshold since it was looked at last, and what is well below again; gives how many alerts."""
    now = now or timezone.now()
    limits = read_limits()
    usual = tuple(limits.owner_steps)
    plans, customers = plan_lists(), _lists(Customer, "alert_steps")
    found = _crossings(MailboxSpace, _groups(plans, "plan", usual), now)
    found += _crossings(DomainSpace, _groups(customers, "domain__customer", usual), now, Q(mailboxes__gt=1))
    found += _crossings(CustomerSpace, _groups(customers, "customer", usual), now)
    found += _reseller_crossings(usual, now)
    return found + sum(_whole_crossing(disk, tuple(limits.disk_steps), now) for disk in _disks())


def find_crossings_of(space: MailboxSpace | DomainSpace, *, now: datetime | None = None) -> int:
    """The same of one mailbox or one domain whose quota changed, at once; gives how many alerts. One that is raised and taken
    back passes what it had passed before: nobody is told of that once more (BACK_S)."""
    now, usual = now or timezone.now(), tuple(read_limits().owner_steps)
    one = Q(pk=space.pk)
    if isinstance(space, MailboxSpace):
        groups = [(steps, those & one) for steps, those in _groups(plan_lists(), "plan", usual)]
        return _crossings(MailboxSpace, groups, now, back=True)
    groups = [
        (steps, those & one) for steps, those in _groups(_lists(Customer, "alert_steps"), "domain__customer", usual)
    ]
    return _crossings(DomainSpace, groups, now, Q(mailboxes__gt=1), back=True)


def alerts_of_week(scope: Scope) -> list[Told]:
    """What was told in the last seven days, by day and threshold, the latest first; not what was noted without a letter (`mailed`
    is when it was noted)."""
    rows = SpaceAlert.objects.filter(at__gte=timezone.now() - timedelta(days=7)).exclude(mailed=F("at"))
    rows = rows.exclude(mailbox__isnull=False, mailed__isnull=True)  # nobody was written to yet
    if not scope.everything:
        mailboxes = Q(mailbox__isnull=False) & scope.within("mailbox__domain")
        domains = Q(domain__isnull=False) & scope.within("domain")
        customers = Q(reseller__isnull=True, customer__in=scope.customers().values("pk"))
        rows = rows.filter(mailboxes | domains | customers | Q(reseller__in=scope.resellers()))
    groups = rows.annotate(day=TruncDate("at")).values("day", "percent")
    groups = groups.annotate(
        mailboxes=Count("mailbox", filter=~Q(taken=0), distinct=True),
        missed=Count("mailbox", filter=Q(taken=0), distinct=True),
        domains=Count("domain", distinct=True),
        customers=Count("customer", filter=Q(reseller__isnull=True), distinct=True),
        resellers=Count("reseller"),
    )
    return [Told(**row) for row in groups.order_by("-day", "-percent")]


def forget_alerts() -> int:
    """Removes alerts that are long over; gives how many."""
    old = SpaceAlert.objects.filter(at__lt=timezone.now() - timedelta(days=KEEP_DAYS), cleared__isnull=False)
    removed, _by_model = old.delete()
    return removed


def plan_lists() -> dict[Steps, list[int]]:
    """The lists that plans have for owners, and which plans (keys)."""
    return _lists(Plan, "owner_steps")


# --- Mailboxes, domains, customers --------------------------------------------------------------------------------------
def _lists(model: type[Plan] | type[Customer] | type[Reseller], field: str) -> dict[Steps, list[int]]:
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


def _crossings(
    model: type[Space],
    groups: list[Group],
    now: datetime,
    which: Q | None = None,
    told: str = "alerted",
    *,
    back: bool = False,
) -> int:
    """Of the rows of each list; `which` says of what is told, where that is not all: a domain of one mailbox is told as that.
    `told` is the column with the highest threshold of which somebody was told; with `back` an alert that ended a moment ago
    goes on."""
    found = 0
    for steps, those in groups:
        rows = model._default_manager.filter(those)
        of_another_list = rows.filter(**{f"{told}__gt": 0}).exclude(**{f"{told}__in": steps})
        for space in of_another_list:
            _lower(space, steps, now, told)
        for space in rows.filter(which or Q(), _above(steps, told), permille__gte=steps[0] * 10):
            found += _raise(space, steps, now, told, back=back)
        for space in rows.filter(**{f"{told}__gt": 0}, permille__lt=(F(told) - WELL_BELOW) * 10):
            _lower(space, steps, now, told)
    return found


def _above(steps: Steps, told: str) -> Q:
    """Above a threshold of which nobody was told."""
    passed = Q()
    for step, following in zip(steps, (*steps[1:], 10**6), strict=True):
        passed |= Q(permille__gte=step * 10, permille__lt=following * 10, **{f"{told}__lt": step})
    return passed


@transaction.atomic
def _raise(space: Space, steps: Steps, now: datetime, told: str, *, back: bool) -> int:
    """One alert, for the highest threshold alone; none when another round was quicker."""
    step = highest_passed(steps, space.permille)
    if not _claim(space, told, step):
        return 0
    ended = SpaceAlert.objects.filter(**_whose(space, told), percent=step, cleared__gte=now - timedelta(seconds=BACK_S))
    if back and (last := ended.order_by("-at").first()):
        SpaceAlert.objects.filter(pk=last.pk).update(cleared=None)
        return 0
    SpaceAlert.objects.create(**_whose(space, told), percent=step, at=now)
    return 1


@transaction.atomic
def _lower(space: Space, steps: Steps, now: datetime, told: str) -> None:
    """Ends what is above. What was jumped over on the way up is still passed, and is noted without a letter."""
    step = highest_passed(steps, space.permille)
    if not _claim(space, told, step):
        return
    alerts = SpaceAlert.objects.filter(**_whose(space, told), cleared__isnull=True)
    alerts.filter(percent__gt=step).update(cleared=now)
    if step and not alerts.filter(percent=step).exists():
        SpaceAlert.objects.create(**_whose(space, told), percent=step, at=now, mailed=now)


def _claim(space: Space, told: str, step: int) -> bool:
    """Notes that this threshold was told; whether it was still as this round saw it."""
    same = type(space)._default_manager.filter(pk=space.pk, **{told: getattr(space, told)})
    return bool(same.update(**{told: step}))


def _whose(space: Space, told: str) -> dict[str, int | None]:
    seller = space.customer.reseller_id if told == SELLER_TOLD and isinstance(space, CustomerSpace) else None
    return {space._meta.pk.attname: space.pk, "reseller_id": seller}


# --- Resellers ------------------------------------------------------------------------------------------------------------
def _reseller_crossings(usual: Steps, now: datetime) -> int:
    """Each by its own list: of each customer's plan, and of what was promised to all its customers together."""
    chosen = _lists(Reseller, "alert_steps")
    _end_moved(now)
    sold = Q(customer__reseller__isnull=False)
    groups = [(steps, those & sold) for steps, those in _groups(chosen, "customer__reseller", usual)]
    found = _crossings(CustomerSpace, groups, now, told=SELLER_TOLD)
    own = {key: steps for steps, keys in chosen.items() for key in keys}
    sums = DomainSpace.objects.filter(domain__customer__reseller__isnull=False).values_list(
        "domain__customer__reseller"
    )
    for key, used, promised in sums.annotate(Sum("bytes"), Sum("quota_bytes")).order_by():
        whole = _Whole(permille_of(used, promised), reseller_id=key)
        found += _whole_crossing(whole, own.get(key, usual), now)
    return found


def _end_moved(now: datetime) -> None:
    """What a reseller was told of a customer that is not its own any more is over."""
    told = SpaceAlert.objects.filter(cleared__isnull=True, reseller__isnull=False, customer__isnull=False)
    moved = list(told.exclude(reseller=F("customer__reseller")).values_list("pk", "customer"))
    if moved:
        CustomerSpace.objects.filter(pk__in=[customer for _key, customer in moved]).update(**{SELLER_TOLD: 0})
        SpaceAlert.objects.filter(pk__in=[key for key, _customer in moved]).update(cleared=now)


# --- Disks ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Whole:
    """A disk of known size (without a server the installation's own), or what was promised to all customers of a reseller."""

    permille: int
    server_id: int | None = None
    reseller_id: int | None = None


def _disks() -> list[_Whole]:
    """Each disk for itself, by all that lies on it: one may be full while others are empty."""
    servers = list(MailServer.objects.all())
    if servers:
        rows = MailboxSpace.objects.values_list("server").annotate(Sum("bytes")).order_by()
        used: dict[int | None, int] = dict(rows)
        disks: list[tuple[int | None, int, Disk | None]] = [(None, used.get(None, 0), disk_of())]
        disks += [(one.pk, used.get(one.pk, 0), disk_of(one)) for one in servers]
    else:
        today = DaySpace.objects.order_by("-day").first()
        known = today is not None and today.disk_bytes
        disks = [(None, today.bytes, Disk(known, today.bytes + (today.other_bytes or 0)))] if today and known else []
    return [_Whole(_taken(disk, mail) * 1000 // disk.size_bytes, server) for server, mail, disk in disks if disk]


def _taken(disk: Disk, mail_bytes: int) -> int:
    """What lies on it: all, where that is seen, else the mail."""
    return mail_bytes if disk.taken_bytes is None else disk.taken_bytes


@transaction.atomic
def _whole_crossing(whole: _Whole, steps: Steps, now: datetime) -> int:
    """The same of a disk or of a reseller. What was told is what its open alerts say: those that were jumped over are noted with
    it, and mailed to nobody, so that they are not told on the way down."""
    passed = highest_passed(steps, whole.permille)
    of = {"server_id": whole.server_id, "reseller_id": whole.reseller_id}
    alerts = SpaceAlert.objects.filter(mailbox=None, domain=None, customer=None, cleared=None, **of)
    known = set(alerts.select_for_update().values_list("percent", flat=True))
    told = max(known, default=0)
    if passed > told:
        below = [step for step in steps if step < passed and step not in known]
        SpaceAlert.objects.bulk_create(SpaceAlert(percent=step, at=now, mailed=now, **of) for step in below)
        SpaceAlert.objects.create(percent=passed, at=now, **of)
        return 1
    if told and whole.permille < (told - WELL_BELOW) * 10:
        alerts.filter(percent__gt=passed).update(cleared=now)
    return 0
