"""What a watched account costs. Not a test: `make bench-watch` prints it, WATCH_ACCOUNTS says for how many (500), WATCH_TLS=1
means STARTTLS on every connection.

The watcher is `manage.py watch` on the real Dovecot, whose imap processes serve many clients each here: with one process for each
client, 5,000 of them would measure this machine. Memory is what the process has in RAM above what it has without accounts; the
delay is from the end of LMTP to the event in Redis, of which Dovecot waits half a second by itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Domain, MailAccount, Mailbox, User
from accounts.services.login import account_of_mailbox
from deploy import commands
from deploy.stack import Stack
from tests.conftest import _hash
from tests.contract.test_source import letter
from tests.live.conftest import BASE, Live, Page, live, page, web
from webmail.live import board
from webmail.live.board import Board, Wish
from webmail.live.events import Event, Kind, State, publish
from webmail.live.files import raise_file_limit

__all__ = ["live", "page", "web"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

ACCOUNTS = int(os.environ.get("WATCH_ACCOUNTS", "500"))
TLS = os.environ.get("WATCH_TLS", "") == "1"
PAGES = int(os.environ.get("WATCH_PAGES", "1000"))
PAGES_EACH = 20
IDLE_S = 30
EVENTS = 60
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
DOVECOT = """
default_client_limit = 20000
default_vsz_limit = 2G
service anvil {
  client_limit = 20000
}
service auth {
  client_limit = 20000
}
service imap-login {
  client_limit = 5000
}
service imap {
  service_count = 0
  client_limit = 250
}
"""


def memory_kb(pid: int) -> int:
    """What a process has in RAM for itself."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def imap_kb(master: int) -> int:
    """Of this Dovecot's imap processes."""
    found = 0
    for pid in map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()):
        try:
            found += memory_kb(pid) if Path(f"/proc/{pid}/comm").read_text().strip() == "imap" else 0
        except OSError:
            continue
    return found


@pytest.fixture
def accounts(stack: Stack, mailbox_factory: Any) -> Iterator[list[MailAccount]]:
    first = mailbox_factory("casilla0").mailbox
    domain = Domain.objects.get(pk=first.domain_id)
    names = [f"casilla{index}@{domain.name}" for index in range(1, ACCOUNTS)]
    password = _hash("llave-de-prueba")
    Mailbox.objects.bulk_create(
        Mailbox(address=name, number=2000 + index, domain=domain, password=password) for index, name in enumerate(names)
    )
    mailboxes = {mailbox.address: mailbox for mailbox in Mailbox.objects.filter(domain=domain)}
    people = User.objects.bulk_create(User(email=name, password="!") for name in mailboxes)
    MailAccount.objects.bulk_create(
        MailAccount(owner=person, address=person.email, login=person.email, mailbox=mailboxes[person.email])
        for person in people
    )
    conf = stack.root / "etc" / "dovecot" / "dovecot.conf"
    before = conf.read_text()
    conf.write_text(before + DOVECOT)
    stack.processes["dovecot"].send_signal(signal.SIGHUP)
    time.sleep(2)
    yield list(MailAccount.objects.order_by("pk"))
    conf.write_text(before)


