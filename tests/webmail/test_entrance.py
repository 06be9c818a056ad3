"""What the sign-in page tells of a server before anybody signed in: never whether a mailbox exists."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def empty_cache(redis: Any) -> None:
    cache.clear()


def asked(address: str) -> str:
    return Client().get(reverse("server_lookup"), {"login": address}).content.decode()


def test_a_hosted_domain_is_ours_whoever_is_asked_about(mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    domain = made.address.partition("@")[2]
    assert "Servidor encontrado" in asked(made.address)
    assert asked(made.address) == asked(f"nobody-has-this-name@{domain}")


def test_a_listed_server_is_named(settings: Any) -> None:
    settings.MAIL_SERVERS = '{"otro.example": {"imap": "imap.otro.example:993:tls"}}'
    page = asked("ana@otro.example")
    assert "imap.otro.example" in page
    assert "993" in page


def test_an_unknown_server_is_said_to_be_unknown_also_of_a_person(settings: Any) -> None:
    settings.MAIL_DISCOVERY = False
    User.objects.create_user("jefa@nada.example", password="x-9381-lkj")
    assert "No conocemos" in asked("jefa@nada.example")
    assert asked("jefa@nada.example") == asked("otra@nada.example")


@pytest.mark.parametrize("text", ["", "ana", "ana@", "@x.cl", "ana@localhost", "a\r\nb@x.example<script>", "x" * 5000])
def test_what_is_no_address_is_answered_quietly(settings: Any, text: str) -> None:
    settings.MAIL_DISCOVERY = False
    answer = Client().get(reverse("server_lookup"), {"login": text})
    assert answer.status_code == 200
    assert b"<script>" not in answer.content


def test_only_so_many_lookups_a_minute(settings: Any) -> None:
    settings.MAIL_DISCOVERY = False
    client = Client()
    codes = [client.get(reverse("server_lookup"), {"login": f"a@x{n}.example"}).status_code for n in range(25)]
    assert codes.count(429) == 5
    assert client.post(reverse("server_lookup")).status_code == 405
