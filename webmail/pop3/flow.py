"""What is under way in a pipelined POP3 session: messages, and fences that tell whether answers are in step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from webmail.errors import MailError
from webmail.pop3.listing import clean_uidl
from webmail.pop3.replies import is_ok

WINDOW_BYTES = 16 * 1024 * 1024
"""How much mail may be under way, by the sizes that were listed: this is read before a session can be ended."""
FENCE_MESSAGES, FENCE_BYTES = 32, 4 * 1024 * 1024
"""After so much it is made sure that the answers are in step."""


class Wanted(NamedTuple):
    """A message to fetch: its number, its size as listed, its unique-id ("" = the server has none), and whether it was in doubt
    before, so that it has to be told apart from all others."""

    number: int
    size_bytes: int | None = None
    uidl: str = ""
    doubtful: bool = False


class Fence(NamedTuple):
    """A question whose answer tells that all before it are in step."""

    number: int
    uidl: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What one RETR carried: in `data`, or in a file at `path`, which is its receiver's to move or remove. With `error` the
    server refused this one, and nothing else is set."""

    number: int
    sha256: str
    size_bytes: int
    data: bytes | None
    path: Path | None
    error: MailError | None = None


class Misfit(Exception):
    """An answer that is not the one to the command."""


class Flow:
    """What is under way: messages, and fences between them. The first fence stands before all messages: a server that does
    not know UIDL with a number is asked no more."""

    def __init__(self, wanted: Iterable[Wanted], window: int, *, fenced: bool) -> None:
        self._window = window
        self._items = self._with_fences(wanted)
        self.fenced, self.proved = fenced, False
        self.waiting: deque[Wanted | Fence] = deque()
        self.under_way = 0

    def _with_fences(self, wanted: Iterable[Wanted]) -> Iterator[Wanted | Fence]:
        open_, open_bytes, last = 0, 0, None
        for one in wanted:
            if last is None:
                self.fenced = self.fenced and bool(one.uidl)
            if self.fenced and (last is None or (one.doubtful and open_)):
                yield Fence((last or one).number, (last or one).uidl)
                open_, open_bytes = 0, 0
            yield one
            last, open_, open_bytes = one, open_ + 1, open_bytes + (one.size_bytes or 0)
            if self.fenced and (one.doubtful or open_ >= FENCE_MESSAGES or open_bytes >= FENCE_BYTES):
                yield Fence(one.number, one.uidl)
                open_, open_bytes = 0, 0
        if self.fenced and open_ and last is not None:
            yield Fence(last.number, last.uidl)

    def order(self) -> bytes:
        """The next commands: as many as there is room for, one ahead where the server does not pipeline."""
        if len(self.waiting) > self._window // 2:
            return b""
        commands: list[bytes] = []
        while len(self.waiting) < self._window and (not self.waiting or self.under_way < WINDOW_BYTES):
            one = next(self._items, None)
            if one is None:
                break
            self.waiting.append(one)
            commands.append((b"RETR %d\r\n" if isinstance(one, Wanted) else b"UIDL %d\r\n") % one.number)
            self.under_way += (one.size_bytes or 0) if isinstance(one, Wanted) else 0
        return b"".join(commands)

    def check(self, fence: Fence, status: bytes) -> None:
        """Raises Misfit when this is not the answer to a fence. The first may be refused: then none is looked at."""
        if not self.proved and not is_ok(status):
            self.fenced = False
        if not self.fenced:
            return
        words = status.split(maxsplit=2)
        told = len(words) == 3 and words[0].upper() == b"+OK" and words[1].isdigit() and len(words[1]) < 11
        if not told or int(words[1]) != fence.number or clean_uidl(words[2]) != fence.uidl:
            raise Misfit
        self.proved = True
