"""`manage.py verify_parity ADDRESS`: what Casilla shows of a mailbox, held against what is there."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.errors import MailError
from webmail.management.commands.export_mail import open_by_command
from webmail.management.commands.pull import find_account
from webmail.services.access import account_credentials
from webmail.services.parity import Report, verify
from webmail.services.parity_compare import Difference
from webmail.services.parity_witness import open_witness
from webmail.services.tags import tags_for
from webmail.witness.seen import WitnessFailed

TELL_EVERY_S = 2.0


class Command(BaseCommand):
    """Compares folder by folder and message by message."""

    help = (
        "Compares what Casilla shows of a mailbox with what an independent reader finds there at that moment, and lists every "
        "difference. Status 0 when nothing differs, 1 when something does, 2 when it could not be compared."
    )
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--owner", default="", help="whose account, where several have the address")
        parser.add_argument("--json", action="store_true", dest="json_", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["address"], options["owner"])
        credentials = account_credentials(account) if account.hosted and not account.downloads else None
        self._told = time.monotonic()
        try:
            with open_by_command(account) as source, open_witness(account, credentials) as witness:
                report = verify(
                    source, witness, tags_for(account), all_folders=account.owner.all_folders, tell=self._tell
                )
        except (MailError, WitnessFailed) as error:
            raise CommandError(f"{type(error).__name__}: {error}", returncode=2) from error
        if options["json_"]:
            self.stdout.write(json.dumps(_summary(report), ensure_ascii=False, default=str))
        else:
            self._write(report)
        if not report.same:
            raise SystemExit(1)

    def _tell(self, report: Report) -> None:
        if time.monotonic() - self._told >= TELL_EVERY_S:
            self._told = time.monotonic()
            self.stderr.write(f"{report.messages} of {report.expected} messages, {report.folders} folders")

    def _write(self, report: Report) -> None:
        for one in report.differences:
            self.stdout.write(_line(one))
        if report.found > len(report.differences):
            self.stdout.write(f"... and {report.found - len(report.differences)} more")
        what = f"{report.found} differences" if report.found else "Nothing differs"
        self.stdout.write(f"{what}: {report.folders} folders, {report.messages} messages, at {report.ended:%H:%M} UTC.")
        if report.untold:
            self.stdout.write(f"{report.untold} values break the rules of mail; programs may read them differently.")
        if report.restless:
            self.stdout.write(f"{report.restless} folders or messages changed at every look and were not compared.")


def _line(one: Difference) -> str:
    where = f"{one.path} {one.uid}" if one.uid else one.path
    values = f": {one.ours!r} shown, {one.theirs!r} there" if one.ours or one.theirs else ""
    return f"{where}: {one.field}{values}"


def _summary(report: Report) -> dict[str, object]:
    counts = ("folders", "messages", "untold", "restless", "found")
    return {
        "same": report.same,
        **{name: getattr(report, name) for name in counts},
        "started": report.started.isoformat(),
        "ended": report.ended.isoformat() if report.ended else None,
        "differences": [asdict(one) for one in report.differences],
    }
