"""What the portal's lists show: one page of rows and the figures above it, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Max, Q, QuerySet, Sum

from accounts.models import Alias, Customer, Domain, MailAccount, Mailbox, MailboxSpace, MailboxUsage, ProgramUse
from accounts.services.addresses import searched_domain, unicode_domain
from accounts.services.usage.standing import permille_of

PAGE_SIZE = 50
FULL_PERMILLE = 900
"""From so many thousandths of its quota on a mailbox is nearly full."""
FILTERS = ("all", "server", "download", "full", "shut", "deleted")
SORTS = ("number", "address", "name", "usage")


@dataclass(slots=True)
class Row:
    """A mailbox as the list shows it: what it holds, when it was last used and how."""

    mailbox: Mailbox
    used_bytes: int
    messages: int = 0
    imap_at: datetime | None = None
    pop3_at: datetime | None = None

    @property
    def percent(self) -> int:
        """Of the quota, rounded down, 100 when it is full; 0 without one."""
        return permille_of(self.used_bytes, self.mailbox.quota_bytes, messages=self.messages) // 10


@dataclass(frozen=True, slots=True)
class Figures:
    """How many mailboxes of a domain there are in each filter, and the space of those that are not deleted."""

    counts: dict[str, int]
    used_bytes: int
    allotted_bytes: int


@dataclass(slots=True)
class DomainRow:
    """A domain in a list, and what stands beside it."""

    domain: Domain
    mailboxes: int = 0
    allotted_bytes: int = 0


def figures_of(domain: Domain) -> Figures:
    """The figures above a domain's list; three queries, each with an index of its own: in one they cost twice as much. What is
    used, and how many are nearly full, is as it stood two minutes ago at most."""
    there = Q(deleted__isnull=True)
    found = Mailbox.objects.filter(domain=domain).aggregate(
        n_all=Count("pk", filter=there),
        n_shut=Count("pk", filter=there & _shut()),
        n_deleted=Count("pk", filter=~there),
        allotted_bytes=Sum("quota_bytes", filter=there),
    )
    accounts = MailAccount.objects.filter(mailbox__domain=domain, mailbox__deleted__isnull=True)
    found["n_download"] = accounts.filter(mode=MailAccount.Mode.DOWNLOAD).count()
    found["n_server"] = found["n_all"] - found["n_download"]
    stands = MailboxSpace.objects.filter(domain=domain).aggregate(
        n_full=Count("pk", filter=Q(permille__gte=FULL_PERMILLE)), used_bytes=Sum("bytes")
    )
    found["n_full"] = stands["n_full"]
    counts = {name: found[f"n_{name}"] for name in FILTERS}
    return Figures(counts, stands["used_bytes"] or 0, found["allotted_bytes"] or 0)


def mailbox_page(
    mailboxes: QuerySet[Mailbox],
    *,
    text: str = "",
    show: str = "all",
    sort: str = "number",
    page: Any = 1,
    total: int | None = None,
) -> Page[Row]:
    """One page of mailboxes that match. `sort` is a name of SORTS, with "-" before it for downwards (by usage, and what is nearly
    full, as it stood two minutes ago at most); `total` is how many there are in all where that is known."""
    rows = _filtered(mailboxes, show)
    if text:
        rows = rows.filter(Q(address__contains=searched_domain(text)) | Q(name__icontains=text))
    pages = Paginator(_sorted(rows, sort).values_list("pk", flat=True), PAGE_SIZE)
    if total is not None and not text:
        pages.count = total
    found = pages.get_page(page)
    # Found by their keys alone, then read whole: sorting them with all that belongs to them costs three times as much.
    keys = list(found.object_list)
    whole = Mailbox.objects.select_related("domain__customer__plan", "account", "account__owner").prefetch_related(
        "forwards", "aliases"
    )
    read = whole.in_bulk(keys)
    found.object_list = _rows(read[key] for key in keys if key in read)  # type: ignore[assignment]
    return found  # type: ignore[return-value]


def domain_page(domains: QuerySet[Domain], *, text: str = "", page: Any = 1) -> Page[DomainRow]:
    """One page of domains by name, with how many mailboxes each has and what they are allotted."""
    rows = domains.select_related("customer__plan").order_by("name")
    if text:
        rows = rows.filter(Q(name__contains=searched_domain(text)) | Q(customer__name__icontains=text))
    found = Paginator(rows, PAGE_SIZE).get_page(page)
    shown = [DomainRow(one) for one in found.object_list]
    sums = _sums([one.domain.pk for one in shown])
    for one in shown:
        one.mailboxes, one.allotted_bytes = sums.get(one.domain.pk, (0, 0))
    found.object_list = shown  # type: ignore[assignment]
    return found  # type: ignore[return-value]


def customer_page(customers: QuerySet[Customer], *, text: str = "", page: Any = 1) -> Page[Customer]:
    """One page of customers by name."""
    rows = customers.select_related("plan", "reseller").order_by("name", "pk")
    if text:
        rows = rows.filter(name__icontains=text)
    found = Paginator(rows, PAGE_SIZE).get_page(page)
    shown = list(found.object_list)
    counts = dict(
        Domain.objects.filter(customer__in=[one.pk for one in shown])
        .values("customer")
        .order_by()
        .annotate(n=Count("pk"))
        .values_list("customer", "n")
    )
    for one in shown:
        one.domain_count = counts.get(one.pk, 0)  # type: ignore[attr-defined]
    found.object_list = shown
    return found


FOUND_MOST = 20
"""So many domains, and so many mailboxes, a search shows."""


def find_everywhere(
    domains: QuerySet[Domain], mailboxes: QuerySet[Mailbox], text: str, limit: int = FOUND_MOST
) -> tuple[list[Domain], list[Mailbox]]:
    """Domains and mailboxes among those that match a few letters."""
    text = text.strip().lower()
    if len(text) < 2:
        return [], []
    there, typed = mailboxes.filter(deleted__isnull=True), searched_domain(text)
    boxes = list(
        there.filter(Q(address__contains=typed) | Q(name__icontains=text))
        .select_related("domain")
        .order_by("address")[:limit]
    )
    aliases = Alias.objects.filter(address__contains=typed, target__in=there.values("pk"))
    named = {one.target_id: one.target for one in aliases.select_related("target__domain").order_by("address")[:limit]}
    boxes = sorted({one.pk: one for one in [*boxes, *named.values()]}.values(), key=lambda one: one.address)[:limit]
    return list(domains.filter(name__contains=typed).select_related("customer").order_by("name")[:limit]), boxes


def _shut() -> Q:
    return Q(active=False) | Q(receives=False) | Q(sends=False)


def _filtered(mailboxes: QuerySet[Mailbox], show: str) -> QuerySet[Mailbox]:
    if show == "deleted":
        return mailboxes.filter(deleted__isnull=False)
    there = mailboxes.filter(deleted__isnull=True)
    if show == "server":
        return there.exclude(account__mode="download")
    if show == "download":
        return there.filter(account__mode="download")
    if show == "full":
        return there.filter(space__permille__gte=FULL_PERMILLE)
    return there.filter(_shut()) if show == "shut" else there


def _sorted(mailboxes: QuerySet[Mailbox], sort: str) -> QuerySet[Mailbox]:
    down, name = sort.startswith("-"), sort.lstrip("-")
    if name == "usage":
        used = F("space__bytes")
        return mailboxes.order_by(used.desc(nulls_last=True) if down else used.asc(nulls_first=True), "pk")
    field = name if name in SORTS else "number"
    return mailboxes.order_by(f"-{field}" if down else field, "pk")


def _rows(mailboxes: Iterable[Any]) -> list[Row]:
    shown = list(mailboxes)
    usage = MailboxUsage.objects.filter(username__in=[one.address for one in shown])
    used = {address: figures for address, *figures in usage.values_list("username", "bytes", "messages")}
    rows = [Row(one, *used.get(one.address, (0, 0))) for one in shown]
    uses = (
        ProgramUse.objects.filter(mailbox__in=[row.mailbox.pk for row in rows])
        .values("mailbox", "protocol")
        .order_by()
        .annotate(at=Max("last_at"))
        .values_list("mailbox", "protocol", "at")
    )
    last = {(mailbox, protocol): at for mailbox, protocol, at in uses}
    for row in rows:
        row.imap_at, row.pop3_at = last.get((row.mailbox.pk, "imap")), last.get((row.mailbox.pk, "pop3"))
    return rows


def _sums(domains: list[int]) -> dict[int, tuple[int, int]]:
    found = (
        Mailbox.objects.filter(domain__in=domains, deleted__isnull=True)
        .values("domain")
        .order_by()
        .annotate(n=Count("pk"), size=Sum("quota_bytes"))
        .values_list("domain", "n", "size")
    )
    return {domain: (n, size or 0) for domain, n, size in found}


def show_domain(name: str) -> str:
    """A domain for people: its letters, where A-labels hide them."""
    return unicode_domain(name)
