"""A POP3 session (RFC 1939, 2449, 2595, 5034): pipelined where the server allows it, byte-exact, every wait with an end."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from accounts.outbound import OutboundRefused
from webmail.dial import dial, tls_context
from webmail.errors import (
    Busy,
    CertificateRefused,
    LoginRefused,
    MailError,
    Refused,
    ServerTrouble,
    TooSoon,
    Unreachable,
)
from webmail.pop3.wire import READ_TIMEOUT_S, Wire
from webmail.values import Credentials, Endpoint

WINDOW = 256
"""How many RETRs or DELEs may be under way where the server pipelines."""
WINDOW_BYTES = 16 * 1024 * 1024
"""And how much mail by the sizes it listed: this is read before a session can be ended."""
MESSAGES_LIMIT = 1_000_000
UIDL_LIMIT = 200
_CODES: dict[bytes, type[MailError]] = {
    b"IN-USE": Busy,
    b"LOGIN-DELAY": TooSoon,
    b"SYS/TEMP": ServerTrouble,
    b"SYS/PERM": Refused,
    b"AUTH": LoginRefused,
}
_GRAPHIC = bytes(range(0x21, 0x7F))
_HIGH = bytes(range(0xA1, 0x100))


class Listed(NamedTuple):
    """One message of a listing. `uidl` is the unique-id as text; one that is too long or holds what no unique-id may stands as
    the hash of itself; "" where the server has none."""

    number: int
    uidl: str
    size_bytes: int | None = None


@dataclass(frozen=True)
class Listing:
    """What a server lists. `raw` is its answer to UIDL, or to LIST where it knows no UIDL."""

    raw: bytes
    has_uidl: bool

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the answer to UIDL, "" without UIDL."""
        return hashlib.sha256(self.raw).hexdigest() if self.has_uidl else ""

    @property
    def count(self) -> int:
        """How many lines it has."""
        return self.raw.count(b"\n")

    @cached_property
    def messages(self) -> tuple[Listed, ...]:
        """The messages, in the server's order. Raises Unreachable for what is no listing."""
        if self.has_uidl:
            return tuple(Listed(number, _uidl(rest)) for number, rest in _numbered(self.raw))
        return tuple(Listed(number, "") for number, _rest in _numbered(self.raw))


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


def connect(endpoint: Endpoint, *, ca_file: str = "") -> Pop3Session:
    """A connection that was greeted, with TLS as the endpoint says and never less. Raises Unreachable, CertificateRefused,
    Busy, TooSoon, ServerTrouble or Refused."""
    with _translating():
        sock = dial(endpoint)
    session = Pop3Session(Wire(sock), endpoint)
    try:
        with _translating():
            session.greet(tls_context(ca_file) if endpoint.tls != "none" else None)
    except BaseException:
        session.close()
        raise
    return session


