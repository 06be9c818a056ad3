"""A line of a given length: what is written arrives half a round trip later, however much is under way."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def delayed(port: int, *, rtt_s: float) -> Iterator[int]:
    """Gives a loopback port that leads to `port`, `rtt_s` away; `port` itself for no distance."""
    if not rtt_s:
        yield port
        return
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                time.sleep(rtt_s)  # the handshake
                server = socket.create_connection(("127.0.0.1", port))
                for source, target in ((client, server), (server, client)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    way: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=4096)
                    threading.Thread(target=take, args=(source, way), daemon=True).start()
                    threading.Thread(target=bring, args=(way, target), daemon=True).start()

    def take(source: socket.socket, way: queue.Queue[tuple[float, bytes]]) -> None:
        data = b"."
        while data:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            way.put((time.monotonic() + rtt_s / 2, data))

    def bring(way: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                when, data = way.get()
                time.sleep(max(0.0, when - time.monotonic()))
                if not data:
                    break
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
