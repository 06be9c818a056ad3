"""A person's own accounts; and those of mailboxes that they run, of which they see settings and never mail."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from accounts.models import MailAccount
from accounts.services.permissions import Action, may, may_take_over


def own_account(request: HttpRequest, account_id: int, *, hosted: bool = False) -> MailAccount:
    """This person's account with this id; a 404 for anybody else's, for a mailbox that is suspended, and, where only a mailbox
    that is hosted here will do, for one of another server."""
    mine = MailAccount.objects.select_related("owner", "mailbox__domain__customer").filter(
        owner=request.user.pk, pk=account_id
    )
    account = mine.first()
    if account is None or (hosted and not account.hosted):
        raise Http404
    if account.mailbox and not account.mailbox.is_open:
        raise Http404
    return account


def run_account(request: HttpRequest, account_id: int) -> MailAccount:
    """The account of a mailbox that is hosted here, open, and run by this person, who need not be its owner; any other is a
    404. Raises PermissionDenied for that of somebody whom the person does not outrank: a filter can send mail on."""
    rows = MailAccount.objects.select_related("owner", "mailbox__domain__customer")
    account = rows.filter(pk=account_id, mailbox__isnull=False).first()
    if account is None or account.mailbox is None or not account.mailbox.is_open:
        raise Http404
    if not may(request.user, Action.RUN_MAILBOX, account.mailbox):
        raise Http404
    if not may_take_over(request.user, account.mailbox):
        raise PermissionDenied
    return account


def settings_account(request: HttpRequest, account_id: int) -> MailAccount:
    """One's own account, or that of a mailbox that one runs."""
    if MailAccount.objects.filter(owner=request.user.pk, pk=account_id).exists():
        return own_account(request, account_id)
    return run_account(request, account_id)


def is_own(request: HttpRequest, account: MailAccount) -> bool:
    """Whether an account is the person's own, and not only run by them."""
    return account.owner_id == request.user.pk
