"""Octets from a POP3 server: status lines and multi-line answers (RFC 1939 section 3), byte for byte and in bounded memory."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from webmail.errors import disk_error

READ_TIMEOUT_S = 60.0
LINE_LIMIT_BYTES = 4096
LISTING_LIMIT_BYTES = 128 * 1024 * 1024
MESSAGE_LIMIT_BYTES = 2 * 1024**3
SPOOL_BYTES = 1024 * 1024
"""A message beyond this goes into a file while it comes."""
PATIENCE_S = 120.0
SLOWEST_BYTES_S = 1024
"""An answer that takes longer than PATIENCE_S must have come at this rate at least."""
PIECE_BYTES = 256 * 1024
BEAT_S = 1.0
END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class Octets:
    """What a multi-line answer carried: in memory, or in a file for its owner to move or remove."""

    sha256: str
    size_bytes: int
    data: bytes | None
    path: Path | None


class Wire:
    """One connection. Raises EOFError when the server closes or sends too much, TimeoutError when it is too slow, OSError;
    OverQuota or ServerTrouble when it is the disk here that fails."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.beat: Callable[[], None] | None = None
        self.bytes_in = 0
        self._buffer = bytearray()
        self._at = 0
        self._began = self._beaten = time.monotonic()
        self._received = 0
        sock.settimeout(READ_TIMEOUT_S)

    @property
    def unread(self) -> bool:
        """Whether something came that nobody has read."""
        return self._at < len(self._buffer)

    def ask(self, data: bytes) -> None:
        """Sends what begins an exchange, to which nobody has answered yet."""
        self.expect_nothing()
        self.begin()
        self.send(data)

    def expect_nothing(self) -> None:
        """Raises EOFError when the server has said something unasked, or hung up: the answers that follow would be taken for
        those of other commands."""
        if not self.unread:
            self.sock.settimeout(0)
            try:
                self._take_in(self.sock.recv(PIECE_BYTES))
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            finally:
                self.sock.settimeout(READ_TIMEOUT_S)
        raise EOFError("an answer too many")

    def send(self, data: bytes) -> None:
        if data:
            self.sock.sendall(data)

    def begin(self) -> None:
        """Starts the patience for one answer."""
        self._began, self._received = time.monotonic(), 0

    def line(self) -> bytes:
        """The next line without its end."""
        seen = self._at
        while (end := self._buffer.find(b"\n", seen)) < 0:
            if len(self._buffer) - self._at > LINE_LIMIT_BYTES:
                raise EOFError("line too long")
            seen = len(self._buffer)
            seen -= self._fill()
        line = bytes(self._buffer[self._at : end]).rstrip(b"\r")
        self._at = end + 1
        if len(line) > LINE_LIMIT_BYTES:
            raise EOFError("line too long")
        return line

    def listing(self) -> bytes:
        """A multi-line answer of many short lines, whole, with its last line end but not its final dot."""
        end = self._find_end(LISTING_LIMIT_BYTES)
        data = self._take(end)
        return _unstuff(data)

    def octets(self, spool: Path) -> Octets:
        """A multi-line answer that is a message: exactly the octets that it carried."""
        small = self._find_end(SPOOL_BYTES, raises=False)
        if small is None:
            return self._spooled(spool)
        data = _unstuff(self._take(small))
        return Octets(hashlib.sha256(data).hexdigest(), len(data), data, None)

    def _find_end(self, limit: int, *, raises: bool = True) -> int | None:
        """The length of the answer at hand, without its final dot, once all of it has come."""
        seen = self._at
        while True:
            if self._buffer.startswith(b".\r\n", self._at):
                return 0
            end = self._buffer.find(END, seen)
            if end >= 0:
                return end + 2 - self._at
            if len(self._buffer) - self._at > limit:
                if raises:
                    raise EOFError("answer too long")
                return None
            seen = max(self._at, len(self._buffer) - len(END) + 1)
            seen -= self._fill()

    def _take(self, length: int | None) -> bytes:
        """So many octets, and past the final dot that follows them."""
        assert length is not None
        with memoryview(self._buffer) as view:
            data = bytes(view[self._at : self._at + length])
        self._at += length + 3
        return data

    def _spooled(self, spool: Path) -> Octets:
        digest, size = hashlib.sha256(), 0
        descriptor, path = _new_file(spool)
        try:
            for piece in self._pieces():
                size += len(piece)
                if size > MESSAGE_LIMIT_BYTES:
                    raise EOFError("message too long")
                digest.update(piece)
                _write(descriptor, piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return Octets(digest.hexdigest(), size, None, path)

    def _pieces(self) -> Iterator[bytes]:
        """A message as it comes, up to its final dot and past that."""
        first = True
        while True:
            end = self._buffer.find(END, self._at)
            cut = end + 2 if end >= 0 else _safe_cut(self._buffer, self._at, first=first)
            with memoryview(self._buffer) as view:
                piece = bytes(view[self._at : cut])
            self._at = cut
            piece = _unstuff(piece, first=first)
            first = first and not piece
            if end >= 0:
                self._at += 3
            yield piece
            if end >= 0:
                return
            self._fill()

    def _fill(self) -> int:
        """Reads more; tells by how much the buffer's beginning moved."""
        self._check_patience()
        data = self.sock.recv(PIECE_BYTES)
        moved = 0
        if self._at > PIECE_BYTES or self._at == len(self._buffer):
            moved = self._at
            del self._buffer[:moved]
            self._at = 0
        self._take_in(data)
        return moved

    def _take_in(self, data: bytes) -> None:
        if not data:
            raise EOFError("the server hung up")
        self._buffer += data
        self._received += len(data)
        self.bytes_in += len(data)

    def _check_patience(self) -> None:
        now = time.monotonic()
        if self.beat and now - self._beaten > BEAT_S:
            self._beaten = now
            self.beat()
        if now - self._began > PATIENCE_S + self._received / SLOWEST_BYTES_S:
            raise TimeoutError("the answer takes too long")


def _unstuff(data: bytes, *, first: bool = True) -> bytes:
    """Takes away the dots that stand for themselves before a dot at the beginning of a line; `first` tells that `data` begins
    a line."""
    if b"\r\n.." in data:
        data = data.replace(b"\r\n..", b"\r\n.")
    return data[1:] if first and data.startswith(b"..") else data


def _safe_cut(buffer: bytearray, at: int, *, first: bool) -> int:
    """Where a message that goes on may be cut: neither its end nor a dot at the beginning of a line is split."""
    cut = max(at, len(buffer) - len(END) + 1)
    if first and cut - at < 2:
        return at
    for tail in (b"\r\n.", b"\r\n", b"\r"):
        if buffer.endswith(tail, at, cut):
            return max(at, cut - len(tail))
    return cut


def _new_file(spool: Path) -> tuple[int, Path]:
    try:
        descriptor, name = tempfile.mkstemp(dir=spool, prefix="retr-")
    except OSError as error:
        raise disk_error(error) from error
    return descriptor, Path(name)


def _write(descriptor: int, data: bytes) -> None:
    """All of it."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise disk_error(error) from error
