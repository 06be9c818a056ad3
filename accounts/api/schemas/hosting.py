"""Plans, resellers, customers, domains, and addresses that are no mailboxes. Sizes are in octets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from accounts.api.schemas.common import Given, Id, Name, Reference, Steps, example
from accounts.models import Customer, Domain, MailServer, Plan, Reseller


class PlanOut(Schema):
    """Null is no limit."""

    id: int
    name: str
    mailbox_limit: int | None
    total_bytes: int | None
    mailbox_quota_bytes: int
    largest_mailbox_bytes: int | None
    retention_days: int
    daily_sending_limit: int | None
    owner_steps: list[int] | None
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool

    @classmethod
    def of(cls, plan: Plan) -> PlanOut:
        """The row as it is shown."""
        return cls(id=plan.pk, **{name: getattr(plan, name) for name in cls.model_fields if name != "id"})


class PlanIn(Given):
    """What is left out is as here; a limit that is null is none."""

    model_config = example(
        name="Taller", mailbox_limit=25, total_bytes=100_000_000_000, mailbox_quota_bytes=5_000_000_000
    )

    name: str = Field(max_length=80, min_length=1)
    mailbox_limit: int | None = Field(None, ge=0, le=10_000_000)
    total_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    mailbox_quota_bytes: int = Field(5_000_000_000, ge=1_000_000, le=2**62)
    largest_mailbox_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    retention_days: int = Field(30, ge=0, le=365)
    daily_sending_limit: int | None = Field(None, ge=0, le=10_000_000)
    owner_steps: Steps | None = None
    imap: bool = True
    pop3: bool = True
    smtp: bool = True
    sieve: bool = True


class PlanWhole(Given):
    """All of a plan: what is left out is refused, as a limit that is forgotten would be lifted. Where a limit becomes less than
    its customers have, that is refused at `above`, unless it is true: what is there stays then, and nothing is added until it
    fits."""

    model_config = example(
        name="Taller",
        mailbox_limit=10,
        total_bytes=100_000_000_000,
        mailbox_quota_bytes=5_000_000_000,
        largest_mailbox_bytes=None,
        retention_days=30,
        daily_sending_limit=500,
        owner_steps=None,
        imap=True,
        pop3=True,
        smtp=True,
        sieve=True,
        above=True,
    )

    name: str = Field(max_length=80, min_length=1)
    mailbox_limit: int | None = Field(ge=0, le=10_000_000)
    total_bytes: int | None = Field(ge=1_000_000, le=2**62)
    mailbox_quota_bytes: int = Field(ge=1_000_000, le=2**62)
    largest_mailbox_bytes: int | None = Field(ge=1_000_000, le=2**62)
    retention_days: int = Field(ge=0, le=365)
    daily_sending_limit: int | None = Field(ge=0, le=10_000_000)
    owner_steps: Steps | None
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool
    above: bool = False


class PlanChange(Given):
    """What is left out stays; a limit that is null is none from now on. `above` as where all of a plan is sent."""

    model_config = example(mailbox_limit=10, above=True)

    name: str = Field(default_factory=str, max_length=80, min_length=1)
    mailbox_limit: int | None = Field(None, ge=0, le=10_000_000)
    total_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    mailbox_quota_bytes: int = Field(default_factory=int, ge=1_000_000, le=2**62)
    largest_mailbox_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    retention_days: int = Field(default_factory=int, ge=0, le=365)
    daily_sending_limit: int | None = Field(None, ge=0, le=10_000_000)
    owner_steps: Steps | None = None
    imap: bool = Field(default_factory=bool)
    pop3: bool = Field(default_factory=bool)
    smtp: bool = Field(default_factory=bool)
    sieve: bool = Field(default_factory=bool)
    above: bool = False


class ResellerOut(Schema):
    """`alert_steps`: at which parts of its customers' space, in percent, its people are told (null: as is usual)."""

    id: int
    name: str
    alert_steps: list[int] | None

    @classmethod
    def of(cls, reseller: Reseller) -> ResellerOut:
        """The row as it is shown."""
        return cls(id=reseller.pk, name=reseller.name, alert_steps=reseller.alert_steps)


class NameIn(Given):
    """A name of one line."""

    model_config = example(name="Redes del Sur")

    name: str = Name


