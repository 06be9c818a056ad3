"""What it costs to say of what 100,000 mailboxes in 10,000 domains are made: `make bench-usage`, on SQLite."""

from __future__ import annotations

import random

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer, Domain, Mailbox, MailboxShares, Plan, User
from accounts.services.usage.shares import due_shares, sum_domains
from accounts.usage.shares import BIGGEST, KINDS, Big, Part, Shares, dump
from tests.bench_usage import DOMAINS, MAILBOXES, PAGE_MS, measured, signed_in

CUSTOMERS = 2_000


def fill() -> None:
    """Every mailbox with 200 messages in ten years and twelve folders, of some sixty domains of 20,000."""
    chance, plan = random.Random(1), Plan.objects.create(name="Plan")
    customers = Customer.objects.bulk_create(Customer(name=f"C {number}", plan=plan) for number in range(CUSTOMERS))
    domains = Domain.objects.bulk_create(
        Domain(name=f"d{number}.test", customer=customers[number % CUSTOMERS]) for number in range(DOMAINS)
    )
    mailboxes = Mailbox.objects.bulk_create(
        (
            Mailbox(address=f"u{n}@d{n % DOMAINS}.test", number=n + 10_000, domain=domains[n % DOMAINS], password="x")
            for n in range(MAILBOXES)
        ),
        batch_size=2000,
    )
    made = []
    for _number in range(500):
        shares = Shares()
        for _message in range(200):
            shares.count(chance.choice(KINDS), chance.randrange(2016, 2026), int(chance.lognormvariate(10, 2)))
        for _message in range(200):
            host = f"d{int(chance.paretovariate(0.4)) % 20_000}.test"
            shares.count_sender(host, int(chance.lognormvariate(10, 2)), bulk=chance.random() < 0.5)
        shares.biggest = [Big(10**6 + chance.randrange(10**7), "2025-01-01", "inbox") for _number in range(BIGGEST)]
        shares.folders = [((f"Carpeta {one}", "Sub"), "", Part(20, 10**6)) for one in range(12)]
        made.append(dump(shares))
    now = timezone.now()
    rows = (MailboxShares(mailbox=mailbox, at=now, tried=now, shares=chance.choice(made)) for mailbox in mailboxes)
    MailboxShares.objects.bulk_create(rows, batch_size=2000)


@pytest.mark.django_db
@pytest.mark.timeout(900)
def test_what_it_costs_to_say_what_mailboxes_are_made_of(client: Client) -> None:
    measured("rows made", fill)
    measured("domains added up, all of them", sum_domains)
    measured("the mailboxes that are due, none of them", lambda: due_shares(most=500), times=3)
    admin = signed_in(client, User.objects.create_user("admin@casilla.test", is_superuser=True))
    address, customer = reverse("usage_shares"), Customer.objects.first()
    assert customer
    for query in ("", f"?customer={customer.pk}", f"?plan={customer.plan_id}"):
        answer, core = measured(f"page {query}", lambda query=query: admin.get(address + query), times=5)
        assert answer.status_code == 200
        assert core < PAGE_MS["sqlite"]
