"""A POP3 server that does what a test says: on loopback, one thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


def stuffed(raw: bytes) -> bytes:
    """A message as RETR carries it (RFC 1939 section 3)."""
    lines = raw.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + (
        b".\r\n" if raw.endswith(b"\r\n") or not raw else b"\r\n.\r\n"
    )


@dataclass
class Script:
    """What the server offers and how it misbehaves. `answers` overrides single commands; `pieces` cuts what it sends."""

    messages: list[bytes] = field(default_factory=list)
    capa: list[str] | None = field(default_factory=lambda: ["TOP", "UIDL", "USER", "PIPELINING", "SASL PLAIN"])
    uidl: bool = True
    answers: dict[str, bytes] = field(default_factory=dict)
    greeting: bytes = b"+OK ready\r\n"
    pieces: Callable[[bytes], Iterable[bytes]] = lambda data: [data]
    cut_after: int = -1
    lines: list[str] = field(default_factory=list)
    most_ahead: int = 0
    """How many RETRs had come, at most, while one was being answered."""
    sent: int = 0
    slow_s: float = 0.0
    stuffs: bool = True
    """Whether it doubles a dot at the beginning of a line."""

    def answer(self, line: str) -> bytes:
        verb, _space, rest = line.partition(" ")
        for key in (line, verb.upper()):
            if key in self.answers:
                return self.answers[key]
        number = int(rest.split()[0]) if rest.split() and rest.split()[0].isdigit() else 0
        match verb.upper():
            case "CAPA":
                return b"-ERR\r\n" if self.capa is None else listing(self.capa)
            case "UIDL":
                if number and self.uidl:
                    return f"+OK {number} u{number}\r\n".encode()
                lines = [f"{at} u{at}" for at in range(1, len(self.messages) + 1)]
                return listing(lines) if self.uidl else b"-ERR what?\r\n"
            case "LIST":
                return listing([f"{at} {len(raw)}" for at, raw in enumerate(self.messages, 1)])
            case "RETR":
                raw = self.messages[number - 1]
                return b"+OK\r\n" + (stuffed(raw) if self.stuffs else raw + b".\r\n")
            case _:
                return b"+OK\r\n"


def listing(lines: list[str]) -> bytes:
    return b"+OK\r\n" + "".join(f"{line}\r\n" for line in lines).encode() + b".\r\n"


@contextlib.contextmanager
def serving(script: Script) -> Iterator[int]:
    """The port on which the script is played."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                threading.Thread(target=play, args=(script, client), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def play(script: Script, client: socket.socket) -> None:
    waiting = b""
    with contextlib.suppress(OSError), client:
        if not send(script, client, script.greeting):
            return
        while True:
            while b"\r\n" not in waiting:
                data = client.recv(65536)
                if not data:
                    return
                waiting += data
            line, _end, waiting = waiting.partition(b"\r\n")
            script.lines.append(line.decode())
            time.sleep(script.slow_s)
            answer = script.answer(line.decode())
            if line.upper().startswith(b"RETR"):
                waiting = look_ahead(script, client, waiting)
            if not send(script, client, answer) or line.upper() == b"QUIT":
                return


def look_ahead(script: Script, client: socket.socket, waiting: bytes) -> bytes:
    """Counts what the client has sent without waiting for this answer."""
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        waiting += client.recv(65536)
    client.setblocking(True)
    script.most_ahead = max(script.most_ahead, waiting.upper().count(b"RETR"))
    return waiting


def send(script: Script, client: socket.socket, data: bytes) -> bool:
    """Sends in the script's pieces; False when the connection was cut as it says."""
    for piece in script.pieces(data):
        if 0 <= script.cut_after < script.sent + len(piece):
            client.sendall(piece[: script.cut_after - script.sent])
            return False
        client.sendall(piece)
        script.sent += len(piece)
    return True
