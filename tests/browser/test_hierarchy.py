"""Managing folders in a real browser: menu, dialogs, toasts, focus; what the server holds is looked at after each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.contract.test_source import letter
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        client = imap(made.address)
        for name in ("Obras", "Obras/Norte", "Familia"):
            client.create_folder(name)
            client.subscribe_folder(name)
        for index in range(3):
            client.append("Obras", letter(f"Obra {index}"))
        client.append("Obras/Norte", letter("Del norte"))
        client.append("INBOX", letter("Hola"))

    return put


@pytest.fixture
def names(imap: Any) -> Callable[[Any], set[str]]:
    """The names of one's own folders on the server."""
    special = {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"}
    return lambda made: {name for _flags, _delimiter, name in imap(made.address).list_folders()} - special


def item(folder: str) -> str:
    return f'#tree li[data-folder="{encode_folder(FolderId(folder))}"]'


def choose(window: Visit, folder: str, what: str) -> None:
    """Opens a folder's menu by a right click and chooses what leads to the address of that name."""
    window.page.click(f"{item(folder)} .tree__item", button="right")
    window.page.wait_for_selector("#folder-menu:popover-open")
    window.page.click(f'#folder-menu [href$="/{what}/"], #folder-menu form[action$="/{what}/"] button')


def submit(window: Visit) -> None:
    window.page.click("#folder-dialog[open] .dialog__acts button")


def settled(window: Visit) -> None:
    window.page.wait_for_selector("#toasts .toast")
    window.page.wait_for_selector("#folder-dialog", state="hidden")


def test_a_folder_is_made_from_the_heading(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click("#tree .tree__add")
    page.wait_for_selector("#folder-dialog[open]")
    expect(page.locator("#folder-name")).to_be_focused()
    page.keyboard.type("Viajes/2026")
    page.keyboard.press("Enter")
    page.wait_for_selector("#folder-error")
    expect(page.locator("#folder-name")).to_have_value("Viajes/2026")
    expect(page.locator("#folder-name")).to_be_focused()
    page.keyboard.type("Viajes 2026")
    page.keyboard.press("Enter")
    settled(window)
    assert "Viajes 2026" in names(made)
    expect(page.locator(f"{item('Viajes 2026')} .tree__item")).to_be_focused()
    assert [text for text in window.complaints if "422" not in text] == []


def test_escape_closes_and_changes_nothing(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    choose(window, "Obras", "rename")
    page.wait_for_selector("#folder-dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#folder-dialog", state="hidden")
    expect(page.locator(f"{item('Obras')} .tree__item")).to_be_focused()
    assert "Obras" in names(made)


@pytest.mark.parametrize("key", ["Shift+F10", "ContextMenu"])
def test_the_keyboard_renames_and_undoes(signed_in: Opened, fill: Any, names: Any, key: str) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.focus(f"{item('Obras')} .tree__item")
    page.keyboard.press(key)
    page.wait_for_selector("#folder-menu:popover-open")
    page.wait_for_selector("#folder-menu .menu__item:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector("#folder-menu", state="hidden")
    expect(page.locator(f"{item('Obras')} .tree__item")).to_be_focused()
    page.keyboard.press(key)
    page.focus('#folder-menu:popover-open [href$="/rename/"]')
    page.keyboard.press("Enter")
    expect(page.locator("#folder-name")).to_be_focused()
    page.keyboard.type("Faenas")
    page.keyboard.press("Enter")
    settled(window)
    assert names(made) == {"Faenas", "Faenas/Norte", "Familia"}
    expect(page.locator(f"{item('Faenas')} .tree__item")).to_be_focused()
    page.keyboard.press("z")
    page.wait_for_selector(item("Obras/Norte"))
    assert names(made) == {"Obras", "Obras/Norte", "Familia"}
    assert window.complaints == []


def test_the_button_shows_on_hover_and_focus(signed_in: Opened, fill: Any) -> None:
    window, _made = signed_in(fill)
    page = window.page
    button = page.locator(f"{item('Familia')} .tree__more")
    expect(button).to_have_css("opacity", "0")
    page.hover(f"{item('Familia')} .tree__item")
    expect(button).to_have_css("opacity", "1")
    page.hover("#list")
    expect(button).to_have_css("opacity", "0")
    page.keyboard.press("F6")
    page.focus(f"{item('Familia')} .tree__item")
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector("#folder-menu:popover-open")
    assert button.get_attribute("aria-expanded") == "true"


def test_the_open_folder_is_renamed_under_the_page(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click(f"{item('Obras/Norte')} .tree__item")
    page.click("#list .row >> text=Del norte")
    page.wait_for_selector("#subject")
    choose(window, "Obras", "rename")
    page.fill("#folder-name", "Faenas")
    submit(window)
    settled(window)
    page.wait_for_selector(f"{item('Faenas/Norte')} a[aria-current]")
    assert page.url.endswith(f"/f/{encode_folder(FolderId('Faenas/Norte'))}/")
    page.click("#list .row >> text=Del norte")
    page.wait_for_selector("#subject >> text=Del norte")
    page.reload()
    page.wait_for_selector("#subject >> text=Del norte")


def test_a_folder_is_moved_into_another(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    choose(window, "Obras", "place")
    page.select_option("#folder-place", encode_folder(FolderId("Familia")))
    submit(window)
    settled(window)
    assert names(made) == {"Familia", "Familia/Obras", "Familia/Obras/Norte"}
    page.click("#toasts [data-undo] button")
    page.wait_for_selector(item("Obras/Norte"))
    assert names(made) == {"Obras", "Obras/Norte", "Familia"}


def test_a_folder_goes_to_the_trash_and_then_for_good(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click(f"{item('Obras')} .tree__item")
    page.wait_for_selector("#list .row >> text=Obra 1")
    choose(window, "Obras", "delete")
    page.wait_for_selector('#folder-dialog[open] input[name=counted][value="4.1"]', state="attached")
    submit(window)
    settled(window)
    assert names(made) == {"Familia", "Trash/Obras", "Trash/Obras/Norte"}
    page.wait_for_selector('#tree a[aria-current][data-go="inbox"]')
    page.wait_for_selector("#list .row >> text=Hola")
    page.click(f"{item('Trash')} [data-fold]", force=True)
    choose(window, "Trash/Obras", "delete")
    page.wait_for_selector("#folder-dialog[open] .btn--danger-fill")
    submit(window)
    page.wait_for_selector(item("Trash/Obras"), state="detached")
    assert names(made) == {"Familia"}
    # What the page had asked of a folder just before it went is answered with 410, which a browser notes.
    assert [one for one in window.complaints if "410 (Gone)" not in one] == []


def test_a_folder_is_hidden_and_found_again(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    choose(window, "Familia", "subscription")
    page.wait_for_selector(item("Familia"), state="detached")
    choose(window, "Obras", "hidden")
    page.click("#folder-dialog[open] .folder-rows button")
    page.wait_for_selector(item("Familia"))
    settled(window)
    assert "Familia" in {name for _flags, _delimiter, name in imap(made.address).list_sub_folders()}


def test_all_is_read_in_the_list_too(signed_in: Opened, fill: Any, imap: Any) -> None:
    window, made = signed_in(fill)
    page = window.page
    page.click(f"{item('Obras')} .tree__item")
    page.wait_for_selector("#list .row[data-unread]")
    choose(window, "Obras", "read")
    page.wait_for_selector("#list .row[data-unread]", state="detached")
    client = imap(made.address)
    client.select_folder("Obras", readonly=True)
    assert client.search(["UNSEEN"]) == []
    page.click("#toasts [data-undo] button")
    page.wait_for_selector("#list .row[data-unread]")


def test_junk_is_emptied_step_by_step(signed_in: Opened, fill: Any, imap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.services.hierarchy.BATCH", 2)

    def put(made: Any) -> None:
        fill(made)
        for index in range(9):
            imap(made.address).append("Junk", letter(f"Basura {index}"))

    window, made = signed_in(put)
    page = window.page
    page.click(f"{item('Junk')} .tree__item")
    page.wait_for_selector("#list .row >> text=Basura 8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.url.endswith("/empty/") else None)
    choose(window, "Junk", "empty")
    submit(window)
    page.wait_for_selector("#toasts .toast")
    page.wait_for_selector("#toasts .progress-toast", state="detached")
    page.wait_for_selector("#list .state")
    assert asked == ["GET", *["POST"] * 5]
    client = imap(made.address)
    client.select_folder("Junk", readonly=True)
    assert client.search() == []
    assert window.complaints == []


def test_on_a_phone_the_button_is_always_there(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = window.page
    page.tap("#list .m-bar [data-drawer-open]")
    button = page.locator(f"{item('Obras')} .tree__more")
    expect(button).to_have_css("opacity", "1")
    box = button.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 40
    button.tap()
    page.wait_for_selector("#folder-menu:popover-open")
    assert page.locator(".app[data-drawer]").count() == 1
    page.tap('#folder-menu [href$="/rename/"]')
    page.fill("#folder-name", "Faenas")
    page.tap("#folder-dialog[open] .dialog__acts button")
    page.wait_for_selector(item("Faenas"))
    assert "Faenas/Norte" in names(made)
    assert page.locator(".app[data-drawer]").count() == 1
    assert window.complaints == []


def test_without_javascript_every_step_is_a_page(signed_in: Opened, fill: Any, names: Any) -> None:
    window, made = signed_in(fill, java_script_enabled=False)
    page = window.page
    page.hover(f"{item('Obras')} .tree__item")
    page.click(f"{item('Obras')} .tree__more")
    page.click('.folder-page [href$="/rename/"]')
    page.fill("#folder-name", "a/b")
    page.click(".folder-page .dialog__acts button")
    page.wait_for_selector("#folder-error")
    assert page.input_value("#folder-name") == "a/b"
    page.fill("#folder-name", "Faenas")
    page.click(".folder-page .dialog__acts button")
    page.wait_for_selector("#toasts .toast")
    assert names(made) == {"Faenas", "Faenas/Norte", "Familia"}
    page.click("#toasts [data-undo] button")
    page.wait_for_selector(item("Obras/Norte"))
    assert names(made) == {"Obras", "Obras/Norte", "Familia"}
    page.click("#tree .tree__add")
    page.fill("#folder-name", "Viajes")
    page.click(".folder-page .dialog__acts button")
    page.wait_for_selector(item("Viajes"))
