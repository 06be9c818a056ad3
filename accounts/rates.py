"""How often somebody may do what sends letters or tries a password: django-allauth's limiter, whose counts lie in Redis."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.http import HttpRequest

RATES = {
    # From one network and for one address.
    "forgotten": "20/m/ip,3/h/key",
    # By one person, and to one address whoever writes.
    "invite": "60/h/key",
    "invite_to": "5/h/key",
    # By one person, and for one mailbox whoever asks.
    "link": "60/h/key",
    "link_for": "5/h/key",
    # Letters to the owner of a mailbox that propose another mode.
    "propose": "3/h/key",
    # Wrong answers to "the password until now", of one mailbox or person.
    "confirm": "5/5m/key",
}


def take(request: HttpRequest, action: str, key: object) -> RateLimitUsage | None:
    """Counts one more; None when there were as many already. What comes back can be rolled back."""
    return ratelimit.consume(request, app="accounts", action=action, key=str(key), config=RATES)


def take_both(request: HttpRequest, action: str, by: object, to: object) -> bool:
    """Counts one more by somebody and to somebody; False when either has had enough, and then neither is counted."""
    first = take(request, action, by)
    if first is None:
        return False
    if take(request, f"{action}_to" if action == "invite" else f"{action}_for", to) is None:
        first.rollback()
        return False
    return True
