"""The past of the demo: two years of samples that lead to what its mailboxes hold, so that growth, forecast, jumps and alerts
have something to show. It is made up, and of no use anywhere else: what has a past of its own is left alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import (
    CustomerSpace,
    DaySpace,
    DomainSpace,
    LogPosition,
    Mailbox,
    MailboxHistory,
    MailboxSpace,
    MailServer,
    PartSpace,
    ServerSpace,
    User,
)
from accounts.services.login import account_of_mailbox
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.standing import disk_of, refresh_standing
from accounts.usage.series import Sample, add_change, pack, thin

DAYS = 730
MADE_UP = "the demo's past"
"""What stands for the log that nobody wrote."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a mailbox came to what it holds: since so many days, from this part of it, with changes all at once so many days ago
    (in parts of what it holds now: below 0 for an emptying). Its owner opened it so many days ago, or never."""

    days: int = DAYS
    begins: float = 0.2
    jumps: tuple[tuple[int, float], ...] = ()
    opened: int | None = 1


COURSES = (
    Course(begins=0.3, jumps=((210, -0.15),)),
    Course(begins=0.1),
    Course(begins=0.25, jumps=((12, 0.2),), opened=240),
    Course(begins=0.4),
    Course(days=400, begins=0.0, opened=None),
)
"""Mailboxes get them in turn, by their number."""


@transaction.atomic
def make_past() -> int:
    """Gives every mailbox of the demo two years of samples that end with what it holds; gives how many got them. Where there are
    days already, it gives none."""
    refresh_standing()
    today = timezone.localdate()
    if DaySpace.objects.filter(day__lt=today).exists() or MailServer.objects.exists():
        return 0
    spaces = list(MailboxSpace.objects.select_related("mailbox").order_by("mailbox__number"))
    courses = {space.pk: COURSES[number % len(COURSES)] for number, space in enumerate(spaces)}
    past = {space.pk: past_of(space.bytes, courses[space.pk], seed=space.pk) for space in spaces}
    packed = {key: _series(sizes) for key, sizes in past.items()}
    MailboxHistory.objects.bulk_create(
        [MailboxHistory(mailbox_id=key, samples=series) for key, series in packed.items()], ignore_conflicts=True
    )
    _sum(spaces, past)
    _days(spaces, past)
    for key, sizes in past.items():
        Mailbox.objects.filter(pk=key).update(created=timezone.now() - timedelta(days=len(sizes)))
    _sign_ins(spaces, courses)
    take_samples()
    return len(spaces)


def past_of(size_bytes: int, course: Course, *, seed: int) -> list[int]:
    """What a mailbox held at the end of each of the days before today, the oldest first; less of them, where it is younger."""
    chance = random.Random(seed)  # noqa: S311 (weather, no secret)
    first = timezone.localdate() - timedelta(days=course.days)
    busy = [0.15 if (first + timedelta(days=day)).weekday() > 4 else 1.0 for day in range(course.days)]
    steps = [weight * chance.lognormvariate(0, 0.6) for weight in busy]
    jumped = sum(part for _back, part in course.jumps)
    grown, total, sizes = 0.0, sum(steps), []
    for day, step in enumerate(steps):
        grown += step / total
        later = sum(part for back, part in course.jumps if course.days - day > back)
        share = course.begins + (1 - course.begins - jumped) * grown + jumped - later
        sizes.append(max(0, int(size_bytes * share)))
    return sizes


def _sign_ins(spaces: list[MailboxSpace], courses: dict[int, Course]) -> None:
    """Who opens mailboxes was recorded all along, so that there are some that nobody does."""
    now = timezone.now()
    LogPosition.objects.get_or_create(path=MADE_UP, defaults={"began": now - timedelta(days=DAYS), "checked": now})
    for space in spaces:
        opened = courses[space.pk].opened
        if opened is not None:
            owner = account_of_mailbox(space.mailbox).owner
            User.objects.filter(pk=owner.pk, last_login=None).update(last_login=now - timedelta(days=opened))


def _series(sizes: list[int]) -> bytes:
    today = timezone.localdate().toordinal()
    return thin(pack(Sample(today - len(sizes) + number, size) for number, size in enumerate(sizes)), today - 1)


def _changes(sizes: list[int]) -> bytes:
    """The same of what was promised: the days on which that changed."""
    today, packed = timezone.localdate().toordinal(), b""
    for number, size in enumerate(sizes):
        packed = add_change(packed, Sample(today - len(sizes) + number, size))
    return packed


def _sum(spaces: list[MailboxSpace], past: dict[int, list[int]]) -> None:
    """The series of domains, customers, parts and the server, of their mailboxes'."""
    for model, key_of in (
        (DomainSpace, lambda one: {"domain_id": one.domain_id}),
        (CustomerSpace, lambda one: {"customer_id": one.customer_id}),
        (ServerSpace, lambda one: {"server": 0}),
        (PartSpace, lambda one: {"reseller": one.reseller_id or 0, "plan": one.plan_id, "server": 0, "mode": one.mode}),
    ):
        groups: dict[tuple[tuple[str, Any], ...], list[MailboxSpace]] = {}
        for space in spaces:
            groups.setdefault(tuple(key_of(space).items()), []).append(space)
        for key, some in groups.items():
            used, promised = _totals(some, past)
            series = {"samples": _series(used), "promised": _changes(promised)}
            model._default_manager.update_or_create(**dict(key), defaults=series)


def _totals(spaces: list[MailboxSpace], past: dict[int, list[int]]) -> tuple[list[int], list[int]]:
    """What these used and were promised together, day by day."""
    used, promised = [0] * DAYS, [0] * DAYS
    for space in spaces:
        sizes = past[space.pk]
        for day, size in enumerate(sizes, DAYS - len(sizes)):
            used[day] += size
            promised[day] += space.quota_bytes
    return used, promised


def _days(spaces: list[MailboxSpace], past: dict[int, list[int]]) -> None:
    """The rows of everything together."""
    pop3 = [space for space in spaces if space.mode == MailboxSpace.Mode.POP3]
    used, promised = _totals(spaces, past)
    of_pop3, _promised = _totals(pop3, past)
    today, now, disk = timezone.localdate(), timezone.now(), disk_of()
    DaySpace.objects.bulk_create(
        DaySpace(
            day=today - timedelta(days=DAYS - day),
            at=now,
            bytes=used[day],
            quota_bytes=promised[day],
            mailboxes=sum(len(past[space.pk]) >= DAYS - day for space in spaces),
            pop3_bytes=of_pop3[day],
            pop3_mailboxes=len(pop3),
            disk_bytes=disk.size_bytes if disk else None,
        )
        for day in range(DAYS)
    )
