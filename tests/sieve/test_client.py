"""A ManageSieve session with Pigeonhole, and with servers that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.stack import Stack
from webmail.errors import CertificateRefused, LoginRefused, OverQuota, Refused, Unreachable
from webmail.sieve.client import Listed, NotOffered, Problem, ScriptGone, ScriptRefused, SieveSession, open_session
from webmail.values import Credentials, Endpoint

hosted = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
ANNA = Credentials("anna", "llave")
HELLO = b'"SIEVE" "fileinto"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK "hello"\r\n'


class TestPigeonhole:
    pytestmark = hosted

    def test_scripts_are_stored_listed_and_read(self, one_session: SieveSession) -> None:
        odd = 'ñandú "x\\ {5}'
        text = "# hola ñ {3+}\nkeep;\n"
        assert one_session.put(odd, text) == ()
        one_session.activate(odd)
        assert one_session.scripts() == [Listed(odd, True)]
        assert one_session.get(odd) == text
        with pytest.raises(Refused):
            one_session.delete(odd)
        one_session.activate("")
        one_session.delete(odd)
        assert one_session.scripts() == []

    def test_errors_come_with_their_lines(self, one_session: SieveSession) -> None:
        one_session.put("a", "keep;\n")
        with pytest.raises(ScriptRefused) as refused:
            one_session.put("a", 'keep;\nbogus;\nredirect "no address";\n')
        assert [one.line for one in refused.value.problems] == [2, 3]
        assert one_session.get("a") == "keep;\n"

    def test_what_is_not_there_is_gone(self, one_session: SieveSession) -> None:
        for act in (one_session.get, one_session.delete, one_session.activate):
            with pytest.raises(ScriptGone):
                act("nada")

    def test_no_name_is_a_command(self, one_session: SieveSession) -> None:
        for name in ('a"\r\nSETACTIVE "b', "", "a\0b", "\ud800", "x" * 300):
            with pytest.raises(Refused):
                one_session.put(name, "keep;")
        assert one_session.scripts() == []

    def test_a_full_store_is_told(self, one_session: SieveSession) -> None:
        big = "# " + "x" * 400_000 + "\n"
        for number in range(5):
            one_session.put(f"s{number}", big)
        with pytest.raises(OverQuota):
            one_session.put("s5", big)

    def test_the_server_tells_what_it_can(self, one_session: SieveSession) -> None:
        assert {"vacation", "include", "imap4flags", "mailbox"} <= one_session.extensions
        assert one_session.redirects_limit == 10

    def test_its_log_has_the_address_of_who_sits_in_front(self, one_session: SieveSession, stack: Stack) -> None:
        log = (stack.root / "log" / "dovecot.log").read_text()
        line = next(line for line in log.splitlines() if "managesieve-login" in line and "192.0.2.7" in line)
        assert "session=<web-1-abc>" in line

    def test_a_wrong_password_is_refused(self, mailbox_factory: Any, stack: Stack) -> None:
        made = mailbox_factory("ana")
        endpoint = Endpoint("127.0.0.1", stack.ports.sieve, "none")
        with pytest.raises(LoginRefused), open_session(endpoint, Credentials(made.address, "otra")):
            pass
        with open_session(endpoint, Credentials(made.address, made.password)) as session:
            assert session.scripts() == []

    def test_a_certificate_of_nobody_is_refused(self, stack: Stack) -> None:
        endpoint = Endpoint("localhost", stack.ports.sieve, "starttls")
        with pytest.raises(CertificateRefused), open_session(endpoint, ANNA):
            pass


@contextlib.contextmanager
def playing(greeting: bytes, answer: Callable[[bytes], bytes]) -> Iterator[Endpoint]:
    """A server that says what a test says to each line that it gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def play() -> None:
        with contextlib.suppress(OSError):
            client = listener.accept()[0]
            with client, client.makefile("rb") as lines:
                client.sendall(greeting)
                for line in lines:
                    heard.append(line)
                    client.sendall(answer(line))

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield Endpoint("127.0.0.1", listener.getsockname()[1], "none")
    finally:
        listener.close()
        thread.join(2)


def usual(command: bytes, reply: bytes) -> Callable[[bytes], bytes]:
    """OK to everything, but `reply` to one command."""

    def answer(line: bytes) -> bytes:
        if line.startswith(command):
            return reply
        return b"" if line.startswith(b"AUTHENTICATE") else b"OK\r\n"

    return answer


@pytest.mark.parametrize(
    "reply",
    [
        b"{900000000}\r\n",
        b'"' + b"x" * 100_000,
        b'"a"\r\n' * 3_000,
        b'BYE "enough"\r\n',
        b"OK\r\nOK\r\nOK\r\n",
    ],
    ids=["huge literal", "long line", "many lines", "bye", "too many answers"],
)
def test_answers_have_bounds(reply: bytes) -> None:
    with (
        playing(HELLO, usual(b"LISTSCRIPTS", reply)) as endpoint,
        open_session(endpoint, ANNA) as session,
        pytest.raises(Unreachable),
    ):
        list(iter(session.scripts, None))


def test_a_server_without_tls_gets_no_password() -> None:
    greeting = HELLO.replace(b'"STARTTLS"\r\n', b"")
    with playing(greeting, lambda line: b"OK\r\n") as plain:
        endpoint = Endpoint(plain.host, plain.port, "starttls")
        with pytest.raises(Unreachable, match="no TLS"), open_session(endpoint, ANNA):
            pass


def test_what_is_said_before_tls_counts_for_nothing() -> None:
    with playing(HELLO, lambda line: b'OK\r\n"SASL" "PLAIN"\r\nOK\r\n') as plain:
        endpoint = Endpoint(plain.host, plain.port, "starttls")
        with pytest.raises(Unreachable, match="before TLS"), open_session(endpoint, ANNA):
            pass


def test_where_nobody_listens_nothing_is_offered() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(NotOffered), open_session(Endpoint("127.0.0.1", port, "none"), ANNA):
        pass


def test_other_servers_must_be_public(settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    with pytest.raises(NotOffered), open_session(Endpoint("127.0.0.1", 4190, "starttls", public_only=True), ANNA):
        pass


def test_a_status_with_code_and_literal_is_read() -> None:
    reply = b'NO (QUOTA/MAXSIZE "x)") {14}\r\nline 3: error:\r\n'
    with (
        playing(HELLO, usual(b"LISTSCRIPTS", reply)) as endpoint,
        open_session(endpoint, ANNA) as session,
        pytest.raises(OverQuota, match="line 3"),
    ):
        session.scripts()


def test_problems_without_a_line_are_kept() -> None:
    with pytest.raises(ScriptRefused) as refused:
        raise ScriptRefused("casilla: line 7: error: bad\r\nsomething else\r\ncasilla: error: validation failed.\r\n")
    assert refused.value.problems == (Problem(7, "bad"), Problem(0, "something else"))
