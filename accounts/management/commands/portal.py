"""`manage.py portal`: what the portal's pages do, for scripts and for the hands of whoever runs the machine."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation

from accounts.models import Alias, ApiToken, Customer, Domain, Mailbox, MailServer, Plan, Reseller, User
from accounts.services import customers, forwards, mailboxes
from accounts.services.addresses import parse_domain
from accounts.services.audit import SYSTEM
from accounts.services.limits import parse_size
from accounts.services.tokens import SCOPES, make_token, revoke_token

Told = dict[str, Any]
MAILBOX_FIELDS = (
    "address",
    "number",
    "name",
    "quota_bytes",
    "active",
    "receives",
    "sends",
    "imap",
    "pop3",
    "smtp",
    "sieve",
)


class Command(BaseCommand):
    help = "Makes and changes customers, domains, mailboxes and addresses. Changes are in the log, without a person."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer in JSON, a line for each thing")
        things = parser.add_subparsers(dest="thing", required=True, parser_class=argparse.ArgumentParser)

        def add(
            thing: Any, verb: str, act: Callable[..., Any], text: str, *arguments: tuple[str, dict[str, Any]]
        ) -> None:
            one = thing.add_parser(verb, help=text, description=text)
            one.set_defaults(act=act)
            for name, more in arguments:
                one.add_argument(name, **more)

        def group(name: str, text: str) -> Any:
            return things.add_parser(name, help=text).add_subparsers(dest="verb", required=True)

        address = ("address", {"help": "the whole address"})
        plan = ("--plan", {"required": True, "help": "the plan's name"})
        customer = ("--customer", {"required": True, "help": "the customer's name, or its number with #"})

        one = group("customer", "customers")
        add(one, "list", _customer_list, "The customers.")
        seller = ("--reseller", {"default": "", "help": "the reseller's name"})
        add(one, "create", _customer_create, "Makes a customer.", ("name", {}), plan, seller)
        one = group("domain", "domains")
        add(one, "list", _domain_list, "The domains.")
        server = (
            "--server",
            {"default": "", "help": "where its mail lies; without it in the installation's own mail folder"},
        )
        add(one, "create", _domain_create, "Adds a domain to a customer.", ("name", {}), customer, server)
        for verb, active in (("suspend", False), ("resume", True)):
            text = "Opens a domain again." if active else "Shuts a domain: nobody in it signs in, nothing is taken in."
            add(one, verb, lambda active=active, **v: _domain_open(active=active, **v), text, ("name", {}))
        one = group("server", "servers and disks on which mail lies, beside the installation's own mail folder")
        add(one, "list", _server_list, "The servers.")
        path = ("path", {"help": "the folder as Dovecot sees it, which may write there"})
        size = ("--disk", {"default": "", "help": "how large it is, such as 8 TB, where that cannot be seen from here"})
        add(one, "create", _server_create, "Adds a server.", ("name", {}), path, size)
        add(one, "delete", _server_delete, "Forgets a server without domains.", ("name", {}))
        one = group("mailbox", "mailboxes")
        add(one, "list", _mailbox_list, "The mailboxes of a domain.", ("domain", {}))
        add(one, "show", _mailbox_show, "One mailbox.", address)
        add(
            one,
            "create",
            _mailbox_create,
            "Makes a mailbox, and tells the password that was made, unless one is read (--password).",
            address,
            ("--name", {"default": ""}),
            ("--quota", {"default": "", "help": "such as 5 GB; without it the plan's"}),
            ("--password", {"action": "store_true", "help": "ask for the password, or read it from standard input"}),
        )
        add(
            one,
            "password",
            _mailbox_password,
            "Sets the password that is asked for, or read from standard input, and revokes those of single devices.",
            address,
            ("--keep-devices", {"action": "store_true", "help": "passwords of single devices go on counting"}),
        )
        for verb, values in STATES.items():
            text = "Opens the mailbox again." if verb == "resume" else "Shuts the mailbox."
            add(one, verb, lambda values=values, **v: _mailbox_state(values=values, **v), text, address)
        add(
            one,
            "delete",
            _mailbox_delete,
            "Deletes a mailbox; it can be had back for as long as its plan says.",
            address,
        )
        add(one, "restore", _mailbox_restore, "Has a deleted mailbox back.", address)
        add(
            one,
            "forward",
            _mailbox_forward,
            "Sends its mail on to these addresses; none: no longer.",
            address,
            ("to", {"nargs": "*"}),
            ("--no-copy", {"action": "store_true", "help": "keep no copy in the mailbox"}),
        )
        one = group("alias", "aliases")
        add(one, "create", _alias_create, "Makes an alias.", address, ("mailbox", {"help": "into which it delivers"}))
        add(one, "delete", _alias_delete, "Removes an alias.", address)
        one = group("token", "tokens of the API")
        person = ("person", {"help": "the mail address of who it acts for"})
        scopes = ("scopes", {"nargs": "+", "choices": SCOPES, "metavar": "SCOPE", "help": ", ".join(SCOPES)})
        days = ("--days", {"type": int, "default": 0, "help": "so long it is good; without it until it is revoked"})
        add(one, "create", _token_create, "Makes a token and tells it this once.", person, ("name", {}), scopes, days)
        add(one, "list", _token_list, "The tokens of a person.", person)
        add(one, "revoke", _token_revoke, "Makes a token worth nothing.", person, ("name", {}))

    def handle(self, *args: Any, **options: Any) -> None:
        act = options["act"]
        own = {"act", "thing", "verb", "json", *_COMMON}
        values = {name: value for name, value in options.items() if name not in own}
        try:
            with translation.override("en"):
                found = act(**values)
        except ValidationError as error:
            raise CommandError(_words(error)) from error
        for one in found if isinstance(found, list) else [found]:
            self.stdout.write(json.dumps(one, default=str) if options["json"] else _line(one))


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
STATES = {
    "suspend": {"active": False, "receives": False, "sends": False},
    "suspend-sign-in": {"active": False},
    "suspend-receiving": {"receives": False},
    "suspend-sending": {"sends": False},
    "resume": {"active": True, "receives": True, "sends": True},
}


# --- Customers and domains ----------------------------------------------------------------------------------------------
def _customer_list() -> list[Told]:
    rows = Customer.objects.select_related("plan", "reseller").order_by("name", "pk")
    return [_customer(one) for one in rows]


def _customer_create(name: str, plan: str, reseller: str) -> Told:
    chosen = _one(Plan.objects.filter(name=plan), "plan", plan)
    seller = _one(Reseller.objects.filter(name=reseller), "reseller", reseller) if reseller else None
    return _customer(customers.create_customer(name=name, plan=chosen, reseller=seller, by=SYSTEM))


def _customer(one: Customer) -> Told:
    return {"id": one.pk, "name": one.name, "plan": one.plan.name, "reseller": str(one.reseller or "")}


def _domain_list() -> list[Told]:
    return [_domain(one) for one in Domain.objects.select_related("customer").order_by("name")]


def _server_list() -> list[Told]:
    return [_server(one) for one in MailServer.objects.order_by("name")]


def _server_create(name: str, path: str, disk: str) -> Told:
    size = parse_size(disk) if disk else None
    return _server(customers.create_server(name=name, path=path, disk_bytes=size, by=SYSTEM))


def _server_delete(name: str) -> Told:
    server = _one(MailServer.objects.filter(name=name), "server", name)
    told = _server(server)
    customers.remove_server(server=server, by=SYSTEM)
    return told


def _server(one: MailServer) -> Told:
    return {"id": one.pk, "name": one.name, "path": one.path, "disk_bytes": one.disk_bytes}


def _domain_create(name: str, customer: str, server: str) -> Told:
    rows = Customer.objects.filter(pk=customer[1:]) if customer[1:].isdigit() and customer[0] == "#" else None
    owner = _one(Customer.objects.filter(name=customer) if rows is None else rows, "customer", customer)
    where = _one(MailServer.objects.filter(name=server), "server", server) if server else None
    return _domain(customers.create_domain(customer=owner, name=name, by=SYSTEM, server=where))


def _domain_open(name: str, *, active: bool) -> Told:
    domain = _domain_of(name)
    customers.open_domain(domain=domain, active=active, by=SYSTEM)
    return _domain(domain)


def _domain(one: Domain) -> Told:
    return {"id": one.pk, "name": one.name, "customer": one.customer.name, "active": one.active}


# --- Mailboxes ----------------------------------------------------------------------------------------------------------
def _mailbox_list(domain: str) -> list[Told]:
    return [_mailbox(one) for one in Mailbox.objects.filter(domain=_domain_of(domain)).order_by("address")]


def _mailbox_show(address: str) -> Told:
    return _mailbox(_mailbox_of(address))


def _mailbox_create(address: str, name: str, quota: str, password: bool) -> Told:
    local, _at, host = address.rpartition("@")
    given = _read_password() if password else ""
    mailbox, secret = mailboxes.create_mailbox(
        domain=_domain_of(host),
        local=local,
        by=SYSTEM,
        name=name,
        password=given,
        quota_bytes=parse_size(quota) if quota else None,
    )
    return _mailbox(mailbox) | ({} if given else {"password": secret})


def _mailbox_password(address: str, keep_devices: bool) -> Told:
    mailbox = _mailbox_of(address)
    mailboxes.set_password(mailbox=mailbox, password=_read_password(), by=SYSTEM, everywhere=not keep_devices)
    return _mailbox(mailbox)


def _mailbox_state(address: str, *, values: dict[str, bool]) -> Told:
    mailbox = _mailbox_of(address)
    now = {name: getattr(mailbox, name) for name in mailboxes.SUSPENDED}
    mailboxes.suspend(mailbox=mailbox, by=SYSTEM, **(now | values))
    return _mailbox(mailbox)


def _mailbox_delete(address: str) -> Told:
    mailbox = _mailbox_of(address)
    mailboxes.delete(mailbox=mailbox, by=SYSTEM)
    return _mailbox(mailbox)


def _mailbox_restore(address: str) -> Told:
    mailbox = _mailbox_of(address)
    mailboxes.restore(mailbox=mailbox, by=SYSTEM)
    return _mailbox(mailbox)


def _mailbox_forward(address: str, to: list[str], no_copy: bool) -> Told:
    mailbox = _mailbox_of(address)
    forwards.set_forwards(mailbox=mailbox, addresses=to, keeps_copy=not no_copy, by=SYSTEM)
    addresses = sorted(mailbox.forwards.values_list("address", flat=True))
    return {"address": mailbox.address, "forwards": addresses, "keeps_copy": mailbox.keeps_copy}


def _mailbox(one: Mailbox) -> Told:
    return {name: getattr(one, name) for name in MAILBOX_FIELDS} | {"deleted": one.deleted}


# --- Addresses and tokens -----------------------------------------------------------------------------------------------
def _alias_create(address: str, mailbox: str) -> Told:
    local, _at, host = address.rpartition("@")
    alias = forwards.create_alias(domain=_domain_of(host), local=local, target=_mailbox_of(mailbox), by=SYSTEM)
    return {"address": alias.address, "mailbox": alias.target.address}


def _alias_delete(address: str) -> Told:
    alias = _one(Alias.objects.filter(address=address.strip().lower()), "alias", address)
    told = {"address": alias.address, "mailbox": alias.target.address}
    forwards.delete_alias(alias=alias, by=SYSTEM)
    return told


def _token_create(person: str, name: str, scopes: list[str], days: int) -> Told:
    expires = timezone.now() + timedelta(days=days) if days > 0 else None
    made = make_token(person=_person(person), name=name, scopes=scopes, expires=expires, by=SYSTEM)
    return _token(made.row) | {"token": made.token}


def _token_list(person: str) -> list[Told]:
    return [_token(one) for one in ApiToken.objects.filter(person=_person(person)).order_by("name")]


def _token_revoke(person: str, name: str) -> Told:
    row = _one(ApiToken.objects.filter(person=_person(person), name=name), "token", name)
    told = _token(row)
    revoke_token(row, by=SYSTEM)
    return told


def _token(one: ApiToken) -> Told:
    return {"name": one.name, "scopes": one.scopes, "expires": one.expires, "last_at": one.last_at}


# --- What is named, typed and told --------------------------------------------------------------------------------------
def _domain_of(name: str) -> Domain:
    rows = Domain.objects.select_related("customer__plan").filter(name=parse_domain(name))
    found: Domain = _one(rows, "domain", name)
    return found


def _mailbox_of(address: str) -> Mailbox:
    rows = Mailbox.objects.select_related("domain__customer__plan").filter(address=address.strip().lower())
    found: Mailbox = _one(rows, "mailbox", address)
    return found


def _person(email: str) -> User:
    found: User = _one(User.objects.filter(email=email.strip().lower()), "person", email)
    return found


def _one(rows: Any, what: str, name: str) -> Any:
    """The only row. Raises CommandError for none, and for several."""
    found = list(rows[:2])
    if len(found) != 1:
        raise CommandError(f"There is no {what} {name!r}." if not found else f"There are several: {what} {name!r}.")
    return found[0]


def _read_password() -> str:
    """Typed without being seen, or a line of standard input; never an argument, which others on the machine can read."""
    typed = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise CommandError("A password is needed on standard input.")
    return typed


def _words(error: ValidationError) -> str:
    if hasattr(error, "error_dict"):
        return "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
    return " ".join(error.messages)


def _line(told: Told) -> str:
    return "  ".join(f"{name}={value}" for name, value in told.items() if value not in ("", None))
