"""10,000 domains and 100,000 mailboxes: pages of lists stay quick and ask a bounded number of questions."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    Alias,
    Change,
    Customer,
    Domain,
    Kind,
    Mailbox,
    MailboxUsage,
    Plan,
    ProgramUse,
    Reseller,
    User,
)
from deploy.stack import Stack
from tests.portal.conftest import PASSWORD, give

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]

SCALE = int(os.environ.get("PORTAL_SCALE", "10"))
"""Divides the numbers below in the suite; `make test-variants` has them whole."""
DOMAINS, MAILBOXES, LARGE = 10_000 // SCALE, 100_000 // SCALE, 50_000 // max(SCALE, 5)
"""One domain holds LARGE of the mailboxes; the others share the rest."""
QUERIES = 20
CPU_MS = 150.0


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """The rows, made once for the module and removed after it."""
    with django_db_blocker.unblock():
        plan = Plan.objects.create(name="Multitud", total_bytes=10**16)
        reseller = Reseller.objects.create(name="Revende")
        customers = [
            Customer(name=f"Cliente {n}", plan=plan, reseller=reseller if n % 2 else None) for n in range(2000)
        ]
        Customer.objects.bulk_create(customers, 500)
        domains = [Domain(name=f"dominio{n}.test", customer=customers[n % 2000]) for n in range(DOMAINS)]
        Domain.objects.bulk_create(domains, 500)
        mailboxes = []
        for n in range(MAILBOXES):
            domain = domains[0] if n < LARGE else domains[n % DOMAINS]
            address = f"persona{n}@{domain.name}"
            mailboxes.append(
                Mailbox(address=address, number=10_000 + n, domain=domain, name=f"Persona {n}", password="!")
            )
        Mailbox.objects.bulk_create(mailboxes, 500)
        MailboxUsage.objects.bulk_create(
            [MailboxUsage(username=one.address, bytes=n * 50_000) for n, one in enumerate(mailboxes)], 500
        )
        Alias.objects.bulk_create(
            [Alias(address=f"alias{n}@{mailboxes[n].domain.name}", target=mailboxes[n]) for n in range(5000)], 500
        )
        now = timezone.now()
        ProgramUse.objects.bulk_create(
            [ProgramUse(mailbox=one, protocol="imap", first_at=now, last_at=now) for one in mailboxes[:LARGE]], 500
        )
        Change.objects.bulk_create(
            [
                Change(
                    verb="mailbox.change",
                    thing=one.address,
                    mailbox=one,
                    domain=one.domain,
                    customer=one.domain.customer,
                )
                for one in mailboxes[:20_000]
            ],
            500,
        )
        provider = User.objects.create_user("proveedora@casilla.example", PASSWORD)
        give(provider, Kind.PROVIDER)
        seller = User.objects.create_user("revende@casilla.example", PASSWORD)
        give(seller, Kind.RESELLER, reseller=reseller)
        connection.cursor().execute("ANALYZE")
        yield {
            "provider": provider,
            "seller": seller,
            "large": domains[0],
            "mailbox": mailboxes[5],
            "customer": customers[1],
        }
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys=OFF")
            for model in (Change, ProgramUse, Alias, MailboxUsage, Mailbox, Domain, Customer, Plan):
                cursor.execute(f"DELETE FROM {model._meta.db_table}")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("DELETE FROM sqlite_stat1")  # what was counted is of these tables as they were
            cursor.execute("ANALYZE sqlite_schema")
        Reseller.objects.all().delete()
        User.objects.all().delete()


PAGES = {
    "domains": "{home}?q=",
    "domains found": "{home}?q=dominio99",
    "last page of domains": "{home}?q=&page=200",
    "mailboxes": "{large}",
    "mailboxes by use": "{large}?sort=-usage",
    "mailboxes nearly full": "{large}?show=full",
    "mailboxes found": "{large}?q=persona77",
    "last page of mailboxes": "{large}?page=200",
    "search": "{search}?q=persona777",
    "changes": "{changes}",
    "changes of a domain": "{large}changes/",
    "customers": "{customers}",
    "customer": "{customer}",
    "addresses": "{large}addresses/",
    "mailbox": "{mailbox}",
}


def test_pages_of_lists_are_quick(redis: Stack, crowd: dict[str, Any]) -> None:
    slow = [found for who in ("provider", "seller") for found in slow_pages(crowd, who)]
    assert slow == []


def slow_pages(crowd: dict[str, Any], who: str) -> list[tuple[str, str, int]]:
    """The pages that take longer than they may; each of them keeps its number of queries."""
    names = {name: reverse(f"portal:{name}") for name in ("home", "search", "changes", "customers")}
    names |= {"large": reverse("portal:domain", args=[crowd["large"].pk])}
    names |= {"customer": reverse("portal:customer", args=[crowd["customer"].pk])}
    names |= {"mailbox": reverse("portal:mailbox", args=[crowd["mailbox"].pk])}
    client = Client(headers={"accept-language": "en"})
    client.force_login(crowd[who], backend="accounts.backends.HostedMailboxBackend")
    if who == "seller":
        Customer.objects.filter(pk=crowd["large"].customer_id).update(reseller=Reseller.objects.get())
    slow = []
    for name, pattern in PAGES.items():
        address = pattern.format(**names)
        client.get(address)
        best = 1e9
        for _again in range(3):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                began = time.process_time()
                answer = client.get(address)
                best = min(best, (time.process_time() - began) * 1000)
        assert answer.status_code == 200, name
        print(f"{who}: {name}: {len(queries)} queries, {best:.0f} ms of processor")
        assert len(queries) < QUERIES, (name, [one["sql"][:120] for one in queries])
        if best >= CPU_MS:
            slow.append((who, name, round(best)))
    return slow
