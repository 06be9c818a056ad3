"""A person's own accounts, and nobody else's."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from accounts.models import MailAccount


def own_account(request: HttpRequest, account_id: int, *, hosted: bool = False) -> MailAccount:
    """This person's account with this id; a 404 for anybody else's, for a mailbox that is suspended, and, where only a mailbox
    that is hosted here will do, for one of another server."""
    mine = MailAccount.objects.select_related("owner", "mailbox__domain").filter(owner=request.user.pk, pk=account_id)
    account = mine.first()
    if account is None or (hosted and not account.hosted):
        raise Http404
    if account.mailbox and not account.mailbox.is_open:
        raise Http404
    return account
