"""The real servers do as the rows say: who gets in, by which door, with which mail."""

from __future__ import annotations

import base64
import imaplib
import poplib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from accounts.services.hosting import create_alias, resume_mailbox, set_mailbox_password, suspend_mailbox
from deploy.ports import LOOPBACK, Ports, reserve_range
from deploy.stack import MASTER_USER, Stack, StackError
from tests.conftest import PASSWORD, HostedMailbox, MailboxFactory

pytestmark = pytest.mark.server
TIMEOUT_S = 10.0
Imap = Callable[..., IMAPClient]
LETTER = b"From: %s\r\nTo: %s\r\nSubject: Prueba\r\nMessage-ID: <%s@prueba.test>\r\n\r\nHola.\r\n"


@pytest.fixture
def ana(mailbox_factory: MailboxFactory) -> HostedMailbox:
    return mailbox_factory("ana")


def letter(sender: str, to: str, ident: str = "1") -> bytes:
    return LETTER % (sender.encode(), to.encode(), ident.encode())


def pop3(stack: Stack, login: str, password: str) -> poplib.POP3:
    client = poplib.POP3(LOOPBACK, stack.ports.pop3, timeout=TIMEOUT_S)
    client.user(login)
    client.pass_(password)
    return client


def submission(stack: Stack, login: str, password: str) -> smtplib.SMTP:
    client = smtplib.SMTP(LOOPBACK, stack.ports.submission, "localhost", timeout=TIMEOUT_S)
    client.login(login, password)
    return client


def sieve_login(stack: Stack, authzid: str, authcid: str, password: str) -> bytes:
    """The reply to AUTHENTICATE PLAIN (RFC 5804 section 2.1)."""
    token = base64.b64encode(f"{authzid}\0{authcid}\0{password}".encode()).decode()
    with socket.create_connection((LOOPBACK, stack.ports.sieve), TIMEOUT_S) as connection:
        stream = connection.makefile("rwb")
        while not stream.readline().startswith(b"OK"):
            pass
        stream.write(f'AUTHENTICATE "PLAIN" "{token}"\r\n'.encode())
        stream.flush()
        return stream.readline()


def inbox_after(client: IMAPClient, count: int) -> int:
    """How many messages the inbox has, waiting up to twenty seconds for `count`."""
    until = time.monotonic() + 20
    while (seen := client.select_folder("INBOX")[b"EXISTS"]) < count and time.monotonic() < until:
        time.sleep(0.02)
    return int(seen)


