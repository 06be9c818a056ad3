"""Signing in to a mailbox that Casilla does not host: its own server's IMAP login is the check."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ImproperlyConfigured
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Domain, MailAccount, User
from accounts.services.login import OtherServer, Server, account_of_server, clean_address, note_password
from accounts.setup.discovery import discover
from webmail.errors import CertificateRefused, LoginRefused, MailError
from webmail.sources.imap import check_login
from webmail.values import Credentials, Endpoint, Tls

NO_SMTP: Server = ("", 465, "tls")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is and by which name it is opened; `typed` when only the person says so."""

    imap: Server
    smtp: Server
    login: str
    typed: bool = False


class MailServerBackend(ModelBackend):
    """Finds the server of an address, logs in there, and makes the account. Raises ValidationError with the codes
    unknown_server, server_down, certificate and other_server; a wrong password is None, as everywhere."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        address = clean_address(str(kwargs.get("email") or username or ""))
        local, _at, domain = address.rpartition("@")
        if not local or not password or _is_ours(address, domain):
            return None
        place = _listed(address, domain) or _typed(address, kwargs) or _found(address, domain)
        account = _open_account(address, password, place)
        if account is None or not self.user_can_authenticate(account.owner):
            return None
        if request is not None:
            note_password(request, account_id=account.pk, password=password)
        return account.owner


def _is_ours(address: str, domain: str) -> bool:
    """Hosted domains and people with an own password are the other backend's; nobody else is asked about them."""
    hosted = Domain.objects.filter(name=domain).exists()
    person = User.objects.filter(email=address).exclude(password__startswith="!").exists()  # noqa: S106
    return hosted or person


def _listed(address: str, domain: str) -> Place | None:
    table = parse_servers(settings.MAIL_SERVERS)
    entry = table.get(domain) or table.get("*")
    return Place(entry["imap"], entry.get("smtp", NO_SMTP), address) if entry else None


def _typed(address: str, kwargs: dict[str, Any]) -> Place | None:
    if not settings.MAIL_MANUAL_SERVERS or not kwargs.get("server"):
        return None
    return Place(kwargs["server"], kwargs.get("smtp_server") or NO_SMTP, address, typed=True)


def _found(address: str, domain: str) -> Place:
    found = discover(domain) if settings.MAIL_DISCOVERY else None
    if found is None:
        raise ValidationError(
            _("We do not know the mail server of %(domain)s. Check the address, or ask whoever runs your mail."),
            code="unknown_server",
            params={"domain": domain},
        )
    return Place(found.imap, found.smtp or NO_SMTP, found.login_for(address))


def _open_account(address: str, password: str, place: Place) -> MailAccount | None:
    """Logs in at the server, and gives the account; None for a wrong password."""
    host, port, tls = place.imap
    try:
        endpoint = Endpoint(host, port, cast(Tls, tls), public_only=True)
        check_login(endpoint, Credentials(place.login, password), ca_file=settings.MAIL_CA_FILE)
        return account_of_server(
            address=address, login=place.login, imap=place.imap, smtp=place.smtp, typed=place.typed
        )
    except LoginRefused:
        return None
    except OtherServer as error:
        raise ValidationError(
            _("This address is known here with another server. Ask whoever runs Casilla to change it."),
            code="other_server",
        ) from error
    except CertificateRefused as error:
        raise ValidationError(
            _("The server %(host)s could not prove who it is: its certificate is not valid. Nothing was sent to it."),
            code="certificate",
            params={"host": host},
        ) from error
    except MailError as error:
        raise ValidationError(
            _("The mail server %(host)s does not answer. Your password was not checked; try again in a moment."),
            code="server_down",
            params={"host": host},
        ) from error


def parse_servers(text: str) -> dict[str, dict[str, Server]]:
    """The table of MAIL_SERVERS: domain or "*", then "imap" and perhaps "smtp". Raises ImproperlyConfigured."""
    try:
        table = json.loads(text or "{}")
        return {
            domain.lower(): {kind: _parse(entry[kind]) for kind in ("imap", "smtp") if kind in entry}
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
