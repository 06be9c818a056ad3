"""Debian's Chromium on the whole application and the real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, Request


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


@pytest.fixture
def visit(browser: Browser, live_server: Any, icons: None) -> Iterator[Callable[..., Visit]]:
    """Opens a window of its own; options as for Playwright's new_context (viewport, locale, color_scheme...)."""
    contexts: list[BrowserContext] = []

    def open_(**options: Any) -> Visit:
        options.setdefault("locale", "es-CL")
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = browser.new_context(**options)
        contexts.append(context)
        without_script = options.get("java_script_enabled") is False
        visit = Visit(context.new_page(), live_server.url, without_script=without_script)

        def note(request: Request) -> None:
            visit.requests.append(request.url)

        context.on("request", note)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("dialog", lambda dialog: (visit.complaints.append("dialog"), dialog.dismiss()))
        visit.page.on(
            "console", lambda message: visit.complaints.append(message.text) if message.type == "error" else None
        )
        return visit

    yield open_
    for context in contexts:
        context.close()


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