def test_the_own_password_opens_every_door(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    assert imap(ana.address, ana.password).select_folder("INBOX")[b"EXISTS"] == 0
    assert pop3(stack, ana.address, ana.password).stat() == (0, 0)
    assert submission(stack, ana.address, ana.password).noop()[0] == 250
    assert sieve_login(stack, "", ana.address, ana.password).startswith(b"OK")


def test_the_master_user_opens_every_door(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    secret = stack.secrets.master
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 0
    assert pop3(stack, ana.master_login, secret).stat() == (0, 0)
    assert submission(stack, ana.master_login, secret).noop()[0] == 250
    assert sieve_login(stack, ana.address, MASTER_USER, secret).startswith(b"OK")


def test_a_wrong_password_opens_none(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    with pytest.raises(LoginError):
        imap(ana.address, "otra")
    with pytest.raises(poplib.error_proto):
        pop3(stack, ana.address, "otra")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submission(stack, ana.address, "otra")
    assert sieve_login(stack, "", ana.address, "otra").startswith(b"NO")
    with pytest.raises(poplib.error_proto):
        pop3(stack, ana.master_login, "otra")


def test_a_new_password_counts_at_the_next_login(ana: HostedMailbox, imap: Imap) -> None:
    set_mailbox_password(mailbox=ana.mailbox, password="la-nueva")
    imap(ana.address, "la-nueva")
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)


def test_a_suspended_mailbox_is_shut_at_once(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    imap(ana.address)
    suspend_mailbox(mailbox=ana.mailbox)
    with pytest.raises(LoginError):
        imap(ana.address)
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submission(stack, ana.master_login, stack.secrets.master)
    assert recipient_reply(stack, ana.address)[0] == 550
    resume_mailbox(mailbox=ana.mailbox)
    imap(ana.address, ana.password)
    assert recipient_reply(stack, ana.address)[0] == 250


def test_a_mailbox_in_a_suspended_domain_is_shut(ana: HostedMailbox, imap: Imap) -> None:
    type(ana.mailbox.domain).objects.update(active=False)
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)


def test_each_protocol_has_its_switch(stack: Stack, mailbox_factory: MailboxFactory, imap: Imap) -> None:
    no_imap, no_pop3 = mailbox_factory("a", imap=False), mailbox_factory("b", pop3=False)
    no_smtp, no_sieve = mailbox_factory("c", smtp=False), mailbox_factory("d", sieve=False)
    with pytest.raises(LoginError):
        imap(no_imap.address, PASSWORD)
    assert pop3(stack, no_imap.address, PASSWORD).stat() == (0, 0)
    with pytest.raises(poplib.error_proto):
        pop3(stack, no_pop3.address, PASSWORD)
    imap(no_pop3.address, PASSWORD)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submission(stack, no_smtp.address, PASSWORD)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submission(stack, no_smtp.master_login, stack.secrets.master)
    assert sieve_login(stack, "", no_sieve.address, PASSWORD).startswith(b"NO")


def test_casilla_reads_a_mailbox_whose_imap_is_switched_off(mailbox_factory: MailboxFactory, imap: Imap) -> None:
    imap(mailbox_factory(imap=False).address).select_folder("INBOX")


def test_the_master_user_is_known_by_the_connection_not_by_what_it_forwards(stack: Stack, ana: HostedMailbox) -> None:
    client = IMAPClient(LOOPBACK, stack.ports.imap, ssl=False, timeout=TIMEOUT_S)
    client.id_({"x-originating-ip": "192.0.2.7"})
    client.login(ana.master_login, stack.secrets.master)
    client.logout()


def test_the_master_user_is_refused_from_any_other_address(ana: HostedMailbox, stack: Stack) -> None:
    raw = socket.socket()
    raw.bind(("127.0.0.2", 0))
    raw.settimeout(TIMEOUT_S)
    raw.connect((LOOPBACK, stack.ports.imap))
    stream = raw.makefile("rwb")
    stream.readline()
    stream.write(f'a LOGIN "{ana.master_login}" "{stack.secrets.master}"\r\n'.encode())
    stream.flush()
    assert b"AUTHENTICATIONFAILED" in stream.readline()
    raw.close()


def test_mail_goes_from_submission_to_the_inbox(stack: Stack, mailbox_factory: MailboxFactory, imap: Imap) -> None:
    ana, bob = mailbox_factory("ana"), mailbox_factory("bob")
    create_alias(address=ana.address.replace("ana@", "ventas@"), target=bob.mailbox)
    with submission(stack, ana.address, ana.password) as client:
        client.sendmail(ana.address, [bob.address], letter(ana.address, bob.address))
        alias = ana.address.replace("ana@", "Ventas+pedidos@")
        client.sendmail(ana.address, [alias], letter(ana.address, alias, "2"))
    assert inbox_after(imap(bob.address), 2) == 2


def test_nobody_sends_in_anothers_name(stack: Stack, mailbox_factory: MailboxFactory) -> None:
    ana, bob = mailbox_factory("ana"), mailbox_factory("bob")
    create_alias(address=ana.address.replace("ana@", "ventas@"), target=ana.mailbox)
    with submission(stack, ana.master_login, stack.secrets.master) as client:
        client.mail(ana.address.replace("ana@", "ventas@"))
        assert client.rcpt(bob.address)[0] == 250
        client.rset()
        client.mail(bob.address)
        code, reply = client.rcpt(bob.address)
    assert (code, b"not owned by user" in reply) == (553, True)


def test_unknown_recipients_and_strangers_domains_are_refused(stack: Stack, ana: HostedMailbox) -> None:
    assert recipient_reply(stack, ana.address.replace("ana@", "nadie@"))[0] == 550
    assert recipient_reply(stack, "alguien@afuera.test")[0] == 554
    with submission(stack, ana.address, ana.password) as client:
        client.mail(ana.address)
        code, reply = client.rcpt("alguien@afuera.test")
    assert (code, b"outside mail is off" in reply) == (550, True)


def test_submission_without_login_is_refused(stack: Stack, ana: HostedMailbox) -> None:
    with smtplib.SMTP(LOOPBACK, stack.ports.submission, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail(ana.address)
        assert client.rcpt(ana.address)[0] == 554


def test_a_bare_line_feed_never_ends_a_message(stack: Stack, ana: HostedMailbox) -> None:
    with smtplib.SMTP(LOOPBACK, stack.ports.smtp, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail("x@afuera.test")
        client.rcpt(ana.address)
        client.putcmd("data")
        client.getreply()
        client.send(b"Subject: uno\r\n\r\nHola\n.\nMAIL FROM:<y@afuera.test>\r\n.\r\n")
        assert client.getreply()[0] == 550


def test_a_full_mailbox_takes_nothing_more(stack: Stack, mailbox_factory: MailboxFactory, imap: Imap) -> None:
    bob = mailbox_factory("bob", quota_bytes=20_000)
    client = imap(bob.address)
    client.append("INBOX", b"Subject: grande\r\n\r\n" + b"x" * 70 + b"\r\n" + b"relleno de la casilla\r\n" * 800)
    with pytest.raises(IMAPClientError, match="OVERQUOTA"):
        client.append("INBOX", b"Subject: otro\r\n\r\n" + b"relleno de la casilla\r\n" * 800)
    client.append("INBOX", b"Subject: a tope\r\n\r\n" + b"x\r\n" * 400)
    _, roots = client.get_quota_root("INBOX")
    assert [(quota.resource, quota.limit) for quota in roots][:1] == [("STORAGE", 20)]


def test_mail_to_a_full_mailbox_is_refused_at_the_door(
    stack: Stack, mailbox_factory: MailboxFactory, imap: Imap
) -> None:
    bob = mailbox_factory("bob", quota_bytes=2_000)
    create_alias(address=bob.address.replace("bob@", "lleno@"), target=bob.mailbox)
    imap(bob.address).append("INBOX", b"Subject: a tope\r\n\r\n" + b"x" * 60 + b"\r\n" * 950)
    type(bob.mailbox).objects.update(quota_bytes=1_000)
    for address in (bob.address, bob.address.replace("bob@", "lleno@")):
        code, reply = recipient_reply(stack, address)
        assert (code, b"Mailbox is full" in reply) == (552, True), address


def test_special_folders_are_there_subscribed_and_named(ana: HostedMailbox, imap: Imap) -> None:
    client = imap(ana.address)
    roles = {name: flags for flags, _, name in client.list_folders()}
    assert {(name, role) for name, flags in roles.items() for role in flags if role.decode()[1:] == name} == {
        (name, f"\\{name}".encode()) for name in ("Drafts", "Sent", "Archive", "Junk", "Trash")
    }
    assert {name for _, _, name in client.list_sub_folders()} >= {"Drafts", "Sent", "Archive", "Junk", "Trash"}
    assert {delimiter for _, delimiter, _ in client.list_folders()} == {b"/"}


def test_the_server_marks_messages_with_attachments(ana: HostedMailbox, imap: Imap) -> None:
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHola\r\n--b\r\n"
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF\r\n--b--\r\n"
    )
    client = imap(ana.address)
    client.append("INBOX", raw)
    client.select_folder("INBOX")
    assert client.search(["KEYWORD", "$HasAttachment"]) == client.search("ALL")


def test_tls_is_vouched_for_by_the_stacks_own_authority(stack: Stack, ana: HostedMailbox) -> None:
    context = ssl.create_default_context(cafile=stack.ca_file)
    ports = stack.ports
    with IMAPClient("localhost", ports.imap, ssl=False, timeout=TIMEOUT_S) as client:
        client.starttls(context)
        client.login(ana.address, ana.password)
    with imaplib.IMAP4_SSL("localhost", ports.imaps, ssl_context=context, timeout=TIMEOUT_S) as secure:
        secure.login(ana.address, ana.password)
    post = poplib.POP3(LOOPBACK, ports.pop3, timeout=TIMEOUT_S)
    post.stls(context)
    post.quit()
    poplib.POP3_SSL("localhost", ports.pop3s, context=context, timeout=TIMEOUT_S).quit()
    with smtplib.SMTP("localhost", ports.submission, timeout=TIMEOUT_S) as sender:
        sender.starttls(context=context)
        sender.login(ana.address, ana.password)
    with smtplib.SMTP_SSL("localhost", ports.submissions, context=context, timeout=TIMEOUT_S) as sender:
        sender.login(ana.address, ana.password)
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("localhost", ports.imaps, ssl_context=ssl.create_default_context(), timeout=TIMEOUT_S)


def test_a_taken_port_is_named(stack: Stack, tmp_path: Path) -> None:
    ports, guard = reserve_range()
    with guard, socket.socket() as squatter:
        squatter.bind((LOOPBACK, ports.redis))
        squatter.listen()
        other = Stack(root=tmp_path, ports=ports, database=tmp_path / "db")
        with pytest.raises(StackError, match=rf"redis cannot start: port {ports.redis} \(redis\) is taken"):
            other.start(["redis"])
    assert other.processes == {}


def test_a_server_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    ports, guard = reserve_range()
    with guard:
        stack = Stack(root=tmp_path, ports=ports, database=tmp_path / "db")
        stack.spawn("redis", ["redis-server", "--port", "letras"])
        with pytest.raises(StackError, match=r"(?s)redis did not come up: it ended .*letras"):
            stack.wait_ready()
        stack.stop()


def test_a_port_range_stays_within_the_ports_there_are() -> None:
    assert Ports.range_from(8480).imap == 8481
    for first in (80, 65530):
        with pytest.raises(ValueError, match="between 1024 and"):
            Ports.range_from(first)


def recipient_reply(stack: Stack, address: str) -> tuple[int, bytes]:
    """Postfix's answer to a recipient at the door for incoming mail."""
    with smtplib.SMTP(LOOPBACK, stack.ports.smtp, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail("x@afuera.test")
        return client.rcpt(address)
