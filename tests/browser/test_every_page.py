"""Every page of a mailbox and of the portal, in one window: no fault that axe knows of WCAG 2 A and AA, nothing wider than the
window, nothing that the policy forbids. Pages of mail itself and of space have tests of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import Kind, MailAccount, Role
from tests.browser.conftest import Visit
from tests.name_server import name_server

pytestmark = [pytest.mark.server, pytest.mark.browser]

OF_A_MAILBOX = [
    "contacts",
    "contact_new",
    "group_new",
    "filters",
    "filter_new",
    "filter_text",
    "vacation",
    "mode",
    "parity",
    "takeout",
    "identities",
    "tags",
    "reserve",
    "special_folders",
    "outbox",
    "templates",
    "folder_new",
    "folders_hidden",
    "app_passwords",
    "dns_records",
    "guide_home",
    "compose_new",
]
OF_THE_PORTAL = [
    "home",
    "search",
    "changes",
    "customers",
    "customer_new",
    "resellers",
    "plans",
    "plan_new",
    "people",
    "networks",
    "api",
]
OF_A_DOMAIN = [
    "domain",
    "domain_settings",
    "domain_dns",
    "mailbox_new",
    "batch_new",
    "addresses",
    "domain_people",
    "domain_networks",
    "domain_changes",
]
OF_ONE_MAILBOX = [
    "mailbox",
    "mailbox_forwards",
    "mailbox_password",
    "mailbox_state",
    "mailbox_space",
    "mailbox_changes",
]
OF_SPACE = ["usage_shares", "usage_retention"]
IN_SHORT = {
    "filter_new",
    "vacation",
    "tags",
    "portal:domain",
    "portal:people",
    "portal:mailbox_state",
    "portal:mailbox_delete",
}
"""One of each kind, which the suite shows."""
WIDE = {"locale": "es-CL", "viewport": {"width": 1280, "height": 800}}
NARROW = {"locale": "en-US", "color_scheme": "dark", "viewport": {"width": 390, "height": 844}}
RUN = "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false})"


def addresses(account: MailAccount, *, short: bool) -> Iterator[str]:
    mailbox = account.mailbox
    assert mailbox
    for names, keys in (
        (OF_A_MAILBOX, [account.pk]),
        (["guide", "guide_print"], [account.pk, "iphone"]),
        ([f"portal:{name}" for name in OF_THE_PORTAL], []),
        ([f"portal:{name}" for name in OF_A_DOMAIN], [mailbox.domain_id]),
        ([f"portal:{name}" for name in (*OF_ONE_MAILBOX, "mailbox_delete")], [mailbox.pk]),
        (["portal:customer", "portal:customer_people", "portal:domain_new"], [mailbox.domain.customer_id]),
        (["portal:plan"], [mailbox.domain.customer.plan_id]),
        (["portal:customer_networks"], [mailbox.domain.customer_id]),
        (["account_activity"], [account.pk]),
        (OF_SPACE, []),
        (["settings", "account_add"], []),
    ):
        yield from (reverse(name, args=keys) for name in names if name in IN_SHORT or not short)
    if not short:
        yield "/nothing/here/"


@pytest.mark.parametrize(
    ("short", "options"),
    [
        (True, WIDE),
        pytest.param(False, WIDE, marks=pytest.mark.variants),
        pytest.param(False, NARROW, marks=pytest.mark.variants),
    ],
    ids=["short", "wide", "narrow"],
)
def test_every_page_is_sound(signed_in: Any, short: bool, options: dict[str, Any]) -> None:
    window, made = signed_in(lambda made: None, **options)
    account = MailAccount.objects.select_related("mailbox__domain__customer").get(address=made.address)
    Role.objects.create(person=account.owner, kind=Kind.PROVIDER)
    with name_server({}):
        faults = [fault for address in addresses(account, short=short) for fault in look(window, address)]
    assert faults == []
    assert [text for text in window.complaints if " 404 " not in text and " 405 " not in text] == []
    assert window.outside() == []


def look(window: Visit, address: str) -> Iterator[str]:
    """What is wrong with a page."""
    window.page.goto(window.url + address, wait_until="domcontentloaded")
    if not window.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        yield f"{address}: wider than its window"
    window.page.evaluate(Path(settings.BASE_DIR / "node_modules/axe-core/axe.min.js").read_text())
    for fault in window.page.evaluate(RUN)["violations"]:
        yield f"{address}: {fault['id']} {[node['html'][:200] for node in fault['nodes'][:3]]}"
