"""A secret that the answer to a form shows once is shown again, and not made anew, when the browser sends that very form once
more, by reloading the page or by a second click. Which form it was, its token against forgery tells, for each page has another,
and all that was filled in: who goes back and changes something sends another form."""

from __future__ import annotations

import json

from django.core.cache import cache
from django.http import HttpRequest

from accounts.vault import SealBroken, digest_of, seal, unseal

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
    if not request.POST.get("csrfmiddlewaretoken"):
        return ""
    filled = sorted((name, *values) for name, values in request.POST.lists())
    return f"once:{digest_of(json.dumps([what, request.user.pk, filled]))}"
