"""Writing mail in a real browser: a draft as one types, recipients, files, sending, taking back; Postfix delivers."""

from __future__ import annotations

import time
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visit, sign_in
from tests.contract.test_source import letter
from webmail.models import Composing, Outgoing
from webmail.services import sending

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]

HTML = (
    b"From: Beto <beto@x.test>\r\nTo: ana@x.test\r\nSubject: Con formato\r\nMessage-ID: <html1@x.test>\r\n"
    b"Date: Fri, 28 Nov 2025 20:00:00 +0000\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<style>p{color:red}</style><p>Hola <b>Ana</b></p><script>alert(1)</script>"
)


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        client.append("INBOX", letter("Pregunta", extra="Message-ID: <q1@x.test>\r\n", body="¿Cuánto cuesta?"))
        client.append("INBOX", HTML)

    return put


def read_all(imap: Any, address: str, folder: str) -> list[Any]:
    client = imap(address)
    client.select_folder(folder, readonly=True)
    uids = client.search()
    found = client.fetch(uids, ["BODY.PEEK[]", "FLAGS"]) if uids else {}
    return [(message_from_bytes(one[b"BODY[]"], policy=policy.default), set(one[b"FLAGS"])) for one in found.values()]


def wait(what: Callable[[], Any], seconds: float = 15) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def open_new(window: Visit) -> Any:
    window.page.locator("#list .row__subj").first.focus()
    window.page.keyboard.press("c")
    window.page.wait_for_selector(".compose")
    window.page.wait_for_selector(".compose .who input:focus")
    return window.page.locator(".compose")


def saved(window: Visit) -> None:
    window.page.wait_for_selector(".compose [data-state] >> text=Borrador guardado")


def deliver_all(seconds: float = 15) -> None:
    """Sends what waits, and again what the server puts off: a busy one does."""
    until = time.monotonic() + seconds
    while waiting := list(Outgoing.objects.filter(state=Outgoing.State.WAITING)):
        for outgoing in waiting:
            sending.send_now(outgoing=outgoing)
            sending.deliver(outgoing.pk)
        assert time.monotonic() < until, [(one.error, one.results) for one in waiting]


