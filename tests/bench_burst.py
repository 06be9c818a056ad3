"""How soon an open page shows a thousand changes that another program makes at once, one burst after another, so that the
server replaces its log of changes meanwhile. Not a test: `make bench-burst` prints it. Milliseconds from the first octet of the
other program's command: its end, the event in Redis, the page right in Chromium; and how many events and requests that took."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from accounts.services.login import account_of_mailbox
from tests.browser.conftest import Visit, icons, sign_in
from tests.live.conftest import Listening, Live, live, watcher, web
from webmail.live.events import Kind
from webmail.tokens import encode_folder
from webmail.values import FolderId

__all__ = ["icons", "live", "watcher", "web"]
pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(900),
]
MANY, ROUNDS = 1_000, 3
ONE = b"From: Beto <beto@afuera.test>\r\nSubject: Mil %d\r\nDate: Fri, 28 Nov 2025 12:00:00 +0000\r\n\r\nHola\r\n"
LETTERS = [ONE % number for number in range(MANY)]
WATCH = """() => { window.right = 0; const look = () => {
  try { if (CONDITION) { window.right = Date.now(); return; } } catch { }
  requestAnimationFrame(look); }; look(); }"""
EMPTY = "document.querySelector('#list .m-bar') && !document.querySelector('#list .row')"
FULL = "document.querySelector('#list .row')"


class Burst:
    """A page, the other program, and what is heard and asked meanwhile."""

    def __init__(self, page: Page, ear: Listening) -> None:
        self.page, self.ear = page, ear
        self.requests = 0
        page.on("request", self._count)

    def _count(self, _request: Any) -> None:
        self.requests += 1

    def measure(self, name: str, act: Callable[[], object], condition: str) -> None:
        self.page.evaluate(WATCH.replace("CONDITION", condition))
        self.page.wait_for_timeout(200)
        assert not self.page.evaluate("window.right"), f"{name}: the page shows it already"
        self.requests = 0
        heard: queue.Queue[float] = queue.Queue()
        stop = threading.Event()
        ear = threading.Thread(target=self._hear, args=(heard, stop))
        ear.start()
        begun = time.time()
        act()
        ended = time.time() - begun
        self.page.wait_for_function("() => window.right", timeout=60_000)
        right = self.page.evaluate("window.right") / 1000 - begun
        self.page.wait_for_timeout(1_500)
        stop.set()
        ear.join()
        first = heard.get_nowait() - begun
        print(
            f"{name:34} {ended * 1000:8.0f} {first * 1000:8.0f} {right * 1000:8.0f} {1 + heard.qsize():7} {self.requests:9}"
        )

    def _hear(self, heard: queue.Queue[float], stop: threading.Event) -> None:
        while not stop.is_set():
            message = self.ear._pubsub.get_message(timeout=0.1)
            if message and Kind.STATE.encode() not in message["data"]:
                heard.put(time.time())


def test_print_the_table(
    browser: Browser, web: str, icons: None, watcher: Any, live: Live, mailbox_factory: Any, imap: Any, capsys: Any
) -> None:
    watcher()
    made = mailbox_factory("ana", name="Ana")
    client = imap(made.address)
    client._imap.sock.settimeout(120)
    for name in ("Mil", "Mil 2"):
        client.create_folder(name)
        client.subscribe_folder(name)
    client.multiappend("Mil", LETTERS)
    page = Visit(browser.new_context(viewport={"width": 1440, "height": 900}, locale="es-CL").new_page(), web).page
    sign_in(Visit(page, web), made)
    account_id = account_of_mailbox(made.mailbox).pk
    token = encode_folder(FolderId("Mil"))
    page.goto(f"{web}/mail/{account_id}/f/{token}/")
    page.wait_for_selector('.live[data-behaviour][data-state="live"]')
    page.wait_for_selector("#news[data-mark]", state="attached")
    page.wait_for_timeout(2_000)
    burst = Burst(page, live.listen(account_id))
    number = f"document.querySelector('#tree li[data-folder=\"{token}\"] .tree__n')"
    read = f"!{number} && !document.querySelector('#list .row[data-unread]')"
    unread = f"{number} && !document.querySelector('#list .row:not([data-unread])')"
    with capsys.disabled():
        print(f"\n{MANY} messages at once{'':16} {'command':>8} {'event':>8} {'page':>8} {'events':>7} {'requests':>9}")
        for _round in range(ROUNDS):
            client.select_folder("Mil")
            burst.measure("read, a command for each", lambda: _store(client, b"+FLAGS (\\Seen)"), read)
            burst.measure(
                "unread, one command", lambda: client.remove_flags(client.search(), [b"\\Seen"], silent=True), unread
            )
            burst.measure("moved away, one command", lambda: client.move("1:*", "Mil 2"), EMPTY)
            client.select_folder("Mil 2")
            burst.measure("moved back, one command", lambda: client.move("1:*", "Mil"), FULL)
            client.select_folder("Mil")
            client.add_flags(client.search(), [b"\\Deleted"], silent=True)
            page.wait_for_timeout(1_500)
            client.remove_flags(client.search(), [b"\\Deleted"], silent=True)
            page.wait_for_timeout(2_500)
            burst.measure("deleted and expunged", lambda: _expunge(client), EMPTY)
            burst.measure("appended, one command", lambda: client.multiappend("Mil", LETTERS), FULL)
    page.context.close()


def _store(client: Any, change: bytes) -> None:
    uids = client.search()
    client._imap.send(b"".join(b"x%d UID STORE %d %s\r\n" % (uid, uid, change) for uid in uids))
    while not client._imap.file.readline().startswith(b"x%d " % uids[-1]):
        pass


def _expunge(client: Any) -> None:
    client.add_flags(client.search(), [b"\\Deleted"], silent=True)
    client.expunge()
