"""What an owner does to their own mailbox: what would hand it over for good asks for its password, as the pages do. A token that
somebody found is not enough for it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.api.callers import Caller, TooManyRequests, caller_of
from accounts.confirm import Answer, judge
from accounts.models import MailAccount, Mailbox
from accounts.services.permissions import Action, may

FIELD = "current_password"
WAIT_S = 300


def is_own(caller: Caller, mailbox: Mailbox) -> bool:
    """Whether the caller signs in with it, or has it without running it: then its password is asked for."""
    account: MailAccount | None = getattr(mailbox, "account", None)  # none before the first sign-in
    mine = mailbox.address == caller.person.email or (account is not None and account.owner_id == caller.person.pk)
    return mine or not may(caller.person, Action.RUN_MAILBOX, mailbox)


def confirm_own(request: HttpRequest, mailbox: Mailbox, current: str | None) -> None:
    """Asks the owner for the mailbox's password; whoever else runs it is not asked. Raises ValidationError at FIELD without the
    right one, TooManyRequests after too many wrong ones."""
    if not is_own(caller_of(request), mailbox):
        return
    if not current:
        raise ValidationError({FIELD: _("The password of the mailbox is needed for this.")})
    found = judge(request, mailbox, current)
    if found is Answer.MANY:
        raise TooManyRequests(WAIT_S)
    if found is Answer.WRONG:
        raise ValidationError({FIELD: _("This is not the password of the mailbox.")})
