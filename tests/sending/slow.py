"""A stretch of network on loopback that takes its time: what one side has sent arrives even if that side dies."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def slowed(port: int, *, up_to_s: float) -> Iterator[int]:
    """Gives a port that leads to `port`, each piece of data `up_to_s` late at most."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=carry, args=(source, target), daemon=True).start()

    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(random.uniform(0, up_to_s))
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
