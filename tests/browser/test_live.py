"""An open page follows what other programs do, within a second, and what a person has in hand stays in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, sign_in
from tests.contract.test_source import letter
from tests.live.conftest import AT_ONCE_S, live, watcher, web

__all__ = ["live", "watcher", "web"]
pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AT_ONCE_MS = 1_000 * AT_ONCE_S
NOTIFICATIONS = """
window.told = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, options) { super(); window.told.push([title, options.body]); }
  close() {}
};
document.hasFocus = () => false;
"""
"""What a browser without its window lacks."""
LIVE, ROW = ".live[data-behaviour]", "#list .row"
Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def opened(browser: Browser, web: str, icons: None, mailbox_factory: Any, imap: Any) -> Iterator[Opened]:
    """A window of a mailbox with 60 messages, on the web server that streams."""
    contexts = []

    def open_(*, count: int = 60, script: str = "", **options: Any) -> tuple[Visit, Any]:
        made = mailbox_factory("ana", name="Ana")
        client = imap(made.address)
        for index in range(count):
            own = f"Message-ID: <{index}@x.test>\r\n"
            client.append("INBOX", letter(f"Mensaje {index:03}", day=index - count, extra=own), [b"\\Seen"])
        client.create_folder("Obras")
        client.subscribe_folder("Obras")
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "es-CL", **options})
        contexts.append(context)
        context.add_init_script(script)
        window = Visit(context.new_page(), web)
        context.on("request", lambda request: window.requests.append(request.url))
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        sign_in(window, made)
        return window, made

    yield open_
    for context in contexts:
        context.close()


def wait_live(page: Page) -> None:
    page.wait_for_selector('.live[data-behaviour][data-state="live"]')
    page.wait_for_selector("#news[data-mark]", state="attached")
    page.wait_for_timeout(700)  # what Dovecot tells twice at first


def at_once(page: Page, selector: str, text: str = "", *, count: int = 1) -> None:
    """Within a second so many elements have this text; looked at with every frame, which `expect` does not."""
    page.wait_for_function(
        "([selector, text, count]) =>"
        " [...document.querySelectorAll(selector)].filter((one) => one.textContent.includes(text)).length === count",
        arg=[selector, text, count],
        timeout=AT_ONCE_MS,
    )


def said(page: Page) -> str:
    return page.inner_text(f"{LIVE} [data-word]")


def row(page: Page, text: str) -> Any:
    return page.locator("#list .row", has_text=text)


def test_what_this_page_did_is_not_read_again(opened: Opened, watcher: Callable[[], Any], imap: Any) -> None:
    watcher()
    window, made = opened(count=8)
    other = imap(made.address)
    other.select_folder("INBOX")
    wait_live(window.page)
    other.remove_flags([5, 6], [b"\\Seen"])
    number = window.page.locator("#tree a[data-go=inbox] .tree__n")
    expect(number).to_contain_text("2")
    row(window.page, "Mensaje 004").locator(".row__subj").click()
    window.page.wait_for_selector("#reader [data-reader]")
    window.requests.clear()
    window.page.keyboard.press("s")
    expect(number).to_contain_text("1")
    window.page.wait_for_timeout(900)
    assert not [url for url in window.requests if "/rows/" in url or "/live/part/" in url]
    expect(window.page).to_have_title("(1) Mensaje 004 · Casilla")
    assert row(window.page, "Mensaje 004").get_attribute("data-unread") is None
    other.add_flags([6], [b"\\Seen"])
    expect(number).to_have_count(0)


def test_a_page_follows_other_programs_and_keeps_its_place(
    opened: Opened, watcher: Callable[[], Any], imap: Any, deliver: Any
) -> None:
    watcher()
    window, made = opened()
    page, other = window.page, imap(made.address)
    deliver(made.address, letter("Antes", day=-90))  # the first delivery waits for its processes
    wait_live(page)
    assert said(page) == page.get_attribute(LIVE, "data-live")
    row(page, "Mensaje 055").locator(".box").check(force=True)
    page.eval_on_selector("#list ol", "list => { list.scrollTop = 300 }")
    page.wait_for_timeout(200)
    link = row(page, "Mensaje 052").locator(".row__subj")
    link.focus()
    before = link.bounding_box()

    deliver(made.address, letter("Recién llegado"))
    at_once(page, ROW, "Recién llegado")
    expect(page.locator("#news")).to_contain_text("Recién llegado")
    expect(page).to_have_title("(2) Entrada · Casilla")
    expect(page.locator("#tree a[data-go=inbox] .tree__n")).to_contain_text("2")
    assert page.get_attribute('link[rel="icon"]', "href").startswith("data:image/png")
    assert page.evaluate("document.activeElement.textContent").strip().endswith("Mensaje 052")
    assert link.bounding_box()["y"] == pytest.approx(before["y"], abs=1)
    expect(page.locator("#list .bulk__n")).to_have_text("1 seleccionado")

    other.select_folder("INBOX")
    other.add_flags([53], [b"\\Flagged"])
    at_once(page, f"{ROW}:has(.star)", "Mensaje 052")
    assert page.evaluate("document.activeElement.textContent").strip().endswith("Mensaje 052")
    other.delete_messages([43])
    other.expunge()
    at_once(page, ROW, "Mensaje 042", count=0)
    other.remove_flags([44, 45], [b"\\Seen"])
    other.move([44, 45], "Obras")
    at_once(page, "#tree li:has(.tree__n)", "Obras")
    expect(row(page, "Mensaje 043")).to_have_count(0)
    expect(page.locator("#list .bulk__n")).to_have_text("1 seleccionado")
    other.create_folder("Recién hecha")
    other.subscribe_folder("Recién hecha")
    expect(page.locator("#tree li", has_text="Recién hecha")).to_have_count(1)
    assert window.complaints == []


def test_the_open_message_and_an_empty_list_follow_too(
    opened: Opened, watcher: Callable[[], Any], imap: Any, deliver: Any
) -> None:
    watcher()
    window, made = opened(count=0)
    page, other = window.page, imap(made.address)
    wait_live(page)
    deliver(made.address, letter("La primera"))
    at_once(page, ROW, "La primera")
    row(page, "La primera").locator(".row__subj").click()
    expect(page.locator("#letter-state[data-seen]")).to_have_count(1)
    page.wait_for_timeout(900)
    other.select_folder("INBOX")
    other.remove_flags([1], [b"\\Seen"])
    at_once(page, f"{ROW}[data-unread]")
    expect(page.locator("#letter-state[data-seen]")).to_have_count(0)
    other.add_flags([1], [b"$label1"])
    at_once(page, "#letter-state .badge")


def test_a_narrow_page_counts_in_its_head(opened: Opened, watcher: Callable[[], Any], deliver: Any) -> None:
    watcher()
    window, made = opened(count=2, viewport={"width": 390, "height": 844})
    page = window.page
    deliver(made.address, letter("Uno"))
    page.wait_for_selector('.live[data-behaviour][data-state="live"]', state="attached")
    expect(page.locator("#list .m-bar .sub")).to_contain_text("1")
    page.wait_for_timeout(700)
    deliver(made.address, letter("Otro"))
    at_once(page, ROW, "Otro")
    expect(page.locator("#bar-unread")).to_contain_text("2")
    assert window.complaints == []


@pytest.mark.variants
def test_the_page_says_when_nobody_watches_and_asks_when_looked_at(
    opened: Opened, watcher: Callable[[], Any], deliver: Any
) -> None:
    process = watcher()
    window, made = opened(count=3)
    page = window.page
    wait_live(page)
    process.kill()
    page.wait_for_selector('.live[data-behaviour][data-state="none"]', timeout=20_000)
    assert said(page) == page.get_attribute(LIVE, "data-none")
    deliver(made.address, letter("A ciegas"))
    page.wait_for_timeout(1200)
    assert row(page, "A ciegas").count() == 0
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(row(page, "A ciegas")).to_have_count(1)
    watcher()
    wait_live(page)


@pytest.mark.variants
def test_windows_of_one_browser_share_one_stream(opened: Opened, watcher: Callable[[], Any], deliver: Any) -> None:
    watcher()
    window, made = opened(count=3)
    wait_live(window.page)
    pages = [window.page]
    window.requests.clear()
    for _number in range(3):
        pages.append(window.page.context.new_page())
        pages[-1].goto(window.url)
        wait_live(pages[-1])
    assert not any("/live/?" in url for url in window.requests)
    deliver(made.address, letter("Para todas"))
    for page in pages:
        expect(page.locator("#tree a[data-go=inbox] .tree__n")).to_contain_text("1", timeout=3 * AT_ONCE_MS)
    pages[0].close()
    wait_live(pages[1])
    deliver(made.address, letter("Para las demás"))
    expect(pages[1].locator("#tree a[data-go=inbox] .tree__n")).to_contain_text("2", timeout=3 * AT_ONCE_MS)


def test_new_mail_is_told_on_the_desktop_once_it_was_asked_for(
    opened: Opened, watcher: Callable[[], Any], deliver: Any
) -> None:
    watcher()
    window, made = opened(count=1, script=NOTIFICATIONS)
    page = window.page
    wait_live(page)
    deliver(made.address, letter("Sin aviso"))
    expect(row(page, "Sin aviso")).to_have_count(1)
    page.wait_for_timeout(500)
    assert page.evaluate("window.told") == []
    page.click("[popovertarget=person-menu]")
    button = page.locator("#person-menu [data-behaviour=notify]")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    deliver(made.address, letter("Con aviso"))
    page.wait_for_function("() => window.told.length === 1")
    assert page.evaluate("window.told[0][1]") == "Con aviso"
    assert window.complaints == []
