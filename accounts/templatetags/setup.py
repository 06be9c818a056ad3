"""Words about devices' passwords and set-up."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from accounts.models import AppPassword
from accounts.services.app_passwords import PROTOCOLS

register = template.Library()


@register.filter
def doors(row: AppPassword) -> str:
    """What a password is good for: "IMAP, sending"."""
    return ", ".join(_door(name) for name in PROTOCOLS if getattr(row, name))


@register.filter
def last_door(row: AppPassword) -> str:
    return _door(row.last_protocol)


def _door(name: str) -> str:
    return {"imap": "IMAP", "pop3": "POP3", "smtp": _("sending"), "sieve": _("filters")}.get(name, "")
