"""The log of changes: written with every change, in its transaction; never altered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Alias, Change, Customer, Domain, Group, Invitation, Mailbox, Plan, Reseller, Role, User

Audited = Plan | Reseller | Customer | Domain | Mailbox | Alias | Group


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, from which address, and with which token (its name), if it was one. Without a person it is Casilla
    itself, or a command."""

    person: User | None = None
    origin: str = ""
    token: str = ""

    @property
    def name(self) -> str:
        """Who, as the log shows it for ever: with the token's name where a panel acted."""
        who = self.person.email if self.person else ""
        return f"{who} ({self.token})"[:254] if self.token else who


SYSTEM = Actor()
TERMS = "plan.terms"
"""A change of a plan, as it stands in the log of a customer who has it; the provider's log has it once, as plan.change."""


def record(
    *,
    by: Actor,
    verb: str,
    thing: Audited,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    name: str = "",
) -> Change:
    """Writes down one change; of `before` and `after` only what differs is kept. No secrets belong into them."""
    return Change.objects.create(
        actor=by.person,
        actor_name=by.name,
        origin=by.origin,
        verb=verb,
        thing=name or str(thing),
        **_different(before or {}, after or {}),
        **_whose(thing),
    )


def record_many(*, by: Actor, verb: str, mailboxes: list[Mailbox], names: Iterable[str] = ()) -> None:
    """Writes down the same change of many mailboxes of one domain, each with its values of these names."""
    who = {"actor": by.person, "actor_name": by.name, "origin": by.origin, "verb": verb}
    rows = [
        Change(
            **who, thing=str(one), after={name: value for name in names if (value := getattr(one, name))}, **_whose(one)
        )
        for one in mailboxes
    ]
    Change.objects.bulk_create(rows, batch_size=500)


def record_terms(*, by: Actor, plan: Plan, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Writes down for each customer of a plan, and so for their resellers, that what they have by it has changed."""
    who: dict[str, Any] = {
        "actor": by.person,
        "actor_name": by.name,
        "origin": by.origin,
        "verb": TERMS,
        "thing": str(plan),
    }
    who |= _different(before, after)
    customers = Customer.objects.filter(plan=plan)
    Change.objects.bulk_create((Change(**who, **_whose(one)) for one in customers), batch_size=500)


def record_provider(
    *,
    by: Actor,
    verb: str,
    name: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Writes down a change of what is the whole provider's: a server, the brand, thresholds. Only its people read it."""
    who = {"actor": by.person, "actor_name": by.name, "origin": by.origin}
    Change.objects.create(**who, verb=verb, thing=name, **_different(before or {}, after or {}))


def record_role(*, by: Actor, verb: str, role: Role | Invitation, address: str) -> None:
    """Writes down that a role was offered, taken up or taken away; whose target it is over may read it, and whose role it is
    where they have a mailbox here."""
    target = role.target
    mine = Mailbox.objects.filter(address=address).first()
    Change.objects.create(
        actor=by.person,
        actor_name=by.name,
        origin=by.origin,
        verb=verb,
        thing=address,
        after={"role": role.kind, "over": str(target or "")},
        **(_whose(target) if target else {}) | ({"mailbox": mine} if mine else {}),
    )


def record_person(
    *,
    by: Actor,
    verb: str,
    person: User,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Writes down a change of a person, which is over nothing that is somebody else's."""
    values = {"before": dict(before or {}), "after": dict(after or {})}
    Change.objects.create(
        actor=by.person, actor_name=by.name, origin=by.origin, verb=verb, thing=person.email, **values
    )


def _different(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`before` and `after` without what is the same in both."""
    same = {key for key in before.keys() & after.keys() if before[key] == after[key]}
    old, new = ({key: one[key] for key in one if key not in same} for one in (before, after))
    return {"before": old, "after": new}


def _whose(thing: Audited) -> dict[str, Any]:
    mailbox = thing if isinstance(thing, Mailbox) else thing.target if isinstance(thing, Alias) else None
    domain = thing if isinstance(thing, Domain) else None
    if mailbox is not None:
        domain = mailbox.domain
    elif isinstance(thing, Group):
        domain = thing.domain
    customer = domain.customer if domain else thing if isinstance(thing, Customer) else None
    reseller_id = customer.reseller_id if customer else thing.pk if isinstance(thing, Reseller) else None
    return {"mailbox": mailbox, "domain": domain, "customer": customer, "reseller_id": reseller_id}
