"""Two of everything: a reseller, its customer, a domain in it, a mailbox, and a person for each role over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from accounts.models import (
    Alias,
    ApiToken,
    Batch,
    Customer,
    Domain,
    Group,
    Invitation,
    Kind,
    Mailbox,
    Plan,
    Reseller,
    Role,
    User,
)
from accounts.provisioning.passwords import hash_mailbox_password
from accounts.services.audit import Actor
from accounts.services.batches import read_batch
from accounts.services.forwards import create_alias, save_group
from accounts.services.invitations import invite
from accounts.services.login import account_of_mailbox
from accounts.services.mailboxes import new_home
from accounts.services.tokens import make_token

PASSWORD = "bodega-timbre-lluvia-41"


@dataclass(slots=True)
class Side:
    """One reseller and all that is below it."""

    reseller: Reseller
    customer: Customer
    domain: Domain
    mailbox: Mailbox
    alias: Alias
    group: Group
    batch: Batch
    role: Role
    invitation: Invitation
    token: str
    api_token: ApiToken
    people: dict[str, User] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    plan: Plan
    provider: User
    one: Side
    two: Side
    nobody: User

    def client(self, person: User | None) -> Client:
        """A browser in which this person is signed in."""
        client = Client(headers={"accept-language": "en"})
        if person:
            client.force_login(person, backend="accounts.backends.HostedMailboxBackend")
        return client


def make_mailbox(domain: Domain, local: str, **fields: Any) -> Mailbox:
    address = f"{local}@{domain.name}"
    number = 5000 + Mailbox.objects.count()
    home = new_home(address)
    encoded = hash_mailbox_password(PASSWORD)
    return Mailbox.objects.create(address=address, number=number, domain=domain, home=home, password=encoded, **fields)


def give(person: User, kind: Kind, **target: Any) -> Role:
    return Role.objects.create(person=person, kind=kind, **target)


def make_side(plan: Plan, name: str) -> Side:
    reseller = Reseller.objects.create(name=f"Revende {name}")
    customer = Customer.objects.create(name=f"Cliente {name}", plan=plan, reseller=reseller)
    domain = Domain.objects.create(name=f"{name}.test", customer=customer)
    people = {kind: User.objects.create_user(f"{kind}@{name}.example", PASSWORD) for kind in ("reseller", "customer")}
    people["domain"] = User.objects.create_user(f"domain@{name}.example", PASSWORD)
    give(people["reseller"], Kind.RESELLER, reseller=reseller)
    give(people["customer"], Kind.CUSTOMER, customer=customer)
    role = give(people["domain"], Kind.DOMAIN, domain=domain)
    mailbox = make_mailbox(domain, "ana", name="Ana")
    people["owner"] = account_of_mailbox(mailbox).owner
    by = Actor(people["domain"], "192.0.2.1")
    alias = create_alias(domain=domain, local="ventas", target=mailbox, by=by)
    group = save_group(domain=domain, local="todos", name="", members=[mailbox.address], by=by)
    batch = read_batch(domain=domain, data=b"address\nnuevo\n", name="lista.csv", by=by)
    invitation, token = invite(address=f"otra@{name}.example", kind=Kind.DOMAIN, target=domain, by=by)
    made = make_token(person=people["domain"], name="panel", scopes=["mailboxes:read"], by=by)
    return Side(reseller, customer, domain, mailbox, alias, group, batch, role, invitation, token, made.row, people)


@pytest.fixture
def world(db: None) -> World:
    plan = Plan.objects.create(name="Taller")
    provider = User.objects.create_user("provider@casilla.example", PASSWORD)
    give(provider, Kind.PROVIDER)
    nobody = User.objects.create_user("nadie@casilla.example", PASSWORD)
    return World(plan, provider, make_side(plan, "uno"), make_side(plan, "dos"), nobody)
