"""`manage.py make_mail`: fills a mailbox with realistic mail, the same for the same seed."""

from __future__ import annotations

import itertools
import smtplib
import socket
import ssl
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webmail.samples.dates import in_chile, internal_date
from webmail.samples.folders import INBOX, server_name
from webmail.samples.mailbox import generate_mailbox, mailbox_folders
from webmail.samples.values import Sample

TIMEOUT_S = 120.0
BATCH_BYTES = 4_000_000
STANDARD = {"INBOX"}


class Command(BaseCommand):
    help = "Fills a hosted mailbox with generated mail, by IMAP APPEND or by LMTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mailbox", required=True, help="the address")
        parser.add_argument("--messages", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--via", choices=("append", "lmtp"), default="append", help="lmtp fills the Inbox only")
        parser.add_argument("--until", help="the newest day, YYYY-MM-DD; today otherwise")
        parser.add_argument("--inbox", action="store_true", help="everything into the Inbox, for benchmarks")
        parser.add_argument("--user", help="IMAP login; the master user otherwise")
        parser.add_argument("--password")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        until = in_chile(_until(options["until"]))
        samples = generate_mailbox(options["mailbox"], options["messages"], seed=options["seed"], until=until)
        if options["inbox"]:
            samples = (replace(sample, folder=INBOX) for sample in samples)
        count = _Count()
        if options["via"] == "lmtp":
            _deliver(options["mailbox"], count.over(samples))
        else:
            login = options["user"] or f"{options['mailbox']}*{settings.MAIL_MASTER_USER}"
            with closing(_Imap(login, options["password"] or settings.MAIL_MASTER_PASSWORD)) as imap:
                imap.make_folders([server_name(path) for path in mailbox_folders(until)])
                imap.append_all(count.over(samples))
        seconds = time.monotonic() - started
        self.stdout.write(f"{count.messages} messages, {count.size_bytes / 1e6:.1f} MB, {seconds:.1f} s")


def _until(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text).replace(hour=22, tzinfo=UTC)
    except ValueError as error:
        raise CommandError("--until takes a day as YYYY-MM-DD.") from error


class _Count:
    messages = size_bytes = 0

    def over(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            self.messages += 1
            self.size_bytes += len(sample.raw)
            yield sample


def _deliver(address: str, samples: Iterable[Sample]) -> None:
    with smtplib.LMTP(settings.LMTP_HOST, settings.LMTP_PORT) as lmtp:
        for sample in samples:
            lmtp.sendmail("", [address], sample.raw)


class _Imap:
    """Just enough IMAP to append fast: MULTIAPPEND (RFC 3502) with literals that don't wait (RFC 7888)."""

    def __init__(self, login: str, password: str) -> None:
        self.tag = 0
        self.socket = _connect()
        self.file: BinaryIO = self.socket.makefile("rb")
        self.file.readline()
        self.run(b'LOGIN "%s" "%s"' % (login.encode(), password.encode()))

    def close(self) -> None:
        self.socket.close()

    def run(self, command: bytes, *, may_fail: bool = False) -> None:
        self.tag += 1
        tag = b"M%d" % self.tag
        self.socket.sendall(tag + b" " + command + b"\r\n")
        while line := self.file.readline():
            if line.startswith(tag):
                if b" OK" not in line[: len(tag) + 4] and not may_fail:
                    raise CommandError(f"The IMAP server refused: {line.decode(errors='replace').strip()}")
                return
        raise CommandError("The IMAP server closed the connection.")

    def make_folders(self, names: list[str]) -> None:
        for name in names:
            if name not in STANDARD:
                self.run(f'CREATE "{name}"'.encode(), may_fail=True)
                self.run(f'SUBSCRIBE "{name}"'.encode(), may_fail=True)

    def append_all(self, samples: Iterable[Sample]) -> None:
        """Consecutive messages of one folder go in one command of a few megabytes."""
        pending: dict[str, list[bytes]] = {}
        sizes: dict[str, int] = {}
        for sample in samples:
            name = server_name(sample.folder)
            flags = " ".join(sample.flags)
            head = f'({flags}) "{internal_date(in_chile(sample.received))}" {{{len(sample.raw)}+}}\r\n'
            pending.setdefault(name, []).append(head.encode() + sample.raw)
            sizes[name] = sizes.get(name, 0) + len(sample.raw)
            if sizes[name] > BATCH_BYTES:
                self._append(name, pending.pop(name))
                sizes[name] = 0
        for name, messages in pending.items():
            self._append(name, messages)

    def _append(self, name: str, messages: list[bytes]) -> None:
        self.run(b"".join(itertools.chain((f'APPEND "{name}" '.encode(),), [b" ".join(messages)])))


def _connect() -> socket.socket:
    connection = socket.create_connection((settings.IMAP_HOST, settings.IMAP_PORT), TIMEOUT_S)
    if settings.IMAP_TLS == "none":
        return connection
    context = ssl.create_default_context(cafile=settings.MAIL_CA_FILE or None)
    if settings.IMAP_TLS == "starttls":
        connection.recv(4096)
        connection.sendall(b"S STARTTLS\r\n")
        connection.recv(4096)
        secure = context.wrap_socket(connection, server_hostname=settings.IMAP_HOST)
        secure.sendall(b"N NOOP\r\n")
        return secure
    return context.wrap_socket(connection, server_hostname=settings.IMAP_HOST)
