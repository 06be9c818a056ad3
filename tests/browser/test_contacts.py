"""The address book in a real browser: by mouse and keyboard, without JavaScript, narrow, light and dark."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount
from tests.browser.conftest import Visit
from tests.browser.test_writing import open_new
from tests.contract.test_source import letter
from webmail.models import Contact, ContactGroup
from webmail.services import contacts as service
from webmail.values import Address

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., tuple[Visit, Any]]
SHOTS = os.environ.get("CONTACTS_SHOTS", "")

CARDS = (
    "BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:Álvaro Cid\nEMAIL:ventas@papeles.test\nTEL:+56\nEND:VCARD\n"
    "BEGIN:VCARD\nVERSION:3.0\nFN:Sin correo\nEND:VCARD\n"
    "BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:Proveedores\nMEMBER:urn:uuid:1\nEND:VCARD\n"
)


@pytest.fixture
def fill(imap: Any) -> Callable[[Any], None]:
    def put(made: Any) -> None:
        imap(made.address).append("INBOX", letter("Pregunta"))

    return put


@pytest.fixture
def people() -> Callable[[Any], MailAccount]:
    def put(made: Any) -> MailAccount:
        account = MailAccount.objects.get(address=made.address)
        family = [Address("Tía Nena", "nena1951@correoazul.test"), Address("Rosa Contreras", "rosa@correoazul.test")]
        service.save_group(account, None, name="Familia", people=family)
        many = [Address(f"Persona {number:02}", f"persona{number}@papeles.test") for number in range(60)]
        service.remember(account, many, written=True)
        service.remember(account, [Address("", "sin-nombre@" + "muy-largo." * 8 + "test")], written=False)
        return account

    return put


def shot(window: Visit, name: str) -> None:
    if SHOTS:
        window.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=False)


def open_contacts(window: Visit) -> None:
    page = window.page
    page.click("[popovertarget=person-menu]")
    page.click("#person-menu >> text=Contact")
    page.wait_for_selector(".contacts")


def test_a_group_completes_and_becomes_its_members(signed_in: Opened, fill: Any, people: Any) -> None:
    window, made = signed_in(fill)
    people(made)
    page = window.page
    open_new(window)
    page.keyboard.type("rosa@correoazul.test, ")
    page.keyboard.type("famil", delay=30)
    page.wait_for_selector(".suggest >> text=Familia")
    shot(window, "suggest")
    page.keyboard.press("Enter")
    page.wait_for_selector(".compose .chip >> text=Tía Nena")
    page.wait_for_selector(".compose .chip >> text=Familia", state="detached")
    assert page.input_value(".compose [name=to]") == "rosa@correoazul.test, Tía Nena <nena1951@correoazul.test>"
    assert page.locator(".compose .chip--bad").count() == 0
    assert window.complaints == []


def test_accents_do_not_matter_while_typing(signed_in: Opened, fill: Any, people: Any) -> None:
    window, made = signed_in(fill)
    people(made)
    open_new(window)
    window.page.keyboard.type("nena TIA", delay=30)
    window.page.wait_for_selector(".suggest >> text=Tía Nena")


def test_the_book_is_kept_by_hand(signed_in: Opened, fill: Any, people: Any, tmp_path: Path) -> None:
    window, made = signed_in(fill)
    account = people(made)
    page = window.page
    open_contacts(window)
    shot(window, "list")
    page.fill(".contacts [name=q]", "TIA")
    page.keyboard.press("Enter")
    page.wait_for_selector(".contacts__list li:only-child >> text=Tía Nena")
    page.locator(".contacts__acts button").click()
    page.wait_for_selector("#toasts >> text=Tía Nena")
    shot(window, "deleted")
    page.click("#toasts [data-key=z]")
    page.wait_for_selector(".contacts__list >> text=Tía Nena")
    assert Contact.objects.filter(account=account, name="Tía Nena").exists()

    page.click(".page__head .btn--primary")
    page.fill("[name=name]", "Ñusta Öberg")
    page.fill("[name=email]", "no es")
    page.keyboard.press("Enter")
    page.wait_for_selector(".field__error")
    shot(window, "wrong")
    page.fill("[name=email]", "nusta@x.test")
    page.keyboard.press("Enter")
    page.wait_for_selector(".contacts__list")
    assert Contact.objects.get(email="nusta@x.test").kept

    (tmp_path / "c.vcf").write_text(CARDS)
    page.set_input_files("[name=file]", tmp_path / "c.vcf")
    page.click(".contacts__files button")
    page.wait_for_selector(".contacts__taken >> text=Sin correo")
    shot(window, "taken")
    with page.expect_download() as download:
        page.click(".contacts__files a")
    assert "Proveedores" in Path(download.value.path()).read_text(encoding="utf-8")
    assert window.complaints == [
        "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
    ]
    assert window.outside() == []


def test_a_group_is_made_with_chips(signed_in: Opened, fill: Any, people: Any) -> None:
    window, made = signed_in(fill)
    people(made)
    page = window.page
    open_contacts(window)
    page.click(".page__head a >> nth=1")
    page.fill("[name=name]", "Taller")
    page.keyboard.press("Tab")
    page.keyboard.type("tia", delay=30)
    page.wait_for_selector(".suggest >> text=Tía Nena")
    shot(window, "group")
    page.keyboard.press("Enter")
    page.keyboard.type("beto@x.test")
    page.click("form.settings-form .btn--primary")
    page.wait_for_selector(".contacts__list >> text=Taller")
    shot(window, "groups")
    group = ContactGroup.objects.get(name="Taller")
    assert sorted(one.email for one in group.members.all()) == ["beto@x.test", "nena1951@correoazul.test"]
    page.click(".contacts__list li:has-text('Taller') .contacts__acts a")
    page.wait_for_selector(".compose .chip >> text=beto@x.test")
    assert page.locator(".compose .chip").count() == 2


def test_by_keyboard_alone(signed_in: Opened, fill: Any, people: Any) -> None:
    window, made = signed_in(fill)
    account = people(made)
    page = window.page
    page.goto(f"{window.url}/mail/{account.pk}/contacts/?q=persona+07")
    page.locator(".contacts__list a").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".compose .chip >> text=Persona 07")


def test_without_javascript(signed_in: Opened, fill: Any, people: Any, tmp_path: Path) -> None:
    window, made = signed_in(fill, java_script_enabled=False)
    account = people(made)
    page = window.page
    page.goto(f"{window.url}/mail/{account.pk}/contacts/groups/new/")
    page.fill("[name=name]", "Taller")
    page.fill("[name=members]", "Persona 01 <persona1@papeles.test>, beto@x.test")
    page.click("form.settings-form .btn--primary")
    page.wait_for_selector(".contacts__list >> text=Taller")
    shot(window, "plain")
    (tmp_path / "c.vcf").write_text(CARDS)
    page.set_input_files("[name=file]", tmp_path / "c.vcf")
    page.click(".contacts__files button")
    page.wait_for_selector(".contacts__taken >> text=Sin correo")
    page.click(".contacts a[rel=next]")
    page.locator(".contacts__acts button").first.click()
    page.click("#toasts form button")
    assert Contact.objects.filter(account=account).count() == 65


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.variants), "dark"])
def test_narrow_pages_fit(signed_in: Opened, fill: Any, people: Any, scheme: str, tmp_path: Path) -> None:
    window, made = signed_in(fill, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    account = people(made)
    page = window.page
    page.click("[data-drawer-open]:visible")
    page.click(".sidebar__foot a[href$='contacts/']")
    page.wait_for_selector(".contacts")
    group = ContactGroup.objects.get()
    contact = Contact.objects.get(name="Tía Nena")
    (tmp_path / "c.vcf").write_text(CARDS)
    page.set_input_files("[name=file]", tmp_path / "c.vcf")
    page.click(".contacts__files button")
    page.wait_for_selector(".contacts__taken")
    shot(window, f"narrow-{scheme}-taken")
    for name, path in {
        "list": "?page=2",
        "groups": "?show=groups",
        "empty": "?q=zzzz",
        "person": f"{contact.pk}/",
        "group": f"groups/{group.pk}/",
    }.items():
        page.goto(f"{window.url}/mail/{account.pk}/contacts/{path}")
        shot(window, f"narrow-{scheme}-{name}")
        assert page.evaluate("document.querySelector('.page').scrollWidth <= innerWidth"), name
        small = page.evaluate(
            "[...document.querySelectorAll('.contacts a, .contacts button, .contacts input')].filter((one) =>"
            " one.checkVisibility() && one.getBoundingClientRect().height < 23.5).map((one) => one.outerHTML)"
        )
        assert small == [], name
    page.goto(f"{window.url}/mail/{account.pk}/contacts/?page=2")
    page.locator(".contacts__files").scroll_into_view_if_needed()
    shot(window, f"narrow-{scheme}-files")
    page.click("[data-drawer-open]")
    page.click("#tree [data-go=inbox]")
    page.wait_for_selector("#list .row >> text=Pregunta")
    assert window.complaints == []
