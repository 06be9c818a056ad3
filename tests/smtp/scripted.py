"""An SMTP server on loopback that answers as a test tells it: for faults that a real server cannot be made to show."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping

from webmail.values import Endpoint, Tls

Reply = bytes | None | Callable[[bytes], bytes | None]
"""What to answer; None = hang up. A function gets the command, or the message."""

USUAL: Mapping[str, Reply] = {
    "greeting": b"220 hello\r\n",
    "EHLO": b"250-me\r\n250-AUTH PLAIN LOGIN\r\n250-8BITMIME\r\n250 SIZE 1000000\r\n",
    "AUTH": b"235 welcome\r\n",
    "MAIL": b"250 ok\r\n",
    "RCPT": b"250 ok\r\n",
    "DATA": b"354 go on\r\n",
    "end": b"250 queued\r\n",
    "STARTTLS": b"220 go on\r\n",
    "QUIT": b"221 bye\r\n",
}


class Scripted:
    """Serves `replies` by the beginning of a command (the longest that fits), after the usual ones: "greeting", and "end"
    for what follows the final dot. `early` answers before that dot, after so many octets. What came in is in `commands`
    and `messages`; of a message that was cut off, in `torn`."""

    def __init__(
        self, replies: Mapping[str, Reply], *, early: tuple[int, bytes] = (0, b""), certificate: str = ""
    ) -> None:
        self.replies = {**USUAL, **replies}
        self.early = early
        self.certificate = certificate
        self.wrapped = False
        self.commands: list[bytes] = []
        self.messages: list[bytes] = []
        self.torn: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._held: dict[socket.socket, bytes] = {}
        self._threads: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def endpoint(self, tls: Tls = "none") -> Endpoint:
        return Endpoint("127.0.0.1", self.port, tls)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def wait(self) -> None:
        """Returns once every connection has ended."""
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self.wrapped:
                client = self._secure(client)
            if self._say(client, "greeting", b""):
                while client is not None and self._turn(client):
                    pass
            client.close()

    def _turn(self, client: socket.socket) -> bool:
        """One command and its answer; False when the connection ends."""
        command = self._line(client)
        if not command:
            return False
        self.commands.append(command)
        name = next(
            (key for key in sorted(self.replies, key=len, reverse=True) if command.startswith(key.encode())), ""
        )
        if not name:
            client.sendall(b"502 what?\r\n")
            return True
        answer = self._say(client, name, command)
        if not answer:
            return False
        if name == "STARTTLS" and self.certificate:
            with self._secure(client) as secure:
                while self._turn(secure):
                    pass
            return False
        return self._take(client) if name == "DATA" and answer.startswith(b"3") else True

    def _take(self, client: socket.socket) -> bool:
        message = bytearray()
        while not message.endswith(b"\r\n.\r\n") and message != b".\r\n":
            line = self._line(client)
            if not line:
                self.torn.append(bytes(message))
                return False
            message += line
            if self.early[1] and len(message) >= self.early[0]:
                client.sendall(self.early[1])
                self.early = (0, b"")
        self.messages.append(bytes(message))
        return bool(self._say(client, "end", bytes(message)))

    def _line(self, client: socket.socket) -> bytes:
        while b"\n" not in (held := self._held.get(client, b"")):
            data = client.recv(65536)
            if not data:
                return b""
            self._held[client] = held + data
        line, _end, self._held[client] = held.partition(b"\n")
        return line + b"\n"

    def _say(self, client: socket.socket, name: str, command: bytes) -> bytes:
        """Answers; gives what was said, nothing when the connection ends."""
        reply = self.replies[name]
        answer = reply(command) if callable(reply) else reply
        if answer is None:
            client.close()
            return b""
        client.sendall(answer)
        return answer

    def _secure(self, client: socket.socket) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.certificate}/cert.pem", f"{self.certificate}/key.pem")
        return context.wrap_socket(client, server_side=True)


@contextlib.contextmanager
def scripted(
    replies: Mapping[str, Reply] | None = None, *, early: tuple[int, bytes] = (0, b""), certificate: str = ""
) -> Iterator[Scripted]:
    """A scripted server for one test; `certificate` is a folder with cert.pem and key.pem."""
    server = Scripted(replies or {}, early=early, certificate=certificate)
    try:
        yield server
    finally:
        server.close()
