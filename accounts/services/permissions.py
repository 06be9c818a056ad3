"""May X do Y to Z? Asked here and nowhere else.

What somebody may do to a thing follows from the roles that they hold over it: the provider over everything, a reseller over
its customers and all that is theirs, a customer over its domains, a domain's administrator over that domain, and everybody
over their own mailbox. ALLOWED says which of them may do what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import (
    Alias,
    Batch,
    Change,
    Customer,
    Domain,
    Group,
    Invitation,
    Kind,
    MailAccount,
    Mailbox,
    Plan,
    Reseller,
    Role,
    User,
)
from accounts.services.audit import TERMS

Person = User | AnonymousUser
Thing = Plan | Reseller | Customer | Domain | Mailbox | Alias | Group | Batch | Role | Invitation | None
OWNER = "owner"
"""Whose mailbox it is."""


class Action(StrEnum):
    """What can be done. Those of one's own mailbox come last."""

    RUN_PROVIDER = "run provider"  # plans and resellers
    ADD_CUSTOMER = "add customer"
    CHANGE_CUSTOMER = "change customer"  # its name and plan; its domains
    SEE_CUSTOMER = "see customer"
    CHANGE_DOMAIN = "change domain"  # open it or shut it
    RUN_DOMAIN = "run domain"  # its mailboxes, addresses and people
    SEE_DOMAIN = "see domain"
    RUN_MAILBOX = "run mailbox"  # quota, switches, suspending, renaming, deleting
    SEE_MAILBOX = "see mailbox"
    USE_MAILBOX = "use mailbox"  # name, password, forwards
    INVITE = "invite"


_PROVIDER = frozenset({Kind.PROVIDER.value})
_SELLERS = _PROVIDER | {Kind.RESELLER.value}
_OWNERS = _SELLERS | {Kind.CUSTOMER.value}
_RUNNERS = _OWNERS | {Kind.DOMAIN.value}
_EVERYONE = _RUNNERS | {OWNER}

ALLOWED: dict[Action, frozenset[str]] = {
    Action.RUN_PROVIDER: _PROVIDER,
    Action.ADD_CUSTOMER: _SELLERS,
    Action.CHANGE_CUSTOMER: _SELLERS,
    Action.SEE_CUSTOMER: _OWNERS,
    Action.CHANGE_DOMAIN: _SELLERS,
    Action.RUN_DOMAIN: _RUNNERS,
    Action.SEE_DOMAIN: _RUNNERS,
    Action.RUN_MAILBOX: _RUNNERS,
    Action.SEE_MAILBOX: _EVERYONE,
    Action.USE_MAILBOX: _EVERYONE,
    Action.INVITE: _RUNNERS,
}

GRANTS: dict[str, frozenset[str]] = {
    Kind.PROVIDER.value: _RUNNERS,
    Kind.RESELLER.value: frozenset({Kind.RESELLER.value, Kind.CUSTOMER.value, Kind.DOMAIN.value}),
    Kind.CUSTOMER.value: frozenset({Kind.CUSTOMER.value, Kind.DOMAIN.value}),
    Kind.DOMAIN.value: frozenset({Kind.DOMAIN.value}),
}
"""Which roles each role may give and take, over what it is over itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """The roles of one person: over everything, and the keys of what each other is over."""

    provider: bool = False
    resellers: frozenset[int] = frozenset()
    customers: frozenset[int] = frozenset()
    domains: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.provider or self.resellers or self.customers or self.domains)


def held_by(person: Person) -> Held:
    """The roles of a person, looked up once for each request (the person is loaded anew for the next)."""
    if isinstance(person, AnonymousUser) or not person.is_active:
        return Held()
    known = getattr(person, "_held", None)
    if isinstance(known, Held):
        return known
    with connection.cursor() as cursor:
        cursor.execute(_question(connection.vendor), [person.pk])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    resellers, customers, domains = (frozenset(row[at] for row in rows if row[at] is not None) for at in (1, 2, 3))
    provider = person.is_superuser or any(row[0] == Kind.PROVIDER for row in rows)
    held = Held(provider, resellers, customers, domains)
    setattr(person, "_held", held)  # noqa: B010 - not a field of the model
    return held


@cache
def _question(_vendor: str) -> str:
    """Every page of a person asks it: Django takes ten times as long to put it together as the database to answer."""
    quote = connection.ops.quote_name
    kind, *over, person = (
        quote(str(Role._meta.get_field(name).column))  # type: ignore[union-attr]
        for name in ("kind", "reseller", "customer", "domain", "person")
    )
    return f"SELECT {kind}, {', '.join(over)} FROM {quote(Role._meta.db_table)} WHERE {person} = %s"  # noqa: S608 - our names


def providers() -> QuerySet[User]:
    """The provider's own people."""
    return User.objects.filter(Q(is_superuser=True) | Q(roles__kind=Kind.PROVIDER), is_active=True).distinct()


def may(person: Person, action: Action, thing: Thing = None) -> bool:
    """Whether the person may do this to the thing (to nothing in particular: what only a role itself decides)."""
    return bool(roles_over(person, thing) & ALLOWED[action])


def roles_over(person: Person, thing: Thing = None) -> frozenset[str]:
    """The kinds of role that the person holds over a thing. Over nothing in particular: that is the provider, and who has any
    customers to add to."""
    held = held_by(person)
    found = set(_PROVIDER) if held.provider else set()
    if thing is None:
        return frozenset(found | ({Kind.RESELLER.value} if held.resellers else set()))
    if isinstance(thing, Role | Invitation):
        return roles_over(person, thing.target) if thing.target else frozenset(found)
    domain = _domain_of(thing)
    customer = domain.customer if domain else thing if isinstance(thing, Customer) else None
    reseller = customer.reseller_id if customer else thing.pk if isinstance(thing, Reseller) else None
    if reseller in held.resellers:
        found.add(Kind.RESELLER)
    if customer and customer.pk in held.customers:
        found.add(Kind.CUSTOMER)
    if domain and domain.pk in held.domains:
        found.add(Kind.DOMAIN)
    if isinstance(thing, Mailbox) and _owns(person, thing):
        found.add(OWNER)
    return frozenset(str(kind) for kind in found)


