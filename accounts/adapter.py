"""How django-allauth behaves here: nobody registers, the address is the name, and it says how many tries are left."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.forms import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.standing import find_standing

RATES = {"app": "allauth.account", "action": "login_failed"}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks of the house: nobody registers, its messages are not shown, and its errors are in our words."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The password is not the one of this mailbox."),
        "too_many_login_attempts": _("Too many wrong passwords. Wait five minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody registers: mailboxes are made by the provider."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """allauth has nothing to say that the page does not show."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The Inbox at once, where the person's first account has one: "/" would lead there too, with a page more."""
        standing = find_standing(request.user.pk or 0)
        account = standing.account(None) if standing else None
        if account is None or account.downloads:
            return str(super().get_login_redirect_url(request))
        return reverse("folder", args=[account.pk, "INBOX"])

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person, or None for a wrong password. A ValidationError of a backend (server down, suspended...) is no wrong
        password, so it does not count as one."""
        try:
            user: User | None = super().authenticate(request, **credentials)
        except ValidationError as error:
            if error.code != "too_many_login_attempts":
                self._rollback_login_failed_rl_usage()
            raise
        return user

    def attempts_left(self, request: HttpRequest, address: str) -> int:
        """How many wrong passwords are left before a wait, for this address from this network."""
        key = self._get_login_attempts_cache_key(request, email=address)
        left = []
        for rate in ratelimit.get_rates(**RATES):
            name = ratelimit.get_cache_key(request, rate=rate, key=key, **RATES)
            used = [at for at in cache.get(name, []) if at > time.time() - rate.duration]
            left.append(max(0, rate.amount - len(used)))
        return min(left, default=1)


def client_ip(request: HttpRequest) -> str:
    """The address of who asks. X-Forwarded-For counts only behind as many proxies as ALLAUTH_TRUSTED_PROXY_COUNT says."""
    return str(AccountAdapter().get_client_ip(request))
