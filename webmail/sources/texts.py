"""What is searched of a folder without its server: subject, sender and recipients of every message, folded as IMAP compares
text, in pieces in Redis. Nothing of it changes under a UID, so it only ever grows; who is in the folder, its order says.

Folded is what RFC 5051 (i;unicode-casemap) says: title case of each character, then its full decomposition. An accent is a
character of its own then, as it is for Dovecot: "jose" finds "José", "josé" does not find "Jose".
"""

from __future__ import annotations

import logging
import re
import threading
import time
import unicodedata
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from webmail.errors import MailError
from webmail.imap.connection import Connection, check
from webmail.imap.fetch import by_uid, fetch_command
from webmail.imap.session import Session
from webmail.mime.headers import SHORT_BYTES, SHORT_VALUES, decode_header, split_header
from webmail.sources.cache import Head, MailCache
from webmail.sources.recent import Recent
from webmail.values import FolderId

PIECE = 2_000
"""Messages of a piece."""
BATCH = 500
"""Messages that are read at a time; so many new ones are read while somebody waits."""
TEXT_LIMIT_BYTES = 16_384
ITEMS = b"UID BODY.PEEK[HEADER.FIELDS (SUBJECT FROM TO CC)]<0.%d>" % TEXT_LIMIT_BYTES
BETWEEN = b"\x1f"
"""Stands between two fields: nothing that is searched for has it."""
LOCK_S = 60
WORK = "texts"
ASKED, ASKED_S = "asked", 7 * 24 * 3600
WORTH, MANY = 6, 20_000
"""Reading a folder costs what half a dozen searches of the server's cost: so many of a week are the server's alone, and one of
a folder of more than MANY messages, where each takes it a third of a second."""
RECENT_BYTES = 64 * 1024 * 1024
"""Texts that a process holds: about 12 MB for 100,000 messages."""

logger = logging.getLogger(__name__)


def fold(text: str) -> bytes:
    """A text as it is compared."""
    if text.isascii():
        return text.upper().encode("ascii")
    title = "".join(map(_title, text)) if _odd().search(text) else text.upper()
    return unicodedata.normalize("NFKD", title).encode("utf-8", "replace")


def _title(char: str) -> str:
    """Title case of a character where that is one character."""
    title = char.title()
    return title if len(title) == 1 else char