def test_what_is_typed_is_a_draft_on_the_server(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type("beto@x.test, Carla Ruiz <carla@y.test>;")
    composer.locator("[name=subject]").fill("Presupuesto Ñuñoa")
    composer.locator(".compose__rich").click()
    page.keyboard.type("Buenas tardes")
    saved(window)
    page.keyboard.type(", ya va.")
    drafts = wait(lambda: [one for one in read_all(imap, made.address, "Drafts") if "ya va" in one[0].as_string()])
    assert len(read_all(imap, made.address, "Drafts")) == 1
    message, flags = drafts[0]
    assert str(message["to"]) == "beto@x.test, Carla Ruiz <carla@y.test>"
    assert message["subject"] == "Presupuesto Ñuñoa"
    assert message["x-mozilla-draft-info"]
    assert b"\\Draft" in flags
    assert b"\\Seen" not in flags
    assert window.complaints == []


def test_a_message_is_sent_and_arrives(signed_in: Opened, fill: Any, imap: Any, mailbox_factory: Any) -> None:
    beto = mailbox_factory("beto")
    carla = mailbox_factory("carla")
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{beto.address},")
    composer.locator("[data-compose=copies]").click()
    composer.locator("#" + composer.locator("[name=bcc]").get_attribute("id") + "-entry").fill(carla.address)
    composer.locator("[name=subject]").fill("Hola")
    composer.locator(".compose__rich").click()
    page.keyboard.type("Texto con ")
    page.keyboard.press("Control+b")
    page.keyboard.type("negrita")
    saved(window)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#toasts >> text=Enviando")
    page.wait_for_selector(".compose", state="detached")
    deliver_all()
    message, _flags = wait(lambda: read_all(imap, beto.address, "INBOX"))[0]
    assert message["subject"] == "Hola"
    assert message["bcc"] is None
    assert "<b>negrita</b>" in message.get_body(("html",)).get_content()
    assert "Texto con negrita" in message.get_body(("plain",)).get_content()
    assert wait(lambda: read_all(imap, carla.address, "INBOX"))
    assert [str(one["subject"]) for one, _f in read_all(imap, made.address, "Sent")] == ["Hola"]
    assert read_all(imap, made.address, "Drafts") == []
    assert window.complaints == []


def test_sending_can_be_taken_back(signed_in: Opened, fill: Any, imap: Any, mailbox_factory: Any) -> None:
    beto = mailbox_factory("beto")
    window, _made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{beto.address},")
    composer.locator("[name=subject]").fill("Mejor no")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#toasts >> text=Enviando")
    page.click("#toasts [data-key=z]")
    page.wait_for_selector(".compose")
    assert page.input_value(".compose [name=subject]") == "Mejor no"
    assert Outgoing.objects.get().state == Outgoing.State.CANCELLED
    assert read_all(imap, beto.address, "INBOX") == []


def test_a_reply_quotes_and_marks_the_original(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("text=Pregunta")
    page.wait_for_selector("#subject >> text=Pregunta")
    page.keyboard.press("r")
    page.wait_for_selector(".compose")
    page.wait_for_selector(".compose__text:focus")
    assert "> ¿Cuánto cuesta?" in page.input_value(".compose__text")
    page.keyboard.type("Cuesta 100.")
    page.click(".compose .chip >> text=Beto")
    page.keyboard.press("Control+a")
    page.keyboard.type(f"{made.address},")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    deliver_all()
    answer = wait(
        lambda: [one for one, _f in read_all(imap, made.address, "INBOX") if one["subject"] == "Re: Pregunta"]
    )[0]
    assert answer["in-reply-to"] == "<q1@x.test>"
    assert answer["references"] == "<q1@x.test>"
    flags = next(flags for one, flags in read_all(imap, made.address, "INBOX") if one["subject"] == "Pregunta")
    assert b"\\Answered" in flags


def test_a_quoted_page_stays_in_its_frame(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("text=Con formato")
    page.wait_for_selector("#subject >> text=Con formato")
    page.keyboard.press("f")
    page.wait_for_selector(".compose .compose__quote")
    page.click(".compose__quote summary")
    page.frame_locator(".compose__quote iframe").locator("text=Ana").wait_for()
    page.locator(".compose .who input").first.focus()
    page.locator(".compose .who input:visible").first.fill(made.address)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    deliver_all()
    sent = wait(
        lambda: [one for one, _f in read_all(imap, made.address, "INBOX") if one["subject"] == "Fwd: Con formato"]
    )[0]
    html = sent.get_body(("html",)).get_content()
    assert "<b>Ana</b>" in html
    assert "script" not in html
    flags = next(flags for one, flags in read_all(imap, made.address, "INBOX") if one["subject"] == "Con formato")
    assert b"$Forwarded" in flags


def test_files_go_along(signed_in: Opened, fill: Any, imap: Any, tmp_path: Path) -> None:
    window, made = signed_in(fill)
    page = window.page
    data = bytes(range(256)) * 10_000
    (tmp_path / "año 2025.bin").write_bytes(data)
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[data-attach]").set_input_files(tmp_path / "año 2025.bin")
    composer.locator(".file__sub", has_text="2,6 MB").wait_for()
    saved(window)
    page.locator(".compose [name=subject]").focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    deliver_all()
    message = wait(lambda: [one for one, _f in read_all(imap, made.address, "INBOX") if not one["subject"]])[0]
    part = next(message.iter_attachments())
    assert part.get_filename() == "año 2025.bin"
    assert part.get_content() == data


def test_a_forgotten_attachment_is_asked_about_once(signed_in: Opened, fill: Any) -> None:
    window, owner = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{owner.address},")
    composer.locator("[name=subject]").fill("Va adjunto el plano")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose >> text=Habla de un adjunto y no hay ninguno")
    assert Outgoing.objects.count() == 0
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose", state="detached")
    assert Outgoing.objects.count() == 1


def test_a_wrong_recipient_is_told_and_nothing_is_lost(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type("beto@papeles,")
    composer.locator("[name=subject]").fill("Hola")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compose [role=alert] >> text=Falta el dominio")
    assert page.input_value(".compose [name=subject]") == "Hola"
    assert page.locator(".compose .chip--bad").count() == 1
    assert Outgoing.objects.count() == 0


def test_a_closed_page_loses_nothing(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    composer.locator("[name=subject]").fill("A medio escribir")
    page.goto("about:blank")
    wait(lambda: Composing.objects.filter(subject="A medio escribir").exists())


def test_a_session_that_ended_loses_no_text(signed_in: Opened, fill: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[name=subject]").fill("Antes")
    saved(window)
    page.context.clear_cookies()
    composer.locator("[name=subject]").fill("Antes y después")
    page.wait_for_selector(".compose [data-state] >> text=Su sesión terminó")
    page.locator(".compose [name=subject]").press("Control+Enter")
    page.wait_for_selector("#id_login")
    sign_in(window, made)
    page.click("#toasts >> text=Abrirlo")
    page.wait_for_selector(".compose")
    assert page.input_value(".compose [name=subject]") == "Antes y después"


def test_the_switch_to_plain_text_keeps_lines_and_lists(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    composer = open_new(window)
    composer.locator(".compose__rich").click()
    page.keyboard.type("Hola:")
    page.keyboard.press("Enter")
    composer.locator("[data-format=makeUnorderedList]").click()
    page.keyboard.type("uno")
    page.keyboard.press("Enter")
    page.keyboard.type("dos")
    composer.locator("[data-compose=plain]").click()
    page.wait_for_selector(".compose__text:visible")
    assert page.input_value(".compose__text").strip() == "Hola:\n- uno\n- dos"


def test_a_file_that_is_too_large_holds_the_message_back(signed_in: Opened, fill: Any, tmp_path: Path) -> None:
    window, made = signed_in(fill)
    page = window.page
    (tmp_path / "grande.bin").write_bytes(b"x" * 27_000_000)
    composer = open_new(window)
    page.keyboard.type(f"{made.address},")
    composer.locator("[data-attach]").set_input_files(tmp_path / "grande.bin")
    composer.locator(".file[data-failed]").wait_for()
    page.locator(".compose [name=subject]").press("Control+Enter")
    page.wait_for_selector(".compose [data-said] >> text=no se pudo subir")
    assert Outgoing.objects.count() == 0


def test_a_draft_of_the_server_is_gone_on_with(signed_in: Opened, fill: Any, imap: Any) -> None:
    draft = (
        b"From: ana@x.test\r\nTo: Beto <beto@x.test>\r\nBcc: carla@y.test\r\nSubject: De Thunderbird\r\n"
        b"Message-ID: <td1@x.test>\r\nIn-Reply-To: <q1@x.test>\r\nReferences: <q0@x.test> <q1@x.test>\r\n"
        b"Date: Fri, 28 Nov 2025 20:00:00 +0000\r\nX-Mozilla-Draft-Info: internal/draft; vcard=0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nEmpezado en otro programa\r\n"
    )

    def put(made: Any) -> None:
        imap(made.address).append("Drafts", draft, flags=[b"\\Draft"])

    window, made = signed_in(put)
    page = window.page
    page.click("#tree a >> text=Borradores")
    page.click("text=De Thunderbird")
    page.click("#reader .bar >> text=Seguir escribiendo")
    page.wait_for_selector(".compose")
    assert page.input_value(".compose__text").strip() == "Empezado en otro programa"
    page.locator(".compose__text").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("y seguido aquí")
    saved(window)
    wait(lambda: "seguido" in read_all(imap, made.address, "Drafts")[0][0].as_string())
    ((message, _flags),) = read_all(imap, made.address, "Drafts")
    assert message["message-id"] == "<td1@x.test>"
    assert message["bcc"] == "carla@y.test"
    assert message["references"] == "<q0@x.test> <q1@x.test>"


def test_without_javascript_a_plain_message_is_sent(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill, java_script_enabled=False)
    page = window.page
    page.click("text=Redactar")
    page.fill("[name=to]", made.address)
    page.fill("[name=subject]", "Sin guion")
    page.fill("[name=text]", "Texto simple")
    page.click("text=Enviar")
    page.wait_for_selector("#toasts >> text=Enviando")
    deliver_all()
    message = wait(lambda: [one for one, _f in read_all(imap, made.address, "INBOX") if one["subject"] == "Sin guion"])[
        0
    ]
    assert message.get_content().strip() == "Texto simple"


def test_people_written_to_are_suggested(signed_in: Opened, fill: Any) -> None:
    from accounts.models import MailAccount
    from webmail.services.contacts import remember
    from webmail.values import Address

    window, made = signed_in(fill)
    account = MailAccount.objects.get(address=made.address)
    remember(account, [Address("Álvaro Cid", "ventas@papeles.test"), Address("", "otro@z.test")], written=True)
    page = window.page
    open_new(window)
    page.keyboard.type("papel", delay=30)
    page.wait_for_selector(".suggest >> text=Álvaro Cid")
    page.keyboard.press("Enter")
    page.wait_for_selector(".compose .chip >> text=Álvaro Cid")
    assert page.input_value(".compose [name=to]") == "Álvaro Cid <ventas@papeles.test>"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
