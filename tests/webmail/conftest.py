"""Mailboxes in download mode, with their owners before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from webmail.models import Download, LocalMessage, Pull
from webmail.services.claims import claim
from webmail.services.downloads import Policy, start_download
from webmail.services.schedule import pull_account
from webmail.values import FolderId


def letter(number: int, size: int = 300) -> bytes:
    head = f"From: Eva <eva@afuera.test>\r\nTo: ana@x.test\r\nSubject: Carta {number}\r\nMessage-ID: <{number}@afuera.test>\r\n"
    return f"{head}Date: Fri, 27 Nov 2026 10:0{number % 10}:00 +0000\r\n\r\nHola {number}.\r\n{'x' * size}\r\n".encode()


@dataclass
class Boxed:
    """A hosted mailbox in download mode, its owner's browser, and an IMAP client on the server."""

    client: Client
    account: MailAccount
    imap: Any
    made: Any

    def pull(self) -> Pull:
        download = claim(self.account.pk, by_hand=True)
        assert download
        return pull_account(download, by_hand=True)

    def get(self, name: str, *args: Any, query: str = "", **more: Any) -> str:
        response = self.client.get(reverse(name, args=[self.account.pk, *args]) + query, **more)
        assert response.status_code == 200
        return response.content.decode()

    def post(self, name: str, data: dict[str, Any], **more: Any) -> Any:
        return self.client.post(reverse(name, args=[self.account.pk]), data, **more)

    def change(self, do: str, message: LocalMessage, **more: Any) -> Any:
        url = reverse("messages_change", args=[self.account.pk, FolderId("INBOX")])
        return self.client.post(url, {"do": do, "ref": f"1.{message.pk}", "open": f"1.{message.pk}"}, **more)

    @property
    def download(self) -> Download:
        return Download.objects.get(account=self.account)


def english(client: Client) -> Client:
    client.cookies["casilla_language"] = "en"
    return client


@pytest.fixture
def sign_in(mailbox_factory: Any) -> Callable[..., tuple[Client, Any]]:
    def make(local: str = "ana") -> tuple[Client, Any]:
        made = mailbox_factory(local)
        client = english(Client())
        client.post(reverse("account_login"), {"login": made.address, "password": made.password})
        return client, made

    return make


@pytest.fixture
def boxed(sign_in: Any, imap: Any, settings: Any, tmp_path: Path) -> Boxed:
    settings.STORE_DIR = tmp_path / "store"
    client, made = sign_in()
    server = imap(made.address)
    for number in range(3):
        server.append("INBOX", letter(number))
    account = account_of_mailbox(made.mailbox)
    start_download(account=account, policy=Policy(keep="days", keep_days=14))
    return Boxed(client, account, server, made)
