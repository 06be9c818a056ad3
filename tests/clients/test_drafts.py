"""A draft begun in one program is gone on with in another, there and back: nothing of it is lost, and there is one of it."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import MailAccount
from tests.clients.mutt import mutt
from tests.clients.thunderbird import Thunderbird, thunderbird
from tests.webmail.test_changes import signed_in
from webmail.models import Composing
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
FETCH = {"X-Requested-With": "fetch"}
ORIGINAL = (
    b"From: Beto <beto@afuera.test>\r\nTo: ana@prueba.test\r\nSubject: Presupuesto\r\nMessage-ID: <original@afuera.test>\r\n"
    b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\nHola Ana\r\n"
)


class Box:
    """Ana's mailbox, with a browser's session on it and a look at its Drafts folder."""

    def __init__(self, made: Any, imap: Any) -> None:
        self.made, self._imap = made, imap
        self.client = signed_in(made)
        self.client.get("/", follow=True)
        self.account = MailAccount.objects.get(address=made.address)

    def drafts(self) -> list[tuple[int, EmailMessage]]:
        client = self._imap(self.made.address)
        client.select_folder("Drafts", readonly=True)
        uids = [uid for uid in client.search() if rb"\Deleted" not in client.get_flags([uid])[uid]]
        found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
        return [
            (uid, email.message_from_bytes(one[b"BODY[]"], policy=email.policy.default)) for uid, one in found.items()
        ]  # type: ignore[misc]

    def the_draft(self) -> EmailMessage:
        ((_uid, draft),) = self.drafts()
        return draft

    def begin(self, **fields: str) -> str:
        """A new composer, saved with these fields; gives its address."""
        url = str(self.client.get(reverse("compose_new", args=[self.account.pk])).headers["Location"])
        self.save(url, **fields)
        return url

    def save(self, url: str, **fields: str) -> None:
        answer = self.client.post(url, {"do": "save", **fields}, headers=FETCH)
        assert answer.status_code == 200, answer.content

    def go_on(self) -> tuple[str, Composing]:
        """Opens the draft that is in the folder, as a click on it does."""
        ((uid, _draft),) = self.drafts()
        client = self._imap(self.made.address)
        validity = client.select_folder("Drafts", readonly=True)[b"UIDVALIDITY"]
        query = f"?kind=edit&folder={encode_folder(FolderId('Drafts'))}&of={validity}.{uid}"
        answer = self.client.get(reverse("compose_new", args=[self.account.pk]) + query)
        url = str(answer.headers["Location"])
        return url, Composing.objects.get(pk=url.rstrip("/").rpartition("/")[2])


@pytest.fixture
def box(mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path) -> Box:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return Box(mailbox_factory("ana"), imap)


@pytest.fixture
def bird(box: Box, stack: Any, tmp_path: Path) -> Iterator[Thunderbird]:
    ports = {"imap_port": stack.ports.imap, "smtp_port": stack.ports.smtp}
    (tmp_path / "bird").mkdir()
    with thunderbird(tmp_path / "bird", box.made.address, box.made.password, **ports) as running:
        yield running


OPEN_DRAFT = """
await sync(folder(DRAFTS));
const [draft] = headers(folder(DRAFTS));
MailServices.compose.OpenComposeWindow(null, draft, folder(DRAFTS).getUriForMsg(draft), Ci.nsIMsgCompType.Draft,
  Ci.nsIMsgCompFormat.Default, account.defaultIdentity, null, main.msgWindow, null, false);
