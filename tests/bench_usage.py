"""What space costs with 100,000 mailboxes: `make bench-usage`. A day's sample, two years of history on disk, and the pages, on
SQLite and on PostgreSQL, whose own process is counted too."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    Customer,
    CustomerSpace,
    DaySpace,
    Domain,
    DomainSpace,
    Kind,
    Mailbox,
    MailboxHistory,
    MailboxSpace,
    MailboxUsage,
    MailServer,
    PartSpace,
    Plan,
    Reseller,
    Role,
    User,
)
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.standing import refresh_standing
from accounts.usage.series import Sample, add_up, pack, thin
from deploy.stack import Stack
from tests.test_postgres import BASE, production  # noqa: F401 - a fixture

MAILBOXES, DOMAINS, YEARS = 100_000, 10_000, 2
DAYS = YEARS * 365
GIGA = 10**9
PAGE_MS = {"sqlite": 300, "postgresql": 150}
"""What a page may take of a core, the database's own share in it."""
SAMPLE_MS = 60_000
TIMES = 10
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def database_ms() -> float:
    """What PostgreSQL's process of this connection has used of a core; SQLite works in our own."""
    if connection.vendor == "sqlite":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        fields = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_MS


def core_ms() -> float:
    """What this process and its database have used of a core."""
    return time.process_time() * 1000 + database_ms()


def measured(what: str, act: Callable[[], Any], *, times: int = 1) -> tuple[Any, float]:
    """Prints the least time and the usual use of a core of so many runs; gives the last one's answer, and that use."""
    walls, began, ours = [], core_ms(), time.process_time()
    for _time in range(times):
        wall = time.perf_counter()
        result = act()
        walls.append((time.perf_counter() - wall) * 1000)
    ours, core = (time.process_time() - ours) * 1000 / times, (core_ms() - began) / times
    print(f"{what:<46} {min(walls):8.0f} ms, {core:8.0f} ms of a core, {ours:8.0f} of them here", flush=True)
    return result, core


