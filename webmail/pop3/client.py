"""A POP3 session (RFC 1939, 2449, 2595, 5034): pipelined where the server allows it, byte-exact, every wait with an end."""

from __future__ import annotations

import base64
import contextlib
import ssl
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from accounts.outbound import OutboundRefused
from webmail.dial import dial, tls_context
from webmail.errors import CertificateRefused, LoginRefused, MailError, MixedUp, Refused, Unreachable
from webmail.pop3.flow import Fence, Flow, Misfit, Retrieved, Wanted
from webmail.pop3.listing import Listing, numbered_lines
from webmail.pop3.replies import NotPop3, check, has_known_code, is_ok, wants_more
from webmail.pop3.wire import READ_TIMEOUT_S, Wire
from webmail.values import Credentials, Endpoint

WINDOW = 256
"""How many RETRs or DELEs may be under way where the server pipelines."""
COMMAND_LIMIT_BYTES = 255
"""RFC 2449 section 4, with the line end."""


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

    `answer_ms` is the time from a command to its answer at the beginning; `pipelining` tells whether the next session may begin
    with everything in one flight.
    """

    def __init__(self, wire: Wire, endpoint: Endpoint) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._asked = False
        self.capabilities: frozenset[str] = frozenset()
        self.pipelining = False
        self._window = 1
        self.answer_ms = 0
        self.fenced = True
        """Whether answers are made sure of between messages; see `retrieve`."""

    # --- the beginning ----------------------------------------------------------------------------------------------

    def greet(self, context: ssl.SSLContext | None) -> None:
        """Reads the greeting, and begins TLS where `context` says so."""
        if self._endpoint.tls == "tls" and context:
            self._secure(context)
        started = time.monotonic()
        self._wire.begin()
        check(self._wire.line(), Refused)
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
                self._asked, self.pipelining, self._window = True, True, WINDOW
                started = time.monotonic()
                self._wire.ask(user + password + b"UIDL\r\n")
                statuses = [self._wire.line(), self._wire.line()]
                self.answer_ms = round((time.monotonic() - started) * 1000)
                for status in statuses:
                    check(status, LoginRefused)
            else:
                self._ask_capabilities()
                self._log_in(credentials, oauth2=oauth2)
                self._wire.ask(b"UIDL\r\n")
            return self._read_listing()

    def _ask_capabilities(self) -> None:
        if self._asked:
            return
        started = time.monotonic()
        self._wire.ask(b"CAPA\r\n")
        if is_ok(self._wire.line()):
            words = self._wire.listing().decode("ascii", "replace").upper().splitlines()
            self.capabilities = frozenset(line.strip() for line in words)
        pipelines = "PIPELINING" in self.capabilities
        self._window = WINDOW if pipelines else 1
        self.pipelining = pipelines and not self._has_only_auth
        self.answer_ms = round((time.monotonic() - started) * 1000)
        self._asked = True

    @property
    def _has_only_auth(self) -> bool:
        """Whether USER is no command here, and AUTH PLAIN is (RFC 2449 section 6.3)."""
        return bool(self.capabilities) and "USER" not in self.capabilities and "PLAIN" in self._mechanisms

    @property
    def _mechanisms(self) -> list[str]:
        return next((line.split()[1:] for line in self.capabilities if line.startswith("SASL ")), [])

    def _log_in(self, credentials: Credentials, *, oauth2: bool) -> None:
        if oauth2:
            self._log_in_with_token(credentials)
        elif self._has_only_auth:
            _refuse_controls(credentials)
            plain = f"\0{credentials.login}\0{credentials.password}".encode()
            self._authenticate(b"PLAIN", plain, at_once=True)
        else:
            for line in _login_lines(credentials):
                self._wire.ask(line)
                check(self._wire.line(), LoginRefused)

    def _log_in_with_token(self, credentials: Credentials) -> None:
        """OAUTHBEARER (RFC 7628) where that alone is offered, else XOAUTH2."""
        _refuse_controls(credentials)
        bearer = f"auth=Bearer {credentials.password}\1\1"
        if "OAUTHBEARER" in self._mechanisms and "XOAUTH2" not in self._mechanisms:
            name = credentials.login.replace("=", "=3D").replace(",", "=2C")
            where = f"host={self._endpoint.host}\1port={self._endpoint.port}\1"
            self._authenticate(b"OAUTHBEARER", f"n,a={name},\1{where}{bearer}".encode())
        else:
            self._authenticate(b"XOAUTH2", f"user={credentials.login}\1{bearer}".encode())

    def _authenticate(self, mechanism: bytes, response: bytes, *, at_once: bool = False) -> None:
        """AUTH (RFC 5034 section 4) in two steps, or in one for what a server knows by that RFC: Office 365 takes a token in the
        second only, and it is longer than a command line may be."""
        answer = base64.b64encode(response)
        command = b"AUTH %s %s\r\n" % (mechanism, answer)
        if not at_once or len(command) > COMMAND_LIMIT_BYTES:
            command = b"AUTH %s\r\n" % mechanism
        self._wire.ask(command)
        if wants_more(status := self._wire.line()):
            self._wire.ask(answer + b"\r\n")
            status = self._wire.line()
        if wants_more(status):  # what was wrong, to which nothing is answered
            self._wire.ask(b"*\r\n")
            status = self._wire.line()
        check(status, LoginRefused)

    # --- listing ----------------------------------------------------------------------------------------------------

    def _read_listing(self) -> Listing:
        status = self._wire.line()
        if is_ok(status):
            return Listing(self._wire.listing(), has_uidl=True)
        if has_known_code(status):
            check(status, Refused)
        self._ask(b"LIST")
        return Listing(self._wire.listing(), has_uidl=False)

    def sizes(self) -> dict[int, int]:
        """The size in octets of each message, by its number, as the server tells it."""
        with _translating():
            self._ask(b"LIST")
            told = ((number, rest.split(maxsplit=1)[:1]) for number, rest in numbered_lines(self._wire.listing()))
            return {number: int(size[0]) for number, size in told if size and size[0].isdigit() and len(size[0]) < 15}

    # --- messages ---------------------------------------------------------------------------------------------------

    def retrieve(
        self,
        wanted: Iterable[Wanted],
        spool: Path,
        *,
        beat: Callable[[], None] | None = None,
    ) -> Iterator[Retrieved]:
        """RETR for each in turn. `wanted` is asked for more only when there is room under way, so that its end ends the work
        soon. `beat` is called every second or so, and may raise.

        A lone dot that a server did not double ends a message early, and what follows it, which its sender may have written,
        passes for the answers to other commands. So between messages the server is asked for a unique-id that nobody can know
        beforehand (UIDL with a number), and nothing is given before that answer fits. Raises MixedUp when it does not."""
        flow = Flow(wanted, self._window, fenced=self.fenced)
        held: list[Retrieved] = []
        self._wire.beat = beat
        try:
            with _translating():
                self._wire.expect_nothing()
                self._wire.send(flow.order())
                while flow.waiting:
                    asked = flow.waiting.popleft()
                    self._next_answer(flow, asked, held, spool)
                    if not flow.fenced or isinstance(asked, Fence):
                        ready, held = held, []
                        yield from ready
                    if not flow.waiting:
                        self._wire.send(flow.order())
                self._wire.expect_nothing()
        finally:
            self._wire.beat = None
            _let_go(held)

    def _next_answer(self, flow: Flow, asked: Wanted | Fence, held: list[Retrieved], spool: Path) -> None:
        """Reads the answer to one command, and sends the next ones once it has begun. Raises MixedUp."""
        self._wire.begin()
        try:
            status = self._wire.line()
            self._wire.send(flow.order())
            if isinstance(asked, Wanted):
                held.append(self._receive(asked.number, status, spool))
                flow.under_way -= asked.size_bytes or 0
            else:
                flow.check(asked, status)
        except (NotPop3, Misfit) as error:
            if not flow.fenced:
                raise
            doubted = tuple(one.number for one in held) or ((asked.number,) if flow.proved else ())
            raise MixedUp(doubted) from error

    def _receive(self, number: int, status: bytes, spool: Path) -> Retrieved:
        try:
            check(status, Refused)
        except MailError as error:
            return Retrieved(number, "", 0, None, None, error)
        octets = self._wire.octets(spool)
        return Retrieved(number, octets.sha256, octets.size_bytes, octets.data, octets.path)

    def delete(self, numbers: Sequence[int]) -> list[int]:
        """DELE for each; gives those to which the server said +OK. It deletes them at QUIT."""
        accepted = []
        with _translating():
            for at in range(0, len(numbers), self._window):
                part = numbers[at : at + self._window]
                self._wire.ask(b"".join(b"DELE %d\r\n" % number for number in part))
                accepted += [number for number in part if is_ok(self._wire.line())]
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

    def _ask(self, command: bytes) -> None:
        self._wire.ask(command + b"\r\n")
        check(self._wire.line(), Refused)


def _let_go(held: list[Retrieved]) -> tuple[int, ...]:
    """Removes the files of messages that are not given; gives their numbers."""
    for one in held:
        if one.path is not None:
            one.path.unlink(missing_ok=True)
    return tuple(one.number for one in held)


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(error.verify_message) from error
    except (OutboundRefused, OSError, EOFError, ValueError) as error:
        raise Unreachable(str(error)) from error


def _login_lines(credentials: Credentials) -> tuple[bytes, bytes]:
    """USER and PASS. Raises LoginRefused for what is not text of one line."""
    _refuse_controls(credentials)
    return f"USER {credentials.login}\r\n".encode(), f"PASS {credentials.password}\r\n".encode()


def _refuse_controls(credentials: Credentials) -> None:
    """Raises LoginRefused for controls (C0, DEL, C1), which would end a line or a field, and for what UTF-8 has no octets for."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in credentials.login + credentials.password):
        raise LoginRefused("a control character in user name or password")
