"""A ManageSieve session (RFC 5804): the filter scripts of one mailbox on its server."""

from __future__ import annotations

import base64
import contextlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.outbound import MAIL_PORTS, OutboundRefused
from webmail.dial import dial, tls_context
from webmail.errors import CertificateRefused, Gone, LoginRefused, OverQuota, Refused, ServerTrouble, Unreachable
from webmail.sieve.wire import Answer, Wire
from webmail.values import Credentials, Endpoint

SIEVE_PORT = 4190
SCRIPT_LIMIT_BYTES = 512 * 1024
NAME_LIMIT = 200
PROBLEMS_LIMIT = 50

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SUMMARY = re.compile(r"^(?:[^\s:]{1,200}: )?error: (?:parse|validation) failed\.?$")
_PROBLEM = re.compile(r"^(?:[^\s:]{1,200}: )?line (\d{1,7}): (?:(error|warning|info): )?(.*)$")


class NotOffered(Unreachable):
    """Nobody listens for ManageSieve at this server."""


class ScriptGone(Gone):
    """There is no script of this name any more."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the server finds wrong in a script: its line from 1 (0 where it names none) and its words."""

    line: int
    text: str


class ScriptRefused(Refused):
    """The server cannot run this script; nothing was stored."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.problems = read_problems(detail)


@dataclass(frozen=True, slots=True)
class Listed:
    """A script on the server; at most one is active."""

    name: str
    active: bool


@contextlib.contextmanager
def open_session(endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> Iterator[SieveSession]:
    """A session that is logged in, closed at the end. Raises NotOffered, Unreachable, CertificateRefused or LoginRefused; TLS
    is as the endpoint says, never less."""
    session = _connect(endpoint, ca_file)
    try:
        with _translating():
            session.log_in(credentials)
        yield session
    finally:
        session.close()


def _connect(endpoint: Endpoint, ca_file: str) -> SieveSession:
    try:
        sock = dial(endpoint, ports=MAIL_PORTS | {SIEVE_PORT})
    except (OutboundRefused, OSError) as error:
        raise NotOffered(str(error)) from error
    session = SieveSession(Wire(sock))
    try:
        with _translating():
            session.greet(endpoint, tls_context(ca_file) if endpoint.tls != "none" else None)
    except BaseException:
        session.close()
        raise
    return session


class SieveSession:
    """One session, used by one thread. Every method raises MailError; after Unreachable it is of no more use.

    `capabilities` has what the server told (RFC 5804 section 1.7): names in upper case -> value, "" without one.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.capabilities: dict[str, str] = {}

    @property
    def extensions(self) -> frozenset[str]:
        """The extensions of Sieve that scripts may require."""
        return frozenset(self.capabilities.get("SIEVE", "").split())

    @property
    def redirects_limit(self) -> int | None:
        """To how many addresses a script may forward one message; None where the server does not tell."""
        told = self.capabilities.get("MAXREDIRECTS", "")
        return int(told) if told.isascii() and told.isdigit() and len(told) < 6 else None

    # --- the beginning ----------------------------------------------------------------------------------------------

    def greet(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
        """Reads the greeting, and begins TLS where `context` is given."""
        if endpoint.tls == "tls" and context:
            self._wire.secure(context, endpoint.host)
        self._learn(self._wire.answer())
        if endpoint.tls == "starttls" and context:
            if "STARTTLS" not in self.capabilities:
                raise Unreachable("the server offers no TLS")
            self._ask(b"STARTTLS")
            self._wire.secure(context, endpoint.host)
            self._learn(self._wire.answer())

    def log_in(self, credentials: Credentials) -> None:
        """SASL PLAIN (RFC 4616). Raises LoginRefused. What our own server trusts us to tell, it is told before."""
        if "PLAIN" not in self.capabilities.get("SASL", "").upper().split():
            raise LoginRefused("the server takes no password here")
        self._tell_origin(credentials)
        words = "\0".join(("", credentials.login, credentials.password)).encode()
        answer = self._send(b'AUTHENTICATE "PLAIN" ' + _string(base64.b64encode(words)))
        if answer.status != "OK":
            if answer.kind == "TRYLATER":
                raise ServerTrouble(answer.text)
            raise LoginRefused(answer.text)
        self._learn(self._ask(b"CAPABILITY"))

    def _tell_origin(self, credentials: Credentials) -> None:
        """Dovecot's XCLIENT: without it everybody waits after wrong passwords of anybody, as all come from one address."""
        if "XCLIENT" not in self.capabilities or not re.fullmatch(r"[0-9A-Fa-f.:]{2,45}", credentials.origin):
            return
        session = (
            f" SESSION={credentials.session}" if re.fullmatch(r"[\w-]{1,64}", credentials.session, re.ASCII) else ""
        )
        self._send(f"XCLIENT ADDR={credentials.origin}{session}".encode())

    def _learn(self, answer: Answer) -> None:
        if answer.status != "OK":
            raise Unreachable(answer.text or "the server does not begin")
        found = {}
        for name, *values in (line for line in answer.lines if line):
            if isinstance(name, bytes):
                value = values[0] if values and isinstance(values[0], bytes) else b""
                found[name.decode("ascii", "replace").upper()] = value.decode("utf-8", "replace")
        self.capabilities = found or self.capabilities

    # --- scripts ----------------------------------------------------------------------------------------------------

    def scripts(self) -> list[Listed]:
        """Every script of the mailbox, in the server's order."""
        with _translating():
            answer = self._ask(b"LISTSCRIPTS")
        found = []
        for line in answer.lines:
            if line and isinstance(line[0], bytes):
                found.append(Listed(line[0].decode("utf-8", "replace"), "ACTIVE" in line[1:]))
        return found

    def get(self, name: str) -> str:
        """The text of a script, its line ends LF. Raises ScriptGone."""
        with _translating():
            answer = self._ask(b"GETSCRIPT " + _name(name))
        texts = [token for line in answer.lines for token in line if isinstance(token, bytes)]
        if not texts:
            raise Unreachable("the server gave no script")
        return texts[0].decode("utf-8", "replace").replace("\r\n", "\n")

    def put(self, name: str, text: str) -> tuple[Problem, ...]:
        """Stores a script in the place of what has this name; gives the server's warnings. Raises ScriptRefused, and then
        what was there is there still; OverQuota."""
        with _translating():
            answer = self._send(b"PUTSCRIPT " + _name(name) + b" " + _script(text))
        return _judged(answer)

    def check(self, text: str) -> tuple[Problem, ...]:
        """What the server says of a script that it does not store: its warnings. Raises ScriptRefused."""
        with _translating():
            answer = self._send(b"CHECKSCRIPT " + _script(text))
        return _judged(answer)

    def activate(self, name: str) -> None:
        """Makes this script the one that runs; "" = none does. Raises ScriptGone."""
        with _translating():
            self._ask(b"SETACTIVE " + (_name(name) if name else b'""'))

    def delete(self, name: str) -> None:
        """Removes a script that is not active. Raises ScriptGone or Refused."""
        with _translating():
            self._ask(b"DELETESCRIPT " + _name(name))

    # --- the dialogue -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Hangs up; nothing is left to be said."""
        with contextlib.suppress(OSError):
            self._wire.sock.close()

    def _ask(self, command: bytes) -> Answer:
        answer = self._send(command)
        if answer.status == "OK":
            return answer
        raise _error(answer)

    def _send(self, command: bytes) -> Answer:
        self._wire.send(command + b"\r\n")
        answer = self._wire.answer()
        if answer.status == "BYE":
            raise Unreachable(answer.text)
        return answer


def read_problems(text: str) -> tuple[Problem, ...]:
    """What a server says of a script, by line, in the form "name: line 3: error: ..." that Pigeonhole uses; what names no
    line has line 0."""
    found: list[Problem] = []
    for words in text.splitlines():
        match = _PROBLEM.match(words.strip())
        if match:
            found.append(Problem(int(match[1]), match[3]))
        elif words.strip() and not _SUMMARY.match(words.strip()):
            found.append(Problem(0, words.strip()))
    return tuple(found[:PROBLEMS_LIMIT])


def _judged(answer: Answer) -> tuple[Problem, ...]:
    if answer.status == "OK":
        return read_problems(answer.text) if answer.kind == "WARNINGS" else ()
    if answer.kind:
        raise _error(answer)
    raise ScriptRefused(answer.text)


def _error(answer: Answer) -> Exception:
    if answer.kind.startswith("QUOTA"):
        return OverQuota(answer.text)
    return {"NONEXISTENT": ScriptGone, "TRYLATER": ServerTrouble}.get(answer.kind, Refused)(answer.text)


def _name(name: str) -> bytes:
    """RFC 5804 section 1.6. Raises Refused for what no name may hold."""
    if not name or len(name) > NAME_LIMIT or _FORBIDDEN.search(name) or not _is_text(name):
        raise Refused("not a name of a script")
    return _string(name.encode())


def _script(text: str) -> bytes:
    """A script as it travels, its line ends CRLF. Raises ScriptRefused for what can be none."""
    if not _is_text(text):
        raise ScriptRefused("The script holds characters that are no text.")
    data = re.sub(r"\r\n|\r|\n", "\r\n", text).encode()
    if len(data) > SCRIPT_LIMIT_BYTES:
        raise ScriptRefused("The script is too long.")
    return _string(data)


def _string(data: bytes) -> bytes:
    """Any octets as a literal that needs no go-ahead, so that none of them can be taken for a command."""
    return b"{%d+}\r\n" % len(data) + data


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(str(error)) from error
    except (OutboundRefused, OSError, EOFError) as error:
        raise Unreachable(str(error)) from error
