"""A forgotten password: a letter with a link, and what the link does."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Mailbox, User
from accounts.services import mailboxes
from accounts.services.audit import Actor, record, record_person
from accounts.services.letters import send_letter
from accounts.services.passwords import Holder, check_password_strength, holder_of_address, make_link_token


def link_of(holder: Holder, *, by: int | None = None) -> str:
    """A link with which a new password can be set once, for a day, and as long as who made it (`by`, a person's key) may."""
    return settings.SITE_URL + reverse("portal:new_password", args=[make_link_token(holder, by=by)])


def send_link(holder: Holder, to: str, *, by: int | None = None) -> bool:
    """Sends the link; False when no mail server took the letter."""
    context = {"address": str(holder), "link": link_of(holder, by=by)}
    return send_letter(to, _("A new password for %(address)s") % context, "portal/mail/new_password.txt", context)


def offer_link(*, mailbox: Mailbox, by: Actor, send: bool) -> tuple[bool, str]:
    """A link for a mailbox, made by whoever runs it: sent to its address for a new password (whether that worked; no link is
    given then), or given to be passed on."""
    record(by=by, verb="mailbox.link", thing=mailbox)
    key = by.person.pk if by.person else None
    if send:
        return send_link(mailbox, mailbox.recovery_address, by=key), ""
    return False, link_of(mailbox, by=key)


def forgotten(address: str) -> tuple[str, int]:
    """Who has forgotten the password of this address, as a worker is told: ("mailbox" or "person", key); key 0 where there is
    no way to send a link."""
    found = holder_of_address(address)
    if found is None:
        return "mailbox", 0
    return "mailbox" if isinstance(found[0], Mailbox) else "person", found[0].pk


def send_forgotten(kind: str, pk: int, language: str) -> bool:
    """Sends a link to who has forgotten a password, where there is a way; whether it was sent."""
    holder: Holder | None
    holder = Mailbox.objects.filter(pk=pk).first() if kind == "mailbox" else User.objects.filter(pk=pk).first()
    found = holder_of_address(str(holder)) if holder else None
    if found is None:
        return False
    with translation.override(language or None):
        return send_link(*found)


def set_new_password(*, holder: Holder, password: str, by: Actor, everywhere: bool = False) -> None:
    """The new password of who came with a link, `everywhere` as for `set_password`. Raises ValidationError at `password`."""
    if isinstance(holder, Mailbox):
        mailboxes.set_password(mailbox=holder, password=password, by=by, everywhere=everywhere)
        return
    check_password_strength(password, known=[holder.email, holder.name])
    with transaction.atomic():
        holder.set_password(password)
        holder.save(update_fields=["password"])
        record_person(by=by, verb="person.password", person=holder)
