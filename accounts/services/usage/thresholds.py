"""How full a mailbox or a domain is in the words of the list of thresholds that holds for it."""

from __future__ import annotations

import time

from accounts.models import Customer, Domain, Mailbox
from accounts.services.usage.report import read_limits
from accounts.services.usage.steps import Steps, near_step

KNOWN_S = 60.0
KNOWN_MOST = 10_000
Key = tuple[str, int]
_known: dict[Key, tuple[float, Steps]] = {}


def level_of(thing: Mailbox | Domain | None, percent: int) -> str:
    """ "" below the first threshold, then some, near (from the second on), full. None is one of another server."""
    steps = steps_of(thing)
    if percent >= 100:
        return "full"
    if percent >= near_step(steps):
        return "near"
    return "some" if percent >= steps[0] else ""


def red_from(thing: Mailbox | Domain | None) -> int:
    """From how many percent on its meter is red."""
    return near_step(steps_of(thing))


def forget() -> None:
    """Asks the database again."""
    _known.clear()


def steps_of(thing: Mailbox | Domain | None) -> Steps:
    """The list that holds for it, at most a minute old: that of the customer's plan for a mailbox, the customer's own for a
    domain, else the usual one. What came with the thing is not asked for."""
    if thing is None:
        return _usual()
    domain = thing.domain if isinstance(thing, Mailbox) else thing
    if Domain.customer.is_cached(domain):
        customer = domain.customer
        if isinstance(thing, Domain):
            return tuple(customer.alert_steps or _usual())
        if Customer.plan.is_cached(customer):
            return tuple(customer.plan.owner_steps or _usual())
    field = "plan__owner_steps" if isinstance(thing, Mailbox) else "alert_steps"
    return _kept((field, domain.customer_id)) or _usual()


def _usual() -> Steps:
    return _kept(("usual", 0))


def _kept(key: Key) -> Steps:
    at, steps = _known.get(key, (0.0, ()))
    if at and time.monotonic() - at < KNOWN_S:
        return steps
    if len(_known) >= KNOWN_MOST:
        _known.clear()
    found = read_limits().owner_steps if key[0] == "usual" else _own(*key)
    _known[key] = (time.monotonic(), tuple(found or ()))
    return _known[key][1]


def _own(field: str, customer: int) -> list[int] | None:
    return Customer.objects.filter(pk=customer).values_list(field, flat=True).first()
