"""How full a mailbox is in the words of its plan: from which threshold on its owner is told."""

from __future__ import annotations

import time

from accounts.models import Customer, Mailbox
from accounts.services.usage.alerts import LEAST, steps
from accounts.services.usage.report import read_limits

KNOWN_S = 60.0
KNOWN_MOST = 10_000
_known: dict[int, tuple[float, int]] = {}


def level_of(mailbox: Mailbox | None, percent: int) -> str:
    """ "" below the first threshold, then some, near (from the second on), full."""
    if percent < LEAST:
        return ""
    passed = [step for step in steps(_first(mailbox)) if percent >= step]
    if not passed:
        return ""
    return "full" if percent >= 100 else "near" if len(passed) > 1 else "some"


def forget() -> None:
    """Asks the database again."""
    _known.clear()


def _first(mailbox: Mailbox | None) -> int:
    """The first threshold, at most a minute old; for a mailbox of another server that which is agreed for all."""
    key = mailbox.domain.customer_id if mailbox else 0
    at, percent = _known.get(key, (0.0, 0))
    if percent and time.monotonic() - at < KNOWN_S:
        return percent
    own = Customer.objects.filter(pk=key).values_list("plan__owner_percent", flat=True).first() if key else None
    percent = own or read_limits().owner_percent
    if len(_known) >= KNOWN_MOST:
        _known.clear()
    _known[key] = (time.monotonic(), percent)
    return percent
