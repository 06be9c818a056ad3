"""`manage.py seed_demo`: the rows and the mail of the demo, in the database and on the servers of the settings."""

from __future__ import annotations

import imaplib
import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from accounts.models import Alias, Domain, Kind, Mailbox, MailboxUsage, Plan, Role, User
from accounts.services.hosting import create_alias, create_customer_with_domain, create_mailbox
from accounts.services.login import account_of_mailbox
from deploy.people import ADMIN, ALIASES, CUSTOMER, DOMAIN, MANAGER, PEOPLE, PLAN, Person, passwords_of
from webmail.management.history import make_past
from webmail.models import Download
from webmail.services.downloads import Policy, start_download

TIMEOUT_S = 60.0
FILLER_BYTES = 1_500_000
SEED = 2047
GB = 1_000_000_000


class Command(BaseCommand):
    help = "Prepares the demo: --rows migrates and makes customer and mailboxes, --mail fills them, --past makes up history."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", action="store_true", help="migrate, collect static files, make people")
        parser.add_argument("--mail", action="store_true", help="fill the mailboxes; the mail servers must run")
        parser.add_argument("--past", action="store_true", help="give the mailboxes two years of samples, made up")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rows"]:
            call_command("migrate", interactive=False, verbosity=0)
            make_people(passwords_of(Path(os.environ["CASILLA_DEMO_DIR"])))
            call_command("build_icons")
            call_command("collectstatic", interactive=False, verbosity=0)
        if options["mail"]:
            for person in PEOPLE:
                fill_mailbox(person)
        if options["past"]:
            if "CASILLA_DEMO_DIR" not in os.environ:
                raise CommandError("A past is made up for the demo alone.")
            wait_counted()
            make_past()


def wait_counted() -> None:
    """Until Dovecot has counted what was filled in, which takes it some seconds after a session."""
    filled = [person.address for person in PEOPLE if person.messages]
    until = time.monotonic() + TIMEOUT_S
    while MailboxUsage.objects.filter(pk__in=filled, bytes__gt=0).count() < len(filled) and time.monotonic() < until:
        time.sleep(0.5)


def make_people(passwords: dict[str, str]) -> None:
    """The customer on its plan, its domain, mailboxes, aliases, administrator and who runs the domain; what is there already
    stays as it is, a mailbox that was given another address too: its number tells it."""
    if not Domain.objects.filter(name=DOMAIN).exists():
        Plan.objects.get_or_create(name=PLAN, defaults={"mailbox_limit": 25, "total_bytes": 50 * GB})
        create_customer_with_domain(customer=CUSTOMER, domain=DOMAIN, plan=PLAN)
    for person in PEOPLE:
        if not Mailbox.objects.filter(Q(address=person.address) | Q(number=person.number)).exists():
            create_mailbox(
                address=person.address,
                password=passwords[person.address],
                name=person.name,
                number=person.number,
                quota_bytes=person.quota_bytes,
            )
    for address, target in ALIASES.items():
        mailbox = Mailbox.objects.filter(address=target).first()
        if mailbox and not Alias.objects.filter(address=address).exists():
            create_alias(address=address, target=mailbox)
    if not User.objects.filter(email=ADMIN).exists():
        User.objects.create_user(ADMIN, name="Administración", is_staff=True, is_superuser=True)
    manager = Mailbox.objects.filter(address=MANAGER).first()
    if manager and not Role.objects.exists():
        marcela = account_of_mailbox(manager).owner
        Role.objects.create(person=marcela, kind=Kind.DOMAIN, domain=Domain.objects.get(name=DOMAIN))


def fill_mailbox(person: Person) -> None:
    """Mail from the generator (DEMO_MESSAGES caps it), then large messages where a mailbox is to be nearly full."""
    messages = min(person.messages, int(os.environ.get("DEMO_MESSAGES") or person.messages))
    call_command(
        "make_mail", mailbox=person.address, messages=messages, seed=SEED + person.number, inbox=person.downloads
    )
    if person.fill_to:
        _top_up(person)
    if person.downloads:
        account = account_of_mailbox(Mailbox.objects.get(address=person.address))
        start_download(account=account, policy=Policy(keep=Download.Keep.DAYS, keep_days=14))


def _top_up(person: Person) -> None:
    login = f"{person.address}*{settings.MAIL_MASTER_USER}"
    with imaplib.IMAP4(settings.IMAP_HOST, settings.IMAP_PORT, timeout=TIMEOUT_S) as client:
        client.login(login, settings.MAIL_MASTER_PASSWORD)
        for number in range(1, 100):
            room = int(person.quota_bytes * person.fill_to) - _used_bytes(client)
            if room < FILLER_BYTES // 10:
                return
            client.append("Archive", r"(\Seen)", "", _large_message(person, number, min(room, FILLER_BYTES)))


def _used_bytes(client: imaplib.IMAP4) -> int:
    """STORAGE of the quota root, which is counted in KiB (RFC 9208 section 5.1)."""
    _, answer = client.getquotaroot("INBOX")
    text = " ".join(str(part) for part in answer)
    return int(text.split("STORAGE ")[1].split()[0]) * 1024


def _large_message(person: Person, number: int, size_bytes: int) -> bytes:
    line = b"QXJjaGl2byBkZSBmb3RvcyBkZSBsYSBib2RlZ2EgZGUgSW1wcmVudGEgUXVpbGxheSwgMjAy\r\n"
    head = (
        f"From: {person.name} <{person.address}>\r\nTo: {person.address}\r\n"
        f"Subject: Fotos de la bodega, parte {number}\r\nDate: {number % 28 + 1:02} Jun 2026 10:00:00 -0400\r\n"
        f"Message-ID: <fotos-{number}@{DOMAIN}>\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: application/zip; name="fotos-{number}.zip"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="fotos-{number}.zip"\r\n\r\n'
    )
    return head.encode() + line * (size_bytes // len(line))
