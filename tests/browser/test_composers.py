"""Composers in a real browser: pictures in the text, the quotation, templates, redirecting, windows of their own, names."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.browser.test_writing import deliver_all, open_new, read_all, saved, wait
from tests.contract.test_source import letter
from tests.webmail.test_files_from_messages import RAW as WITH_FILE
from tests.webmail.test_pictures import related
from webmail.models import Composing, Outgoing

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]

GIVE = """([selector, type, data]) => {
  const transfer = new DataTransfer();
  if (data.startsWith("<")) transfer.setData("text/html", data);
  else transfer.items.add(new File([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))], "a.png", { type: "image/png" }));
  const target = document.querySelector(selector);
  const box = target.getBoundingClientRect();
  const place = { bubbles: true, cancelable: true, clientX: box.x + 20, clientY: box.y + 10 };
  const kind = type === "paste" ? ClipboardEvent : DragEvent;
  target.dispatchEvent(new kind(type, { ...place, clipboardData: transfer, dataTransfer: transfer }));
}"""
FOREIGN = (
    '<p>antes<img src="https://fuera.test/a.png" alt="espía" onerror="alert(1)">'
    '<img src="data:image/png;base64,AA==" srcset="https://fuera.test/b.png">después</p>'
)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        client.append("INBOX", letter("Pregunta", extra="Message-ID: <q1@x.test>\r\n", body="¿Cuánto cuesta?"))
        remote = '<img src="https://fuera.test/a.png" alt="fuera">'
        html = f'<p>Uno <img src="cid:part1.AB@x.test" alt="plano"></p><p>Dos {remote}</p>'
        client.append("INBOX", related("Bonita", html, extra="Reply-To: Beto <beto@x.test>\r\n"))

    return put


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of 900 by 60 px."""
    from PIL import Image

    path = tmp_path / "Plano de la casa.png"
    Image.new("RGB", (900, 60), "teal").save(path)
    return path


def open_mail(window: Visit, subject: str) -> None:
    window.page.click(f"#list >> text={subject}")
    window.page.wait_for_selector(f"#subject >> text={subject}")


def test_pictures_are_put_into_the_text_in_three_ways(signed_in: Opened, fill: Any, imap: Any, picture: Path) -> None:
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[name=subject]").fill("Con imágenes")
    composer.locator(".compose__rich").click()
    page.keyboard.type("Mire esto: ")
    composer.locator("[data-insert-image]").set_input_files(picture)
    composer.locator(".compose__rich img").wait_for()
    data = base64.b64encode(picture.read_bytes()).decode()
    page.evaluate(GIVE, [".compose__rich p", "paste", data])
    wait(lambda: page.locator(".compose__rich img").count() == 2)
    page.evaluate(GIVE, [".compose__rich", "drop", data])
    wait(lambda: page.locator(".compose__rich img").count() == 3)
    sizes = "(all) => all.map((one) => one.naturalWidth)"
    wait(lambda: page.locator(".compose__rich img").evaluate_all(sizes) == [900] * 3)
    assert composer.locator(".file:visible").count() == 0
    composer.locator(".compose__rich img[alt='Plano de la casa']").click()
    page.fill("#picture input", "La planta baja")
    page.keyboard.press("Enter")
    composer.locator(".compose__rich img[alt='La planta baja']").wait_for()
    saved(window)
    page.locator(".compose [name=subject]").press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    deliver_all()
    message = wait(
        lambda: [one for one, _f in read_all(imap, made.address, "INBOX") if one["subject"] == "Con imágenes"]
    )[0]
    body = message.get_body(("html",)).get_content()
    assert body.count('src="cid:') == 3
    assert 'alt="La planta baja"' in body
    assert list(message.iter_attachments()) == []
    page.reload()
    open_mail(window, "Con imágenes")
    frame = page.frame_locator(".letter__frame")
    frame.locator("img").first.wait_for()
    wait(lambda: frame.locator("img").evaluate_all(sizes) == [900] * 3)
    assert window.outside() == []
    assert window.complaints == []


