"""How a mail program is set up for an address: one object, from which autoconfig, autodiscover, profiles, guides and DNS
records are all made, so that they cannot contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.services.brand import look

Protocol = Literal["imap", "pop3"]
Security = Literal["tls", "starttls", "none"]
SECURITIES: dict[str, Security] = {"tls": "tls", "starttls": "starttls", "none": "none"}
PROTOCOLS: tuple[Protocol, Protocol] = ("imap", "pop3")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one service listens. `tls` is TLS from the first byte (RFC 8314), `starttls` after a command."""

    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class Choice:
    """What differs from one mailbox to the next: which protocol comes first, for how many days programs that download leave
    copies on the server (0: none), and which protocols are open at all."""

    first: Protocol = "imap"
    leave_days: int = 14
    imap: bool = True
    pop3: bool = True


@dataclass(frozen=True, slots=True)
class SetupValues:
    """Everything a mail program needs but the password. The places of a protocol stand in the order of preference; the user
    name is the whole address at each of them unless `login` says another."""

    domain: str
    provider: str
    imap: tuple[Place, ...]
    pop3: tuple[Place, ...]
    smtp: tuple[Place, ...]
    choice: Choice
    login: str = ""

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols that are offered, the mailbox's own first."""
        second: Protocol = "pop3" if self.choice.first == "imap" else "imap"
        return tuple(one for one in (self.choice.first, second) if self.places(one))

    def places(self, protocol: Protocol) -> tuple[Place, ...]:
        """Where a protocol is spoken; nowhere when it is shut for this mailbox."""
        if protocol == "imap":
            return self.imap if self.choice.imap else ()
        return self.pop3 if self.choice.pop3 else ()

    @property
    def incoming(self) -> list[tuple[Protocol, Place]]:
        """Every way to receive, the best first."""
        return [(protocol, place) for protocol in self.protocols for place in self.places(protocol)]

    def login_for(self, address: str) -> str:
        """The user name that a program has to give: the address, unless the server wants another."""
        return self.login or address


def hosted_values(domain: str, choice: Choice) -> SetupValues:
    """The values for a mailbox of a domain that is hosted here, from SETUP_IMAP, SETUP_POP3 and SETUP_SMTP."""
    return SetupValues(
        domain=domain,
        provider=look().name,
        imap=parse_places(settings.SETUP_IMAP),
        pop3=parse_places(settings.SETUP_POP3),
        smtp=parse_places(settings.SETUP_SMTP),
        choice=choice,
    )


def parse_places(texts: list[str]) -> tuple[Place, ...]:
    """["mail.example.org:993:tls", ...]. Raises ImproperlyConfigured for anything else."""
    return tuple(_place(text) for text in texts)


def _place(text: str) -> Place:
    host, _colon, rest = text.partition(":")
    port, _colon, security = rest.partition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536 or security not in SECURITIES:
        raise ImproperlyConfigured(f"{text!r} is no HOST:PORT:tls, :starttls or :none")
    return Place(host, int(port), SECURITIES[security])
