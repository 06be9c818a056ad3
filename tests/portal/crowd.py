"""10,000 domains and 100,000 mailboxes, and as much of all else as a provider of that size has: made once, measured by
test_scale.py, removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts.models import (
    Alias,
    ApiToken,
    Batch,
    Change,
    Customer,
    CustomerSpace,
    DaySpace,
    Domain,
    DomainSpace,
    Forward,
    Group,
    GroupMember,
    Invitation,
    Kind,
    MailAccount,
    Mailbox,
    MailboxEvent,
    MailboxSpace,
    MailboxUsage,
    Plan,
    ProgramUse,
    Reseller,
    Role,
    SpaceAlert,
    User,
)
from accounts.services.audit import Actor
from accounts.services.tokens import SCOPES, make_token
from tests.portal.conftest import PASSWORD, give

SCALE = int(os.environ.get("PORTAL_SCALE", "50"))
"""Divides the numbers below in the suite; `make test-variants` has them whole."""
DOMAINS, MAILBOXES, LARGE = 10_000 // SCALE, 100_000 // SCALE, 50_000 // SCALE
"""One domain holds LARGE of the mailboxes; the others share the rest."""
CUSTOMERS, OF_ONE = 4_000 // SCALE, 3_000 // SCALE
"""One customer has OF_ONE of the domains, the large one too: with it two of three mailboxes. It is a reseller's, with a tenth of
the others."""
RESELLERS, PLANS, ADDRESSES, CHANGES = 1_000 // SCALE, 300 // min(SCALE, 10), 5_000 // SCALE, 100_000 // SCALE
PEOPLE, TOKENS, ROWS = 200 // min(SCALE, 10), 50, 10_000 // SCALE
GIGA = 10**9
CHUNK = 500


@dataclass(slots=True)
class Crowd:
    """Things to ask about, and who asks: a person for each role, each with the largest share that this role can have."""

    reseller: Reseller
    plan: Plan
    customer: Customer
    domain: Domain
    mailbox: Mailbox
    account: MailAccount
    group: Group
    batch: Batch
    people: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


@contextmanager
def crowd() -> Iterator[Crowd]:
    """The rows, and none of them afterwards."""
    connection.cursor().execute("ANALYZE")  # makes the table of figures that is emptied at the end
    try:
        yield _fill()
    finally:
        _empty()


def _fill() -> Crowd:
    plans = _many(Plan(name=f"Plan {n:03}", total_bytes=10**16) for n in range(PLANS))
    resellers = _many(Reseller(name=f"Revende {n:04}") for n in range(RESELLERS))
    customers = _many(
        Customer(name=f"Cliente {n:04}", plan=plans[n % PLANS], reseller=resellers[0 if n % 10 == 0 else n % RESELLERS])
        for n in range(CUSTOMERS)
    )
    domains = _many(
        Domain(name=f"dominio{n}.test", customer=customers[0 if n < OF_ONE else n % CUSTOMERS]) for n in range(DOMAINS)
    )
    mailboxes = _mailboxes(domains)
    accounts = _accounts(mailboxes)
    _space(domains, customers, mailboxes)
    groups = _addresses(domains[0], mailboxes)
    _doings(mailboxes)
    people = _people(resellers[0], customers[0], domains[0]) | {"owner": accounts[5].owner}
    _offers(resellers[0], customers[0], domains[0], people["provider"])
    batch = Batch.objects.create(
        domain=domains[0], person=people["domain"], rows=[_row(n) for n in range(ROWS)], total=ROWS
    )
    things = (resellers[0], plans[0], customers[0], domains[0], mailboxes[5], accounts[5], groups[0], batch)
    found = Crowd(*things, people=people, tokens=_tokens(people))
    connection.cursor().execute("ANALYZE")
    return found


def _many(rows: Any) -> list[Any]:
    made = list(rows)
    made[0]._meta.default_manager.bulk_create(made, CHUNK)
    return made


def _mailboxes(domains: list[Domain]) -> list[Mailbox]:
    rows = []
    for n in range(MAILBOXES):
        domain = domains[0] if n < LARGE else domains[n % DOMAINS]
        values: dict[str, Any] = {"deleted": timezone.now() if n % 50 == 7 else None, "receives": n % 40 != 3}
        address = f"persona{n}@{domain.name}"
        rows.append(
            Mailbox(address=address, number=10_000 + n, domain=domain, name=f"Persona {n}", password="!", **values)
        )
    return _many(rows)


def _accounts(mailboxes: list[Mailbox]) -> list[MailAccount]:
    """Everybody has opened their mailbox here once; a third downloads."""
    people = _many(User(email=one.address, password="!") for one in mailboxes)
    modes = (MailAccount.Mode.DOWNLOAD, MailAccount.Mode.IMAP, MailAccount.Mode.IMAP)
    return _many(
        MailAccount(owner=person, address=one.address, mailbox=one, mode=modes[n % 3])
        for n, (person, one) in enumerate(zip(people, mailboxes, strict=True))
    )


def _space(domains: list[Domain], customers: list[Customer], mailboxes: list[Mailbox]) -> None:
    now = timezone.now()
    today = now.date()
    _many(MailboxUsage(username=one.address, bytes=n * 50_000, messages=n) for n, one in enumerate(mailboxes))
    _many(
        MailboxSpace(
            mailbox=one,
            domain_id=one.domain_id,
            customer_id=one.domain.customer_id,
            plan_id=one.domain.customer.plan_id,
            reseller_id=one.domain.customer.reseller_id,
            bytes=n * 50_000,
            quota_bytes=5 * GIGA,
            permille=n % 1000,
            mode="pop3" if n % 3 == 0 else "imap",
            full_on=today + timedelta(days=n % 900) if n % 5 == 0 else None,
            jump_on=today if n % 20 == 0 else None,
            idle_since=now - timedelta(days=n % 400),
            used_at=now - timedelta(days=n % 400) if n % 4 else None,
        )
        for n, one in enumerate(mailboxes)
    )
    figures = {"quota_bytes": 50 * GIGA, "mailboxes": 10}
    _many(DomainSpace(domain=one, permille=n % 1000, **figures) for n, one in enumerate(domains))
    _many(CustomerSpace(customer=one, permille=n % 1000, **figures) for n, one in enumerate(customers))
    _many(DaySpace(day=today - timedelta(days=n), at=now, bytes=n * GIGA, mailboxes=MAILBOXES) for n in range(400))
    _many(
        SpaceAlert(mailbox=one, percent=80, at=now - timedelta(days=n % 30))
        for n, one in enumerate(mailboxes[:ADDRESSES])
    )


def _addresses(domain: Domain, mailboxes: list[Mailbox]) -> list[Group]:
    _many(Alias(address=f"alias{n}@{domain.name}", target=mailboxes[n]) for n in range(ADDRESSES))
    _many(Forward(mailbox=mailboxes[n], address=f"afuera{n}@otra.example") for n in range(ADDRESSES // 2))
    groups = _many(
        Group(address=f"grupo{n}@{domain.name}", domain=domain, name=f"Grupo {n}") for n in range(ADDRESSES // 5)
    )
    _many(GroupMember(group=one, address=mailboxes[m].address) for one in groups for m in range(20))
    return groups


def _doings(mailboxes: list[Mailbox]) -> None:
    now = timezone.now()
    _many(ProgramUse(mailbox=one, protocol="imap", first_at=now, last_at=now) for one in mailboxes)
    _many(
        Change(verb="mailbox.change", thing=one.address, mailbox=one, domain=one.domain, customer=one.domain.customer)
        for one in (mailboxes[n % MAILBOXES] for n in range(CHANGES))
    )
    _many(
        MailboxEvent(
            mailbox=mailboxes[5],
            day=(now - timedelta(hours=n)).date(),
            session=f"s{n}-{m}",
            kind=MailboxEvent.Kind.READ,
            folder="INBOX",
            protocol="imap",
            first_at=now - timedelta(hours=n),
            last_at=now - timedelta(hours=n, minutes=-m),
            count=m,
        )
        for n in range(24 * 7)
        for m in range(3)
    )


def _people(reseller: Reseller, customer: Customer, domain: Domain) -> dict[str, User]:
    """A person for each role, among many others who have the same."""
    targets: dict[Kind, dict[str, Any]] = {
        Kind.PROVIDER: {},
        Kind.RESELLER: {"reseller": reseller},
        Kind.CUSTOMER: {"customer": customer},
        Kind.DOMAIN: {"domain": domain},
    }
    people = {}
    for kind, target in targets.items():
        people[str(kind)] = User.objects.create_user(f"{kind}@casilla.example", PASSWORD)
        give(people[str(kind)], kind, **target)
        others = _many(User(email=f"{kind}{n}@casilla.example", password="!") for n in range(PEOPLE))
        _many(Role(person=one, kind=kind, **target) for one in others)
    return people


def _offers(reseller: Reseller, customer: Customer, domain: Domain, inviter: User) -> None:
    until = timezone.now() + timedelta(days=7)
    for kind, target in (("reseller", reseller), ("customer", customer), ("domain", domain)):
        _many(
            Invitation(
                address=f"nueva{n}@otra.example",
                kind=kind,
                digest=f"{kind}{n}",
                expires=until,
                inviter=inviter,
                **{kind: target},
            )
            for n in range(PEOPLE)
        )


def _row(number: int) -> dict[str, Any]:
    errors = ["There is a mailbox with this address."] if number % 9 == 0 else []
    values = {"address": f"nueva{number}@dominio0.test", "name": f"Nueva {number}", "quota_bytes": 5 * GIGA}
    return values | {"line": number + 2, "recovery": "", "given": False, "errors": errors}


def _tokens(people: dict[str, User]) -> dict[str, str]:
    """A token for everything of each person's, among as many as one may have."""
    found = {}
    for role, person in people.items():
        _many(
            ApiToken(person=person, name=f"panel {n:02}", digest=f"{role}{n}", start="x", scopes=["domains:read"])
            for n in range(TOKENS - 1)
        )
        found[role] = make_token(person=person, name="todo", scopes=list(SCOPES), by=Actor(person, "192.0.2.1")).token
    return found


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=OFF")
        for model in apps.get_app_config("accounts").get_models():
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("DELETE FROM sqlite_stat1")  # what was counted is of these tables as they were
        cursor.execute("ANALYZE sqlite_schema")
