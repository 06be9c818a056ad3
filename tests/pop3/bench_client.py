"""What the POP3 edge alone costs, with nothing behind it. Not a test; prints tables:

    TESTING=1 .venv/bin/python -m pytest -p tests.stack tests/pop3/bench_client.py -p no:randomly

CPU is that of the one thread that retrieves: the delaying line works in others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.bench_pop3 import fill
from tests.conftest import HostedMailbox, MailboxFactory
from tests.pulling.delay import delayed
from webmail.pop3.client import Pop3Session, connect
from webmail.pop3.flow import Wanted
from webmail.pop3.listing import Listing
from webmail.values import Credentials, Endpoint

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "10000"))
LARGE, LARGE_BYTES = 200, 1_000_000
LINES = 10_000


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_ms: float


def measured(action: Callable[[], object]) -> Cost:
    """Wall and CPU of this thread."""
    cpu, wall = time.thread_time(), time.perf_counter()
    action()
    return Cost(time.perf_counter() - wall, (time.thread_time() - cpu) * 1000)


@pytest.fixture
def boxes(mailbox_factory: MailboxFactory, imap: Any) -> list[tuple[str, HostedMailbox]]:
    small, large = (mailbox_factory(name, quota_bytes=10**12) for name in ("chicos", "grandes"))
    fill(imap(small.address), MESSAGES)
    client = imap(large.address)
    body = (b"z" * 76 + b"\r\n") * (LARGE_BYTES // 78)
    for number in range(LARGE):
        client.append("INBOX", b"Subject: %d\r\n\r\n" % number + body)
    return [("11 kB", small), ("1 MB", large)]


def test_print_what_retrieving_costs(
    boxes: list[tuple[str, HostedMailbox]], stack: Stack, tmp_path: Path, capsys: Any
) -> None:
    with capsys.disabled():
        print()
        for rtt_ms in (0, 50):
            for tls in ("none", "starttls"):
                with delayed(stack.ports.pop3, rtt_s=rtt_ms / 1000) as port:
                    endpoint = Endpoint(LOOPBACK, port, tls)  # type: ignore[arg-type]
                    for size, box in boxes:
                        fetch(f"{size:6} {rtt_ms:3} ms {tls:8}", endpoint, box, str(stack.ca_file), tmp_path)


def fetch(name: str, endpoint: Endpoint, box: HostedMailbox, ca_file: str, spool: Path) -> None:
    found: list[Listing] = []
    opened: list[Pop3Session] = []

    def begin(*, pipelined: bool) -> None:
        opened.append(connect(endpoint, ca_file=ca_file))
        found.append(opened[-1].login_and_list(Credentials(box.address, box.password), pipelined=pipelined))

    slow = measured(lambda: begin(pipelined=False))
    opened[0].quit()
    quick = measured(lambda: begin(pipelined=True))
    session, listing = opened[1], found[1]
    sizes = session.sizes()
    wanted = [Wanted(line.number, sizes[line.number], line.uidl) for line in listing.messages]
    total = 0

    def retrieve() -> None:
        nonlocal total
        for one in session.retrieve(wanted, spool):
            total += one.size_bytes
            if one.path:
                one.path.unlink()

    cost = measured(retrieve)
    session.quit()
    assert total == sum(sizes.values())
    count = len(wanted)
    print(
        f"{name} {count / cost.wall_s:8.0f}/s {total / 1e6 / cost.wall_s:7.1f} MB/s {cost.cpu_ms / count:7.3f} CPU-ms each;"
        f" connect, log in and list {slow.wall_s * 1000:5.0f} ms, in one flight {quick.wall_s * 1000:5.0f} ms"
    )


def test_print_what_a_listing_costs(capsys: Any) -> None:
    raw = b"".join(b"%d %08x%08x\r\n" % (number, number * 7919, number) for number in range(1, LINES + 1))
    listing = Listing(raw, has_uidl=True)
    digest, lines = measured(lambda: listing.digest), measured(lambda: listing.messages)
    with capsys.disabled():
        print(f"\n{LINES} lines: digest {digest.cpu_ms:.2f} CPU-ms, parsed {lines.cpu_ms:.2f} CPU-ms")
