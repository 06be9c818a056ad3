"""Passing mail on over HTTP and the real servers: redirected as it is, and forwarded whole as attachments."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount
from tests.contract.test_source import letter
from tests.webmail.test_changes import signed_in
from webmail.models import Composing, Outgoing
from webmail.services import sending
from webmail.services.filing import keep_copy
from webmail.sources.base import MailSource
from webmail.tokens import encode_folder
from webmail.values import FolderId, Ref

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

HTMX = {"HX-Request": "true"}
INBOX = encode_folder(FolderId("INBOX"))
ORIGINAL = (
    b"Received: from x by y; Fri, 28 Nov 2025 20:00:00 +0000\r\nFrom: Beto <beto@x.test>\r\nTo: ana@x.test\r\n"
    b"Bcc: oculta@x.test\r\nSubject: Contrato\r\nMessage-ID: <c1@x.test>\r\nDate: Fri, 28 Nov 2025 20:00:00 +0000\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n.\r\nFirmado: \xc3\x91u\xc3\xb1ez\r\n"
)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def box(mailbox_factory: Any, imap: Any) -> dict[str, Any]:
    """An owner with three messages in the Inbox: its client, account, refs in the order in which they came."""
    made = mailbox_factory("ana", name="Ana")
    connection = imap(made.address)
    connection.append("INBOX", ORIGINAL)
    connection.append("INBOX", letter("Uno/dos: tres", day=1, extra="Message-ID: <u1@x.test>\r\n"))
    connection.append("INBOX", letter("", day=2, extra="Message-ID: <u2@x.test>\r\n"))
    validity = connection.select_folder("INBOX", readonly=True)[b"UIDVALIDITY"]
    refs = [f"{validity}.{uid}" for uid in sorted(connection.search())]
    connection.unselect_folder()
    client = signed_in(made)
    client.get("/", follow=True)
    return {"made": made, "client": client, "account": MailAccount.objects.get(address=made.address), "refs": refs}


def redirect_url(box: dict[str, Any], ref: str | None = None) -> str:
    validity, uid = (ref or box["refs"][0]).split(".")
    return reverse("message_redirect", args=[box["account"].pk, FolderId("INBOX"), int(validity), uid])


def change_url(box: dict[str, Any]) -> str:
    return reverse("messages_change", args=[box["account"].pk, FolderId("INBOX")])


def read(imap: Any, made: Any, folder: str) -> list[tuple[bytes, set[bytes]]]:
    client = imap(made.address)
    client.select_folder(folder, readonly=True)
    uids = client.search()
    found = client.fetch(uids, ["BODY.PEEK[]", "FLAGS"]) if uids else {}
    return [(one[b"BODY[]"], set(one[b"FLAGS"])) for _uid, one in sorted(found.items())]


def arrived(imap: Any, made: Any, mark: bytes) -> bytes:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if found := [raw for raw, _flags in read(imap, made, "INBOX") if mark in raw]:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("it did not arrive")


def send_all() -> None:
    for outgoing in Outgoing.objects.filter(state=Outgoing.State.WAITING):
        sending.send_now(outgoing=outgoing)
        sending.deliver(outgoing.pk)


# --- Redirect ----------------------------------------------------------------------------------------------------------------
def test_a_message_is_sent_on_as_it_is(box: dict[str, Any], imap: Any, mailbox_factory: Any) -> None:
    beto, carla = mailbox_factory("beto"), mailbox_factory("carla")
    data = {"to": f"Beto <{beto.address}>", "bcc": carla.address}
    answer = box["client"].post(redirect_url(box), data, headers=HTMX)
    assert answer.status_code == 200
    assert "Enviando" in answer.content.decode()
    outgoing = Outgoing.objects.get()
    assert outgoing.recipients == [beto.address, carla.address]
    assert outgoing.sender == box["made"].address
    send_all()
    for who in (beto, carla):
        raw = arrived(imap, who, b"<c1@x.test>")
        body = ORIGINAL.partition(b"\r\n\r\n")[2]
        assert raw.endswith(b"\r\n\r\n" + body)
        message = message_from_bytes(raw, policy=policy.default)
        assert message["from"] == "Beto <beto@x.test>"
        assert box["made"].address in message["resent-from"]
        assert beto.address in message["resent-to"]
        assert message["resent-message-id"]
        assert b"oculta" not in raw
        assert b"\nbcc:" not in raw.lower()
        assert b"resent-bcc" not in raw.lower()
    ((copy, flags),) = read(imap, box["made"], "Sent")
    assert copy.startswith(b"Resent-Date")
    assert b"\\Seen" in flags
    assert b"$Forwarded" in read(imap, box["made"], "INBOX")[0][1]


def test_the_copy_is_kept_once_and_beside_the_original(box: dict[str, Any], imap: Any, mailbox_factory: Any) -> None:
    beto = mailbox_factory("beto")
    imap(box["made"].address).append("Sent", ORIGINAL)
    box["client"].post(redirect_url(box), {"to": beto.address}, headers=HTMX)
    raw = bytes(Outgoing.objects.get().raw)
    send_all()
    assert len(read(imap, box["made"], "Sent")) == 2
    outgoing = Outgoing.objects.get()
    outgoing.raw = raw
    with opened(box) as source:
        keep_copy(source, outgoing)
    assert len(read(imap, box["made"], "Sent")) == 2


def test_sending_on_can_be_taken_back(box: dict[str, Any], imap: Any) -> None:
    box["client"].post(redirect_url(box), {"to": "beto@x.test"}, headers=HTMX)
    cancel = reverse("outgoing_cancel", args=[box["account"].pk, Outgoing.objects.get().pk])
    assert "No se envió" in box["client"].post(cancel, headers=HTMX).content.decode()
    assert Outgoing.objects.get().state == Outgoing.State.CANCELLED
    assert b"$Forwarded" not in read(imap, box["made"], "INBOX")[0][1]


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(box: dict[str, Any]) -> None:
    page = box["client"].get(redirect_url(box))
    assert "Contrato" in page.content.decode()
    answer = box["client"].post(redirect_url(box), {}, headers=HTMX)
    assert answer.status_code == 422
    assert 'data-problem="nobody"' in answer.content.decode()
    answer = box["client"].post(redirect_url(box), {"to": "beto@casa", "cc": "eva@x.test"})
    assert answer.status_code == 422
    assert 'value="beto@casa"' in answer.content.decode()
    assert not Outgoing.objects.exists()


def test_without_htmx_sending_on_leads_back_to_the_mail(box: dict[str, Any]) -> None:
    answer = box["client"].post(redirect_url(box), {"to": "beto@x.test"}, follow=True)
    assert "Enviando" in answer.content.decode()
    assert Outgoing.objects.count() == 1


def test_nobody_else_sends_a_message_on(box: dict[str, Any], mailbox_factory: Any) -> None:
    stranger = signed_in(mailbox_factory("eva"))
    url = redirect_url(box)
    assert stranger.get(url).status_code == 404
    assert stranger.post(url, {"to": "eva@x.test"}).status_code == 404
    assert Client().get(url).status_code == 302
    assert box["client"].put(url).status_code == 405
    assert box["client"].get(redirect_url(box, "1.1"), headers=HTMX).status_code == 410
    assert not Outgoing.objects.exists()


# --- Forward as attachment ---------------------------------------------------------------------------------------------------
def test_one_message_goes_along_whole(box: dict[str, Any], imap: Any) -> None:
    new = reverse("compose_new", args=[box["account"].pk])
    url = (
        box["client"].get(new, {"kind": "forward_attached", "folder": INBOX, "of": box["refs"][0]}).headers["Location"]
    )
    composing = Composing.objects.get()
    assert composing.subject == "Fwd: Contrato"
    assert [(one.name, one.media_type) for one in composing.uploads.all()] == [("Contrato.eml", "message/rfc822")]
    box["client"].post(url, {"do": "send", "plain": "1", "to": box["made"].address, "text": "Va"})
    send_all()
    message = message_from_bytes(arrived(imap, box["made"], b"Fwd: Contrato"), policy=policy.default)
    assert message["x-forwarded-message-id"] == "<c1@x.test>"
    assert message["references"] == "<c1@x.test>"
    assert message["in-reply-to"] is None
    (part,) = message.iter_attachments()
    assert part.get_filename() == "Contrato.eml"
    assert part.get_payload(decode=True) == ORIGINAL
    assert b"$Forwarded" in read(imap, box["made"], "INBOX")[0][1]


def test_a_selection_goes_along_and_each_is_marked(box: dict[str, Any], imap: Any) -> None:
    answer = box["client"].post(
        change_url(box), {"do": "forward_attached", "refs": ",".join(reversed(box["refs"]))}, headers=HTMX
    )
    composing = Composing.objects.get()
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    assert url in answer.content.decode()
    names = [one.name for one in composing.uploads.all()]
    assert names == ["Contrato.eml", "Uno-dos- tres.eml", "mensaje.eml"]
    box["client"].post(url, {"do": "send", "plain": "1", "to": box["made"].address, "subject": "Tres", "text": "Van"})
    send_all()
    message = message_from_bytes(arrived(imap, box["made"], b"Subject: Tres"), policy=policy.default)
    types = [part.get_content_type() for part in message.iter_attachments()]
    assert types == ["application/octet-stream", "message/rfc822", "message/rfc822"]
    assert message["x-forwarded-message-id"].split() == ["<c1@x.test>", "<u1@x.test>", "<u2@x.test>"]
    flags = [flags for _raw, flags in read(imap, box["made"], "INBOX")][:3]
    assert all(b"$Forwarded" in one for one in flags)


def test_all_of_a_list_goes_along_without_htmx_too(box: dict[str, Any]) -> None:
    validity = box["refs"][0].split(".")[0]
    answer = box["client"].post(change_url(box), {"do": "forward_attached", "all": f"{validity}.0"})
    assert answer.headers["Location"] == reverse("compose", args=[box["account"].pk, Composing.objects.get().pk])
    assert Composing.objects.get().uploads.count() == 3


def test_too_many_or_too_large_is_said_and_opens_nothing(box: dict[str, Any], monkeypatch: Any) -> None:
    from webmail.services import letters, uploads

    data = {"do": "forward_attached", "refs": ",".join(box["refs"])}
    monkeypatch.setattr(uploads, "FILE_LIMIT_BYTES", 300)
    assert "Juntos" in box["client"].post(change_url(box), data, headers=HTMX).content.decode()
    monkeypatch.setattr(letters, "FORWARD_LIMIT", 2)
    assert "Como máximo" in box["client"].post(change_url(box), data, headers=HTMX).content.decode()
    assert box["client"].post(change_url(box), {"do": "forward_attached", "refs": "nada"}).status_code == 400
    assert not Composing.objects.exists()


def test_the_messages_of_a_forward_are_still_known_from_its_draft(box: dict[str, Any], imap: Any) -> None:
    box["client"].post(change_url(box), {"do": "forward_attached", "refs": ",".join(box["refs"][:2])}, headers=HTMX)
    composing = Composing.objects.get()
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    box["client"].post(url, {"do": "save", "plain": "1", "text": "Van"}, headers={"X-Requested-With": "fetch"})
    draft = Composing.objects.get().draft
    assert draft is not None
    Composing.objects.all().delete()
    new = reverse("compose_new", args=[box["account"].pk])
    of = {"kind": "edit", "folder": encode_folder(draft.folder), "of": f"{draft.validity}.{draft.id}"}
    assert box["client"].get(new, of).status_code == 302
    again = Composing.objects.get()
    assert again.kind == Composing.Kind.FORWARD
    assert again.references == ["<c1@x.test>", "<u1@x.test>"]
    assert again.uploads.count() == 2


def opened(box: dict[str, Any]) -> MailSource:
    from webmail.services.access import account_credentials, open_account

    return open_account(box["account"], account_credentials(box["account"]))


def test_marking_several_leaves_out_those_that_are_gone(box: dict[str, Any], imap: Any) -> None:
    from webmail.services.filing import mark_parent

    connection = imap(box["made"].address)
    connection.select_folder("INBOX")
    validity, uid = box["refs"][0].split(".")
    outgoing = Outgoing(
        account=box["account"],
        raw=b"X-Forwarded-Message-Id: <u1@x.test>\r\n <nadie@x.test> <u2@x.test>\r\n\r\n",
        parent_kind="forward",
        parent_folder=b"INBOX",
        parent_validity=int(validity),
        parent_uid=uid,
    )
    connection.delete_messages([int(uid)])
    connection.expunge()
    with opened(box) as source:
        mark_parent(source, outgoing)
        marked = source.flags([Ref(FolderId("INBOX"), int(validity), one.split(".")[1]) for one in box["refs"]])
    assert [b"$Forwarded".decode() in flags for flags in marked.values()] == [True, True]
