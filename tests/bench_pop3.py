"""What a pull costs, beside fetchmail, getmail6 and mpop on the same server. Not a test: `make bench-pop3` prints tables.

Every program keeps the messages on the server, so that all of them meet the same maildrop. CPU is the program's own with its
children; ours is that of the whole pull in this process, rows, ledger and syncs included, and that of reading the bodies for
search afterwards is told apart. getmail6 and fetchmail fork or take one round trip and more for each message: they get fewer.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.pulling.delay import delayed
from tests.pulling.programs import empty_maildir, fetchmail, getmail, mpop
from webmail.models import Download, LedgerEntry, LocalMessage
from webmail.services.claims import claim
from webmail.services.downloads import Policy, start_download
from webmail.services.schedule import pull_account
from webmail.storage.rows import index_pending

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "10000"))
FEW = 300
RTTS_MS = (0, 50)


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_ms: float

    def line(self, name: str, messages: int, megabytes: float) -> str:
        rate = f"{messages / self.wall_s:9.0f}/s {megabytes / self.wall_s:8.1f} MB/s" if messages else " " * 24
        each = f"{self.cpu_ms / messages:8.3f} CPU-ms each" if messages else f"{self.cpu_ms:8.1f} CPU-ms in all"
        return f"{name:34} {self.wall_s:8.2f} s {rate} {each}"


def measured(action: Callable[[], object]) -> Cost:
    """Wall and CPU of this process and of the children that it waited for."""

    def cpu() -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds)) * 1000

    before, started = cpu(), time.perf_counter()
    action()
    return Cost(time.perf_counter() - started, cpu() - before)


def fill(client: Any, count: int) -> float:
    """So many messages of about 11 kB (log-normal) in the Inbox; gives their megabytes."""
    draw, total = random.Random(11), 0
    for start in range(0, count, 250):
        batch = []
        for number in range(start, min(start + 250, count)):
            head = (
                f"Received: from mx.afuera.test by mail.prueba.test; Tue, 3 Mar 2026 10:00:00 +0000\r\n"
                f"From: =?utf-8?q?Andr=C3=A9s_Mu=C3=B1oz?= <andres{number % 97}@afuera.test>\r\nTo: ana@prueba.test\r\n"
                f"Subject: Pedido {number} de resmas\r\nMessage-ID: <{number}.{draw.random()}@afuera.test>\r\n"
                f"Date: Tue, 3 Mar 2026 10:00:{number % 60:02} +0000\r\nMIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            )
            size = max(200, int(draw.lognormvariate(8.6, 1.1)))
            body = "".join(f"{draw.randrange(10**60):060d} resma\r\n" for _ in range(size // 68))
            batch.append((head + body).encode())
            total += len(batch[-1])
        client.multiappend("INBOX", batch)
    return total / 1e6


@pytest.mark.parametrize("rtt_ms", RTTS_MS)
def test_print_the_table(
    rtt_ms: int, mailbox_factory: Any, imap: Any, stack: Any, settings: Any, tmp_path: Path, capsys: Any
) -> None:
    settings.STORE_DIR = Path(os.environ.get("BENCH_STORE", str(tmp_path))) / "store"
    big, small = mailbox_factory("mucho", quota_bytes=10**12), mailbox_factory("poco", quota_bytes=10**12)
    sizes = {big.address: fill(imap(big.address), MESSAGES), small.address: fill(imap(small.address), FEW)}
    with capsys.disabled(), delayed(stack.ports.pop3, rtt_s=rtt_ms / 1000) as port:
        settings.POP3_PORT = port
        print(
            f"\n{rtt_ms} ms round trip; {MESSAGES} messages, {sizes[big.address]:.0f} MB; the slow ones {FEW} messages"
        )
        ours(account_of_mailbox(big.mailbox), sizes[big.address])
        for name, run, box, count in (
            ("mpop", mpop, big, MESSAGES),
            ("getmail6", getmail, small, FEW),
            ("fetchmail with an mda", fetchmail, small, FEW),
        ):
            folder = tmp_path / name.split()[0]
            report(
                name,
                lambda run=run, box=box, folder=folder: run(folder, box.address, port),
                count,
                sizes[box.address],
                folder,
            )


def test_large_messages(mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path, capsys: Any) -> None:
    """Megabytes a second: 300 messages of 100 kB, and ten of 10 MB."""
    settings.STORE_DIR = Path(os.environ.get("BENCH_STORE", str(tmp_path))) / "store"
    made = mailbox_factory("grandes", quota_bytes=10**12)
    client, draw, total = imap(made.address), random.Random(3), 0
    for size in [100_000] * 300 + [10_000_000] * 10:
        raw = b"Subject: grande\r\n\r\n" + b"".join(
            draw.randbytes(57).hex().encode() + b"\r\n" for _ in range(size // 116)
        )
        client.append("INBOX", raw)
        total += len(raw)
    start_download(account=account_of_mailbox(made.mailbox), policy=Policy(keep=Download.Keep.ALWAYS))
    claimed = claim(account_of_mailbox(made.mailbox).pk, by_hand=True)
    assert claimed
    with capsys.disabled():
        print("\n" + measured(lambda: pull_account(claimed)).line("Casilla, large messages", 310, total / 1e6))
    assert LocalMessage.objects.count() == 310


def ours(account: MailAccount, megabytes: float) -> None:
    download = start_download(account=account, policy=Policy(keep=Download.Keep.ALWAYS))

    def pull() -> None:
        claimed = claim(account.pk, by_hand=True)
        assert claimed
        pull = pull_account(claimed)
        assert pull.outcome == "complete", (pull.problem, pull.detail)

    print(measured(pull).line("Casilla", MESSAGES, megabytes))
    assert LocalMessage.objects.filter(account=account).count() == MESSAGES
    assert LedgerEntry.objects.filter(account=account).count() == MESSAGES
    print(measured(pull).line("  nothing new, the ledger compared", 0, 0))
    print(measured(pull).line("  nothing new", 0, 0))
    print(
        measured(lambda: index_pending(account.pk, limit=MESSAGES)).line(
            "  bodies read for search", MESSAGES, megabytes
        )
    )
    assert download.account_id == account.pk


def report(name: str, run: Callable[[], None], count: int, megabytes: float, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    empty_maildir(folder)
    print(measured(run).line(name, count, megabytes))
    arrived = len(list((folder / "Maildir" / "new").iterdir()))
    assert arrived == count, arrived
    print(measured(run).line("  nothing new", 0, 0))
