"""The pages of space in Chromium: nothing that the policy forbids, nothing too wide, no fault that axe finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import DaySpace, LogPosition, MailboxEvent, MailboxUsage, User
from accounts.services.login import account_of_mailbox
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.sampling import take_samples
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.server]
Opened = Callable[..., tuple[Visit, Any]]
GIGA = 10**9
SEEN = [
    pytest.param({"viewport": {"width": 1440, "height": 900}}, marks=pytest.mark.variants, id="wide"),
    pytest.param(
        {"viewport": {"width": 1024, "height": 768}, "color_scheme": "dark"}, marks=pytest.mark.variants, id="dark"
    ),
    pytest.param({"viewport": {"width": 390, "height": 844}}, id="narrow"),
]


def fill(made: Any) -> None:
    """A year of days, a mailbox that is nearly full, and what a POP3 program took."""
    now = timezone.now()
    MailboxUsage.objects.update_or_create(username=made.address, defaults={"bytes": 4_700_000_000})
    take_samples()
    User.objects.filter(pk=account_of_mailbox(made.mailbox).owner_id).update(is_superuser=True)
    DaySpace.objects.filter(day=timezone.localdate()).update(disk_bytes=6 * GIGA, other_bytes=None)
    DaySpace.objects.bulk_create(
        DaySpace(
            day=timezone.localdate() - timedelta(days=back),
            at=now,
            bytes=4_700_000_000 - back * 5_000_000,
            quota_bytes=5 * GIGA,
            mailboxes=1,
            disk_bytes=6 * GIGA,
        )
        for back in range(1, 300)
    )
    find_crossings()
    LogPosition.objects.create(path="x", began=now - timedelta(days=20), checked=now)
    for kind in ("fetched", "taken"):
        MailboxEvent.objects.create(
            mailbox=made.mailbox,
            day=now.date(),
            session="p",
            kind=kind,
            protocol="pop3",
            network="192.0.2.0/24",
            count=123,
            first_at=now,
            last_at=now,
        )


def addresses(made: Any) -> list[str]:
    account = account_of_mailbox(made.mailbox)
    return [
        reverse("usage"),
        reverse("usage") + "?show=domains&least=0",
        reverse("account_activity", args=[account.pk]),
        reverse("mailbox_activity", args=[made.mailbox.pk]),
        reverse("space", args=[account.pk]),
    ]


@pytest.mark.parametrize("options", SEEN)
def test_pages_are_sound(signed_in: Opened, options: dict[str, Any]) -> None:
    window, made = signed_in(fill, **options)
    axe = Path(settings.BASE_DIR / "node_modules/axe-core/axe.min.js").read_text()
    for address in addresses(made):
        answer = window.page.goto(window.url + address)
        assert answer
        assert answer.status == 200
        window.page.wait_for_selector("html[data-started]", state="attached")
        assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        if address == reverse("usage"):
            window.page.locator(".plot .u-over").hover()
            expect(window.page.locator(".plot .u-value").nth(1)).to_contain_text("GB")
        window.page.evaluate(axe)
        found = window.page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false})"
        )
        faults = [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in found["violations"]]
        assert faults == [], address
    assert window.complaints == []
    assert window.outside() == []


def test_the_table_is_sorted_narrowed_and_a_quota_changed_in_place(signed_in: Opened) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.goto(window.url + reverse("usage"))
    page.wait_for_selector("html[data-started]", state="attached")
    expect(page.locator(".bell__n")).to_have_text("1")
    page.locator(".bell > .btn").click()
    page.locator(".bell__one button").click()
    expect(page.locator(".bell > .btn")).to_have_count(0)
    page.locator("#usage-table th").nth(1).locator("a").click()
    expect(page).to_have_url(f"{window.url}{reverse('usage')}?sort=name")
    expect(page.locator("#usage-table th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    page.locator("#usage-table select[name=mode]").select_option("pop3")
    expect(page.locator("#usage-table tbody tr")).to_have_count(0)
    page.go_back()
    expect(page.locator("#usage-table tbody tr")).to_have_count(1)
    page.locator("#usage-table tbody button[popovertarget]").click()
    expect(page.locator(".menu__item", has=page.locator("svg")).filter(visible=True)).not_to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("#usage-table tbody input[type=checkbox]").check()
    page.locator("#gb").fill("5,5")
    page.keyboard.press("Enter")  # the first button of the form, and none of the menus'
    expect(page.locator(".toast")).to_be_visible()
    made.mailbox.refresh_from_db()
    assert made.mailbox.quota_bytes == 5_500_000_000
    page.locator(".toast form button").click()
    expect(page.locator("#usage-table tbody tr")).to_have_count(1)
    page.wait_for_timeout(300)
    made.mailbox.refresh_from_db()
    assert made.mailbox.quota_bytes == 5_000_000_000
    assert window.complaints == []


def test_without_script_everything_is_links_and_forms(signed_in: Opened) -> None:
    window, made = signed_in(fill, java_script_enabled=False)
    page = window.page
    page.goto(window.url + reverse("usage"))
    page.locator("#usage-table .tabs a").nth(1).click()
    expect(page.locator("#usage-table .tabs a[aria-current]")).to_contain_text("1")
    page.goto(window.url + reverse("usage"))
    page.locator("#usage-table tbody input[type=checkbox]").check()
    page.locator("#gb").fill("1")
    page.locator(".usage__act button").click()
    expect(page.locator("#gb-error")).to_contain_text(made.address)
