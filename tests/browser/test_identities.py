"""Identities and the preferences of writing in a real browser: the page, the composer's From line, signatures, cursor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount, User
from accounts.services.hosting import create_alias
from tests.browser.conftest import Visit
from tests.browser.test_writing import open_new, wait
from tests.contract.test_source import letter
from webmail.models import Composing, Identity

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        create_alias(address="ventas@" + made.address.partition("@")[2], target=made.mailbox)
        imap(made.address).append("INBOX", letter("Pregunta", extra="Message-ID: <q1@x.test>\r\n", body="¿Cuánto?"))

    return put


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


def account_of(made: Any) -> MailAccount:
    return MailAccount.objects.get(address=made.address)


def two(made: Any) -> tuple[Identity, Identity]:
    account, alias = account_of(made), "ventas@" + made.address.partition("@")[2]
    return (
        Identity.objects.create(account=account, name="Ana", address=made.address, signature="Ana Díaz\nPapeles"),
        Identity.objects.create(account=account, name="Ventas", address=alias, signature="Ventas\n\n<b>", position=1),
    )


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_identities_are_kept_by_keyboard_alone(signed_in: Opened, fill: Any, script: bool) -> None:
    window, made = signed_in(fill, java_script_enabled=script, locale="en-US")
    page = window.page
    page.goto(window.url + "/accounts/settings/")
    page.get_by_role("region", name="Identities").get_by_role("link", name=made.address).press("Enter")
    page.wait_for_selector("h1 >> text=Identities")
    page.fill("[name=name]", "Ana Díaz")
    page.fill("[name=signature]", "Ana")
    page.press("[name=name]", "Enter")
    page.wait_for_selector(".identity >> text=Ana Díaz")
    page.fill("[name=address]", "jefe@otro.test")
    page.press("[name=address]", "Enter")
    page.wait_for_selector("#id_address_error >> text=jefe@otro.test")
    page.fill("[name=address]", "ventas@" + made.address.partition("@")[2])
    page.fill("[name=name]", "Ventas")
    page.press("[name=name]", "Enter")
    page.wait_for_selector(".identity:nth-child(2) >> text=Ventas")
    page.locator(".identity:nth-child(2) [value=up]").press("Enter")
    page.wait_for_selector(".identity:nth-child(1) >> text=Ventas")
    assert page.evaluate("document.activeElement.value") == "down"
    page.locator(".identity:nth-child(1) [value=delete]").press("Enter")
    page.wait_for_selector(".note >> text=was deleted")
    assert page.locator(".identity").count() == 1
    page.keyboard.press("Enter")  # Undo has the focus
    page.wait_for_selector(".identity:nth-child(1) >> text=Ventas")
    assert [one.name for one in Identity.objects.all()] == ["Ventas", "Ana Díaz"]
    complaints = [one for one in window.complaints if "422" not in one]
    assert complaints == []
    assert window.outside() == []


def test_another_identity_changes_the_signature_in_the_editor(signed_in: Opened, fill: Any) -> None:
    window, made = signed_in(fill)
    one, other = two(made)
    page = window.page
    composer = open_new(window)
    composer.locator(".compose__rich").click(position={"x": 5, "y": 5})
    page.keyboard.type("Hola")
    rich = composer.locator(".compose__rich")
    assert rich.inner_text().split("\n")[0] == "Hola"
    composer.locator(".compose__from").select_option(str(other.pk))
    wait(lambda: "Ventas" in rich.inner_text())
    assert "Papeles" not in rich.inner_text()
    assert rich.locator("b").count() == 0
    kept = wait(lambda: Composing.objects.filter(identity=other, html__contains="Ventas").first())
    assert "Papeles" not in kept.html + kept.text
    rich.locator("p >> text=Ventas").click()
    page.keyboard.press("End")
    page.keyboard.type(" y más")
    composer.locator(".compose__from").select_option(str(one.pk))
    kept = wait(lambda: Composing.objects.filter(identity=one, html__contains="y más").first())
    assert "Papeles" not in kept.html
    assert window.complaints == []


def test_another_identity_changes_the_signature_of_a_plain_answer(signed_in: Opened, fill: Any) -> None:
    window, made = signed_in(fill)
    _one, other = two(made)
    page = window.page
    page.click("text=Pregunta")
    page.wait_for_selector("#subject >> text=Pregunta")
    page.keyboard.press("r")
    page.wait_for_selector(".compose__text:focus")
    page.keyboard.type("Cuesta 100.")
    page.locator(".compose__from").select_option(str(other.pk))
    text = page.input_value(".compose__text")
    assert text.startswith("Cuesta 100.\n\n-- \nVentas\n\n<b>\n\nEl")
    assert "> ¿Cuánto?" in text
    kept = wait(lambda: Composing.objects.filter(identity=other).first())
    assert kept.text.replace("\r\n", "\n") == text
    assert window.complaints == []


def test_one_may_write_in_plain_text_below_the_quotation(signed_in: Opened, fill: Any) -> None:
    window, made = signed_in(fill)
    two(made)
    User.objects.update(quote_below=False, write_plain=True)
    page = window.page
    page.click("text=Pregunta")
    page.wait_for_selector("#subject >> text=Pregunta")
    page.keyboard.press("r")
    page.wait_for_selector(".compose__text:focus")
    page.keyboard.type("Cuesta 100.")
    assert page.input_value(".compose__text").endswith("> ¿Cuánto?\n\nCuesta 100.\n\n-- \nAna Díaz\nPapeles")
    page.keyboard.press("Escape")
    page.wait_for_selector(".compose", state="detached")
    composer = open_new(window)
    assert composer.locator(".compose__text").is_visible()
    assert window.complaints == []


def test_the_toast_lasts_as_long_as_one_may_take_back(signed_in: Opened, fill: Any) -> None:
    window, made = signed_in(fill)
    User.objects.update(undo_s=30)
    page = window.page
    open_new(window)
    page.keyboard.type(f"{made.address},")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#toasts .toast[data-seconds='30'] [data-undo]")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(390, "dark", marks=pytest.mark.variants),
        pytest.param(1440, "light", marks=pytest.mark.variants),
        pytest.param(390, "light", marks=pytest.mark.variants),
        pytest.param(1440, "dark", marks=pytest.mark.variants),
    ],
)
def test_the_pages_fit(signed_in: Opened, fill: Any, scheme: str, width: int, tmp_path: Path) -> None:
    window, made = signed_in(fill, color_scheme=scheme, viewport={"width": width, "height": 844})
    account = account_of(made)
    page = window.page
    folder = Path("/tmp/identities-shots") if Path("/tmp/identities-shots").is_dir() else tmp_path

    def look(path: str, name: str) -> None:
        page.goto(window.url + path)
        page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name

    look(f"/mail/{account.pk}/identities/", "empty")
    look(f"/mail/{account.pk}/compose/", "composer-empty")
    _one, other = two(made)
    look(f"/mail/{account.pk}/identities/", "list")
    look(f"/mail/{account.pk}/identities/{other.pk}/", "edit")
    look(f"/mail/{account.pk}/compose/", "composer")
    look("/accounts/settings/", "settings")
    page.goto(f"{window.url}/mail/{account.pk}/identities/")
    page.fill("[name=address]", "jefe@otro.test")
    page.press("[name=address]", "Enter")
    page.wait_for_selector("#id_address_error")
    page.screenshot(path=folder / f"error-{scheme}-{width}.png", full_page=True)
    page.goto(f"{window.url}/mail/{account.pk}/identities/")
    page.click(".identity [value=delete] >> nth=0")
    page.wait_for_selector(".note form, form.note")
    page.screenshot(path=folder / f"deleted-{scheme}-{width}.png", full_page=True)
