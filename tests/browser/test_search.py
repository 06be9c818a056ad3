"""A search in the text of messages goes on while somebody looks, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.contract.test_source import letter
from webmail.sources import body_search

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_hits_come_while_it_searches_and_stop_stops(
    signed_in: Callable[..., tuple[Visit, Any]], imap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FIRST_RATE": 5, "SMALLEST": 5, "GROWTH": 1, "ENOUGH_S": 0.0}.items():
        monkeypatch.setattr(body_search, name, value)

    def fill(made: Any) -> None:
        client = imap(made.address)
        for number in range(20):
            client.append(
                "INBOX", letter(f"Mensaje {number:03}", day=number - 40, body="gofrado" if number < 14 else "liso")
            )

    window, _made = signed_in(fill)
    page, held = window.page, list[Route]()
    page.route("**/search/**", lambda route: held.append(route))

    def let_go() -> None:
        while not held:
            page.wait_for_timeout(20)
        held.pop(0).continue_()

    page.goto(page.url.partition("?")[0] + "?" + urlencode({"q": "gofrado", "body": "1"}))
    line = page.locator(".search-line")
    expect(line.locator("progress")).to_have_js_property("value", 5)
    expect(page.locator("#list .row")).to_have_count(0)
    let_go()
    expect(page.locator("#list .row")).to_have_count(4)
    line.locator("[data-search-stop]").focus()
    let_go()
    expect(page.locator("#list .row")).to_have_count(9)
    expect(line.locator("[data-search-stop]")).to_be_focused()
    expect(line.locator("progress")).to_have_js_property("value", 15)
    line.locator("[data-search-stop]").click()
    expect(line.locator("[data-search-on]")).to_be_visible()
    asked = len(held)
    page.wait_for_timeout(150)
    assert len(held) == asked, "nobody asks after Stop"
    held.clear()
    line.locator("[data-search-on]").click()
    let_go()
    expect(page.locator("#list .row")).to_have_count(14)
    expect(line.locator("progress")).to_have_count(0)
    page.wait_for_timeout(100)
    assert not held, "it has come to its end"
    assert not window.complaints


def test_the_field_fills_the_list_and_back_empties_it(signed_in: Callable[..., tuple[Visit, Any]], imap: Any) -> None:
    def fill(made: Any) -> None:
        client = imap(made.address)
        for word in ("Factura", "Pedido", "Factura dos"):
            client.append("INBOX", letter(word))

    window, _made = signed_in(fill)
    page = window.page
    page.evaluate("window.stays = 1")
    rows = page.locator("#list .row")
    expect(rows).to_have_count(3)
    page.fill("#search-words", "factura")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    assert "q=factura" in page.url
    expect(page.locator("#search-words")).to_have_value("factura")
    page.locator("#list [data-search-end]").click()
    expect(rows).to_have_count(3)
    page.go_back()
    expect(rows).to_have_count(2)
    page.go_back()
    expect(rows).to_have_count(3)
    assert "q=" not in page.url
    assert page.evaluate("window.stays") == 1, "the page was not loaded anew"
    assert not window.complaints
