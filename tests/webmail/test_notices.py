"""Receipts and bounces: what stands above a message, what is sent, and what is never sent twice."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from imapclient import IMAPClient

from accounts.models import MailAccount, Mailbox
from tests.webmail import reports
from webmail.errors import Refused
from webmail.mime.report import Disposition, Failure, read_mdn
from webmail.models import Outgoing, ReceiptAnswer, Report
from webmail.services.notices import REASONS, kind_of, outcome_of
from webmail.services.receipts import answer_receipt, find_request
from webmail.services.sending import deliver, enqueue
from webmail.tokens import encode_folder
from webmail.values import Folder, FolderId, Ref, Role

server = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HTMX = {"HX-Request": "true"}
NOTE = "Send the receipt"
OWN = ["ana@casilla.test"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, in English: what they see, and what is in their mailbox."""

    client: Client
    imap: IMAPClient
    account: MailAccount

    @property
    def address(self) -> str:
        return self.account.address

    def put(self, raw: bytes, folder: str = "INBOX", *flags: bytes) -> str:
        """A message, and where it is read."""
        answer = self.imap.append(folder, raw, flags)
        validity, uid = answer.decode().split("APPENDUID ")[1].split("]")[0].split()
        return f"/mail/{self.account.pk}/f/{encode_folder(FolderId(folder))}/m/{validity}.{uid}/"

    def read(self, url: str, **more: Any) -> str:
        """The page of a message, its entities and its <bdi> undone."""
        response = self.client.get(url, **more)
        assert response.status_code == 200
        return re.sub(r"</?bdi[^>]*>", "", html.unescape(response.content.decode()))

    def flags(self, url: str) -> set[bytes]:
        uid = int(url.rstrip("/").rpartition(".")[2])
        self.imap.select_folder("INBOX", readonly=True)
        return set(self.imap.get_flags([uid])[uid])

    def wait_for(self, *criteria: str) -> tuple[str, bytes]:
        """The address and octets of the first message in the Inbox that fits, once it is there."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            status = self.imap.select_folder("INBOX", readonly=True)
            if found := self.imap.search(list(criteria)):
                raw = self.imap.fetch(found[:1], ["BODY.PEEK[]"])[found[0]][b"BODY[]"]
                inbox = encode_folder(FolderId("INBOX"))
                return f"/mail/{self.account.pk}/f/{inbox}/m/{status[b'UIDVALIDITY']}.{found[0]}/", raw
            time.sleep(0.05)
        raise AssertionError("nothing came")


@pytest.fixture
def sign_in(mailbox_factory: Any, imap: Any, settings: Any) -> Callable[[str], Person]:
    settings.LANGUAGE_CODE = "en"

    def make(local: str) -> Person:
        made = mailbox_factory(local)
        client = Client(headers={"Accept-Language": "en"})
        client.post(reverse("account_login"), {"login": made.address, "password": made.password})
        account = MailAccount.objects.get(address=made.address)
        account.owner.language = "en"
        account.owner.save()
        return Person(client, imap(made.address), account)

    return make


@pytest.fixture
def ana(sign_in: Callable[[str], Person]) -> Person:
    return sign_in("ana")


# --- the request for a receipt ------------------------------------------------------------------------------------------


def asked(more: str = "", *, role: Role = Role.INBOX, flags: frozenset[str] = frozenset(), to: str = "") -> Any:
    raw = reports.asking("ana@casilla.test", more=more, to=to)
    return find_request(raw, flags, role, OWN)


def test_a_plain_request_is_offered_for_the_address_it_was_sent_to() -> None:
    request = asked("Return-Path: <alvaro@CASILLA.test>\n")
    assert [person.email for person in request.to] == ["alvaro@casilla.test"]
    assert (request.reader, request.came_from) == ("ana@casilla.test", "")
    assert (
        find_request(reports.asking("ana+x@casilla.test"), frozenset(), Role.NONE, ["b@x.test", *OWN]).reader
        == "b@x.test"
    )


@pytest.mark.parametrize("role", [Role.SENT, Role.DRAFTS, Role.TEMPLATES, Role.JUNK, Role.TRASH])
def test_folders_of_ones_own_or_unwanted_mail_offer_no_receipt(role: Role) -> None:
    assert asked(role=role) is None


@pytest.mark.parametrize("flag", ["$MDNSent", "$mdnsent", "MDNSent"])
def test_an_answered_request_is_not_offered(flag: str) -> None:
    assert asked(flags=frozenset({flag})) is None


@pytest.mark.parametrize(
    "more",
    [
        "From: ANA@casilla.test\n",
        "List-Id: <lista.x.test>\n",
        "List-Unsubscribe: <https://x.test/>\n",
        "Precedence: Bulk\n",
        "Mailing-List: lista\n",
        "Content-Type: multipart/report; boundary=b\n",
        "Disposition-Notification-Options: signed=required,pkcs7\n",
        "Disposition-Notification-To: nobody\n",
        "Disposition-Notification-To: " + ", ".join(f"a{n}@x.test" for n in range(6)) + "\n",
    ],
)
def test_what_is_ones_own_or_sent_by_a_program_is_not_answered(more: str) -> None:
    assert asked(more) is None


@pytest.mark.parametrize(
    ("more", "to", "came_from"),
    [
        ("Return-Path: <alvaro@casilla.test>\n", "otro@x.test", "alvaro@casilla.test"),
        ("Return-Path: <Alvaro@casilla.test>\n", "", "Alvaro@casilla.test"),
        ("Return-Path: <rebote@listas.test>\n", "", "rebote@listas.test"),
        ("", "otro@x.test", "alvaro@casilla.test"),
        ("Return-Path: <otro@x.test>\n", "otro@x.test", "alvaro@casilla.test"),
        ("", "alvaro@casilla.test, otro@x.test", "alvaro@casilla.test"),
        ("Return-Path: <>\n", "", ""),
    ],
)
def test_a_receipt_that_would_go_elsewhere_says_so(more: str, to: str, came_from: str) -> None:
    assert asked(more, to=to).came_from == came_from


@given(st.binary(max_size=300) | st.text("<>@,;:\r\n a", max_size=60).map(lambda text: b"From: " + text.encode()))
def test_no_header_makes_it_stumble(raw: bytes) -> None:
    for header in (raw, b"Disposition-Notification-To: a@b.test\r\n" + raw):
        find_request(header, frozenset(), Role.INBOX, OWN)


class TestAnswering:
    pytestmark = server

    def test_the_receipt_is_sent_once_and_marked(self, ana: Person, sign_in: Callable[[str], Person]) -> None:
        alvaro = sign_in("alvaro")
        url = ana.put(reports.asking(ana.address, more=f"Return-Path: <{alvaro.address}>\n"))
        page = ana.read(url)
        assert "The sender asks to be told that you read this." in page
        assert NOTE in page
        assert "The receipt would go to" not in page
        answer = ana.client.post(url + "receipt/", {"do": "send"}, headers=HTMX)
        assert "The receipt is on its way." in answer.content.decode()
        assert "<html" not in answer.content.decode()
        assert b"$MDNSent" in ana.flags(url)
        outgoing = Outgoing.objects.get()
        assert (outgoing.sender, outgoing.recipients, outgoing.sent_copy) == ("", [alvaro.address], True)
        assert NOTE not in ana.read(url)
        again = ana.client.post(url + "receipt/", {"do": "send"}, headers=HTMX)
        assert "This was answered already." in again.content.decode()
        assert Outgoing.objects.count() == 1
        deliver(outgoing.pk)
        outgoing.refresh_from_db()
        assert (outgoing.state, outgoing.filed) == ("sent", True)
        there, raw = alvaro.wait_for("HEADER", "In-Reply-To", "<pide-1@lejos.test>")
        message = message_from_bytes(raw, policy=policy.default)
        assert message["Return-Path"] == "<>"
        assert message["Subject"] == "Read: Cotización"
        assert b"Disposition: manual-action/MDN-sent-manually; displayed" in raw
        ana.imap.select_folder("Sent", readonly=True)
        assert ana.imap.search() == []
        alvaro.put(reports.wire(f"From: {alvaro.address}\nMessage-ID: <pide-1@lejos.test>\nSubject: x\n\nx\n"), "Sent")
        assert f"{ana.address} read your message on" in alvaro.read(there) or "read your message on" in alvaro.read(
            there
        )
        assert "Open the message" in alvaro.read(there)

    def test_no_is_remembered_on_the_server_too(self, ana: Person) -> None:
        url = ana.put(reports.asking(ana.address))
        answer = ana.client.post(url + "receipt/?sort=from", {"do": "decline"})
        assert answer.status_code == 302
        assert answer["Location"] == url + "?sort=from"
        assert b"$MDNSent" in ana.flags(url)
        assert not Outgoing.objects.exists()
        page = ana.read(url)
        assert "No receipt is sent." in page
        assert NOTE not in page

    def test_the_same_message_elsewhere_is_not_asked_again(self, ana: Person) -> None:
        url = ana.put(reports.asking(ana.address))
        copy = ana.put(reports.asking(ana.address), "Archive")
        ana.client.post(url + "receipt/", {"do": "decline"}, headers=HTMX)
        assert NOTE not in ana.read(copy)
        ana.imap.select_folder("INBOX")
        ana.imap.remove_flags([int(url.rstrip("/").rpartition(".")[2])], [b"$MDNSent"])
        assert NOTE not in ana.read(url)
        assert "answered already" in ana.client.post(url + "receipt/", {"do": "send"}, headers=HTMX).content.decode()
        assert not Outgoing.objects.exists()

    def test_another_address_is_named(self, ana: Person) -> None:
        url = ana.put(reports.asking(ana.address, to="<espia@x.test>"))
        domain = ana.address.partition("@")[2]
        assert f"would go to espia@x.test, but the message came from alvaro@{domain}." in ana.read(url)

    def test_a_server_without_keywords_leaves_the_answer_here(self, ana: Person) -> None:
        class Bare:
            """A server that keeps no keywords."""

            def flags(self, refs: list[Ref]) -> dict[Ref, frozenset[str]]:
                return dict.fromkeys(refs, frozenset())

            def header(self, _ref: Ref) -> bytes:
                return reports.asking(ana.address)

            def set_flags(self, _refs: list[Ref], **_flags: Any) -> None:
                raise Refused("no keywords")

        source: Any = Bare()
        folder, ref = Folder(FolderId("INBOX"), ("INBOX",), role=Role.INBOX), Ref(FolderId("INBOX"), 1, "1")
        how = {"account": ana.account, "source": source, "folder": folder, "ref": ref, "secret": None}
        assert answer_receipt(**how, send=True)
        assert not answer_receipt(**how, send=True)
        assert (Outgoing.objects.count(), ReceiptAnswer.objects.get().sent) == (1, True)
        assert NOTE not in ana.read(ana.put(reports.asking(ana.address)))

    def test_strangers_other_methods_and_other_words_are_refused(
        self, ana: Person, sign_in: Callable[[str], Person]
    ) -> None:
        url = ana.put(reports.asking(ana.address))
        assert ana.client.get(url + "receipt/").status_code == 405
        assert ana.client.post(url + "receipt/", {"do": "explode"}).status_code == 400
        assert Client().post(url + "receipt/", {"do": "send"}).status_code == 302
        assert sign_in("beto").client.post(url + "receipt/", {"do": "send"}).status_code == 404
        gone = ana.client.post(url.replace(".", ".9") + "receipt/", {"do": "send"}, headers=HTMX)
        assert gone.status_code == 410
        assert not ReceiptAnswer.objects.exists()
        plain = ana.put(reports.wire(f"From: a@x.test\nTo: {ana.address}\nSubject: x\n\nx\n"))
        assert "answered already" in ana.client.post(plain + "receipt/", {"do": "send"}, headers=HTMX).content.decode()


# --- bounces ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "status", "said", "kind", "reason"),
    [
        ("failed", "5.1.1", "", "failed", "unknown"),
        ("failed", "5.1.10", "", "failed", "unknown"),
        ("failed", "5.1.2", "", "failed", "domain"),
        ("failed", "5.4.4", "", "failed", "domain"),
        ("failed", "5.2.1", "", "failed", "closed"),
        ("failed", "5.2.2", "", "failed", "full"),
        ("failed", "4.2.2", "", "failed", "full"),
        ("failed", "5.3.4", "", "failed", "large"),
        ("failed", "5.7.26", "", "failed", "refused"),
        ("failed", "5.4.6", "", "failed", "loop"),
        ("failed", "4.4.1", "", "failed", "gave_up"),
        ("failed", "5.0.0", "550 5.1.1 no", "failed", "unknown"),
        ("failed", "5.0.0", "host 5.1.1.1 said no", "failed", "other"),
        ("failed", "", "", "failed", "other"),
        ("", "", "", "failed", "other"),
        ("", "4.4.1", "", "delayed", "later"),
        ("delayed", "4.4.1", "", "delayed", "later"),
        ("delayed", "4.2.2", "", "delayed", "full"),
        ("delivered", "2.0.0", "", "delivered", "taken"),
        ("relayed", "2.0.0", "", "delivered", "taken"),
    ],
)
def test_every_code_has_its_words(action: str, status: str, said: str, kind: str, reason: str) -> None:
    failure = Failure("a@b.test", action, status, said)
    assert kind_of(failure) == kind
    assert outcome_of(failure).reason == REASONS[reason]


@pytest.mark.parametrize("raw", [b"", b"Final-Recipient: rfc822; a@b\r\n", b"Disposition: displayed\r\n", b"\xff\0;;"])
def test_what_is_no_receipt_says_nothing(raw: bytes) -> None:
    assert read_mdn(raw) is None


def test_a_receipt_is_read_whatever_its_line_ends() -> None:
    raw = b"Final-Recipient: rfc822;<a@b.test>\nDisposition: automatic-action/\n MDN-sent-automatically; Deleted/x\n"
    assert read_mdn(raw) == Disposition("a@b.test", "deleted", "")


class TestReports:
    pytestmark = server

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("POSTFIX", ["Your message was not delivered:", "nadie@lejos.test", "There is no such address.",
                         "<code dir=\"auto\">550 5.1.1 <nadie@lejos.test> User doesn't exist: <b>nadie</b></code>",
                         "has not been delivered yet:", "lleno@lejos.test", "That mailbox is full."]),
            ("EXIM", ["Your message was not delivered:", "lleno@lejos.test", "That mailbox is full.", "552 5.2.2"]),
            ("EXCHANGE", ["Your message was not delivered:", "grupo@contoso.test", "refuses the message", "5.7.133"]),
            ("GMAIL", ["has not been delivered yet:", "nadie@lejos.test", "It is tried again", "requests to connect"]),
        ],
    )  # fmt: skip
    def test_a_report_says_why_and_leads_to_the_message_and_back(
        self, ana: Person, name: str, shown: list[str]
    ) -> None:
        sent = ana.put(reports.wire(reports.ORIGINAL.format(me=ana.address)), "Sent", b"\\Seen")
        assert "A report says" not in ana.read(sent)
        bounce = ana.put(reports.report(getattr(reports, name), ana.address))
        page = ana.read(bounce)
        for words in shown:
            assert words in page
        assert page.index(shown[0]) < page.index('class="plain"' if name in {"POSTFIX", "EXIM"} else "<iframe")
        assert f'href="{sent}">Open the message' in page
        assert "<b>nadie" not in ana.client.get(bounce).content.decode()
        back = ana.read(sent)
        assert "A report says that this message" in back
        assert shown[1] in back
        assert f'href="{bounce}">Open the report' in back
        count = Report.objects.count()
        ana.read(bounce)
        assert Report.objects.count() == count

    def test_without_the_message_there_is_no_link_and_nothing_is_kept(self, ana: Person) -> None:
        page = ana.read(ana.put(reports.report(reports.POSTFIX, ana.address)))
        assert "There is no such address." in page
        assert ">Open the message</a>" not in page
        assert not Report.objects.exists()

    def test_a_report_among_spam_is_not_believed(self, ana: Person) -> None:
        sent = ana.put(reports.wire(reports.ORIGINAL.format(me=ana.address)), "Sent")
        ana.read(ana.put(reports.report(reports.POSTFIX, ana.address), "Junk"))
        assert "A report says" not in ana.read(sent)

    def test_a_report_that_was_deleted_is_told_without_a_link(self, ana: Person) -> None:
        sent = ana.put(reports.wire(reports.ORIGINAL.format(me=ana.address)), "Sent")
        ana.read(ana.put(reports.report(reports.EXIM, ana.address)))
        ana.imap.select_folder("INBOX")
        ana.imap.delete_messages(ana.imap.search())
        ana.imap.expunge()
        back = ana.read(sent)
        assert "A report says that this message was not delivered:" in back
        assert "Open the report" not in back

    def test_the_last_word_counts(self, ana: Person) -> None:
        sent = ana.put(reports.wire(reports.ORIGINAL.format(me=ana.address)), "Sent")
        ana.read(ana.put(reports.report(reports.GMAIL, ana.address)))
        late = reports.report(reports.POSTFIX, ana.address).replace(b"Date: Mon, 2 Mar 2026", b"Date: Thu, 5 Mar 2026")
        ana.read(ana.put(late))
        back = ana.read(sent)
        assert "was not delivered:" in back
        assert back.count("<dt>nadie@lejos.test</dt>") == 1

    def test_nobody_elses_reports_are_told(self, ana: Person, sign_in: Callable[[str], Person]) -> None:
        beto = sign_in("beto")
        ana.put(reports.wire(reports.ORIGINAL.format(me=ana.address)), "Sent")
        ana.read(ana.put(reports.report(reports.POSTFIX, ana.address)))
        theirs = beto.put(reports.wire(reports.ORIGINAL.format(me=beto.address)), "Sent")
        assert "A report says" not in beto.read(theirs)

    def test_a_receipt_says_who_read_it_and_when(self, ana: Person) -> None:
        sent = ana.put(reports.wire(reports.ORIGINAL.format(me=ana.address)), "Sent")
        receipt = ana.put(reports.report(reports.RECEIPT, ana.address))
        page = ana.read(receipt)
        assert "Álvaro Cid read your message on" in page
        assert f'href="{sent}">Open the message' in page
        back = ana.read(sent)
        assert "alvaro@lejos.test read your message on" in back
        assert f'href="{receipt}">Open the receipt' in back

    def test_a_report_of_many_megabytes_is_read_to_its_limit(self, ana: Person) -> None:
        raw = reports.report(reports.POSTFIX, ana.address)
        group = b"Final-Recipient: rfc822; x%d@lejos.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        many = b"".join(group % n for n in range(20_000))
        page = ana.read(ana.put(raw.replace(b"\r\n\r\nFinal-Recipient", b"\r\n\r\n" + many + b"Final-Recipient", 1)))
        assert "and 450 more addresses" in page
        assert page.count("<dt>x") == 50

    @pytest.mark.parametrize("cut", [0, 300, 900, 1_500, 1_900])
    def test_a_broken_report_still_opens(self, ana: Person, cut: int) -> None:
        raw = reports.report(reports.POSTFIX, ana.address)
        ana.read(ana.put(raw[:600] + raw[600 + cut :]))
        ana.read(ana.put(raw[: 600 + cut]))


class TestRealPostfix:
    pytestmark = server

    def test_a_mailbox_that_vanished_comes_back_as_no_such_address(self, ana: Person, mailbox_factory: Any) -> None:
        to, message_id = mailbox_factory("nadie").address, "<real-1@casilla.test>"
        outgoing = enqueue(
            account=ana.account,
            raw=letter(ana.address, to, message_id),
            sender=ana.address,
            recipients=[to],
            subject="Prueba",
            message_id=message_id,
            send_at=timezone.now(),
        )
        with vanishing(to):
            deliver(outgoing.pk)
        outgoing.refresh_from_db()
        assert (outgoing.state, outgoing.filed) == ("sent", True)
        bounce, raw = ana.wait_for("HEADER", "Content-Type", "multipart/report")
        assert b"This is the mail system at host" in raw
        page = ana.read(bounce)
        assert "Your message was not delivered:" in page
        assert f"<dt>{to}</dt><dd>There is no such address. Check how it is written. <code" in page
        assert "550 5.1.1" in page
        sent = re.search(r'href="([^"]+)">Open the message', page)
        assert sent is not None
        back = ana.read(sent[1])
        assert "A report says that this message was not delivered:" in back
        assert to in back
        assert f'href="{bounce}">Open the report' in back


@contextmanager
def vanishing(address: str) -> Iterator[None]:
    """A mailbox that goes between the moment when Postfix takes a message for it (Postfix refuses an address that it does
    not know) and the one when it is brought there."""

    def vanish(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and "handing" in (params or ()):
            Mailbox.objects.filter(address=address).update(receives=False)
        return done

    with connection.execute_wrapper(vanish):
        yield


def letter(sender: str, to: str, message_id: str) -> bytes:
    return reports.wire(
        f"From: {sender}\nTo: {to}\nSubject: Prueba\nMessage-ID: {message_id}\n"
        "Date: Mon, 2 Mar 2026 10:00:00 +0000\nMIME-Version: 1.0\n\nHola\n"
    )
