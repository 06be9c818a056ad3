"""Pictures in the text of a composer: taken, shown, sent by their Content-ID, kept in drafts, told apart from attachments."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount
from tests.webmail.test_changes import signed_in
from webmail.models import Composing, Outgoing, Upload
from webmail.services.inline import IMAGE_LIMIT_BYTES
from webmail.services.written import draft_of, outgoing_html
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FETCH = {"X-Requested-With": "fetch"}


def related(subject: str, html: str, *, cid: str = "part1.AB@x.test", extra: str = "") -> bytes:
    """As Thunderbird writes one: alternative(plain, related(html, picture))."""
    picture = base64.encodebytes(PNG).decode().replace("\n", "\r\n")
    return (
        f"From: Beto <beto@x.test>\r\nTo: ana@x.test\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.test>\r\n{extra}"
        "Date: Fri, 28 Nov 2025 20:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="A"\r\n\r\n'
        "--A\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nHola\r\n"
        '--A\r\nContent-Type: multipart/related; boundary="R"\r\n\r\n'
        f"--R\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n{html}\r\n"
        f'--R\r\nContent-Type: image/png; name="foto.png"\r\nContent-Disposition: inline; filename="foto.png"\r\n'
        f"Content-Id: <{cid}>\r\nContent-Transfer-Encoding: base64\r\n\r\n{picture}\r\n--R--\r\n\r\n--A--\r\n"
    ).encode()


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


def put(box: dict[str, Any], data: bytes = PNG, *, name: str = "foto.png", url: str = "") -> dict[str, Any]:
    """A picture that went up: {id, url}."""
    files = (url or box["url"]) + "files/"
    made: dict[str, Any] = (
        box["client"].post(files, {"name": name, "type": "image/png", "size": len(data), "inline": "1"}).json()
    )
    box["client"].post(f"{files}{made['id']}/?offset=0", data, content_type="application/octet-stream")
    return made


def begin(box: dict[str, Any], imap: Any, raw: bytes, kind: str, folder: str = "INBOX") -> Composing:
    connection = imap(box["made"].address)
    connection.append(folder, raw)
    validity = connection.select_folder(folder, readonly=True)[b"UIDVALIDITY"]
    uid = max(connection.search())
    new = reverse("compose_new", args=[box["account"].pk])
    of = {"kind": kind, "folder": encode_folder(FolderId(folder)), "of": f"{validity}.{uid}"}
    location = box["client"].get(new, of).headers["Location"]
    return Composing.objects.get(pk=location.rstrip("/").rpartition("/")[2])


def sent() -> Any:
    return message_from_bytes(bytes(Outgoing.objects.get().raw), policy=policy.default)


def test_a_picture_is_shown_to_its_owner_and_goes_out_inside_the_message(box: dict[str, Any]) -> None:
    made = put(box)
    shown = box["client"].get(made["url"])
    assert (shown.headers["Content-Type"], shown.content) == ("image/png", PNG)
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    html = f'<p>Mire: <img src="{made["url"]}" alt="Una foto" width="300"></p>'
    box["client"].post(box["url"], {"do": "send", "to": "b@x.test", "html": html, "plain": "0", "text": "Mire"})
    message = sent()
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    picture = list(message.walk())[-1]
    cid = picture["content-id"].strip("<>")
    body = message.get_body(("html",)).get_content()
    assert f'src="cid:{cid}"' in body
    assert 'alt="Una foto"' in body
    assert "/compose/" not in body
    assert picture.get_content() == PNG
    assert message.get_body(("plain",)).get_content().strip() == "Mire: [Una foto]"


def test_a_picture_that_was_taken_out_of_the_text_does_not_go_along(box: dict[str, Any]) -> None:
    put(box)
    box["client"].post(box["url"], {"do": "send", "to": "b@x.test", "html": "<p>Nada</p>", "plain": "0"})
    assert "image" not in str(sent())


def test_in_a_plain_text_pictures_are_attached(box: dict[str, Any]) -> None:
    put(box)
    box["client"].post(box["url"], {"do": "send", "to": "b@x.test", "text": "Va", "plain": "1"})
    (part,) = sent().iter_attachments()
    assert part.get_filename() == "foto.png"
    assert part.get_content() == PNG


def test_only_small_rasters_of_this_composer_are_pictures(box: dict[str, Any], mailbox_factory: Any) -> None:
    files = box["url"] + "files/"
    large = {"name": "a.png", "type": "image/png", "size": IMAGE_LIMIT_BYTES + 1, "inline": "1"}
    assert box["client"].post(files, large).status_code == 413
    evil = put(box, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    assert box["client"].get(evil["url"]).status_code == 404
    half = box["client"].post(files, {"name": "a", "type": "image/png", "size": 99, "inline": "1"}).json()
    assert box["client"].get(half["url"]).status_code == 404
    made = put(box)
    other = box["client"].get(reverse("compose_new", args=[box["account"].pk])).headers["Location"]
    assert box["client"].get(f"{other}files/{made['id']}/image/").status_code == 404
    assert signed_in(mailbox_factory("eva")).get(made["url"]).status_code == 404
    assert Client().get(made["url"]).status_code == 302
    assert box["client"].post(made["url"]).status_code == 405
    box["client"].post(other, {"do": "save", "html": f'<img src="{made["url"]}">', "plain": "0"}, headers=FETCH)
    composing = Composing.objects.get(pk=other.rstrip("/").rpartition("/")[2])
    assert "cid:" not in outgoing_html(composing)
    assert draft_of(composing).files == ()


def test_a_draft_of_another_program_comes_back_with_its_picture(box: dict[str, Any], imap: Any) -> None:
    html = '<html><body><p>Vea <img src="cid:part1.AB@x.test" alt="foto"></p></body></html>'
    composing = begin(box, imap, related("borrador", html), "edit", "Drafts")
    (upload,) = composing.uploads.all()
    assert upload.cid == "part1.AB@x.test"
    assert f'src="{upload.image_url}"' in composing.html
    assert box["client"].get(upload.image_url).content == PNG
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    box["client"].post(url, {"do": "save", "html": composing.html + "<p>y más</p>", "plain": "0"}, headers=FETCH)
    connection = imap(box["made"].address)
    connection.select_folder("Drafts", readonly=True)
    (raw,) = [one[b"BODY[]"] for one in connection.fetch(connection.search(), ["BODY.PEEK[]"]).values()]
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("html",)).get_content()
    assert 'src="cid:part1.AB@x.test"' in body
    assert "y más" in body
    assert [part["content-id"] for part in message.walk() if part["content-id"]] == ["<part1.AB@x.test>"]


def test_the_pictures_of_what_is_answered_come_along_and_are_seen_in_the_frame(box: dict[str, Any], imap: Any) -> None:
    html = '<p>Vea <img src="cid:part1.AB@x.test" alt="foto"> <img src="https://fuera.test/a.png" alt="fuera"></p>'
    composing = begin(box, imap, related("conplano", html), "reply")
    (upload,) = composing.uploads.all()
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    frame = box["client"].get(url + "quote/").content.decode()
    assert "data:image/png;base64," in frame
    assert "fuera.test" not in frame
    fragment = box["client"].get(url + "quote/", {"edit": "1"})
    assert f'src="{upload.image_url}"' in fragment.content.decode()
    assert "//fuera.test" not in fragment.content.decode()
    assert "<blockquote>" in fragment.content.decode()
    assert "sandbox" in fragment.headers["Content-Security-Policy"]
    box["client"].post(url, {"do": "send", "to": "b@x.test", "html": "<p>Visto</p>", "plain": "0"})
    assert 'src="cid:part1.AB@x.test"' in sent().get_body(("html",)).get_content()
    assert "image/png" in [part.get_content_type() for part in sent().walk()]


def test_what_has_an_id_and_is_not_in_the_text_is_attached(box: dict[str, Any], imap: Any) -> None:
    composing = begin(box, imap, related("sinusar", "<p>Vea el anexo</p>"), "forward")
    (upload,) = composing.uploads.all()
    assert upload.cid == ""
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    box["client"].post(url, {"do": "send", "to": "b@x.test", "html": "<p>Va</p>", "plain": "0"})
    assert [part.get_filename() for part in sent().iter_attachments()] == ["foto.png"]


def test_an_id_that_cannot_be_written_does_not_stop_a_draft(box: dict[str, Any], imap: Any) -> None:
    html = '<p><img src="cid:raro&quot;(1)"></p>'
    composing = begin(box, imap, related("raro", html, cid='raro"(1)'), "forward")
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    assert box["client"].post(url, {"do": "save", "html": "<p>Va</p>", "plain": "0"}, headers=FETCH).status_code == 200
    assert Composing.objects.get(pk=composing.pk).failed == ""


# --- The quotation -----------------------------------------------------------------------------------------------------------
def test_without_a_script_the_quotation_becomes_text(box: dict[str, Any], imap: Any) -> None:
    composing = begin(box, imap, related("cita", "<p>uno</p><p>dos</p>"), "reply")
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    page = box["client"].post(url, {"do": "quote", "plain": "0", "html": "", "text": "Mi parte"}).content.decode()
    assert "&gt; uno" in page
    composing.refresh_from_db()
    assert composing.plain
    assert composing.quote == ""
    assert composing.text.startswith("Mi parte")


def test_a_dropped_quotation_is_gone(box: dict[str, Any], imap: Any) -> None:
    html = '<p>uno <img src="cid:part1.AB@x.test"></p>'
    composing = begin(box, imap, related("cita", html), "reply")
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    box["client"].post(url, {"do": "save", "plain": "0", "html": "<p>x</p>", "drop_quote": "1"}, headers=FETCH)
    composing.refresh_from_db()
    assert (composing.quote, composing.quote_intro) == ("", "")
    assert Upload.objects.count() == 1
    box["client"].post(url, {"do": "send", "to": "b@x.test", "plain": "0", "html": "<p>x</p>", "drop_quote": "1"})
    assert "image" not in str(sent())


def test_a_forward_that_is_opened_again_has_its_heading_once(box: dict[str, Any], imap: Any) -> None:
    composing = begin(box, imap, related("pasar", "<p>uno</p>"), "forward")
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    box["client"].post(url, {"do": "save", "plain": "0", "html": "<p>Va</p>"}, headers=FETCH)
    draft = Composing.objects.get(pk=composing.pk).draft
    assert draft is not None
    new = reverse("compose_new", args=[box["account"].pk])
    of = {"kind": "edit", "folder": encode_folder(draft.folder), "of": f"{draft.validity}.{draft.id}"}
    assert box["client"].get(new, of).headers["Location"] == url
    Composing.objects.all().delete()
    box["client"].get(new, of)
    again = outgoing_html(Composing.objects.get())
    assert again.count("--------") == 2
    assert again.count("moz-forward-container") == 1
