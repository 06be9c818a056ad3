"""What the lists of a watched account cost, by size of the Inbox. Not a test: `make bench-lists` prints a table.

CPU is this process's alone (Django's test client, no HTTP server), the median of a request in milliseconds, beside a fixed
piece of work on the same machine at the same moment; round trips are counted on the IMAP connections. The folder is filled
by copying 1,000 messages over and over.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.template import Template
from django.test import Client
from django.test.utils import _TestState
from django.urls import reverse
from redis import Redis

from accounts.services.login import account_of_mailbox
from tests.contract.test_source import letter
from tests.live.conftest import live, watcher
from webmail.imap.pool import pool

__all__ = ["live", "watcher"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(",")]
TIMES = 40


def work_ms() -> float:
    """A fixed piece of work."""
    started = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number
    return (time.process_time() - started) * 1000


def trips() -> int:
    return sum(connection.round_trips for kept in pool._idle.values() for connection in kept)


def measure(name: str, action: Callable[[int], Any], times: int = TIMES) -> None:
    wall, cpu = [], []
    before = trips()
    for turn in range(times):
        began, used = time.perf_counter(), time.process_time()
        response = action(turn)
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - used) * 1000)
        assert response.status_code == 200, response.status_code
    walls = f"{statistics.median(wall):9.1f} {statistics.median(cpu):8.1f} {min(cpu):8.1f}"
    print(f"{name:44} {walls} {(trips() - before) / times:6.1f} {len(response.content) / 1000:7.1f}")


def fill(client: Any, size: int) -> None:
    client._imap.sock.settimeout(600)
    client.select_folder("INBOX")
    have = 1
    while have < size:
        have = int(client.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"])
        if have < size:
            client.select_folder("INBOX")
            client.copy(f"1:{min(have, size - have)}", "INBOX")


@pytest.mark.timeout(3600)
def test_print_the_table(
    mailbox_factory: Any, client: Client, capsys: Any, live: Any, watcher: Any, imap: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(
        Template, "_render", _TestState.saved_data.template_render
    )  # the one without the tests' signals
    with capsys.disabled():
        watcher()
        for size in SIZES:
            made = mailbox_factory(f"n{size}", quota_bytes=10**13)
            call_command("make_mail", mailbox=made.address, messages=1000, seed=7, inbox=True)
            other = imap(made.address)
            fill(other, size)
            client.logout()
            client.post(reverse("account_login"), {"login": made.address, "password": made.password})
            home = client.get("/", follow=True).redirect_chain[-1][0]
            account = account_of_mailbox(made.mailbox)
            live.watched(account.pk)
            head = f"Inbox of {size}, the fixed work {work_ms():.0f} ms"
            print(f"\n{head:44} {'wall':>9} {'cpu':>8} {'least':>8} {'trips':>6} {'kB':>7}")

            def pane(query: str, home: str = home) -> Callable[[int], Any]:
                def get(_turn: int) -> Any:
                    return client.get(home + query, headers={"HX-Request": "true"})

                return get

            def renew(account_id: int = account.pk) -> None:
                live.wish(account_id)

            lists = {
                "by date, page 1": "",
                "by date, in the middle": f"rows/?start={size // 2}",
                "by sender": "?sort=from",
                "by subject": "?sort=subject",
                "by size": "?sort=size",
                "unread": "?unread=1",
                "a word": "?q=pedido",
                "conversations": "?threads=1",
            }
            for name, query in lists.items():
                renew()
                measure(f"{name}, first time", pane(query), 1)
                renew()
                measure(f"{name}, again", pane(query))
            client.cookies.pop("casilla_threads", None)
            renew()
            measure("whole page", lambda _turn, home=home: client.get(home))
            for name in ("by date, page 1", "by sender"):
                pane(lists[name])(0)
                other.append("INBOX", letter("nueva", day=700))
                time.sleep(1.5)
                renew()
                measure(f"{name}, after new mail", pane(lists[name]), 1)
            words = ["factura", "guía", "tintas", "despacho", "ana"]
            pane("?q=zz")(0)
            until = time.monotonic() + 600
            while live_locks(live) and time.monotonic() < until:
                time.sleep(0.5)
            pane("?q=zzz")(0)
            renew()
            measure("a word not searched before", lambda turn, pane=pane, words=words: pane(f"?q={words[turn]}")(0), 5)


def live_locks(live: Any) -> bool:
    """Whether texts are still being read."""
    return any(True for _key in Redis.from_url(live.url).scan_iter("mail:*:l:texts:*"))
