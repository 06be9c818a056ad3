"""Signing in to a mailbox that Casilla does not host: its own server's IMAP login is the check."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import MailAccount, Mailbox, User
from accounts.outbound import MAIL_PORTS, OutboundRefused, checked_address
from accounts.services.login import account_of_server
from accounts.setup.discovery import Server, discover
from webmail.errors import CertificateRefused, LoginRefused, MailError
from webmail.services.access import PENDING
from webmail.sources.imap import check_login
from webmail.values import Credentials, Endpoint

NO_SMTP: Server = ("", 465, "tls")


class MailServerBackend(ModelBackend):
    """Finds the server of an address, logs in there, and makes the account. Raises ValidationError with the codes
    unknown_server, server_down and certificate; a wrong password is None, as everywhere."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        address = str(kwargs.get("email") or username or "").strip().lower()
        local, at, domain = address.rpartition("@")
        if not local or not at or not password or self._is_ours(address, domain):
            return None
        imap, smtp = self._servers(domain, kwargs.get("server"))
        account = self._check(address, password, imap, smtp)
        if account is None:
            return None
        if request is not None:
            setattr(request, PENDING, (account.pk, password))
        return account.owner

    def _is_ours(self, address: str, domain: str) -> bool:
        """Hosted domains and people with an own password are the other backend's; nobody else is asked about them."""
        hosted = Mailbox.objects.filter(domain__name=domain).exists()
        person = User.objects.filter(email=address).exclude(password__startswith="!").exists()  # noqa: S106
        return hosted or person

    def _servers(self, domain: str, typed: Server | None) -> tuple[Server, Server]:
        if typed and settings.MAIL_MANUAL_SERVERS:
            return typed, NO_SMTP
        table = json.loads(settings.MAIL_SERVERS)
        listed = table.get(domain) or table.get("*")
        if listed:
            return _parse(listed["imap"]), _parse(listed["smtp"]) if "smtp" in listed else NO_SMTP
        found = discover(domain) if settings.MAIL_DISCOVERY else None
        if found is None:
            raise ValidationError(
                _("We do not know the mail server of %(domain)s. Check the address, or ask whoever runs your mail."),
                code="unknown_server",
                params={"domain": domain},
            )
        return found.imap, found.smtp or NO_SMTP

    def _check(self, address: str, password: str, imap: Server, smtp: Server) -> MailAccount | None:
        host, port, tls = imap
        try:
            checked_address(host, port, ports=MAIL_PORTS)
            endpoint = Endpoint(host, port, tls)  # type: ignore[arg-type]
            check_login(endpoint, Credentials(address, password), ca_file=settings.MAIL_CA_FILE)
        except LoginRefused:
            return None
        except CertificateRefused as error:
            raise ValidationError(
                _(
                    "The server %(host)s could not prove who it is: its certificate is not valid. Nothing was sent to it."
                ),
                code="certificate",
                params={"host": host},
            ) from error
        except (MailError, OutboundRefused) as error:
            raise ValidationError(
                _("The mail server %(host)s does not answer. Your password was not checked; try again in a moment."),
                code="server_down",
                params={"host": host},
            ) from error
        return account_of_server(address=address, login=address, imap=imap, smtp=smtp)


def _parse(text: str) -> Server:
    """ "host:port:tls" from the settings."""
    host, port, tls = text.rsplit(":", 2)
    return host, int(port), tls
