"""Templates over HTTP and on the server: saved, listed, written from, changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount
from tests.webmail.test_changes import signed_in
from webmail.models import Composing, Outgoing
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

HTMX = {"HX-Request": "true"}
FETCH = {"X-Requested-With": "fetch"}
BY_THE_SERVER = {b"$HasNoAttachment", b"\\Recent"}
FROM_THUNDERBIRD = (
    b"From: Ana <ana@x.test>\r\nTo: Beto <beto@x.test>\r\nBcc: jefa@x.test\r\nSubject: Pedido semanal\r\n"
    b"Message-ID: <t1@x.test>\r\nDate: Fri, 28 Nov 2025 20:00:00 +0000\r\nX-Identity-Key: id1\r\n"
    b"X-Mozilla-Draft-Info: internal/draft; vcard=0; receipt=0; DSN=0; uuencode=0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Pedimos <b>10</b> cajas</p></body></html>\r\n"
)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def box(mailbox_factory: Any) -> dict[str, Any]:
    made = mailbox_factory("ana", name="Ana")
    client = signed_in(made)
    client.get("/", follow=True)
    account = MailAccount.objects.get(address=made.address)
    url = client.get(reverse("compose_new", args=[account.pk])).headers["Location"]
    return {"made": made, "client": client, "account": account, "url": url}


def kept(imap: Any, box: dict[str, Any], folder: str = "Templates") -> list[tuple[bytes, set[bytes], str]]:
    """(octets, flags, VALIDITY.UID) of what is in a folder; nothing where there is none."""
    client = imap(box["made"].address)
    if not client.folder_exists(folder):
        return []
    validity = client.select_folder(folder, readonly=True)[b"UIDVALIDITY"]
    uids = client.search()
    found = client.fetch(uids, ["BODY.PEEK[]", "FLAGS"]) if uids else {}
    return [
        (one[b"BODY[]"], set(one[b"FLAGS"]) - BY_THE_SERVER, f"{validity}.{uid}") for uid, one in sorted(found.items())
    ]


def begin(box: dict[str, Any], ref: str, kind: str, folder: str = "Templates") -> Any:
    new = reverse("compose_new", args=[box["account"].pk])
    return box["client"].get(new, {"kind": kind, "folder": encode_folder(FolderId(folder)), "of": ref})


def newest() -> Composing:
    return Composing.objects.order_by("-created")[0]


def test_a_composer_is_saved_as_a_template_and_again_in_its_place(box: dict[str, Any], imap: Any) -> None:
    data = {"do": "template", "plain": "1", "to": "beto@x.test, falta", "bcc": "jefa@x.test", "subject": "Pedido"}
    answer = box["client"].post(box["url"], {**data, "text": "Diez"}, headers=HTMX)
    assert "plantilla" in answer.content.decode()
    ((first, flags, _ref),) = kept(imap, box)
    assert b"\\Seen" in flags
    assert b"\\Draft" not in flags
    for piece in (b"X-Mozilla-Draft-Info", b"Bcc: jefa@x.test", b"falta", b"Diez"):
        assert piece in first
    box["client"].post(box["url"], {**data, "text": "Veinte"}, headers=HTMX)
    ((second, _flags, _ref),) = kept(imap, box)
    assert b"Veinte" in second
    assert not Composing.objects.get().closed


def test_a_template_opens_as_a_new_message_and_stays(box: dict[str, Any], imap: Any) -> None:
    connection = imap(box["made"].address)
    connection.create_folder("Templates")
    connection.append("Templates", FROM_THUNDERBIRD, flags=[b"\\Seen"])
    before = kept(imap, box)
    begin(box, before[0][2], "new")
    composing = newest()
    assert (composing.to, composing.bcc, composing.subject) == (
        "Beto <beto@x.test>",
        "jefa@x.test",
        "Pedido semanal",
    )
    assert "<b>10</b>" in composing.html
    assert (composing.draft, composing.template, composing.saved) == (None, None, None)
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    data = {"to": "beto@x.test", "bcc": "", "html": composing.html, "plain": "0", "subject": "Pedido semanal"}
    box["client"].post(url, {"do": "send", **data})
    assert b"Message-ID: <t1@x.test>" not in bytes(Outgoing.objects.get().raw)
    assert kept(imap, box) == before


def test_changing_a_template_takes_its_place(box: dict[str, Any], imap: Any) -> None:
    connection = imap(box["made"].address)
    connection.create_folder("Templates")
    connection.append("Templates", FROM_THUNDERBIRD, flags=[b"\\Seen"])
    begin(box, kept(imap, box)[0][2], "template")
    composing = newest()
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    assert "Guardar la plantilla" in box["client"].get(url).content.decode()
    data = {"to": "beto@x.test", "html": "<p>Pedimos <b>20</b> cajas</p>", "plain": "0", "subject": "Pedido"}
    box["client"].post(url, {"do": "save", **data}, headers=FETCH)
    assert b"<b>10</b>" in kept(imap, box)[0][0]
    assert len(kept(imap, box, "Drafts")) == 1
    assert "Se guardó la plantilla" in box["client"].post(url, {"do": "template", **data}, follow=True).content.decode()
    ((raw, _flags, _ref),) = kept(imap, box)
    assert b"<b>20</b>" in raw
    assert b"Message-ID: <t1@x.test>" in raw
    assert kept(imap, box, "Drafts") == []
    assert not Composing.objects.filter(pk=composing.pk).exists()


def test_a_template_that_is_gone_is_saved_anew(box: dict[str, Any], imap: Any) -> None:
    connection = imap(box["made"].address)
    connection.create_folder("Templates")
    connection.append("Templates", FROM_THUNDERBIRD)
    begin(box, kept(imap, box)[0][2], "template")
    connection.select_folder("Templates")
    connection.delete_messages(connection.search())
    connection.expunge()
    url = reverse("compose", args=[box["account"].pk, newest().pk])
    box["client"].post(url, {"do": "template", "plain": "1", "text": "Otra vez", "subject": "Pedido"})
    ((raw, _flags, _ref),) = kept(imap, box)
    assert b"Otra vez" in raw


def test_sending_the_composer_of_a_template_leaves_the_template(box: dict[str, Any], imap: Any) -> None:
    connection = imap(box["made"].address)
    connection.create_folder("Templates")
    connection.append("Templates", FROM_THUNDERBIRD)
    begin(box, kept(imap, box)[0][2], "template")
    url = reverse("compose", args=[box["account"].pk, newest().pk])
    box["client"].post(url, {"do": "send", "plain": "1", "to": "beto@x.test", "text": "hola"})
    assert Outgoing.objects.get().parent is None
    assert len(kept(imap, box)) == 1


def test_templates_are_listed_for_their_owner(box: dict[str, Any], imap: Any, mailbox_factory: Any) -> None:
    url = reverse("templates", args=[box["account"].pk])
    assert "Todavía no hay plantillas" in box["client"].get(url).content.decode()
    assert not imap(box["made"].address).folder_exists("Templates")
    box["client"].post(box["url"], {"do": "template", "plain": "1", "subject": "Pedido <semanal>", "text": "x"})
    part = box["client"].get(url, headers=HTMX).content.decode()
    assert "Pedido &lt;semanal&gt;" in part
    assert "kind=new" in part
    assert "<html" not in part
    stranger = signed_in(mailbox_factory("eva"))
    assert stranger.get(url).status_code == 404
    assert Client().get(url).status_code == 302
    assert box["client"].post(url).status_code == 405


def test_a_message_in_the_templates_folder_offers_to_write_from_it(box: dict[str, Any], imap: Any) -> None:
    connection = imap(box["made"].address)
    connection.create_folder("Templates")
    connection.append("Templates", FROM_THUNDERBIRD)
    validity, uid = kept(imap, box)[0][2].split(".")
    page = box["client"].get(reverse("message", args=[box["account"].pk, FolderId("Templates"), int(validity), uid]))
    text = page.content.decode()
    assert "Escribir con esta plantilla" in text
    assert "kind=template" in text
