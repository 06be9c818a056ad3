"""What is named and typed on the command line, and what is told."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.models import Customer, Domain, Mailbox, Plan, Reseller, User
from accounts.services.addresses import parse_domain
from accounts.services.limits import parse_size

Told = dict[str, Any]
Argument = tuple[str, dict[str, Any]]
NONE = "none"
"""What is typed for no limit, or for nobody."""
PROTOCOLS = ("imap", "pop3", "smtp", "sieve")


@dataclass(frozen=True, slots=True)
class Group:
    """A kind of thing; each of its verbs gets a parser."""

    things: Any

    def verb(self, name: str, act: Callable[..., Any], text: str, *arguments: Argument) -> None:
        """`act` is called with the values of the arguments, by their names."""
        one = self.things.add_parser(name, help=text, description=text)
        one.set_defaults(act=act)
        for argument, more in arguments:
            one.add_argument(argument, **more)


def named(name: str = "name", text: str = "") -> Argument:
    return name, {"help": text} if text else {}


def option(name: str, text: str = "", **more: Any) -> Argument:
    """`--name`, left out: None."""
    return f"--{name}", {"default": None, "help": text} | more


REFERENCE: Argument = option("reference", "what another panel calls it; empty: nothing")


def switches() -> list[Argument]:
    """--imap on, --pop3 off, ..."""
    return [option(name, "on or off", choices=("on", "off")) for name in PROTOCOLS]


def read_switches(values: dict[str, Any]) -> dict[str, bool]:
    """Those that were typed."""
    return {name: values[name] == "on" for name in PROTOCOLS if values.get(name) is not None}


def read_size(text: str | None, *, field: str = "quota") -> int | None:
    """A size with its unit; None for `none`. Raises ValidationError."""
    return None if text is None or text == NONE else parse_size(text, field=field)


def read_number(text: str, *, field: str, most: int = 10_000_000) -> int | None:
    """A number; None for `none`. Raises ValidationError at `field`."""
    if text == NONE:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) > most:
        raise ValidationError({field: f"“{text[:20]}” is no number up to {most}, nor “{NONE}”."})
    return int(text)


def read_password() -> str:
    """Typed without being seen, or a line of standard input; never an argument, which others on the machine can read."""
    typed = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise CommandError("A password is needed on standard input.")
    return typed


# --- Things by their names --------------------------------------------------------------------------------------------------
def the_one(rows: Any, what: str, name: str) -> Any:
    """The only row. Raises CommandError for none, and for several."""
    found = list(rows[:2])
    if len(found) != 1:
        raise CommandError(f"There is no {what} {name!r}." if not found else f"There are several: {what} {name!r}.")
    return found[0]


def plan_of(name: str) -> Plan:
    found: Plan = the_one(Plan.objects.filter(name=name), "plan", name)
    return found


def reseller_of(name: str) -> Reseller:
    found: Reseller = the_one(Reseller.objects.filter(name=name), "reseller", name)
    return found


def customer_of(name: str) -> Customer:
    """By name, or by number with #: two resellers may have a customer of the same name each."""
    rows = Customer.objects.select_related("plan", "reseller")
    by_number = name[:1] == "#" and name[1:].isascii() and name[1:].isdigit() and len(name) < 11
    found: Customer = the_one(rows.filter(pk=int(name[1:])) if by_number else rows.filter(name=name), "customer", name)
    return found


def domain_of(name: str) -> Domain:
    rows = Domain.objects.select_related("customer__plan", "catch_all").filter(name=parse_domain(name))
    found: Domain = the_one(rows, "domain", name)
    return found


def mailbox_of(address: str) -> Mailbox:
    rows = Mailbox.objects.select_related("domain__customer__plan").filter(address=address.strip().lower())
    found: Mailbox = the_one(rows, "mailbox", address)
    return found


def person_of(email: str) -> User:
    found: User = the_one(User.objects.filter(email=email.strip().lower()), "person", email)
    return found


# --- What is told -----------------------------------------------------------------------------------------------------------
def words_of(error: ValidationError) -> str:
    if hasattr(error, "error_dict"):
        return "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
    return " ".join(error.messages)


def line_of(told: Told) -> str:
    return "  ".join(f"{name}={value}" for name, value in told.items() if value not in ("", None))
