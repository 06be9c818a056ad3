"""What keeps POP3 programs from taking mail away, set for a mailbox: how long they are told to leave copies, or POP3 shut."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts.models import MailAccount, Mailbox
from accounts.services.audit import Actor, record
from accounts.services.mailboxes import change_mailbox

DAYS_MAX = 365


class NotOffered(ValueError):
    """Something that cannot be set for this mailbox, now."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be set: `days` is for how long programs are told to leave copies today (None: that is not to be set here), `imap`
    whether POP3 can be shut, so that IMAP alone is left."""

    days: int | None
    imap: bool

    def __bool__(self) -> bool:
        return self.days is not None or self.imap


@dataclass(frozen=True, slots=True)
class Before:
    """How it was, of what was changed."""

    days: int | None = None
    pop3: bool | None = None


def offer_for(mailbox: Mailbox) -> Offer:
    """Nothing for a mailbox that Casilla itself downloads: its policy says both."""
    account = _account(mailbox)
    if account and account.downloads:
        return Offer(None, imap=False)
    plan = mailbox.domain.customer.plan
    both = mailbox.pop3 and plan.pop3 and mailbox.imap and plan.imap
    return Offer(account.leave_days if account and mailbox.pop3 and plan.pop3 else None, imap=both)


@transaction.atomic
def leave_copies(*, mailbox: Mailbox, days: int, by: Actor) -> Before:
    """Programs that are set up from now on are told to leave copies for so many days. Raises NotOffered."""
    if offer_for(mailbox).days is None or not 1 <= days <= DAYS_MAX:
        raise NotOffered
    return Before(days=_set_days(mailbox, days, by))


@transaction.atomic
def shut_pop3(*, mailbox: Mailbox, by: Actor) -> Before:
    """No program downloads this mailbox any more; those that are connected are ended. Raises NotOffered."""
    if not offer_for(mailbox).imap:
        raise NotOffered
    change_mailbox(mailbox=mailbox, by=by, pop3=False)
    return Before(pop3=True)


@transaction.atomic
def take_back(*, mailbox: Mailbox, before: Before, by: Actor) -> None:
    """As it was before. Raises NotOffered for a mailbox that Casilla downloads since."""
    account = _account(mailbox)
    if account and account.downloads:
        raise NotOffered
    if before.days is not None:
        _set_days(mailbox, before.days, by)
    if before.pop3 is not None:
        change_mailbox(mailbox=mailbox, by=by, pop3=before.pop3)


def _set_days(mailbox: Mailbox, days: int, by: Actor) -> int:
    """Gives what it was before."""
    account = MailAccount.objects.select_for_update().get(mailbox=mailbox)
    before = account.leave_days
    if days != before:
        account.leave_days = days
        account.save(update_fields=["leave_days"])
        record(by=by, verb="mailbox.change", thing=mailbox, before={"leave_days": before}, after={"leave_days": days})
    return before


def _account(mailbox: Mailbox) -> MailAccount | None:
    return MailAccount.objects.filter(mailbox=mailbox).first()
