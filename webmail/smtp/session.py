"""smtplib's dialogue on a socket of ours: every wait has an end, every reply a size, and no lock of TLS is left open."""

from __future__ import annotations

import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable

LINE_LIMIT_BYTES = 4_096
LINES_LIMIT = 100
REPLY_TIMEOUT_S = 60.0
FINAL_TIMEOUT_S = 600.0
"""RFC 5321 section 4.5.3.2.6: giving up on the answer to the final dot too early is what makes duplicates."""
SLICE_S = 0.5
CHUNK_BYTES = 64 * 1024


class Session(smtplib.SMTP):
    """One connection. `beat` is called at least every SLICE_S seconds while something is waited for; what it raises ends
    the dialogue."""

    ehlo_msg = "EHLO"

    def __init__(self, sock: socket.socket, host: str, *, helo: str, beat: Callable[[], None]) -> None:
        super().__init__(local_hostname=helo)
        self.sock = sock
        self._name = host
        self._beat = beat
        self._buffer = b""

    def secure(self, context: ssl.SSLContext) -> None:
        """TLS from here on; nothing that was said before counts any more. Raises SMTPException or OSError."""
        if self._buffer:
            raise smtplib.SMTPServerDisconnected("an answer came before TLS")
        assert self.sock is not None
        self.sock.settimeout(REPLY_TIMEOUT_S)
        self.sock = context.wrap_socket(self.sock, server_hostname=self._name)
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Sends one command. Raises SMTPServerDisconnected when there is an answer to nothing: the next one would be taken
        for that of another command."""
        if self._buffer:
            raise smtplib.SMTPServerDisconnected("an answer too many")
        super().putcmd(cmd, args)

    def has_answer(self) -> bool:
        """Whether the server has said something, or hung up, unasked."""
        return bool(self._buffer) or (self.sock is not None and _readable(self.sock, 0.0))

    def send_chunks(self, data: bytes) -> None:
        """Sends much, in pieces."""
        assert self.sock is not None
        for at in range(0, len(data), CHUNK_BYTES):
            self._beat()
            self.sock.settimeout(REPLY_TIMEOUT_S)
            self.sock.sendall(data[at : at + CHUNK_BYTES])

    def getreply(self, timeout_s: float = REPLY_TIMEOUT_S) -> tuple[int, bytes]:
        """(code, text) of one reply, its lines joined by newlines. Raises SMTPServerDisconnected or OSError."""
        until = time.monotonic() + timeout_s
        texts: list[bytes] = []
        while len(texts) < LINES_LIMIT:
            line = self._line(until)
            if not line[:3].isdigit() or line[3:4] not in {b"", b" ", b"-"}:
                raise smtplib.SMTPServerDisconnected("not SMTP")
            texts.append(line[4:])
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(texts)
        raise smtplib.SMTPServerDisconnected("reply too long")

    def _line(self, until: float) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > LINE_LIMIT_BYTES:
                raise smtplib.SMTPServerDisconnected("line too long")
            self._buffer += self._receive(until)
        line, _end, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _receive(self, until: float) -> bytes:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("no connection")
        self._beat()
        while not _readable(self.sock, min(SLICE_S, until - time.monotonic())):
            self._beat()
            if time.monotonic() >= until:
                raise TimeoutError("no answer in time")
        self.sock.settimeout(max(0.1, min(REPLY_TIMEOUT_S, until - time.monotonic())))
        data = self.sock.recv(4096)
        if not data:
            raise smtplib.SMTPServerDisconnected("the server hung up")
        return data


def _readable(sock: socket.socket, wait_s: float) -> bool:
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(max(0.0, wait_s) * 1000))
