"""A file of one message is attached to another, in a new composer or in one that is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import MailAccount
from tests.webmail.test_changes import signed_in
from webmail.models import Composing, Upload
from webmail.services import uploads
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
RAW = (
    b"Subject: Plano\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nVa el plano.\r\n"
    b'--b\r\nContent-Type: application/pdf; name="plano.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
    b"Content-Disposition: attachment; filename=plano.pdf\r\n\r\nJVBERi0xLjQKaG9sYQ==\r\n--b--\r\n"
)
CONTENT = b"%PDF-1.4\nhola"


@pytest.fixture
def box(mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path) -> dict[str, Any]:
    settings.MEDIA_ROOT = str(tmp_path)
    made = mailbox_factory("ana")
    client = imap(made.address)
    client.append("INBOX", RAW)
    validity = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    web = signed_in(made)
    web.get("/", follow=True)
    account = MailAccount.objects.get(address=made.address)
    of = {"folder": encode_folder(FolderId("INBOX")), "of": f"{validity}.1", "part": "2"}
    return {"client": web, "account": account, "of": of}


def attached() -> tuple[str, str, bytes]:
    upload = Upload.objects.get()
    return upload.name, upload.media_type, uploads.read(upload)


def test_a_composer_is_opened_with_it(box: dict[str, Any]) -> None:
    url = reverse("compose_new", args=[box["account"].pk])
    page = box["client"].get(url, box["of"] | {"kind": "attach"}, follow=True)
    assert "plano.pdf" in page.content.decode()
    assert attached() == ("plano.pdf", "application/pdf", CONTENT)


def test_an_open_composer_takes_it(box: dict[str, Any]) -> None:
    box["client"].get(reverse("compose_new", args=[box["account"].pk]))
    url = reverse("file_from_message", args=[box["account"].pk, Composing.objects.get().pk])
    answer = box["client"].post(url, box["of"])
    assert answer.status_code == 201
    assert answer.json() == {"id": Upload.objects.get().pk, "name": "plano.pdf", "size": len(CONTENT)}
    assert attached() == ("plano.pdf", "application/pdf", CONTENT)
    assert box["client"].get(url).status_code == 405


@pytest.mark.parametrize(
    ("change", "status"), [({"part": "9"}, 410), ({"part": ""}, 410), ({"of": "x"}, 400), ({"of": ""}, 400)]
)
def test_what_is_not_there_is_told(box: dict[str, Any], change: dict[str, str], status: int) -> None:
    box["client"].get(reverse("compose_new", args=[box["account"].pk]))
    url = reverse("file_from_message", args=[box["account"].pk, Composing.objects.get().pk])
    assert box["client"].post(url, box["of"] | change).status_code == status
    assert not Upload.objects.exists()


def test_too_much_is_refused_and_leaves_no_composer(box: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FILE_LIMIT_BYTES", 5)
    box["client"].get(reverse("compose_new", args=[box["account"].pk]), box["of"] | {"kind": "attach"})
    assert not Composing.objects.exists()
    box["client"].get(reverse("compose_new", args=[box["account"].pk]))
    url = reverse("file_from_message", args=[box["account"].pk, Composing.objects.get().pk])
    assert box["client"].post(url, box["of"]).status_code == 413


def test_a_stranger_and_nobody_are_refused(box: dict[str, Any], mailbox_factory: Any, client: Any) -> None:
    box["client"].get(reverse("compose_new", args=[box["account"].pk]))
    url = reverse("file_from_message", args=[box["account"].pk, Composing.objects.get().pk])
    assert client.post(url, box["of"]).status_code == 302
    assert signed_in(mailbox_factory("beto")).post(url, box["of"]).status_code == 404
    assert not Upload.objects.exists()