@pytest.fixture
def process(live: Live) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | ({"IMAP_TLS": "starttls"} if TLS else {})
    started = subprocess.Popen(
        commands.watcher(sys.executable),
        env=environment,
        cwd=BASE,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    live.until(lambda: bool(live.on_board(_watchers)), 60)
    yield started
    started.terminate()
    started.wait(30)


async def _watchers(on: Board) -> int:
    return int(await on._redis.zcard(board.WATCHERS))


def test_watched_accounts(
    live: Live,
    accounts: list[MailAccount],
    process: subprocess.Popen[bytes],
    deliver: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board, "WISH_S", 3600)
    deliver(accounts[0].address, letter("primera"))
    empty_kb, begun, cpu = memory_kb(process.pid), time.monotonic(), cpu_s(process.pid)
    ids = [account.pk for account in accounts]

    async def wish_all(on: Board) -> None:
        await on.wish(*map(Wish, ids))

    async def wait_all(on: Board) -> None:
        while set((await on.states(ids)).values()) != {State.LIVE}:
            await asyncio.sleep(0.2)
            assert time.monotonic() - begun < 1200

    live.on_board(wish_all)
    live.on_board(wait_all)
    began_s, began_cpu = time.monotonic() - begun, cpu_s(process.pid) - cpu
    time.sleep(5)
    full_kb, cpu = memory_kb(process.pid), cpu_s(process.pid)
    time.sleep(IDLE_S)
    idle = (cpu_s(process.pid) - cpu) / IDLE_S
    delays = sorted(_delay(live, account, deliver) for account in random.sample(accounts, min(EVENTS, len(accounts))))
    print(
        f"\n{ACCOUNTS} accounts{' with TLS' if TLS else ''}: all watched after {began_s:.1f} s, {began_cpu:.1f} s of CPU"
    )
    print(f"watcher: {empty_kb / 1024:.1f} MiB empty, {full_kb / 1024:.1f} MiB full", end="")
    print(f" = {(full_kb - empty_kb) / ACCOUNTS:.1f} KiB an account; idle {idle * 100:.2f} % of a core")
    print(
        f"event: median {statistics.median(delays):.3f} s, 95 % {delays[int(len(delays) * 0.95)]:.3f}, most {delays[-1]:.3f}"
    )
    print(f"Dovecot's imap processes: {imap_kb(live.stack.processes['dovecot'].pid) / 1024:.0f} MiB")


def _delay(live: Live, account: MailAccount, deliver: Any) -> float:
    ear = live.listen(account.pk)
    deliver(account.address, letter("nueva"))
    begun = time.monotonic()
    ear.kind(Kind.NEW)
    ear.redis.close()
    return time.monotonic() - begun


def test_open_pages(live: Live, web: str, mailbox_factory: Any, page: Any) -> None:
    """What a page that is open costs the web process."""
    raise_file_limit()
    people = [_signed_in(mailbox_factory, index) for index in range(-(-PAGES // PAGES_EACH))]
    pid = next(
        int(entry.parent.name)
        for entry in Path("/proc").glob("[0-9]*/cmdline")
        if {b"uvicorn", web.rpartition(":")[2].encode()} <= set(entry.read_bytes().split(b"\0"))
    )
    opened: list[Page] = [page(client, account.pk) for client, account in people]
    for one in opened:
        one.wait("state")
    before, threads = memory_kb(pid), len(list(Path(f"/proc/{pid}/task").iterdir()))
    for client, account in people:
        opened += [page(client, account.pk) for _number in range(PAGES_EACH - 1)]
    for one in opened[len(people) :]:
        one.wait("state", timeout_s=60)
    after, more = memory_kb(pid), len(list(Path(f"/proc/{pid}/task").iterdir()))
    cpu = cpu_s(pid)
    time.sleep(IDLE_S)
    idle = (cpu_s(pid) - cpu) / IDLE_S
    delays = sorted(_page_delay(live, one, account) for one, (_client, account) in zip(opened, people, strict=False))
    print(
        f"\n{len(opened)} open pages: {before / 1024:.1f} MiB with {len(people)}, {after / 1024:.1f} MiB with all",
        end="",
    )
    print(f" = {(after - before) / (len(opened) - len(people)):.1f} KiB each; {more - threads} threads more", end="")
    print(f"; idle {idle * 100:.2f} % of a core")
    print(f"from Redis to a page: median {statistics.median(delays) * 1000:.1f} ms, most {delays[-1] * 1000:.1f}")


def _signed_in(mailbox_factory: Any, index: int) -> tuple[Client, MailAccount]:
    account = account_of_mailbox(mailbox_factory(f"ana{index}").mailbox)
    client = Client()
    client.force_login(
        account.owner, "accounts.backends.HostedMailboxBackend"
    )  # one address may sign in 30 times a minute
    return client, account


def _page_delay(live: Live, shown: Page, account: MailAccount) -> float:
    while not shown.heard.empty():
        shown.heard.get()
    begun = time.monotonic()
    publish(live.url, Event(account.pk, Kind.NEW))
    shown.change("new")
    return time.monotonic() - begun
