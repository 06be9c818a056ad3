"""An open message that another program removes: the page says so, keeps its text, and offers nothing that cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_live import live, opened, row, wait_live, watcher, web
from tests.contract.test_source import letter

__all__ = ["live", "opened", "watcher", "web"]
pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PATIENCE_MS = 20_000


def test_what_is_told_concerns_no_other_message(opened: Any, watcher: Callable[[], Any], imap: Any) -> None:
    """Neither the one that was opened before the answer came, nor another of the same conversation."""
    watcher()
    window, made = opened(count=2)
    page, other, held = window.page, imap(made.address), []
    wait_live(page)
    row(page, "Mensaje 001").locator(".row__subj").click()
    expect(page.locator("#subject")).to_have_text("Mensaje 001", timeout=PATIENCE_MS)

    def hold(route: Any) -> None:
        if held:
            return route.continue_()
        held.append((route, route.fetch()))
        return page.evaluate("() => { window.heldBack = true }")

    page.route("**/live/part/**", hold)
    other.select_folder("INBOX")
    other.add_flags([2], [b"\\Flagged"])
    page.wait_for_function("() => window.heldBack", timeout=PATIENCE_MS)
    row(page, "Mensaje 000").locator(".row__subj").click()
    expect(page.locator("#subject")).to_have_text("Mensaje 000", timeout=PATIENCE_MS)
    route, answer = held[0]
    assert "data-flagged" in answer.text()
    last = '<hx-partial hx-target="#live-note" hx-swap="innerHTML">read</hx-partial>'
    route.fulfill(response=answer, body=answer.text() + last)
    expect(page.locator("#live-note")).to_have_text("read", timeout=PATIENCE_MS)
    expect(page.locator("#letter-state[data-flagged]")).to_have_count(0)

    other.append("INBOX", letter("Hilo", extra="Message-ID: <h1@x.test>\r\nIn-Reply-To: <0@x.test>\r\n"))
    row(page, "Hilo").locator(".row__subj").click(timeout=PATIENCE_MS)
    page.locator("#thread-older summary").click(timeout=PATIENCE_MS)
    where = page.locator(".thread__letter .frank .end")
    expect(where).to_have_text("En el servidor", timeout=PATIENCE_MS)
    other.move([3], "Obras")
    expect(page.locator("#letter-astray a")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".thread > .letter .frank")).to_have_count(0, timeout=PATIENCE_MS)
    expect(where).to_have_text("En el servidor")


def test_the_open_message_is_moved_then_another_deleted_elsewhere(
    opened: Any, watcher: Callable[[], Any], imap: Any
) -> None:
    watcher()
    window, made = opened(count=4)
    page, other = window.page, imap(made.address)
    note, acts = page.locator("#letter-astray .note"), page.locator("#reader [data-do], #reader [data-compose-open]")
    wait_live(page)
    row(page, "Mensaje 003").locator(".row__subj").click()
    page.wait_for_selector("#reader [data-reader]")
    assert acts.count()
    other.select_folder("INBOX")
    other.move([4], "Obras")
    expect(note).to_contain_text("Obras", timeout=PATIENCE_MS)
    expect(row(page, "Mensaje 003")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator("#reader .letter")).to_contain_text("Hola")
    expect(acts).to_have_count(0)
    page.locator("#subject").focus()
    window.requests.clear()
    for key in ("e", "r", "v", "s", "Delete"):
        page.keyboard.press(key)
        expect(note).to_be_focused()
    assert not [url for url in window.requests if "/change/" in url or "/compose/" in url]
    assert page.locator("dialog[open]").count() == 0

    page.locator("#reader [data-after]").click()  # its neighbour is another message, with all that belongs to one
    expect(page.locator("#subject")).to_have_text("Mensaje 002", timeout=PATIENCE_MS)
    expect(note).to_have_count(0)
    expect(acts.first).to_be_attached()
    other.delete_messages([3])
    other.expunge()
    expect(note).to_be_visible(timeout=PATIENCE_MS)
    expect(note.locator("a")).to_have_count(0)

    row(page, "Mensaje 001").locator(".row__subj").click()
    expect(page.locator("#subject")).to_have_text("Mensaje 001", timeout=PATIENCE_MS)
    page.route("**/live/part/**", lambda route: route.abort())  # it is not told, and acts
    other.move([2], "Obras")
    page.keyboard.press("s")
    expect(page.locator("#toasts .toast")).not_to_have_count(0, timeout=PATIENCE_MS)
    assert page.locator("#toasts [data-undo]").count() == 0, page.inner_text("#toasts")
    page.unroute("**/live/part/**")
    page.keyboard.press("e")
    expect(note.locator("a")).to_be_visible(timeout=PATIENCE_MS)
    note.locator("a").click()
    expect(page.locator("#subject")).to_have_text("Mensaje 001", timeout=PATIENCE_MS)
    expect(page.locator("#tree a[aria-current]")).to_contain_text("Obras")
