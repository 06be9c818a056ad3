"""Signing in with what Casilla knows itself: a hosted mailbox's password, or a person's own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from accounts.models import Mailbox, User
from accounts.services.login import account_of_mailbox


class HostedMailboxBackend(ModelBackend):
    """Checks the address of a hosted mailbox against its hash; people without a mailbox against their own."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        address = str(kwargs.get("email") or username or "").strip().lower()
        if not address or not password:
            return None
        mailbox = Mailbox.objects.filter(address=address).first()
        if mailbox is None:
            return self._person(address, password)
        right = check_password(password, mailbox.password)
        if not right or not mailbox.active or not mailbox.imap:
            return None
        return account_of_mailbox(mailbox).owner

    def _person(self, address: str, password: str) -> User | None:
        user = User.objects.filter(email=address, is_active=True).first()
        if user is None or not user.has_usable_password():
            make_password(password)  # the same work as for somebody who exists
            return None
        return user if user.check_password(password) else None
