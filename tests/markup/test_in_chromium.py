"""Cleaned bodies in a real browser: as the frame shows them, and as if policy and sandbox had both failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.markup.attacks import attacks
from tests.markup.newsletters import NEWSLETTERS
from webmail.markup.document import Theme, estimate_height, frame_csp, render_document
from webmail.markup.sanitize import Cleaned, sanitize

pytestmark = pytest.mark.browser

BATCH = 120
SANDBOX = 'sandbox="allow-popups allow-popups-to-escape-sandbox"'


@dataclass
class Site:
    """Documents served on loopback at /d/NAME, with the frame's policy when `guarded`, and pages that frame them."""

    port: int
    documents: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    guarded: bool = True

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            body = made.documents.get(path[3:]) if path.startswith("/d/") else made.pages.get(path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if path.startswith("/d/") and made.guarded:
                self.send_header("Content-Security-Policy", frame_csp(images=made.origin + "/mail/"))
            self.end_headers()
            self.wfile.write((body or "").encode("utf-8", "replace"))

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Site(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 900, "height": 700})
    yield made
    made.close()


class Listener:
    """Hears every request that is not for a document of ours, every script that runs, every dialog and window."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.heard: list[str] = []
        self._origin = site.origin
        context.on("request", self._request)
        context.route("**/*", lambda route: route.continue_() if self._ours(route.request.url) else route.abort())
        context.expose_binding("heardScript", lambda source: self.heard.append(f"script in {source['frame'].url}"))
        context.add_init_script("window.alert = () => window.heardScript()")
        self.page = context.new_page()
        context.on("page", lambda page: self.heard.append(f"window {page.url}"))
        self.page.on("dialog", lambda dialog: (self.heard.append("dialog"), dialog.dismiss()))

    def _ours(self, url: str) -> bool:
        return url.startswith((f"{self._origin}/d/", f"{self._origin}/all-", "data:image/", "about:"))

    def _request(self, request: Request) -> None:
        if not self._ours(request.url) and "/favicon.ico" not in request.url:
            self.heard.append(f"request {request.url[:200]} by {request.frame.url}")

    def visit(self, site: Site, names: list[str], *, sandbox: str) -> None:
        """Opens a page with these documents in frames, and touches what could be touched."""
        frames = "".join(f'<iframe {sandbox} width=300 height=100 src="/d/{quote(name)}"></iframe>' for name in names)
        site.pages["/all-frames"] = f"<!doctype html><link rel=icon href=data:,>{frames}"
        self.page.goto(f"{site.origin}/all-frames", wait_until="load")
        self.page.mouse.move(150, 60)
        self.page.wait_for_timeout(150)


def batches(names: list[str]) -> Iterator[list[str]]:
    source = iter(names)
    while chunk := list(islice(source, BATCH)):
        yield chunk


def document(html: str) -> str:
    return render_document(sanitize(html, cid_urls={}, remote="block"), lang="es", title="x")


@pytest.mark.parametrize("guarded", [True, False], ids=["as shown", "without policy and sandbox"])
def test_no_attack_runs_or_calls(site: Site, context: BrowserContext, guarded: bool) -> None:
    site.guarded = guarded
    different = {document(body): name for name, body in attacks()}
    assert len(different) > 150
    site.documents = {name: made for made, name in different.items()}
    listener = Listener(context, site)
    for names in batches(list(site.documents)):
        listener.visit(site, names, sandbox=SANDBOX if guarded else "")
    assert listener.heard == []


def test_the_listener_hears_attacks_that_were_not_cleaned(site: Site, context: BrowserContext) -> None:
    site.guarded = False
    bare = {name: body for name, body in attacks() if name.startswith(("event-", "mutation-", "style-"))}
    bare = dict(islice(bare.items(), 0, None, 3))
    site.documents = {name: f"<!doctype html><body>{body}" for name, body in bare.items()}
    listener = Listener(context, site)
    for names in batches(list(site.documents)):
        listener.visit(site, names, sandbox="")
    scripts = {line for line in listener.heard if line.startswith("script")}
    requests = {line for line in listener.heard if line.startswith("request http://evil.test")}
    assert len(scripts) > 30
    assert len(requests) > 10


def test_policy_and_sandbox_alone_hold_attacks_that_were_not_cleaned(site: Site, context: BrowserContext) -> None:
    site.guarded = True
    bare = {name: body for name, body in attacks() if name.startswith(("event-", "mutation-", "sheet-"))}
    bare = dict(islice(bare.items(), 1, None, 4))
    site.documents = {name: f"<!doctype html><body>{body}" for name, body in bare.items() if "refresh" not in body}
    listener = Listener(context, site)
    for names in batches(list(site.documents)):
        listener.visit(site, names, sandbox=SANDBOX)
    assert [line for line in listener.heard if line.startswith(("script", "dialog", "window"))] == []


def test_a_link_opens_a_window_of_its_own_without_opener(site: Site, context: BrowserContext) -> None:
    site.guarded = True
    site.documents = {"link": document(f"<a id=go href='{site.origin}/d/other'>x</a>"), "other": "<title>other</title>"}
    site.pages = {"/all-link": f'<iframe {SANDBOX} src="/d/link"></iframe>'}
    page = context.new_page()
    page.goto(f"{site.origin}/all-link")
    with context.expect_page() as opened:
        page.frames[1].click("a")
    assert opened.value.url == f"{site.origin}/d/other"
    assert opened.value.evaluate("window.opener") is None
    assert page.frames[1].url == f"{site.origin}/d/link"


@pytest.mark.parametrize("name", sorted(NEWSLETTERS))
@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.variants), "dark"])
@pytest.mark.parametrize(
    "chosen", [pytest.param(True, id="chosen"), pytest.param(False, marks=pytest.mark.variants, id="by the system")]
)
def test_newsletters_can_be_read_in_every_theme(
    browser: Browser, site: Site, name: str, theme: Theme, chosen: bool
) -> None:
    """Every text has a contrast of 3:1 at least with the ground it is painted on; a chosen theme beats the system's."""
    site.guarded = True
    cleaned = sanitize(NEWSLETTERS[name], cid_urls={}, remote="block")
    page = framed(browser, site, cleaned, theme, chosen=chosen)
    ground = (20, 23, 28) if theme == "dark" else (255, 255, 255)
    assert page.frames[1].evaluate(FAINT_TEXTS, list(ground)) == []
    page.context.close()


