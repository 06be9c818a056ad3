"""Our JavaScript on fixture pages: a list of 100,000 rows, folding, toasts, the drawer. No database, no mail server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.context import modules, stylesheets

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TOTAL = 100_000
SIZE = 50
PER_DAY = 7
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
MOUNTS = {"npm/htmx/": "node_modules/htmx.org/dist/", "npm/asap/": "node_modules/@fontsource-variable/asap/"}
CSP = "default-src 'none'; script-src 'self' 'nonce-fixture'; style-src 'self'; connect-src 'self'; font-src 'self'"


def row(position: int, shift: int = 0) -> str:
    ref = position - shift
    day = f'<li class="day">Day {position // PER_DAY}</li>' if position % PER_DAY == 0 else ""
    return (
        f'{day}<li class="row" data-pos="{position}" data-ref="7.{ref}"><span class="row__sel"></span>'
        f'<span class="row__from">Sender {ref}</span><time class="row__date">10:42</time>'
        f'<a class="row__subj" href="/mail/1/f/A/m/7.{ref}/" hx-get="/mail/1/f/A/m/7.{ref}/" hx-target="#reader"'
        f' hx-swap="innerHTML" hx-push-url="true">Subject {ref}</a>'
        '<span class="row__snip"><span>Text</span></span><span class="row__flags"></span></li>'
    )


def rows(start: int, shift: int = 0) -> str:
    return "".join(row(position, shift) for position in range(start, min(start + SIZE, TOTAL)))


def letter(ref: str) -> str:
    number = int(ref.split(".")[1])
    return (
        '<div class="bar"><a class="btn only-medium" data-back href="/mail/1/f/A/">Back</a>'
        f'<a data-after href="/mail/1/f/A/m/7.{number + 1}/" hx-get="/mail/1/f/A/m/7.{number + 1}/"'
        ' hx-target="#reader" hx-swap="innerHTML" hx-push-url="true">Next</a></div>'
        f'<article class="scroll" data-reader data-ref="{ref}"><p id="letter-state" data-seen></p><h2 id="subject" tabindex="-1">'
        f"Letter {ref}</h2></article>"
    )


TREE = """<ul class="tree"><li data-folder="P"><a class="tree__item" href="#p"><span class="tree__tw" data-fold>v</span>
<span>Parent</span></a></li><li data-folder="C" data-parent="P"><a class="tree__item" href="#c"><span>Child</span></a></li>
<li data-folder="G" data-parent="C"><a class="tree__item" href="#g"><span>Grandchild</span></a></li></ul>"""

FLOATING = """<dialog class="dialog" id="shortcuts" data-behaviour="dialog"><form method="dialog"><button>Close</button>
</form></dialog><div class="toasts" id="toasts" role="status"></div><template id="toast-failed"><div class="toast"
data-behaviour="toast" data-seconds="1">No answer<span class="toast__time"></span></div></template>"""


def fixture_page(reader: str = "") -> str:
    imports = json.dumps({"imports": {name: f"/static/{path}" for name, path in modules()}})
    sheets = "".join(f'<link rel="stylesheet" href="/static/{sheet}">' for sheet in stylesheets())
    return f"""<!doctype html><html lang="en" dir="ltr"><head><meta charset="utf-8"><title>Fixture</title>
