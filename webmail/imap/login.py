"""From an address to a logged-in connection: TLS as the account says, never less; the password only after it."""

from __future__ import annotations

import base64
import imaplib
import re
import socket
import ssl
from typing import Any, Protocol

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from accounts.outbound import MAIL_PORTS, OutboundRefused, open_socket
from webmail.dial import CONNECT_TIMEOUT_S, tls_context
from webmail.errors import CertificateRefused, LoginRefused, MailError, Refused, Unreachable
from webmail.imap.connection import PASSING_CODES, Connection, check
from webmail.imap.wire import Answer, Flight, Piece, Secret, Tagged, quote
from webmail.values import Credentials, Endpoint

READ_TIMEOUT_S = 60.0

_GREETED = re.compile(rb"\* OK \[CAPABILITY ([^\]\r\n]+)\]", re.IGNORECASE)


def connect(endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> Connection:
    """Opens a connection and logs in. Raises Unreachable, CertificateRefused or LoginRefused; Refused when the server
    takes LOGIN for no command. TLS is as the endpoint says; there is no fall-back. A `public_only` server that has
    other addresses, or a port that is none of mail, is Unreachable."""
    login = _login_command(credentials)
    client = _open(endpoint, ca_file)
    connection = Connection(client)
    try:
        connection.capabilities = frozenset(word.upper().encode() for word in client._imap.capabilities)
        _log_in(connection, credentials, login)
    except MailError:
        connection.close()
        raise
    connection.count_from_here()
    return connection


def _open(endpoint: Endpoint, ca_file: str) -> IMAPClient:
    context = tls_context(ca_file)
    tls = endpoint.tls == "tls"
    try:
        client = _Client(
            endpoint.public_only,
            endpoint.host,
            endpoint.port,
            ssl=tls,
            ssl_context=context if tls else None,
            timeout=CONNECT_TIMEOUT_S,
        )
    except (IMAPClientError, OutboundRefused, OSError, EOFError, ValueError) as error:
        raise _translated(error) from error
    try:
        if client._imap.state == "AUTH":
            raise Unreachable("the server logged us in before TLS and password")
        if endpoint.tls == "starttls":
            client.starttls(context)
        client.socket().settimeout(READ_TIMEOUT_S)
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (IMAPClientError, OSError, EOFError, ValueError) as error:
        _shut(client)
        raise _translated(error) from error
    except MailError:
        _shut(client)
        raise
    return client


class _Client(IMAPClient):  # type: ignore[misc]
    """An IMAPClient over a connection of ours."""

    def __init__(self, public_only: bool, host: str, port: int, **more: Any) -> None:
        self._kind = _PublicIMAP4 if public_only else _IMAP4
        super().__init__(host, port, **more)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - imapclient 4.1's name
        return self._kind(self.host, self.port, self.ssl_context if self.ssl else None)


class _IMAP4(imaplib.IMAP4):
    """Takes what the server offers from its greeting, where it tells. Asking is a round trip, and Dovecot tells one who asked
    nothing in its answer to the login, which is another."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(host, port, timeout=CONNECT_TIMEOUT_S)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._secured(socket.create_connection((self.host, self.port), timeout), timeout)

    def _secured(self, raw: socket.socket, timeout: float | None) -> socket.socket:
        try:
            raw.settimeout(timeout)  # open_socket leaves what was left of its own
            return self._context.wrap_socket(raw, server_hostname=self.host) if self._context else raw
        except (OSError, ValueError):
            raw.close()
            raise

    def _get_capabilities(self) -> None:
        told = _GREETED.match(self.welcome) if self.state == "NONAUTH" and not self._tls_established else None
        if told is None:
            super()._get_capabilities()  # type: ignore[misc]
        else:
            self.capabilities = tuple(told[1].decode("ascii", "replace").upper().split())


class _PublicIMAP4(_IMAP4):
    """Connects to the very address that was checked: a name that is resolved anew may lead inside by then."""

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._secured(open_socket(self.host, self.port, ports=MAIL_PORTS, timeout_s=CONNECT_TIMEOUT_S), timeout)


def _translated(error: Exception) -> MailError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(error.verify_message)
    return Unreachable(str(error))


def _shut(client: IMAPClient) -> None:
    try:
        client.shutdown()
    except (IMAPClientError, OSError):
        return


def _login_command(credentials: Credentials) -> list[Piece]:
    """LOGIN with its arguments. Raises LoginRefused for what no server could have as a password."""
    try:
        password = quote(credentials.password)
        secret = Secret(password) if isinstance(password, bytes) else password
        return [b"LOGIN", quote(credentials.login), secret]
    except Refused as error:
        raise LoginRefused(error.detail) from error


def _log_in(connection: Connection, credentials: Credentials, login: list[Piece]) -> None:
    flight = connection.run(*login_commands(connection, credentials, login))
    check_login(flight.ends[-1])
    connection.capabilities = _capabilities(connection, flight)


class Offers(Protocol):
    """A server before the login: what it said that it offers."""

    def has(self, capability: str, /) -> bool: ...


def login_commands(server: Offers, credentials: Credentials, login: list[Piece] | None = None) -> list[list[Piece]]:
    """The commands that log in, of which the last must end well. Raises Unreachable where the server takes no password,
    LoginRefused for what no server could have as one."""
    login = login or _login_command(credentials)
    if server.has("LOGINDISABLED") or not (credentials.login + credentials.password).isascii():
        login = _plain_command(server, credentials) or login
    if server.has("LOGINDISABLED") and login[0] == b"LOGIN":
        raise Unreachable("the server takes no password on this connection")
    return [command for command in (_id_command(server, credentials), login) if command]


def _plain_command(server: Offers, credentials: Credentials) -> list[Piece] | None:
    """AUTHENTICATE PLAIN (RFC 4616), which carries UTF-8; None where the server does not offer it."""
    if not server.has("AUTH=PLAIN"):
        return None
    response = base64.b64encode(f"\0{credentials.login}\0{credentials.password}".encode("utf-8", "surrogateescape"))
    if server.has("SASL-IR"):
        return [b"AUTHENTICATE", b"PLAIN", Secret(response)]
    return [b"AUTHENTICATE", b"PLAIN", Answer(response)]


def _id_command(server: Offers, credentials: Credentials) -> list[Piece] | None:
    """For a Dovecot that trusts us: who is asking, so that its logs and its penalty for wrong passwords are theirs."""
    if not credentials.origin or not server.has("ID"):
        return None
    pairs = ['"x-originating-ip"', _id_value(credentials.origin)]
    if credentials.session:
        pairs += ['"x-session-ext-id"', _id_value(credentials.session)]
    return [b"ID", b"(" + " ".join(pairs).encode("ascii") + b")"]


def _id_value(text: str) -> str:
    kept = "".join(char for char in text if char.isascii() and char.isprintable() and char not in '"\\')
    return f'"{kept[:100]}"'


def check_login(end: Tagged) -> None:
    """Raises LoginRefused, or Unreachable for what passes, when a login did not end with OK."""
    if end.status == b"OK":
        return
    passing = end.code.split(b" ")[0].upper() in PASSING_CODES or "internal error" in end.text.lower()
    if end.status == b"NO" and not passing:
        raise LoginRefused(end.text)
    if passing:
        raise Unreachable(end.text)
    check(end)


def _capabilities(connection: Connection, flight: Flight) -> frozenset[bytes]:
    """What the server offers now: from its answer to the login where it tells, else asked for."""
    code = flight.ends[-1].code.upper()
    if code.startswith(b"CAPABILITY "):
        return frozenset(code.split()[1:])
    untagged: list[Any] = connection.ask(b"CAPABILITY").of(b"CAPABILITY")
    return frozenset(b" ".join(response.data for response in untagged).upper().split())
