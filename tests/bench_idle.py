"""What people cost who are signed in and do nothing. Not a test: `make bench-idle` prints a table (IDLE_PEOPLE=200).

Each signs in, opens the Inbox and one message, and goes quiet. Memory is PSS of the process that serves pages (this one) and of
this Dovecot's processes, before, with as many connections kept as may be, and after the pool's own sweep has let go of them.
"""

from __future__ import annotations

import gc
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from webmail.imap.pool import IN_ALL, PER_SERVER, SWEEP_S, pool

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
PEOPLE = int(os.environ.get("IDLE_PEOPLE", "200"))
HTMX = {"HX-Request": "true"}


def pss_kb(pid: int | str) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def dovecot(master: int) -> tuple[int, int]:
    """kB of all processes of a Dovecot, and how many of them are imap's."""
    pids = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return pss_kb(master) + sum(map(pss_kb, pids)), sum(_name(pid) == "imap" for pid in pids)


def _name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class Measured:
    """kB of the process that serves pages and of Dovecot; Dovecot's imap processes; connections that are kept."""

    web: int
    dovecot: int
    processes: int
    kept: int


def measure(master: int) -> Measured:
    gc.collect()
    return Measured(pss_kb("self"), *dovecot(master), pool.counts()[0])


@pytest.mark.timeout(3000)
def test_print_the_table(mailbox_factory: Any, deliver: Any, stack: Any, monkeypatch: Any, capsys: Any) -> None:
    people = []
    for number in range(PEOPLE):
        made = mailbox_factory(f"p{number}")
        deliver(made.address, letter("uno"))
        people.append(made)
    master = stack.processes["dovecot"].pid
    for made in people[:20]:  # what the first pages of a process load
        _open(Client(), made)
    pool.close_all()
    time.sleep(2)
    before = measure(master)
    monkeypatch.setattr(pool, "idle_close_s", 3600.0)
    cpu = time.process_time()
    for made in people:
        _open(Client(), made)
    cpu = time.process_time() - cpu
    held = measure(master)
    monkeypatch.setattr(pool, "idle_close_s", 1.0)
    until = time.monotonic() + 3 * SWEEP_S
    while pool.counts() != (0, 0) and time.monotonic() < until:
        time.sleep(1)
    time.sleep(2)
    after = measure(master)
    with capsys.disabled():
        print(
            f"\n{PEOPLE} people who signed in, opened the Inbox and a message ({1000 * cpu / PEOPLE:.0f} CPU-ms each)"
        )
        print("                         web MB   Dovecot MB   imap processes   connections   kB a person: web, Dovecot")
        for name, one in (("before", before), ("connections kept", held), ("after the idle limit", after)):
            web, server = (one.web - before.web) / PEOPLE, (one.dovecot - before.dovecot) / PEOPLE
            print(
                f"  {name:20} {one.web / 1024:8.1f} {one.dovecot / 1024:12.1f} {one.processes:16} {one.kept:13} "
                f"{web:18.1f} {server:8.1f}"
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
