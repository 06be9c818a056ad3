"""Where a mailbox that Casilla does not host is: from the list of the settings, from what a person typed, or discovered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured

from accounts.services.login import Server, look_up
from accounts.setup.discovery import Servers, discover

NO_SMTP: Server = ("", 465, "tls")
REMEMBER_S = 3600


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is and by which name it is opened; `typed` when only the person says so."""

    imap: Server
    smtp: Server
    login: str
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Pop3Place:
    """Where a mailbox is downloaded from, where its mail is handed in, and the name by which it is opened."""

    pop3: Server
    smtp: Server
    login: str


def find_place(address: str, typed: dict[str, Any] | None = None) -> Place | None:
    """Where the mailbox of an address is; `typed` may have `server` and `smtp_server` that a person typed. None when nobody
    knows. Discovery asks the network, for about five seconds at most."""
    domain = address.rpartition("@")[2]
    return _listed(address, domain) or _typed(address, typed or {}) or _found(address, domain)


def find_pop3(address: str) -> Pop3Place | None:
    """Where the mailbox of an address is downloaded from; None when nobody knows. Asks the network as `find_place` does."""
    domain = address.rpartition("@")[2]
    table = parse_servers(settings.MAIL_SERVERS)
    entry = table.get(domain) or table.get("*") or {}
    if "pop3" in entry:
        return Pop3Place(entry["pop3"], entry.get("smtp", NO_SMTP), address)
    found = _remembered(domain) if settings.MAIL_DISCOVERY else None
    return Pop3Place(found.incoming, found.smtp or NO_SMTP, found.login_for(address)) if found else None


def _remembered(domain: str) -> Servers | None:
    """What was discovered of a domain's POP3 server, for an hour."""
    key = f"pop3-of:{domain}"
    told: tuple[Servers | None] | None = cache.get(key)
    if told is None:
        told = (discover(domain, "pop3"),)
        cache.set(key, told, REMEMBER_S)
    return told[0]


def is_ours(address: str) -> bool:
    """Hosted domains and people with an own password are the other backend's; nobody else is asked about them."""
    known = look_up(address)
    return known.domain or known.person


def _listed(address: str, domain: str) -> Place | None:
    table = parse_servers(settings.MAIL_SERVERS)
    entry = table.get(domain) or table.get("*")
    return Place(entry["imap"], entry.get("smtp", NO_SMTP), address) if entry else None


def _typed(address: str, kwargs: dict[str, Any]) -> Place | None:
    if not settings.MAIL_MANUAL_SERVERS or not kwargs.get("server"):
        return None
    return Place(kwargs["server"], kwargs.get("smtp_server") or NO_SMTP, address, typed=True)


def _found(address: str, domain: str) -> Place | None:
    found = discover(domain) if settings.MAIL_DISCOVERY else None
    if found is None:
        return None
    return Place(found.incoming, found.smtp or NO_SMTP, found.login_for(address))


def parse_servers(text: str) -> dict[str, dict[str, Server]]:
    """The table of MAIL_SERVERS: domain or "*", then "imap" and perhaps "pop3" and "smtp". Raises ImproperlyConfigured."""
    try:
        table = json.loads(text or "{}")
        return {
            domain.lower(): {kind: _parse(entry[kind]) for kind in ("imap", "pop3", "smtp") if kind in entry}
            for domain, entry in table.items()
            if entry["imap"]
        }
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        example = '{"example.org": {"imap": "imap.example.org:993:tls"}}'
        raise ImproperlyConfigured(f"MAIL_SERVERS is not as in {example}.") from error


def _parse(text: str) -> Server:
    host, port, tls = text.rsplit(":", 2)
    if tls not in {"tls", "starttls", "none"}:
        raise ValueError(tls)
    return host.strip("[]"), int(port), tls
