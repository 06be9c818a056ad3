"""`manage.py portal`: what the portal's pages do, for scripts and for the hands of whoever runs the machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from accounts.management.portal import hosting, mailboxes, people
from accounts.management.portal.words import Group, line_of, words_of

THINGS: dict[str, tuple[str, Callable[[Group], None]]] = {
    "plan": ("plans", hosting.add_plans),
    "reseller": ("resellers", hosting.add_resellers),
    "customer": ("customers", hosting.add_customers),
    "domain": ("domains", hosting.add_domains),
    "server": ("servers and disks on which mail lies, beside the installation's own mail folder", hosting.add_servers),
    "mailbox": ("mailboxes", mailboxes.add_mailboxes),
    "alias": ("aliases", people.add_aliases),
    "group": ("groups", people.add_groups),
    "role": ("who runs what", people.add_roles),
    "invitation": ("invitations to run something", people.add_invitations),
    "token": ("tokens of the API", people.add_tokens),
    "change": ("the log of changes", people.add_changes),
}
_COMMON = {
    "stdout",
    "stderr",
    "verbosity",
    "settings",
    "pythonpath",
    "traceback",
    "no_color",
    "force_color",
    "skip_checks",
}


class Command(BaseCommand):
    help = "Makes and changes all that the portal runs. Changes are in the log, without a person."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer in JSON, a line for each thing")
        things = parser.add_subparsers(dest="thing", required=True, parser_class=argparse.ArgumentParser)
        for name, (text, add) in THINGS.items():
            add(Group(things.add_parser(name, help=text).add_subparsers(dest="verb", required=True)))

    def handle(self, *args: Any, **options: Any) -> None:
        act = options["act"]
        own = {"act", "thing", "verb", "json", *_COMMON}
        values = {name: value for name, value in options.items() if name not in own}
        try:
            with translation.override("en"):
                found = act(**values)
        except ValidationError as error:
            raise CommandError(words_of(error)) from error
        for one in found if isinstance(found, list) else [found]:
            self.stdout.write(json.dumps(one, default=str) if options["json"] else line_of(one))
