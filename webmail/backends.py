"""Signing in to a mailbox that Casilla does not host: its own server's IMAP login is the check."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import MailAccount, User
from accounts.services.login import OtherServer, account_of_server, clean_address, note_password
from webmail.errors import CertificateRefused, LoginRefused, MailError
from webmail.services.access import endpoint_for
from webmail.services.places import Place, find_place, is_ours
from webmail.sources.logging_in import logged_in
from webmail.values import Credentials, Endpoint, Tls


class MailServerBackend(ModelBackend):
    """Finds the server of an address, logs in there, and makes the account. Raises ValidationError with the codes
    unknown_server, server_down, certificate and other_server; a wrong password is None, as everywhere."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        address = clean_address(str(kwargs.get("email") or username or ""))
        local, _at, domain = address.rpartition("@")
        if not local or not password or is_ours(address):
            return None
        place = find_place(address, kwargs)
        if place is None:
            make_password(password)  # the same work as for somebody who has a password here
            raise ValidationError(
                _("We do not know the mail server of %(domain)s. Check the address, or ask whoever runs your mail."),
                code="unknown_server",
                params={"domain": domain},
            )
        account = _open_account(address, password, place)
        if account is None or not self.user_can_authenticate(account.owner):
            return None
        if request is not None:
            note_password(request, account_id=account.pk, password=password)
        return account.owner


def _open_account(address: str, password: str, place: Place) -> MailAccount | None:
    """Logs in at the server, and gives the account; None for a wrong password."""
    host, port, tls = place.imap
    try:
        endpoint = Endpoint(host, port, cast(Tls, tls), public_only=True)
        credentials = Credentials(place.login, password)
        with logged_in(endpoint, credentials, ca_file=settings.MAIL_CA_FILE) as login:
            account = account_of_server(
                address=address, login=place.login, imap=place.imap, smtp=place.smtp, typed=place.typed
            )
            if endpoint == endpoint_for(account) and place.login == account.login:
                login.keep_for(str(account.pk))
        return account
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
