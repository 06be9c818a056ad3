"""A session lasts only as long as what it was opened with."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.provisioning.passwords import hash_mailbox_password

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def opened(mailbox_factory: Any) -> tuple[Client, Any]:
    made = mailbox_factory("ana")
    client = Client()
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    assert client.get(reverse("settings")).status_code == 200
    return client, made.mailbox


def test_a_new_mailbox_password_ends_open_sessions(opened: tuple[Client, Any]) -> None:
    client, mailbox = opened
    mailbox.password = hash_mailbox_password("otra clave larga")
    mailbox.save()
    assert client.get(reverse("settings")).status_code == 302


@pytest.mark.parametrize("switch", ["active", "imap"])
def test_a_suspended_mailbox_is_out_of_every_page_at_once(opened: tuple[Client, Any], switch: str) -> None:
    client, mailbox = opened
    setattr(mailbox, switch, False)
    mailbox.save()
    assert client.get(reverse("settings")).status_code == 302
    assert client.get("/").status_code == 302
