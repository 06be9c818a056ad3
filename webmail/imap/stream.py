"""Octets from a server: lines and literals, each flight bounded in time and in size."""

from __future__ import annotations

import time
from typing import Protocol

FLIGHT_LIMIT_S = 300.0
FLIGHT_LIMIT_BYTES = 256 * 1024 * 1024
LINE_LIMIT_BYTES = 16 * 1024 * 1024
PIECE_BYTES = 65_536


class _File(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class Stream:
    """Reads from a buffered file over a socket that has a time limit of its own for each read. Raises EOFError when the
    server closes or sends too much, TimeoutError when a whole flight takes too long."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._buffer = bytearray()
        self._at = 0
        self._until = 0.0
        self._left = 0
        self.bytes_in = 0

    def begin(self) -> None:
        """Starts the limits of a new flight."""
        self._until = time.monotonic() + FLIGHT_LIMIT_S
        self._left = FLIGHT_LIMIT_BYTES

    def line(self) -> bytes:
        """The next line with its end."""
        seen = self._at
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if seen - self._at > LINE_LIMIT_BYTES:
                raise EOFError("line too long")
            seen -= self._fill()
        return self._take(end + 1 - self._at)

    def exact(self, count: int) -> bytes:
        """Exactly `count` octets."""
        if count > self._left + len(self._buffer):
            raise EOFError("literal too long")
        while len(self._buffer) - self._at < count:
            self._fill()
        return self._take(count)

    def _take(self, count: int) -> bytes:
        data = bytes(memoryview(self._buffer)[self._at : self._at + count])
        self._at += count
        return data

    def _fill(self) -> int:
        """Reads more; tells by how much the buffer's beginning moved."""
        if time.monotonic() > self._until:
            raise TimeoutError("the answer took too long")
        if self._left <= 0:
            raise EOFError("answer too long")
        piece = self._file.read1(PIECE_BYTES)
        if not piece:
            raise EOFError("connection closed")
        moved = self._at
        if moved:
            del self._buffer[:moved]
            self._at = 0
        self._buffer += piece
        self._left -= len(piece)
        self.bytes_in += len(piece)
        return moved
