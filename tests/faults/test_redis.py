"""Redis is lost under open pages, the web server and the watcher, and comes back: pages are served and right all the time,
and say that they are not live; nothing has to be loaded anew by hand."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from tests.live.conftest import AT_ONCE_S, Live, Owner, Page, live, owner, page, watcher, web
from webmail.tokens import encode_folder
from webmail.values import FolderId

__all__ = ["live", "owner", "page", "watcher", "web"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

INBOX = encode_folder(FolderId("INBOX"))


class Visitor:
    """A signed-in browser without its window, on the web server that runs beside the test."""

    def __init__(self, address: str, client: Client) -> None:
        self._host = address.removeprefix("http://")
        self._cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str, float]:
        """(status, text, seconds)."""
        connection = http.client.HTTPConnection(self._host, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body:
            token = self._cookies["casilla_csrf"]
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": token, "HX-Request": "true"}
        begun = time.monotonic()
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        connection.close()
        return response.status, text, time.monotonic() - begun


@pytest.fixture
def lost(live: Live) -> Iterator[Callable[[], None]]:
    """Stops Redis; it runs again after the test."""
    yield lambda: live.stack.stop(["redis"])
    back(live)


def back(live: Live) -> None:
    live.stack.start(["redis"])
    live.stack.wait_ready()


def test_pages_are_served_while_redis_is_away(
    live: Live, web: str, owner: Callable[..., Owner], deliver: Any, imap: Any, lost: Callable[[], None]
) -> None:
    one = owner()
    deliver(one.made.address, letter("antes"))
    visitor = Visitor(web, one.client)
    folder = reverse("folder", args=[one.account.pk, FolderId("INBOX")])
    assert "antes" in visitor.ask("GET", folder)[1]
    lost()
    deliver(one.made.address, letter("mientras tanto"))
    status, text, seconds = visitor.ask("GET", folder)
    assert status == 200
    assert "antes" in text
    assert "mientras tanto" in text
    assert seconds < 5
    other = imap(one.made.address)
    validity = other.select_folder("INBOX")[b"UIDVALIDITY"]
    change = reverse("messages_change", args=[one.account.pk, FolderId("INBOX")])
    assert visitor.ask("POST", change, f"do=star&ref={validity}.1")[0] == 200
    assert b"\\Flagged" in other.get_flags([1])[1]
    message = reverse("message", args=[one.account.pk, FolderId("INBOX"), validity, "2"])
    assert "mientras tanto" in visitor.ask("GET", message)[1]
    assert visitor.ask("GET", reverse("live_part", args=[one.account.pk]) + f"?current={INBOX}&after=")[0] == 200
    back(live)
    deliver(one.made.address, letter("después"))
    assert "después" in visitor.ask("GET", folder)[1]


def test_an_open_page_is_told_and_live_again_by_itself(
    live: Live, watcher: Callable[[], Any], owner: Callable[..., Owner], page: Callable[..., Page], deliver: Any,
    lost: Callable[[], None],
) -> None:  # fmt: skip
    one = owner()
    watcher()
    shown = page(one.client, one.account.pk)
    shown.wait("state", "live")
    lost()
    shown.wait("state", "away")
    deliver(one.made.address, letter("ungehört"))
    newcomer = page(one.client, one.account.pk)
    assert newcomer.response.status == 200
    newcomer.wait("state", "away")
    back(live)
    for each in (shown, newcomer):
        each.live_again()
    deliver(one.made.address, letter("después"))
    shown.change("new", AT_ONCE_S)
    newcomer.change("new", AT_ONCE_S)
