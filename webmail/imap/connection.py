"""One connection to an IMAP server. imapclient opens it and logs in; commands after that are our own, several in one flight.

Every read has a time limit and a byte limit. Library errors end here, as `MailError`.
"""

from __future__ import annotations

import contextlib
import imaplib
import ssl
import time
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from webmail.errors import CertificateRefused, Gone, LoginRefused, OverQuota, Refused, Unreachable
from webmail.imap.wire import Flight, Literal, Piece, Tagged, parse_tagged, parse_untagged, quote
from webmail.values import Credentials, Endpoint

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
LINE_LIMIT_BYTES = 16 * 1024 * 1024
RESPONSE_LIMIT_BYTES = 64 * 1024 * 1024

GONE_CODES = (b"NONEXISTENT", b"TRYCREATE")
GONE_TEXTS = ("doesn't exist", "does not exist", "no such mailbox", "unknown mailbox", "nonexistent", "unable to open")


class Connection:
    """A logged-in connection. Not for two threads at once. `round_trips`, `bytes_in` and `bytes_out` count what it did
    after the login."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        self._imap: Any = client._imap
        self._tags = 0
        self.capabilities: frozenset[bytes] = frozenset()
        self.dirty = True
        self.round_trips = self.bytes_in = self.bytes_out = 0
        self.used_at = time.monotonic()
        self.broken = False

    def has(self, capability: str) -> bool:
        """Whether the server offers this, as it said after the login."""
        return capability.encode() in self.capabilities

    def run(self, *commands: list[Piece]) -> Flight:
        """Sends commands in one flight and reads until each has ended. Raises Unreachable when the connection breaks; NO
        and BAD are in the flight's ends, for `check`."""
        self.round_trips += 1
        try:
            tags = [self._send(command) for command in commands]
            return self._receive(tags)
        except (OSError, EOFError, ssl.SSLError, ValueError) as error:
            self.broken = True
            raise Unreachable(str(error)) from error
        finally:
            self.used_at = time.monotonic()

    def ask(self, *pieces: Piece) -> Flight:
        """One command, which must end with OK."""
        flight = self.run(list(pieces))
        check(flight.ends[0])
        return flight

    def _send(self, pieces: list[Piece]) -> bytes:
        self._tags += 1
        tag = b"C%d" % self._tags
        plus = self.has("LITERAL+")
        out = tag
        for piece in pieces:
            out += b" "
            if isinstance(piece, Literal):
                out += b"{%d%s}\r\n" % (len(piece.data), b"+" if plus else b"")
                if not plus:
                    self._write(out)
                    self._continuation()
                    out = b""
                out += piece.data
            else:
                out += piece
        self._write(out + b"\r\n")
        return tag

    def _write(self, data: bytes) -> None:
        self.bytes_out += len(data)
        self._imap.send(data)

    def _continuation(self) -> None:
        line = self._line()
        if not line.startswith(b"+"):
            raise EOFError("the server refused a literal")

    def _line(self) -> bytes:
        line: bytes = self._imap.file.readline(LINE_LIMIT_BYTES + 1)
        if not line.endswith(b"\n"):
            raise EOFError("connection closed" if len(line) <= LINE_LIMIT_BYTES else "line too long")
        self.bytes_in += len(line)
        return line

    def _response(self) -> bytes:
        """One response with its literals, exactly as it came."""
        pieces = [self._line()]
        size = len(pieces[0])
        while pieces[-1].endswith(b"}\r\n") and (count := _literal_size(pieces[-1])) is not None:
            size += count
            if size > RESPONSE_LIMIT_BYTES:
                raise EOFError("response too long")
            data = self._imap.file.read(count)
            if len(data) < count:
                raise EOFError("connection closed in a literal")
            self.bytes_in += count
            pieces += [data, self._line()]
            size += len(pieces[-1])
        return b"".join(pieces)

    def _receive(self, tags: list[bytes]) -> Flight:
        ends: dict[bytes, Tagged] = {}
        flight = Flight()
        while len(ends) < len(tags):
            response = self._response()
            word, _space, rest = response.partition(b" ")
            if word == b"*":
                untagged = parse_untagged(rest)
                if untagged.kind in {b"EXISTS", b"EXPUNGE", b"VANISHED"}:
                    self.dirty = True
                elif untagged.kind == b"BYE":
                    raise EOFError("the server said goodbye")
                flight.untagged.append(untagged)
            elif word in tags:
                ends[word] = parse_tagged(rest)
            elif word.strip() != b"+":
                raise EOFError("not IMAP")
        flight.ends = [ends[tag] for tag in tags]
        return flight

    def close(self) -> None:
        """Says goodbye if that is possible, and closes."""
        with contextlib.suppress(OSError, IMAPClientError):
            if not self.broken:
                self._imap.send(b"Z LOGOUT\r\n")
            self._client.shutdown()


