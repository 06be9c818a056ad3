"""Debian's Chromium on the whole application and the real servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import handlers
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, Request

LATE_S = 2.0


@pytest.fixture(scope="session")
def icons() -> None:
    call_command("build_icons", verbosity=0)


@dataclass(slots=True)
class Visit:
    """One person's browser window, and everything it asked for or complained about."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    without_script: bool = False

    def outside(self) -> list[str]:
        """Requests to anywhere but the application."""
        return [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]


class KeptStaticFiles(StaticFilesHandler):
    """Static files that a browser may keep, as WhiteNoise serves them: without that it asks for each of them on every page."""

    def serve(self, request: HttpRequest) -> HttpResponseBase:
        response = super().serve(request)
        response["Cache-Control"] = f"max-age={settings.WHITENOISE_MAX_AGE}"
        return response


@pytest.fixture(scope="session", autouse=True)
def _kept_static_files() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "StaticFilesHandler", KeptStaticFiles)  # pytest-django takes it from there
        yield


class Underway:
    """How many requests the application is at work on, in threads of the live server."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        request_started.connect(self._begin)
        request_finished.connect(self._end)

    def _begin(self, **_: Any) -> None:
        self._add(1)

    def _end(self, **_: Any) -> None:
        self._add(-1)

    def _add(self, by: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            with self._lock:
                self.count += by

    def wait(self) -> None:
        """Until nothing is underway; what a page sends as it closes has a moment to come in."""
        until = time.monotonic() + LATE_S
        time.sleep(0.02)
        while self.count > 0 and time.monotonic() < until:
            time.sleep(0.01)


class Windows:
    """Browser contexts, kept for the next test that wants the same kind: one that is new reads 170 style sheets and modules
    again, which takes a second of a processor. Nothing of one test is there in the next but the cache of static files."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser, self._origin = browser, origin
        self._idle: dict[str, list[BrowserContext]] = {}
        self._underway = Underway()

    def take(self, options: dict[str, Any]) -> BrowserContext:
        idle = self._idle.setdefault(repr(sorted(options.items())), [])
        return idle.pop() if idle else self._browser.new_context(**options)

    def give_back(self, options: dict[str, Any], context: BrowserContext) -> None:
        page = context.new_page()
        for other in context.pages:
            if other is not page:
                other.close()
        page.context.new_cdp_session(page).send(
            "Storage.clearDataForOrigin", {"origin": self._origin, "storageTypes": "local_storage,indexeddb"}
        )
        page.close()
        self._underway.wait()
        context.clear_cookies()
        context.clear_permissions()
        self._idle[repr(sorted(options.items()))].append(context)


@pytest.fixture(scope="session")
def windows(browser: Browser, live_server: Any, icons: None) -> Windows:
    return Windows(browser, live_server.url)


@pytest.fixture
def visit(windows: Windows, live_server: Any) -> Iterator[Callable[..., Visit]]:
    """Opens a window of its own; options as for Playwright's new_context (viewport, locale, color_scheme...)."""
    opened: list[tuple[dict[str, Any], BrowserContext, Callable[[Request], None]]] = []

    def open_(**options: Any) -> Visit:
        options.setdefault("locale", "es-CL")
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = windows.take(options)
        without_script = options.get("java_script_enabled") is False
        visit = Visit(context.new_page(), live_server.url, without_script=without_script)

        def note(request: Request) -> None:
            visit.requests.append(request.url)

        context.on("request", note)
        opened.append((options, context, note))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("dialog", lambda dialog: (visit.complaints.append("dialog"), dialog.dismiss()))
        visit.page.on(
            "console", lambda message: visit.complaints.append(message.text) if message.type == "error" else None
        )
        return visit

    yield open_
    for options, context, note in opened:
        context.remove_listener("request", note)
        windows.give_back(options, context)


@pytest.fixture
def signed_in(visit: Callable[..., Visit], mailbox_factory: Any) -> Callable[..., tuple[Visit, Any]]:
    """A window with a new mailbox open: `fill(made)` is called before, to put mail in it."""

    def open_(fill: Callable[[Any], None], **options: Any) -> tuple[Visit, Any]:
        made = mailbox_factory("ana", name="Ana")
        fill(made)
        window = visit(**options)
        sign_in(window, made)
        return window, made

    return open_


def sign_in(window: Visit, made: Any) -> None:
    """Signs in over HTTP, which is quick, and opens the mail with that session; the door itself is walked through in
    test_mail.py."""
    client = Client()
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    cookies = [{"name": name, "value": morsel.value, "url": window.url} for name, morsel in client.cookies.items()]
    window.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    window.page.goto(window.url + settings.LOGIN_REDIRECT_URL)
    window.page.wait_for_selector("#list .m-bar", state="attached")
    if not window.without_script:
        window.page.wait_for_selector("html[data-started]", state="attached")
