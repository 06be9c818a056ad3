"""Every mail page on the real servers: happy path, anonymous, stranger, wrong method, with htmx and plain."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

LETTER = (
    b"From: =?utf-8?q?=C3=81lvaro_Cid?= <ventas@papelesandinos.test>\r\nTo: Ana <ana@imprentaquillay.test>\r\n"
    b"Subject: =?utf-8?q?Cotizaci=C3=B3n_8841?=\r\nDate: Fri, 28 Nov 2025 09:31:00 -0300\r\nMessage-ID: <q8841@x.test>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    b"--c\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHola Ana\r\n"
    b'--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p onclick="x()">Hola <b>Ana</b>'
    b'<img src="https://tracker.test/1.png" width="1"></p><script>alert(1)</script>\r\n--c--\r\n'
    b'--b\r\nContent-Type: text/plain; name="nota.txt"\r\nContent-Disposition: attachment; filename="nota.txt"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nSG9sYQ==\r\n--b--\r\n"
)


@pytest.fixture
def box(mailbox_factory: Any, imap: Any, client: Client) -> dict[str, Any]:
    """A signed-in owner with one unread message in the Inbox."""
    made = mailbox_factory("ana")
    connection = imap(made.address)
    connection.append("INBOX", LETTER)
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    home = client.get("/", follow=True)
    assert home.status_code == 200
    listing = home.redirect_chain[-1][0]
    message = re.search(r'href="(/mail/\d+/f/[\w-]+/m/[^"?]+)', home.content.decode())
    assert message is not None
    return {"client": client, "list": listing, "message": message[1], "made": made, "home": home.content.decode()}


def test_the_list_shows_sender_subject_and_counts(box: dict[str, Any]) -> None:
    assert "Álvaro Cid" in box["home"]
    assert "Cotización 8841" in box["home"]
    assert "data-unread" in box["home"]


def test_htmx_gets_the_list_without_the_page_around_it(box: dict[str, Any]) -> None:
    plain = box["client"].get(box["list"]).content.decode()
    part = box["client"].get(box["list"], headers={"HX-Request": "true"}).content.decode()
    assert "<html" in plain
    assert "<html" not in part
    assert "Cotización 8841" in part


def test_opening_a_message_marks_it_as_read_on_the_server(box: dict[str, Any], imap: Any) -> None:
    page = box["client"].get(box["message"]).content.decode()
    assert "nota.txt" in page
    connection = imap(box["made"].address)
    connection.select_folder("INBOX", readonly=True)
    assert connection.search("UNSEEN") == []


def test_another_sites_link_does_not_mark_as_read(box: dict[str, Any], imap: Any) -> None:
    box["client"].get(box["message"], headers={"Sec-Fetch-Site": "cross-site"})
    connection = imap(box["made"].address)
    connection.select_folder("INBOX", readonly=True)
    assert len(connection.search("UNSEEN")) == 1


def test_the_body_is_a_document_of_its_own_without_script_or_remote_image(box: dict[str, Any]) -> None:
    page = box["client"].get(box["message"]).content.decode()
    frame = re.search(r'<iframe[^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"[^>]*src="([^"]+)"', page)
    assert frame is not None
    response = box["client"].get(frame[1])
    body = response.content.decode()
    assert "<script" not in body
    assert "onclick" not in body
    assert "tracker.test" not in body
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "sandbox" in response["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["", "headers/", "source/", "print/", "message.eml", "files.zip", "part/2/"])
def test_every_page_of_a_message_opens_for_its_owner_only(box: dict[str, Any], mailbox_factory: Any, name: str) -> None:
    url = box["message"] + name
    assert box["client"].get(url).status_code == 200
    assert box["client"].post(url).status_code == 405
    assert Client().get(url).status_code == 302
    other = mailbox_factory("beto")
    stranger = Client()
    stranger.post(reverse("account_login"), {"login": other.address, "password": other.password})
    assert stranger.get(url).status_code == 404


def test_the_source_and_the_eml_are_the_message(box: dict[str, Any]) -> None:
    eml = b"".join(box["client"].get(box["message"] + "message.eml").streaming_content)  # type: ignore[arg-type]
    assert eml == LETTER


def test_an_attachment_comes_decoded_and_never_as_html(box: dict[str, Any]) -> None:
    response = box["client"].get(box["message"] + "part/2/")
    assert b"".join(response.streaming_content) == b"Hola"  # type: ignore[arg-type]
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    html = box["client"].get(box["message"] + "part/1.2/?inline=1")
    assert html["Content-Disposition"].startswith("attachment")
    assert "html" not in html["Content-Type"]


def test_an_expunged_message_is_gone_and_nothing_else_opens(box: dict[str, Any], imap: Any) -> None:
    connection = imap(box["made"].address)
    connection.select_folder("INBOX")
    connection.delete_messages(connection.search())
    connection.expunge()
    connection.append("INBOX", LETTER.replace(b"8841", b"9999"))
    response = box["client"].get(box["message"])
    assert response.status_code == 410
    reader = response.content.decode().partition('id="reader"')[2]
    assert "Este mensaje ya no está aquí" in reader
    assert "9999" not in reader


def test_a_changed_uidvalidity_is_gone(box: dict[str, Any]) -> None:
    validity, uid = box["message"].rstrip("/").rpartition("/")[2].split(".")
    other = box["message"].replace(f"{validity}.{uid}", f"{int(validity) + 1}.{uid}")
    assert box["client"].get(other).status_code == 410


def test_a_folder_that_is_not_there_is_gone(box: dict[str, Any]) -> None:
    account = box["list"].split("/")[2]
    url = reverse("folder", kwargs={"account_id": int(account), "folder_id": FolderId("Nada/Aquí")})
    assert box["client"].get(url).status_code == 410


def test_rows_come_as_a_fragment_with_the_total(box: dict[str, Any]) -> None:
    response = box["client"].get(box["list"] + "rows/?start=0")
    assert response["X-Total"] == "1"
    assert response.content.decode().count('class="row"') == 1


def test_search_finds_and_misses(box: dict[str, Any]) -> None:
    assert "Cotización 8841" in box["client"].get(box["list"], {"q": "cotización"}).content.decode()
    assert "Cotización 8841" not in box["client"].get(box["list"], {"q": "guillotina"}).content.decode()
