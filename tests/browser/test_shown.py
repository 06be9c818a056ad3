"""What an action does shows before the server has done it, and is put back when the server does not do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.contract.test_source import letter

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        for index in range(6):
            client.append("INBOX", letter(f"Mensaje {index:03}", day=index - 9))

    return put


def hold(window: Visit) -> list[Route]:
    """Holds back what the page sends to change mail, until the test lets it go."""
    held: list[Route] = []
    window.page.route("**/change/", lambda route: held.append(route))
    return held


def row(window: Visit, text: str) -> Any:
    return window.page.locator("#list .row", has_text=text)


def test_marks_show_at_once_and_no_list_is_read_again(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    held = hold(window)
    row(window, "Mensaje 004").locator(".row__subj").focus()
    window.page.keyboard.press("s")
    expect(row(window, "Mensaje 004").locator(".row__flags .star")).to_have_count(1)
    window.page.keyboard.press("u")
    expect(row(window, "Mensaje 004")).not_to_have_attribute("data-unread", "")
    row(window, "Mensaje 003").locator(".row__subj").focus()
    window.page.keyboard.press("s")
    expect(row(window, "Mensaje 003").locator(".row__flags .star")).to_have_count(1)
    asked = [url for url in window.requests if "/rows/" in url]
    for _ in range(3):
        window.page.wait_for_function("() => true")
        until = window.page.wait_for_timeout
        while not held:
            until(20)
        with window.page.expect_response("**/change/"):
            held.pop(0).continue_()
    window.page.wait_for_selector("#toasts .toast")
    client = imap(made.address)
    client.select_folder("INBOX", readonly=True)
    flags = {uid: set(one[b"FLAGS"]) for uid, one in client.fetch([4, 5], ["FLAGS"]).items()}
    assert {b"\\Flagged", b"\\Seen"} <= flags[5]
    assert b"\\Flagged" in flags[4]
    assert [url for url in window.requests if "/rows/" in url] == asked
    assert window.complaints == []


def test_what_the_server_did_not_do_is_put_back(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    held = hold(window)
    row(window, "Mensaje 002").locator(".row__subj").focus()
    window.page.keyboard.press("s")
    window.page.keyboard.press("u")
    expect(row(window, "Mensaje 002").locator(".row__flags .star")).to_have_count(1)
    expect(row(window, "Mensaje 002")).not_to_have_attribute("data-unread", "")
    for _ in range(2):
        while not held:
            window.page.wait_for_timeout(20)
        held.pop(0).abort()
    expect(row(window, "Mensaje 002").locator(".row__flags .star")).to_have_count(0)
    expect(row(window, "Mensaje 002")).to_have_attribute("data-unread", "")
    client = imap(made.address)
    client.select_folder("INBOX", readonly=True)
    assert not set(client.fetch([3], ["FLAGS"])[3][b"FLAGS"]) & {b"\\Flagged", b"\\Seen"}


def test_what_leaves_is_pale_until_it_is_gone_and_comes_back(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    held = hold(window)
    for ended in ("abort", "continue_"):
        row(window, "Mensaje 001").locator(".row__subj").focus()
        window.page.keyboard.press("e")
        expect(row(window, "Mensaje 001")).to_have_attribute("data-leaving", "")
        while not held:
            window.page.wait_for_timeout(20)
        getattr(held.pop(0), ended)()
        if ended == "abort":
            expect(row(window, "Mensaje 001")).not_to_have_attribute("data-leaving", "")
            window.page.wait_for_timeout(800)  # a second press within 0.7 s is a double click
        else:
            expect(row(window, "Mensaje 001")).to_have_count(0)


def test_the_next_message_is_made_ready_and_stays_unread(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    row(window, "Mensaje 004").locator(".row__subj").click()
    window.page.wait_for_selector("#reader [data-reader]")
    with window.page.expect_response(lambda response: response.url.endswith(".4/ahead/")) as answer:
        pass
    assert answer.value.status == 204
    client = imap(made.address)
    client.select_folder("INBOX", readonly=True)
    assert b"\\Seen" not in client.fetch([4], ["FLAGS"])[4][b"FLAGS"]
