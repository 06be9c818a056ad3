"""A provider with customers, mailboxes that are filled to some degree, and the people who may and may not look."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Customer, DaySpace, Kind, MailAccount, Mailbox, MailboxUsage, Plan, Reseller, Role, User
from accounts.services.hosting import create_customer_with_domain, create_mailbox
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.thresholds import forget

BACKEND = "accounts.backends.HostedMailboxBackend"
GIGA = 10**9
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def known_thresholds() -> Iterator[None]:
    """Thresholds are known for a minute."""
    forget()
    yield
    forget()


@dataclass(frozen=True, slots=True)
class Provider:
    """Two customers with a domain each: x.test, whose ana and bob are nearly full, and y.test on another plan, nearly empty."""

    ana: Mailbox
    bob: Mailbox
    eva: Mailbox


@pytest.fixture
def provider(db: None) -> Provider:
    create_customer_with_domain(customer="Equis", domain="x.test")
    create_customer_with_domain(customer="=Griega", domain="y.test", plan="Otro")
    boxes = [
        create_mailbox(address=address, password="clave", quota_bytes=10 * GIGA)
        for address in ("ana@x.test", "bob@x.test", "eva@y.test")
    ]
    for mailbox, size in zip(boxes, (9_700_000_000, 8_600_000_000, 100_000_000), strict=True):
        MailboxUsage.objects.create(username=mailbox.address, bytes=size, messages=size // 50_000)
    take_samples()
    return Provider(*boxes)


@pytest.fixture
def grown(provider: Provider, settings: object) -> Provider:
    """The same, with a year of days behind it and a disk of 40 GB."""
    settings.MAIL_DISK_BYTES = 40 * GIGA  # type: ignore[attr-defined]
    today = timezone.localdate()
    days = (
        DaySpace(
            day=today - timedelta(days=back),
            at=timezone.now(),
            bytes=18_400_000_000 - back * 40_000_000,
            quota_bytes=30 * GIGA - back * 10_000_000,
            mailboxes=3,
            disk_bytes=40 * GIGA,
        )
        for back in range(1, 366)
    )
    DaySpace.objects.bulk_create(days)
    take_samples()
    return provider


@pytest.fixture
def admin(client: Client) -> Client:
    """Somebody of the provider, in English."""
    return signed_in(client, User.objects.create_user("admin@casilla.test", is_superuser=True))


@pytest.fixture
def owner(provider: Provider) -> Client:
    """The owner of ana@x.test."""
    person = User.objects.create_user("ana@x.test")
    MailAccount.objects.create(owner=person, address=person.email, mailbox=provider.ana)
    return signed_in(Client(), person)


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person, backend=BACKEND)
    client.cookies["casilla_language"] = "en"
    return client


def runner(kind: Kind, language: str = "en", **over: Any) -> tuple[Client, User]:
    person = User.objects.create_user(f"jefa{next(_numbers)}@afuera.test", language=language)
    Role.objects.create(person=person, kind=kind, **over)
    return signed_in(Client(), person), person


@pytest.fixture
def three(provider: Provider) -> dict[str, Client]:
    """Equis (x.test) buys from a reseller (told of what is full alone); the roles over it, and over nothing else."""
    domain = provider.ana.domain
    seller = Reseller.objects.create(name="Revende", alert_steps=[100])
    Customer.objects.filter(pk=domain.customer_id).update(reseller=seller)
    Plan.objects.filter(customers=domain.customer_id).update(total_bytes=30 * GIGA)
    take_samples()
    domain.refresh_from_db()
    return {
        "reseller": runner(Kind.RESELLER, reseller=seller)[0],
        "customer": runner(Kind.CUSTOMER, customer=domain.customer)[0],
        "domain": runner(Kind.DOMAIN, domain=domain)[0],
    }
