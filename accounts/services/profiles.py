"""The profile that sets up an Apple device by itself, with a password of that device's own in it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import AppPassword, MailAccount
from accounts.services.app_passwords import make_for_device
from accounts.services.audit import Actor
from accounts.services.setup import values_of
from accounts.setup.profile import Texts, render_profile, sign_profile
from accounts.setup.values import Protocol


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as it is handed over (signed where a certificate is set), and the row of the password that is in it."""

    data: bytes
    row: AppPassword


def make_profile(account: MailAccount, protocol: Protocol, *, device: str, by: Actor) -> Profile:
    """A profile for a device of the owner of a mailbox that is hosted here; its password is good for this protocol and for
    sending. Raises TooMany."""
    assert account.mailbox
    made = make_for_device(mailbox=account.mailbox, device=device, protocols=(protocol, "smtp"), by=by)
    texts = Texts(account.address, _("Mail of %(address)s on this device.") % {"address": account.address})
    name = account.owner.name or account.mailbox.name
    known = {"address": account.address, "name": name, "password": made.password, "lasting": account.mailbox.home or ""}
    data = render_profile(values_of(account), protocol, texts=texts, **known)
    if settings.PROFILE_CERT_FILE:
        data = sign_profile(data, cert_file=settings.PROFILE_CERT_FILE, key_file=settings.PROFILE_KEY_FILE)
    return Profile(data, made.row)
