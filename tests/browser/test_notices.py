"""The notes above a message in a real browser: a receipt answered in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.webmail import reports

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_receipt_is_answered_in_place(signed_in: Callable[..., tuple[Visit, Any]], imap: Any) -> None:
    def fill(made: Any) -> None:
        client = imap(made.address)
        client.append("Sent", reports.wire(reports.ORIGINAL.format(me=made.address)))
        client.append("INBOX", reports.asking(made.address))
        client.append("INBOX", reports.report(reports.POSTFIX, made.address))

    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row", has_text="Cotización").locator("a").first.click()
    page.locator("#reader form.note button[value=decline]").click()
    page.wait_for_selector("#reader p.note[role=status]")
    assert page.locator("#reader form.note").count() == 0
    assert page.evaluate("document.activeElement.matches('p.note')")
    page.locator("#list .row", has_text="Undelivered").locator("a").first.click()
    page.locator("#reader section.note a").first.click()
    page.wait_for_selector("#reader section.note code")
    assert "Presupuesto" in page.locator("#subject").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert window.complaints == []
