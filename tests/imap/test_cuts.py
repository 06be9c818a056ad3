"""Connections that break: an error in words or one silent retry, and never another message than the one asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.conftest import POOR
from tests.contract.test_source import letter
from tests.imap.proxy import Proxy, proxied
from webmail.errors import CertificateRefused, Gone, LoginRefused, Unreachable
from webmail.imap.pool import pool
from webmail.sources.imap import ImapSource, open_imap
from webmail.sources.logging_in import check_login
from webmail.values import Credentials, Endpoint, FolderId, PartNumber, Query, Ref, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
INBOX = FolderId("INBOX")


@pytest.fixture
def proxy(stack: Any) -> Iterator[Proxy]:
    with proxied("127.0.0.1", stack.ports.imap) as proxy:
        yield proxy
    pool.close_all()


@pytest.fixture
def made(mailbox_factory: Any, imap: Any) -> Any:
    made = mailbox_factory("ana")
    client = imap(made.address)
    for subject in ("uno", "dos", "tres"):
        client.append("INBOX", letter(subject))
    return made


def source(made: Any, proxy: Proxy) -> ImapSource:
    endpoint = Endpoint("127.0.0.1", proxy.port, "none")
    return open_imap(endpoint, Credentials(made.address, made.password), account_key=made.address)


def test_a_kept_connection_that_died_is_replaced_in_silence(made: Any, proxy: Proxy) -> None:
    with source(made, proxy) as first:
        first.folders()
    proxy.cut_all()
    with source(made, proxy) as second:
        assert second.page(INBOX, Query(), Window()).total == 3
    assert proxy.connections == 2


@pytest.mark.parametrize("commands", range(1, 16))
def test_a_cut_before_any_command_is_told_or_mended(made: Any, proxy: Proxy, commands: int) -> None:
    proxy.cut_after_commands = commands
    try:
        with source(made, proxy) as opened:
            page = opened.page(INBOX, Query(), Window())
            message = opened.message(page.rows[1].ref)
    except Unreachable:
        return
    assert [row.subject for row in page.rows] == ["tres", "dos", "uno"]
    assert message.summary.subject == "dos"


@pytest.mark.parametrize("size", [1, 40, 300, 700, 1000, 1400, 1800, 2200, 2600, 3000, 4000])
def test_a_cut_inside_an_answer_is_told_or_mended(made: Any, proxy: Proxy, size: int) -> None:
    proxy.cut_after_bytes = size
    try:
        with source(made, proxy) as opened:
            page = opened.page(INBOX, Query(), Window())
            text = opened.message(page.rows[0].ref).bodies[0].text
    except Unreachable:
        return
    assert [row.subject for row in page.rows] == ["tres", "dos", "uno"]
    assert text.strip() == "Hola"


def test_a_cut_in_a_change_is_never_repeated(made: Any, proxy: Proxy, imap: Any) -> None:
    with source(made, proxy) as opened:
        ref = opened.page(INBOX, Query(), Window()).rows[0].ref
        proxy.cut_after_commands = len(proxy.commands) + 1
        with pytest.raises(Unreachable):
            opened.move([ref], FolderId("Archive"))
    client = imap(made.address)
    counts = [client.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in ("INBOX", "Archive")]
    assert sum(counts) == 3


def test_without_uidplus_no_other_programs_message_is_expunged(made: Any, stack: Any, imap: Any) -> None:
    client = imap(made.address)
    client.select_folder("INBOX")
    client.add_flags([1], [b"\\Deleted"])
    with proxied("127.0.0.1", stack.ports.imap, hide=(*POOR, "UIDPLUS")) as poor, source(made, poor) as opened:
        page = opened.page(INBOX, Query(), Window())
        assert [row.subject for row in page.rows] == ["tres", "dos"]
        opened.delete([page.rows[0].ref])
        assert [row.subject for row in opened.page(INBOX, Query(), Window()).rows] == ["dos"]
    client.noop()
    assert client.folder_status("Archive", ["MESSAGES"])[b"MESSAGES"] == 0
    pool.close_all()
    client.select_folder("INBOX", readonly=True)
    assert len(client.search()) == 3


def test_uidvalidity_reset_is_gone(made: Any, proxy: Proxy, imap: Any) -> None:
    client = imap(made.address)
    client.create_folder("Temp")
    client.append("Temp", letter("vieja"))
    with source(made, proxy) as opened:
        old = opened.page(FolderId("Temp"), Query(), Window()).rows[0].ref
    client.delete_folder("Temp")
    client.create_folder("Temp")
    client.append("Temp", letter("nueva"))
    with source(made, proxy) as opened:
        page = opened.page(FolderId("Temp"), Query(), Window())
        assert page.rows[0].ref != old
        with pytest.raises(Gone):
            opened.message(old)
        assert opened.message(page.rows[0].ref).summary.subject == "nueva"


def test_login_errors_are_told_apart(made: Any, stack: Any, unused_port: int) -> None:
    plain = Endpoint("127.0.0.1", stack.ports.imap, "none")
    check_login(plain, Credentials(made.address, made.password))
    with pytest.raises(LoginRefused):
        check_login(plain, Credentials(made.address, "otra"))
    with pytest.raises(Unreachable):
        check_login(Endpoint("127.0.0.1", unused_port, "none"), Credentials(made.address, made.password))
    starttls = Endpoint("localhost", stack.ports.imap, "starttls")
    with pytest.raises(CertificateRefused):
        check_login(starttls, Credentials(made.address, made.password))
    check_login(starttls, Credentials(made.address, made.password), ca_file=str(stack.ca_file))


def test_no_starttls_is_no_connection(made: Any, stack: Any) -> None:
    with proxied("127.0.0.1", stack.ports.imap, hide=("STARTTLS",)) as proxy, pytest.raises(Unreachable):
        check_login(Endpoint("localhost", proxy.port, "starttls"), Credentials(made.address, made.password))
    assert not any(made.password.encode() in command for command in proxy.commands)


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_part_of_a_vanished_message_is_no_other_part(made: Any, proxy: Proxy) -> None:
    with source(made, proxy) as opened:
        row = opened.page(INBOX, Query(), Window()).rows[0]
        lost = Ref(INBOX, row.ref.validity, "999")
        with pytest.raises(Gone):
            list(opened.part(lost, PartNumber("1")))
