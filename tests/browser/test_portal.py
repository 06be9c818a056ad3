"""The portal in Chromium: a mailbox made in a dialog, a selection, and every page as wide as its window."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Kind, Mailbox, Role
from accounts.services.login import account_of_mailbox
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.server, pytest.mark.browser]
TIMEOUT_S = 10.0


@pytest.fixture
def portal(visit: Callable[..., Visit], mailbox_factory: Any) -> Callable[..., tuple[Visit, Any]]:
    """A window in which the person who runs a domain of three mailboxes is signed in."""

    def open_(**options: Any) -> tuple[Visit, Any]:
        made = mailbox_factory("ana", name="Ana")
        mailbox_factory("bruno", name="Bruno")
        mailbox_factory("una-direccion-larga-que-no-cabe-en-un-telefono-angosto", name="Un nombre muy largo " * 4)
        person = account_of_mailbox(made.mailbox).owner
        Role.objects.create(person=person, kind=Kind.DOMAIN, domain=made.mailbox.domain)
        window = visit(**options)
        client = Client()
        client.post(reverse("account_login"), {"login": made.address, "password": made.password})
        cookies = [{"name": name, "value": one.value, "url": window.url} for name, one in client.cookies.items()]
        window.page.context.add_cookies(cookies)  # type: ignore[arg-type]
        window.page.goto(window.url + reverse("portal:domain", args=[made.mailbox.domain_id]))
        if options.get("java_script_enabled", True):
            window.page.wait_for_selector("html[data-started]", state="attached")
        return window, made

    return open_


def test_a_mailbox_made_in_the_dialog_takes_an_imap_login_at_once(portal: Any, stack: Stack) -> None:
    window, made = portal(locale="en-US")
    page = window.page
    page.click("[data-dialog=new-mailbox]")
    page.fill("#id_new-address", "carla")
    page.click("dialog[open] .btn--primary")
    password = page.wait_for_selector("#secret").inner_text()
    with imaplib.IMAP4(LOOPBACK, stack.ports.imap, TIMEOUT_S) as client:
        assert client.login(f"carla@{made.mailbox.domain.name}", password)[0] == "OK"
    assert window.complaints == []
    assert window.outside() == []


def test_selected_mailboxes_are_suspended_together(portal: Any) -> None:
    window, made = portal(locale="en-US")
    page = window.page
    assert not page.is_visible(".portal-bulk")
    page.check("tr:has-text('bruno@') .box")
    page.check("tr:has-text('una-direccion') .box")
    assert page.inner_text("[data-picked]") == "2 selected"
    ask = page.locator(".portal-ask summary")
    ask.click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    page.keyboard.press("Escape")
    expect(ask).to_be_focused()
    ask.click()
    cancel.click()
    expect(ask).to_be_focused()
    page.click(".portal-bulk [value=suspend]")
    page.wait_for_selector("tr:has-text('bruno@') .badge--lacre")
    assert Mailbox.objects.filter(domain=made.mailbox.domain, active=False).count() == 2
    assert window.complaints == []


@pytest.mark.parametrize(
    "width",
    [
        390,
        pytest.param(1024, marks=pytest.mark.variants),
        pytest.param(720, marks=pytest.mark.variants),
        pytest.param(1440, marks=pytest.mark.variants),
    ],
)
def test_no_page_is_wider_than_its_window(portal: Any, width: int) -> None:
    window, made = portal(viewport={"width": width, "height": 844})
    box = Mailbox.objects.exclude(pk=made.mailbox.pk).latest("pk")
    names = ("domain", "mailbox_new", "batch_new", "addresses", "domain_people", "domain_settings", "domain_changes")
    paths = [reverse(f"portal:{name}", args=[box.domain_id]) for name in names]
    tabs = ("mailbox", "mailbox_forwards", "mailbox_password", "mailbox_state", "mailbox_changes")
    for path in [*paths, *(reverse(f"portal:{name}", args=[box.pk]) for name in tabs)]:
        window.page.goto(window.url + path)
        room = "(one => one.scrollWidth - one.clientWidth)(document.querySelector('.page'))"
        assert window.page.evaluate(room) <= 0, path
    assert window.complaints == []


def test_without_scripts_a_mailbox_is_made_all_the_same(portal: Any) -> None:
    window, made = portal(java_script_enabled=False, locale="en-US")
    page = window.page
    page.click("a[href$='/mailboxes/new/']")
    page.fill("#id_new-address", "dora")
    page.click(".portal-form .btn--primary")
    assert page.inner_text("#secret")
    assert Mailbox.objects.filter(address=f"dora@{made.mailbox.domain.name}").exists()
