"""`manage.py import_mail ADDRESS FILE`: brings mail in from an mbox, a Maildir or a zip."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.errors import MailError
from webmail.management.commands.export_mail import find_folder, open_by_command
from webmail.management.commands.pull import find_account
from webmail.services.importing import Brought, import_stream


class Command(BaseCommand):
    """Stores the messages of a file; prints what came of it as JSON."""

    help = "Imports an mbox, a tar of Maildirs, or a zip of .eml, mboxes or Maildirs; progress on standard error."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("path", type=Path)
        parser.add_argument("--owner", default="")
        parser.add_argument(
            "--folder", default="", help="everything into this folder; default: by the names in the file"
        )
        parser.add_argument("--doubles", action="store_true", help="also what is in the folder already")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["address"], options["owner"])
        try:
            with open_by_command(account) as source, options["path"].open("rb") as file:
                folder = find_folder(source, options["folder"]) if options["folder"] else None
                brought = import_stream(
                    source, file, folder=folder, skip_doubles=not options["doubles"], progress=self._tell
                )
        except FileNotFoundError as error:
            raise CommandError("There is no such file.") from error
        except MailError as error:
            raise CommandError(f"{type(error).__name__}: {error.detail}") from error
        self.stdout.write(json.dumps(asdict(brought)))

    def _tell(self, brought: Brought) -> None:
        done = brought.stored + brought.doubles + brought.refused
        if done % 500 == 0:
            self.stderr.write(f"{done} messages")