const w = await until(compose);
await until(() => w.composeEditorReady);
const fields = w.gMsgCompose.compFields;
"""
CLOSE = "w.close(); await until(() => !compose());"


@pytest.mark.clients
def test_our_draft_in_thunderbird_and_back(box: Box, bird: Thunderbird) -> None:
    box.begin(
        plain="1",
        to="Beto Núñez <beto@afuera.test>",
        cc="carla@afuera.test",
        bcc="oculto@afuera.test",
        subject="Presupuesto de otoño",
        text="Línea uno\n-- \nAna",
    )
    seen = bird.run(
        OPEN_DRAFT
        + """
        const seen = { to: fields.to, cc: fields.cc, bcc: fields.bcc, subject: fields.subject,
          text: w.GetCurrentEditor().outputToString("text/plain", 2) };
        w.document.getElementById("msgSubject").value = "Presupuesto de invierno";
        w.GetCurrentEditor().QueryInterface(Ci.nsIEditor);
        w.GetCurrentEditor().insertText ? w.GetCurrentEditor().insertText("De Thunderbird. ") : 0;
        await saved(w);
        """
        + CLOSE
        + "return seen;"
    )
    assert "beto@afuera.test" in seen["to"]
    assert "carla@afuera.test" in seen["cc"]
    assert "oculto@afuera.test" in seen["bcc"]
    assert seen["subject"] == "Presupuesto de otoño"
    assert "Línea uno" in seen["text"]
    draft = box.the_draft()
    assert draft["Subject"] == "Presupuesto de invierno"
    url, composing = box.go_on()
    assert composing.subject == "Presupuesto de invierno"
    assert "beto@afuera.test" in composing.to
    assert "oculto@afuera.test" in composing.bcc
    box.save(url, plain="1", to=composing.to, cc=composing.cc, bcc=composing.bcc, subject="Final", text="Final")
    draft = box.the_draft()
    assert draft["Subject"] == "Final"
    assert "oculto@afuera.test" in str(draft["Bcc"])


@pytest.mark.clients
def test_thunderbirds_answer_with_a_file_is_gone_on_with(
    box: Box, bird: Thunderbird, imap: Any, tmp_path: Path
) -> None:
    imap(box.made.address).append("INBOX", ORIGINAL)
    note = tmp_path / "nota ñ.txt"
    note.write_bytes(b"adjunto\n" * 50)
    bird.run(
        """
        await sync(folder(INBOX));
        const [original] = headers(folder(INBOX));
        MailServices.compose.OpenComposeWindow(null, original, folder(INBOX).getUriForMsg(original), Ci.nsIMsgCompType.Reply,
          Ci.nsIMsgCompFormat.HTML, account.defaultIdentity, null, main.msgWindow, null, false);
        const w = await until(compose);
        await until(() => w.composeEditorReady);
        const file = Cc["@mozilla.org/messengercompose/attachment;1"].createInstance(Ci.nsIMsgAttachment);
        const path = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
        path.initWithPath(args[0]);
        file.url = Services.io.newFileURI(path).spec;
        file.name = "nota ñ.txt";
        await w.AddAttachments([file]);
        await saved(w);
        """
        + CLOSE,
        str(note),
    )
    url, composing = box.go_on()
    assert composing.subject == "Re: Presupuesto"
    assert "beto@afuera.test" in composing.to
    assert [upload.name for upload in composing.uploads.all()] == ["nota ñ.txt"]
    box.save(url, to=composing.to, subject=composing.subject, text="Nuestra respuesta", html="<p>Nuestra respuesta</p>")
    draft = box.the_draft()
    assert draft["In-Reply-To"] == "<original@afuera.test>"
    assert "<original@afuera.test>" in str(draft["References"])
    (file,) = draft.iter_attachments()
    assert file.get_filename() == "nota ñ.txt"
    assert file.get_content().replace("\r\n", "\n") == "adjunto\n" * 50
    seen = bird.run(
        OPEN_DRAFT
        + "const seen = [fields.subject, [...fields.attachments].map(one => one.name)];"
        + CLOSE
        + "return seen;"
    )
    assert seen == ["Re: Presupuesto", ["nota ñ.txt"]]


@pytest.mark.clients
def test_both_versions_are_kept_when_two_programs_change_one(box: Box, bird: Thunderbird) -> None:
    url = box.begin(plain="1", to="beto@afuera.test", subject="Doble", text="de aquí")
    bird.run(OPEN_DRAFT + 'w.document.getElementById("msgSubject").value = "Doble, de allá"; await saved(w);' + CLOSE)
    box.save(url, plain="1", to="beto@afuera.test", subject="Doble, de aquí", text="de aquí, más")
    assert {str(draft["Subject"]) for _uid, draft in box.drafts()} == {"Doble, de aquí", "Doble, de allá"}


def test_our_draft_in_mutt_and_back(box: Box, stack: Any, tmp_path: Path) -> None:
    box.begin(plain="1", to="beto@afuera.test", bcc="oculto@afuera.test", subject="Para mutt", text="Hola")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "De mutt" >> "$1"\n')
    editor.chmod(0o755)
    keys = "<mail><postpone-message><quit>"
    mutt(tmp_path / "m", box.made.address, box.made.password, keys, imap_port=stack.ports.imap, editor=str(editor))
    draft = box.the_draft()
    assert "De mutt" in draft.get_content()
    assert "oculto@afuera.test" in str(draft["Bcc"])
    _url, composing = box.go_on()
    assert composing.subject == "Para mutt"
    assert "De mutt" in composing.text
    assert "oculto@afuera.test" in composing.bcc


def test_mutts_draft_is_gone_on_with(box: Box, stack: Any, tmp_path: Path) -> None:
    keys = "<mail>beto@afuera.test<enter><enter><enter>Asunto<enter><postpone-message><quit>"
    mutt(tmp_path / "m", box.made.address, box.made.password, keys, imap_port=stack.ports.imap)
    url, composing = box.go_on()
    assert (composing.to, composing.subject) == ("beto@afuera.test", "Asunto")
    box.save(url, plain="1", to=composing.to, subject="Asunto 2", text="Hola")
    assert box.the_draft()["Subject"] == "Asunto 2"
