"""Who runs what: roles and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema

from accounts.api.schemas.common import Address, Given, Id, example
from accounts.models import Invitation, Role
from accounts.services.invitations import is_given


class InvitationOut(Schema):
    """`letter` is what became of the letter: "sent" to the mail server, "refused" for good, "away" when no server took it for
    now, or empty while it is being handed over. `good` is false when who invited may not give the role any more: its link opens
    nothing then, nor after `expires`."""

    id: int
    address: str
    kind: str
    reseller: int | None
    customer: int | None
    domain: int | None
    expires: datetime
    letter: str
    good: bool

    @classmethod
    def of(cls, row: Invitation) -> InvitationOut:
        """The row as it is shown."""
        values: dict[str, Any] = {"reseller": row.reseller_id, "customer": row.customer_id, "domain": row.domain_id}
        values |= {"letter": row.letter, "good": is_given(row)}
        return cls(id=row.pk, address=row.address, kind=row.kind, expires=row.expires, **values)


class InvitationIn(Given):
    """A role (`kind`) over the one of `reseller`, `customer`, `domain` that it is over; none for the provider's."""

    model_config = example(address="jefa@quillay.example", kind="customer", customer=12)

    address: str = Address
    kind: Literal["provider", "reseller", "customer", "domain"]
    reseller: Id | None = None
    customer: Id | None = None
    domain: Id | None = None


class RoleOut(Schema):
    """What somebody runs; whose mailbox it is needs no role."""

    id: int
    person: str
    kind: str
    reseller: int | None
    customer: int | None
    domain: int | None
    created: datetime

    @classmethod
    def of(cls, row: Role) -> RoleOut:
        """The row as it is shown."""
        values: dict[str, Any] = {"reseller": row.reseller_id, "customer": row.customer_id, "domain": row.domain_id}
        return cls(id=row.pk, person=row.person.email, kind=row.kind, created=row.created, **values)