def may_grant(person: Person, kind: str, target: Reseller | Customer | Domain | None) -> bool:
    """Whether the person may give this role over this target to somebody, or take it away."""
    over = roles_over(person, target)
    return any(kind in GRANTS.get(own, frozenset()) for own in over)


def outranks(person: Person, address: str) -> bool:
    """Whether the person may have power over who signs in with this address: each of that person's roles would have to be
    one that they may give themselves; and so over those whose links for a new password go to the address. Without this, whoever
    runs a domain could take over an administrator by way of the administrator's mailbox."""
    waiting = Mailbox.objects.filter(recovery_address=address).exclude(address=address)
    return _outranks(person, address) and all(_outranks(person, one.address) for one in waiting)


def _outranks(person: Person, address: str) -> bool:
    other = User.objects.filter(email=address).first() or _owner_of(address)
    if other is None or other.pk == person.pk:
        return True
    if other.is_superuser and not held_by(person).provider:
        return False
    roles = Role.objects.filter(person=other).select_related(
        "reseller", "customer__reseller", "domain__customer__reseller"
    )
    return all(may_grant(person, role.kind, role.target) for role in roles)


def above(person: Person, mailboxes: Iterable[Mailbox]) -> set[int]:
    """The keys of those among these mailboxes that the person may not take over; two queries where nobody in them has a role."""
    rows = list(mailboxes)
    # Two questions, each with an index of its own: one with OR would look at everybody.
    powerful = Q(roles__isnull=False) | Q(is_superuser=True)
    emails = set(User.objects.filter(powerful, email__in=[one.address for one in rows]).values_list("email", flat=True))
    owners = MailAccount.objects.filter(mailbox__in=[one.pk for one in rows])
    owners = owners.filter(Q(owner__roles__isnull=False) | Q(owner__is_superuser=True))
    keys = set(owners.values_list("mailbox", flat=True))
    return {one.pk for one in rows if (one.address in emails or one.pk in keys) and not may_take_over(person, one)}


def may_take_over(person: Person, mailbox: Mailbox) -> bool:
    """Whether the person may give this mailbox another password or address: their own, or that of somebody they outrank."""
    return may(person, Action.USE_MAILBOX, mailbox) and (_owns(person, mailbox) or outranks(person, mailbox.address))


# --- What somebody gets to see ------------------------------------------------------------------------------------------
def resellers_of(person: Person) -> QuerySet[Reseller]:
    """The resellers that the person may see."""
    held = held_by(person)
    return Reseller.objects.all() if held.provider else Reseller.objects.filter(pk__in=held.resellers)


def customers_of(person: Person) -> QuerySet[Customer]:
    """The customers that the person may see."""
    held = held_by(person)
    if held.provider:
        return Customer.objects.all()
    return Customer.objects.filter(Q(reseller__in=held.resellers) | Q(pk__in=held.customers))


def domains_of(person: Person) -> QuerySet[Domain]:
    """The domains that the person may see."""
    held = held_by(person)
    if held.provider:
        return Domain.objects.all()
    over = Q(pk__in=held.domains)
    if held.customers:
        over |= Q(customer__in=held.customers)
    if held.resellers:
        over |= Q(customer__reseller__in=held.resellers)
    return Domain.objects.filter(over)


def mailboxes_of(person: Person) -> QuerySet[Mailbox]:
    """The mailboxes that the person may see."""
    held = held_by(person)
    if held.provider:
        return Mailbox.objects.all()
    own = MailAccount.objects.filter(owner=person.pk, mailbox__isnull=False).values("mailbox")
    over = Q(pk__in=own)
    if held:
        over |= Q(domain__in=domains_of(person).values("pk"))
    return Mailbox.objects.filter(over)


def changes_of(person: Person) -> QuerySet[Change]:
    """The log, as far as it is about what is the person's."""
    held = held_by(person)
    if held.provider:
        return Change.objects.exclude(verb=TERMS)
    own = MailAccount.objects.filter(owner=person.pk, mailbox__isnull=False).values("mailbox")
    over = Q(mailbox__in=own)
    if held.resellers:
        over |= Q(reseller__in=held.resellers)
    if held.customers:
        over |= Q(customer__in=held.customers)
    if held.domains:
        over |= Q(domain__in=held.domains)
    return Change.objects.filter(over)


def _domain_of(thing: Thing) -> Domain | None:
    if isinstance(thing, Domain):
        return thing
    if isinstance(thing, Mailbox | Group | Batch):
        return thing.domain
    return thing.target.domain if isinstance(thing, Alias) else None


def _owns(person: Person, mailbox: Mailbox) -> bool:
    """Whether it is the person's own; looked up once for each request, as what they hold."""
    if isinstance(person, AnonymousUser) or not person.is_active:
        return False
    known: dict[int, bool] = person.__dict__.setdefault("_owned", {})
    if mailbox.pk not in known:
        known[mailbox.pk] = MailAccount.objects.filter(mailbox=mailbox, owner=person.pk).exists()
    return known[mailbox.pk]


def _owner_of(address: str) -> User | None:
    account = MailAccount.objects.select_related("owner").filter(mailbox__address=address).first()
    return account.owner if account else None
