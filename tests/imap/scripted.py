"""An IMAP server on loopback that answers as a test tells it: for faults that a real server cannot be made to show."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

from webmail.imap.connection import Connection
from webmail.imap.login import connect
from webmail.values import Credentials, Endpoint

GREETING = b"* OK hello\r\n"
ANNA = Credentials("anna", "llave")
Reply = bytes | Callable[[bytes], bytes | None]
"""What to answer to a command: TAG stands for its tag. A function gets the command; None = close the connection."""

USUAL: Mapping[str, Reply] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n",
    "LOGIN": b"TAG OK welcome\r\n",
    "NOOP": b"TAG OK done\r\n",
    "LOGOUT": b"* BYE bye\r\nTAG OK done\r\n",
}


class Scripted:
    """Serves `replies` by the beginning of a command, after the usual ones. A synchronizing literal is asked for, unless
    `literal` answers in its place."""

    def __init__(
        self, replies: Mapping[str, Reply], *, greeting: bytes = GREETING, literal: bytes = b"+ go\r\n"
    ) -> None:
        self.replies = {**USUAL, **replies}
        self.greeting = greeting
        self.literal = literal
        self.commands: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, "none")

    def connect(self) -> Connection:
        return connect(self.endpoint, ANNA)

    def close(self) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), client, client.makefile("rb") as lines:
            client.sendall(self.greeting)
            while command := self._command(client, lines):
                answer = self._answer(command)
                if answer is None:
                    return
                client.sendall(answer)

    def _command(self, client: socket.socket, lines: object) -> bytes:
        command = b""
        while line := lines.readline():  # type: ignore[attr-defined]
            command += line
            match = re.search(rb"\{(\d+)(\+?)\}\r\n$", line)
            if match is None:
                self.commands.append(command)
                return command
            if not match[2]:
                client.sendall(self.literal.replace(b"TAG", command.partition(b" ")[0]))
                if not self.literal.startswith(b"+") and b"\r\n+" not in self.literal:
                    command = b""
                    continue
            command += lines.read(int(match[1]))  # type: ignore[attr-defined]
        return b""

    def _answer(self, command: bytes) -> bytes | None:
        tag, _space, rest = command.partition(b" ")
        for start, reply in sorted(self.replies.items(), key=lambda item: -len(item[0])):
            if rest.upper().startswith(start.encode().upper()):
                answer = reply(rest) if callable(reply) else reply
                return answer if answer is None else answer.replace(b"TAG", tag)
        return tag + b" BAD what?\r\n"


@contextlib.contextmanager
def scripted(
    replies: Mapping[str, Reply] | None = None, *, greeting: bytes = GREETING, literal: bytes = b"+ go\r\n"
) -> Iterator[Scripted]:
    """A scripted server for one test."""
    server = Scripted(replies or {}, greeting=greeting, literal=literal)
    try:
        yield server
    finally:
        server.close()
