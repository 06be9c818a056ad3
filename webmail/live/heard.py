"""What a server says by itself, made into kinds of change: NOTIFY's STATUS of many folders, and IDLE's news of one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise

from imapclient import imap_utf7

from webmail.imap.wire import Token, Untagged
from webmail.live.events import Kind, Marking
from webmail.values import FolderId

COUNTED = (b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES", b"UNSEEN", b"HIGHESTMODSEQ")
PASSING = frozenset({b"\\MARKED", b"\\UNMARKED"})
"""What LIST says of a folder and means its mail (RFC 9051 section 7.3.1)."""
Counts = tuple[int, ...]
News = tuple[Kind, FolderId, Marking | None]
"""What changed, where, and what is known of it when it is marks alone."""
MOVEMENTS = frozenset({b"EXISTS", b"EXPUNGE", b"VANISHED", b"FETCH"})
"""What is told of the selected folder."""
UNKNOWN: Counts = (0, 0, 0, 0, 0)


class NotifyEars:
    """What NOTIFY tells of an account (RFC 5465): counts of folders, of which those that changed are kept here. Dovecot 2.3
    tells the same counts twice at first; that is no change."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self.overflown = False
        """The server gave up telling (section 5.8)."""
        self.looks = False
        """What comes is what was asked for: a list of all folders, with their counts."""
        self.passes_inbox = False
        """The Inbox is heard of elsewhere."""
        self._listed: set[tuple[frozenset[bytes], bytes]] = set()
        self._known: int | None = None

    @property
    def folders(self) -> int:
        """How many folders there are."""
        return len(self._counts)

    def messages(self, folder: FolderId) -> int:
        """How many a folder has, as far as it was told."""
        return self._counts.get(folder, UNKNOWN)[COUNTED.index(b"MESSAGES")]

    def found_other_folders(self) -> bool:
        """Whether the list that came is another than the one before, as after what was told of already."""
        before, self._known = self._known, hash(frozenset(self._listed))
        self._listed, self.looks = set(), False
        return before is not None and before != self._known

    def take(self, untagged: Untagged) -> News | None:
        """What this response says that was not known."""
        if untagged.kind == b"STATUS":
            return self._status(untagged.tokens())
        if untagged.kind == b"LIST" and self.looks:
            flags, _bracket, name = untagged.data.partition(b")")
            self._listed.add((frozenset(flags.strip(b"( ").upper().split()) - PASSING, name))
            return None
        if untagged.kind == b"LIST":
            return Kind.FOLDERS, FolderId(""), None
        if untagged.kind == b"OK" and b"[NOTIFICATIONOVERFLOW" in untagged.data.upper():
            self.overflown = True
        return None

    def _status(self, tokens: list[Token]) -> News | None:
        if len(tokens) < 2 or not isinstance(tokens[0], bytes) or not isinstance(tokens[1], list):
            return None
        name = sys.intern(_wire_name(tokens[0]))  # most accounts name their folders alike
        if self.passes_inbox and name.upper() == "INBOX":
            return None
        known = self._counts.get(name)
        counts = _counts(tokens[1], known or UNKNOWN)
        if counts == known:
            return None
        self._counts[name] = counts
        kind = _kind(known, counts)
        return kind, FolderId(name), _marking(known, counts) if known and kind is Kind.FLAGS else None


def _wire_name(name: bytes) -> str:
    """The folder's name as every other command has it. Dovecot 2.3 tells it in UTF-8 here, not in modified UTF-7."""
    text = name.decode("utf-8", "surrogateescape")
    if text.isascii() and ("&" not in text or _is_encoded(text)):
        return text
    try:
        return str(imap_utf7.encode(text).decode("ascii"))
    except ValueError:
        return text


def _is_encoded(text: str) -> bool:
    try:
        return bool(imap_utf7.encode(imap_utf7.decode(text.encode("ascii"))).decode("ascii") == text)
    except (ValueError, LookupError):
        return False


def _counts(items: list[Token], known: Counts) -> Counts:
    told = dict(_pairs(items))
    return tuple(told.get(name, before) for name, before in zip(COUNTED, known, strict=True))


def _pairs(items: list[Token]) -> Iterator[tuple[bytes, int]]:
    for at, (name, value) in enumerate(pairwise(items)):
        if at % 2 == 0 and isinstance(name, bytes) and isinstance(value, bytes) and value.isdigit():
            yield name.upper(), int(value[:20])


def _kind(before: Counts | None, now: Counts) -> Kind:
    if before is None or before[0] != now[0]:
        return Kind.ALL
    if now[1] > before[1]:
        return Kind.NEW
    return Kind.GONE if now[2] < before[2] else Kind.FLAGS


def _marking(before: Counts, now: Counts) -> Marking | None:
    """What is told of a change in marks alone; None where messages came or went as well, or without CONDSTORE."""
    if before[1:3] != now[1:3] or not 0 < before[4] < now[4]:
        return None
    return Marking(now[0], before[4], now[4], before[3], now[3])


class IdleEars:
    """What IDLE tells of the selected folder (RFC 2177)."""

    def __init__(self) -> None:
        self._exists = 0

    def take(self, untagged: Untagged) -> Kind | None:
        if untagged.kind == b"EXISTS":
            came = untagged.number > self._exists
            self._exists = untagged.number
            return Kind.NEW if came else None
        if untagged.kind in {b"EXPUNGE", b"VANISHED"}:
            self._exists -= 1
            return Kind.GONE
        return Kind.FLAGS if untagged.kind == b"FETCH" else None
