"""One logged-in connection to an IMAP server: our own commands, several in one flight.

Every read has a time limit and a byte limit. What goes wrong ends here, as `MailError`.
"""

from __future__ import annotations

import contextlib
import select
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from webmail.errors import Gone, OverQuota, Refused, Unavailable, Unreachable
from webmail.imap.stream import Stream
from webmail.imap.wire import Answer, Flight, Literal, Piece, Secret, Tagged, Untagged, parse_tagged, parse_untagged

RESPONSE_LIMIT_BYTES = 64 * 1024 * 1024

GONE_CODES = (b"NONEXISTENT", b"TRYCREATE")
EXPUNGED = b"EXPUNGEISSUED"
"""Some of the messages are gone: another program expunged them, which this connection had not heard (RFC 5530 section 3)."""
GONE_TEXTS = (
    "doesn't exist", "does not exist", "no such mailbox", "unknown mailbox", "nonexistent", "unable to open",
    "deleted under us",
)  # fmt: skip
FULL_TEXTS = ("over quota", "quota exceeded", "exceeded your mail quota")
"""What servers say without a code: Cyrus 3.6 and Courier 5 to APPEND."""
PASSING_CODES = (b"UNAVAILABLE", b"SERVERBUG", b"INUSE", b"LIMIT")
_STATUS = (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH")


class Connection:
    """Commands over a connection that imapclient opened. Not for two threads at once. `round_trips`, `bytes_in` and
    `bytes_out` count what it did after the login; `dirty` tells that messages came or went since the last SELECT, `selected`
    that some folder is, `kept` which one may stay so (see `webmail/imap/selected.py`)."""

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        self._imap: Any = client._imap
        self._stream = Stream(self._imap.file)
        self._tags = 0
        self._pending = bytearray()
        self.capabilities: frozenset[bytes] = frozenset()
        self.prefix: str | None = None
        self.dirty = True
        self.selected = False
        self.kept: Any = None
        self.left: list[int] = []
        """UIDs of the selected folder that were moved out of it here, as this connection was told, the last ones at the end."""
        self.resyncs = False
        """It was asked to tell what vanished (QRESYNC, RFC 7162 section 3.2.3)."""
        self.meanwhile: Callable[[], None] | None = None
        """What is done once, while the server is at the next flight."""
        self._late: set[bytes] = set()
        self.late_answers: list[Untagged] = []
        """What came back for the commands of the last `send`, once `settle` has read it."""
        self.round_trips = self.bytes_out = 0
        self.used_at = time.monotonic()
        self.waits_since: float | None = None
        self.broken = False

    @property
    def bytes_in(self) -> int:
        return self._stream.bytes_in

    @property
    def is_quiet(self) -> bool:
        """Whether nothing lies unread, neither news nor the end of the connection: then what is sent now very likely arrives."""
        waiting = select.poll()
        waiting.register(self._imap.sock, select.POLLIN)
        return not self._late and not waiting.poll(0)

    def has(self, capability: str) -> bool:
        """Whether the server offers this, as it said after the login."""
        return capability.encode() in self.capabilities

    def run(self, *commands: list[Piece]) -> Flight:
        """Sends commands in one flight and reads until each has ended. Raises Unreachable when the connection breaks; NO
        and BAD are in the flight's ends, for `check`."""
        self.settle()
        self.round_trips += 1
        exchange = _Exchange()
        with self._breaking():
            self._stream.begin()
            for command in commands:
                self._send(command, exchange)
            self._flush()
            self._use_the_wait()
            while len(exchange.ends) < len(exchange.tags):
                self._receive(exchange)
        return exchange.flight()

    def _use_the_wait(self) -> None:
        """Does what is to be done meanwhile. Where that fails the answers stay unread, so nobody may have the connection."""
        work, self.meanwhile = self.meanwhile, None
        if work is None:
            return
        try:
            work()
        except BaseException:
            self.broken = True
            raise

    def send(self, commands: Iterable[list[Piece]]) -> None:
        """Sends commands without literals and waits for nothing: `settle` reads how they end, while the server is at it
        something else can be done. Raises Unreachable."""
        self.settle()
        self.late_answers = []
        exchange = _Exchange()
        with self._breaking():
            for command in commands:
                self._send(command, exchange)
            self._late.update(exchange.tags)
            self._flush()

    def settle(self) -> None:
        """Reads how the commands of `send` ended; a NO is as if they had not been sent. Raises Unreachable."""
        if not self._late:
            return
        exchange = _Exchange()
        with self._breaking():
            self._stream.begin()
            while self._late:
                self._receive(exchange)
        self.late_answers += exchange.untagged

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """What goes wrong on the wire breaks the connection, and is Unreachable. `waits_since` tells others that somebody
        waits for the server."""
        self.waits_since = time.monotonic()
        try:
            yield
        except (OSError, EOFError, ssl.SSLError, ValueError) as error:
            self.broken = True
            raise Unreachable(str(error)) from error
        finally:
            self._pending.clear()
            self.waits_since = None
            self.used_at = time.monotonic()

    def ask(self, *pieces: Piece) -> Flight:
        """One command, which must end with OK."""
        flight = self.run(list(pieces))
        check(flight.ends[0])
        return flight

    def _send(self, pieces: list[Piece], exchange: _Exchange) -> None:
        self._tags += 1
        tag = b"C%d" % self._tags
        exchange.tags.append(tag)
        plus = self.has("LITERAL+")
        self._pending += tag
        for piece in pieces:
            if isinstance(piece, Answer):
                self._pending += b"\r\n"
                if not self._continued(exchange, tag):
                    return
                self._pending += piece.data
            elif isinstance(piece, Literal):
                self._pending += b" {%d%s}\r\n" % (len(piece.data), b"+" if plus else b"")
                if not plus and not self._continued(exchange, tag):
                    return
                self._pending += piece.data
            else:
                self._pending += b" " + (piece.data if isinstance(piece, Secret) else piece)
        self._pending += b"\r\n"

    def _continued(self, exchange: _Exchange, tag: bytes) -> bool:
        """Waits for the server's + ; False when it ended the command instead (a NO to a literal that is too big)."""
        self._flush()
        while tag not in exchange.ends:
            if self._receive(exchange):
                return True
        return False

    def _flush(self) -> None:
        if self._pending:
            self.bytes_out += len(self._pending)
            self._imap.send(bytes(self._pending))
            self._pending.clear()

    def _receive(self, exchange: _Exchange) -> bool:
        """Takes one response; True for a continuation request."""
        response = self._response()
        word, _space, rest = response.partition(b" ")
        if word == b"*":
            untagged = parse_untagged(rest)
            if untagged.kind in {b"EXISTS", b"EXPUNGE", b"VANISHED"}:
                self.dirty = True
            elif untagged.kind == b"BYE":
                raise EOFError("the server said goodbye")
            exchange.untagged.append(untagged)
        elif word in exchange.tags and word not in exchange.ends:
            exchange.ends[word] = end = parse_tagged(rest)
            # Cyrus says so, and nothing else, of a selected folder that another program has deleted: it is selected anew.
            self.dirty = self.dirty or (end.status == b"NO" and _is_gone(end))
            exchange.marks[word] = len(exchange.untagged)
        elif word in self._late:
            self._late.discard(word)
        elif word.strip() == b"+":
            return True
        else:
            raise EOFError("not IMAP")
        return False

    def _response(self) -> bytes:
        """One response with its literals, exactly as it came."""
        line = self._stream.line()
        if line.split(b" ", 2)[1:2] and line.split(b" ", 2)[1].upper() in _STATUS:
            return line
        pieces = [line]
        size = len(line)
        while pieces[-1].endswith(b"}\r\n") and (count := _literal_size(pieces[-1])) is not None:
            size += count
            if size > RESPONSE_LIMIT_BYTES:
                raise EOFError("response too long")
            pieces += [self._stream.exact(count), self._stream.line()]
            size += len(pieces[-1])
        return b"".join(pieces) if len(pieces) > 1 else line

    def count_from_here(self) -> None:
        """Starts the counters anew."""
        self.round_trips = self.bytes_out = self._stream.bytes_in = 0

    @property
    def is_dovecot(self) -> bool:
        """Whether its greeting says so."""
        return b"Dovecot" in (self._imap.welcome or b"")

    def close(self) -> None:
        """Says goodbye if that is possible, and closes."""
        with contextlib.suppress(OSError, IMAPClientError):
            if not self.broken:
                self._imap.send(b"Z LOGOUT\r\n")
        with contextlib.suppress(OSError, IMAPClientError):
            self._client.shutdown()
        self.broken = True


class _Exchange:
    """A flight that is still under way."""

    def __init__(self) -> None:
        self.tags: list[bytes] = []
        self.ends: dict[bytes, Tagged] = {}
        self.marks: dict[bytes, int] = {}
        self.untagged: list[Untagged] = []

    def flight(self) -> Flight:
        ends, marks = [self.ends[tag] for tag in self.tags], [self.marks[tag] for tag in self.tags]
        return Flight(ends, self.untagged, marks, self.tags)


def _literal_size(line: bytes) -> int | None:
    at = line.rfind(b"{")
    digits = line[at + 1 : -3].rstrip(b"+")
    return int(digits) if at >= 0 and digits.isdigit() and len(digits) <= 12 else None


def _is_gone(end: Tagged) -> bool:
    """Whether a NO says that a folder is not there."""
    code = end.code.split(b" ")[0].upper()
    return code in GONE_CODES or any(text in end.text.lower() for text in GONE_TEXTS)


def check(end: Tagged) -> None:
    """Raises what a NO or BAD means: OverQuota, Gone, Unavailable or Refused."""
    if end.status == b"OK":
        return
    code = end.code.split(b" ")[0].upper()
    if code == b"OVERQUOTA" or any(text in end.text.lower() for text in FULL_TEXTS):
        raise OverQuota(end.text)
    if code == EXPUNGED:
        raise Gone(end.text)
    if _is_gone(end):
        raise Gone(end.text)
    if code in PASSING_CODES:
        raise Unavailable(end.text)
    raise Refused(end.text)
