"""What the space of mailboxes is made of, in figures: by folder, year and size, and no word of any mail."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import caller_of, fails, needs
from accounts.api.loading import domain_by, mailbox_by
from accounts.api.pages import Key
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.shares import MailboxSharesOut, SharesOut
from accounts.api.space import scope_for
from accounts.services.permissions import Action
from accounts.services.usage.shares import ask_shares, shares_of_scope, shares_row

router = Router(tags=["Space"])


@router.get(
    "/space/shares",
    response=SharesOut,
    summary="What the space is made of, of all that one runs or of a part: by kind of folder, year and size",
)
@needs("usage:read")
@fails(404)
def space_shares(
    request: HttpRequest,
    reseller: Key = None,
    customer: Key = None,
    server: Key = None,
    plan: Key = None,
    domain: Key = None,
) -> Any:
    """Narrowed to a `reseller`, `customer`, `server`, `plan` or `domain`; summed up of the mailboxes that were weighed."""
    caller = caller_of(request)
    scope = scope_for(caller, reseller, customer, server, plan)
    return SharesOut.of(
        shares_of_scope(scope, None if domain is None else domain_by(caller, domain, Action.SEE_DOMAIN))
    )


@router.get(
    "/mailboxes/{mailbox_id}/space/shares",
    response=MailboxSharesOut,
    summary="What a mailbox's space is made of: by folder, year and size",
)
@needs("usage:read")
def mailbox_shares(request: HttpRequest, mailbox_id: int) -> Any:
    """As they were found last."""
    return MailboxSharesOut.of(shares_row(mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX)))


@router.post(
    "/mailboxes/{mailbox_id}/space/shares",
    response={202: MailboxSharesOut},
    summary="Have a mailbox weighed anew, which a worker begins at once",
)
@needs("mailboxes:write")
@fails(409)
@idempotent
def mailbox_shares_ask(request: HttpRequest, mailbox_id: int) -> Any:
    """409 for a mailbox that is suspended or deleted."""
    mailbox = mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX)
    if not mailbox.is_open:
        raise Problem(409, _("The mailbox is suspended or deleted."))
    ask_shares(mailbox)
    return Status(202, MailboxSharesOut.of(shares_row(mailbox)))
