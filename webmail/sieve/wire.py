"""Answers of a ManageSieve server (RFC 5804 sections 1.2 and 4): strings, words and status lines, in bounded time and memory."""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass

from webmail.errors import Unreachable

READ_TIMEOUT_S = 20.0
PATIENCE_S = 60.0
"""How long one answer may take as a whole."""
LINE_LIMIT_BYTES = 64 * 1024
LITERAL_LIMIT_BYTES = 1024 * 1024
ANSWER_LIMIT_BYTES = 2 * 1024 * 1024
LINES_LIMIT = 2_000
PIECE_BYTES = 64 * 1024

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\()|(\))|\{(\d{1,9})\+?\}$|([^\s()"]+)')
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)

Token = str | bytes
"""A word (upper case) or a parenthesis is str, a string is bytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came to one command: `status` is OK, NO or BYE, `code` the words and strings in its parentheses (upper case), `text`
    what it says to people, `lines` what came before it."""

    status: str
    code: tuple[str, ...]
    text: str
    lines: tuple[tuple[Token, ...], ...]

    @property
    def kind(self) -> str:
        """The first word of the code, "" without one."""
        return self.code[0] if self.code else ""


class Wire:
    """One connection. Raises Unreachable when the server closes, is too slow, says too much, or speaks something else."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()
        self._until = 0.0
        self._left = 0
        sock.settimeout(READ_TIMEOUT_S)

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """TLS from here on. Raises Unreachable when something was said before it, which nobody can vouch for."""
        if self._buffer:
            raise Unreachable("an answer came before TLS")
        self.sock = context.wrap_socket(self.sock, server_hostname=host)

    def send(self, data: bytes) -> None:
        """Sends one command, to which nobody has answered yet."""
        if self._buffer:
            raise Unreachable("an answer too many")
        self.sock.sendall(data)

    def answer(self) -> Answer:
        """Reads up to the status line, and that."""
        self._until, self._left = time.monotonic() + PATIENCE_S, ANSWER_LIMIT_BYTES
        lines: list[tuple[Token, ...]] = []
        while len(lines) < LINES_LIMIT:
            tokens = self._tokens()
            if tokens and tokens[0] in {"OK", "NO", "BYE"}:
                return _status(tokens, lines)
            lines.append(tokens)
        raise Unreachable("the answer has too many lines")

    def _tokens(self) -> tuple[Token, ...]:
        """One line, with the literals that it holds."""
        found: list[Token] = []
        while True:
            size = _split(self._line(), found)
            if size is None:
                return tuple(found)
            if size > LITERAL_LIMIT_BYTES:
                raise Unreachable("a string is too long")
            found.append(self._take(size))

    def _line(self) -> bytes:
        seen = 0
        while (end := self._buffer.find(b"\r\n", seen)) < 0:
            if len(self._buffer) > LINE_LIMIT_BYTES:
                raise Unreachable("a line is too long")
            seen = max(0, len(self._buffer) - 1)
            self._fill()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self) -> None:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise Unreachable("the answer takes too long")
        self.sock.settimeout(min(READ_TIMEOUT_S, left_s))
        data = self.sock.recv(PIECE_BYTES)
        if not data:
            raise Unreachable("the server hung up")
        self._left -= len(data)
        if self._left < 0:
            raise Unreachable("the answer is too long")
        self._buffer += data


def _split(line: bytes, found: list[Token]) -> int | None:
    """Adds the tokens of a line; gives the size of the literal that follows it, None when there is none."""
    for match in _TOKEN.finditer(line):
        quoted, opens, closes, literal, word = match.groups()
        if literal is not None:
            return int(literal)
        if quoted is not None:
            found.append(_ESCAPED.sub(rb"\1", quoted))
        else:
            found.append((opens or closes or word).decode("ascii", "replace").upper())
    return None


def _status(tokens: tuple[Token, ...], lines: list[tuple[Token, ...]]) -> Answer:
    rest = list(tokens[1:])
    code: list[str] = []
    if rest and rest[0] == "(":
        end = rest.index(")") if ")" in rest else len(rest)
        code = [_text(one).upper() for one in rest[1:end]]
        rest = rest[end + 1 :]
    words = " ".join(_text(one) for one in rest)
    return Answer(str(tokens[0]), tuple(code), words, tuple(lines))


def _text(token: Token) -> str:
    return token.decode("utf-8", "replace") if isinstance(token, bytes) else token
