"""Handing one message to a server, so that at every moment it is known whether it may have been taken.

Up to the hook `before_end` nothing was handed over: the server has the text, but not the dot that ends it (RFC 5321
section 4.1.1.4), and throws it away when the connection breaks. After the hook, only the server's reply tells.
"""

from __future__ import annotations

import base64
import contextlib
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from accounts.domain_names import a_labels
from accounts.outbound import OutboundRefused
from webmail.dial import dial, tls_context
from webmail.errors import CertificateRefused, LoginRefused, MailError, Refused, Unreachable
from webmail.mime.headers import make_safe
from webmail.smtp.session import FINAL_TIMEOUT_S, Session
from webmail.values import Credentials, Endpoint

TEXT_LIMIT = 300

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FIRST_DOT = re.compile(rb"^\.", re.MULTILINE)
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
_BARRED = frozenset({"port", "private address", "no host"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: its code (250, 550...) and its text, safe to show."""

    code: int
    text: str = ""

    @property
    def accepted(self) -> bool:
        return self.code // 100 == 2


class Deferred(Unreachable):
    """The server said "not now" (4xx): nothing was taken, later it may be."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.code} {reply.text}")
        self.reply = reply


class Rejected(Refused):
    """The server said no (5xx) to the message as a whole: nothing was taken."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.code} {reply.text}")
        self.reply = reply


class TooLarge(Refused):
    """The message is larger than the server takes (RFC 1870)."""


class LostAnswer(MailError):
    """The connection broke after the end of the message was sent: the server may have taken it, or not."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One message on its way: envelope and octets. Line ends may be any; they go out as CRLF. `sender` is "" for a message
    that no answer may come back to (RFC 5321 section 4.5.5)."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)


def nothing() -> None:
    """A hook that does nothing."""


def submit(
    endpoint: Endpoint,
    credentials: Credentials,
    submission: Submission,
    *,
    ca_file: str = "",
    helo: str = "localhost",
    before_end: Callable[[], None] = nothing,
    beat: Callable[[], None] = nothing,
) -> dict[str, Reply]:
    """Hands a message over; gives the reply for each recipient. It goes to those whom the server accepts, and when it
    accepts none, nothing is sent.

    `before_end` runs when all but the final dot was sent, `beat` every few seconds; what they raise passes through, and
    then nothing was handed over. Raises Unreachable, CertificateRefused, Deferred, LoginRefused, Refused, Rejected and
    TooLarge, after each of which nothing was handed over either; LostAnswer when that cannot be known.
    """
    text = _wire(submission.raw)
    with _translating():
        session = _connect(endpoint, ca_file, helo, beat)
    try:
        with _translating():
            _log_in(session, credentials)
            replies = _open_envelope(session, submission, text)
            taken = [address for address, reply in replies.items() if reply.accepted]
            if not taken:
                return replies
            _send_text(session, text)
        before_end()
        final = _end(session)
        return {address: final if address in taken else reply for address, reply in replies.items()}
    finally:
        session.close()


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(error.verify_message) from error
    except OutboundRefused as error:
        raise (Refused if str(error) in _BARRED else Unreachable)(str(error)) from error
    except (OSError, ValueError) as error:  # every SMTPException is an OSError
        raise Unreachable(str(error)) from error


def _connect(endpoint: Endpoint, ca_file: str, helo: str, beat: Callable[[], None]) -> Session:
    """A connection that was greeted, with TLS as the endpoint says and never less."""
    session = Session(dial(endpoint), endpoint.host, helo=helo, beat=beat)
    try:
        if endpoint.tls == "tls":
            session.secure(tls_context(ca_file))
        _check(_reply(*session.getreply()), 220)
        _greet(session)
        if endpoint.tls == "starttls":
            if not session.has_extn("starttls"):
                raise Unreachable("the server offers no TLS")
            _check(_ask(session, "STARTTLS"), 220)
            session.secure(tls_context(ca_file))
            _greet(session)
    except BaseException:
        session.close()
        raise
    return session


def _greet(session: Session) -> None:
    _check(_reply(*session.ehlo()), 250)


def _log_in(session: Session, credentials: Credentials) -> None:
    """AUTH PLAIN (RFC 4616) or LOGIN. Raises LoginRefused for a wrong password, Refused where no password is taken."""
    offered = session.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        final = _ask(session, f"AUTH PLAIN {_base64(chr(0) + credentials.login + chr(0) + credentials.password)}")
    elif "LOGIN" in offered:
        final = _ask(session, "AUTH LOGIN")
        for word in (credentials.login, credentials.password):
            final = _ask(session, _base64(word)) if final.code == 334 else final
    else:
        raise Refused("the server takes no password on this connection")
    if final.code // 100 == 5 and final.code not in {530, 538}:
        raise LoginRefused(f"{final.code} {final.text}")
    _check(final, 235)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _open_envelope(session: Session, submission: Submission, text: bytes) -> dict[str, Reply]:
    """MAIL FROM and every RCPT TO; the replies to the latter."""
    utf8 = session.has_extn("smtputf8") and not "".join((submission.sender, *submission.recipients)).isascii()
    session.command_encoding = "utf-8" if utf8 else "ascii"
    sender = _path(submission.sender, utf8) if submission.sender else ""
    if sender is None:
        raise Rejected(Reply(553, "the sender is no address that this server can take"))
    _check(_ask(session, f"MAIL FROM:<{sender}>{_options(session, text, utf8)}"), 250)
    replies: dict[str, Reply] = {}
    for address in submission.recipients:
        path = _path(address, utf8)
        replies[address] = _ask(session, f"RCPT TO:<{path}>") if path else Reply(553, "not an address for this server")
        if replies[address].code == 421:
            raise Deferred(replies[address])
    return replies


def _options(session: Session, text: bytes, utf8: bool) -> str:
    """SIZE, 8BITMIME and SMTPUTF8 where they are offered and needed. Raises TooLarge, and Refused for octets over 127 that
    the server has no way to take (RFC 6152)."""
    options = ""
    if session.has_extn("size"):
        size, limit = len(text), session.esmtp_features["size"].strip()
        if limit.isdigit() and 0 < int(limit) < size:
            raise TooLarge(f"{size} of {limit} octets")
        options += f" SIZE={size}"
    if not text.isascii():
        if not session.has_extn("8bitmime"):
            raise Refused("the server takes 7-bit text only")
        options += " BODY=8BITMIME"
    return options + (" SMTPUTF8" if utf8 else "")


def _path(address: str, utf8: bool) -> str | None:
    """The address as it stands in a command; None for one that cannot."""
    local, at, domain = address.rpartition("@")
    if not local or not at or not domain or _UNSAFE.search(address):
        return None
    try:
        if not utf8:
            address = f"{local}@{a_labels(domain)}"
            address.encode("ascii")
        address.encode("utf-8")
    except UnicodeError:
        return None
    return address


def _send_text(session: Session, text: bytes) -> None:
    """DATA and the message, all but the final dot. A server that answers before that dot (552, 421) has not taken it."""
    _check(_ask(session, "DATA"), 354)
    session.send_chunks(_FIRST_DOT.sub(b"..", text))
    if session.has_answer():
        _check(_reply(*session.getreply()), 0)


def _wire(raw: bytes) -> bytes:
    """The octets with CRLF at the end of every line, the last one too, and nowhere a bare CR or LF."""
    lines = _LINE_END.sub(b"\r\n", raw)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _end(session: Session) -> Reply:
    """The final dot and its reply, when it is good. Raises Deferred, Rejected or LostAnswer."""
    try:
        session.send(b".\r\n")
        final = _reply(*session.getreply(FINAL_TIMEOUT_S))
    except (OSError, ValueError) as error:
        raise LostAnswer(str(error)) from error
    if final.code // 100 not in {2, 4, 5}:
        raise LostAnswer(f"{final.code} {final.text}")
    with contextlib.suppress(OSError, ValueError):
        session.send(b"QUIT\r\n")  # its answer tells nothing that is of use
    if not final.accepted:
        _check(final, 250)
    return final


def _ask(session: Session, line: str) -> Reply:
    return _reply(*session.docmd(line))


def _reply(code: int, text: bytes) -> Reply:
    return Reply(code, make_safe(text.decode("utf-8", "replace").replace("\n", " "))[:TEXT_LIMIT])


def _check(reply: Reply, wanted: int) -> None:
    """Raises Deferred for a 4xx, Rejected for a 5xx, Unreachable for what is neither nor `wanted`."""
    if reply.code == wanted:
        return
    if reply.code // 100 == 4:
        raise Deferred(reply)
    if reply.code // 100 == 5:
        raise Rejected(reply)
    raise Unreachable(f"unexpected answer {reply.code}")
