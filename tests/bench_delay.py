"""How soon a change by another program is an event, by server. Not a test: `make bench-watch` prints it, DELAY_EVENTS says of how
many (50). From the end of the other program's command to the event in Redis."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from imapclient import IMAPClient

from accounts.models import MailAccount, User
from accounts.vault import seal
from tests.contract.conftest import courier, cyrus
from tests.contract.test_source import letter
from tests.imap.courier import LOGIN, PASSWORD, Courier
from tests.imap.cyrus import Cyrus
from tests.imap.proxy import proxied
from tests.live.conftest import Listening, Live, live, watcher
from webmail.live.events import Kind, State

__all__ = ["courier", "cyrus", "live", "watcher"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]

EVENTS = int(os.environ.get("DELAY_EVENTS", "50"))
Start = Callable[[], Any]


def foreign(address: str, password: str, port: int) -> tuple[MailAccount, str]:
    """An account on another server, and its sealed password."""
    where = {"imap_host": "127.0.0.1", "imap_port": port, "imap_tls": "none"}
    owner = User.objects.create_user(f"espera{port}@x.test")
    account = MailAccount.objects.create(owner=owner, address=address, login=address, **where)
    return account, seal(json.dumps([address, password]), context=f"live:{account.pk}")


@pytest.fixture(autouse=True)
def _a_long_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page renews it here."""
    monkeypatch.setattr("webmail.live.board.WISH_S", 3600)


@pytest.fixture
def other(mailbox_factory: Any, imap: Any) -> tuple[Any, IMAPClient]:
    made = mailbox_factory("ana")
    return made, imap(made.address)


def test_dovecot_with_notify(live: Live, watcher: Start, other: tuple[Any, IMAPClient], stack: Any) -> None:
    made, client = other
    with proxied("127.0.0.1", stack.ports.imap) as proxy:
        account, secret = foreign(made.address, made.password, proxy.port)
        watcher()
        measure("Dovecot, NOTIFY", live.watched(account.pk, secret=secret, state=State.LIVE), client)


def test_dovecot_without_notify(live: Live, watcher: Start, other: tuple[Any, IMAPClient], stack: Any) -> None:
    made, client = other
    with proxied("127.0.0.1", stack.ports.imap, hide=("NOTIFY",)) as proxy:
        account, secret = foreign(made.address, made.password, proxy.port)
        watcher()
        measure("Dovecot, IDLE", live.watched(account.pk, secret=secret, state=State.PARTLY), client)


@pytest.fixture
def at_courier(courier: Courier) -> Iterator[IMAPClient]:
    courier.reset()
    client = IMAPClient(courier.endpoint.host, courier.endpoint.port, ssl=False)
    client.login(LOGIN, PASSWORD)
    yield client
    client.shutdown()


def test_courier(live: Live, watcher: Start, courier: Courier, at_courier: IMAPClient) -> None:
    account, secret = foreign(LOGIN, PASSWORD, courier.port)
    watcher()
    measure("Courier, IDLE", live.watched(account.pk, secret=secret, state=State.PARTLY), at_courier)


def test_cyrus(live: Live, watcher: Start, cyrus: Cyrus) -> None:
    made = cyrus.new_mailbox()
    account, secret = foreign(made.login, made.password, cyrus.port)
    client = IMAPClient(cyrus.endpoint.host, cyrus.port, ssl=False)
    client.login(made.login, made.password)
    watcher()
    measure("Cyrus, IDLE", live.watched(account.pk, secret=secret, state=State.PARTLY), client)
    client.shutdown()


def measure(name: str, ear: Listening, client: IMAPClient) -> None:
    """New messages, marks and expunges in turn."""
    delays: dict[Kind, list[float]] = {Kind.NEW: [], Kind.FLAGS: [], Kind.GONE: []}
    client.select_folder("INBOX")
    for number in itertools.islice(itertools.count(), EVENTS):
        client.append("INBOX", letter(f"número {number}"))
        _hear(ear, Kind.NEW, delays)
        client.noop()
        uids = client.search()
        client.add_flags(uids[-1:], [b"\\Flagged"])
        _hear(ear, Kind.FLAGS, delays)
        client.delete_messages(uids[-1:])
        client.expunge()
        _hear(ear, Kind.GONE, delays)
    for kind, found in delays.items():
        found.sort()
        print(
            f"\n{name}, {kind}: median {statistics.median(found):.3f} s, 99 % {found[int(len(found) * 0.99)]:.3f}, "
            f"least {found[0]:.3f}",
            end="",
        )


def _hear(ear: Listening, kind: Kind, delays: dict[Kind, list[float]]) -> None:
    begun = time.monotonic()
    ear.kind(kind, folder="INBOX")
    delays[kind].append(time.monotonic() - begun)
    ear.quiet(0.7)
