"""What people cost who are signed in and do nothing. Not a test: `make bench-idle` prints a table (IDLE_PEOPLE=200).

Each signs in, opens the Inbox and one message, and goes quiet. Memory is PSS of the process that serves pages (this one) and of
Dovecot's processes, before, with all connections kept, and after the pool has let go of them.
"""

from __future__ import annotations

import gc
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from webmail.imap.pool import IN_ALL, PER_SERVER, pool

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
PEOPLE = int(os.environ.get("IDLE_PEOPLE", "200"))
HTMX = {"HX-Request": "true"}


def pss_kb(pid: int | str) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def dovecot_kb() -> int:
    names = {"imap", "imap-login", "imap-hibernate"}
    pids = [stat.parent.name for stat in Path("/proc").glob("[0-9]*/comm") if _name(stat) in names]
    return sum(map(pss_kb, pids))


def _name(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@pytest.mark.timeout(1800)
def test_print_the_table(mailbox_factory: Any, imap: Any, capsys: Any) -> None:
    people = []
    for number in range(PEOPLE):
        made = mailbox_factory(f"p{number}")
        imap(made.address).append("INBOX", letter("uno"))
        people.append(made)
    client = Client()
    _open(client, people[0])
    pool.close_all()
    gc.collect()
    before = pss_kb("self"), dovecot_kb()
    for made in people:
        _open(Client(), made)
    gc.collect()
    kept, held = pool.counts()[0], (pss_kb("self"), dovecot_kb())
    pool.close_all()
    gc.collect()
    after = pss_kb("self"), dovecot_kb()
    with capsys.disabled():
        print(f"\n{PEOPLE} people, kB PSS each    web   Dovecot   ({kept} connections kept)")
        print(f"  connection kept         {(held[0] - before[0]) / PEOPLE:7.0f} {(held[1] - before[1]) / PEOPLE:9.0f}")
        print(
            f"  connection let go       {(after[0] - before[0]) / PEOPLE:7.0f} {(after[1] - before[1]) / PEOPLE:9.0f}"
        )
        print(
            f"a process keeps at most {PER_SERVER} connections to a server, {IN_ALL} in all, none unused for 5 minutes"
        )


def _open(client: Client, made: Any) -> None:
    # From addresses of their own: thirty a minute from one are too many.
    where = f"10.0.{made.mailbox.pk // 250 % 250}.{made.mailbox.pk % 250 + 1}"
    client.post(reverse("account_login"), {"login": made.address, "password": made.password}, REMOTE_ADDR=where)
    page = client.get("/", follow=True).content.decode()
    message = re.search(r'class="row__subj" href="([^"?]+)', page)
    assert message
    assert client.get(message[1], headers=HTMX).status_code == 200
