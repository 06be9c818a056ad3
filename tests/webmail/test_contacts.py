"""The address book: who is remembered and in which order, its page, its files, and who may see it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import MailAccount
from tests.webmail.test_changes import signed_in
from webmail.mime.fold import search_text
from webmail.models import Composing, Contact, ContactGroup, Outgoing
from webmail.services import contacts as service
from webmail.services.cards import give_cards, take_cards
from webmail.values import Address

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

DATA = b"Date: Fri, 28 Nov 2025 20:00:00 +0000\r\nSubject: s\r\nMessage-ID: <%d@x.test>\r\n"


def mail(number: int, sender: str, extra: bytes = b"") -> bytes:
    return b"From: " + sender.encode() + b"\r\n" + DATA % number + extra + b"\r\nHola\r\n"


@pytest.fixture
def owner(mailbox_factory: Any) -> dict[str, Any]:
    made = mailbox_factory("ana")
    client = signed_in(made)
    account = MailAccount.objects.get(address=made.address)
    return {"made": made, "client": client, "account": account, "url": reverse("contacts", args=[account.pk])}


def add(account: MailAccount, name: str, email: str, *, days: int = 0, **fields: Any) -> Contact:
    moment = timezone.now() - timedelta(days=days)
    return Contact.objects.create(
        account=account, name=name, email=email, search=search_text(name, email), last_used=moment, **fields
    )


def names(account: MailAccount, words: str) -> list[str]:
    return [one.name for one in service.suggest(account, words)]


# --- Remembering -----------------------------------------------------------------------------------------------------------
def open_all(owner: dict[str, Any], imap: Any, folder: str, letters: list[bytes]) -> None:
    connected = imap(owner["made"].address)
    for letter in letters:
        connected.append(folder, letter)
    start = reverse("folder", args=[owner["account"].pk, folder])
    listing = owner["client"].get(start).content.decode()
    for url in dict.fromkeys(re.findall(r'href="(/mail/\d+/f/[\w-]+/m/[^"?]+)"', listing)):
        assert owner["client"].get(url).status_code == 200


def test_opening_remembers_who_wrote(owner: dict[str, Any], imap: Any) -> None:
    open_all(owner, imap, "INBOX", [mail(1, "Beto Ruiz <Beto@X.test>"), mail(2, "Beto Ruiz <beto@x.test>")])
    contact = Contact.objects.get(account=owner["account"])
    assert (contact.email, contact.name, contact.heard, contact.written) == ("beto@x.test", "Beto Ruiz", 2, 0)
    assert contact.search == " beto ruiz beto@x.test"


def test_opening_again_counts_nothing(owner: dict[str, Any], imap: Any) -> None:
    open_all(owner, imap, "INBOX", [mail(1, "Beto <beto@x.test>")])
    open_all(owner, imap, "INBOX", [])
    assert Contact.objects.get(account=owner["account"]).heard == 1


def test_lists_machines_oneself_and_pretenders_are_not_remembered(owner: dict[str, Any], imap: Any) -> None:
    letters = [
        mail(1, "Lista <l@x.test>", b"List-Id: <l.x.test>\r\n"),
        mail(2, "Avisos <avisos@x.test>", b"Auto-Submitted: auto-generated\r\n"),
        mail(3, "Tienda <no-reply@x.test>"),
        mail(4, f"Yo <{owner['made'].address}>"),
        mail(5, "Nada"),
        mail(6, '"jefe@banco.test" <malo@x.test>'),
    ]
    open_all(owner, imap, "INBOX", letters)
    (contact,) = Contact.objects.filter(account=owner["account"])
    assert (contact.email, contact.name) == ("malo@x.test", "")


@pytest.mark.parametrize("folder", ["Junk", "Trash"])
def test_junk_and_trash_are_not_remembered(owner: dict[str, Any], imap: Any, folder: str) -> None:
    open_all(owner, imap, folder, [mail(1, "Beto <beto@x.test>")])
    assert not Contact.objects.exists()


def test_another_sites_link_remembers_nobody(owner: dict[str, Any], imap: Any) -> None:
    imap(owner["made"].address).append("INBOX", mail(1, "Beto <beto@x.test>"))
    listing = owner["client"].get("/", follow=True).content.decode()
    url = re.search(r'href="(/mail/\d+/f/[\w-]+/m/[^"?]+)"', listing)
    assert url
    owner["client"].get(url[1], headers={"Sec-Fetch-Site": "cross-site"})
    assert not Contact.objects.exists()


def test_a_known_sender_costs_one_query(owner: dict[str, Any], imap: Any) -> None:
    account = owner["account"]
    people = {"beto@x.test": "Beto", "carla@x.test": ""}
    service._note(account, people, count="heard", moment=timezone.now())
    for count in ("heard", "written", None):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            service._note(account, people, count=count, moment=timezone.now())  # type: ignore[arg-type]
        assert len(queries) == 1
    assert list(Contact.objects.order_by("email").values_list("heard", "written")) == [(2, 1), (2, 1)]


def test_a_name_is_filled_in_and_never_changed(owner: dict[str, Any]) -> None:
    account = owner["account"]
    for name in ("", "Beto Ruiz", "Otro"):
        service.remember(account, [Address(name, "beto@x.test")], written=True)
    contact = Contact.objects.get()
    assert (contact.name, contact.search, contact.written) == ("Beto Ruiz", " beto ruiz beto@x.test", 3)


# --- Suggesting ------------------------------------------------------------------------------------------------------------
def test_suggestions_match_beginnings_first_without_accents(owner: dict[str, Any]) -> None:
    account = owner["account"]
    add(account, "Bálvaro", "b@x.test", written=50)
    add(account, "Álvaro Núñez", "n@x.test")
    add(account, "", "alvaro@y.test", heard=1)
    assert [one.email for one in service.suggest(account, "ALVA")] == ["alvaro@y.test", "n@x.test", "b@x.test"]
    assert names(account, "nuñ álv") == ["Álvaro Núñez"]
    assert names(account, "%") == []
    assert names(account, " ") == []


def test_suggestions_are_by_use(owner: dict[str, Any]) -> None:
    account = owner["account"]
    add(account, "Ana oída", "1@x.test", heard=500)
    add(account, "Ana escrita", "2@x.test", written=3)
    add(account, "Ana antigua", "3@x.test", written=3, days=400)
    add(account, "Ana reciente", "4@x.test", written=2, days=3)
    assert names(account, "ana") == ["Ana escrita", "Ana oída", "Ana reciente", "Ana antigua"]


def test_eight_suggestions_in_one_query_and_nobody_elses(owner: dict[str, Any], mailbox_factory: Any) -> None:
    account = owner["account"]
    other = mailbox_factory("beto")
    signed_in(other)
    add(MailAccount.objects.get(address=other.address), "Ana ajena", "ajena@x.test", written=99)
    for number in range(12):
        add(account, f"Ana {number}", f"a{number}@x.test")
    group = service.save_group(account, None, name="Análisis", people=[Address("Beto", "beto@x.test")])
    with CaptureQueriesContext(connection) as queries:
        found = service.suggest(account, "ana")
    assert len(queries) == 1
    assert len(found) == 8
    assert found[0] == service.Suggestion("Análisis", "", group.pk, 1)
    assert "Ana ajena" not in [one.name for one in found]


def test_people_are_answered_as_json(owner: dict[str, Any]) -> None:
    account = owner["account"]
    group = service.save_group(account, None, name="Familia", people=[Address("Tía", "tia@x.test")])
    url = reverse("people", args=[account.pk])
    found = owner["client"].get(url, {"q": "fam"}).json()["people"]
    assert found == [{"name": "Familia", "email": "", "group": group.pk, "note": found[0]["note"]}]
    assert owner["client"].get(url, {"group": group.pk}).json() == {"people": [{"name": "Tía", "email": "tia@x.test"}]}
    for odd in ("x", "99999999999999999999", "-1", "²"):
        assert owner["client"].get(url, {"group": odd}).json() == {"people": []}


# --- Groups ----------------------------------------------------------------------------------------------------------------
def test_a_groups_name_is_sent_to_its_members(owner: dict[str, Any]) -> None:
    account = owner["account"]
    people = [Address("Ruiz, Ana", "ana.ruiz@x.test"), Address("", "beto@x.test")]
    service.save_group(account, None, name="Mi familia", people=people)
    client = owner["client"]
    url = client.get(reverse("compose_new", args=[account.pk]))["Location"]
    client.post(url, {"to": "carla@x.test, mi FAMILIA", "subject": "s", "text": "t", "do": "send"})
    sent = Outgoing.objects.get()
    assert sorted(sent.recipients) == ["ana.ruiz@x.test", "beto@x.test", "carla@x.test"]


def test_a_name_that_is_no_group_is_still_told(owner: dict[str, Any]) -> None:
    client = owner["client"]
    url = client.get(reverse("compose_new", args=[owner["account"].pk]))["Location"]
    assert client.post(url, {"to": "Nadie", "do": "send"}).status_code == 422
    assert Composing.objects.get().to == "Nadie"


def test_a_group_is_written_to_from_its_page(owner: dict[str, Any]) -> None:
    account = owner["account"]
    people = [Address(f"Persona {number}", f"p{number}@x.test") for number in range(300)]
    group = service.save_group(account, None, name="Todos", people=people)
    owner["client"].get(reverse("compose_new", args=[account.pk]), {"group": group.pk})
    assert Composing.objects.get().to.count("@") == 300


# --- The page --------------------------------------------------------------------------------------------------------------
def test_the_list_is_searched_and_paged(owner: dict[str, Any]) -> None:
    for number in range(120):
        add(owner["account"], f"Persona {number:03}", f"p{number}@x.test")
    page = owner["client"].get(owner["url"]).content.decode()
    assert "Persona 000" in page
    assert "Persona 050" not in page
    assert "Persona 119" in owner["client"].get(owner["url"], {"page": "3"}).content.decode()
    found = owner["client"].get(owner["url"], {"q": "PERSONA 07"}).content.decode()
    assert found.count("Persona 07") >= 10
    assert "Persona 080" not in found
    for odd in ({"page": "-1"}, {"page": "x"}, {"q": "\0%_'\""}, {"show": "groups", "q": "x"}):
        assert owner["client"].get(owner["url"], odd).status_code == 200


def test_the_list_takes_few_queries(owner: dict[str, Any]) -> None:
    people = [Address(f"P {number}", f"p{number}@x.test") for number in range(50)]
    service.save_group(owner["account"], None, name="Todos", people=people)
    with CaptureQueriesContext(connection) as queries:
        owner["client"].get(owner["url"])
    assert len([one for one in queries if "webmail_contact" in one["sql"]]) == 3


def test_a_contact_is_added_changed_and_deleted(owner: dict[str, Any]) -> None:
    client, account = owner["client"], owner["account"]
    page = client.post(owner["url"] + "new/", {"name": "<b>Ana</b>", "email": "Ana@X.test"}, follow=True)
    contact = Contact.objects.get()
    assert (contact.email, contact.kept) == ("ana@x.test", True)
    assert "&lt;b&gt;Ana&lt;/b&gt;" in page.content.decode()
    client.post(reverse("contact", args=[account.pk, contact.pk]), {"name": "Ana", "email": "ana@y.test"})
    contact.refresh_from_db()
    assert (contact.name, contact.email, contact.search) == ("Ana", "ana@y.test", " ana ana@y.test")
    client.post(reverse("contact_delete", args=[account.pk, contact.pk]))
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "email", ["", "ana", "ana@", "a b@x.test", "x" * 300 + "@x.test", "a@x.test\r\nBcc: b@x.test", "a\0@x.test"]
)
def test_what_is_no_address_is_not_kept(owner: dict[str, Any], email: str) -> None:
    assert owner["client"].post(owner["url"] + "new/", {"name": "A", "email": email}).status_code == 422
    assert not Contact.objects.exists()


def test_an_address_stands_once(owner: dict[str, Any]) -> None:
    client, account = owner["client"], owner["account"]
    add(account, "Oída", "ana@x.test", heard=3)
    client.post(owner["url"] + "new/", {"name": "Ana", "email": "ANA@x.test"})
    contact = Contact.objects.get()
    assert (contact.name, contact.kept, contact.heard) == ("Ana", True, 3)
    assert client.post(owner["url"] + "new/", {"name": "Otra", "email": "ana@x.test"}).status_code == 422
    other = add(account, "B", "b@x.test")
    url = reverse("contact", args=[account.pk, other.pk])
    assert client.post(url, {"name": "B", "email": "ana@x.test"}).status_code == 422


def test_deleting_can_be_undone_once(owner: dict[str, Any]) -> None:
    client, account = owner["client"], owner["account"]
    group = service.save_group(account, None, name="Familia", people=[Address("Tía", "tia@x.test")])
    contact = Contact.objects.get()
    contact.written = 5
    contact.save()
    page = client.post(reverse("contact_delete", args=[account.pk, contact.pk]), follow=True).content.decode()
    undo = reverse("contacts_undo", args=[account.pk])
    assert undo in page
    client.post(undo)
    client.post(undo)
    contact = Contact.objects.get()
    assert (contact.name, contact.written, list(contact.groups.all())) == ("Tía", 5, [group])
    client.post(reverse("group_delete", args=[account.pk, group.pk]))
    assert Contact.objects.count() == 1
    assert client.post(undo + "?show=groups", headers={"HX-Request": "true"})["HX-Redirect"].endswith("?show=groups")
    assert [one.email for one in ContactGroup.objects.get().members.all()] == ["tia@x.test"]


def test_deleting_leads_back_to_the_same_search(owner: dict[str, Any]) -> None:
    client, account = owner["client"], owner["account"]
    contact = add(account, "Ana", "ana@x.test")
    page = client.get(owner["url"], {"q": "an&a", "x": "y"}).content.decode()
    assert "an&amp;amp" not in page
    url = reverse("contact_delete", args=[account.pk, contact.pk])
    answer = client.post(url + "?q=an&page=2&x=y")
    assert answer["Location"] == owner["url"] + "?q=an&page=2"
    undo = client.get(answer["Location"]).content.decode()
    assert 'undo/?q=an&amp;page=2"' in undo
    assert client.post(owner["url"] + "undo/?q=an&page=2")["Location"] == owner["url"] + "?q=an&page=2"


def test_a_group_is_made_and_changed(owner: dict[str, Any]) -> None:
    client, account = owner["client"], owner["account"]
    add(account, "Beto", "beto@x.test")
    data = {"name": "Taller", "members": "Beto <beto@x.test>; carla@x.test\nDora <dora@x.test>"}
    client.post(owner["url"] + "groups/new/", data)
    group = ContactGroup.objects.get()
    assert group.members.count() == 3
    url = reverse("group", args=[account.pk, group.pk])
    assert "Dora &lt;dora@x.test&gt;" in client.get(url).content.decode()
    client.post(url, {"name": "Taller grande", "members": "dora@x.test"})
    group.refresh_from_db()
    assert group.name == "Taller grande"
    assert [one.name for one in group.members.all()] == ["Dora"]
    assert client.post(owner["url"] + "groups/new/", {"name": "TALLER grandé"}).status_code == 422


@pytest.mark.parametrize("name", ["", "a@b", "a, b", "<x>", 'a"b', "\0", "\u202e"])
def test_a_groups_name_must_not_look_like_an_address(owner: dict[str, Any], name: str) -> None:
    assert owner["client"].post(owner["url"] + "groups/new/", {"name": name}).status_code == 422


def test_a_wrong_member_is_told_and_nothing_is_lost(owner: dict[str, Any]) -> None:
    answer = owner["client"].post(owner["url"] + "groups/new/", {"name": "G", "members": "beto@x.test, nada"})
    assert answer.status_code == 422
    assert "beto@x.test, nada" in answer.content.decode()
    assert not ContactGroup.objects.exists()


# --- Files -----------------------------------------------------------------------------------------------------------------
FILE = """BEGIN:VCARD
VERSION:3.0
UID:u1
FN:Álvaro Cid
EMAIL:Ventas@papeles.test
EMAIL:alvaro@casa.test
TEL:+56
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Sin correo
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Mala
EMAIL:no es correo
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Ya, estaba
EMAIL:ya@x.test
END:VCARD
BEGIN:VCARD
VERSION:4.0
KIND:group
FN:Pape: leros
MEMBER:urn:uuid:u1
MEMBER:urn:uuid:desconocido
MEMBER:mailto:ya@x.test
END:VCARD
"""


def upload(owner: dict[str, Any], data: bytes) -> Any:
    return owner["client"].post(owner["url"] + "import/", {"file": SimpleUploadedFile("c.vcf", data)}, follow=True)


def test_a_file_is_taken_and_told_about(owner: dict[str, Any]) -> None:
    account = owner["account"]
    add(account, "De mano", "ya@x.test", kept=True)
    taken = take_cards(account, FILE.encode())
    assert (taken.added, taken.named, taken.known, taken.groups) == (2, 0, 1, 1)
    assert (taken.without, taken.wrong, taken.missing_members, taken.left) == (
        ["Sin correo"],
        ["no es correo"],
        1,
        True,
    )
    group = ContactGroup.objects.get()
    assert group.name == "Pape leros"
    assert sorted(one.email for one in group.members.all()) == ["alvaro@casa.test", "ventas@papeles.test", "ya@x.test"]
    assert Contact.objects.get(email="ya@x.test").name == "De mano"
    page = upload(owner, FILE.encode()).content.decode()
    assert "Sin correo" in page
    assert "no es correo" in page
    assert Contact.objects.count() == 3
    assert "Sin correo" not in owner["client"].get(owner["url"]).content.decode()


def test_a_name_known_from_mail_gives_way_to_the_files(owner: dict[str, Any]) -> None:
    add(owner["account"], "ALVARO", "ventas@papeles.test", heard=2)
    assert take_cards(owner["account"], FILE.encode()).named == 1
    assert Contact.objects.get(email="ventas@papeles.test").name == "Álvaro Cid"


def test_what_is_exported_is_imported_again(owner: dict[str, Any], mailbox_factory: Any) -> None:
    account = owner["account"]
    take_cards(account, FILE.encode())
    add(account, "", "solo@x.test")
    answer = owner["client"].get(owner["url"] + "contacts.vcf")
    data = answer.content
    assert answer["Content-Type"].startswith("text/vcard")
    assert data.count(b"VERSION:4.0") == 5
    other = mailbox_factory("beto")
    signed_in(other)
    target = MailAccount.objects.get(address=other.address)
    taken = take_cards(target, data)
    assert (taken.added, taken.groups, taken.without_count, taken.wrong_count, taken.missing_members) == (4, 1, 0, 0, 0)
    columns = ("name", "email", "search")
    assert set(target.contacts.values_list(*columns)) == set(account.contacts.values_list(*columns))
    assert take_cards(account, data).added == 0
    assert b"".join(give_cards(account)) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\xff\xfe",
        b"Name,Email\nA,a@x.test",
        b"%PDF-1.4",
        b"BEGIN:VCARD",
        b"\xff\xfeB\x00E",
        b"BEGIN:VCARD\n" * 9000,
    ],
    ids=["empty", "binary", "csv", "pdf", "torn", "utf16", "many"],
)
def test_a_hostile_file_is_never_an_error_of_ours(owner: dict[str, Any], data: bytes) -> None:
    assert upload(owner, data).status_code in {200, 422}
    assert not Contact.objects.exists()


def test_hostile_names_stay_names(owner: dict[str, Any]) -> None:
    card = (
        'BEGIN:VCARD\nFN:<script>alert(1)</script>"\\n\nEMAIL:a@x.test\nEND:VCARD\n'
        "BEGIN:VCARD\nFN:<img src=x>\nEND:VCARD\nBEGIN:VCARD\nKIND:group\nFN:<i>\\, @;\nEND:VCARD\n"
        f"BEGIN:VCARD\nFN:{'ﷺ' * 300}\nEMAIL:b@x.test\nEND:VCARD\nBEGIN:VCARD\nKIND:group\nFN:{'ﷺ' * 190}\nEND:VCARD\n"
    )
    page = upload(owner, card.encode()).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert Contact.objects.count() == 2
    assert sorted(len(group.search) for group in ContactGroup.objects.all())[-1] <= 400


def test_too_large_or_no_file_is_refused(owner: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.views.contacts.FILE_LIMIT_BYTES", 100)
    assert upload(owner, FILE.encode()).status_code == 422
    assert owner["client"].post(owner["url"] + "import/", {}).status_code == 422
    assert owner["client"].post(owner["url"] + "import/", {"file": "text"}).status_code == 422
    assert not Contact.objects.exists()


def test_a_full_book_takes_no_more(owner: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.services.cards.CONTACTS_LIMIT", 1)
    monkeypatch.setattr("webmail.services.contacts.CONTACTS_LIMIT", 1)
    assert "full" in take_cards(owner["account"], FILE.encode()).codes
    assert Contact.objects.count() == 1
    assert owner["client"].post(owner["url"] + "new/", {"name": "B", "email": "b@x.test"}).status_code == 422


# --- Whose it is -----------------------------------------------------------------------------------------------------------
def addresses(owner: dict[str, Any]) -> list[tuple[str, str]]:
    account = owner["account"]
    contact = add(account, "Ana", "a@x.test")
    group = service.save_group(account, None, name="G", people=[])
    one, many = [account.pk, contact.pk], [account.pk, group.pk]
    return [
        ("get", owner["url"]),
        ("get", reverse("contacts_export", args=[account.pk])),
        ("both", reverse("contact_new", args=[account.pk])),
        ("both", reverse("contact", args=one)),
        ("both", reverse("group_new", args=[account.pk])),
        ("both", reverse("group", args=many)),
        ("post", reverse("contact_delete", args=one)),
        ("post", reverse("group_delete", args=many)),
        ("post", reverse("contacts_import", args=[account.pk])),
        ("post", reverse("contacts_undo", args=[account.pk])),
    ]


def test_nobody_else_gets_in_and_wrong_methods_are_refused(owner: dict[str, Any], mailbox_factory: Any) -> None:
    stranger = signed_in(mailbox_factory("beto"))
    for kind, url in addresses(owner):
        method = "post" if kind == "post" else "get"
        assert getattr(stranger, method)(url).status_code == 404, url
        anonymous = getattr(Client(), method)(url)
        assert anonymous.status_code == 302, url
        assert anonymous["Location"].startswith(reverse("account_login"))
        wrong = {"get": "post", "post": "get", "both": "delete"}[kind]
        assert getattr(owner["client"], wrong)(url).status_code == 405, url
    assert Contact.objects.filter(account=owner["account"]).count() == 1


def test_another_accounts_contact_is_not_mine(owner: dict[str, Any], mailbox_factory: Any) -> None:
    other = mailbox_factory("beto")
    client = signed_in(other)
    mine = MailAccount.objects.get(address=other.address)
    contact = add(owner["account"], "Ana", "a@x.test")
    group = service.save_group(owner["account"], None, name="G", people=[Address("", "a@x.test")])
    assert client.get(reverse("contact", args=[mine.pk, contact.pk])).status_code == 404
    assert client.post(reverse("contact_delete", args=[mine.pk, contact.pk])).status_code == 404
    assert client.get(reverse("group", args=[mine.pk, group.pk])).status_code == 404
    assert client.get(reverse("people", args=[mine.pk]), {"group": group.pk}).json() == {"people": []}
