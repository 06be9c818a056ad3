"""`manage.py export_mail ADDRESS`: a folder or all of an account's mail into a file."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.errors import MailError
from webmail.management.commands.pull import find_account
from webmail.services.access import account_credentials, kept_secret, open_account
from webmail.services.export import FORMATS, export_stream, names_of
from webmail.sources.base import MailSource
from webmail.values import Folder


class Command(BaseCommand):
    """Writes the mail of an account, wherever it lives, into a file or to standard output."""

    help = "Exports a folder or a whole account as mbox, Maildir (tar) or zip of .eml; progress on standard error."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--owner", default="")
        parser.add_argument("--format", choices=FORMATS, default="mbox", dest="format_")
        parser.add_argument(
            "--folder", default="", help="names from the top with slashes, as 'Archive/2026'; default: all"
        )
        parser.add_argument("--output", required=True, help="file, or '-' for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["address"], options["owner"])
        try:
            with open_by_command(account) as source, _output(options["output"]) as out:
                folders = [find_folder(source, options["folder"])] if options["folder"] else source.folders()
                for piece in export_stream(source, folders, options["format_"], progress=self._tell):
                    out.write(piece)
        except MailError as error:
            raise CommandError(f"{type(error).__name__}: {error.detail}") from error
        self.stderr.write("Done.")

    def _tell(self, folder: str, done: int) -> None:
        if done % 500 == 0:
            self.stderr.write(f"{done} messages, {folder}")


def _output(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if name == "-" else Path(name).open("wb")


def open_by_command(account: Any) -> MailSource:
    """The account's mail, opened without a person: a hosted mailbox, or the store of a download account."""
    if account.hosted or account.downloads:
        secret = None if account.hosted else kept_secret(account)
        return open_account(account, account_credentials(account, secret=secret))
    raise CommandError("The password of this mailbox is known to its owner's session alone.")


def find_folder(source: MailSource, name: str) -> Folder:
    """The folder of these names. Raises CommandError."""
    for folder in source.folders():
        if name in {"/".join(folder.path), "/".join(names_of(folder))}:
            return folder
    raise CommandError("There is no folder of this name.")
