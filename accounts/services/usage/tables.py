"""The tables of the dashboard: what fills up, what was promised and is not used, what nobody opens, what jumped. Each is a
query over rows that stand ready, so that 100,000 mailboxes cost what a page of them costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property

from accounts.models import Customer, CustomerSpace, DomainSpace, Mailbox, MailboxSpace, Plan, Reseller
from accounts.numbers import read_number
from accounts.services.permissions import Person, customers_of, resellers_of
from accounts.services.usage.parts import LEAST_PERCENT, part_of, unused
from accounts.services.usage.scope import Scope

IDLE_PERMILLE = 250
"""A domain that uses less than this of what was promised to it is listed among those to whom too much was."""
PAGE_ROWS = 50
JUMPED = 40
CHOICES = 100
"""No list to choose from is longer."""
Order = tuple[Any, ...]
Row = TypeVar("Row", MailboxSpace, DomainSpace)

_FULL = F("full_on").asc(nulls_last=True)
MAILBOX_SORTS: dict[str, Order] = {
    "permille": ("-permille", "pk"),
    "bytes": ("-bytes", "pk"),
    "month_bytes": ("-month_bytes", "pk"),
    "full_on": (_FULL, "-permille"),
    "used_at": ("idle_since", "pk"),
    "jump_on": (F("jump_on").desc(nulls_last=True), "-bytes"),
    "name": ("mailbox__address",),
}
DOMAIN_SORTS: dict[str, Order] = {
    "permille": ("-permille", "pk"),
    "bytes": ("-bytes", "pk"),
    "idle": ((F("quota_bytes") - F("bytes")).desc(), "pk"),
    "month_bytes": ("-month_bytes", "pk"),
    "full_on": (_FULL, "-permille"),
    "name": ("domain__name",),
}
FIRST_SORT = {"filling": "permille", "domains": "permille", "promised": "idle", "unused": "used_at", "jumps": "jump_on"}
"""The tables, and how each is sorted at first."""
DOMAIN_TABLES = frozenset({"domains", "promised"})


@dataclass(frozen=True, slots=True)
class Jumped:
    """A domain or a customer (`of`) whose space changed all at once."""

    of: str
    key: int
    name: str
    change_bytes: int
    day: date


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Which table, narrowed and sorted how; what an address says wrongly is as if it said nothing."""

    show: str = "filling"
    text: str = ""
    mode: str = ""
    plan: int | None = None
    reseller: int | None = None
    customer: int | None = None
    server: int | None = None
    least: int = LEAST_PERCENT
    sort: str = FIRST_SORT["filling"]

    @classmethod
    def read(cls, values: Mapping[str, str]) -> TableQuery:
        """The query of an address: show, q, mode, plan, reseller, customer, server, least, sort."""
        show = values.get("show", "")
        show = show if show in FIRST_SORT else "filling"
        sorts = DOMAIN_SORTS if show in DOMAIN_TABLES else MAILBOX_SORTS
        sort, mode = values.get("sort", ""), values.get("mode", "")
        least = _number(values.get("least"), 100)
        return cls(
            show=show,
            text=values.get("q", "").strip().lower()[:100],
            mode=mode if mode in MailboxSpace.Mode.values else "",
            plan=_number(values.get("plan"), 2**31),
            reseller=_number(values.get("reseller"), 2**31),
            customer=_number(values.get("customer"), 2**31),
            server=_number(values.get("server"), 2**31),
            least=LEAST_PERCENT if least is None else least,
            sort=sort if sort in sorts else FIRST_SORT[show],
        )

    @property
    def of_domains(self) -> bool:
        return self.show in DOMAIN_TABLES

    @property
    def narrowed(self) -> bool:
        """Whether it shows less than the whole table."""
        return bool(self.text or self.mode)

    def address(self, **changes: Any) -> str:
        """The query string of this query with changes, without what is so anyway."""
        other = replace(self, **changes)
        values = {
            "show": "" if other.show == "filling" else other.show,
            "q": other.text,
            "mode": other.mode,
            "plan": other.plan or "",
            "reseller": other.reseller or "",
            "customer": other.customer or "",
            "server": "" if other.server is None else other.server,
            "least": "" if other.least == LEAST_PERCENT else other.least,
            "sort": "" if other.sort == FIRST_SORT[other.show] else other.sort,
        }
        return "?" + urlencode({name: value for name, value in values.items() if value != ""})


def mailbox_rows(query: TableQuery, scope: Scope) -> QuerySet[MailboxSpace]:
    """The mailboxes of a table, in order."""
    rows = MailboxSpace.objects.filter(scope.of_mailboxes())
    if query.show == "filling" and query.least:
        rows = rows.filter(permille__gte=query.least * 10)
    elif query.show == "unused":
        # In the order of addresses SQLite would find all of them by this column's index and sort them: half of 100,000.
        column = Coalesce("idle_since", "idle_since") if query.sort == "name" else F("idle_since")
        rows = rows.alias(since=column).filter(unused("since"))
    elif query.show == "jumps":
        rows = rows.filter(jump_on__isnull=False)
    if query.text:
        # Found in the index of addresses alone, then looked up.
        rows = rows.filter(pk__in=Mailbox.objects.filter(address__contains=query.text).values("pk"))
    if query.mode:
        rows = rows.filter(mode=query.mode)
    return rows.order_by(*MAILBOX_SORTS[query.sort])


