"""Reading a log that grows, is renamed, cut short and written anew: whole lines only, each of them once.

A log is known by its first line, not by its inode: that holds for a renamed file, for the copy that copytruncate leaves, and
where an inode is given away again.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 2_000_000
LINE_MAX_BYTES = 8_192
"""A line that is longer is no line of Dovecot's: it is passed over."""
QUIET_S = 2.0
"""A renamed log is read until nothing was added for so long: its writer goes on in it until it is told to open the new one."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log was read: so many bytes of the one that begins with this line (a digest; "" for none yet)."""

    first_line: str = ""
    offset: int = 0


class Tail:
    """A log from a position on. A log that is not there yet is waited for. A log that is read to its end is left when another
    one has something to tell, so that none between them is missed."""

    def __init__(self, path: Path, position: Position) -> None:
        self.position = position
        self._path = path
        self._here = position
        self._file: BinaryIO | None = None
        self._quiet_since: float | None = None

    def read(self) -> list[bytes]:
        """Some more whole lines, without their ends; empty when there are none now. `position` is behind them."""
        if self._file is None and not self._open():
            return []
        lines = self._read_lines()
        if lines:
            self._quiet_since = None
            return lines
        return self.read() if self._went_on() else []

    def close(self) -> None:
        """Lets go of the file; the position stays."""
        if self._file:
            self._file.close()
        self._file = None

    def _open(self) -> bool:
        """Opens the log that the position is in, wherever it is now; else the log of now, from its beginning."""
        if self.position.offset:
            for path in (self._path, *reversed(self._rotated())):
                if self._open_at(path, self.position):
                    return True
        return self._open_at(self._path, Position())

    def _open_at(self, path: Path, position: Position) -> bool:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        if position.offset and not _is_at(file, position):
            file.close()
            return False
        self._file, self._here = file, position
        return True

    def _read_lines(self) -> list[bytes]:
        assert self._file
        offset, first = self._here.offset, self._here.first_line
        if not offset:
            first = _first_line(self._file)
        if not first or not _is_at(self._file, Position(first, offset)):
            return []
        before = 1 if offset else 0
        chunk = os.pread(self._file.fileno(), CHUNK_BYTES + before, offset - before)
        whole = chunk.rfind(b"\n") + 1
        if whole <= before and len(chunk) < CHUNK_BYTES:
            return []
        end = whole if whole > before else len(chunk)  # in the middle of a line that has no end
        self.position = self._here = Position(first, offset - before + end)
        pieces = chunk[:end].split(b"\n")
        # The first piece is the end of a line that was passed over, or, at a line's beginning, nothing.
        lines = pieces[before:-1] if end == whole else []
        return [line if len(line) <= LINE_MAX_BYTES else b"" for line in lines] or [b""]

    def _went_on(self) -> bool:
        """Whether the log goes on in another file, which is open then."""
        assert self._file
        if self._here.offset and not _is_at(self._file, self._here):
            self.close()  # cut short in place: what was not read yet may stand in its copy
            return self._open()
        mine = os.fstat(self._file.fileno())
        following = self._following(mine)
        if following is None or (following == self._path and not self._is_quiet()):
            return False
        if b"\n" in os.pread(self._file.fileno(), CHUNK_BYTES, self._here.offset):
            return True  # written before it was renamed, and after it was read
        return self._move_to(following, mine)

    def _move_to(self, following: Path, mine: os.stat_result) -> bool:
        """Leaves a file that is read to its end, unless yet another one has come between it and the next."""
        before, here = self._file, self._here
        if not self._open_at(following, Position()):
            return False
        assert before
        assert self._file
        again = self._following(mine)
        if again is None or not _same_file(again, os.fstat(self._file.fileno())):
            self._file.close()
            self._file, self._here = before, here
            return False
        before.close()
        self._quiet_since = None
        return True

    def _is_quiet(self) -> bool:
        now = time.monotonic()
        if self._quiet_since is None:
            self._quiet_since = now
        return now - self._quiet_since >= QUIET_S

    def _following(self, mine: os.stat_result) -> Path | None:
        """The next file with a line behind the one that is open, in the order in which they were last written; None when there
        is none."""
        chain = [*self._rotated(), self._path]
        places = [number for number, path in enumerate(chain) if _same_file(path, mine)]
        following = chain[places[0] + 1 :] if places else [self._path]
        return next((path for path in following if _has_line(path)), None)

    def _rotated(self) -> list[Path]:
        """The older logs beside this one, the oldest first; packed ones cannot be read."""
        beside = [path for path in self._path.parent.glob(f"{self._path.name}[.-]*") if _is_plain(path)]
        return sorted(beside, key=_written_at)


def _first_line(file: BinaryIO) -> str:
    """A digest of the first line; "" while it is not whole."""
    head = os.pread(file.fileno(), LINE_MAX_BYTES, 0)
    line, end, _rest = head.partition(b"\n")
    return hashlib.sha256(line).hexdigest() if end or len(head) == LINE_MAX_BYTES else ""


def _has_line(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(_first_line(file))
    except FileNotFoundError:
        return False


def _is_at(file: BinaryIO, position: Position) -> bool:
    """Whether this file is the one of a position, and as long as that."""
    return os.fstat(file.fileno()).st_size >= position.offset and _first_line(file) == position.first_line


def _same_file(path: Path, mine: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), mine)
    except FileNotFoundError:
        return False


def _is_plain(path: Path) -> bool:
    return path.suffix not in {".gz", ".xz", ".bz2", ".zst"} and path.is_file()


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
