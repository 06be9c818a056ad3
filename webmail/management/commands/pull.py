"""`manage.py pull ADDRESS`: one pull in the foreground, its summary as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import MailAccount
from accounts.services.login import clean_address
from webmail.models import Pull
from webmail.services.claims import claim
from webmail.services.schedule import pull_account


class Command(BaseCommand):
    """Pulls one account now. Exit status 0 only if all was well."""

    help = "Pulls the mail of an account in download mode, prints a summary as JSON; status 0 only if all was well."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--owner", default="", help="whose account, where several have the address")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["address"], options["owner"])
        if not account.downloads:
            raise CommandError("This account is not in download mode.")
        download = claim(account.pk, by_hand=True)
        if download is None:
            raise CommandError("A pull of this account is running already.")
        pull = pull_account(download, by_hand=True)
        self.stdout.write(json.dumps(summary(pull)))
        if pull.outcome != Pull.Outcome.COMPLETE:
            raise SystemExit(1)


def find_account(address: str, owner: str = "") -> MailAccount:
    """The account of an address. Raises CommandError when there is none, or more than one."""
    found = MailAccount.objects.select_related("mailbox", "owner").filter(address=clean_address(address))
    if owner:
        found = found.filter(owner__email=clean_address(owner))
    accounts = list(found[:2])
    if not accounts:
        raise CommandError("There is no account of this address.")
    if len(accounts) > 1:
        raise CommandError("Several people have an account of this address: say whose with --owner.")
    return accounts[0]


def summary(pull: Pull) -> dict[str, object]:
    """What a pull did, for scripts: counts of messages, bytes, times as ISO 8601."""
    counts = ("listed", "fetched", "stored", "doubles", "skipped", "removed", "taken", "waiting", "bytes", "answer_ms")
    return {
        "outcome": pull.outcome,
        "problem": pull.problem,
        **{name: getattr(pull, name) for name in counts},
        "started": pull.started.isoformat(),
        "ended": pull.ended.isoformat() if pull.ended else None,
    }
