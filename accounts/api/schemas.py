"""What goes in and out. Sizes are in octets, times in UTC (RFC 3339). What is not described is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Generic, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field

from accounts.models import (
    Alias,
    AppPassword,
    Customer,
    CustomerSpace,
    Domain,
    DomainSpace,
    Group,
    Invitation,
    Mailbox,
    MailboxSpace,
    Plan,
    Reseller,
)
from accounts.services.timeline import Entry

Item = TypeVar("Item")
Name = Field(max_length=120, min_length=1)
Address = Field(max_length=254)


class Given(Schema):
    """What is sent to us."""

    model_config = ConfigDict(extra="forbid", str_max_length=10_000)


class Pages(Schema, Generic[Item]):
    """A part of a list, in the order of ids; `next` goes into `after` for the part that follows, null at the end."""

    items: list[Item]
    next: int | None


class Me(Schema):
    person: str
    token: str
    scopes: list[str]
    customer: int | None
    expires: datetime | None


# --- Plans, resellers, customers ------------------------------------------------------------------------------------------
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
    owner_percent: int | None
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool

    @classmethod
    def of(cls, plan: Plan) -> PlanOut:
        return cls(id=plan.pk, **{name: getattr(plan, name) for name in cls.model_fields if name != "id"})


class PlanIn(Given):
    name: str = Field(max_length=80, min_length=1)
    mailbox_limit: int | None = Field(None, ge=0, le=10_000_000)
    total_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    mailbox_quota_bytes: int = Field(5_000_000_000, ge=1_000_000, le=2**62)
    largest_mailbox_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    retention_days: int = Field(30, ge=0, le=365)
    daily_sending_limit: int | None = Field(None, ge=0, le=10_000_000)
    owner_percent: int | None = Field(None, ge=50, le=99)
    imap: bool = True
    pop3: bool = True
    smtp: bool = True
    sieve: bool = True


class ResellerOut(Schema):
    id: int
    name: str

    @classmethod
    def of(cls, reseller: Reseller) -> ResellerOut:
        return cls(id=reseller.pk, name=reseller.name)


class NameIn(Given):
    name: str = Name


class CustomerOut(Schema):
    id: int
    name: str
    plan: int
    reseller: int | None

    @classmethod
    def of(cls, customer: Customer) -> CustomerOut:
        return cls(id=customer.pk, name=customer.name, plan=customer.plan_id, reseller=customer.reseller_id)


class CustomerIn(Given):
    name: str = Name
    plan: int
    reseller: int | None = None


class CustomerChange(Given):
    name: str | None = Field(None, max_length=120, min_length=1)
    plan: int | None = None


# --- Domains and addresses ------------------------------------------------------------------------------------------------
class DomainOut(Schema):
    """`name` in A-labels; `catch_all` is the mailbox that gets what is addressed to nobody."""

    id: int
    name: str
    customer: int
    active: bool
    catch_all: int | None

    @classmethod
    def of(cls, domain: Domain) -> DomainOut:
        values: dict[str, Any] = {
            "customer": domain.customer_id,
            "active": domain.active,
            "catch_all": domain.catch_all_id,
        }
        return cls(id=domain.pk, name=domain.name, **values)


class DomainIn(Given):
    customer: int
    name: str = Field(max_length=253, min_length=1)


class DomainChange(Given):
    """What is left out stays; `catch_all` null refuses what is addressed to nobody."""

    active: bool | None = None
    catch_all: int | None = None


class AliasOut(Schema):
    id: int
    address: str
    mailbox: int

    @classmethod
    def of(cls, alias: Alias) -> AliasOut:
        return cls(id=alias.pk, address=alias.address, mailbox=alias.target_id)


class AliasIn(Given):
    local: str = Address
    mailbox: int


class GroupOut(Schema):
    id: int
    address: str
    name: str
    members: list[str]

    @classmethod
    def of(cls, group: Group) -> GroupOut:
        members = sorted(one.address for one in group.members.all())
        return cls(id=group.pk, address=group.address, name=group.name, members=members)


class GroupIn(Given):
    local: str = Address
    name: str = Field("", max_length=120)
    members: list[str] = Field(max_length=200)


class GroupChange(Given):
    name: str = Field("", max_length=120)
    members: list[str] = Field(max_length=200)


# --- Mailboxes --------------------------------------------------------------------------------------------------------------
class MailboxOut(Schema):
    """`deleted` is since when it is deleted; it can be had back for as many days as its plan says."""

    id: int
    address: str
    number: int
    domain: int
    name: str
    quota_bytes: int
    recovery_address: str
    active: bool
    receives: bool
    sends: bool
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool
    created: datetime
    deleted: datetime | None

    @classmethod
    def of(cls, mailbox: Mailbox, **more: Any) -> MailboxOut:
        names = set(MailboxOut.model_fields) - {"id", "domain"}
        values: dict[str, Any] = {name: getattr(mailbox, name) for name in names}
        return cls(id=mailbox.pk, domain=mailbox.domain_id, **values, **more)


class MailboxMade(MailboxOut):
    """`password` is what was made, this one time; null when one was given."""

    password: str | None


class MailboxIn(Given):
    domain: int
    local: str = Address
    name: str = Field("", max_length=120)
    password: str | None = Field(None, max_length=1000)
    quota_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    recovery_address: str = Field("", max_length=254)


class MailboxChange(Given):
    """What is left out stays."""

    name: str | None = Field(None, max_length=120)
    quota_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    recovery_address: str | None = Field(None, max_length=254)
    imap: bool | None = None
    pop3: bool | None = None
    smtp: bool | None = None
    sieve: bool | None = None
    active: bool | None = None
    receives: bool | None = None
    sends: bool | None = None


class RenameIn(Given):
    local: str = Address
    keep_alias: bool = True


class PasswordIn(Given):
    """Null has one made. `everywhere` revokes the passwords of single devices too."""

    password: str | None = Field(None, max_length=1000)
    everywhere: bool = True


class PasswordOut(Schema):
    """Null when one was given."""

    password: str | None


class Forwards(Given):
    addresses: list[str] = Field(max_length=20)
    keeps_copy: bool = True


class AppPasswordOut(Schema):
    id: int
    name: str
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool
    created: datetime
    last_at: datetime | None
    last_protocol: str

    @classmethod
    def of(cls, row: AppPassword) -> AppPasswordOut:
        return cls(id=row.pk, **{name: getattr(row, name) for name in cls.model_fields if name != "id"})


# --- Space and activity -----------------------------------------------------------------------------------------------------
class SpaceOut(Schema):
    """`full_on` is the day on which it will be full as it goes on, null when that is not to be seen; `limit_bytes` the quota, for
    a domain the quotas together, for a customer the plan's space (null: no limit)."""

    used_bytes: int
    limit_bytes: int | None
    month_bytes: int
    full_on: date | None
    mailboxes: int | None = None
    messages: int | None = None

    @classmethod
    def of_mailbox(cls, space: MailboxSpace) -> SpaceOut:
        limit = space.quota_bytes or None
        values: dict[str, Any] = {
            "month_bytes": space.month_bytes,
            "full_on": space.full_on,
            "messages": space.messages,
        }
        return cls(used_bytes=space.bytes, limit_bytes=limit, **values)

    @classmethod
    def of_domain(cls, space: DomainSpace) -> SpaceOut:
        values: dict[str, Any] = {
            "month_bytes": space.month_bytes,
            "full_on": space.full_on,
            "mailboxes": space.mailboxes,
        }
        return cls(used_bytes=space.bytes, limit_bytes=space.quota_bytes or None, **values)

    @classmethod
    def of_customer(cls, space: CustomerSpace, limit: int | None) -> SpaceOut:
        values: dict[str, Any] = {
            "month_bytes": space.month_bytes,
            "full_on": space.full_on,
            "mailboxes": space.mailboxes,
        }
        return cls(used_bytes=space.bytes, limit_bytes=limit, **values)


class EventOut(Schema):
    """What a program did: `kind` as in docs/activity.md, so many (`count`) messages at once, `removed` of them gone."""

    at: datetime
    kind: str
    count: int
    removed: int
    program: str
    protocol: str
    network: str
    size_bytes: int | None

    @classmethod
    def of(cls, entry: Entry) -> EventOut:
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


# --- People -----------------------------------------------------------------------------------------------------------------
class InvitationOut(Schema):
    id: int
    address: str
    kind: str
    reseller: int | None
    customer: int | None
    domain: int | None
    expires: datetime

    @classmethod
    def of(cls, row: Invitation) -> InvitationOut:
        values: dict[str, Any] = {"reseller": row.reseller_id, "customer": row.customer_id, "domain": row.domain_id}
        return cls(id=row.pk, address=row.address, kind=row.kind, expires=row.expires, **values)


class InvitationIn(Given):
    """A role (`kind`) over the one of `reseller`, `customer`, `domain` that it is over; none for the provider's."""

    address: str = Address
    kind: str
    reseller: int | None = None
    customer: int | None = None
    domain: int | None = None
