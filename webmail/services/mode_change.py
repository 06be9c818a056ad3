"""Changing where a mailbox's mail lives, with its line in the log: begun, and taken back."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import MailAccount
from accounts.services.audit import Actor, record
from webmail.models import Transfer
from webmail.services.downloads import Policy
from webmail.services.transfer import NotPossible, last_transfer, start_transfer, undo_switch

NAMES = {Transfer.Kind.TO_DOWNLOAD: "POP3", Transfer.Kind.TO_IMAP: "IMAP"}
"""What the log calls the side that a change leads to."""


@transaction.atomic
def begin_change(
    *, account: MailAccount, kind: str, by: Actor, policy: Policy | None = None, secret: str = ""
) -> Transfer:
    """Begins a change; `policy` is how the mail is downloaded then, `secret` the password of another server. Raises
    NotPossible."""
    transfer = start_transfer(account=account, kind=kind, policy=policy, secret=secret)
    wanted: dict[str, Any] = {"mode": NAMES[Transfer.Kind(kind)]}
    now = {"mode": next(name for one, name in NAMES.items() if one != kind)}
    _note(account, by, now, wanted | ({"keep_days": policy.keep_days} if policy else {}))
    return transfer


@transaction.atomic
def undo_change(*, account: MailAccount, by: Actor) -> Transfer:
    """Takes the last change back, by the opposite one. Raises NotPossible when it is not done, or too old."""
    last = last_transfer(account)
    if last is None:
        raise NotPossible
    back = undo_switch(last)
    _note(account, by, {}, {"mode": NAMES[Transfer.Kind(back.kind)]})
    return back


def _note(account: MailAccount, by: Actor, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Mailboxes of other servers have no log."""
    if account.mailbox:
        record(by=by, verb="mailbox.mode", thing=account.mailbox, before=before, after=after)
