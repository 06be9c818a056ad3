"""Acting on mail in a real browser: selecting, buttons, keys, drag, undo; what the server holds is looked at after each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.contract.test_source import letter

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        for index in range(120):
            client.append("INBOX", letter(f"Mensaje {index:03}", day=index - 119, body=f"Cuerpo {index}"))
        client.create_folder("Obras")
        client.subscribe_folder("Obras")

    return put


@pytest.fixture
def server(imap: Any) -> Callable[[Any, str], dict[str, set[str]]]:
    """What a folder of the server holds: subject -> flags."""

    def look(made: Any, folder: str) -> dict[str, set[str]]:
        client = imap(made.address)
        client.select_folder(folder, readonly=True)
        found = (
            client.fetch(client.search(), ["FLAGS", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"]) if client.search() else {}
        )
        section = b"BODY[HEADER.FIELDS (SUBJECT)]"
        return {
            one[section].decode().partition(":")[2].strip(): {flag.decode() for flag in one[b"FLAGS"]}
            for one in found.values()
        }

    return look


def toast(window: Visit, text: str) -> None:
    window.page.wait_for_selector(f"#toasts .toast >> text={text}")


def box(window: Visit, text: str) -> Any:
    return window.page.locator("#list .row", has_text=text).locator(".box")


def test_a_selection_is_archived_and_brought_back(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    box(window, "Mensaje 119").check(force=True)
    box(window, "Mensaje 117").check(force=True)
    page.wait_for_selector("#list .bulk >> text=2 seleccionados")
    page.click("#list .bulk [value=archive]")
    toast(window, "2 mensajes archivados")
    page.wait_for_selector("#list .row >> text=Mensaje 117", state="detached")
    assert set(server(made, "Archive/2025")) == {"Mensaje 119", "Mensaje 117"}
    page.wait_for_selector("#tree >> text=118")
    page.keyboard.press("z")
    toast(window, "2 mensajes están como estaban")
    page.wait_for_selector("#list .row >> text=Mensaje 117")
    assert server(made, "Archive/2025") == {}
    assert {"Mensaje 119", "Mensaje 117"} <= set(server(made, "INBOX"))
    assert window.complaints == []


def test_what_leaves_the_reader_makes_room_for_the_next(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("#list .row__subj >> text=Mensaje 118")
    page.wait_for_selector("#reader >> text=Cuerpo 118")
    page.click("#reader .bar [value=delete]")
    page.wait_for_selector("#reader >> text=Cuerpo 117")
    assert "Mensaje 118" in server(made, "Trash")
    page.goto(f"{page.url.split('/m/')[0]}/?sort=size")
    assert page.locator("#list .row__date").first.inner_text().split()[1] in {"B", "KB", "bytes"}
    assert window.complaints == []


def test_shift_selects_a_stretch_and_escape_leaves_it(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    box(window, "Mensaje 119").check(force=True)
    page.locator("#list .row__subj", has_text="Mensaje 115").click(modifiers=["Shift"])
    page.wait_for_selector("#list .bulk >> text=5 seleccionados")
    page.keyboard.press("Escape")
    page.wait_for_selector("#list .bulk", state="hidden")
    assert page.locator("#list .row[data-checked]").count() == 0


def test_the_keyboard_selects_and_deletes(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_selector("#list .bulk >> text=3 seleccionados")
    page.keyboard.press("Delete")
    toast(window, "3 mensajes movidos a Papelera")
    page.wait_for_selector("#list .row:focus-within >> text=Mensaje 116")
    assert set(server(made, "Trash")) == {"Mensaje 119", "Mensaje 118", "Mensaje 117"}


def test_the_whole_list_is_one_selection(signed_in: Opened, fill: Any, server: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("Control+a")
    page.wait_for_selector("#list .bulk >> text=120 seleccionados")
    box(window, "Mensaje 118").uncheck(force=True)
    page.wait_for_selector("#list .bulk >> text=119 seleccionados")
    imap(made.address).append("INBOX", letter("Recién llegado", day=1))
    page.keyboard.press("#")
    toast(window, "119 mensajes movidos a Papelera")
    assert set(server(made, "INBOX")) == {"Mensaje 118", "Recién llegado"}
    page.wait_for_selector("#list .row >> text=Recién llegado")
    page.click("#toasts [data-key=z]")
    toast(window, "119 mensajes están como estaban")
    assert len(server(made, "INBOX")) == 121


def test_marks_by_key_on_the_row_that_has_focus(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("s")
    toast(window, "1 mensaje destacado")
    page.wait_for_selector("#list .row .star")
    page.keyboard.press("u")
    toast(window, "1 mensaje marcado como leído")
    assert {"\\Seen", "\\Flagged"} <= server(made, "INBOX")["Mensaje 119"]
    page.keyboard.press("s")
    toast(window, "1 estrella quitada")
    assert "\\Flagged" not in server(made, "INBOX")["Mensaje 119"]
    assert page.evaluate("document.activeElement.closest('.row')?.innerText.includes('Mensaje 119')")


def test_a_message_is_moved_by_choosing_a_folder(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("text=Mensaje 118")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.keyboard.press("v")
    page.wait_for_selector("dialog#move[open]")
    page.keyboard.type("obr")
    assert page.locator("#move-folders li").all_inner_texts() == ["Obras"]
    page.keyboard.press("Enter")
    toast(window, "1 mensaje movido a Obras")
    assert set(server(made, "Obras")) == {"Mensaje 118"}
    page.wait_for_selector("#subject >> text=Mensaje 117")  # beside the list the next one opens


def test_a_row_is_dragged_to_a_folder(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row", has_text="Mensaje 117").drag_to(page.locator("#tree a", has_text="Obras"))
    toast(window, "1 mensaje movido a Obras")
    assert set(server(made, "Obras")) == {"Mensaje 117"}


def test_junk_and_back(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("text=Mensaje 118")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.keyboard.press("!")
    toast(window, "1 mensaje marcado como spam")
    assert "Junk" in server(made, "Junk")["Mensaje 118"]
    page.click("#tree a >> text=Spam")
    page.click("#list .row >> text=Mensaje 118")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.click("#reader .bar [value=ham]")
    toast(window, "1 mensaje no es spam")
    assert "NonJunk" in server(made, "INBOX")["Mensaje 118"]


def test_the_trash_asks_before_it_deletes_for_good(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("#")
    toast(window, "1 mensaje movido a Papelera")
    page.click("#tree a >> text=Papelera")
    page.locator("#list .row__subj", has_text="Mensaje 119").focus()
    page.keyboard.press("#")
    page.click("dialog#confirm >> text=Cancelar")
    assert set(server(made, "Trash")) == {"Mensaje 119"}
    page.locator("#list .row__subj", has_text="Mensaje 119").focus()
    page.keyboard.press("#")
    page.click("dialog#confirm >> text=Eliminar para siempre")
    toast(window, "1 mensaje eliminado para siempre")
    assert server(made, "Trash") == {}


def test_tags_are_thunderbirds(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("text=Mensaje 118")
    page.wait_for_selector("#subject >> text=Mensaje 118")
    page.click("#reader .bar [popovertarget=message-menu]")
    page.click("#message-menu >> text=Importante")
    page.wait_for_selector("#letter-state >> text=Importante")
    assert "$label1" in server(made, "INBOX")["Mensaje 118"]
    page.click("#reader .bar [popovertarget=message-menu]")
    page.click("#message-menu >> text=Importante")
    page.wait_for_selector("#letter-state >> text=Importante", state="detached")
    assert "$label1" not in server(made, "INBOX")["Mensaje 118"]


def test_what_the_server_refuses_is_said_and_put_back(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    imap(made.address).delete_folder("Obras")
    page = window.page
    page.locator("#list .row__subj").first.focus()
    page.keyboard.press("v")
    page.keyboard.type("obras")
    page.keyboard.press("Enter")
    toast(window, "Esta carpeta ya no está aquí")
    assert page.locator("#list .row", has_text="Mensaje 119").is_visible()


def test_without_javascript_a_selection_is_deleted_and_undone(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill, java_script_enabled=False)
    page = window.page
    box(window, "Mensaje 119").check(force=True)
    page.click("#list .bulk [value=delete]")
    toast(window, "1 mensaje movido a Papelera")
    assert set(server(made, "Trash")) == {"Mensaje 119"}
    page.click("#toasts >> text=Deshacer")
    toast(window, "1 mensaje está como estaba")
    assert server(made, "Trash") == {}


def test_a_new_tag_goes_on_what_is_selected(signed_in: Opened, fill: Any, server: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    box(window, "Mensaje 119").check(force=True)
    box(window, "Mensaje 117").check(force=True)
    page.click("#list .bulk [popovertarget=tags-menu]")
    page.click("#tags-menu >> text=Nueva etiqueta")
    page.wait_for_selector("#folder-dialog[open] #tag-name")
    page.keyboard.type("()")
    page.keyboard.press("Enter")
    page.wait_for_selector("#folder-dialog #tag-error")
    window.complaints.clear()  # Chromium tells of the 422
    page.fill("#tag-name", "Obra norte")
    page.locator("#folder-dialog .swatch input").nth(4).check()
    page.click("#folder-dialog .btn--primary")
    page.wait_for_selector("#list .row .tagdot.tag--own5 >> nth=1")
    assert page.locator("#folder-dialog[open]").count() == 0
    assert {subject for subject, flags in server(made, "INBOX").items() if "obra_norte" in flags} == {
        "Mensaje 119",
        "Mensaje 117",
    }
    page.click("#list .row__subj >> text=Mensaje 118")
    page.wait_for_selector("#reader >> text=Cuerpo 118")
    page.click("#reader .bar [popovertarget=message-menu]")
    page.click("#message-menu [data-tag=obra_norte]")
    page.wait_for_selector("#letter-state .badge >> text=Obra norte")
    assert window.complaints == []
