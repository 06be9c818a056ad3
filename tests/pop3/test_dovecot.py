"""The POP3 edge against the real Dovecot: what comes is what IMAP shows, over TLS that is verified."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.conftest import HostedMailbox, MailboxFactory
from tests.pop3.scripted import Script, serving
from webmail.errors import CertificateRefused, LoginRefused, Refused, Unreachable
from webmail.pop3.client import Pop3Session, connect
from webmail.pop3.flow import Retrieved, Wanted
from webmail.values import Credentials, Endpoint, Tls

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HEAD = b"From: a@afuera.test\r\nSubject: Carta\r\n\r\n"
BODIES = [
    b"hola\r\n",
    b"",
    b".\r\n",
    b"..\r\n.\r\n...\r\n.fin\r\n",
    b"a\r\n\r\n.\r\n\r\n",
    b"\xf1and\xfa, \xff\xfe\r\n",
    b"x" * 200_000 + b"\r\n",
    b".\r\n" * 3000,
    b"a\rb\r\r\n",
    b"y" * 78 + b"\r\n" + (b"z" * 70 + b"\r\n") * 30_000,
]
"""The last goes through a file."""


@contextlib.contextmanager
def session(stack: Stack, box: HostedMailbox, *, tls: Tls = "starttls", pipelined: bool = False) -> Iterator[Any]:
    """A session that is logged in, and its listing."""
    with opened(stack, tls) as one:
        yield one, one.login_and_list(Credentials(box.address, box.password), pipelined=pipelined)


@contextlib.contextmanager
def opened(stack: Stack, tls: Tls) -> Iterator[Pop3Session]:
    port = stack.ports.pop3s if tls == "tls" else stack.ports.pop3
    one = connect(Endpoint(LOOPBACK, port, tls), ca_file=str(stack.ca_file))
    try:
        yield one
    finally:
        one.close()


def octets(one: Retrieved) -> bytes:
    assert one.error is None
    if one.data is not None:
        return one.data
    assert one.path
    return one.path.read_bytes()


def by_imap(client: Any) -> list[bytes]:
    client.select_folder("INBOX", readonly=True)
    uids = client.search()
    found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
    return [found[uid][b"BODY[]"] for uid in sorted(found)]


@pytest.fixture
def box(mailbox_factory: MailboxFactory) -> HostedMailbox:
    return mailbox_factory("ana", quota_bytes=10**12)


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
def test_every_message_is_what_imap_shows(
    stack: Stack, box: HostedMailbox, imap: Callable[..., Any], tmp_path: Path, tls: Tls
) -> None:
    client = imap(box.address)
    for body in BODIES:
        client.append("INBOX", HEAD + body)
    with session(stack, box, tls=tls) as (one, listing):
        assert one.pipelining
        sizes = one.sizes()
        got = [
            (item, octets(item))
            for item in one.retrieve([Wanted(line.number, None, line.uidl) for line in listing.messages], tmp_path)
        ]
        one.quit()
    assert [raw for _item, raw in got] == by_imap(client)
    assert [item.sha256 for item, raw in got] == [hashlib.sha256(raw).hexdigest() for _item, raw in got]
    assert [item.size_bytes for item, _raw in got] == [sizes[number] for number in range(1, len(BODIES) + 1)]
    assert got[-1][0].path


def test_what_lmtp_brings_comes_too(
    stack: Stack, box: HostedMailbox, imap: Callable[..., Any], deliver: Callable[[str, bytes], None], tmp_path: Path
) -> None:
    deliver(box.address, HEAD + b".punto\r\n..\r\n")
    with session(stack, box) as (one, _listing):
        got = [octets(item) for item in one.retrieve([Wanted(1, None)], tmp_path)]
    assert got == by_imap(imap(box.address))
    assert got[0].endswith(b"\r\n.punto\r\n..\r\n")


def test_a_message_without_a_last_line_end_gets_one(
    stack: Stack, box: HostedMailbox, imap: Callable[..., Any], tmp_path: Path
) -> None:
    """The protocol has no way to carry it without (RFC 1939 section 3)."""
    imap(box.address).append("INBOX", HEAD + b"sin fin")
    with session(stack, box) as (one, _listing):
        assert [octets(item) for item in one.retrieve([Wanted(1, None)], tmp_path)] == [HEAD + b"sin fin\r\n"]


def test_login_and_listing_fly_together(stack: Stack, box: HostedMailbox, imap: Callable[..., Any]) -> None:
    imap(box.address).append("INBOX", HEAD)
    with session(stack, box) as (_one, slow):
        assert slow.count == 1
    with session(stack, box, pipelined=True) as (one, listing):
        assert listing.messages == slow.messages
        assert listing.digest == slow.digest
        assert one.capabilities == frozenset(), "it did not ask"
        one.quit()
    with opened(stack, "starttls") as one, pytest.raises(LoginRefused):
        one.login_and_list(Credentials(box.address, "falsa"), pipelined=True)


def test_deletes_count_only_after_quit(
    stack: Stack, box: HostedMailbox, imap: Callable[..., Any], tmp_path: Path
) -> None:
    client = imap(box.address)
    for number in range(5):
        client.append("INBOX", HEAD + b"%d\r\n" % number)
    with session(stack, box) as (one, _listing):
        assert one.delete([1, 2]) == [1, 2]
    assert len(by_imap(client)) == 5
    with session(stack, box) as (one, _listing):
        assert one.delete([2, 4, 99]) == [2, 4]
        results = list(one.retrieve([Wanted(1, None), Wanted(4, None), Wanted(5, None)], tmp_path))
        assert [type(item.error) for item in results] == [type(None), Refused, type(None)]
        one.quit()
    assert [raw.removeprefix(HEAD) for raw in by_imap(client)] == [b"0\r\n", b"2\r\n", b"4\r\n"]


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_of_nobody_we_know_or_of_another_ends_it(stack: Stack, tls: Tls) -> None:
    port = stack.ports.pop3s if tls == "tls" else stack.ports.pop3
    with pytest.raises(CertificateRefused):
        connect(Endpoint(LOOPBACK, port, tls))
    with pytest.raises(CertificateRefused):
        connect(Endpoint("127.1", port, tls), ca_file=str(stack.ca_file))


@pytest.mark.parametrize("answer", [b"-ERR what?\r\n", b"+OK begin\r\n+OK and this in clear\r\n"])
def test_without_tls_no_password_is_sent(stack: Stack, answer: bytes) -> None:
    script = Script(answers={"STLS": answer})
    with serving(script) as port, pytest.raises(Unreachable):
        connect(Endpoint(LOOPBACK, port, "starttls"), ca_file=str(stack.ca_file))
    assert script.lines[:1] == ["STLS"]
    assert not any("PASS" in line for line in script.lines)


def test_a_server_inside_is_reached_only_when_it_is_ours(stack: Stack, settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    with pytest.raises(Unreachable, match=r"^(private address|port)$"):
        connect(Endpoint(LOOPBACK, stack.ports.pop3, "none", public_only=True))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_megabytes_of_one_line_need_little_memory(
    stack: Stack, box: HostedMailbox, imap: Callable[..., Any], tmp_path: Path
) -> None:
    raw = HEAD + b"x" * 100_000_000 + b"\r\n"
    imap(box.address).append("INBOX", raw)
    code = """
import pathlib, sys
import django; django.setup()
from webmail.pop3.client import connect
from webmail.pop3.flow import Wanted
from webmail.values import Credentials, Endpoint
port, ca, login, password, spool = sys.argv[1:]
session = connect(Endpoint("127.0.0.1", int(port), "starttls"), ca_file=ca)
session.login_and_list(Credentials(login, password), pipelined=True)
(one,) = session.retrieve([Wanted(1, None)], pathlib.Path(spool))
status = pathlib.Path("/proc/self/status").read_text()
print(one.sha256, one.path.stat().st_size, int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""
    settings = stack.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings", "TESTING": "1", "PYTHONPATH": "."}
    command = [sys.executable, "-c", code, str(stack.ports.pop3), str(stack.ca_file), box.address, box.password]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=True, env=settings)
    digest, size, peak = done.stdout.split()
    assert (digest, int(size)) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert int(peak) < 150
