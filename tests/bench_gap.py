"""What a list costs after a gap in which messages left the folder, by size of the Inbox: round trips, octets from the server,
CPU of this process. Not a test: `make bench-gap` prints it (BENCH_SIZES). Every third message of the folder is missing, as in
a mailbox that has been used for years, and every fourth unread; then ten more leave, ten come, and some are marked ("change"), or
some are marked ("mark"). Every list is that of a new connection."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from tests.bench_lists import fill
from tests.contract.test_source import letter
from webmail.imap.pool import pool
from webmail.sources import listing
from webmail.sources.cache import _recent_orders
from webmail.sources.imap import open_imap
from webmail.values import Credentials, Endpoint, FolderId, Query, Window

pytestmark = [pytest.mark.server, pytest.mark.timeout(3600)]
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(",")]
TEN = 10
INBOX = FolderId("INBOX")
QUERIES = {"all": Query(), "unread": Query(unread=True), "starred": Query(flagged=True)}


def test_print_the_table(mailbox_factory: Any, imap: Any, stack: Any, capsys: Any, monkeypatch: Any) -> None:
    endpoint, url = Endpoint("127.0.0.1", stack.ports.imap, "none"), stack.environment()["REDIS_URL"]
    with capsys.disabled():
        print(f"\n{'Inbox, gap, list':49} {'trips':>6} {'octets':>9} {'web ms':>7}")
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
            for first in range(1, size * 3 // 2, 4_000):  # every fourth or so was never read
                some = b",".join(b"%d" % uid for uid in range(first, first + 4_000) if uid % 4)
                client._imap.send(b"k4 UID STORE %s +FLAGS.SILENT (\\Seen)\r\n" % some)
                _answered(client, b"k4 ")
            for way in ("asked anew", "what happened is told"):
                key = f"{size}{way}"
                opening = lambda key=key, made=made: open_imap(  # noqa: E731
                    endpoint, Credentials(made.address, made.password), account_key=key, redis_url=url
                )
                for query in QUERIES.values():
                    with opening() as source:
                        source.page(INBOX, query, Window(0, 50))
                pool.close_all()
                with monkeypatch.context() as patched:
                    if way == "asked anew":
                        patched.setattr(listing, "read_since", lambda *_heads: None)
                        patched.setattr(listing, "changes_commands", lambda *_what: {})
                    for gap in (change, mark):
                        gap(client)
                        for name, query in QUERIES.items():
                            _recent_orders.__init__(_recent_orders._limit, _recent_orders._weigh)  # type: ignore[misc]
                            with opening() as source:
                                connection = source.connection
                                connection.count_from_here()
                                used = time.process_time()
                                source.page(INBOX, query, Window(0, 50))
                                used = (time.process_time() - used) * 1000
                                what = f"{size:7}, {gap.__name__:6}, {name:7}, {way:22}"
                                print(
                                    f"{what} {connection.round_trips:6} {connection.bytes_in:9} {used:7.1f}", flush=True
                                )
                            pool.close_all()


def change(client: Any) -> None:
    """Ten leave, ten come, ten are marked."""
    client.select_folder("INBOX")
    uids = client.search()
    client.delete_messages(uids[5 : 5 + TEN])
    client.expunge()
    client.multiappend("INBOX", [letter("nueva", day=at) for at in range(TEN)])
    mark(client)


def mark(client: Any) -> None:
    """Ten are read and ten starred, among the others."""
    client.select_folder("INBOX")
    uids = client.search()
    client.add_flags(uids[30 : 30 + TEN * 7 : 7], [b"\\Flagged"])
    client.add_flags([uid for uid in client.search("UNSEEN") if uid % 11 == 0][:TEN], [b"\\Seen"])


def _answered(client: Any, tag: bytes) -> None:
    while not client._imap.file.readline().startswith(tag):
        pass
