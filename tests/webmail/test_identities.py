"""Identities: who may have which, what they do to a composer; and what a person's preferences change in writing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import MailAccount, User
from accounts.services.hosting import create_alias
from tests.contract.test_source import letter
from webmail.mime.html_text import text_of_html
from webmail.models import Composing, Identity, Outgoing
from webmail.services import identities as service
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

ENGLISH = {"Accept-Language": "en"}


def signed_in(made: Any) -> Client:
    client = Client(headers=ENGLISH)
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return client


@pytest.fixture
def box(mailbox_factory: Any, imap: Any) -> dict[str, Any]:
    """An owner with an alias: client, account, alias, and the address of the page."""
    made = mailbox_factory("ana", name="Ana Díaz")
    alias = create_alias(address="ventas@" + made.address.partition("@")[2], target=made.mailbox).address
    client = signed_in(made)
    account = MailAccount.objects.get(address=made.address)
    return {
        "made": made,
        "imap": imap,
        "client": client,
        "account": account,
        "alias": alias,
        "page": reverse("identities", args=[account.pk]),
    }


def put(box: dict[str, Any], address: str = "", **fields: Any) -> Identity:
    one = Identity(account=box["account"], address=address or box["account"].address, **fields)
    assert service.add(one)
    return one


def url(one: Identity) -> str:
    return reverse("identity", args=[one.account_id, one.pk])


def order(box: dict[str, Any]) -> list[str]:
    return [one.name for one in Identity.objects.filter(account=box["account"])]


def person(**fields: Any) -> None:
    User.objects.update(**fields)


def new_composer(box: dict[str, Any], **query: str) -> Composing:
    answer = box["client"].get(reverse("compose_new", args=[box["account"].pk]), query)
    return Composing.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


def save(box: dict[str, Any], composing: Composing, **data: Any) -> Composing:
    path = reverse("compose", args=[composing.account_id, composing.pk])
    assert box["client"].post(path, {"text": composing.text, "html": composing.html, **data}).status_code == 200
    return Composing.objects.get(pk=composing.pk)


# --- The page ----------------------------------------------------------------------------------------------------------------
def test_without_identities_one_writes_as_before(box: dict[str, Any]) -> None:
    page = box["client"].get(box["page"]).content.decode()
    assert f"You write as Ana Díaz, {box['account'].address}, without a signature." in page
    assert new_composer(box).identity is None


def test_an_identity_is_added_and_written_as(box: dict[str, Any]) -> None:
    data = {"name": "Ventas", "address": box["alias"].upper(), "reply_to": "Ana <ana@x.test>, b@x.test"}
    data["signature"] = "-- \r\nVentas\r\n+56 2 2345\r\n\r\n"
    answer = box["client"].post(box["page"], data)
    one = Identity.objects.get()
    assert answer["Location"] == f"{box['page']}?focus=edit-{one.pk}"
    assert (one.name, one.address, one.reply_to) == ("Ventas", box["alias"], "Ana <ana@x.test>, b@x.test")
    assert one.signature == "Ventas\n+56 2 2345"
    composing = new_composer(box)
    assert composing.identity == one
    assert composing.text == "\n\n-- \nVentas\n+56 2 2345"
    assert composing.message_id.endswith(f"@{box['alias'].partition('@')[2]}>")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "jefe@otro.test"), ("address", ""), ("address", "ana"), ("address", "a\r\nBcc: b@x.test"),
        ("reply_to", "nadie"), ("reply_to", "a@b"), ("reply_to", ",,"), ("name", "x" * 121), ("signature", "x" * 4001),
    ],
)  # fmt: skip
def test_a_wrong_field_is_told_below_it(box: dict[str, Any], field: str, value: str) -> None:
    data = {"name": "Ana", "address": box["account"].address, field: value}
    answer = box["client"].post(box["page"], data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in page
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page)
    assert not Identity.objects.exists()


def test_an_alias_of_another_mailbox_or_a_closed_one_is_refused(box: dict[str, Any], mailbox_factory: Any) -> None:
    beto = mailbox_factory("beto")
    foreign = create_alias(address="soporte@" + beto.address.partition("@")[2], target=beto.mailbox)
    box["made"].mailbox.aliases.update(active=False)
    for address in (beto.address, foreign.address, box["alias"]):
        answer = box["client"].post(box["page"], {"address": address})
        assert answer.status_code == 422
        assert "is not an address of this account" in answer.content.decode()
    assert not Identity.objects.exists()


def test_an_identity_is_changed(box: dict[str, Any]) -> None:
    one = put(box, name="Ana", signature="uno")
    assert 'value="Ana"' in box["client"].get(url(one)).content.decode()
    wrong = box["client"].post(url(one), {"name": "Otra", "address": "x@otro.test"})
    assert wrong.status_code == 422
    box["client"].post(url(one), {"name": "Ana María", "address": box["alias"], "signature": ""})
    one.refresh_from_db()
    assert (one.name, one.address, one.signature) == ("Ana María", box["alias"], "")


def test_the_order_is_changed_and_the_first_is_written_as(box: dict[str, Any]) -> None:
    ones = [put(box, name=name) for name in "abc"]
    answer = box["client"].post(url(ones[2]), {"do": "up"})
    assert answer["Location"].endswith(f"?focus=up-{ones[2].pk}")
    assert order(box) == ["a", "c", "b"]
    box["client"].post(url(ones[2]), {"do": "up"})
    box["client"].post(url(ones[2]), {"do": "up"})
    box["client"].post(url(ones[0]), {"do": "down"})
    assert order(box) == ["c", "b", "a"]
    assert new_composer(box).identity == ones[2]
    assert box["client"].post(url(ones[2]), {"do": "explode"}).status_code == 400


def test_a_deleted_identity_can_be_put_back_where_it_was(box: dict[str, Any]) -> None:
    ones = [put(box, name=name, signature=f"\n{name}") for name in "abc"]
    box["client"].post(url(ones[1]), {"do": "delete"})
    assert order(box) == ["a", "c"]
    page = box["client"].get(box["page"]).content.decode()
    assert 'name="index" value="1"' in page
    assert "was deleted" not in box["client"].get(box["page"]).content.decode()
    box["client"].post(box["page"], {"name": "b", "address": box["account"].address, "signature": "b", "index": "1"})
    assert order(box) == ["a", "b", "c"]


def test_there_is_an_end_to_identities(box: dict[str, Any]) -> None:
    for number in range(service.IDENTITIES_LIMIT):
        put(box, name=str(number))
    assert box["client"].post(box["page"], {"address": box["alias"]}).status_code == 422


def test_strangers_and_other_methods_are_refused(box: dict[str, Any], mailbox_factory: Any) -> None:
    one = put(box, name="Ana")
    stranger = signed_in(mailbox_factory("beto"))
    other = MailAccount.objects.get(address__startswith="beto@")
    for path in (box["page"], url(one), reverse("identity", args=[other.pk, one.pk])):
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, {"do": "delete"}).status_code == 404
        assert Client().get(path).status_code == 302
        assert Client().post(path, {"do": "delete"}).status_code == 302
        assert box["client"].put(path).status_code == 405
        assert box["client"].delete(path).status_code == 405
    forgery = Client(enforce_csrf_checks=True)
    forgery.cookies = box["client"].cookies
    assert forgery.post(url(one), {"do": "delete"}).status_code == 403
    assert order(box) == ["Ana"]


def test_the_settings_and_the_composer_lead_there(box: dict[str, Any]) -> None:
    assert box["page"] in box["client"].get(reverse("settings")).content.decode()
    composing = new_composer(box)
    page = box["client"].get(reverse("compose", args=[composing.account_id, composing.pk])).content.decode()
    assert f'href="{box["page"]}"' in page


# --- In a composer -----------------------------------------------------------------------------------------------------------
def test_another_identity_brings_its_signature_without_a_script(box: dict[str, Any]) -> None:
    one, two = put(box, name="a", signature="Ana\nPapeles"), put(box, box["alias"], name="v", signature="Ventas")
    composing = new_composer(box)
    composing.text = "Hola" + composing.text
    kept = save(box, composing, identity=two.pk, signed=one.pk)
    assert (kept.identity, kept.text) == (two, "Hola\n\n-- \nVentas")
    kept.text = kept.text.replace("Ventas", "Ventas y más")
    kept = save(box, kept, identity=one.pk, signed=two.pk)
    assert (kept.identity, kept.text) == (one, "Hola\n\n-- \nVentas y más")


def test_what_a_script_has_signed_already_stays(box: dict[str, Any]) -> None:
    put(box, name="a")
    two = put(box, name="v", signature="Ventas")
    composing = new_composer(box)
    composing.text = "Hola, sin firma"
    assert save(box, composing, identity=two.pk, signed=two.pk).text == "Hola, sin firma"
    assert save(box, composing, identity="999999", signed="").identity == two


def test_nobody_writes_as_anothers_identity(box: dict[str, Any], mailbox_factory: Any) -> None:
    beto = mailbox_factory("beto")
    signed_in(beto)
    foreign = Identity.objects.create(account=MailAccount.objects.get(address=beto.address), address=beto.address)
    assert save(box, new_composer(box), identity=foreign.pk, signed="").identity is None


def test_a_deleted_identity_or_a_lost_alias_gives_way_to_the_first(box: dict[str, Any]) -> None:
    one, two = put(box, box["alias"], name="v", signature="Ventas"), put(box, name="a", signature="Ana")
    composing = new_composer(box)
    assert composing.identity == one
    box["made"].mailbox.aliases.update(active=False)
    kept = save(box, composing)
    assert kept.identity == two
    box["made"].mailbox.aliases.update(active=True)
    composing = new_composer(box)
    box["client"].post(url(one), {"do": "delete"})
    composing.refresh_from_db()
    assert (composing.identity, composing.text) == (two, "\n\n-- \nAna")
    assert "no longer yours" not in box["client"].get(box["page"]).content.decode()


def test_an_answer_is_written_as_whom_the_message_was_for(box: dict[str, Any], imap: Any) -> None:
    put(box, name="Ana")
    two = put(box, box["alias"], name="Ventas", signature="V")
    raw = letter("Pregunta", body="¿Cuánto?").replace(b"To: ", f"To: {box['alias']}, otro@y.test, ".encode(), 1)
    imap(box["made"].address).append("INBOX", raw)
    composing = new_composer(box, **found(box), kind="reply_all")
    assert composing.identity == two
    assert box["alias"] not in composing.to + composing.cc
    assert "otro@y.test" in composing.to


def found(box: dict[str, Any], subject: str = "Pregunta") -> dict[str, str]:
    client = box["imap"](box["made"].address)
    validity = client.select_folder("INBOX", readonly=True)[b"UIDVALIDITY"]
    (uid,) = client.search(["SUBJECT", subject])
    return {"folder": encode_folder(FolderId("INBOX")), "of": f"{validity}.{uid}"}


def test_the_line_above_the_signature_has_its_space_in_both_forms(box: dict[str, Any]) -> None:
    from webmail.services.written import draft_of

    put(box, name="Ana", signature="Ana Núñez\nEmpresa & Cía")
    composing = new_composer(box)
    composing.plain = False
    composing.html = "<p>Hola</p><p>--</p><p>Ana Núñez</p><p>Empresa &amp; Cía</p>"
    draft = draft_of(composing)
    assert "<p>-- </p>" in draft.html
    assert text_of_html(draft.html).startswith("Hola\n\n-- \nAna Núñez\n")
    composing.html = "<p>uno</p><p>--</p><p>dos</p>"
    assert "<p>--</p>" in draft_of(composing).html


# --- Preferences -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seconds", [0, 5, 30])
def test_the_time_to_take_back_is_the_persons(box: dict[str, Any], seconds: int) -> None:
    person(undo_s=seconds)
    composing = new_composer(box)
    path = reverse("compose", args=[composing.account_id, composing.pk])
    data = {"do": "send", "to": box["account"].address}
    before = timezone.now()
    page = box["client"].post(path, data, headers={"HX-Request": "true"}).content.decode()
    after = Outgoing.objects.get().send_at - before
    assert timedelta(seconds=seconds) <= after < timedelta(seconds=seconds + 5)
    assert (f'data-seconds="{seconds}"' in page) == bool(seconds)
    assert ("data-undo" in page) == bool(seconds)


def test_plain_text_can_be_the_way_to_write(box: dict[str, Any], imap: Any) -> None:
    assert not new_composer(box).plain
    raw = letter("Pregunta", extra="Content-Type: text/html; charset=utf-8\r\n", body="<p>Hola <b>Ana</b></p>")
    imap(box["made"].address).append("INBOX", raw)
    rich = new_composer(box, **found(box), kind="reply")
    assert (rich.plain, "<b>Ana</b>" in rich.quote) == (False, True)
    person(write_plain=True)
    assert new_composer(box).plain
    plain = new_composer(box, **found(box), kind="reply")
    assert (plain.plain, plain.quote) == (True, "")
    assert "> Hola Ana" in plain.text


def test_one_may_write_below_what_is_quoted(box: dict[str, Any], imap: Any) -> None:
    from webmail.services.letters import _split_quote
    from webmail.services.written import outgoing_html

    put(box, name="Ana", signature="Ana")
    html = "<p>uno</p><blockquote>dos</blockquote>"
    imap(box["made"].address).append("INBOX", letter("Pregunta", body="¿Cuánto?"))
    raw = letter("Bonita", extra="Content-Type: text/html; charset=utf-8\r\n", body=html)
    imap(box["made"].address).append("INBOX", raw)
    text = new_composer(box, **found(box), kind="reply").text
    assert text.index("-- \nAna") < text.index("> ¿Cuánto?")
    person(quote_below=False)
    text = new_composer(box, **found(box), kind="reply").text
    assert text.endswith("> ¿Cuánto?\n\n\n\n-- \nAna")
    forward = new_composer(box, **found(box), kind="forward").text
    assert forward.index("-- \nAna") < forward.index("¿Cuánto?")
    rich = new_composer(box, **found(box, "Bonita"), kind="reply")
    rich.html = "<p>Cuesta <b>100</b></p>"
    sent = outgoing_html(rich)
    assert sent.index("dos") < sent.index("Cuesta")
    own, intro, quote = _split_quote(sent)
    assert "Cuesta <b>100</b>" in own
    assert "uno" not in own
    assert ("dos" in quote, "Cuesta" in quote) == (True, False)
    person(quote_below=True)
    sent = outgoing_html(Composing.objects.get(pk=rich.pk))
    assert "dos" in _split_quote(sent)[2]


@pytest.mark.parametrize(
    ("by", "folders"),
    [("year", {"Archive/2025"}), ("month", {"Archive/2025/2025-11"}), ("none", {"Archive"})],
)
def test_the_archive_is_in_order_as_one_likes(box: dict[str, Any], imap: Any, by: str, folders: set[str]) -> None:
    person(archive_by=by)
    client = imap(box["made"].address)
    client.append("INBOX", letter("Pregunta", day=-3))
    place = found(box)
    path = reverse("messages_change", args=[box["account"].pk, "INBOX"])
    box["client"].post(path, {"do": "archive", "ref": place["of"]})
    delimiter = client.list_folders()[0][1].decode()
    held = {
        name
        for _flags, _delimiter, name in client.list_folders()
        if client.folder_status(name, ["MESSAGES"])[b"MESSAGES"]
    }
    assert {name.replace(delimiter, "/") for name in held} == folders


# --- Signatures in a text ----------------------------------------------------------------------------------------------------
A, B = "-- \nAna\nx", "-- \nBeto"


@pytest.mark.parametrize(
    ("text", "old", "new", "after"),
    [
        (f"Hola\n\n{A}", A, B, f"Hola\n\n{B}"),
        (f"Hola\n\n{A}\n\nEl lunes:\n> {A}", A, B, f"Hola\n\n{B}\n\nEl lunes:\n> {A}"),
        (f"Hola\n\n{A} y", A, B, f"Hola\n\n{A} y"),
        (f"Hola\n\n{A}", A, "", "Hola\n\n"),
        ("Hola", "", B, f"Hola\n\n{B}"),
        ("", "", B, f"\n\n{B}"),
        ("Hola\n\nEl lunes:\n> a", "", B, f"Hola\n\n{B}\n\nEl lunes:\n> a"),
        ("> a", "", B, f"\n\n{B}\n\n> a"),
        ("Hola\n\n-------- Mensaje reenviado --------\nx", "", B, f"Hola\n\n{B}\n\n-------- Mensaje reenviado --------\nx"),
    ],
)  # fmt: skip
def test_a_signature_takes_the_place_of_another(text: str, old: str, new: str, after: str) -> None:
    assert service.swap_signature(text, old, new) == after


def test_a_signature_in_html_takes_the_place_of_another() -> None:
    html = "<p>Hola</p><p>-- <br></p><p>A &amp; B</p>"
    assert service.swap_html_signature(html, "-- \nA & B", "-- \n<i>\n\nx") == (
        "<p>Hola</p><p>-- </p><p>&lt;i&gt;</p><p><br></p><p>x</p>"
    )
    assert service.swap_html_signature("<p>Hola</p>", "-- \nA", B) == "<p>Hola</p>"
    assert service.swap_html_signature("<p>Hola</p>", "", B) == "<p>Hola</p><p>-- </p><p>Beto</p>"
