"""Servers of somebody else without NOTIFY: Courier and Cyrus. One IDLE for the Inbox and for each folder that is open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from imapclient import IMAPClient

from accounts.models import MailAccount, User
from accounts.vault import seal
from tests.contract.conftest import courier, cyrus
from tests.contract.test_source import letter
from tests.imap.courier import LOGIN, PASSWORD, Courier
from tests.imap.cyrus import Cyrus
from tests.live.conftest import AT_ONCE_S, SOON_S, Live
from webmail.live.events import Kind, State
from webmail.values import FolderId

__all__ = ["courier", "cyrus"]
pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COURIER_LOOKS_S = 3.0
"""Courier looks for changes every second here (courier.sh); it is not told of them."""


@pytest.fixture
def account(courier: Courier) -> MailAccount:
    courier.reset("Sent", "Obras")
    owner = User.objects.create_user("ana@courier.test")
    where = {"imap_host": courier.endpoint.host, "imap_port": courier.endpoint.port, "imap_tls": "none"}
    return MailAccount.objects.create(owner=owner, address=LOGIN, login=LOGIN, **where)


@pytest.fixture
def other(courier: Courier) -> Any:
    client = IMAPClient(courier.endpoint.host, courier.endpoint.port, ssl=False)
    client.login(LOGIN, PASSWORD)
    yield client
    client.shutdown()


def sealed(account: MailAccount, password: str = PASSWORD) -> str:
    return seal(json.dumps([LOGIN, password]), context=f"live:{account.pk}")


def test_the_inbox_and_the_open_folder_are_watched(
    live: Live, watcher: Callable[[], Any], account: MailAccount, other: IMAPClient
) -> None:
    watcher()
    ear = live.watched(account.pk, FolderId("INBOX.Obras"), secret=sealed(account), state=State.PARTLY)
    other.append("INBOX", letter("uno"))
    ear.kind(Kind.NEW, folder="INBOX", timeout_s=COURIER_LOOKS_S)
    other.append("INBOX.Obras", letter("dos"))
    ear.kind(Kind.NEW, folder="INBOX.Obras", timeout_s=COURIER_LOOKS_S)
    other.select_folder("INBOX")
    other.add_flags([1], [b"\\Flagged"])
    ear.kind(Kind.FLAGS, folder="INBOX", timeout_s=COURIER_LOOKS_S)
    other.delete_messages([1])
    other.expunge()
    ear.kind(Kind.GONE, folder="INBOX", timeout_s=COURIER_LOOKS_S)
    other.append("INBOX.Sent", letter("nadie mira"))
    assert ear.quiet(2)
    live.wish(account.pk, FolderId("INBOX.Sent"))
    ear.kind(Kind.ALL, folder="INBOX.Sent")
    other.append("INBOX.Sent", letter("ahora sí"))
    ear.kind(Kind.NEW, folder="INBOX.Sent", timeout_s=COURIER_LOOKS_S)


def test_without_a_password_at_hand_or_with_a_wrong_one_it_is_refused(
    live: Live, watcher: Callable[[], Any], account: MailAccount
) -> None:
    watcher()
    live.wish(account.pk)
    live.until(lambda: live.state(account.pk) is State.REFUSED)
    live.wish(account.pk, secret=sealed(account, "otra"))
    live.until(lambda: live.state(account.pk) is State.REFUSED)
    live.wish(account.pk, secret=sealed(account))
    live.until(lambda: live.state(account.pk) is State.PARTLY, timeout_s=3 * SOON_S)


def test_a_folder_that_is_not_there_spoils_nothing(
    live: Live, watcher: Callable[[], Any], account: MailAccount, other: IMAPClient
) -> None:
    watcher()
    ear = live.watched(account.pk, FolderId("INBOX.Nunca"), secret=sealed(account), state=State.PARTLY)
    other.append("INBOX", letter("uno"))
    ear.kind(Kind.NEW, folder="INBOX", timeout_s=COURIER_LOOKS_S)


@pytest.mark.variants
def test_cyrus_tells_at_once(live: Live, watcher: Callable[[], Any], cyrus: Cyrus) -> None:
    """It has IDLE and QRESYNC, so what leaves is told by VANISHED; it never says EXPUNGE then."""
    made = cyrus.new_mailbox()
    where = {"imap_host": cyrus.endpoint.host, "imap_port": cyrus.port, "imap_tls": "none"}
    owner = User.objects.create_user(made.login)
    account = MailAccount.objects.create(owner=owner, address=made.login, login=made.login, **where)
    secret = seal(json.dumps([made.login, made.password]), context=f"live:{account.pk}")
    client = IMAPClient(cyrus.endpoint.host, cyrus.port, ssl=False)
    client.login(made.login, made.password)
    client.create_folder("Obras")
    watcher()
    ear = live.watched(account.pk, FolderId("Obras"), secret=secret, state=State.PARTLY)
    for folder in ("INBOX", "Obras"):
        client.append(folder, letter("uno"))
        ear.kind(Kind.NEW, folder=folder, timeout_s=AT_ONCE_S)
        client.select_folder(folder)
        client.add_flags([1], [b"\\Flagged"])
        ear.kind(Kind.FLAGS, folder=folder, timeout_s=AT_ONCE_S)
        client.delete_messages([1])
        client.expunge()
        ear.kind(Kind.GONE, folder=folder, timeout_s=AT_ONCE_S)
    client.append("Sent", letter("nadie mira"))
    assert ear.quiet(2)
    client.shutdown()