@pytest.mark.parametrize("name", sorted(NEWSLETTERS))
def test_the_estimated_height_is_near_the_content(browser: Browser, site: Site, name: str) -> None:
    site.guarded = True
    cleaned = sanitize(NEWSLETTERS[name], cid_urls={}, remote="block")
    page = framed(browser, site, cleaned, "light")
    height = "(document.body.style.minHeight = 0, document.documentElement.getBoundingClientRect().height)"
    content = page.frames[1].evaluate(height)  # of the content alone: the body fills its frame otherwise
    assert content * 0.7 < estimate_height(cleaned) < content * 1.6
    page.context.close()


def test_a_wide_newsletter_keeps_its_layout_and_folds_on_a_phone(browser: Browser, site: Site) -> None:
    site.guarded = True
    cleaned = sanitize(NEWSLETTERS["shop"], cid_urls={}, remote="block")
    wide = framed(browser, site, cleaned, "light", width=720)
    columns = "[...document.querySelectorAll('.col')].map(cell => Math.round(cell.getBoundingClientRect().top))"
    assert len(set(wide.frames[1].evaluate(columns))) == 1
    button = "getComputedStyle(document.querySelector('.btn a')).backgroundColor"
    assert wide.frames[1].evaluate(button) == "rgb(194, 65, 12)"
    narrow = framed(browser, site, cleaned, "light", width=380)
    assert len(set(narrow.frames[1].evaluate(columns))) == 2
    assert narrow.frames[1].evaluate("document.documentElement.scrollWidth") <= 380
    wide.context.close()
    narrow.context.close()


def framed(
    browser: Browser, site: Site, cleaned: Cleaned, theme: Theme, *, width: int = 680, chosen: bool = False
) -> Page:
    """A page of one theme with the document in its frame; a chosen theme is not the system's."""
    document = render_document(cleaned, lang="es", title="x", theme=theme if chosen else "system")
    site.documents = {"letter": document}
    ground = "#14171c" if theme == "dark" else "#fff"
    style = f"border:0;width:{width}px;frame-sizing:content-block-size"
    site.pages = {
        "/all-letter": f'<!doctype html><html style="color-scheme:{theme}"><body style="background:{ground}">'
        f'<iframe style="{style}" {SANDBOX} src="/d/letter"></iframe>'
    }
    system = theme if not chosen else "light" if theme == "dark" else "dark"
    page = browser.new_context(viewport={"width": 900, "height": 900}, color_scheme=system).new_page()
    page.goto(f"{site.origin}/all-letter")
    return page


FAINT_TEXTS = """
ground => {
  const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b };
  const under = element => {
    if (!element) return ground;
    const [r, g, b, a = 1] = parse(getComputedStyle(element).backgroundColor);
    if (a === 0) return under(element.parentElement);
    const below = a < 1 ? under(element.parentElement) : [0, 0, 0];
    return [r, g, b].map((v, i) => v * a + below[i] * (1 - a)) };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [parse(getComputedStyle(element).color).slice(0, 3), under(element)].map(light);
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 3) faint.push(`${walker.currentNode.data.trim().slice(0, 40)} ${contrast.toFixed(1)}`);
  }
  return faint;
}
"""
