"""What the guides are made of: steps, the values typed at them, and what all programs have in common."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.setup.values import Place, Protocol

NAMES: dict[Protocol, str] = {"imap": "IMAP", "pop3": "POP3"}


@dataclass(frozen=True, slots=True)
class Field:
    """A value to type, under the name that the program gives it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, with what is typed at it."""

    text: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the steps are made of. `profile` where a profile can be downloaded, `hosted` where devices have passwords of their own.
    The steps stand on a screen, on paper and in answers of the API: none says "above"."""

    address: str
    login: str
    protocol: Protocol
    incoming: Place
    outgoing: Place
    leave_days: int
    profile: bool
    hosted: bool

    @property
    def name(self) -> str:
        return NAMES[self.protocol]

    @property
    def pop3(self) -> bool:
        return self.protocol == "pop3"


def security_name(place: Place) -> str:
    """How programs call it."""
    return {"tls": "SSL/TLS", "starttls": "STARTTLS", "none": _("None")}[place.security]


def leave_words(days: int) -> str:
    """What a POP3 program has to be told about copies on the server."""
    if days == 0:
        return _("Leave no copies: they are removed once downloaded")
    return ngettext(
        "Leave copies for %(n)d day, or they are removed once downloaded",
        "Leave copies for %(n)d days, or they are removed once downloaded",
        days,
    ) % {"n": days}


def password_step(facts: Facts) -> Step:
    """The step that asks for a password made for this device, where there are such."""
    if not facts.hosted:
        return Step(_("Where it asks for the password, type the mailbox's."))
    return Step(
        _(
            "Where it asks for the password, type one made for this device (“Devices' passwords”, in the mailbox's settings), not the mailbox's own."
        )
    )


def server_fields(place: Place, security: str) -> tuple[Field, ...]:
    """Host, port and security of one service, as rows to copy."""
    return Field(_("Server"), place.host), Field(_("Port"), str(place.port)), Field(security, security_name(place))
