"""Who may see and change what about space."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import Mailbox, User


def may_see_usage(person: User | AnonymousUser) -> bool:
    """Whether somebody may see the space of all mailboxes, and change quotas and limits: the provider's own people."""
    return bool(person.is_authenticated and person.is_active and person.is_staff)


def may_see_mailbox(person: User | AnonymousUser, mailbox: Mailbox) -> bool:
    """Whether somebody may see what happened to one mailbox: its owner, and the provider's own people."""
    if not person.is_authenticated:
        return False
    return may_see_usage(person) or person.mail_accounts.filter(mailbox=mailbox).exists()
