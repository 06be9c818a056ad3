"""Hostile mail, opened in Chromium: no script runs, nothing calls home, nothing leaves its frame."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.data.hostile import hostile_messages

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STEP = int(os.environ.get("HOSTILE_STEP", "50"))
"""Every how many messages one is opened; `make test-hostile` opens all."""


def test_no_hostile_message_runs_or_calls_home(signed_in: Callable[..., tuple[Visit, Any]], imap: Any) -> None:
    def fill(made: Any) -> None:
        client = imap(made.address)
        for index, (_name, raw) in enumerate(hostile_messages()):
            if index % STEP == 0 and 0 < len(raw) < 2_000_000:
                client.append("INBOX", raw)

    window, _made = signed_in(fill)
    page = window.page
    page.expose_binding("alert", lambda source: window.complaints.append("alert"))
    total = int(page.get_attribute("#list ol", "data-total") or 0)
    link = page.locator("#list .row__subj").first
    for position in range(total):
        ref = re.search(r"/m/(\d+\.\d+)/", link.get_attribute("href") or "")
        assert ref is not None
        link.click()
        page.wait_for_selector(f'#reader [data-ref="{ref[1]}"]', timeout=5000, state="attached")
        assert page.url.startswith(window.url)
        assert page.title() != "ran"
        link = page.locator("#reader [data-after]:visible")
        assert link.count() == (position < total - 1)
    page.wait_for_load_state("networkidle")
    assert window.outside() == []
    assert [text for text in window.complaints if "Content Security Policy" not in text] == []
    assert len(page.context.pages) == 1