def domain_rows(query: TableQuery, scope: Scope) -> QuerySet[DomainSpace]:
    """The domains of a table, in order."""
    rows = DomainSpace.objects.filter(scope.within("domain"), mailboxes__gt=0)
    rows = rows.filter(idle()) if query.show == "promised" else rows.filter(permille__gte=query.least * 10)
    if query.text:
        rows = rows.filter(domain__name__contains=query.text)
    return rows.order_by(*DOMAIN_SORTS[query.sort])


def whole(rows: QuerySet[Row]) -> QuerySet[Row]:
    """The same rows, with all that a table shows of them, and without their history."""
    of_domains = rows.model is DomainSpace
    path = "domain__customer__plan" if of_domains else "mailbox__domain__customer__plan"
    return rows.select_related(path).defer(*(("samples", "promised") if of_domains else ()))


class TablePaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a table. The rows of a page are found by their keys alone and then read whole: sorting 100,000 rows with all
    that belongs to them would cost ten times as much. `known` is how many rows there are, where that was counted already."""

    def __init__(self, rows: QuerySet[Any], *, known: int | None = None) -> None:
        super().__init__(rows, PAGE_ROWS)
        self.known = known

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        return super().count if self.known is None else self.known

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """A page whose rows are read whole only once their keys are found, so that the sort does not carry them."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = list(rows.values_list("pk", flat=True)[first : first + self.per_page])
        found = whole(rows.model._default_manager.all()).in_bulk(keys)
        return Page([found[key] for key in keys if key in found], number, self)


def counts(scope: Scope) -> dict[str, int]:
    """How many rows each table has when it is not narrowed, and how many domains and customers `jumped`, in one or two queries.
    Of everything each is counted by an index of its own; of a part all are found in one look at its rows, which sums them up too
    (`part_of`)."""
    least = LEAST_PERCENT * 10
    domains = DomainSpace.objects.filter(scope.within("domain"), mailboxes__gt=0)
    tables: list[tuple[str, QuerySet[Any]]] = [
        ("domains", domains.filter(permille__gte=least)),
        ("promised", domains.filter(idle())),
    ]
    tables += [("jumped", rows) for _of, rows in _jumps_of(scope)]
    found = dict.fromkeys((*FIRST_SORT, "jumped"), 0)
    if scope.everything:
        mailboxes = MailboxSpace.objects.all()
        tables += [
            ("filling", mailboxes.filter(permille__gte=least)),
            ("jumps", mailboxes.filter(jump_on__isnull=False)),
            ("unused", mailboxes.filter(unused())),
        ]
    else:
        part = part_of(scope)
        found |= {name: part[name] for name in ("filling", "unused", "jumps")}
    first, *others = (
        rows.order_by().values(table=Value(name)).annotate(n=Count("pk")).values_list("table", "n")
        for name, rows in tables
    )
    for name, number in first.union(*others, all=True):
        found[name] += number
    return found


def rows_known(query: TableQuery, counted: Mapping[str, int], scope: Scope) -> int | None:
    """How many rows a table has, where that is known without counting them."""
    if query.text or (query.mode and query.mode != scope.mode):
        return None
    if query.show in {"filling", "domains"} and query.least != LEAST_PERCENT:
        all_there = query.show == "filling" and query.least == 0 and not scope.everything
        return part_of(scope)["mailboxes"] if all_there else None
    return counted[query.show]


def jumped(scope: Scope) -> list[Jumped]:
    """The domains and customers that grew or were emptied all at once in the last 30 days, the forty latest."""
    kinds = [
        rows.order_by().annotate(of=Value(of)).values_list("of", "pk", f"{of}__name", "jump_bytes", "jump_on")
        for of, rows in _jumps_of(scope)
    ]
    found = kinds[0].union(*kinds[1:], all=True).order_by("-jump_on", "of", "pk") if kinds else ()
    return [Jumped(*row) for row in found[:JUMPED]]


def _jumps_of(scope: Scope) -> list[tuple[str, QuerySet[Any]]]:
    """The domains and the customers that jumped; of a part of their mailboxes nothing is known."""
    if scope.mode:
        return []
    kinds: list[tuple[str, QuerySet[Any]]] = [("domain", DomainSpace.objects.filter(scope.within("domain")))]
    if scope.server is None:
        kinds.append(("customer", CustomerSpace.objects.filter(customer__in=scope.customers().values("pk"))))
    return [(of, rows.filter(jump_on__isnull=False)) for of, rows in kinds]


def idle() -> Q:
    """Domains to which four times as much was promised as they use."""
    return Q(permille__lt=IDLE_PERMILLE, quota_bytes__gt=0)


def plans(scope: Scope) -> list[Plan]:
    """The plans to narrow by."""
    rows = Plan.objects.all()
    scope = replace(scope, plan=None)
    if not scope.everything:
        rows = rows.filter(customers__in=scope.customers().values("pk")).distinct()
    return list(rows.order_by("name")[:CHOICES])


def sellers(person: Person) -> list[Reseller]:
    """The resellers to narrow by."""
    return list(resellers_of(person).order_by("name", "pk")[:CHOICES])


def buyers(person: Person) -> list[Customer]:
    """The customers to narrow by; none where there are too many for a list: their names in the table of domains lead to them."""
    found = list(customers_of(person).order_by("name", "pk")[: CHOICES + 1])
    return found if 1 < len(found) <= CHOICES else []


def _number(text: str | None, most: int) -> int | None:
    number = read_number(text or "")
    return number if number is not None and number <= most else None
