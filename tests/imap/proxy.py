"""A byte-level proxy before an IMAP server: it hides capabilities, refuses the commands that need them, stumbles over
chosen commands, and cuts connections at a chosen moment. On loopback only; each connection is served by two threads."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

How = Literal["before", "half", "unanswered", "half-answered"]

REFUSED = {
    "SORT": rb"UID SORT",
    "THREAD": rb"UID THREAD",
    "LIST-EXTENDED": rb"LIST \S+ \S+ RETURN",
    "LIST-STATUS": rb"LIST .*STATUS",
    "ESORT": rb"UID SORT RETURN",
    "ESEARCH": rb"UID SEARCH RETURN",
    "QUOTA": rb"GETQUOTA",
    "MOVE": rb"UID MOVE",
    "UIDPLUS": rb"UID EXPUNGE",
    "PREVIEW": rb"UID FETCH .*PREVIEW",
    "CONDSTORE": rb"(SELECT|EXAMINE) .*CONDSTORE|HIGHESTMODSEQ|CHANGEDSINCE",
    "NAMESPACE": rb"NAMESPACE",
    "IDLE": rb"IDLE",
}
"""Capability -> the commands that a server without it does not know."""


@dataclass
class Fault:
    """Ends one connection, once: at the line that is the `after`-th and next one from the client from now on. "before" = the
    server never sees it, "half" = it sees half of it, "unanswered" = it sees it and does it, but its answer is lost,
    "half-answered" = half of the next piece of the answer comes through."""

    after: int
    how: How
    armed: bool = False
    """The line has gone through; the server's next words are the last."""


class Proxy:
    """Listens on `port`. `cut_after_commands` and `cut_after_bytes` (from the server) end a connection there, once.
    `stumble` is asked about each command: "cut" ends the connection, "NO" or "BAD" is the answer, "" lets it through."""

    def __init__(self, host: str, port: int, *, hide: tuple[str, ...] = ()) -> None:
        self.server = (host, port)
        self.hide = hide
        self.cut_after_commands = 0
        self.cut_after_bytes = 0
        self.stumble: Callable[[bytes], str] = lambda _command: ""
        self.fault: Fault | None = None
        self.commands: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._listener.close()
        self.cut_all()

    def cut_all(self) -> None:
        """Ends every open connection at once."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(self.server)
            self.connections += 1
            self._open += [client, upstream]
            threading.Thread(target=self._up, args=(client, upstream), daemon=True).start()
            threading.Thread(target=self._down, args=(client, upstream), daemon=True).start()

    def _up(self, client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in client.makefile("rb"):
                self.commands.append(line)
                if self.cut_after_commands and len(self.commands) >= self.cut_after_commands:
                    self.cut_after_commands = 0
                    self._end(client, upstream)
                    return
                if self.fault and self._strikes(self.fault, line, upstream):
                    break
                tag, _space, rest = line.partition(b" ")
                stumble = self.stumble(rest)
                if stumble == "cut":
                    break
                if stumble:
                    client.sendall(tag + f" {stumble} I stumble\r\n".encode())
                elif any(re.match(REFUSED[name], rest, re.IGNORECASE) for name in self.hide if name in REFUSED):
                    client.sendall(tag + b" BAD Unknown command\r\n")
                else:
                    upstream.sendall(line)
        self._end(client, upstream)

    def _strikes(self, fault: Fault, line: bytes, upstream: socket.socket) -> bool:
        """Whether the connection ends with this line."""
        if fault.armed or fault.after:
            fault.after -= not fault.armed
            return False
        if fault.how in {"before", "half"}:
            self.fault = None
            if fault.how == "half":
                upstream.sendall(line[: len(line) // 2])
            return True
        fault.armed = True
        return False

    def _down(self, client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                data = self._without(data)
                if self.fault and self.fault.armed:
                    cut = len(data) // 2 if self.fault.how == "half-answered" else 0
                    self.fault = None
                    client.sendall(data[:cut])
                    break
                if self.cut_after_bytes:
                    if len(data) >= self.cut_after_bytes:
                        client.sendall(data[: self.cut_after_bytes])
                        self.cut_after_bytes = 0
                        break
                    self.cut_after_bytes -= len(data)
                client.sendall(data)
        self._end(client, upstream)

    def _without(self, data: bytes) -> bytes:
        if "COPYUID" in self.hide:
            data = re.sub(rb"\[COPYUID [^\]]*\] ?", b"", data)
        if b"CAPABILITY" not in data:
            return data
        for name in self.hide:
            data = re.sub(rb"(?i) " + name.encode() + rb"(=[^\s\]]*)?(?=[ \r\]])", b"", data)
        return data

    def _end(self, *sockets: socket.socket) -> None:
        for connection in sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                connection.close()


@contextlib.contextmanager
def proxied(host: str, port: int, *, hide: tuple[str, ...] = ()) -> Iterator[Proxy]:
    """A proxy before a server, for one test."""
    proxy = Proxy(host, port, hide=hide)
    try:
        yield proxy
    finally:
        proxy.close()