<meta name="viewport" content="width=device-width">
<meta name="htmx-config" content='{{"includeIndicatorCSS": false, "mode": "same-origin"}}'>
{sheets}<script type="importmap" nonce="fixture">{imports}</script>
<script type="module" src="/static/js/app.js"></script></head><body><div class="app" data-view="list"
data-behaviour="reader tree"><nav class="sidebar" id="sidebar" data-behaviour="drawer"><div id="tree">{TREE}</div></nav>
<div class="main"><header class="topbar"><button class="btn" data-sidebar-toggle>Sidebar</button></header>
<main class="panes"><section class="pane" id="list" tabindex="-1"><header class="m-bar"><button class="btn"
data-drawer-open>Menu</button></header><ol class="scroll" data-behaviour="list" data-total="{TOTAL}" data-size="{SIZE}"
data-start="0" data-url="/mail/1/f/A/rows/?" data-retry="Try again">{rows(0)}<li class="more"><a href="?start=50">More</a>
</li></ol></section><section class="pane" id="reader" tabindex="-1">{reader or "<p id=nothing>Nothing open</p>"}</section>
</main></div></div>{FLOATING}</body></html>"""


class Site(ThreadingHTTPServer):
    """Pages, rows and static files; a test may make it fail, wait, or shift the messages by new mail."""

    daemon_threads = True
    failing = False
    delay_s = 0.0
    shift = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.starts: list[int] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no fault."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/static/"):
            self._file(url.path.removeprefix("/static/"))
        elif url.path.endswith("/rows/"):
            self._rows(int(parse_qs(url.query)["start"][0]))
        elif "/m/" in url.path:
            text = letter(url.path.split("/")[-2])
            self._send(text if self.headers.get("HX-Request-Type") == "partial" else fixture_page(text))
        elif url.path == "/favicon.ico":
            self._send("", 404)
        else:
            self._send(fixture_page())

    def _rows(self, start: int) -> None:
        self.server.starts.append(start)
        time.sleep(self.server.delay_s)
        if self.server.failing:
            self._send("", 503)
        else:
            self._send(rows(start, self.server.shift), headers={"X-Total": str(TOTAL)})

    def _file(self, name: str) -> None:
        for mount, folder in MOUNTS.items():
            if name.startswith(mount):
                path = ROOT / folder / name.removeprefix(mount)
                break
        else:
            path = ROOT / "static" / name
        if path.is_file():
            self._send(path.read_bytes(), kind=TYPES.get(path.suffix, "text/plain"))
        else:
            self._send("", 404)

    def _send(
        self, body: str | bytes, status: int = 200, *, kind: str = "text/html", headers: dict[str, str] | None = None
    ) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", "Content-Security-Policy": CSP}.items():
            self.send_header(name, value)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    contexts = []
    errors: list[str] = []

    def open_(width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{site.url}/mail/1/f/A/")
        page.wait_for_selector("ol[data-virtual]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


COUNT = "document.querySelectorAll('ol .row').length"
SEEN = """() => { const list = document.querySelector('ol'), edge = list.getBoundingClientRect();
  return [...list.querySelectorAll('.row')].filter(r => { const b = r.getBoundingClientRect();
    return b.bottom > edge.top && b.top < edge.bottom }).map(r => Number(r.dataset.pos)) }"""


def settled(page: Page) -> None:
    """Waits until rows fill the sight and nothing is being fetched."""
    page.wait_for_function(
        """() => { const list = document.querySelector('ol'); if (list.hasAttribute('aria-busy')) return false;
        const edge = list.getBoundingClientRect();
        return [...list.querySelectorAll('.gap')].every(g => { const b = g.getBoundingClientRect();
          return b.height === 0 || b.bottom <= edge.top + 1 || b.top >= edge.bottom - 1 }) }"""
    )


def test_the_scroll_bar_stands_for_every_row(open_page: Callable[..., Page]) -> None:
    page = open_page()
    settled(page)
    height = page.eval_on_selector("ol", "e => e.scrollHeight")
    row_height = page.eval_on_selector("ol .row", "e => e.offsetHeight")
    assert TOTAL * row_height <= height < TOTAL * row_height * 1.01
    expect(page.locator("li.more")).to_be_hidden()


def test_scrolling_to_the_end_shows_the_last_message(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.eval_on_selector("ol", "e => { e.scrollTop = e.scrollHeight }")
    page.wait_for_selector(f'.row[data-pos="{TOTAL - 1}"]')
    settled(page)
    page.eval_on_selector("ol", "e => { e.scrollTop = e.scrollHeight }")
    assert page.evaluate(SEEN)[-1] == TOTAL - 1
    assert page.locator(f'.row[data-pos="{TOTAL - 1}"]').get_attribute("aria-posinset") == str(TOTAL)


def test_the_wheel_brings_rows_in_order_and_keeps_few(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.hover("ol .row")
    for _ in range(60):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(15)
        settled(page)
        seen = page.evaluate(SEEN)
        assert seen == list(range(seen[0], seen[-1] + 1)), "a gap between rows"
        assert page.evaluate(COUNT) < 500
    page.wait_for_function("() => Number([...document.querySelectorAll('ol .row')].at(-1).dataset.pos) > 500")
    assert page.evaluate("document.querySelectorAll('ol .day').length") < 500 / PER_DAY + 3


@pytest.mark.variants
def test_rows_that_join_above_or_leave_do_not_move_what_is_read(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    page.eval_on_selector("ol", "e => { e.scrollTop = 3400000 }")
    page.wait_for_function("() => Number(document.querySelector('ol .row').dataset.pos) > 40000")
    settled(page)
    for direction in (-1, 1):
        for _ in range(30):
            before = page.evaluate(TOPS)
            page.evaluate(SCROLL_BY, direction * 400)
            settled(page)
            after = page.evaluate(TOPS)
            moved = {after[key] - before[key] for key in before if key in after}
            assert moved, "no row stayed in sight"
            assert all(abs(by + direction * 400) <= 2 for by in moved), moved
    assert len(site.starts) >= 10, "nothing was fetched on the way"


SCROLL_BY = """async (px) => { document.querySelector('ol').scrollBy(0, px);
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame) }"""
TOPS = """() => Object.fromEntries([...document.querySelectorAll('ol .row')].map(r => [r.dataset.ref,
  r.getBoundingClientRect().top]).filter(([, top]) => top > -200 && top < 1100))"""


def test_home_end_and_page_keys_move_the_focus_through_the_whole_list(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.focus("ol .row__subj")
    focused = "Number(document.activeElement.closest('.row')?.dataset.pos)"
    for key, expected in (
        ("End", TOTAL - 1),
        ("ArrowUp", TOTAL - 2),
        ("Home", 0),
        ("j", 1),
        ("ArrowDown", 2),
        ("k", 1),
    ):
        page.keyboard.press(key)
        page.wait_for_function(f"() => {focused} === {expected}")
    page.keyboard.press("PageDown")
    page.wait_for_function(f"() => {focused} > 5")


def test_holding_a_key_walks_past_what_was_loaded(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.focus("ol .row__subj")
    for _ in range(180):
        page.keyboard.press("j")
    page.wait_for_function("() => Number(document.activeElement.closest('.row')?.dataset.pos) === 180")
    seen = page.evaluate(SEEN)
    assert 180 in seen


def test_one_row_at_a_time_is_in_the_tab_order(open_page: Callable[..., Page]) -> None:
    page = open_page()
    assert page.locator('ol .row__subj[tabindex="0"]').count() == 1
    page.focus("ol .row__subj")
    page.keyboard.press("End")
    page.wait_for_function(f"() => document.activeElement.closest('.row')?.dataset.pos === '{TOTAL - 1}'")
    assert page.locator('ol .row__subj[tabindex="0"]').count() == 1


def test_a_failed_fetch_offers_to_try_again(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    settled(page)
    site.failing = True
    page.eval_on_selector("ol", "e => { e.scrollTop = 2000000 }")
    retry = page.get_by_role("button", name="Try again")
    expect(retry).to_be_in_viewport()
    asked = len(site.starts)
    page.wait_for_timeout(400)
    assert len(site.starts) == asked, "it hammers a server that fails"
    site.failing = False
    retry.click()
    settled(page)
    assert page.evaluate(SEEN)[0] > 20_000
    expect(retry).to_have_count(0)


def test_dragging_the_scroll_bar_asks_for_little(open_page: Callable[..., Page], site: Site) -> None:
    site.delay_s = 0.05
    page = open_page()
    settled(page)
    asked = len(site.starts)
    page.evaluate(
        """async () => { const list = document.querySelector('ol');
        for (let i = 1; i <= 60; i++) { list.scrollTop = i * 100000; await new Promise(requestAnimationFrame) } }"""
    )
    settled(page)
    assert len(site.starts) - asked <= 8
    seen = page.evaluate(SEEN)
    assert abs(seen[0] - 6_000_000 / page.eval_on_selector("ol .row", "e => e.offsetHeight")) < 60


def test_new_mail_between_two_fetches_shows_no_message_twice(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    settled(page)
    site.shift = 3
    held = page.evaluate(COUNT)
    page.eval_on_selector(f'.row[data-pos="{held - 1}"]', "row => row.scrollIntoView()")
    page.wait_for_selector(f'.row[data-pos="{held + 20}"]')
    refs = page.eval_on_selector_all("ol .row", "rows => rows.map(r => r.dataset.ref)")
    assert len(refs) == len(set(refs))
    assert f"7.{held - 1}" in refs, "nothing was left out either"


def test_a_fetched_row_opens_beside_the_list_and_back_returns_to_it(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.eval_on_selector("ol", "e => { e.scrollTop = 4000000 }")
    page.wait_for_function("() => Number(document.querySelector('ol .row').dataset.pos) > 40000")
    settled(page)
    kept = page.eval_on_selector("ol", "e => { e.dataset.same = 'yes'; return e.scrollTop }")
    position = page.evaluate(SEEN)[4]
    page.click(f'.row[data-pos="{position}"] .row__subj')
    expect(page.locator("#subject")).to_have_text(f"Letter 7.{position}")
    expect(page.locator("#subject")).to_be_focused()
    expect(page.locator("ol .row[aria-current]")).to_have_attribute("data-pos", str(position))
    page.keyboard.press("j")
    expect(page.locator("#subject")).to_have_text(f"Letter 7.{position + 1}")
    page.go_back()
    expect(page.locator("#subject")).to_have_text(f"Letter 7.{position}")
    page.go_back()
    expect(page.locator("#nothing")).to_be_visible()
    assert page.eval_on_selector("ol", f"e => [e.dataset.same, Math.abs(e.scrollTop - {kept}) < 2]") == ["yes", True]


def test_folding_hides_all_that_is_below_and_is_remembered(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.focus('[data-folder="P"] a')
    page.keyboard.press("ArrowLeft")
    for folder in "CG":
        expect(page.locator(f'[data-folder="{folder}"]')).to_be_hidden()
    page.reload()
    expect(page.locator('[data-folder="G"]')).to_be_hidden()
    page.click("[data-fold]")
    expect(page.locator('[data-folder="G"]')).to_be_visible()


def test_the_drawer_traps_focus_and_esc_gives_it_back(open_page: Callable[..., Page]) -> None:
    page = open_page(390, 844)
    page.click("[data-drawer-open]")
    expect(page.locator("#sidebar")).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('#sidebar').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(page.locator("#sidebar")).to_be_hidden()
    expect(page.locator("[data-drawer-open]")).to_be_focused()


def test_narrow_esc_leaves_the_message_for_its_row(open_page: Callable[..., Page]) -> None:
    page = open_page(800, 900)
    page.click('.row[data-pos="2"] .row__subj')
    expect(page.locator("#list")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator('.row[data-pos="2"] .row__subj')).to_be_focused()
    expect(page.locator("#reader")).to_be_hidden()
    assert page.url.endswith("/mail/1/f/A/")


def test_a_lost_connection_is_said_once_and_goes(open_page: Callable[..., Page]) -> None:
    page = open_page()
    settled(page)
    page.route("**/m/**", lambda route: route.abort())
    page.click('.row[data-pos="1"] .row__subj')
    page.click('.row[data-pos="2"] .row__subj')
    expect(page.locator(".toast")).to_have_count(1)
    page.mouse.move(5, 5)
    expect(page.locator(".toast")).to_have_count(0, timeout=5000)


def test_single_keys_can_be_turned_off_and_never_act_in_fields(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.evaluate("document.documentElement.dataset.singleKeys = 'off'")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.evaluate("delete document.documentElement.dataset.singleKeys")
    page.evaluate("document.querySelector('.topbar').append(document.createElement('input'))")
    page.focus(".topbar input")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_hidden()
    assert page.input_value(".topbar input") == "?"
