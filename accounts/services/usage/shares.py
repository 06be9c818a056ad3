"""What the space of mailboxes is made of, for whoever runs them: kept for each mailbox, added up for each domain.

Only figures are kept: how many messages and bytes, by folder, year, size and the domain that sent them, and how big the biggest
messages are. Who sent them and what they say is the owner's alone, and is looked at when the owner asks
(webmail/services/space.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import Domain, DomainShares, Mailbox, MailboxShares, SumShares
from accounts.services.usage.scope import Scope
from accounts.usage.shares import SENDERS_SUMMED, Shares, dump, load, sum_up

AGAIN = timedelta(days=30)
"""A mailbox is weighed anew after so long by itself."""
LEASE = timedelta(minutes=5)
"""A worker that says nothing for so long has died."""
DOMAINS_AT_ONCE = 500
SUMMED_AT_ONCE = 1000
"""Where there are no more domains than this, everything is added up after each round of weighing."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Whole:
    """What many mailboxes are made of: `weighed` of `mailboxes` are in it, the longest ago at `since`."""

    shares: Shares
    weighed: int
    mailboxes: int
    since: datetime | None
    reserve_bytes: int


def shares_row(mailbox: Mailbox) -> MailboxShares:
    """How far the figures of a mailbox are."""
    return MailboxShares.objects.filter(mailbox=mailbox).first() or MailboxShares(mailbox=mailbox)


def shares_in(row: MailboxShares) -> Shares:
    """What was found in a mailbox."""
    return load(row.shares)


def ask_shares(mailbox: Mailbox) -> None:
    """Has a mailbox weighed anew by a worker, which begins at once; nothing changes where that is asked for already."""
    row, _made = MailboxShares.objects.get_or_create(mailbox=mailbox)
    if MailboxShares.objects.filter(pk=row.pk, asked__isnull=True).update(asked=timezone.now(), done=0, expected=0):
        transaction.on_commit(_queue)


def shares_of_scope(scope: Scope, domain: Domain | None = None) -> Whole:
    """What all mailboxes of a scope are made of, or those of one domain in it: from the sums of domains."""
    of_domain = Q(domain=domain) if domain else scope.within("domain")
    name = "" if domain else _sum_name(scope)
    rows: list[DomainShares | SumShares]
    rows = list(SumShares.objects.filter(name=name) if name else DomainShares.objects.filter(of_domain))
    boxes = boxes_of_scope(scope, domain).filter(deleted__isnull=True)
    return Whole(
        shares=sum_up(row.shares for row in rows),
        weighed=sum(row.mailboxes for row in rows),
        mailboxes=boxes.count(),
        since=min((row.since for row in rows if row.since), default=None),
        reserve_bytes=sum(row.reserve_bytes for row in rows),
    )


def _sum_name(scope: Scope) -> str:
    """The sum that stands ready for a scope, "" where there is none: then it has few domains."""
    if scope.everything:
        return "all"
    if scope.whole_server and scope.server:
        return f"server:{scope.server.pk or 0}"
    if scope.customer or scope.server:
        return ""
    plan = f"plan:{scope.plan.pk}" if scope.plan else ""
    if scope.reseller:
        return f"reseller:{scope.reseller.pk}{plan}"
    held = scope.held
    if held.provider:
        return plan
    alone = len(held.resellers) == 1 and not (held.customers or held.domains)
    return f"reseller:{next(iter(held.resellers))}{plan}" if alone else ""


def boxes_of_scope(scope: Scope, domain: Domain | None = None) -> QuerySet[Mailbox]:
    """The mailboxes of a scope, or of a domain in it."""
    return Mailbox.objects.filter(Q(domain=domain) if domain else scope.within("domain"))


def reserve_of_scope(scope: Scope) -> int:
    """How many bytes the reserves of a scope's mailboxes take, as of a day ago at most."""
    rows = DomainShares.objects.filter(scope.within("domain"), reserve_bytes__gt=0)
    return int(rows.aggregate(total=Sum("reserve_bytes"))["total"] or 0)


def sum_domains(domain_ids: Iterable[int] | None = None) -> int:
    """Adds up the mailboxes of these domains, or of all; gives of how many domains. What is above many domains is added up with
    all of them alone, once a day."""
    every = Domain.objects.order_by("pk").values_list("pk", flat=True)
    keys = sorted(set(domain_ids)) if domain_ids is not None else list(every)
    for start in range(0, len(keys), DOMAINS_AT_ONCE):
        _sum_some(keys[start : start + DOMAINS_AT_ONCE])
    if keys and (domain_ids is None or DomainShares.objects.count() <= SUMMED_AT_ONCE):
        _sum_above()
    return len(keys)


@dataclass(slots=True)
class _Sum:
    shares: Shares = field(default_factory=Shares)
    mailboxes: int = 0
    since: datetime | None = None
    reserve_bytes: int = 0

    def add(self, other: _Sum) -> None:
        self.shares.add(other.shares)
        self.mailboxes += other.mailboxes
        self.reserve_bytes += other.reserve_bytes
        self.since = min((at for at in (self.since, other.since) if at), default=None)