@cache
def _odd() -> re.Pattern[str]:
    """Characters whose title case is not their capital: "ß", "ǆ", ligatures. There are none past the first two planes."""
    odd = [char for char in map(chr, range(0x80, 0x20000)) if char.upper() != _title(char)]
    return re.compile(f"[{''.join(odd)}]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some messages: their UIDs, where the text of each begins, and the texts one after another, a line each."""

    uids: array[int]
    starts: array[int]
    texts: bytes

    def find(self, needle: bytes) -> Iterable[int]:
        """The UIDs of messages in whose text it is."""
        at = self.texts.find(needle)
        while at >= 0:
            row = bisect_right(self.starts, at) - 1
            yield self.uids[row]
            end = self.starts[row + 1] if row + 1 < len(self.starts) else len(self.texts)
            at = self.texts.find(needle, end)

    def pack(self) -> bytes:
        numbers = array("I", [len(self.uids)]) + self.uids + self.starts
        return zlib.compress(numbers.tobytes() + self.texts, 1)


def make_piece(texts: dict[int, bytes]) -> Piece:
    starts, at = array("I"), 0
    for text in texts.values():
        starts.append(at)
        at += len(text) + 1
    return Piece(array("I", texts), starts, b"".join(text + b"\n" for text in texts.values()))


def unpack_piece(packed: bytes | None) -> Piece | None:
    try:
        data = zlib.decompress(packed or b"")
    except zlib.error:
        return None
    size = array("I").itemsize
    count = array("I", data[:size])[0]
    numbers = array("I", data[size : size * (1 + 2 * count)])
    return Piece(numbers[:count], numbers[count:], data[size * (1 + 2 * count) :])


@dataclass(slots=True)
class Index:
    """The pieces of a folder, and for which orders it was found that every message is in them."""

    pieces: list[Piece]
    whole_for: set[Head] = field(default_factory=set)

    def lacks(self, order: Sequence[int]) -> int:
        """How many messages of an order are in no piece, at the least."""
        return len(order) - sum(len(piece.uids) for piece in self.pieces)

    def missing(self, order: Sequence[int], head: Head) -> list[int]:
        """Messages of an order that are in no piece."""
        if head in self.whole_for:
            return []
        known = {uid for piece in self.pieces for uid in piece.uids}
        missing = [uid for uid in order if uid not in known]
        if not missing:
            self.whole_for = {head}
        return missing

    def find(self, text: str) -> set[int]:
        needle = fold(" ".join(text.split()))
        return {uid for piece in self.pieces for uid in piece.find(needle)}


_recent: Recent[tuple[int, Index]] = Recent(
    RECENT_BYTES, lambda kept: 1_000 + sum(len(piece.texts) + 8 * len(piece.uids) for piece in kept[1].pieces)
)


class Texts:
    """The texts of one account's folders."""

    def __init__(self, session: Session, cache: MailCache) -> None:
        self._session = session
        self._cache = cache

    def find(
        self, folder: FolderId, validity: int, order: Sequence[int], head: Head, text: str, *, counts: bool = True
    ) -> set[int] | None:
        """The UIDs of messages of this order whose texts have it; None while not all of them were read: that goes on behind
        the page's back, once enough searches that `counts` asked for it. A few new ones are read at once."""
        index = self._load(folder, validity)
        missing = index.missing(order, head) if index.lacks(order) <= BATCH else None
        if missing is None or len(missing) > BATCH:
            if counts and self._cache.count(folder, ASKED, ASKED_S) > (1 if len(order) > MANY else WORTH):
                self._read_behind(folder, validity, index, order, head)
            return None
        if missing:
            if self._session.known(folder) is None:
                return None
            texts = read_texts(self._session.connection, missing)
            if len(texts) < len(missing):
                return None
            self._add(folder, validity, texts)
            index = self._load(folder, validity)
            if index.missing(order, head):
                return None
        return index.find(text)

    def whole(self, folder: FolderId, validity: int, order: Sequence[int], head: Head) -> Index | None:
        """The texts of every message of this order, None where the server has to be asked for some."""
        index = self._load(folder, validity)
        return index if index.lacks(order) <= 0 and not index.missing(order, head) else None

    def _load(self, folder: FolderId, validity: int) -> Index:
        count = self._cache.text_pieces(folder, validity)
        key = (self._cache.account, folder, validity)
        kept = _recent.get(key)
        if kept and kept[0] == count:
            return kept[1]
        before, old = (kept[0], kept[1].pieces) if kept and kept[0] < count else (0, [])
        packed = self._cache.texts(folder, validity, range(before, count))
        index = Index([*old, *(piece for one in packed if (piece := unpack_piece(one)) is not None)])
        _recent.keep(key, (count, index))
        return index

    def _add(self, folder: FolderId, validity: int, texts: dict[int, bytes]) -> None:
        self._cache.add_texts(folder, validity, make_piece(texts).pack())

    def _read_behind(self, folder: FolderId, validity: int, index: Index, order: Sequence[int], head: Head) -> None:
        """Reads what is missing on a connection of its own, the newest first, at half speed; one process does it at a time."""
        if self._cache.lock(folder, WORK, LOCK_S):
            behind = Texts(self._session.another(), self._cache)
            newest = sorted(index.missing(order, head), reverse=True)
            threading.Thread(
                target=behind._read_all, args=(folder, validity, newest), name="texts", daemon=True
            ).start()

    def _read_all(self, folder: FolderId, validity: int, uids: list[int]) -> None:
        try:
            for start in range(0, len(uids), PIECE):
                texts: dict[int, bytes] = {}
                for at in range(start, min(start + PIECE, len(uids)), BATCH):
                    began = time.monotonic()
                    if self._session.read(lambda: self._session.selected(folder))[0].validity != validity:
                        return
                    texts |= read_texts(self._session.connection, uids[at : min(at + BATCH, start + PIECE)])
                    self._cache.lock(folder, WORK, LOCK_S, again=True)
                    time.sleep(min(1.0, time.monotonic() - began))
                self._add(folder, validity, texts)
        except MailError as error:
            logger.info("texts: %s", type(error).__name__)
        finally:
            self._session.close()
            self._cache.unlock(folder, WORK)


def read_texts(connection: Connection, uids: list[int]) -> dict[int, bytes]:
    """The folded texts of messages of the selected folder; those that are not there any more are left out."""
    flight = connection.run(fetch_command(uids, ITEMS))
    check(flight.ends[0])
    found = by_uid(flight, uids)
    return {uid: _text(found[uid].section()) for uid in uids if uid in found}


def _text(header: bytes) -> bytes:
    fields, _defects = split_header(header)
    return BETWEEN.join(map(_folded, (value for _name, value in fields)))


@lru_cache(maxsize=SHORT_VALUES)
def _folded_again(value: bytes) -> bytes:
    return fold(" ".join(decode_header(value).split()))


def _folded(value: bytes) -> bytes:
    """A field's text; those of people come again and again."""
    return _folded_again(value) if len(value) <= SHORT_BYTES else fold(" ".join(decode_header(value).split()))
