"""Signing in with what Casilla knows itself: a hosted mailbox's password, or a person's own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password, make_password
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Mailbox, User
from accounts.provisioning.passwords import even_out
from accounts.services.login import Known, account_of_mailbox, clean_address, look_up


class HostedMailboxBackend(ModelBackend):
    """Checks the address of a hosted mailbox against its hash; people without a mailbox against their own.

    One hash is computed for every address of our domains, known or not, so that the time taken tells nothing; for an address
    of another domain it is computed by MailServerBackend, where no server is asked instead. Raises ValidationError with the
    code suspended, but only to who has the right password.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Who signs in with the password of a mailbox here, or of a person without one; None for anybody else, in the same time.
        Raises ValidationError (code suspended) where the password is right and the mailbox shut."""
        address = clean_address(str(kwargs.get("email") or username or ""))
        if not address or not password:
            return None
        known = look_up(address)
        if not known.mailbox:
            return self._person(address, password, known)
        mailbox = Mailbox.objects.select_related("domain__customer").get(address=address)
        if not check_password(password, mailbox.password) or mailbox.deleted:
            even_out(password, mailbox.password)
            return None
        if not (mailbox.is_open and mailbox.imap):
            raise ValidationError(
                _("This mailbox is closed for now. Ask whoever runs your mail to open it again."), code="suspended"
            )
        owner = account_of_mailbox(mailbox).owner
        return owner if self.user_can_authenticate(owner) else None

    def _person(self, address: str, password: str, known: Known) -> User | None:
        user = User.objects.filter(email=address, is_active=True).first() if known.person else None
        if user is None:
            if known.domain:
                make_password(password)  # the same work as for somebody who exists
            return None
        return user if user.check_password(password) else None
