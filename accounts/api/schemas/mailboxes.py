"""Mailboxes and what is set of them. Sizes are in octets, times in UTC (RFC 3339)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.api.schemas.common import Address, Current, Given, Id, Reference, example
from accounts.models import MailAccount, Mailbox
from accounts.services.entering import AGE_S


class MailboxOut(Schema):
    """`mode` is where its mail lives: on the server, read over "imap", or downloaded here, by "pop3". `used_bytes` lies on the
    server now. `deleted` is since when it is deleted; it can be had back for as many days as its plan says. The switches are
    its own: while its domain or customer is suspended nothing is open, whatever they say."""

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
    mode: str
    used_bytes: int
    created: datetime
    deleted: datetime | None
    reference: str | None

    @classmethod
    def of(cls, mailbox: Mailbox, *, used_bytes: int, **more: Any) -> MailboxOut:
        """`used_bytes` as the mail server counts it (`used_by`)."""
        names = set(MailboxOut.model_fields) - {"id", "domain", "mode", "used_bytes"}
        values: dict[str, Any] = {name: getattr(mailbox, name) for name in names}
        account: MailAccount | None = getattr(mailbox, "account", None)  # none before the first sign-in
        mode = "pop3" if account and account.downloads else "imap"
        values |= {"domain": mailbox.domain_id, "mode": mode, "used_bytes": used_bytes}
        return cls(id=mailbox.pk, **values, **more)


class MailboxMade(MailboxOut):
    """`password` is what was made, this one time; null when one was given."""

    password: str | None


class MailboxIn(Given):
    """Without `password` one is made and given back; without `quota_bytes` and the switches of protocols these are as for all new
    mailboxes of the domain. What is suspended from the beginning is false: signing in (`active`), `receives`, `sends`."""

    model_config = example(
        domain=7, local="marcela", name="Marcela Soto", quota_bytes=2_000_000_000, pop3=False, reference="service-42"
    )

    domain: Id
    local: str = Address
    name: str = Field("", max_length=120)
    password: str | None = Field(None, max_length=1000)
    quota_bytes: int | None = Field(None, ge=1_000_000, le=2**62)
    recovery_address: str = Field("", max_length=254)
    reference: Reference = None
    imap: bool = Field(default_factory=bool)
    pop3: bool = Field(default_factory=bool)
    smtp: bool = Field(default_factory=bool)
    sieve: bool = Field(default_factory=bool)
    active: bool = True
    receives: bool = True
    sends: bool = True


class MailboxChange(Given):
    """What is left out stays; null is nothing that can be set. Its owner changes `name` and `recovery_address`, the latter with
    `current_password`; all else is for whoever runs the mailbox."""

    model_config = example(quota_bytes=5_000_000_000, sends=False)

    name: str = Field(default_factory=str, max_length=120)
    quota_bytes: int = Field(default_factory=int, ge=1_000_000, le=2**62)
    recovery_address: str = Field(default_factory=str, max_length=254)
    imap: bool = Field(default_factory=bool)
    pop3: bool = Field(default_factory=bool)
    smtp: bool = Field(default_factory=bool)
    sieve: bool = Field(default_factory=bool)
    active: bool = Field(default_factory=bool)
    receives: bool = Field(default_factory=bool)
    sends: bool = Field(default_factory=bool)
    reference: Reference = None
    current_password: Current = None


class RenameIn(Given):
    """With `keep_alias` the old address goes on to deliver."""

    model_config = example(local="marcela.soto")

    local: str = Address
    keep_alias: bool = True


class PasswordIn(Given):
    """Null has one made, by whoever runs the mailbox; its owner chooses one and sends `current_password`. `everywhere` revokes
    the passwords of single devices and the owner's tokens too, also the one that asks."""

    model_config = example(everywhere=True)

    password: str | None = Field(None, max_length=1000)
    everywhere: bool = True
    current_password: Current = None


class PasswordOut(Schema):
    """Null when one was given."""

    password: str | None


class Forwards(Schema):
    """Where its mail is sent on to, in the order of letters, and whether a copy stays."""

    addresses: list[str]
    keeps_copy: bool


class ForwardsIn(Given):
    """All of its forwards, and whether a copy stays here."""

    model_config = example(addresses=["marcela@otra.example"], keeps_copy=True)

    addresses: list[str] = Field(max_length=20)
    keeps_copy: bool
    current_password: Current = None


class ForwardsChange(Given):
    """What is left out stays."""

    model_config = example(keeps_copy=True)

    addresses: list[str] = Field(default_factory=list, max_length=20)
    keeps_copy: bool = Field(default_factory=bool)
    current_password: Current = None


class LinkIn(Given):
    """`send` sends the link to the mailbox's address for a new password; else it is given back."""

    model_config = example(send=True)

    send: bool = False


class LinkOut(Schema):
    """`link` null when it was sent."""

    sent: bool
    link: str | None


class EntranceOut(Schema):
    """`link` signs the mailbox's owner in, once and within `age_s` seconds: a browser is led there at once."""

    link: str
    age_s: int = AGE_S


class PurgeIn(Given):
    """The mailbox's address, so that nothing is removed for good by a number that was mistyped."""

    model_config = example(address="marcela@quillay.example")

    address: str = Address


class ManyIn(Given):
    """One action on each of these mailboxes of the domain, on all of them or on none."""

    model_config = example(do="send_off", mailboxes=[41, 42])

    do: Literal[
        "suspend",
        "resume",
        "sign_in_off",
        "sign_in_on",
        "receive_off",
        "receive_on",
        "send_off",
        "send_on",
        "pop3_off",
        "pop3_on",
        "delete",
        "restore",
    ]
    mailboxes: list[Id] = Field(min_length=1, max_length=1000)


class ManyOut(Schema):
    """On so many it was done."""

    changed: int


class SendingOut(Schema):
    """Recipients of a day: `limit` null is none."""

    limit: int | None
    sent: int
    left: int | None
