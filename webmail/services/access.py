"""Whose mailbox it is and how it is opened: the owner's alone, without a stored password."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import Http404, HttpRequest

from accounts.adapter import client_ip
from accounts.models import MailAccount
from accounts.services.login import sealed_password
from accounts.vault import SealBroken
from webmail.errors import LoginRefused
from webmail.sources.base import MailSource
from webmail.sources.open import open_source as pick_source
from webmail.values import Credentials, Endpoint, Tls


def account_for(request: HttpRequest, account_id: int | None) -> MailAccount:
    """This person's account with this id, or their first for None; anybody else's is a 404. Raises LoginRefused when its
    mailbox was suspended in the meantime."""
    mine = MailAccount.objects.select_related("mailbox", "mailbox__domain").filter(owner=request.user.pk)
    account = (mine.order_by("pk") if account_id is None else mine.filter(pk=account_id)).first()
    if account is None:
        raise Http404
    if account.mailbox and not (account.mailbox.active and account.mailbox.imap and account.mailbox.domain.active):
        raise LoginRefused("suspended")
    return account


def endpoint_for(account: MailAccount) -> Endpoint:
    """Where the account's IMAP server listens."""
    if account.hosted:
        return Endpoint(settings.IMAP_HOST, settings.IMAP_PORT, cast(Tls, settings.IMAP_TLS))
    return Endpoint(account.imap_host, account.imap_port, cast(Tls, account.imap_tls))


def credentials_for(request: HttpRequest, account: MailAccount) -> Credentials:
    """How to log in: through the master user for a hosted mailbox, with the password sealed in the session for others.
    Raises LoginRefused when the session has none. Where somebody sits is told to our own server only."""
    if account.hosted:
        login = f"{account.address}*{settings.MAIL_MASTER_USER}"
        session = f"web-{account.pk}-{(request.session.session_key or '')[:8]}"
        return Credentials(login, settings.MAIL_MASTER_PASSWORD, client_ip(request), session)
    try:
        password = sealed_password(request, account_id=account.pk)
    except SealBroken as error:
        raise LoginRefused("the session has no password") from error
    return Credentials(account.login or account.address, password)


def open_source(request: HttpRequest, account: MailAccount) -> MailSource:
    """The account's mail. Raises MailError when it is used and the server does not let us in."""
    return pick_source(
        endpoint_for(account),
        credentials_for(request, account),
        account_key=str(account.pk),
        ca_file=settings.MAIL_CA_FILE,
        redis_url=settings.REDIS_URL,
        foreign=not account.hosted,
    )