class Pop3Session:
    """One session, used by one thread. Each method raises MailError; after Unreachable it is of no more use.

    `answer_ms` is the time from a command to its answer at the beginning; `pipelining` what the server offers, as far as it
    was asked.
    """

    def __init__(self, wire: Wire, endpoint: Endpoint) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._asked = False
        self.capabilities: frozenset[str] = frozenset()
        self.pipelining = False
        self.answer_ms = 0

    # --- the beginning ----------------------------------------------------------------------------------------------

    def greet(self, context: ssl.SSLContext | None) -> None:
        """Reads the greeting, and begins TLS where `context` says so."""
        if self._endpoint.tls == "tls" and context:
            self._secure(context)
        started = time.monotonic()
        self._wire.begin()
        _check(self._wire.line(), Refused)
        if self._endpoint.tls == "starttls" and context:
            started = time.monotonic()
            try:
                self._ask(b"STLS")
            except Refused as error:
                raise Unreachable("the server offers no TLS") from error
            if self._wire.unread:
                raise Unreachable("an answer came before TLS")
            self._secure(context)
        self.answer_ms = round((time.monotonic() - started) * 1000)

    def _secure(self, context: ssl.SSLContext) -> None:
        old = self._wire
        old.sock.settimeout(READ_TIMEOUT_S)
        self._wire = Wire(context.wrap_socket(old.sock, server_hostname=self._endpoint.host))

    def login_and_list(self, credentials: Credentials, *, oauth2: bool = False, pipelined: bool = False) -> Listing:
        """Logs in and asks for the unique-ids, in one flight where the caller knows from before that the server pipelines.
        Raises LoginRefused for a wrong user or password, Busy and TooSoon where the server says so."""
        with _translating():
            if pipelined and not oauth2:
                user, password = _login_lines(credentials)
                self._asked = self.pipelining = True
                started = time.monotonic()
                self._wire.begin()
                self._wire.send(user + password + b"UIDL\r\n")
                statuses = [self._wire.line(), self._wire.line()]
                self.answer_ms = round((time.monotonic() - started) * 1000)
                for status in statuses:
                    _check(status, LoginRefused)
            else:
                self._ask_capabilities()
                self._log_in(credentials, oauth2=oauth2)
                self._wire.send(b"UIDL\r\n")
            return self._read_listing()

    def _ask_capabilities(self) -> None:
        if self._asked:
            return
        started = time.monotonic()
        self._wire.begin()
        self._wire.send(b"CAPA\r\n")
        if self._wire.line().upper().startswith(b"+OK"):
            words = self._wire.listing().decode("ascii", "replace").upper().splitlines()
            self.capabilities = frozenset(line.strip() for line in words)
        self.pipelining = "PIPELINING" in self.capabilities
        self.answer_ms = round((time.monotonic() - started) * 1000)
        self._asked = True

    def _log_in(self, credentials: Credentials, *, oauth2: bool) -> None:
        mechanisms: list[str] = next((line.split()[1:] for line in self.capabilities if line.startswith("SASL ")), [])
        if oauth2:
            self._log_in_with_token(credentials, mechanisms)
        elif self.capabilities and "USER" not in self.capabilities and "PLAIN" in mechanisms:
            plain = f"\0{credentials.login}\0{credentials.password}".encode()
            self._authenticate(b"PLAIN", plain)
        else:
            for line in _login_lines(credentials):
                self._wire.begin()
                self._wire.send(line)
                _check(self._wire.line(), LoginRefused)

    def _log_in_with_token(self, credentials: Credentials, mechanisms: list[str]) -> None:
        """OAUTHBEARER (RFC 7628) where that alone is offered, else XOAUTH2."""
        _clean(credentials.login, credentials.password)
        bearer = f"auth=Bearer {credentials.password}\1\1"
        if "OAUTHBEARER" in mechanisms and "XOAUTH2" not in mechanisms:
            where = f"host={self._endpoint.host}\1port={self._endpoint.port}\1"
            self._authenticate(b"OAUTHBEARER", f"n,a={credentials.login},\1{where}{bearer}".encode())
        else:
            self._authenticate(b"XOAUTH2", f"user={credentials.login}\1{bearer}".encode())

    def _authenticate(self, mechanism: bytes, response: bytes) -> None:
        """AUTH in two steps (RFC 5034 section 4): a token is longer than a command line may be."""
        self._wire.begin()
        self._wire.send(b"AUTH %s\r\n" % mechanism)
        if not (status := self._wire.line()).startswith(b"+ ") and status != b"+":
            _check(status, LoginRefused)
        self._wire.send(base64.b64encode(response) + b"\r\n")
        if (status := self._wire.line()).startswith(b"+ "):  # what was wrong, to which nothing is answered
            self._wire.send(b"*\r\n")
            status = self._wire.line()
        _check(status, LoginRefused)

    # --- listing ----------------------------------------------------------------------------------------------------

    def _read_listing(self) -> Listing:
        self._wire.begin()
        status = self._wire.line()
        if status.upper().startswith(b"+OK"):
            return Listing(self._wire.listing(), has_uidl=True)
        if _code(status) in _CODES:
            _check(status, Refused)
        self._ask(b"LIST")
        return Listing(self._wire.listing(), has_uidl=False)

    def sizes(self) -> dict[int, int]:
        """The size in octets of each message, by its number, as the server tells it."""
        with _translating():
            self._ask(b"LIST")
            told = ((number, rest.split(maxsplit=1)[:1]) for number, rest in _numbered(self._wire.listing()))
            return {number: int(size[0]) for number, size in told if size and size[0].isdigit() and len(size[0]) < 15}

    # --- messages ---------------------------------------------------------------------------------------------------

    def retrieve(
        self,
        wanted: Iterable[tuple[int, int | None]],
        spool: Path,
        *,
        beat: Callable[[], None] | None = None,
    ) -> Iterator[Retrieved]:
        """RETR for each (number, size as listed) in turn. `wanted` is asked for more only when there is room under way, so that
        its end ends the work soon. `beat` is called every second or so, and may raise."""
        source = iter(wanted)
        waiting: deque[tuple[int, int]] = deque()
        under_way = 0
        self._wire.beat = beat
        try:
            with _translating():
                under_way += self._order(source, waiting, under_way)
                while waiting:
                    number, size = waiting.popleft()
                    self._wire.begin()
                    status = self._wire.line()
                    under_way += self._order(source, waiting, under_way)
                    yield self._receive(number, status, spool)
                    under_way -= size
                    if not waiting:
                        under_way += self._order(source, waiting, under_way)
        finally:
            self._wire.beat = None

    def _order(self, source: Iterator[tuple[int, int | None]], waiting: deque[tuple[int, int]], under_way: int) -> int:
        """Asks for as many messages as there is room for, one ahead where the server does not pipeline; gives their size."""
        window = WINDOW if self.pipelining else 1
        if len(waiting) > window // 2:
            return 0
        commands, more = [], 0
        while len(waiting) < window and (not waiting or under_way + more < WINDOW_BYTES):
            number, size = next(source, (0, None))
            if not number:
                break
            waiting.append((number, size or 0))
            commands.append(b"RETR %d\r\n" % number)
            more += size or 0
        if commands:
            self._wire.send(b"".join(commands))
        return more

    def _receive(self, number: int, status: bytes, spool: Path) -> Retrieved:
        try:
            _check(status, Refused)
        except Unreachable:
            raise
        except MailError as error:
            return Retrieved(number, "", 0, None, None, error)
        octets = self._wire.octets(spool)
        return Retrieved(number, octets.sha256, octets.size_bytes, octets.data, octets.path)

    def delete(self, numbers: Sequence[int]) -> list[int]:
        """DELE for each; gives those to which the server said +OK. It deletes them at QUIT."""
        window = WINDOW if self.pipelining else 1
        accepted = []
        with _translating():
            for at in range(0, len(numbers), window):
                part = numbers[at : at + window]
                self._wire.begin()
                self._wire.send(b"".join(b"DELE %d\r\n" % number for number in part))
                for number in part:
                    if _is_ok(self._wire.line()):
                        accepted.append(number)
        return accepted

    def quit(self) -> None:
        """Ends the session; what was deleted is gone once this returns. Raises MailError when the server does not say so."""
        with _translating():
            self._ask(b"QUIT")
        self.close()

    def close(self) -> None:
        """Drops the connection without QUIT: the server forgets every DELE (RFC 1939 section 6)."""
        with contextlib.suppress(OSError):
            self._wire.sock.close()

    def _ask(self, command: bytes) -> bytes:
        self._wire.begin()
        self._wire.send(command + b"\r\n")
        return _check(self._wire.line(), Refused)


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(error.verify_message) from error
    except (OutboundRefused, OSError, EOFError, ValueError) as error:
        raise Unreachable(str(error)) from error