class CustomerOut(Schema):
    """`reseller` null: the provider's own. `alert_steps`: at which parts of the plan's space, in percent, its people are told
    (null: as is usual). `suspended`: since when all of it is shut, null while it is open. `reference` is what another panel calls
    it."""

    id: int
    name: str
    plan: int
    reseller: int | None
    alert_steps: list[int] | None
    suspended: datetime | None
    reference: str | None

    @classmethod
    def of(cls, customer: Customer) -> CustomerOut:
        """The row as it is shown."""
        values: dict[str, Any] = {"plan": customer.plan_id, "reseller": customer.reseller_id}
        values |= {name: getattr(customer, name) for name in ("name", "alert_steps", "suspended", "reference")}
        return cls(id=customer.pk, **values)


class CustomerIn(Given):
    """A reseller who names no `reseller` makes a customer of their own."""

    model_config = example(name="Imprenta Quillay", plan=3, reference="client-1001")

    name: str = Name
    plan: Id
    reseller: Id | None = None
    reference: Reference = None


class CustomerChange(Given):
    """What is left out stays. `reseller` gives the customer to another one, null takes it to the provider: the provider's people
    alone."""

    model_config = example(name="Imprenta Quillay SpA", plan=4)

    name: str = Field(default_factory=str, max_length=120, min_length=1)
    plan: Id = Field(default_factory=int)
    reseller: Id | None = None
    reference: Reference = None


class AlertIn(Given):
    """In percent; null: as is usual."""

    model_config = example(steps=[85, 95, 100])

    steps: Steps | None


class AllowanceOut(Schema):
    """What a customer's plan gives (null: no limit), and what is taken of it: deleted mailboxes do not count."""

    mailboxes: int
    mailbox_limit: int | None
    allotted_bytes: int
    total_bytes: int | None
    largest_mailbox_bytes: int | None


# --- Servers and domains --------------------------------------------------------------------------------------------------
class ServerOut(Schema):
    """`path` as Dovecot sees it; `disk_bytes` null where it can be asked from here."""

    id: int
    name: str
    path: str
    disk_bytes: int | None

    @classmethod
    def of(cls, server: MailServer) -> ServerOut:
        """The row as it is shown."""
        return cls(id=server.pk, name=server.name, path=server.path, disk_bytes=server.disk_bytes)


class ServerIn(Given):
    """`path` is the folder as Dovecot sees it; `disk_bytes` how large it is, where that cannot be seen from here."""

    model_config = example(name="disco-2", path="/srv/mail2")

    name: str = Field(max_length=60, min_length=1)
    path: str = Field(max_length=254)
    disk_bytes: int | None = Field(None, ge=1_000_000, le=2**62)


class DomainOut(Schema):
    """`name` in A-labels; `catch_all` is the mailbox that gets what is addressed to nobody; `server` where its mail lies (null:
    in the installation's own mail folder)."""

    id: int
    name: str
    customer: int
    active: bool
    catch_all: int | None
    server: int | None
    reference: str | None

    @classmethod
    def of(cls, domain: Domain) -> DomainOut:
        """The row as it is shown."""
        values: dict[str, Any] = {
            "customer": domain.customer_id,
            "active": domain.active,
            "catch_all": domain.catch_all_id,
            "server": domain.server_id,
            "reference": domain.reference,
        }
        return cls(id=domain.pk, name=domain.name, **values)


class DomainIn(Given):
    """`server` is for the provider's people alone."""

    model_config = example(customer=12, name="quillay.example")

    customer: Id
    name: str = Field(max_length=253, min_length=1)
    server: Id | None = None
    reference: Reference = None


class DomainChange(Given):
    """What is left out stays; `catch_all` null refuses what is addressed to nobody."""

    model_config = example(catch_all=41)

    active: bool = Field(default_factory=bool)
    catch_all: Id | None = None
    reference: Reference = None


class Defaults(Given):
    """With what a new mailbox of a domain begins, all of it; `quota_bytes` null: the plan's."""

    model_config = example(quota_bytes=2_000_000_000, imap=True, pop3=False, smtp=True, sieve=True)

    quota_bytes: int | None = Field(ge=1_000_000, le=2**62)
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool

    @classmethod
    def of(cls, domain: Domain) -> Defaults:
        """Those of a domain as they are."""
        return cls(quota_bytes=domain.new_quota_bytes, **domain.usual_switches)


class DefaultsChange(Given):
    """What is left out stays; `quota_bytes` null: the plan's."""

    model_config = example(pop3=False)

    quota_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    imap: bool = Field(default_factory=bool)
    pop3: bool = Field(default_factory=bool)
    smtp: bool = Field(default_factory=bool)
    sieve: bool = Field(default_factory=bool)
