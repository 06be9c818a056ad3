"""What a list costs after a gap in which messages left the folder, by size of the Inbox: round trips, octets from the server,
CPU of this process. Not a test: `make bench-gap` prints it (BENCH_SIZES). Every third message of the folder is missing, as in
a mailbox that has been used for years; then ten more leave, ten come, and ten are marked."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from tests.bench_lists import fill
from tests.contract.test_source import letter
from webmail.imap.pool import pool
from webmail.sources import patching
from webmail.sources.cache import _recent_orders
from webmail.sources.imap import open_imap
from webmail.values import Credentials, Endpoint, FolderId, Query, Window

pytestmark = [pytest.mark.server, pytest.mark.timeout(3600)]
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(",")]
TEN = 10


def test_print_the_table(mailbox_factory: Any, imap: Any, stack: Any, capsys: Any, monkeypatch: Any) -> None:
    endpoint, url = Endpoint("127.0.0.1", stack.ports.imap, "none"), stack.environment()["REDIS_URL"]
    with capsys.disabled():
        print(f"\nafter a gap of 10 gone, 10 new, 10 marked{'':4} {'trips':>6} {'octets':>9} {'web ms':>7}")
        for size in SIZES:
            made = mailbox_factory(f"n{size}", quota_bytes=10**13)
            client = imap(made.address)
            client.append("INBOX", letter("una"))
            client.append("INBOX", letter("dos"))
            fill(client, size * 3 // 2)

            for first in range(1, size * 3 // 2, 3_000):
                some = b",".join(b"%d" % uid for uid in range(first, first + 3_000, 3))
                client._imap.send(b"k2 UID STORE %s +FLAGS.SILENT (\\Deleted)\r\n" % some)
                _answered(client, b"k2 ")
            client._imap.send(b"k3 EXPUNGE\r\n")
            _answered(client, b"k3 ")
            for name, runs in (("what is there is asked", 10**9), ("what vanished is asked", 0)):
                monkeypatch.setattr(patching, "RUNS", runs)
                key = f"{size}{runs}"
                source = open_imap(endpoint, Credentials(made.address, made.password), account_key=key, redis_url=url)
                source.page(FolderId("INBOX"), Query(), Window(0, 50))
                source.close()
                pool.close_all()
                client.select_folder("INBOX")
                uids = client.search()
                client.delete_messages(uids[5 : 5 + TEN])
                client.expunge()
                client.multiappend("INBOX", [letter("nueva", day=at) for at in range(TEN)])
                client.add_flags(uids[30 : 30 + TEN], [b"\\Flagged"])
                _recent_orders.__init__(_recent_orders._limit, _recent_orders._weigh)  # type: ignore[misc]
                source = open_imap(endpoint, Credentials(made.address, made.password), account_key=key, redis_url=url)
                connection = source.connection
                connection.count_from_here()
                used = time.process_time()
                source.page(FolderId("INBOX"), Query(), Window(0, 50))
                used = (time.process_time() - used) * 1000
                print(
                    f"Inbox of {size:7}, {name:24} {connection.round_trips:6} {connection.bytes_in:9} {used:7.1f}",
                    flush=True,
                )
                source.close()
                pool.close_all()


def _answered(client: Any, tag: bytes) -> None:
    while not client._imap.file.readline().startswith(tag):
        pass
