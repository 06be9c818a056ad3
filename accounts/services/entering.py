"""A link with which another panel signs a mailbox's owner in here, once and within a minute: single sign-on.

It opens the web for who reads mail and for nobody else: never for somebody who runs anything, and never where it would open other
mailboxes than the one that it is for. It is no proof of the password, which is asked for as ever before what would hand a mailbox
over. That it is made and that it is used stands in the log, which the owner reads.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import MailAccount, Mailbox, Role, User
from accounts.services.audit import Actor, record
from accounts.services.login import account_of_mailbox
from accounts.vault import digest_of

AGE_S = 60
SALT = "accounts.enter"


@transaction.atomic
def make_entrance(*, mailbox: Mailbox, by: Actor) -> str:
    """The link. Raises PermissionDenied where the mailbox's owner runs something or has other mailboxes too."""
    owner = account_of_mailbox(mailbox).owner
    _only_this(owner)
    record(by=by, verb="mailbox.enter", thing=mailbox)
    ticket = signing.dumps([mailbox.pk, _state(owner)], salt=SALT)
    return settings.SITE_URL + reverse("portal:enter", args=[ticket])


@transaction.atomic
def enter(ticket: str, *, origin: str) -> User | None:
    """Who is to be signed in by a link that is still good; no other use of it is. None for any other, and where what was asked
    when it was made is so no more."""
    try:
        key, state = signing.loads(ticket, salt=SALT, max_age=AGE_S)
    except signing.BadSignature:
        return None
    account = MailAccount.objects.select_related("owner", "mailbox__domain__customer").filter(mailbox=key).first()
    if account is None or account.mailbox is None or not (account.mailbox.is_open and account.mailbox.imap):
        return None
    owner = account.owner
    try:
        _only_this(owner)
    except PermissionDenied:
        return None
    if not owner.is_active or _state(owner) != state or not _signed_in_now(owner):
        return None
    record(by=Actor(owner, origin), verb="mailbox.entered", thing=account.mailbox)
    return owner


def _only_this(owner: User) -> None:
    if owner.is_superuser or Role.objects.filter(person=owner).exists():
        raise PermissionDenied(_("the mailbox's owner runs something here: they sign in themselves"))
    if MailAccount.objects.filter(owner=owner).count() != 1:
        raise PermissionDenied(_("the mailbox's owner has other mailboxes too: they sign in themselves"))


def _state(owner: User) -> str:
    """What every sign-in and every new password changes."""
    return digest_of(f"{owner.pk} {owner.last_login and owner.last_login.isoformat()} {owner.get_session_auth_hash()}")


def _signed_in_now(owner: User) -> bool:
    """Writes down that the person signs in; False where somebody else did in the same moment, as by the same link."""
    before = {"last_login": owner.last_login} if owner.last_login else {"last_login__isnull": True}
    return User.objects.filter(pk=owner.pk, **before).update(last_login=timezone.now()) == 1
