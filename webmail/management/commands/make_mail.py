"""`manage.py make_mail`: fills a mailbox with realistic mail, the same for the same seed."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webmail.samples.dates import in_chile, internal_date
from webmail.samples.folders import server_name
from webmail.samples.mailbox import generate_mailbox, mailbox_folders
from webmail.samples.values import Sample

TIMEOUT_S = 120.0
BATCH_BYTES, BATCH_MESSAGES = 4_000_000, 500
PIPELINE = 2
"""So many commands may wait for their answer while the next messages are being made."""
SMALL_LITERAL = 4096
"""What LITERAL- allows without waiting (RFC 7888 section 5)."""
LINE_LIMIT = 65_536


class Command(BaseCommand):
    help = "Fills a hosted mailbox with generated mail, by IMAP APPEND or by LMTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mailbox", required=True, help="the address")
        parser.add_argument("--messages", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--via", choices=("append", "lmtp"), default="append", help="lmtp fills the Inbox only")
        parser.add_argument("--until", help="the newest day, YYYY-MM-DD; now otherwise")
        parser.add_argument("--inbox", action="store_true", help="everything into the Inbox, for benchmarks")
        parser.add_argument("--host", help="the server; that of the settings otherwise")
        parser.add_argument("--port", type=int)
        parser.add_argument("--user", help="IMAP login; the master user otherwise")
        parser.add_argument("--password")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        lmtp = options["via"] == "lmtp"
        until, wanted = read_until(options["until"]), options["messages"]
        samples = generate_mailbox(
            options["mailbox"], wanted, seed=options["seed"], until=until, inbox_only=lmtp or options["inbox"]
        )
        count = Count()
        try:
            if lmtp:
                deliver(options, count.over(samples))
            else:
                folders = [] if options["inbox"] else mailbox_folders(until, wanted)
                append(options, [server_name(path) for path in folders], count.over(samples))
        except (OSError, smtplib.SMTPException) as error:
            raise CommandError(f"The mail server cannot be used: {error}") from error
        seconds = time.monotonic() - started
        self.stdout.write(f"{count.messages} messages, {count.size_bytes / 1e6:.1f} MB, {seconds:.1f} s")


class Count:
    """Counts what passes."""

    messages = size_bytes = 0

    def over(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            self.messages += 1
            self.size_bytes += len(sample.raw)
            yield sample


def read_until(text: str | None) -> datetime:
    """The newest moment: now, or six in the evening of a day as YYYY-MM-DD, in the zone of the settings."""
    if text is None:
        return timezone.localtime(datetime.now(UTC))
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
    except ValueError as error:
        raise CommandError("--until takes a day as YYYY-MM-DD.") from error
    return timezone.make_aware(day.replace(hour=18))


def deliver(options: dict[str, Any], samples: Iterable[Sample]) -> None:
    """Hands every message to LMTP, from whom it says that it is."""
    host, port = options["host"] or settings.LMTP_HOST, options["port"] or settings.LMTP_PORT
    with smtplib.LMTP(host, port) as client:
        for sample in samples:
            sender = message_from_bytes(sample.raw)["Return-Path"] or ""
            client.sendmail(sender.strip("<> "), [options["mailbox"]], sample.raw)


def append(options: dict[str, Any], folders: list[str], samples: Iterable[Sample]) -> None:
    """Makes the folders and appends every message, over one connection."""
    login = options["user"] or f"{options['mailbox']}*{settings.MAIL_MASTER_USER}"
    password = options["password"] or settings.MAIL_MASTER_PASSWORD
    address = (options["host"] or settings.IMAP_HOST, options["port"] or settings.IMAP_PORT)
    with closing(Imap(address)) as imap:
        imap.log_in(login, password)
        imap.make_folders(folders)
        imap.append_all(samples)


class Imap:
    """Just enough IMAP to append fast: many messages in one command (RFC 3502), literals that don't wait (RFC 7888), the
    next command on its way before the last one is answered. Does without each of them where a server has none.

    Raises CommandError when the server says no, OSError when it cannot be reached.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.tag = 0
        self.pending: deque[bytes] = deque()
        self.capabilities: set[bytes] = set()
        self.host = address[0]
        self.socket = socket.create_connection(address, TIMEOUT_S)
        self.file: BinaryIO = self.socket.makefile("rb")
        if settings.IMAP_TLS == "tls":
            self._encrypt()
        greeting = self._line()
        if not greeting.startswith(b"* OK"):
            raise CommandError(f"The IMAP server refused: {_shown(greeting)}")
        if settings.IMAP_TLS == "starttls":
            self.run(b"STARTTLS")
            self._encrypt()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def log_in(self, login: str, password: str) -> None:
        self.run(b"LOGIN %s %s" % (quoted(login), quoted(password)))
        self.run(b"CAPABILITY")

    def make_folders(self, names: list[str]) -> None:
        """Creates and subscribes, parents first; what is there already stays."""
        for name in (quoted(name) for name in names if name != "INBOX"):
            self.run(b"CREATE " + name, may_fail=True)
            self.run(b"SUBSCRIBE " + name, may_fail=True)

    def append_all(self, samples: Iterable[Sample]) -> None:
        """In the order in which they come, but that messages of one folder are gathered into commands of a few megabytes."""
        waiting: dict[str, list[Sample]] = {}
        sizes: dict[str, int] = {}
        many = b"MULTIAPPEND" in self.capabilities
        for sample in samples:
            name = server_name(sample.folder)
            waiting.setdefault(name, []).append(sample)
            sizes[name] = sizes.get(name, 0) + len(sample.raw)
            if not many or sizes[name] > BATCH_BYTES or len(waiting[name]) >= BATCH_MESSAGES:
                self._append(name, waiting.pop(name))
                sizes[name] = 0
        for name, rest in waiting.items():
            self._append(name, rest)
        while self.pending:
            self._finish(self.pending.popleft())

    def run(self, command: bytes, *, may_fail: bool = False) -> None:
        """Sends a command and waits for its end."""
        tag = self._next_tag()
        self.socket.sendall(tag + b" " + command + b"\r\n")
        self._finish(tag, may_fail=may_fail)

    def _append(self, name: str, samples: list[Sample]) -> None:
        """One APPEND command; it is not waited for, unless too many are on their way."""
        while len(self.pending) >= PIPELINE:
            self._finish(self.pending.popleft())
        tag = self._next_tag()
        parts = [tag + b" APPEND " + quoted(name)]
        for sample in samples:
            size = len(sample.raw)
            waits = b"LITERAL+" not in self.capabilities and (
                b"LITERAL-" not in self.capabilities or size > SMALL_LITERAL
            )
            date = internal_date(in_chile(sample.received))
            parts.append(f' ({" ".join(sample.flags)}) "{date}" {{{size}{"" if waits else "+"}}}\r\n'.encode())
            if waits:
                self._go_ahead(b"".join(parts))
                parts.clear()
            parts.append(sample.raw)
        self.socket.sendall(b"".join([*parts, b"\r\n"]))
        self.pending.append(tag)

    def _go_ahead(self, octets: bytes) -> None:
        """Sends what ends in a literal's size, and waits until the server wants the literal."""
        while self.pending:
            self._finish(self.pending.popleft())
        self.socket.sendall(octets)
        while not (line := self._line()).startswith(b"+"):
            if not line.startswith(b"* "):
                raise CommandError(f"The IMAP server refused: {_shown(line)}")

    def _finish(self, tag: bytes, *, may_fail: bool = False) -> None:
        """Reads up to the end of a command, and keeps the capabilities that come by."""
        while not (line := self._line()).startswith(tag + b" "):
            if line.upper().startswith(b"* CAPABILITY "):
                self.capabilities = set(line.upper().split()[2:])
            elif line.startswith(b"* BYE"):
                raise CommandError(f"The IMAP server closed the connection: {_shown(line)}")
        if not line.startswith(tag + b" OK") and not may_fail:
            raise CommandError(f"The IMAP server refused: {_shown(line)}")

    def _next_tag(self) -> bytes:
        self.tag += 1
        return b"M%d" % self.tag

    def _line(self) -> bytes:
        line = self.file.readline(LINE_LIMIT)
        if not line:
            raise CommandError("The IMAP server closed the connection.")
        return line

    def _encrypt(self) -> None:
        """TLS from here on, with the certificate verified."""
        context = ssl.create_default_context(cafile=settings.MAIL_CA_FILE or None)
        self.file.close()
        self.socket = context.wrap_socket(self.socket, server_hostname=self.host)
        self.file = self.socket.makefile("rb")


def quoted(text: str) -> bytes:
    """A quoted string (RFC 3501 section 4.3). Raises CommandError for control characters."""
    if not text.isprintable() or not text.isascii():
        raise CommandError("Names and passwords for IMAP are printable ASCII.")
    return b'"%s"' % text.replace("\\", "\\\\").replace('"', '\\"').encode()


def _shown(line: bytes) -> str:
    return line.decode(errors="replace").strip()