def fill() -> None:
    """Mailboxes of 20 plans and customers, and their history of two years, thinned as it would be."""
    chance, today = random.Random(1), timezone.localdate().toordinal()
    reseller = Reseller.objects.create(name="R")  # to whom all belong: the dearest there can be
    MailServer.objects.create(name="Empty", path="/srv/empty")  # so that there is a page of the one with all
    plans = Plan.objects.bulk_create(Plan(name=f"Plan {number}") for number in range(20))
    customers = Customer.objects.bulk_create(
        Customer(name=f"C {number}", plan=plans[number % 20], reseller=reseller) for number in range(2000)
    )
    domains = Domain.objects.bulk_create(
        Domain(name=f"d{number}.test", customer=customers[number % 2000]) for number in range(DOMAINS)
    )
    names = [f"u{number}@d{number % DOMAINS}.test" for number in range(MAILBOXES)]
    mailboxes = Mailbox.objects.bulk_create(
        (
            Mailbox(
                address=name,
                number=number + 10_000,
                domain=domains[number % DOMAINS],
                password="x",
                quota_bytes=5 * GIGA,
            )
            for number, name in enumerate(names)
        ),
        batch_size=2000,
    )
    # Two hundred courses of two years, of which each mailbox has one.
    courses = [course(chance, today) for _number in range(200)]
    some = [(mailbox, chance.choice(courses)) for mailbox in mailboxes]

    def past() -> bytes:
        return chance.choice(courses)[0]

    def promised() -> bytes:
        days = sorted(chance.sample(range(today - DAYS, today), 10))
        return pack(Sample(day, number * 5 * GIGA) for number, day in enumerate(days, 10))

    MailboxHistory.objects.bulk_create(
        (MailboxHistory(mailbox=mailbox, samples=samples) for mailbox, (samples, _size) in some), batch_size=2000
    )
    MailboxUsage.objects.bulk_create(
        (MailboxUsage(username=mailbox.address, bytes=size, messages=size // 40_000) for mailbox, (_s, size) in some),
        batch_size=2000,
    )
    # A domain's is that of its mailboxes together, so that it jumps no more than they do.
    inside: dict[int, list[bytes]] = {}
    for mailbox, (samples, _size) in some:
        inside.setdefault(mailbox.domain_id, []).append(samples)
    sums = {key: pack(add_up(series)) for key, series in inside.items()}
    DomainSpace.objects.bulk_create(
        (DomainSpace(domain=domain, samples=sums[domain.pk], promised=promised()) for domain in domains),
        batch_size=2000,
    )
    bought: dict[int, list[bytes]] = {}
    for domain in domains:
        bought.setdefault(domain.customer_id, []).append(sums[domain.pk])
    CustomerSpace.objects.bulk_create(
        (
            CustomerSpace(customer=customer, samples=pack(add_up(bought[customer.pk])), promised=promised())
            for customer in customers
        ),
        batch_size=2000,
    )
    PartSpace.objects.bulk_create(
        PartSpace(reseller=reseller.pk, plan=plan.pk, mode=mode, samples=past(), promised=promised())
        for plan in plans
        for mode in MailboxSpace.Mode.values
    )
    start = date.fromordinal(today - DAYS)
    DaySpace.objects.bulk_create(
        DaySpace(
            day=start + timedelta(days=day),
            at=timezone.now(),
            bytes=int(100e12 + day * 0.13e12 + chance.gauss(0, 1) * 0.02e12),
            quota_bytes=int(300e12 + day * 0.3e12),
            mailboxes=MAILBOXES,
            disk_bytes=250 * 10**12,
        )
        for day in range(DAYS)
    )


def course(chance: random.Random, today: int) -> tuple[bytes, int]:
    size, rate, samples = chance.uniform(0, 2) * GIGA, chance.expovariate(1 / 2e6), []
    for day in range(today - DAYS, today):
        size += rate * chance.lognormvariate(0, 0.7)
        samples.append(Sample(day, int(size)))
    return thin(pack(samples), today), int(size)


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person, backend=BACKEND)
    return client


def table_bytes(*tables: str) -> int:
    """What tables and their indexes take on disk, in bytes."""
    names = ", ".join(f"'{table}'" for table in tables)
    of_sqlite = f"""SELECT sum(pgsize) FROM dbstat
        WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name IN ({names}))"""
    of_postgres = f"SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables WHERE relname IN ({names})"
    with connection.cursor() as cursor:
        cursor.execute(of_sqlite if connection.vendor == "sqlite" else of_postgres)
        return int(cursor.fetchone()[0] or 0)


BACKEND = "accounts.backends.HostedMailboxBackend"
PAGES = (
    "",
    "?page=40",
    "?sort=bytes&least=0",
    "?sort=full_on",
    "?mode=pop3&least=0",
    "?mode=imap&least=0",
    "?plan={plan}&mode=imap&least=0",
    "?reseller={reseller}&mode=imap&server=0",
    "?q=d77.test&least=0",
    "?show=domains&sort=name",
    "?show=domains&least=0",
    "?show=promised",
    "?show=unused",
    "?show=jumps",
    "?reseller={reseller}",
    "?reseller={reseller}&least=0&sort=month_bytes",
    "?reseller={reseller}&show=domains&least=0",
    "?server=0",
    "?server=0&show=unused",
    "?customer={customer}",
    "?plan={plan}&least=0",
)
ITS_PAGES = ("", "?sort=bytes&least=0", "?show=unused", "?mode=pop3&least=0", "?mode=imap&least=0")
"""Those of the reseller to whom all belong, asked for by its own people."""


def cost() -> None:
    """Makes the rows and prints what everything costs. Raises AssertionError where that is too much."""
    print(f"\n{connection.vendor}")
    measured("rows made", fill)
    _count, first = measured("first sample of all", take_samples)
    again = timezone.now() + timedelta(days=1)
    _count, second = measured("the next day's sample", lambda: take_samples(now=again))
    MailboxUsage.objects.filter(username__startswith="u1").update(bytes=3 * GIGA)
    measured("refreshing, 11,000 of them changed", refresh_standing)
    measured("refreshing, none of them changed", refresh_standing)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does by itself within a minute or two
    history = table_bytes("accounts_mailboxhistory", "accounts_domainspace")
    rows = table_bytes("accounts_mailboxspace", "mail_usage")
    print(f"history {history / 1e6:.0f} MB ({history / MAILBOXES:.0f} bytes a mailbox), standing {rows / 1e6:.0f} MB")
    print(f"{MailboxSpace.objects.filter(permille__gte=850).count()} mailboxes over 85 %")
    keys = {"reseller": Reseller.objects.get().pk, "customer": Customer.objects.earliest("pk").pk}
    client = signed_in(Client(), User.objects.create_user("admin@casilla.test", is_superuser=True))
    runs_all = User.objects.create_user("jefa@casilla.test")
    Role.objects.create(person=runs_all, kind=Kind.RESELLER, reseller_id=keys["reseller"])
    seller = signed_in(Client(), runs_all)
    slow = [f"sample {core:.0f}" for core in (first, second) if core > SAMPLE_MS]
    for who, query in [*(("provider", query) for query in PAGES), *(("reseller", query) for query in ITS_PAGES)]:
        address = reverse("usage") + query.format(**keys, plan=Plan.objects.earliest("pk").pk)
        ask = partial({"provider": client, "reseller": seller}[who].get, address)
        assert ask().status_code == 200
        _answer, core = measured(f"{who}'s page {query or '?'}", ask, times=TIMES)
        slow += [f"{who} {query} {core:.0f}"] if core > PAGE_MS[connection.vendor] else []
    csv, _core = measured(
        "CSV of all that fill up", lambda: b"".join(client.get(reverse("usage_export")).streaming_content)
    )  # type: ignore[attr-defined]
    print(f"{len(csv) / 1e6:.1f} MB")
    assert not slow, slow


@pytest.mark.timeout(1800)
@pytest.mark.django_db
def test_what_a_hundred_thousand_mailboxes_cost(redis: Stack, settings: Any) -> None:
    settings.MAIL_DISK_BYTES = 250 * 10**12
    cost()


IN_PRODUCTION = """
from django.conf import settings
from django.test.utils import setup_test_environment
from tests.bench_usage import cost
setup_test_environment(debug=False)
settings.MAIL_DISK_BYTES = 250 * 10**12
cost()
"""


@pytest.mark.timeout(1800)
@pytest.mark.server
def test_the_same_on_postgresql(production: Stack) -> None:  # noqa: F811
    production.start(["redis"])
    production.wait_ready()
    environment = os.environ | production.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, str(BASE / "manage.py"), "shell", "-v", "0", "-c", IN_PRODUCTION]
    subprocess.run(command, env=environment, cwd=BASE, check=True)
