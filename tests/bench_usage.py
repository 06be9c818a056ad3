"""What space costs with 100,000 mailboxes: `make bench-usage`. A day's sample, two years of history on disk, and the pages."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    Customer,
    DaySpace,
    Domain,
    DomainSpace,
    Mailbox,
    MailboxHistory,
    MailboxSpace,
    MailboxUsage,
    Plan,
    User,
)
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.standing import refresh_standing
from accounts.usage.series import Sample, pack, thin

pytestmark = pytest.mark.django_db
MAILBOXES, DOMAINS, YEARS = 100_000, 10_000, 2
DAYS = YEARS * 365
GIGA = 10**9


def measured(what: str, act: Callable[[], Any], *, wall_max_s: float | None = None) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<46} {wall * 1000:8.0f} ms, {cpu * 1000:8.0f} ms of a core")
    assert wall_max_s is None or cpu < wall_max_s, what
    return result


def fill() -> None:
    """Mailboxes of 20 plans and customers, and their history of two years, thinned as it would be."""
    chance, today = random.Random(1), timezone.localdate().toordinal()
    plans = Plan.objects.bulk_create(Plan(name=f"Plan {number}") for number in range(20))
    customers = Customer.objects.bulk_create(
        Customer(name=f"C {number}", plan=plans[number % 20]) for number in range(2000)
    )
    domains = Domain.objects.bulk_create(
        Domain(name=f"d{number}.test", customer=customers[number % 2000]) for number in range(DOMAINS)
    )
    names = [f"u{number}@d{number % DOMAINS}.test" for number in range(MAILBOXES)]
    mailboxes = Mailbox.objects.bulk_create(
        (
            Mailbox(
                address=name, number=number + 1, domain=domains[number % DOMAINS], password="x", quota_bytes=5 * GIGA
            )
            for number, name in enumerate(names)
        ),
        batch_size=2000,
    )
    # Two hundred courses of two years, of which each mailbox has one.
    courses = [course(chance, today) for _number in range(200)]
    some = [(mailbox, chance.choice(courses)) for mailbox in mailboxes]
    MailboxHistory.objects.bulk_create(
        (MailboxHistory(mailbox=mailbox, samples=samples) for mailbox, (samples, _size) in some), batch_size=2000
    )
    MailboxUsage.objects.bulk_create(
        (MailboxUsage(username=mailbox.address, bytes=size, messages=size // 40_000) for mailbox, (_s, size) in some),
        batch_size=2000,
    )
    DomainSpace.objects.bulk_create(
        (DomainSpace(domain=domain, samples=chance.choice(courses)[0]) for domain in domains), batch_size=2000
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


def table_bytes(*tables: str) -> int:
    """What tables and their indexes take on disk (SQLite's dbstat), in bytes."""
    with connection.cursor() as cursor:
        names = ", ".join(f"'{table}'" for table in tables)
        cursor.execute(
            f"SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name IN ({names}))"
        )
        return int(cursor.fetchone()[0] or 0)


@pytest.mark.timeout(1800)
def test_what_a_hundred_thousand_mailboxes_cost(client: Client, settings: Any) -> None:
    settings.MAIL_DISK_BYTES = 250 * 10**12
    print()
    measured("rows made", fill)
    measured("first sample of all", take_samples, wall_max_s=60)
    again = timezone.now() + timedelta(days=1)
    measured("the next day's sample", lambda: take_samples(now=again), wall_max_s=60)
    MailboxUsage.objects.filter(username__startswith="u1").update(bytes=3 * GIGA)
    measured("refreshing, 11,000 of them changed", refresh_standing)
    measured("refreshing, none of them changed", refresh_standing)
    history = table_bytes("accounts_mailboxhistory", "accounts_domainspace")
    rows = table_bytes("accounts_mailboxspace", "mail_usage")
    print(f"history {history / 1e6:.0f} MB ({history / MAILBOXES:.0f} bytes a mailbox), standing {rows / 1e6:.0f} MB")
    over = MailboxSpace.objects.filter(permille__gte=850).count()
    print(f"{over} mailboxes over 85 %")
    client.force_login(
        User.objects.create_user("admin@casilla.test", is_superuser=True),
        backend="accounts.backends.HostedMailboxBackend",
    )
    client.get(reverse("usage"))
    slow: list[str] = []
    for query in PAGES:
        answer = measured(f"page {query or '?'}", lambda query=query: client.get(reverse("usage") + query))  # type: ignore[misc]
        assert answer.status_code == 200
        seconds = min(
            timed(lambda query=query: client.get(reverse("usage") + query))
            for _time in range(3)  # type: ignore[misc]
        )
        slow += [query] if seconds > 0.3 else []
    csv = measured("CSV of all that fill up", lambda: b"".join(client.get(reverse("usage_export")).streaming_content))
    print(f"{len(csv) / 1e6:.1f} MB")
    assert not slow


PAGES = (
    "",
    "?page=40",
    "?sort=bytes&least=0",
    "?sort=full_on",
    "?mode=pop3&least=0",
    "?q=d77.test&least=0",
    "?show=domains&sort=name",
    "?show=domains&least=0",
    "?show=promised",
    "?show=unused",
    "?show=jumps",
)


def timed(act: Callable[[], Any]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began
