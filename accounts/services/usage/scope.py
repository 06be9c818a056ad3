"""Whose space a page is about: everything, what a reseller or a customer has, or what somebody runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from accounts.models import Customer, Domain, MailServer, Plan, Reseller
from accounts.services.permissions import Held, Person, customers_of, held_by, resellers_of


class NotSeen(LookupError):
    """A reseller, a customer or a plan that is not there, or not for this person to see."""


@dataclass(frozen=True)
class Scope:
    """What somebody with these roles sees, narrowed to a reseller, a customer or a plan of theirs."""

    held: Held
    reseller: Reseller | None = None
    customer: Customer | None = None
    server: MailServer | None = None
    """For the provider alone; without a key it is the installation's own mail folder."""
    plan: Plan | None = None
    mode: str = ""
    """Of those that are read in this way alone (MailboxSpace.Mode). Domains and customers are of all of them."""

    @property
    def provider(self) -> bool:
        """Whether the provider's own people look."""
        return self.held.provider

    @property
    def everything(self) -> bool:
        """The whole installation, its disk included."""
        return (
            self.held.provider
            and self.reseller is None
            and self.customer is None
            and self.server is None
            and not self.plan
            and not self.mode
        )

    @property
    def whole_server(self) -> bool:
        """A server and all that lies on it: there is a disk then, and a history."""
        return (
            self.server is not None and self.reseller is None and self.customer is None and not (self.plan or self.mode)
        )

    @cached_property
    def one_customer(self) -> Customer | None:
        """The customer that it is about, if it is about one alone: there is a plan then."""
        if self.customer or self.held.provider or self.reseller:
            return self.customer
        others = Domain.objects.filter(pk__in=self.held.domains).exclude(customer__in=self.held.customers)
        if len(self.held.customers) == 1 and not self.held.resellers and not (self.held.domains and others.exists()):
            return Customer.objects.select_related("plan").get(pk=next(iter(self.held.customers)))
        return None

    @cached_property
    def one_domain(self) -> Domain | None:
        """The domain that it is about, for who runs that one alone."""
        held = self.held
        if held.provider or held.resellers or held.customers or len(held.domains) != 1:
            return None
        return Domain.objects.filter(pk__in=held.domains).first()

    def of_mailboxes(self) -> Q:
        """The condition for rows of MailboxSpace, which say themselves whose they are; empty for everything."""
        found = Q()
        if self.server:
            found &= Q(server=self.server.pk) if self.server.pk else Q(server__isnull=True)
        if self.plan:
            found &= Q(plan=self.plan.pk)
        if self.mode:
            found &= Q(mode=self.mode)
        if self.customer:
            found &= Q(customer=self.customer.pk)
        elif self.reseller:
            found &= Q(reseller=self.reseller.pk)
        if self.held.provider:
            return found
        parts = (("domain", self.held.domains), ("customer", self.held.customers), ("reseller", self.held.resellers))
        return found & _any(Q(**{f"{name}__in": keys}) for name, keys in parts if keys)

    def within(self, path: str) -> Q:
        """The condition for rows whose domain is at `path`; empty for everything."""
        found = Q()
        if self.server:
            found &= (
                Q(**{f"{path}__server": self.server.pk}) if self.server.pk else Q(**{f"{path}__server__isnull": True})
            )
        if self.plan:
            found &= Q(**{f"{path}__customer__plan": self.plan.pk})
        if self.customer:
            found &= Q(**{f"{path}__customer": self.customer.pk})
        elif self.reseller:
            found &= Q(**{f"{path}__customer__reseller": self.reseller.pk})
        if self.held.provider:
            return found
        own = Q(pk__in=self.held.domains) | Q(customer__in=self.held.customers)
        if self.held.resellers:
            own |= Q(customer__reseller__in=self.held.resellers)
        return found & Q(**{f"{path}__in": Domain.objects.filter(own).values("pk")})

    def customers(self) -> QuerySet[Customer]:
        """The customers of which all is in it."""
        rows = Customer.objects.filter(plan=self.plan) if self.plan else Customer.objects.all()
        if self.customer:
            return rows.filter(pk=self.customer.pk)
        if self.reseller:
            return rows.filter(reseller=self.reseller)
        if self.held.provider:
            return rows
        return rows.filter(Q(reseller__in=self.held.resellers) | Q(pk__in=self.held.customers))

    @cached_property
    def one_reseller(self) -> Reseller | None:
        """The reseller that it is about, if it is about one and all that it has."""
        if self.customer or self.server or self.plan or self.mode:
            return None
        held = self.held
        if self.reseller or held.provider or held.customers or held.domains or len(held.resellers) != 1:
            return self.reseller
        return Reseller.objects.get(pk=next(iter(held.resellers)))

    def resellers(self) -> list[int]:
        """The keys of the resellers of which it holds all; none of them by name where it holds everything."""
        if self.customer or self.server or self.plan or self.mode:
            return []
        return [self.reseller.pk] if self.reseller else sorted(self.held.resellers)

    def lone_domains(self) -> QuerySet[Domain]:
        """The domains in it of whose customer it does not hold all."""
        if self.customer or self.reseller or self.held.provider:
            return Domain.objects.none()
        rows = Domain.objects.filter(pk__in=self.held.domains, **({"customer__plan": self.plan} if self.plan else {}))
        return rows.exclude(customer__in=self.customers().values("pk"))


def _any(parts: Iterable[Q]) -> Q:
    """Rows for which one of them holds; none, where there is none of them."""
    return reduce(or_, parts, Q(pk__in=()))


def read_scope(
    person: Person,
    *,
    reseller: int | None,
    customer: int | None,
    server: int | None = None,
    plan: int | None = None,
) -> Scope:
    """What the person sees, narrowed; `server` 0 is the installation's own mail folder. Raises NotSeen: for who runs nothing
    too."""
    held = held_by(person)
    if not held:
        raise NotSeen
    one = customers_of(person).select_related("plan", "reseller").filter(pk=customer).first() if customer else None
    seller = resellers_of(person).filter(pk=reseller).first() if reseller else None
    bought = Plan.objects.filter(pk=plan, customers__in=customers_of(person)).first() if plan else None
    if (customer and one is None) or (reseller and seller is None) or (plan and bought is None):
        raise NotSeen
    return Scope(held, seller, one, _server(held, server), bought)


def _server(held: Held, key: int | None) -> MailServer | None:
    if key is None:
        return None
    found = next((one for one in servers(held) if (one.pk or 0) == key), None)
    if found is None:
        raise NotSeen
    return found


def servers(held: Held) -> list[MailServer]:
    """The servers to narrow by: the installation's own first; none where there are no others, or for others than the provider."""
    others = list(MailServer.objects.order_by("name")) if held.provider else []
    return [MailServer(name=gettext("This server"), path=""), *others] if others else []