def _sum_above() -> None:
    """Adds up the domains of everything, of each reseller, server and plan, and of each plan of a reseller."""
    groups: dict[tuple[int, int, int], _Sum] = {}
    rows = DomainShares.objects.filter(Q(mailboxes__gt=0) | Q(reserve_bytes__gt=0)).values_list(
        "domain__customer__reseller",
        "domain__server",
        "domain__customer__plan",
        "mailboxes",
        "since",
        "reserve_bytes",
        "shares",
    )
    for reseller, server, plan, mailboxes, since, reserve, shares in rows.iterator(1000):
        group = groups.setdefault((reseller, server or 0, plan), _Sum())
        group.add(_Sum(Shares(), mailboxes, since, reserve))
        group.shares.take(shares)
    sums: dict[str, _Sum] = {"all": _Sum()}
    for (reseller, server, plan), group in groups.items():
        seller = f"reseller:{reseller}"
        for name in ("all", seller, f"server:{server}", f"plan:{plan}", f"{seller}plan:{plan}"):
            sums.setdefault(name, _Sum()).add(group)
    made = [
        SumShares(
            name=name,
            mailboxes=one.mailboxes,
            since=one.since,
            shares=dump(one.shares, senders=SENDERS_SUMMED),
            reserve_bytes=one.reserve_bytes,
        )
        for name, one in sums.items()
    ]
    with transaction.atomic():
        SumShares.objects.exclude(name__in=sums).delete()
        SumShares.objects.bulk_create(
            made,
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["mailboxes", "since", "shares", "reserve_bytes"],
        )


def _sum_some(keys: list[int]) -> None:
    rows = MailboxShares.objects.filter(mailbox__domain__in=keys, mailbox__deleted__isnull=True)
    found = rows.order_by("mailbox__domain").values_list("mailbox__domain", "pk", "at", "reserve_bytes", "shares")
    sums = {key: DomainShares(domain_id=key, shares=dump(Shares())) for key in keys}
    for key, some in groupby(found.iterator(1000), key=itemgetter(0)):
        boxes, row = list(some), sums[key]
        weighed = [(at, _signed(shares, mailbox)) for _key, mailbox, at, _reserve, shares in boxes if at]
        row.mailboxes, row.since = len(weighed), min((at for at, _shares in weighed), default=None)
        row.shares = dump(sum_up(shares for _at, shares in weighed), senders=SENDERS_SUMMED)
        row.reserve_bytes = sum(reserve for _key, _mailbox, _at, reserve, _shares in boxes)
    DomainShares.objects.bulk_create(
        sums.values(),
        update_conflicts=True,
        unique_fields=["domain"],
        update_fields=["mailboxes", "since", "shares", "reserve_bytes"],
    )


def _signed(shares: dict[str, Any], mailbox: int) -> dict[str, Any]:
    """The same with the mailbox in each of its biggest messages, as a sum needs it."""
    return shares | {"biggest": [[*row[:3], mailbox] for row in shares.get("biggest", ())]}


# --- the worker's part ------------------------------------------------------------------------------------------------


def due_shares(*, most: int) -> list[Mailbox]:
    """The mailboxes to be weighed: those that somebody asked for, then those that never were, then those of long ago."""
    now = timezone.now()
    open_ = Q(active=True, domain__active=True, domain__customer__suspended__isnull=True, deleted__isnull=True)
    free = Q(shares__lease_until__isnull=True) | Q(shares__lease_until__lt=now)
    boxes = Mailbox.objects.select_related("domain")
    asked = boxes.filter(open_, free, shares__asked__isnull=False).order_by("shares__asked")
    never = boxes.filter(open_, shares__isnull=True).order_by("pk")
    old = boxes.filter(open_, free, shares__isnull=False, shares__asked__isnull=True)
    old = old.filter(Q(shares__tried__isnull=True) | Q(shares__tried__lt=now - AGAIN)).order_by("shares__tried")
    found: list[Mailbox] = []
    for some in (asked, never, old):
        found += _first(some, most - len(found))
    return found


def _first(rows: QuerySet[Mailbox], number: int) -> list[Mailbox]:
    return list(rows[:number]) if number > 0 else []


def claim_shares(mailbox: Mailbox) -> bool:
    """Whether the caller owns the row of this mailbox from now on."""
    now = timezone.now()
    MailboxShares.objects.get_or_create(mailbox=mailbox)
    free = MailboxShares.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), mailbox=mailbox)
    return bool(free.update(lease_until=now + LEASE, done=0, expected=0))


def tell_shares(mailbox: Mailbox, *, done: int, expected: int) -> None:
    """How far it is."""
    lease = timezone.now() + LEASE
    MailboxShares.objects.filter(mailbox=mailbox).update(done=done, expected=expected, lease_until=lease)


def keep_shares(mailbox: Mailbox, shares: Shares, *, reserve_bytes: int) -> None:
    """What was found."""
    now = timezone.now()
    found = {"at": now, "tried": now, "shares": dump(shares), "reserve_bytes": reserve_bytes}
    ended = {"asked": None, "lease_until": None, "problem": ""}
    MailboxShares.objects.update_or_create(mailbox=mailbox, defaults=found | ended)


def give_up_shares(mailbox: Mailbox, problem: str, *, tried: bool = True) -> None:
    """It did not work; what was found before stays. Where it was not even `tried`, it stays due."""
    when = {"tried": timezone.now()} if tried else {}
    MailboxShares.objects.filter(mailbox=mailbox).update(asked=None, lease_until=None, problem=problem, **when)


def _queue() -> None:
    try:
        current_app.send_task("webmail.tasks.weigh_due", expires=60, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker: %s", type(error).__name__)
