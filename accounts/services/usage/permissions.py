"""Who may see and change what about space."""

from __future__ import annotations

from accounts.models import Mailbox
from accounts.services.permissions import Action, Person, held_by, may


def may_see_usage(person: Person) -> bool:
    """Whether somebody may see the space of all mailboxes and the disk, and change limits: the provider's own people."""
    return held_by(person).provider


def may_see_mailbox(person: Person, mailbox: Mailbox) -> bool:
    """Whether somebody may see what happened to one mailbox: its owner, and whoever runs it."""
    return may(person, Action.SEE_MAILBOX, mailbox)
