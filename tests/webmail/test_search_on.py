"""How a search in the text of messages is told and driven, with a script and without."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from webmail.sources import body_search

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ana(mailbox_factory: Any, imap: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    for name, value in {"FIRST_RATE": 3, "SMALLEST": 3, "GROWTH": 1, "ENOUGH_S": 0.0}.items():
        monkeypatch.setattr(body_search, name, value)
    made = mailbox_factory("ana")
    connection = imap(made.address)
    for number in range(7):
        connection.append("INBOX", letter(f"n{number}", day=number, body="cartulina" if number < 2 else "papel"))
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return client


def test_a_search_goes_on_by_its_address_and_by_a_link(ana: Client, mailbox_factory: Any) -> None:
    folder = ana.get("/", follow=True).redirect_chain[-1][0]
    page = ana.get(f"{folder}?q=cartulina&body=1").content.decode()
    found = re.search(r'data-url="([^"]*/search/[^"]*)"', page)
    assert found
    assert re.search(r'<progress[^>]*max="7" value="3"', page)
    assert "parts/state" not in page
    assert "n1" not in page, "nothing was found yet, and nothing says that there is nothing"
    address = found[1].replace("&amp;", "&")
    link = re.search(r'href="([^"]*on=1)"', page)
    assert link
    page = ana.get(folder + link[1].replace("&amp;", "&")).content.decode()
    assert re.search(r'<progress[^>]*value="6"', page)
    assert ">n1<" in page
    line = ana.get(address).content.decode()
    assert 'data-found="2"' in line
    assert "data-more" not in line
    assert 'data-behaviour="search"' not in ana.get(f"{folder}?q=cartulina&body=1").content.decode()
    assert ana.post(address).status_code == 405
    assert Client().get(address).status_code == 302
    stranger, other = Client(), mailbox_factory("beto")
    stranger.post(reverse("account_login"), {"login": other.address, "password": other.password})
    assert stranger.get(address).status_code == 404
