"""Mailboxes with filters, on the real servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from email.message import EmailMessage
from typing import Any

import pytest

from deploy.stack import Stack
from webmail.sieve.client import SieveSession, open_session
from webmail.sieve.rules import Filters
from webmail.sieve.script import OWN, write_script
from webmail.values import Credentials, Endpoint

Open = Callable[[Any], AbstractContextManager[SieveSession]]


@pytest.fixture
def sieve(stack: Stack) -> Open:
    """Opens the scripts of a hosted mailbox as Casilla does: over TLS, through the master user."""

    def open_(made: Any) -> AbstractContextManager[SieveSession]:
        endpoint = Endpoint("localhost", stack.ports.sieve, "starttls")
        credentials = Credentials(made.master_login, stack.secrets.master, origin="192.0.2.7", session="web-1-abc")
        return open_session(endpoint, credentials, ca_file=str(stack.ca_file))

    return open_


@pytest.fixture
def install(sieve: Open) -> Callable[[Any, Filters], str]:
    """Stores filters in a mailbox and lets them run; gives their text."""

    def store(made: Any, filters: Filters) -> str:
        text = write_script(filters)
        with sieve(made) as session:
            session.put(OWN, text)
            session.activate(OWN)
        return text

    return store


@pytest.fixture
def one_session(sieve: Open, mailbox_factory: Any) -> Iterator[SieveSession]:
    """A session with a new mailbox."""
    with sieve(mailbox_factory("ana")) as session:
        yield session


def letter(sender: str, to: str, subject: str = "Hola", *, size: int = 0, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{time.monotonic_ns()}@afuera.test>"
    message["Date"] = "Fri, 27 Nov 2026 10:00:00 +0000"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hola.\n" + "x" * 70 + "\n" + ("y" * 70 + "\n") * (size // 71))
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def count(client: Any, folder: str) -> int:
    """How many messages are in a folder; 0 when there is none of this name."""
    if not client.folder_exists(folder):
        return 0
    return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])


def wait_for(client: Any, folder: str, number: int, *, within_s: float = 6.0) -> int:
    """How many messages are in a folder, waiting for so many: what filters send goes through Postfix."""
    until = time.monotonic() + within_s
    while (seen := count(client, folder)) < number and time.monotonic() < until:
        time.sleep(0.03)
    return seen
