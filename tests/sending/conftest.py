"""Two people on the real servers, letters to send, and a look into their folders."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone
from imapclient import IMAPClient

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from webmail.imap.pool import pool
from webmail.models import Outgoing
from webmail.services.sending import enqueue

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """A hosted mailbox, the account that opens it, and what is in it."""

    account: MailAccount
    imap: IMAPClient
    hosted: Any

    @property
    def address(self) -> str:
        return self.account.address

    def copies(self, folder: str, message_id: str) -> list[tuple[tuple[bytes, ...], bytes]]:
        """(flags, octets) of each message of this Message-ID in a folder."""
        self.imap.select_folder(folder, readonly=True)
        found = self.imap.search(["HEADER", "Message-ID", message_id])
        rows = self.imap.fetch(found, ["FLAGS", "BODY.PEEK[]"]) if found else {}
        self.imap.unselect_folder()
        return [(row[b"FLAGS"], row[b"BODY[]"]) for row in rows.values()]


@pytest.fixture
def person(mailbox_factory: Any, imap: Any) -> Iterator[Callable[[str], Person]]:
    def make(local: str) -> Person:
        hosted = mailbox_factory(local)
        return Person(account_of_mailbox(hosted.mailbox), imap(hosted.address), hosted)

    yield make
    pool.close_all()


@pytest.fixture
def ana(person: Any) -> Person:
    return person("ana")


@pytest.fixture
def bob(person: Any) -> Person:
    return person("bob")


def letter(sender: str, to: str, *, text: str = "Hola.\r\n.punto\r\n", message_id: str = "") -> tuple[str, bytes]:
    """A Message-ID and a message that has it."""
    message_id = message_id or f"<carta-{next(_numbers)}@casilla.test>"
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: Prueba\r\nMessage-ID: {message_id}\r\n"
    return message_id, f"{head}Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\r\n{text}".encode()


def put_on_way(account: MailAccount, *recipients: str, text: str = "Hola.\r\n", **more: Any) -> Outgoing:
    """A letter to these addresses, due now unless `send_at` says otherwise."""
    message_id, raw = letter(account.address, recipients[0], text=text)
    given = {"send_at": timezone.now(), "sender": account.address, "raw": raw, "message_id": message_id} | more
    return enqueue(account=account, recipients=list(recipients), subject="Prueba", **given)


def queued(redis_url: str) -> list[list[Any]]:
    """The arguments of the tasks that wait in the broker."""
    import base64

    import redis

    with redis.Redis.from_url(redis_url) as client:
        tasks = [json.loads(entry) for entry in client.lrange("celery", 0, -1)]
    return [json.loads(base64.b64decode(task["body"]))[0] for task in tasks]
