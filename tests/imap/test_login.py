"""Logging in: never without the TLS that was asked for, never twice, and each refusal told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.accounts.conftest import ForeignServer
from tests.contract.conftest import POOR
from tests.imap.proxy import proxied
from tests.imap.scripted import scripted
from tests.resolver import LOOPBACK, PUBLIC, answers, dials
from webmail.errors import CertificateRefused, LoginRefused, MailError, Refused, Unreachable
from webmail.imap.login import connect
from webmail.imap.pool import pool
from webmail.sources.imap import open_imap
from webmail.values import Credentials, Endpoint, Tls

ANNA = Credentials("anna", "llave", origin="192.0.2.7", session="web-1")


def capability(words: str) -> dict[str, bytes]:
    return {"CAPABILITY": b"* CAPABILITY IMAP4rev1 %s\r\nTAG OK done\r\n" % words.encode()}


@pytest.mark.parametrize(
    "greeting", [b"* PREAUTH welcome\r\n", b"* BYE not now\r\n", b"+OK POP3 ready\r\n", b"", b"\0\r\n"]
)
def test_a_greeting_that_is_none_is_unreachable(greeting: bytes) -> None:
    with scripted(greeting=greeting or b"\r\n") as server, pytest.raises(Unreachable):
        connect(server.endpoint, ANNA)
    assert not any(b"llave" in command for command in server.commands)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] wrong\r\n", LoginRefused),
        (b"TAG NO [AUTHORIZATIONFAILED] suspended\r\n", LoginRefused),
        (b"TAG NO login failed\r\n", LoginRefused),
        (b"TAG NO [UNAVAILABLE] Internal error\r\n", Unreachable),
        (b"TAG NO [LIMIT] too many connections\r\n", Unreachable),
        (b"TAG BAD what\r\n", Refused),
        (b"* BYE too many tries\r\n", Unreachable),
    ],
)
def test_refusals_are_told_apart(answer: bytes, error: type[MailError]) -> None:
    with scripted({"LOGIN": answer}) as server, pytest.raises(error):
        connect(server.endpoint, ANNA)


def test_logindisabled_is_heeded_before_the_login_and_not_after() -> None:
    with scripted(capability("LOGINDISABLED")) as server, pytest.raises(Unreachable):
        connect(server.endpoint, ANNA)
    assert not any(b"llave" in command for command in server.commands)
    replies = {**capability("AUTH=PLAIN LOGINDISABLED SASL-IR SORT"), "AUTHENTICATE": b"TAG OK in\r\n"}
    with scripted(replies) as server:
        assert connect(server.endpoint, ANNA).has("SORT")


def test_what_a_greeting_offers_is_not_asked_for() -> None:
    answers = {"LOGIN": b"TAG OK [CAPABILITY IMAP4rev1 MOVE IDLE] welcome\r\n"}
    with scripted(answers, greeting=b"* OK [CAPABILITY IMAP4rev1 LITERAL+ ID] hello\r\n") as server:
        connection = server.connect()
    assert [command.split()[1] for command in server.commands] == [b"LOGIN"]
    assert connection.capabilities == {b"IMAP4REV1", b"MOVE", b"IDLE"}


def test_dovecot_is_asked_nothing_but_the_login(stack: Any, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    with proxied("127.0.0.1", stack.ports.imap) as proxy:
        endpoint = Endpoint("127.0.0.1", proxy.port, "none")
        connection = connect(endpoint, Credentials(made.address, made.password))
    assert connection.has("MOVE")
    assert [command.split()[1] for command in proxy.commands] == [b"LOGIN"]


def test_who_asks_is_told_only_to_servers_that_offer_id() -> None:
    for words, told in (("", False), ("ID", True)):
        with scripted({**capability(words), "ID": b"* ID NIL\r\nTAG OK done\r\n"}) as server:
            connect(server.endpoint, ANNA)
        assert any(b'"x-originating-ip" "192.0.2.7"' in command for command in server.commands) is told


@pytest.mark.parametrize("password", ["a\r\nb LOGOUT", "a\0", "\ud800"])
def test_a_password_with_controls_is_refused_and_not_sent(password: str) -> None:
    with scripted() as server, pytest.raises(LoginRefused):
        connect(server.endpoint, Credentials("anna", password))
    assert server.commands == []


@pytest.mark.parametrize("host", ["a..b.test", "x" * 70 + ".test", "", "no such host"])
def test_a_host_that_is_no_name_is_unreachable(host: str) -> None:
    with pytest.raises(Unreachable):
        connect(Endpoint(host or ".", 143, "none"), ANNA)


# --- servers that are not ours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
@pytest.mark.parametrize("lists", [([PUBLIC], [LOOPBACK]), ([PUBLIC], [PUBLIC, LOOPBACK])])
def test_a_name_that_turns_inside_after_the_check_is_not_followed(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tls: Tls, lists: tuple[list[str], ...]
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    calls, dialled = answers(monkeypatch, *lists), dials(monkeypatch, 993)
    for _try in range(2):
        with pytest.raises(Unreachable):
            connect(Endpoint("cambia.test", 993, tls, public_only=True), ANNA)
    assert dialled == [PUBLIC]
    assert calls == ["cambia.test"] * 2


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
def test_a_server_inside_is_reached_only_when_it_is_ours(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tls: Tls
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    dialled = dials(monkeypatch, 993)
    with pytest.raises(Unreachable, match="private"):
        connect(Endpoint("127.0.0.1", 993, tls, public_only=True), ANNA)
    assert dialled == []
    with pytest.raises(Unreachable):
        connect(Endpoint("127.0.0.1", 993, tls), ANNA)
    assert dialled == [LOOPBACK]


def test_a_foreign_server_is_reached_at_ports_of_mail_only(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    dialled = dials(monkeypatch, 6379)
    with pytest.raises(Unreachable, match="port"):
        connect(Endpoint(PUBLIC, 6379, "none", public_only=True), ANNA)
    assert dialled == []


def test_a_foreign_name_is_resolved_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOW_PRIVATE_SERVERS = True
    with scripted() as server:
        calls = answers(monkeypatch, [LOOPBACK], ["192.0.2.1"])
        connect(Endpoint("cambia.test", server.port, "none", public_only=True), ANNA).close()
    assert calls == ["cambia.test"]


def test_connections_to_the_same_server_are_not_lent_between_ours_and_foreign(settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = True
    with scripted() as server:
        for public_only in (False, True, False, True):
            endpoint = replace(server.endpoint, public_only=public_only)
            with open_imap(endpoint, ANNA, account_key="same") as source:
                assert not source.connection.broken
        pool.close_all()
    assert sum(command.split()[1] == b"LOGIN" for command in server.commands) == 2


@pytest.mark.server
@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_the_certificate_of_a_foreign_server_is_for_its_name(
    foreign: ForeignServer, stack: Any, monkeypatch: pytest.MonkeyPatch, tls: Tls
) -> None:
    """The connection goes to an address, the certificate is still judged by the name."""
    port, ca_file = foreign.imaps if tls == "tls" else foreign.imap, str(stack.ca_file)
    eva = Credentials("eva@otraparte.test", foreign.password)
    connect(Endpoint("localhost", port, tls, public_only=True), eva, ca_file=ca_file).close()
    answers(monkeypatch, [LOOPBACK])
    with pytest.raises(CertificateRefused):
        connect(Endpoint("cambia.test", port, tls, public_only=True), eva, ca_file=ca_file)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hidden", [(), POOR, ("AUTH=PLAIN", "AUTH"), (*POOR, "AUTH")])
@pytest.mark.parametrize("password", ["contraseña €", 'comillas " y \\ barras', "{5}", "x" * 900, " ", "*"])
def test_any_password_opens_its_mailbox(
    stack: Any, mailbox_factory: Any, hidden: tuple[str, ...], password: str
) -> None:
    made = mailbox_factory("ana", password=password)
    with proxied("127.0.0.1", stack.ports.imap, hide=hidden) as proxy:
        connect(Endpoint("127.0.0.1", proxy.port, "none"), Credentials(made.address, password)).close()


def test_a_password_shows_in_no_traceback() -> None:
    with scripted({"LOGIN": lambda _command: None}) as server, pytest.raises(Unreachable) as caught:
        connect(server.endpoint, Credentials("anna", "llave secreta"))
    ours = [entry for entry in caught.traceback if "webmail" in str(entry.path)]
    assert len(ours) >= 3
    assert not any("llave secreta" in repr(entry.locals) for entry in ours)
