"""One IMAP connection of a watcher: an asyncio protocol that costs little while nothing is said.

It knows what watching needs: logging in, a command at a time, and waiting for what the server says by itself. Reading mail is
`webmail/imap`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import cast

from accounts.outbound import MAIL_PORTS, OutboundRefused, checked_addresses
from webmail.dial import CONNECT_TIMEOUT_S, tls_context
from webmail.errors import CertificateRefused, Unreachable
from webmail.imap.login import check_login, login_commands
from webmail.imap.wire import Answer, Literal, Piece, Secret, Tagged, Untagged, parse_tagged, parse_untagged
from webmail.values import Credentials, Endpoint

READ_TIMEOUT_S = 30.0
RESPONSE_LIMIT_BYTES = 256 * 1024
WAITING_LIMIT = 10_000
"""Responses that nobody took yet; a server that goes on is cut off."""

_LITERAL = re.compile(rb"\{(\d{1,9})\+?\}\r?\n$")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an account's mailbox is, and how it opens."""

    endpoint: Endpoint
    credentials: Credentials
    ca_file: str = ""


class Line(asyncio.Protocol):
    """What the server says, cut into responses. `hear` is called for each untagged one while a command runs; between commands
    `next` gives them."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._start = 0
        """Where the line begins that is not whole yet; a response may have several, with literals between."""
        self._responses: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._tags = 0
        self.capabilities: frozenset[bytes] = frozenset()
        self.is_dovecot = False
        """Its greeting says so."""

    def has(self, capability: str) -> bool:
        """Whether the server offers this."""
        return capability.encode() in self.capabilities

    # --- what asyncio calls -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n", self._start)) >= 0:
            self._start = end + 1
            literal = _LITERAL.search(self._buffer, max(0, end - 16), end + 1)
            if literal:
                self._start += int(literal[1])
                if self._start > RESPONSE_LIMIT_BYTES:
                    break
                continue
            self._responses.append(self._buffer[: self._start])
            self._buffer = self._buffer[self._start :]
            self._start = 0
        if len(self._buffer) > RESPONSE_LIMIT_BYTES or self._start > RESPONSE_LIMIT_BYTES:
            self._fail(EOFError("response too long"))
        elif len(self._responses) > WAITING_LIMIT:
            self._fail(EOFError("too many responses"))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or EOFError("connection closed"))

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # --- what a watch calls -------------------------------------------------------------------------------------------

    async def next(self) -> bytes:
        """The next response, whenever it comes. Raises OSError or EOFError once the connection is lost."""
        while not self._responses:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._responses.popleft()

    async def ask(self, *pieces: Piece, hear: Callable[[Untagged], object] | None = None) -> Tagged:
        """One command to its end, which may be NO or BAD. Raises OSError (TimeoutError too) or EOFError."""
        async with asyncio.timeout(READ_TIMEOUT_S):
            tag = await self.send(*pieces, hear=hear)
            return await self.end_of(tag, hear=hear)

    async def send(self, *pieces: Piece, hear: Callable[[Untagged], object] | None = None) -> bytes:
        """Sends a command; its tag."""
        self._tags += 1
        tag = b"W%d" % self._tags
        out = tag
        for piece in pieces:
            if isinstance(piece, Answer):
                await self._continued(out + b"\r\n", hear)
                out = piece.data
            elif isinstance(piece, Literal):
                await self._continued(out + b" {%d}\r\n" % len(piece.data), hear)
                out = piece.data
            else:
                out += b" " + (piece.data if isinstance(piece, Secret) else piece)
        self.write(out + b"\r\n")
        return tag

    async def end_of(self, tag: bytes, *, hear: Callable[[Untagged], object] | None = None) -> Tagged:
        """Reads up to the end of a command."""
        while True:
            word, _space, rest = (await self.next()).partition(b" ")
            if word == b"*":
                _tell(rest, hear)
            elif word == tag:
                return parse_tagged(rest)
            else:
                raise EOFError("not IMAP")

    async def continued(self, tag: bytes, *, hear: Callable[[Untagged], object] | None = None) -> bool:
        """Waits for the server's +; False when it ended the command instead."""
        while True:
            word, _space, rest = (await self.next()).partition(b" ")
            if word == b"*":
                _tell(rest, hear)
            elif word == tag:
                return False
            elif word.strip() == b"+":
                return True
            else:
                raise EOFError("not IMAP")

    async def _continued(self, out: bytes, hear: Callable[[Untagged], object] | None) -> None:
        self.write(out)
        if not await self.continued(out.split(b" ", 1)[0], hear=hear):
            raise EOFError("the server takes no literal")

    def write(self, data: bytes) -> None:
        if self._error is not None or self._transport is None:
            raise self._error or EOFError("not connected")
        self._transport.write(data)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """STARTTLS; what came in clear beside its answer would be somebody else's, and ends the connection."""
        end = await self.ask(b"STARTTLS")
        if end.status != b"OK" or self._responses or self._buffer or self._transport is None:
            raise Unreachable("the server does not offer STARTTLS")
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(
            self._transport, self, context, server_hostname=host, ssl_handshake_timeout=READ_TIMEOUT_S
        )

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@contextlib.asynccontextmanager
async def open_line(target: Target) -> AsyncIterator[Line]:
    """A line that is logged in. Raises Unreachable, CertificateRefused or LoginRefused, also when the connection is lost in
    the block. TLS is as the endpoint says, and a `public_only` server has public addresses only."""
    line = Line()
    try:
        await _open(line, target.endpoint, tls_context(target.ca_file))
        await _log_in(line, target.credentials)
        yield line
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(error.verify_message) from error
    except (OSError, EOFError, ValueError, OutboundRefused) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    finally:
        line.close()


async def _open(line: Line, endpoint: Endpoint, context: ssl.SSLContext) -> None:
    host = endpoint.host
    if endpoint.public_only:
        host = (await asyncio.to_thread(checked_addresses, endpoint.host, endpoint.port, ports=MAIL_PORTS))[0]
    secure = endpoint.tls == "tls"
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        transport, _line = await asyncio.get_running_loop().create_connection(
            lambda: line,
            host,
            endpoint.port,
            ssl=context if secure else None,
            server_hostname=endpoint.host if secure else None,
        )
    sock: socket.socket = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 120)
    async with asyncio.timeout(READ_TIMEOUT_S):
        greeting = await line.next()
    if not greeting.upper().startswith(b"* OK"):
        raise Unreachable("the server greets otherwise")
    line.is_dovecot = b"Dovecot" in greeting
    if endpoint.tls == "starttls":
        await line.start_tls(context, endpoint.host)


async def _log_in(line: Line, credentials: Credentials) -> None:
    await _learn(line)
    end = Tagged(b"", b"", "")
    for command in login_commands(line, credentials):
        end = await line.ask(*command)
    check_login(end)
    await _learn(line)


async def _learn(line: Line) -> None:
    """What the server offers now."""
    words: list[bytes] = []

    def hear(untagged: Untagged) -> None:
        if untagged.kind == b"CAPABILITY":
            words.extend(untagged.data.upper().split())

    await line.ask(b"CAPABILITY", hear=hear)
    line.capabilities = frozenset(words)


def _tell(rest: bytes, hear: Callable[[Untagged], object] | None) -> None:
    untagged = parse_untagged(rest)
    if untagged.kind == b"BYE":
        raise EOFError("the server said goodbye")
    if hear is not None:
        hear(untagged)