def _literal_size(line: bytes) -> int | None:
    at = line.rfind(b"{")
    digits = line[at + 1 : -3].rstrip(b"+")
    return int(digits) if at >= 0 and digits.isdigit() and len(digits) <= 12 else None


def check(end: Tagged) -> None:
    """Raises what a NO or BAD means: OverQuota, Gone, Unreachable or Refused."""
    if end.status == b"OK":
        return
    code = end.code.split(b" ")[0].upper()
    if code == b"OVERQUOTA":
        raise OverQuota(end.text)
    if code in GONE_CODES or any(text in end.text.lower() for text in GONE_TEXTS):
        raise Gone(end.text)
    if code in {b"UNAVAILABLE", b"SERVERBUG", b"INUSE"}:
        raise Unreachable(end.text)
    raise Refused(end.text)


def connect(endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> Connection:
    """Opens a connection and logs in. Raises Unreachable, CertificateRefused or LoginRefused. TLS is as the endpoint says;
    there is no fall-back."""
    client = _open(endpoint, ca_file)
    try:
        _login(client, credentials)
        connection = Connection(client)
        connection.capabilities = _capabilities(connection)
    except LoginError as error:
        client.shutdown()
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            raise Unreachable(str(error)) from error
        raise LoginRefused(_reply(error)) from error
    except (IMAPClientError, OSError, EOFError) as error:
        client.shutdown()
        raise Unreachable(str(error)) from error
    except Exception:
        client.shutdown()
        raise
    return connection


def _open(endpoint: Endpoint, ca_file: str) -> IMAPClient:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    tls = endpoint.tls == "tls"
    try:
        client = IMAPClient(
            endpoint.host, endpoint.port, ssl=tls, ssl_context=context if tls else None, timeout=CONNECT_TIMEOUT_S
        )
        client.normalise_times = False
        if client._imap.state == "AUTH":
            client.shutdown()
            raise Unreachable("the server logged us in before TLS and password")
        if endpoint.tls == "starttls":
            client.starttls(context)
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(error.verify_message) from error
    except (IMAPClientError, OSError, EOFError) as error:
        raise Unreachable(str(error)) from error
    client.socket().settimeout(READ_TIMEOUT_S)
    return client


def _login(client: IMAPClient, credentials: Credentials) -> None:
    quote(credentials.login)
    quote(credentials.password)
    if credentials.origin and client.has_capability("ID"):
        fields = {"x-originating-ip": credentials.origin}
        if credentials.session:
            fields["x-session-ext-id"] = credentials.session
        client.id_(fields)
    if client.has_capability("AUTH=PLAIN") and not credentials.login.isascii():
        client.plain_login(credentials.login, credentials.password)
        return
    client.login(credentials.login, credentials.password)


def _capabilities(connection: Connection) -> frozenset[bytes]:
    flight = connection.ask(b"CAPABILITY")
    words = b" ".join(response.data for response in flight.of(b"CAPABILITY")).upper().split()
    connection.round_trips = connection.bytes_in = connection.bytes_out = 0
    return frozenset(words)


def _reply(error: Exception) -> str:
    text = str(error)
    if "UNAVAILABLE" in text or "Internal error" in text:
        raise Unreachable(text) from error
    return text