def test_a_picture_too_large_for_the_text_is_attached(signed_in: Opened, fill: Any, tmp_path: Path) -> None:
    window, _made = signed_in(fill)
    (tmp_path / "grande.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 4_300_000)
    composer = open_new(window)
    composer.locator(".compose__rich").click()
    composer.locator("[data-insert-image]").set_input_files(tmp_path / "grande.png")
    composer.locator("[data-said] >> text=quedó adjunta").wait_for()
    composer.locator(".file__sub", has_text="4,3 MB").wait_for()
    assert composer.locator(".compose__rich img").count() == 0


def test_pictures_of_others_do_not_get_into_the_editor(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    composer.locator(".compose__rich").click()
    page.evaluate(GIVE, [".compose__rich p", "paste", FOREIGN])
    composer.locator(".compose__rich >> text=después").wait_for()
    assert composer.locator(".compose__rich img").count() == 0
    assert window.outside() == []
    assert "dialog" not in window.complaints


def test_the_quotation_is_answered_between_its_lines(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    open_mail(window, "Bonita")
    page.keyboard.press("r")
    page.wait_for_selector(".compose [data-quote]")
    page.click(".compose [data-quote] summary")
    page.frame_locator(".compose__quote iframe").locator("img[src^='data:']").wait_for()
    page.click("[data-quote-do=take]")
    page.wait_for_selector(".compose__rich blockquote >> text=Dos")
    assert page.locator(".compose [data-quote]").count() == 0
    wait(lambda: page.locator(".compose__rich img[alt=plano]").evaluate("(one) => one.naturalWidth") == 1)
    wait(lambda: page.locator(".compose__rich img[alt=fuera]").evaluate("(one) => one.naturalWidth") == 96)
    page.wait_for_selector(".compose [data-elsewhere-note]")
    page.locator(".compose__rich blockquote p", has_text="Uno").click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("Respondo aquí")
    saved(window)
    composing = wait(lambda: Composing.objects.filter(quote="", html__contains="Respondo").first())
    assert composing.text.index("> Uno") < composing.text.index("Respondo") < composing.text.index("> Dos")
    page.locator(".compose [name=subject]").press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    raw = bytes(Outgoing.objects.get().raw)
    assert raw.count(b"Content-ID: <part1.AB@x.test>") == 1
    assert raw.count(b"https://fuera.test/a.png") == 1
    assert b"/compose/" not in raw
    assert window.outside() == []
    assert window.complaints == []


def test_the_quotation_is_taken_out(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    open_mail(window, "Bonita")
    page.keyboard.press("r")
    page.click(".compose [data-quote] summary")
    page.click("[data-quote-do=drop]")
    saved(window)
    assert page.locator(".compose [data-quote]").count() == 0
    assert Composing.objects.get().quote == ""


def test_plain_text_takes_the_quotation_along(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    open_mail(window, "Bonita")
    page.keyboard.press("r")
    page.wait_for_selector(".compose [data-quote]")
    page.wait_for_selector(".compose :focus")  # it is bound by then
    page.click(".compose [data-compose=plain]")
    page.wait_for_selector(".compose__text:visible")
    text = page.input_value(".compose__text")
    assert "> Uno" in text
    assert "> Dos" in text


def test_a_message_is_redirected(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    open_mail(window, "Pregunta")
    page.keyboard.press("b")
    page.wait_for_selector(".compose--small .who input:focus")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose--small [role=alert] >> text=quién")
    page.locator(".compose--small .who input:visible").first.click()
    page.keyboard.type(f"{made.address},")
    page.wait_for_selector(".compose--small [role=alert]", state="detached")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#toasts >> text=Enviando")
    page.wait_for_selector(".compose--small", state="detached")
    deliver_all()
    found = wait(lambda: [one for one, _f in read_all(imap, made.address, "INBOX") if one["resent-from"]])
    assert found[0]["subject"] == "Pregunta"


def test_a_selection_is_forwarded_as_attachments(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    page.locator("#list .row .row__sel").nth(0).click()
    page.locator("#list .row .row__sel").nth(1).click()
    page.keyboard.press("Shift+F")
    page.wait_for_selector(".compose")
    wait(lambda: page.locator(".compose .file").count() == 2)
    assert page.locator(".compose [name=subject]").input_value() in {"Fwd: Pregunta", "Fwd: Bonita"}
    assert window.complaints == []


def test_a_template_is_saved_found_in_the_menu_and_written_from(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    composer.locator("[name=subject]").fill("Pedido semanal")
    composer.locator(".compose__rich").click()
    page.keyboard.type("Diez cajas")
    saved(window)
    composer.locator("[popovertarget^=templates]").click()
    page.click("[popover]:popover-open >> text=Guardar como plantilla")
    page.wait_for_selector("#toasts >> text=Quedó guardado como plantilla")
    assert [str(one["subject"]) for one, _f in read_all(imap, made.address, "Templates")] == ["Pedido semanal"]
    assert composer.locator("[name=subject]").input_value() == "Pedido semanal"
    composer.locator("[data-compose=close]").click()
    page.wait_for_selector(".compose", state="detached")
    open_new(window)
    page.locator(".compose [popovertarget^=templates]").click()
    page.click("[popover]:popover-open >> text=Pedido semanal")
    page.wait_for_selector(".compose__rich >> text=Diez cajas")
    wait(lambda: page.locator(".compose").count() == 1)
    assert window.complaints == []


def test_a_composer_goes_on_in_a_window_of_its_own(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[name=subject]").fill("Aparte")
    with page.expect_popup() as opened:
        composer.locator("[data-compose=window]").click()
    own = opened.value
    own.wait_for_selector(".compose__rich")
    page.wait_for_selector(".compose", state="detached")
    assert own.input_value("[name=subject]") == "Aparte"
    assert "Aparte" in own.title()
    own.locator(".compose__rich").click()
    own.keyboard.type("Sigo aquí")
    own.close(run_before_unload=True)
    wait(lambda: Composing.objects.filter(html__contains="Sigo aquí").exists())
    with page.context.expect_page() as again:
        page.evaluate(
            "(url) => { window.open(url, 'otra', 'popup'); }",
            f"/mail/{Composing.objects.get().account_id}/compose/{Composing.objects.get().pk}/",
        )
    other = again.value
    other.wait_for_selector(".compose__rich >> text=Sigo aquí")
    other.locator("[name=subject]").press("Control+Enter")
    other.wait_for_selector("#toasts >> text=Enviando")
    other.click("#toasts [data-key=z]")
    other.wait_for_selector(".compose__rich >> text=Sigo aquí")
    assert Outgoing.objects.get().state == Outgoing.State.CANCELLED
    assert window.complaints == []


def test_two_composers_have_two_windows(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    popups = []
    for name in ("Uno", "Dos"):
        open_new(window).locator("[name=subject]").fill(name)
        with page.expect_popup() as opened:
            page.locator(".compose [data-compose=window]").click()
        opened.value.wait_for_selector(".compose__rich")
        popups.append(opened.value)
        page.wait_for_selector(".compose", state="detached")
    assert [one.input_value("[name=subject]") for one in popups] == ["Uno", "Dos"]


def test_small_composers_are_told_apart_by_their_names(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    open_new(window).locator("[name=subject]").fill("El primero")
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("c")
    wait(lambda: page.locator(".compose").count() == 2)
    page.wait_for_selector(".compose:not([data-small]) .who input:focus")
    page.keyboard.type("Carla Ruiz <carla@y.test>,")
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("c")
    wait(lambda: page.locator(".compose").count() == 3)
    titles = page.locator(".compose [data-title]").all_inner_texts()
    assert titles == ["El primero", "Carla Ruiz", "Mensaje nuevo"]


def test_a_note_about_a_missing_recipient_goes_when_there_is_one(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    composer.locator("[name=subject]").fill("Hola")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose [data-problem=nobody]")
    page.locator(".compose .who input:visible").first.click()
    page.keyboard.type("beto@casa,")
    page.wait_for_selector(".compose [data-problem]", state="detached")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose [data-problem=no-domain]")
    page.locator(".compose .chip [data-remove-chip]").click()
    page.wait_for_selector(".compose [data-problem]", state="detached")


def test_a_time_that_is_over_is_refused_and_one_to_come_is_kept(signed_in: Opened, fill: Any) -> None:
    window, made = signed_in(fill, timezone_id="Asia/Tokyo")
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[name=subject]").fill("Luego")
    composer.locator("[popovertarget^=later]").click()
    page.fill("[popover]:popover-open [data-later-field]", "2020-01-01T10:00")
    page.click("[popover]:popover-open [data-later=field]")
    page.wait_for_selector(".compose [data-problem=past]")
    assert Outgoing.objects.count() == 0
    page.locator(".compose [popovertarget^=later]").click()
    tomorrow = page.evaluate("new Date(Date.now() + 864e5 + 324e5).toISOString().slice(0, 10)")
    page.fill("[popover]:popover-open [data-later-field]", f"{tomorrow}T10:30")
    page.click("[popover]:popover-open [data-later=field]")
    page.wait_for_selector(".compose", state="detached")
    outgoing = Outgoing.objects.get()
    assert f"{outgoing.send_at:%H:%M}" == "01:30"
    page.goto(window.url + f"/mail/{outgoing.account_id}/outbox/")
    page.wait_for_selector("text=10:30")


def test_a_sent_draft_leaves_the_list_by_itself(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[name=subject]").fill("Se va solo")
    saved(window)
    composer.locator("[data-compose=close]").click()
    page.click("#tree a >> text=Borradores")
    page.click("#list >> text=Se va solo")
    page.click("#reader .bar >> text=Seguir escribiendo")
    page.wait_for_selector(".compose")
    page.locator(".compose [name=subject]").press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    page.click("#reader .bar >> text=Seguir escribiendo")
    page.wait_for_selector("#toasts >> text=ya va en camino")
    assert page.locator("#composers").inner_html().strip() == ""
    page.wait_for_selector("#tree >> text=Por enviar")
    deliver_all()
    page.wait_for_selector("#list .row", state="detached", timeout=30_000)
    page.wait_for_selector("#tree [data-outbox]", state="detached", timeout=30_000)


def test_a_file_of_another_message_is_attached(signed_in: Opened, imap: Any) -> None:
    window, _made = signed_in(lambda made: imap(made.address).append("INBOX", WITH_FILE))
    page = window.page
    composer = open_new(window)
    page.click("#list .row__subj >> text=Plano")
    chip = page.locator("#reader .file", has_text="plano.pdf")
    composer.locator("[data-compose=small]").click()
    chip.locator("[data-part]").click()
    composer.locator(".file >> text=plano.pdf").wait_for()
    composer.locator("[data-compose=small]").click()
    chip.drag_to(composer.locator(".compose__bar"))
    composer.locator(".file[data-file] >> nth=1").wait_for()
    assert "13" in composer.locator(".file__sub").first.inner_text()
    assert Composing.objects.get().uploads.count() == 2
    composer.locator("[data-compose=close]").click()
    chip.locator("[data-part]").click()
    page.wait_for_selector(".compose .file >> text=plano.pdf")
    assert Composing.objects.count() == 2
    assert window.complaints == []
