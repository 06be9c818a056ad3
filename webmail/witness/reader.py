"""An IMAP mailbox read by the standard library's client: EXAMINE, LIST, LSUB, STATUS and FETCH of RFC 3501, nothing newer.

It shares the socket and its TLS with the rest of Casilla, because that is where passwords are kept from strangers
(`webmail/dial.py`), and not one line of what reads answers.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import imaplib
import re
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from accounts.outbound import OutboundRefused
from webmail.dial import dial, tls_context
from webmail.values import Credentials, Endpoint, FolderId
from webmail.witness.headers import read_header, sender_of, sent_of, subject_of
from webmail.witness.seen import UNTOLD, Seen, SeenFolder, WitnessFailed

TIMEOUT_S = 60.0
HEADER_LIMIT_BYTES = 16_384
LITERAL_LIMIT_BYTES = 1_000_000
BATCH, UIDS_BATCH = 250, 5_000
FIELDS = "SUBJECT FROM DATE"
ITEMS = f"UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({FIELDS})]<0.{HEADER_LIMIT_BYTES}>"

_LIST = re.compile(rb'\(([^)]*)\) (?:"(\\?.)"|NIL) (.*)', re.DOTALL)
_START = re.compile(rb"(\d+) \((.*)", re.DOTALL)
_NUMBER = {name: re.compile(rb"\b" + name + rb" \(?(\d+)") for name in (b"UID", b"RFC822\\.SIZE", b"MODSEQ")}
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_ARRIVED = re.compile(rb'INTERNALDATE "([^"]+)"')
_STATUS = re.compile(rb"(MESSAGES|UNSEEN|UIDVALIDITY) (\d+)")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_PREFIX = re.compile(rb'\(\("((?:[^"\\]|\\.)*)"')
_ERRORS = (imaplib.IMAP4.error, OSError, OutboundRefused, ValueError)


class _Client(imaplib.IMAP4):
    """imaplib on a socket that `dial` opened."""

    def __init__(self, endpoint: Endpoint, ca_file: str) -> None:
        self._endpoint, self._ca_file = endpoint, ca_file
        super().__init__(endpoint.host, endpoint.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        raw = dial(self._endpoint)
        raw.settimeout(TIMEOUT_S)
        if self._endpoint.tls != "tls":
            return raw
        try:
            return tls_context(self._ca_file).wrap_socket(raw, server_hostname=self._endpoint.host)
        except OSError:
            raw.close()
            raise

    def read(self, size: int) -> bytes:
        if size > LITERAL_LIMIT_BYTES:
            raise self.abort("an answer that is too long")
        return super().read(size)


class ImapWitness:
    """A `Witness` over one connection of its own, closed by `close()` or `with`."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> None:
        try:
            self._client = _Client(endpoint, ca_file)
        except _ERRORS as error:
            raise _failed(error) from error
        try:
            if endpoint.tls == "starttls":
                self._client.starttls(tls_context(ca_file))
            self._log_in(credentials)
            self._items = f"({ITEMS}{' MODSEQ' if self._has('CONDSTORE') else ''})"
            self._prefix = self._namespace()
        except _ERRORS as error:
            self.close()
            raise _failed(error) from error
        except WitnessFailed:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(*_ERRORS):
            self._client.logout()

    def _log_in(self, credentials: Credentials) -> None:
        login, password = credentials.login, credentials.password
        if any(ord(char) < 32 or ord(char) == 127 for char in login + password):
            raise WitnessFailed("a password that no server could have")
        if (login + password).isascii():
            self._client.login(_quoted(login.encode()), password)
        else:
            self._client.authenticate("PLAIN", lambda _challenge: f"\0{login}\0{password}".encode())
        told = _check(self._client.capability())
        self._capabilities = frozenset(b" ".join(told).upper().decode("ascii", "replace").split())

    def _has(self, capability: str) -> bool:
        return capability in self._capabilities

    def _namespace(self) -> bytes:
        if not self._has("NAMESPACE"):
            return b""
        found = _PREFIX.match(_check(self._client.namespace())[0])
        return _unescaped(found[1]) if found else b""

    # --- folders ----------------------------------------------------------------------------------------------------

    def folders(self) -> list[SeenFolder]:
        with _failing():
            if self._client.state == "SELECTED":  # Dovecot 2.3 counts a selected folder as of its last look
                self._client.unselect() if self._has("UNSELECT") else self._client.close()
            subscribed = {name for _flags, _delimiter, name in self._names(self._client.lsub('""', "*"))}
            return [
                self._folder(attributes, delimiter, name, subscribed=name in subscribed)
                for attributes, delimiter, name in self._names(self._client.list('""', "*"))
            ]

    def _names(self, answer: tuple[str, list[Any]]) -> Iterator[tuple[frozenset[str], str, bytes]]:
        for item in _check(answer):
            line, literal = item if isinstance(item, tuple) else (item, None)
            found = _LIST.fullmatch(line) if line else None
            if found:
                raw = literal if literal is not None else found[3].strip()
                name = _unescaped(raw[1:-1]) if literal is None and raw[:1] == b'"' else raw
                delimiter = (found[2] or b"")[-1:].decode("ascii", "replace")
                yield frozenset(found[1].decode("ascii", "replace").lower().split()), delimiter, name

    def _folder(self, attributes: frozenset[str], delimiter: str, name: bytes, *, subscribed: bool) -> SeenFolder:
        inbox = name.upper() == b"INBOX"
        shown = name if inbox or not name.startswith(self._prefix) else name[len(self._prefix) :]
        text = shown.decode("utf-8", "replace")
        path = tuple(decode_name(part) for part in (text.split(delimiter) if delimiter else [text]))
        folder = SeenFolder(
            FolderId(name.decode("utf-8", "surrogateescape")), path, attributes, subscribed=subscribed or inbox
        )
        counts = self._counts(name) if folder.selectable else {}
        return SeenFolder(
            folder.id,
            path,
            attributes,
            folder.subscribed,
            total=counts.get(b"MESSAGES"),
            unread=counts.get(b"UNSEEN"),
            validity=counts.get(b"UIDVALIDITY"),
        )

    def _counts(self, name: bytes) -> dict[bytes, int]:
        status, data = self._client.status(_quoted(name), "(MESSAGES UNSEEN UIDVALIDITY)")
        if status != "OK" or not data or data[0] is None:
            return {}
        last = data[-1] if isinstance(data[-1], bytes) else b""
        return {key: int(value) for key, value in _STATUS.findall(last[last.rfind(b"(") :])}

    # --- messages ---------------------------------------------------------------------------------------------------

    def enter(self, folder: FolderId) -> int | None:
        with _failing():
            status, _data = self._client.select(_quoted(folder.encode("utf-8", "surrogateescape")), readonly=True)
            if status != "OK":
                return None
            _name, told = self._client.response("UIDVALIDITY")
            return int(told[0]) if told and told[0] else 0

    def uids(self) -> Iterator[tuple[int, frozenset[str]]]:
        """By numbers of the session, which hold as long as nothing but FETCH is sent (RFC 3501 section 7.4.1)."""
        _name, told = self._client.response("EXISTS")
        exists = int(told[-1]) if told and told[-1] else 0
        for first in range(1, exists + 1, UIDS_BATCH):
            with _failing():
                answer = self._client.fetch(f"{first}:{min(exists, first + UIDS_BATCH - 1)}", "(UID FLAGS)")
                for text, _literal in _messages(_check(answer)):
                    uid, flags = _NUMBER[b"UID"].search(text), _FLAGS.search(text)
                    if uid and flags:
                        yield int(uid[1]), frozenset(flags[1].decode("utf-8", "replace").lower().split())

    def read(self, uids: Sequence[int]) -> dict[int, Seen]:
        found: dict[int, Seen] = {}
        with _failing():
            _check(self._client.noop())
            for first in range(0, len(uids), BATCH):
                some = sorted(uids[first : first + BATCH])
                answer = self._client.uid("FETCH", ",".join(map(str, some)), self._items)
                wanted = set(some)
                for text, literal in _messages(_check(answer)):
                    uid = _NUMBER[b"UID"].search(text)
                    seen = _seen(text, literal)
                    if uid and seen and int(uid[1]) in wanted:
                        found[int(uid[1])] = seen
        return found