def _is_ok(status: bytes) -> bool:
    if status.upper().startswith(b"+OK"):
        return True
    if status.upper().startswith(b"-ERR"):
        return False
    raise EOFError("not POP3")


def _check(status: bytes, otherwise: type[MailError]) -> bytes:
    """The status line, when it is +OK. Raises what its code says (RFC 2449 section 8, RFC 3206), `otherwise` without one."""
    if _is_ok(status):
        return status
    text = "".join(char if char.isprintable() else " " for char in status[4:300].decode("utf-8", "replace")).strip()
    kind = _CODES.get(_code(status))
    if kind is None and otherwise is LoginRefused and ("lock" in text.lower() or "in use" in text.lower()):
        kind = Busy
    raise (kind or otherwise)(text)


def _code(status: bytes) -> bytes:
    """The response code of a status line, upper case, b"" without one."""
    rest = status[4:].lstrip()
    return rest[1 : rest.find(b"]")].upper() if rest.startswith(b"[") and b"]" in rest else b""


def _numbered(raw: bytes) -> list[tuple[int, bytes]]:
    """The lines of a listing: message number, and the rest. Raises EOFError for what is none."""
    lines = raw.split(b"\r\n")
    if len(lines) > MESSAGES_LIMIT:
        raise Unreachable("too many messages")
    found: list[tuple[int, bytes]] = []
    seen: set[int] = set()
    for line in lines:
        if not line:
            continue
        digits, _space, rest = line.partition(b" ")
        if not digits.isdigit() or len(digits) > 10 or not (number := int(digits)) or number in seen:
            raise Unreachable("not a listing")
        seen.add(number)
        found.append((number, rest))
    return found


def _uidl(rest: bytes) -> str:
    text = rest.strip()
    if not text or len(text) > UIDL_LIMIT or text.translate(None, _GRAPHIC + _HIGH):
        return f"sha256:{hashlib.sha256(rest).hexdigest()}"
    return text.decode("latin-1")


def _login_lines(credentials: Credentials) -> tuple[bytes, bytes]:
    """USER and PASS. Raises LoginRefused for what would be more than one line."""
    _clean(credentials.login, credentials.password)
    return f"USER {credentials.login}\r\n".encode(), f"PASS {credentials.password}\r\n".encode()


def _clean(*texts: str) -> None:
    if any(char in text for text in texts for char in "\r\n\0"):
        raise LoginRefused("a line break in user name or password")
