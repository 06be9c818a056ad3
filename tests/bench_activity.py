"""What the collector of activity does in a second: `make bench-activity`. Every session is a row of its own: the worst case."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts.models import Mailbox, ProgramUse
from accounts.services.activity import Collector
from accounts.services.hosting import create_customer_with_domain

pytestmark = pytest.mark.django_db
MAILBOXES, SESSIONS, PER_SECOND = 100_000, 200_000, 3_300
LOGIN = (
    "{at} imap-login: Info: Login: user=<{user}>, auth=<{user}>, method=PLAIN, rip={ip}, lip=127.0.0.1, mpid=25777, TLS, "
    "session=<s{number}>\n"
)
NAME = "{at} imap({user})<25778><s{number}><{ip}><{user}>: Info: ID sent: name=Thunderbird, version=140.0\n"
END = (
    "{at} imap({user})<25778><s{number}><{ip}><{user}>: Info: Disconnected: Logged out in=110 out=714 deleted=0 expunged=0 "
    "trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0\n"
)


def write_log(path: Path) -> int:
    """Three lines a session, half of them with a name; gives how many bytes."""
    numbers = random.Random(1)
    began = datetime(2026, 11, 27, 12, tzinfo=UTC)
    with path.open("w") as file:
        for number in range(SESSIONS):
            values = {
                "at": (began + timedelta(seconds=number // PER_SECOND)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
                "user": f"u{numbers.randrange(MAILBOXES)}@prueba.test",
                "ip": f"10.{numbers.randrange(256)}.{numbers.randrange(256)}.7",
                "number": number,
            }
            middle = NAME if number % 2 else END
            file.writelines(form.format(**values) for form in (LOGIN, middle, END))
    return path.stat().st_size


@pytest.mark.timeout(600)
def test_lines_in_a_second(tmp_path: Path) -> None:
    domain = create_customer_with_domain(customer="Prueba", domain="prueba.test")
    mailboxes = (
        Mailbox(address=f"u{number}@prueba.test", number=number + 1, domain=domain, password="x")
        for number in range(MAILBOXES)
    )
    Mailbox.objects.bulk_create(mailboxes, batch_size=2000)
    size = write_log(tmp_path / "log")
    collector, lines = Collector(tmp_path / "log"), 0
    wall, cpu = time.perf_counter(), time.process_time()
    while read := collector.step():
        lines += read
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    collector.close()
    print(
        f"\n{lines} lines ({size / 1e6:.0f} MB), {ProgramUse.objects.count()} rows: {wall:.1f} s, {cpu:.1f} s of a core; "
        f"{lines / wall:.0f} lines a second, {lines / cpu:.0f} a second of a core"
    )
    assert lines / cpu > 10_000
