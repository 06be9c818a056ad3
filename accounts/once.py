"""A secret that the answer to a form shows once is shown again, and not made anew, when the browser sends that very form once
more, by reloading the page or by a second click. Which form it was, its token against forgery tells (each page has another),
together with all that was filled in."""

from __future__ import annotations

import json

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.vault import SealBroken, seal, unseal

KEPT_S = 600


def recall(request: HttpRequest, what: str) -> str | None:
    """The secret that this form has made already, None for a form that is sent for the first time."""
    key = _key(request, what)
    sealed = cache.get(key) if key else None
    try:
        return unseal(sealed, context=key) if isinstance(sealed, str) else None
    except SealBroken:
        return None


def keep(request: HttpRequest, what: str, secret: str) -> None:
    """Keeps what this form has made for ten minutes, sealed; it is not kept while Redis is away."""
    if key := _key(request, what):
        cache.set(key, seal(secret, context=key), KEPT_S)


def _key(request: HttpRequest, what: str) -> str:
    """By what was sent, where to, by whom and in which form: the same form filled in otherwise (by going back) is another."""
    token = request.POST.get("csrfmiddlewaretoken", "")
    fields = sorted(request.POST.lists())
    form = json.dumps([what, request.user.pk, request.path, fields])
    return f"once:{salted_hmac('accounts.once', form, algorithm='sha256').hexdigest()}" if token else ""
