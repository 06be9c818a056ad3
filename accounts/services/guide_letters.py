"""The letter that leads the owner of a mailbox to a set-up guide."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import MailAccount
from accounts.services.letters import send_letter
from accounts.setup.programs import Program
from accounts.setup.values import Protocol


def send_guide(account: MailAccount, program: Program, protocol: Protocol, to: str) -> bool:
    """Sends the way to the guide of a program, without a password; False when no mail server took the letter."""
    link = settings.SITE_URL + reverse("guide", args=[account.pk, program.slug]) + f"?protocol={protocol}"
    context = {"address": account.address, "program": program.name, "link": link}
    return send_letter(to, _("How to set up %(address)s") % context, "accounts/mail/guide.txt", context)
