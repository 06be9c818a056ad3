"""When devices' passwords were last used, in the words of whoever owns the mailbox, and what is known of sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts.models import AppPassword, LogPosition, Mailbox
from accounts.services.networks import places_of


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A device's password; what the networks of its last use and of its last message are called, as they are where they have no
    name. `sending` says what is to be told of that beside its last use: sent, never, since (nothing since that is recorded, and
    the password is older), unknown (it is not recorded), or "" for nothing."""

    row: AppPassword
    last_place: str
    sent_place: str
    sending: str
    since: datetime | None


def device_uses(mailbox: Mailbox) -> list[DeviceUse]:
    """The passwords of a mailbox's devices, by name, for its owner."""
    rows = list(AppPassword.objects.filter(mailbox=mailbox).order_by("name"))
    since = sending_since() if rows else None
    places = places_of(mailbox, own=True).words if any(row.last_at for row in rows) else str
    return [
        DeviceUse(row, places(row.last_network), places(row.sent_network or ""), _sending(row, since), since)
        for row in rows
    ]


def sending_since() -> datetime | None:
    """Since when it is recorded who sends; None where it is not."""
    if not settings.POSTFIX_LOG:
        return None
    read = LogPosition.objects.filter(path=str(Path(settings.POSTFIX_LOG)))
    known = read.values_list("waiting__sends_since", flat=True).first()
    return datetime.fromisoformat(known) if known else None


def _sending(row: AppPassword, since: datetime | None) -> str:
    if row.sent_at:
        return "" if row.last_protocol == "smtp" else "sent"
    if not row.smtp:
        return ""
    if since is None:
        return "unknown"
    return "since" if row.created < since else "never"
