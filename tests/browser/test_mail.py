"""Reading mail in a real browser: mouse, keyboard, narrow windows, both languages and themes, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import SpaceAlert
from tests.browser.conftest import Visit
from tests.contract.test_source import MIXED, letter

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HTML = (
    b"From: Boletin <b@news.test>\r\nTo: ana@x.test\r\nSubject: Boletin con imagenes\r\n"
    b"Date: Fri, 28 Nov 2025 20:00:00 +0000\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<h1>Hola</h1><img src="https://tracker.test/pixel.png"><p style="color:red">rojo</p>'
    b"<script>top.location='https://evil.test'</script>" + b"<p>Una linea</p>" * 60
)
Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        for index in range(120):
            client.append("INBOX", letter(f"Mensaje {index:03}", day=index - 119, body=f"Cuerpo {index}"))
        client.append("INBOX", HTML)
        client.append("INBOX", MIXED)
        client.append("Drafts", letter("Borrador"), flags=[b"\\Draft"])

    return put


def rows(window: Visit) -> list[str]:
    return window.page.locator("#list .row__subj").all_inner_texts()


def test_the_door_opens_with_address_and_password(
    visit: Callable[..., Visit], mailbox_factory: Callable[..., Any]
) -> None:
    made = mailbox_factory("ana", name="Ana")
    window = visit()
    page = window.page
    page.goto(window.url + "/")
    page.fill("#id_login", made.address)
    page.fill("#id_password", "falsa")
    page.press("#id_password", "Enter")
    page.wait_for_selector("[aria-invalid=true]")
    page.fill("#id_password", made.password)
    page.click(".door__form .btn--primary")
    page.wait_for_selector("html[data-started] #list .m-bar", state="attached")
    assert [text for text in window.complaints if "422" not in text] == []  # the browser says so of a wrong password


def test_a_click_opens_the_message_beside_the_list_and_marks_it_read(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.click("text=Mensaje 118")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.wait_for_selector("#tree >> text=121")
    row = page.locator("#list .row", has_text="Mensaje 118")
    assert row.get_attribute("aria-current") == "true"
    assert row.get_attribute("data-unread") is None
    assert "Cuerpo 118" in page.inner_text("#reader")
    assert "/m/" in page.url
    page.go_back()
    page.wait_for_selector("#list .row")
    assert window.complaints == []


def test_html_mail_is_framed_and_asks_for_nothing_until_told(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.click("text=Boletin con imagenes")
    frame = page.frame_locator("iframe.letter__frame")
    frame.locator("text=rojo").wait_for()
    assert (
        page.locator("iframe.letter__frame").get_attribute("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
    )
    assert window.outside() == []
    assert "evil.test" not in page.url
    page.click("text=Mostrar ahora")
    page.wait_for_load_state("networkidle")
    assert window.outside() == []
    assert any("/image/?u=" in url for url in window.requests)


PIXEL = b"iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAIAAAA7ljmRAAAAEElEQVR4nGP4z8AARww4OQD1MQv1NXv7ggAAAABJRU5ErkJggg=="
WITH_IMAGE = (
    b"From: a@x.test\r\nSubject: Con imagen dentro\r\nDate: Sat, 01 Nov 2025 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
    b'<p>Mira</p><img src="cid:uno@x" alt="uno"><img src="cid:dos@x" alt="dos">\r\n'
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <uno@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + PIXEL
    + b"\r\n"
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <dos@x>\r\n\r\n<svg onload=alert(1)>\r\n--b--\r\n"
)


def test_images_of_the_message_itself_are_shown_in_their_frame(signed_in: Opened, imap: Any) -> None:
    window, _made = signed_in(lambda made: imap(made.address).append("INBOX", WITH_IMAGE))
    page = window.page
    page.click("text=Con imagen dentro")
    frame = page.frame_locator("iframe.letter__frame")
    frame.locator("text=Mira").wait_for()
    assert frame.locator("img[alt=uno]").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [4, 3]
    assert frame.locator("img[alt=dos]").evaluate("image => image.naturalWidth") == 0
    assert window.outside() == []
    page.goto(page.url + "print/")
    assert page.locator("img[alt=uno]").evaluate("image => image.naturalWidth") == 4


def test_everything_by_keyboard(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#subject >> text=Mensaje 119")
    page.keyboard.press("j")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    asked = len(window.requests)
    for key in "jjjjjjjj":  # faster than the server answers: each is one message
        page.keyboard.press(key)
    page.wait_for_selector("#subject >> text=Mensaje 110")
    assert "Mensaje 110" in page.inner_text("#list .row[aria-current]")
    assert len([url for url in window.requests[asked:] if "/m/" in url]) < 8 + 1
    for key in "kkkkkkkk":
        page.keyboard.press(key)
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.keyboard.press("s")
    page.wait_for_selector("#reader #letter-state[data-flagged]")
    page.keyboard.press("u")
    page.wait_for_selector("#list .row[data-unread][aria-current]")
    page.keyboard.press("?")
    page.wait_for_selector("dialog#shortcuts[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("Mensaje 007")
    page.keyboard.press("Enter")
    page.wait_for_selector("#list .chip")
    assert [" ".join(text.split()) for text in rows(window)] == ["No leído: Mensaje 007"]
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_selector("#list .row__subj >> text=Borrador")
    assert window.complaints == []


def test_going_back_leaves_a_scrolled_list_where_it_is(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.click("text=Mensaje 118")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.evaluate("document.querySelector('#list ol').scrollTop = 4000")
    page.wait_for_selector("#list .row__subj >> text=Mensaje 060")
    before = page.evaluate("document.querySelector('#list ol').scrollTop")
    page.go_back()
    page.wait_for_selector("#reader [data-reader]", state="detached")
    assert page.evaluate("document.querySelector('#list ol').scrollTop") == before
    assert page.evaluate("document.activeElement.matches('#list .row__subj')")
    box = page.evaluate("document.activeElement.closest('.row').getBoundingClientRect().toJSON()")
    assert box["bottom"] > 0
    assert box["top"] < 900


def test_a_message_far_down_is_loaded_again_with_its_place_in_the_list(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("End")
    page.click("text=Mensaje 002")
    page.wait_for_selector("#subject >> text=Mensaje 002")
    page.reload()
    page.wait_for_selector("#list .row[aria-current] >> text=Mensaje 002")
    box = page.locator("#list .row[aria-current]").bounding_box()
    assert box is not None
    assert 0 < box["y"] < 900
    assert window.complaints == []


def test_escape_ends_a_search(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.keyboard.press("/")
    page.keyboard.type("nada de esto")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Nada con “nada de esto”")
    page.locator("#search-box input").focus()
    page.keyboard.press("Escape")
    page.wait_for_selector("#list .row__subj >> text=Mensaje 118")
    assert page.input_value("#search-box input") == ""


def test_a_special_folder_is_folded_until_somebody_opens_it(signed_in: Opened, fill: Any, imap: Any) -> None:
    def put(made: Any) -> None:
        client = imap(made.address)
        for name in ("Archive/2025", "Clientes/Ñuble"):
            client.create_folder(name)
            client.subscribe_folder(name)

    window, _made = signed_in(put)
    page = window.page
    year = page.locator("#tree a", has_text="2025")
    page.wait_for_selector("#tree a >> text=Ñuble")
    assert not year.is_visible()
    page.locator("#tree a", has_text="Archivo").focus()
    page.keyboard.press("ArrowRight")
    year.click()
    page.wait_for_selector("#list .bar__title >> text=2025")
    page.reload()
    assert year.is_visible()


def test_a_folder_that_another_program_removed_keeps_the_tree(signed_in: Opened, imap: Any) -> None:
    def put(made: Any) -> None:
        client = imap(made.address)
        client.create_folder("Obras")
        client.subscribe_folder("Obras")

    window, made = signed_in(put)
    imap(made.address).delete_folder("Obras")
    window.page.click("#tree a >> text=Obras")
    window.page.wait_for_selector("text=Esta carpeta ya no está aquí")
    assert "Entrada" in window.page.inner_text("#tree")
    window.page.click("#list >> text=Ir a Entrada")
    window.page.wait_for_selector("#list .bar__title >> text=Entrada")


def test_the_list_reaches_its_end(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("End")
    page.wait_for_selector("#list .row__subj >> text=con adjunto")
    page.keyboard.press("Home")
    page.wait_for_selector("#list .row__subj >> text=Boletin")


def test_sort_and_filter_menus(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.click("#list .bar__end button")
    page.click("#list-menu >> text=Con adjuntos")
    page.wait_for_selector("#list .chip")
    assert page.locator("#list .row").count() == 1
    page.click("#list .chip")
    page.wait_for_selector("#list .row >> nth=10")
    page.click("#list .bar__end button")
    page.click("#list-menu >> text=Tamaño")
    page.wait_for_selector("#list .row >> nth=0 >> text=con adjunto")


def test_a_narrow_window_shows_one_pane_at_a_time(signed_in: Opened, fill: Any) -> None:
    def nearly_full(made: Any) -> None:
        fill(made)
        SpaceAlert.objects.create(mailbox=made.mailbox, percent=90, at=timezone.now())

    window, _made = signed_in(nearly_full, viewport={"width": 390, "height": 844}, has_touch=True)
    page = window.page
    assert not page.locator("#reader").is_visible()
    page.click(".bell > .btn")
    page.click("#bell-menu >> text=90 %", trial=True)
    page.keyboard.press("Escape")
    page.click("text=Mensaje 119")
    page.wait_for_selector("#subject >> text=Mensaje 119")
    assert not page.locator("#list").is_visible()
    assert not page.locator(".bell > .btn").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#reader [data-back]:visible")
    page.wait_for_selector("#list .row:visible")
    page.click("#list [data-drawer-open]")
    page.click("#sidebar >> text=Borradores")
    page.wait_for_selector("#list .row__subj >> text=Borrador")
    assert not page.locator("#sidebar").is_visible()


def test_reading_works_without_javascript(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill, java_script_enabled=False)
    page = window.page
    page.click("text=Mensaje 117")
    assert "Cuerpo 117" in page.inner_text("#reader")
    page.click("#reader button[value=star]:visible")
    page.click("text=Más mensajes")
    assert "Mensaje 050" in page.inner_text("#list")
    page.click("text=Borradores")
    assert "Borrador" in page.inner_text("#list")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"locale": "es-CL", "color_scheme": "light"}, marks=pytest.mark.variants),
        pytest.param({"locale": "en-US", "color_scheme": "dark"}, marks=pytest.mark.variants),
        {"locale": "es-CL", "color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    ],
)
def test_axe_finds_no_serious_fault(signed_in: Opened, visit: Any, fill: Any, options: dict[str, Any]) -> None:
    axe = Path(settings.BASE_DIR / "node_modules/axe-core/axe.min.js").read_text()
    window, _made = signed_in(fill, **options)
    found: list[str] = []

    def inspect(where: str) -> None:
        window.page.evaluate(axe)
        result = window.page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false})"
        )
        for fault in result["violations"]:
            if fault["impact"] in {"serious", "critical"}:
                nodes = [(node["html"][:90], node["any"][:1]) for node in fault["nodes"][:4]]
                found.append(f"{where}: {fault['id']} {nodes}")

    inspect("list")
    window.page.click("#list .row__subj >> nth=0")
    window.page.wait_for_selector("#subject")
    inspect("message")
    window.page.goto(window.url + "/accounts/settings/")
    inspect("settings")
    window.page.context.clear_cookies()
    window.page.goto(window.url + "/accounts/login/")
    inspect("sign-in")
    assert found == []


def test_double_zoom_scrolls_nothing_sideways(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill, viewport={"width": 720, "height": 450})
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.page.click("#list .row__subj >> nth=1")
    window.page.wait_for_selector("#subject")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_message_that_another_program_removed_says_so(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    client = imap(made.address)
    client.select_folder("INBOX")
    client.delete_messages(client.search(["SUBJECT", "Mensaje 116"]))
    client.expunge()
    window.page.click("text=Mensaje 116")
    window.page.wait_for_selector("#reader >> text=Este mensaje ya no está aquí")
    window.page.click("text=Mensaje 115")
    window.page.wait_for_selector("#subject >> text=Mensaje 115")
