"""What an open page shows while parts of Casilla are gone, and that it mends itself: nobody has to load it anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_live import ROW, at_once, opened, row, said, wait_live
from tests.contract.test_source import letter
from tests.live.conftest import Live, live, watcher, web

__all__ = ["live", "opened", "watcher", "web"]
pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Start = Callable[[], Any]
SOON_MS = 20_000


def wait_state(page: Any, state: str) -> None:
    page.wait_for_selector(f'.live[data-behaviour][data-state="{state}"]', timeout=SOON_MS)


def test_the_open_folder_is_deleted_elsewhere(opened: Any, watcher: Start, imap: Any) -> None:
    watcher()
    window, made = opened(count=2)
    page, other = window.page, imap(made.address)
    other.append("Obras", letter("Plano"))
    page.locator("#tree a", has_text="Obras").click()
    expect(row(page, "Plano")).to_have_count(1)
    wait_live(page)
    other.delete_folder("Obras")
    expect(page.locator(ROW)).to_have_count(0, timeout=SOON_MS)
    expect(page.locator("#list .state")).to_be_visible()
    expect(page.locator("#tree a", has_text="Obras")).to_have_count(0)  # subscribed still, but nothing to open
    other.unsubscribe_folder("Obras")
    expect(page.locator("#tree li", has_text="Obras")).to_have_count(0)
    page.locator("#tree a[data-go=inbox]").click()
    expect(page.locator(ROW)).to_have_count(2)
    assert window.complaints == []


def test_the_server_is_restarted_under_an_open_page(live: Live, opened: Any, watcher: Start, deliver: Any) -> None:
    watcher()
    window, made = opened(count=3)
    page = window.page
    wait_live(page)
    live.stack.stop(["dovecot"])
    try:
        wait_state(page, "away")
        assert said(page) == page.get_attribute(".live[data-behaviour]", "data-away")
        expect(page.locator(ROW)).to_have_count(3)
        page.eval_on_selector(
            "#list ol", "list => list.dispatchEvent(new CustomEvent('casilla:reload', { detail: {} }))"
        )
        page.wait_for_selector("#list .list-error", timeout=SOON_MS)
    finally:
        live.stack.start(["dovecot"])
        live.stack.wait_ready()
    deliver(made.address, letter("En el intervalo"))
    wait_state(page, "live")
    expect(row(page, "En el intervalo")).to_have_count(1, timeout=SOON_MS)
    expect(page.locator("#list .list-error")).to_have_count(0)  # without a click
    page.wait_for_timeout(1000)
    deliver(made.address, letter("Otra vez al instante"))
    at_once(page, ROW, "Otra vez al instante")
    assert window.complaints == []


def test_redis_is_restarted_under_an_open_page(live: Live, opened: Any, watcher: Start, deliver: Any) -> None:
    watcher()
    window, made = opened(count=3)
    page = window.page
    wait_live(page)
    live.stack.stop(["redis"])
    try:
        wait_state(page, "away")
        deliver(made.address, letter("Sin Redis"))
        page.locator("#tree a[data-go=inbox]").click()
        expect(row(page, "Sin Redis")).to_have_count(1, timeout=SOON_MS)
    finally:
        live.stack.start(["redis"])
        live.stack.wait_ready()
    wait_state(page, "live")
    page.wait_for_timeout(1500)
    deliver(made.address, letter("Otra vez al instante"))
    at_once(page, ROW, "Otra vez al instante")
    assert window.complaints == []


def test_a_computer_without_a_network_is_told_so(opened: Any, watcher: Start, deliver: Any) -> None:
    watcher()
    window, made = opened(count=2)
    page = window.page
    wait_live(page)
    page.context.set_offline(True)
    wait_state(page, "off")
    assert said(page) == page.get_attribute(".live[data-behaviour]", "data-off")
    deliver(made.address, letter("Sin red"))
    page.context.set_offline(False)
    wait_state(page, "live")
    expect(row(page, "Sin red")).to_have_count(1, timeout=SOON_MS)


@pytest.mark.variants
def test_a_page_too_many_says_that_it_is_not_live(opened: Any, watcher: Start) -> None:
    watcher()
    window, _made = opened(count=2)
    page = window.page
    page.route("**/live/?*", lambda route: route.fulfill(status=429, headers={"Retry-After": "60"}))
    page.reload()
    wait_state(page, "none")
    assert said(page) == page.get_attribute(".live[data-behaviour]", "data-none")
    expect(page.locator(ROW)).to_have_count(2)
