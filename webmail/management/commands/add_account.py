"""`manage.py add_account`: an account made from options, for scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import MailAccount, Mailbox, User
from accounts.services.login import account_of_mailbox, clean_address
from webmail.errors import MailError
from webmail.models import Download
from webmail.services.access import account_credentials, pop3_for
from webmail.services.downloads import Policy, probe_server, start_download


class Command(BaseCommand):
    """Adds an account in download mode: a mailbox that Casilla hosts, or one on any other server."""

    help = (
        "Adds an account in download mode. A hosted mailbox needs its address only; another server --host and a password "
        "from a file or standard input. The connection is tested first; nothing is saved when it fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--owner", default="", help="address of the person it is for; default: the address itself")
        parser.add_argument("--host", default="", help="POP3 server; default: the address is a mailbox hosted here")
        parser.add_argument("--port", type=int, default=995)
        parser.add_argument("--tls", choices=MailAccount.Tls.values, default=MailAccount.Tls.TLS)
        parser.add_argument("--login", default="", help="user name; default: the address")
        parser.add_argument("--password-file", default="", help="file with the password or token; '-' = standard input")
        parser.add_argument("--auth", choices=Download.Auth.values, default=Download.Auth.PASSWORD)
        parser.add_argument("--keep", choices=Download.Keep.values, default=Download.Keep.DAYS)
        parser.add_argument("--days", type=int, default=14)
        parser.add_argument("--max-bytes", type=int, default=None)
        parser.add_argument("--every", type=int, default=None, help="seconds between pulls; default: adaptive")
        parser.add_argument("--no-test", action="store_true", help="do not try the connection first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            policy = Policy(options["keep"], options["days"], options["max_bytes"], options["every"])
        except ValueError as error:
            raise CommandError("This policy makes no sense.") from error
        secret = _read_secret(options["password_file"])
        with transaction.atomic():
            account = _make_account(options, secret)
            report = None
            if not options["no_test"]:
                report = _test(account, secret, options["auth"])
                if not report.allows(policy):
                    raise CommandError("The server has no UIDL: copies cannot be left on it. Use --keep delete.")
            start_download(account=account, policy=policy, secret=secret, auth=options["auth"])
        answer = {"account": account.pk, "address": account.address, "keep": policy.keep}
        self.stdout.write(json.dumps(answer | ({"waiting": report.messages} if report else {})))


def _read_secret(file: str) -> str:
    if not file:
        return ""
    text = sys.stdin.read() if file == "-" else Path(file).read_text()
    return text.rstrip("\r\n")


def _make_account(options: dict[str, Any], secret: str) -> MailAccount:
    address = clean_address(options["address"])
    if not options["host"]:
        mailbox = Mailbox.objects.filter(address=address).first()
        if mailbox is None:
            raise CommandError("No mailbox of this address is hosted here: say where it is with --host.")
        return account_of_mailbox(mailbox)
    if not secret:
        raise CommandError("Another server needs a password: --password-file.")
    owner = clean_address(options["owner"] or address)
    person = User.objects.filter(email=owner).first() or User.objects.create_user(owner)
    if MailAccount.objects.filter(owner=person, address=address, mailbox__isnull=False).exists():
        raise CommandError("This mailbox is hosted here and belongs to this person: leave --host out.")
    values = {"login": options["login"] or address, "pop3_host": options["host"], "pop3_port": options["port"]}
    account, _made = MailAccount.objects.update_or_create(
        owner=person, address=address, defaults=values | {"pop3_tls": options["tls"]}
    )
    return account


def _test(account: MailAccount, secret: str, auth: str) -> Any:
    try:
        credentials = account_credentials(account, secret=secret or None)
        return probe_server(pop3_for(account), credentials, oauth2=auth == Download.Auth.OAUTH2)
    except MailError as error:
        raise CommandError(f"{type(error).__name__}: {error.detail}") from error
