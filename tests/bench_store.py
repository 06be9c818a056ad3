"""What it costs to list, sort, search and open mail in the store and over IMAP, in one run. Not a test: `make bench-store`
prints a table.

CPU is this process's (Django's test client, no HTTP server) and that of Dovecot's imap processes, in milliseconds a request.
The IMAP side is warm: each action is done once before it is measured.
"""

from __future__ import annotations

import hashlib
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.bench_reading import dovecot_ms
from webmail.management.commands.make_mail import read_until
from webmail.models import LocalMessage
from webmail.samples.mailbox import generate_mailbox
from webmail.storage.blobs import Blobs
from webmail.storage.folders import ensure_folders, note_changes
from webmail.storage.rows import HEAD_BYTES, describe, flag_fields, index_messages
from webmail.storage.threads import settle_threads
from webmail.values import FolderId, Role
from webmail.views.query import THREADS_COOKIE

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(",")]
INBOX = FolderId("INBOX")
SEED, UNTIL = 7, read_until("2026-11-20")
HTMX = {"HX-Request": "true"}


def measure(action: Callable[[], Any], times: int) -> tuple[float, float]:
    """(median of the wall clock, CPU), in ms."""
    wall = []
    cpu, imap = time.process_time(), dovecot_ms()
    for _turn in range(times):
        started = time.perf_counter()
        response = action()
        wall.append((time.perf_counter() - started) * 1000)
        assert getattr(response, "status_code", 200) == 200
    spent = (time.process_time() - cpu) * 1000 + dovecot_ms() - imap
    return statistics.median(wall), spent / times


def fill(account: MailAccount, count: int) -> None:
    """The messages that `make_mail` gives the mailbox on the server."""
    blobs, inbox = Blobs(account.pk), ensure_folders(account)[Role.INBOX]
    samples = generate_mailbox(account.address, count, seed=SEED, until=UNTIL, inbox_only=True)
    while batch := list(islice(samples, 500)):
        rows = []
        for sample in batch:
            sha256 = hashlib.sha256(sample.raw).hexdigest()
            blobs.write(sha256, sample.raw)
            fields = describe(sample.raw[:HEAD_BYTES], size_bytes=len(sample.raw), received=sample.received)
            fields |= flag_fields(frozenset(sample.flags))
            rows.append(LocalMessage(account=account, folder=inbox, blob=sha256, size_bytes=len(sample.raw), **fields))
        settle_threads(account.pk, rows)
        index_messages(account.pk, LocalMessage.objects.bulk_create(rows))
    blobs.sync()
    note_changes([inbox.pk])


LISTS = {
    "list": "",
    "list from the middle": "?start={middle}",
    "by sender": "?sort=from",
    "by subject": "?sort=subject",
    "by size": "?sort=size",
    "by conversation": "?threads=1",
    "unread": "?unread=1",
    "starred": "?flagged=1",
    "search, some found": "?q=77",
    "search, many found": "?q=imprenta",
    "search in bodies": "?q=presupuesto&body=1",
}


def boxes(mailbox_factory: Any, size: int) -> Iterator[tuple[str, Any, MailAccount]]:
    """The same number of messages in a mailbox of each kind."""
    live = mailbox_factory(f"vivo{size}", quota_bytes=10**12)
    call_command("make_mail", mailbox=live.address, messages=size, seed=SEED, until=f"{UNTIL:%Y-%m-%d}", inbox=True)
    yield "IMAP", live, account_of_mailbox(live.mailbox)
    made = mailbox_factory(f"n{size}")
    account = account_of_mailbox(made.mailbox)
    MailAccount.objects.filter(pk=account.pk).update(mode=MailAccount.Mode.DOWNLOAD)
    account.refresh_from_db()
    fill(account, size)
    yield "store", made, account


def actions(client: Client, account: MailAccount, size: int) -> Iterator[tuple[str, Callable[[], Any], int]]:
    home = reverse("folder", args=[account.pk, INBOX])
    for name, query in LISTS.items():
        more = {"headers": HTMX} if "threads" in query else {}
        yield name, partial(client.get, home + query.format(middle=size // 2), **more), 5
    client.cookies.pop(THREADS_COOKIE, None)
    page = client.get(f"{home}rows/?start=50").content.decode()
    url = re.findall(r'class="row__subj" href="([^"?]+)', page)[3]
    yield "open a message", partial(client.get, url, headers=HTMX), 10


def test_print_the_table(mailbox_factory: Any, client: Client, settings: Any, tmp_path: Path, capsys: Any) -> None:
    settings.STORE_DIR = tmp_path / "store"
    for size in SIZES:
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for kind, made, account in boxes(mailbox_factory, size):
            client.logout()
            client.post(reverse("account_login"), {"login": made.address, "password": made.password})
            client.get("/", follow=True)
            for name, action, times in actions(client, account, size):
                action()
                found.setdefault(name, {})[kind] = measure(action, times)
        with capsys.disabled():
            print(
                f"\n{f'{size} messages':28} {'IMAP ms':>9} {'CPU':>7} {'store ms':>9} {'CPU':>7} {'store / IMAP':>13}"
            )
            for name, by_kind in found.items():
                (wall, cpu), (here, here_cpu) = by_kind["IMAP"], by_kind["store"]
                print(f"{name:28} {wall:9.1f} {cpu:7.1f} {here:9.1f} {here_cpu:7.1f} {here / wall:13.2f}")
