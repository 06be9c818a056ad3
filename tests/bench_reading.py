"""What it costs to list and open mail, by size of the Inbox. Not a test: `make bench-reading` prints a table.

CPU is this process's (Django's test client, no HTTP server) and Dovecot's imap processes', in milliseconds a request;
round trips and bytes are counted on the IMAP connection.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from webmail.imap.pool import pool

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(",")]
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def dovecot_ms() -> float:
    """CPU that imap processes have used so far."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            name = stat.with_name("comm").read_text().strip()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) if name in {"imap", "dovecot"} else 0
    return total * TICK_MS


def counted() -> tuple[int, int]:
    connections = [connection for kept in pool._idle.values() for connection in kept]
    return sum(c.round_trips for c in connections), sum(c.bytes_in for c in connections)


def measure(name: str, times: int, action: Callable[[int], Any]) -> None:
    wall, before, imap = [], counted(), dovecot_ms()
    cpu = time.process_time()
    for turn in range(times):
        started = time.perf_counter()
        response = action(turn)
        wall.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, response.status_code
    cpu = (time.process_time() - cpu) * 1000 / times
    trips, size = (now - then for now, then in zip(counted(), before, strict=True))
    line = f"{name:34} {statistics.median(wall):8.1f} {cpu:8.1f} {(dovecot_ms() - imap) / times:8.1f}"
    print(f"{line} {trips / times:6.1f} {size / times / 1000:9.1f}")


@pytest.mark.timeout(1800)
def test_print_the_table(mailbox_factory: Any, client: Client, capsys: Any) -> None:
    with capsys.disabled():
        print(f"\n{'':34} {'wall ms':>8} {'web ms':>8} {'imap ms':>8} {'trips':>6} {'kB in':>9}")
        for size in SIZES:
            made = mailbox_factory(f"n{size}", quota_bytes=10**12)
            started = time.perf_counter()
            call_command("make_mail", mailbox=made.address, messages=size, seed=7, inbox=True)
            print(f"{size} messages made in {time.perf_counter() - started:.1f} s")
            client.logout()
            client.post(reverse("account_login"), {"login": made.address, "password": made.password})
            home = client.get("/", follow=True).redirect_chain[-1][0]
            total = int(re.search(r'data-total="(\d+)"', client.get(home).content.decode())[1])  # type: ignore[index]
            cache.clear()
            pool.close_all()
            measure(f"Inbox of {total}: list, first time", 1, lambda _turn, home=home: client.get(home))
            measure(f"Inbox of {total}: list, again", 20, lambda _turn, home=home: client.get(home))
            rows = f"{home}rows/?start="
            measure(
                f"Inbox of {total}: rows, new",
                10,
                lambda turn, rows=rows, t=total: client.get(f"{rows}{t // 2 + 50 * turn}"),
            )
            page = client.get(f"{home}rows/?start=50").content.decode()
            urls = re.findall(r'class="row__subj" href="([^"?]+)', page)[:20]
            opened = partial(client.get, headers={"HX-Request": "true"})
            measure(
                f"Inbox of {total}: open, first",
                len(urls),
                lambda turn, urls=urls, opened=opened: opened(urls[turn]),
            )
            measure(
                f"Inbox of {total}: open, again",
                len(urls),
                lambda turn, urls=urls, opened=opened: opened(urls[turn]),
            )
