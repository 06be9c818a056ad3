"""Guides, devices' passwords, DNS and the simulator in a real browser, from 390 px to 1440, light and dark, with and without
JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.services.login import account_of_mailbox
from tests.browser.conftest import Visit, sign_in
from tests.name_server import name_server
from tests.webmail.conftest import letter

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FITS = "document.documentElement.scrollWidth <= innerWidth && (!document.querySelector('.page') || document.querySelector('.page').scrollWidth <= document.querySelector('.page').clientWidth)"  # noqa: E501
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
Open = Callable[..., tuple[Visit, Callable[..., None]]]


@pytest.fixture
def opened(visit: Callable[..., Visit], mailbox_factory: Any, imap: Any) -> Open:
    """A signed-in person with some mail, and a way to open pages of their account."""

    def open_(**options: Any) -> tuple[Visit, Callable[..., None]]:
        made = mailbox_factory("ana", name="Ana")
        server = imap(made.address)
        for days in (0, 20, 60, 200):
            server.append("INBOX", letter(days, size=40_000), msg_time=timezone.now() - timedelta(days=days, hours=1))
        window = visit(**options)
        sign_in(window, made)
        account = account_of_mailbox(made.mailbox)

        def go(name: str, *args: Any, query: str = "") -> None:
            window.page.goto(window.url + reverse(name, args=[account.pk, *args]) + query)

        return window, go

    return open_


def test_a_value_is_copied_and_the_button_says_so(opened: Open) -> None:
    window, go = opened(locale="en-US")
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=window.url)
    go("guide", "outlook", query="?protocol=pop3")
    field = window.page.locator(".guide__values .copy").first
    field.get_by_role("button").click()
    expect(field.locator("[data-copy-label]")).to_have_text("Copied")
    assert window.page.evaluate("navigator.clipboard.readText()").startswith("ana@")
    assert (window.outside(), window.complaints) == ([], [])


def test_from_the_guide_to_a_password_that_is_copied_and_revoked(opened: Open) -> None:
    window, go = opened(locale="en-US")
    page = window.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=window.url)
    go("guide", "thunderbird-android")
    page.get_by_role("link", name="Make a password").click()
    assert page.get_by_label("Device or program").input_value() == "Android"
    page.get_by_role("button", name="Make the password").click()
    password = page.locator("#once-password").text_content()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == password
    page.get_by_role("button", name="Revoke the password of Android").click()
    page.get_by_text("can no longer sign in").wait_for()
    assert password not in page.content()
    assert (window.outside(), window.complaints) == ([], [])


def test_the_profile_is_a_download(opened: Open) -> None:
    window, go = opened(locale="en-US")
    go("guide", "iphone")
    window.page.get_by_label("Name of the device").fill("iPhone de Ana")
    with window.page.expect_download() as waiting:
        window.page.get_by_role("button", name="Make the profile").click()
    assert waiting.value.suggested_filename == "mail.mobileconfig"
    assert b"iPhone" not in Path(waiting.value.path()).read_bytes()[:40]


def test_the_slider_moves_the_chart_its_words_and_the_days_of_the_policy(opened: Open) -> None:
    window, go = opened(locale="en-US")
    page = window.page
    go("mode")
    line = "document.querySelector('.chart .l-kraft').getAttribute('d')"
    before = page.evaluate(line)
    page.locator("#sim-days").fill("80")
    page.get_by_text("80 days", exact=True).wait_for()
    page.wait_for_function(f"was => {line} !== was", arg=before)
    assert page.locator("#sim").count() == 1
    assert page.locator("[name=keep_days]").input_value() == "80"
    page.get_by_text("The same as a table").click()
    assert page.locator("#sim-table tbody tr").count() >= 17
    page.get_by_label("Days on the server, in steps").press("End")  # 3,650
    page.get_by_text("3,650 days", exact=True).wait_for()
    assert page.locator("#sim-days").input_value() == page.locator("[name=keep_days]").input_value() == "3650"
    page.locator("#sim-days").fill("4000")
    page.get_by_text("Write a number of days from 0 to 3650.").wait_for()
    assert [text for text in window.complaints if "422" not in text] == []  # Chromium notes each of these


def test_without_javascript_days_are_counted_and_nothing_is_offered_that_does_not_work(opened: Open) -> None:
    window, go = opened(java_script_enabled=False, locale="en-US")
    go("mode")
    window.page.locator("#sim-days").fill("30")
    window.page.get_by_role("button", name="Count").click()
    assert "days=30" in window.page.url
    go("guide", "other")
    assert not window.page.locator("[data-behaviour=copy]").first.is_visible()
    go("guide_print", "other")
    assert window.page.get_by_text("press Ctrl P").is_visible()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(1440, "light", marks=pytest.mark.variants),
        pytest.param(390, "dark", marks=pytest.mark.variants),
        pytest.param(1024, "dark", marks=pytest.mark.variants),
        pytest.param(390, "light", marks=pytest.mark.variants),
    ],
)
def test_every_page_fits_and_can_be_used_by_all(opened: Open, width: int, scheme: str) -> None:
    window, go = opened(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = window.page
    pages: list[tuple[Any, ...]] = [
        ("guide", "iphone"),
        ("guide", "gmail"),
        ("guide_print", "outlook"),
        ("mode",),
        ("dns_records",),
    ]
    with name_server({}):
        for name, *args in [*pages, ("app_passwords",)]:
            go(name, *args)
            if name == "app_passwords":
                page.locator("#id_name").fill("Un teléfono con un nombre bastante largo de verdad")
                page.locator(".device-form .btn--primary").click()
                page.wait_for_selector(".once")
            assert page.evaluate(FITS), name
            page.evaluate(AXE.read_text())
            found = page.evaluate("axe.run({exclude: ['.sidebar', '.topbar']}, {resultTypes: ['violations']})")[
                "violations"
            ]
            assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == [], name
    assert (window.outside(), window.complaints) == ([], [])


def test_the_sheet_on_paper_has_no_buttons(opened: Open) -> None:
    window, go = opened()
    go("guide_print", "outlook")
    window.page.emulate_media(media="print")
    assert not window.page.locator(".paper__acts").is_visible()
    assert not window.page.locator(".copy .btn").first.is_visible()
    assert window.page.locator(".qr").is_visible()
