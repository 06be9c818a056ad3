"""Composers over HTTP and in the database: kept, saved, rescued, thrown away; files in pieces; nobody else's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import MailAccount, Mailbox
from tests.contract.test_source import letter
from tests.webmail.test_changes import signed_in
from webmail.imap.pool import pool
from webmail.models import Composing, Outgoing, Upload
from webmail.services import composing as service
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def box(mailbox_factory: Any) -> dict[str, Any]:
    """An owner with an empty composer open: its client and address."""
    made = mailbox_factory("ana")
    client = signed_in(made)
    client.get("/", follow=True)
    account = MailAccount.objects.get(address=made.address)
    url = client.get(reverse("compose_new", args=[account.pk])).headers["Location"]
    return {"made": made, "client": client, "account": account, "url": url}


def drafts(imap: Any, made: Any) -> list[bytes]:
    client = imap(made.address)
    client.select_folder("Drafts", readonly=True)
    uids = client.search()
    return [one[b"BODY[]"] for one in client.fetch(uids, ["BODY.PEEK[]"]).values()] if uids else []


def save(box: dict[str, Any], **fields: str) -> Any:
    return box["client"].post(box["url"], {"do": "save", "plain": "1", **fields}, headers=FETCH)


def test_each_save_takes_the_place_of_the_one_before(box: dict[str, Any], imap: Any) -> None:
    for text in ("uno", "dos", "tres"):
        assert (
            save(box, to="Beto <beto@x.test>, sin terminar", bcc="c@y.test", subject="Hola", text=text).status_code
            == 200
        )
    (draft,) = drafts(imap, box["made"])
    assert b"tres" in draft
    assert b"Bcc: c@y.test" in draft
    assert b"sin terminar" in draft


def test_nothing_changed_is_not_saved_again(box: dict[str, Any], imap: Any) -> None:
    save(box, subject="Hola", text="uno")
    before = Composing.objects.get().draft
    save(box, subject="Hola", text="uno")
    assert Composing.objects.get().draft == before


def test_a_draft_that_another_program_changed_is_kept_beside_ours(box: dict[str, Any], imap: Any) -> None:
    save(box, subject="Hola", text="uno")
    client = imap(box["made"].address)
    client.select_folder("Drafts")
    client.append("Drafts", letter("Hola, de otro programa"), flags=[b"\\Draft"])
    client.delete_messages(client.search()[:1])
    client.expunge()
    answer = save(box, subject="Hola", text="dos")
    assert "las dos versiones" in answer.content.decode()
    found = b"".join(drafts(imap, box["made"]))
    assert b"de otro programa" in found
    assert b"dos" in found


def test_a_full_mailbox_keeps_the_text_here(box: dict[str, Any], imap: Any) -> None:
    pool.close_all()
    Mailbox.objects.update(quota_bytes=2_000)
    answer = save(box, subject="Hola", text="y" * 900_000)
    assert "La casilla está llena" in answer.content.decode()
    kept = Composing.objects.get()
    assert kept.text == "y" * 900_000
    Composing.objects.update(
        changed=timezone.now() - timedelta(minutes=5), created=timezone.now() - timedelta(minutes=9)
    )
    assert service.to_rescue(box["account"]) == [kept]
    page = box["client"].get("/", follow=True).content.decode()
    assert "no está todavía en el servidor" in page


def test_what_nobody_wrote_in_is_not_rescued_and_is_forgotten(box: dict[str, Any]) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    Composing.objects.update(changed=long_ago, created=long_ago)
    assert service.to_rescue(box["account"]) == []
    assert service.clear_composing(timezone.now()) == 1


def test_throwing_away_takes_the_draft_from_the_server(box: dict[str, Any], imap: Any) -> None:
    save(box, subject="Hola", text="uno")
    box["client"].post(box["url"], {"do": "discard"})
    assert drafts(imap, box["made"]) == []
    assert not Composing.objects.exists()


def test_a_file_goes_up_in_pieces_and_goes_on_where_it_stopped(box: dict[str, Any]) -> None:
    client, files = box["client"], box["url"] + "files/"
    made = client.post(files, {"name": "../../a\r\nb.bin", "type": "x/y\r\nz", "size": "10"}).json()
    one = f"{files}{made['id']}/"
    post = {"content_type": "application/octet-stream"}
    assert client.post(one + "?offset=0", b"01234", **post).json() == {"offset": 5, "whole": False}
    wrong = client.post(one + "?offset=0", b"01234", **post)
    assert (wrong.status_code, wrong.json()) == (409, {"offset": 5})
    assert client.get(one).json() == {"offset": 5}
    assert client.post(one + "?offset=5", b"567890", **post).status_code == 413
    assert client.post(one + "?offset=5", b"56789", **post).json()["whole"]
    upload = Upload.objects.get()
    assert "/" not in upload.name
    assert "\n" not in upload.name
    assert upload.media_type == "application/octet-stream"
    assert upload.file.read() == b"0123456789"
    assert client.delete(one).status_code == 204
    assert not Upload.objects.exists()


def test_files_have_a_limit(box: dict[str, Any]) -> None:
    for size in ("26000000000", "26214401", "-1", "viele"):
        assert box["client"].post(box["url"] + "files/", {"name": "a", "size": size}).status_code in {400, 413}


def test_sending_twice_sends_once(box: dict[str, Any]) -> None:
    data = {"do": "send", "plain": "1", "to": box["made"].address, "text": "hola"}
    box["client"].post(box["url"], data)
    box["client"].post(box["url"], data)
    assert Outgoing.objects.count() == 1


def test_line_ends_in_fields_add_no_header(box: dict[str, Any]) -> None:
    box["client"].post(
        box["url"],
        {
            "do": "send",
            "plain": "1",
            "to": box["made"].address,
            "subject": "Hola\r\nBcc: x@y.test\r\n\r\nCuerpo",
            "text": "t",
        },
    )
    raw = bytes(Outgoing.objects.get().raw)
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc" not in head
    assert b"Cuerpo" in head


def test_an_answer_to_somebody_elses_message_or_nothing_is_refused(box: dict[str, Any], mailbox_factory: Any) -> None:
    new = reverse("compose_new", args=[box["account"].pk])
    folder = encode_folder(FolderId("INBOX"))
    assert box["client"].get(new, {"kind": "reply", "folder": folder, "of": "1.1"}).status_code == 410
    assert box["client"].get(new, {"kind": "reply", "folder": folder, "of": "nada"}).status_code == 400
    assert box["client"].get(new, {"kind": "explode", "folder": folder, "of": "1.1"}).status_code == 400
    stranger = signed_in(mailbox_factory("beto"))
    for url in (
        new,
        box["url"],
        box["url"] + "quote/",
        box["url"] + "files/",
        reverse("people", args=[box["account"].pk]),
    ):
        assert stranger.get(url).status_code in {404, 405}
        assert Client().get(url).status_code in {302, 405}
    assert stranger.post(box["url"], {"do": "send", "to": "a@b.cl"}).status_code == 404
    assert stranger.post(box["url"] + "files/", {"name": "a", "size": "1"}).status_code == 404
    assert not Outgoing.objects.exists()


def test_the_outbox_is_its_owners(box: dict[str, Any], mailbox_factory: Any) -> None:
    later = (timezone.now() + timedelta(days=1)).isoformat()
    box["client"].post(
        box["url"], {"do": "send", "plain": "1", "to": "a@b.example", "subject": "Luego", "text": "t", "send_at": later}
    )
    outgoing = Outgoing.objects.get()
    page = reverse("outbox", args=[box["account"].pk])
    assert "Luego" in box["client"].get(page).content.decode()
    assert "Por enviar" in box["client"].get("/", follow=True).content.decode()
    cancel = reverse("outgoing_cancel", args=[box["account"].pk, outgoing.pk])
    stranger = signed_in(mailbox_factory("beto"))
    assert stranger.get(page).status_code == 404
    assert stranger.post(cancel).status_code == 404
    assert Client().post(cancel).status_code == 302
    assert box["client"].get(cancel).status_code == 405
    answer = box["client"].post(cancel)
    assert answer.headers["Location"] == box["url"]
    outgoing.refresh_from_db()
    assert outgoing.state == Outgoing.State.CANCELLED


def test_a_save_after_another_window_threw_it_away_keeps_the_text(box: dict[str, Any], imap: Any) -> None:
    save(box, subject="Hola", text="uno")
    box["client"].post(box["url"], {"do": "discard"}, headers=FETCH)
    assert not Composing.objects.exists()
    late = save(box, subject="Hola", text="dos")
    assert late.status_code == 410
    assert 'value="again"' in late.content.decode()
    assert drafts(imap, box["made"]) == []
    page = box["client"].post(box["url"], {"do": "again", "plain": "1", "subject": "Hola", "text": "dos"})
    assert page.status_code == 200
    (draft,) = drafts(imap, box["made"])
    assert b"dos" in draft
    sent = box["client"].post(box["url"], {"do": "discard"})
    assert sent.status_code in {200, 302}
    assert box["client"].post(box["url"], {"do": "discard"}).status_code in {200, 302}


def test_a_draft_thrown_away_while_it_is_saved_does_not_come_back(
    box: dict[str, Any], imap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = service.build_message

    def build_and_lose(*args: Any, **more: Any) -> bytes:
        Composing.objects.all().delete()  # the other window is quicker
        return built(*args, **more)

    monkeypatch.setattr(service, "build_message", build_and_lose)
    assert save(box, subject="Hola", text="uno").status_code == 410
    assert drafts(imap, box["made"]) == []


def test_nobody_begins_anew_what_is_somebody_elses(box: dict[str, Any], mailbox_factory: Any) -> None:
    other = signed_in(mailbox_factory("beto"))
    other.get("/", follow=True)
    theirs = MailAccount.objects.exclude(pk=box["account"].pk).get()
    url = reverse("compose", args=[theirs.pk, Composing.objects.get().pk])
    assert other.post(url, {"do": "again", "text": "x"}).status_code == 404
    assert Composing.objects.get().account == box["account"]
