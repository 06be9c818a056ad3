"""Conversations in a real browser: around an open message, as rows of the list, and acted on as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.contract.test_threads import answer

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        for index in range(30):
            client.append("INBOX", answer(f"Suelta {index:02}", f"s{index}", day=index - 40))
        client.append("INBOX", answer("Precio", "p1", day=-9))
        client.append("Sent", answer("Re: Precio", "p2", "p1", day=-8), flags=[rb"\Seen"])
        client.append("INBOX", answer("Re: Precio", "p3", "p1", "p2", day=-7))
        client.append("INBOX", answer("Re: Precio", "p4", "p1", "p2", "p3", day=-6))
        client.append("INBOX", answer("Obra", "o1", day=-5))

    return put


def group(window: Visit) -> None:
    window.page.click("#list .bar [popovertarget=list-menu]")
    window.page.click("#list-menu >> text=Agrupar por conversación")
    window.page.wait_for_selector("#list .row[data-count='3']")


def subjects(made: Any, imap: Any, folder: str) -> int:
    return int(imap(made.address).folder_status(folder, ["MESSAGES"])[b"MESSAGES"])


def test_a_message_is_opened_amid_its_conversation(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj", has_text="Re: Precio").last.click()
    page.wait_for_selector("#thread-count >> text=4 mensajes")
    assert page.locator("#thread-older .thread__item").count() == 2
    assert page.locator("#thread-newer .thread__item").count() == 1
    page.locator("#thread-older summary").first.click()
    page.wait_for_selector("#thread-older .thread__letter .letter__from")
    assert page.locator("#thread-older .thread__letter .plain").count() == 1
    page.reload()
    assert page.locator("#thread-older .thread__item").count() == 2
    assert window.complaints == []


def test_a_row_stands_for_a_conversation_and_unfolds(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    group(window)
    assert "threads" not in page.url
    page.wait_for_selector("#list [data-count] >> text=32 conversaciones")
    row = page.locator("#list .row[data-count='3']")
    row.locator("a.n").click()
    page.wait_for_selector("#list .row__thread .row >> nth=1")
    row.locator(".row__subj").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#thread-count >> text=4 mensajes")
    assert page.locator("#list .row__thread .row[aria-current]").count() == 1
    page.reload()
    page.wait_for_selector("#list .row[data-count='3']")
    assert window.complaints == []


def test_a_row_is_deleted_with_all_that_it_stands_for(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    group(window)
    page.locator("#list .row[data-count='3'] .box").first.check(force=True)
    page.click("#list .bulk [value=delete]")
    page.wait_for_selector("#toasts >> text=3 mensajes movidos a Papelera")
    page.wait_for_selector("#list .row[data-count='3']", state="detached")
    assert (subjects(made, imap, "INBOX"), subjects(made, imap, "Trash")) == (31, 3)
    page.keyboard.press("z")
    page.wait_for_selector("#list .row[data-count='3']")
    assert (subjects(made, imap, "INBOX"), subjects(made, imap, "Trash")) == (34, 0)
    assert window.complaints == []


def test_the_menu_of_a_message_acts_on_its_conversation(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj", has_text="Re: Precio").first.click()
    page.wait_for_selector("#thread-menu [value=archive]", state="attached")
    page.locator("#reader .bar [popovertarget=message-menu]").click()
    page.click("#thread-menu [value=archive]")
    page.wait_for_selector("#toasts >> text=3 mensajes archivados")
    page.wait_for_selector("#list .row__subj >> text=Re: Precio", state="detached")
    assert subjects(made, imap, "INBOX") == 31
    page.wait_for_selector("#reader h2 >> text=Suelta 29")
    assert window.complaints == []


def test_without_script_conversations_are_rows_and_lines(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill, java_script_enabled=False)
    page = window.page
    page.goto(page.url + "?threads=1")
    assert "threads" not in page.url
    assert page.locator("#list .row[data-count='3']").count() == 1
    page.locator("#list .row[data-count='3'] .row__subj").click()
    assert page.locator("#thread-older .thread__item").count() == 3
    page.locator("#thread-older summary").first.click()
    page.locator("#thread-older .link").first.click()
    assert "4 mensajes" in page.locator("#thread-count").inner_text()
    page.locator("#reader .bar [popovertarget=message-menu]").click()
    page.locator("#thread-menu [value=delete]").click()
    assert subjects(made, imap, "INBOX") == 31
