"""Filters in Chromium: dragged into another order, written as text, and begun from a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.sieve.conftest import letter
from webmail.sieve.client import open_session
from webmail.sieve.rules import Filters, Match, Rule
from webmail.sieve.script import OWN, read_script, write_script
from webmail.values import Credentials, Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scripts(stack: Stack) -> Callable[[Any], Any]:
    """Opens the scripts of a mailbox with its password."""
    return lambda made: open_session(
        Endpoint(LOOPBACK, stack.ports.sieve, "none"), Credentials(made.address, made.password)
    )


def test_rows_are_dragged_into_another_order(signed_in: Any, scripts: Any) -> None:
    def fill(made: Any) -> None:
        rows = tuple(Rule(name, match=Match.EVERY, read=True) for name in ("uno", "dos", "tres"))
        with scripts(made) as session:
            session.put(OWN, write_script(Filters(rows)))
            session.activate(OWN)

    window, made = signed_in(fill)
    page = window.page
    page.goto(page.url.split("/f/")[0] + "/filters/")
    page.wait_for_selector("html[data-started]", state="attached")
    names = page.locator(".rule__name")
    assert names.all_inner_texts() == ["uno", "dos", "tres"]
    with page.expect_navigation():
        page.locator("[data-row='2'] [data-grip]").drag_to(
            page.locator("[data-row='0']"), target_position={"x": 200, "y": 3}
        )
    expect(names).to_have_text(["tres", "uno", "dos"])
    with scripts(made) as session:
        assert [rule.name for rule in read_script(session.get(OWN)).filters.rules] == ["tres", "uno", "dos"]
    assert window.complaints == []
    assert window.outside() == []


def test_a_remark_leads_to_its_line(signed_in: Any) -> None:
    window, _made = signed_in(lambda made: None)
    page = window.page
    page.goto(page.url.split("/f/")[0] + "/filters/text/")
    page.wait_for_selector("html[data-started]", state="attached")
    page.locator("#script-text").fill("keep;\n\nbogus;\n")
    page.locator("button[value=save]").click()
    page.locator("[data-line='3']").click()
    selected = page.evaluate(
        "(() => { const f = document.getElementById('script-text'); return f.value.slice(f.selectionStart, f.selectionEnd); })()"
    )
    assert selected == "bogus;"


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["with script", "without"])
def test_a_filter_begins_with_a_message(signed_in: Any, scripts: Any, imap: Any, options: dict[str, Any]) -> None:
    def fill(made: Any) -> None:
        imap(made.address).append("INBOX", letter("Eva <eva@afuera.test>", made.address, "Hola"))

    window, made = signed_in(fill, **options)
    page = window.page
    page.locator("#list .row__subj").first.click()
    link = page.locator("#message-menu a[href*='filters/new']")
    link.wait_for(state="attached")
    page.goto(window.url + str(link.get_attribute("href")))
    expect(page.locator("[name=c0-value]")).to_have_value("eva@afuera.test")
    page.locator("[name=where][value=inbox]").check()
    page.locator("[name=star]").check()
    page.locator(".filter-form__acts .btn--primary").click()
    expect(page.locator(".rule__name")).to_contain_text("eva@afuera.test")
    with scripts(made) as session:
        assert read_script(session.get(OWN)).filters.rules[0].star