def _failed(error: Exception) -> WitnessFailed:
    broken = isinstance(error, OSError | OutboundRefused | imaplib.IMAP4.abort)
    return WitnessFailed(str(error), unreachable=broken)


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise _failed(error) from error


def _check(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    if status != "OK":
        words = data[0].decode("utf-8", "replace") if data and isinstance(data[0], bytes) else status
        raise WitnessFailed(words)
    return [item for item in data if item is not None]


def _messages(data: list[Any]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each FETCH answer: its text without the literal, and the literal (None without one)."""
    text, literal = b"", None
    for item in data:
        line = item[0] if isinstance(item, tuple) else item
        if _START.match(line) and text:
            yield text, literal
            text, literal = b"", None
        text += b" " + line
        if isinstance(item, tuple):
            literal = item[1]
    if text:
        yield text, literal


def _seen(text: bytes, literal: bytes | None) -> Seen | None:
    """One message; None for an answer that tells less, as of a flag that somebody changed meanwhile."""
    size, arrived, flags = _NUMBER[b"RFC822\\.SIZE"].search(text), _ARRIVED.search(text), _FLAGS.search(text)
    if not (size and arrived and flags):
        return None
    modseq = _NUMBER[b"MODSEQ"].search(text)
    message, clean = read_header(literal or b"")
    told = clean and len(literal or b"") < HEADER_LIMIT_BYTES
    return Seen(
        flags=frozenset(flags[1].decode("utf-8", "replace").split()) - {"\\Recent"},
        size_bytes=int(size[1]),
        received=datetime.strptime(arrived[1].decode("ascii"), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC),
        sent=sent_of(message) if told else UNTOLD,
        subject=subject_of(message) if told else UNTOLD,
        sender=sender_of(message) if told else UNTOLD,
        modseq=int(modseq[1]) if modseq else None,
    )


def decode_name(name: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501 section 5.1.3); one that breaks its rules stays as it is."""
    try:
        return _SHIFTED.sub(_unshifted, name)
    except (binascii.Error, UnicodeDecodeError):
        return name


def _unshifted(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    packed = found[1].replace(",", "/")
    return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-16-be")


def _quoted(name: bytes) -> Any:
    """As imaplib passes bytes on without a look, which its annotations do not know."""
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _unescaped(name: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", name)
