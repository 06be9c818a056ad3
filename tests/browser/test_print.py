"""The printed sheet: a message's own style cannot reach what stands around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from webmail.markup.sanitize import sanitize

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COVER = "{position:absolute!important;top:0;left:0;width:100%;height:100%;z-index:9;background:#fff;margin-top:-300px}"
SELECTORS = (":scope", ":\\73cope", "body", "html", ".sheet", ".message", "div", "h1", "*", "@scope (html)")


def test_a_message_cannot_cover_the_head_of_its_printed_sheet(signed_in: Callable[..., Any], imap: Any) -> None:
    style = "".join(f"{selector}{COVER}" for selector in SELECTORS)
    raw = (
        b"From: Real <real@x.test>\r\nTo: ana@x.test\r\nSubject: Asunto real\r\nContent-Type: text/html\r\n\r\n"
        + f"<style>{style}</style><div><b>FALSO</b></div>".encode()
    )
    window, _made = signed_in(lambda made: imap(made.address).append("INBOX", raw))
    href = window.page.locator("#list .row__subj").first.get_attribute("href")
    window.page.goto(f"{window.url}{href}print/")
    for selector in ("h1", "dd"):
        on_top = window.page.locator(selector).first.evaluate(
            "e => { const b = e.getBoundingClientRect(); return e.contains(document.elementFromPoint(b.x + 4, b.y + 4)) }"
        )
        assert on_top, selector


def test_scope_is_no_selector_of_a_message() -> None:
    assert "color" not in sanitize("<style>:scope{color:red}</style>x", cid_urls={}, remote="block").css
