"""Whose mailbox it is and how it is opened: the owner's alone, without a stored password."""

from __future__ import annotations

import contextlib
import re
from typing import cast

from django.conf import settings
from django.http import Http404, HttpRequest

from accounts.adapter import client_ip
from accounts.models import MailAccount
from accounts.services.login import sealed_password
from accounts.services.owned import run_account
from accounts.standing import Standing
from accounts.vault import SealBroken, unseal
from webmail.errors import LoginRefused, Refused
from webmail.models import Download
from webmail.sieve.client import SIEVE_PORT
from webmail.sources.base import MailSource
from webmail.sources.open import open_source as pick_source
from webmail.sources.open import open_store
from webmail.tokens import decode_folder
from webmail.values import Credentials, Endpoint, FolderId, Role, Tls

_PAGE = re.compile(r"[0-9a-z]{8,32}")


def account_for(request: HttpRequest, account_id: int | None) -> MailAccount:
    """This person's account with this id, or their first for None; anybody else's is a 404. Raises LoginRefused when its
    mailbox was suspended in the meantime."""
    account = find_account(request, account_id)
    if account.mailbox and not (account.mailbox.is_open and account.mailbox.imap):
        raise LoginRefused("suspended")
    return account


def settings_account(request: HttpRequest, account_id: int) -> MailAccount:
    """The same, or the account of a mailbox that this person runs: for its settings, never for its mail."""
    return account_for(request, account_id) if _find(request, account_id) else run_account(request, account_id)


def find_account(request: HttpRequest, account_id: int | None) -> MailAccount:
    """The same, whether it is suspended or not."""
    account = _find(request, account_id)
    if account is None:
        raise Http404
    return account


def first_account(request: HttpRequest) -> MailAccount | None:
    """This person's first account."""
    return _find(request, None)


def _find(request: HttpRequest, account_id: int | None) -> MailAccount | None:
    """Among the accounts that came with the person (accounts/standing.py), else asked for."""
    standing: Standing | None = getattr(request, "standing", None)
    if standing is not None and standing.user.pk == request.user.pk:
        return standing.account(account_id)
    mine = MailAccount.objects.select_related("mailbox__domain__customer").filter(owner=request.user.pk)
    return (mine.order_by("pk") if account_id is None else mine.filter(pk=account_id)).first()


def endpoint_for(account: MailAccount) -> Endpoint:
    """Where the account's IMAP server listens. Only our own may be inside our network."""
    if account.hosted:
        return Endpoint(settings.IMAP_HOST, settings.IMAP_PORT, cast(Tls, settings.IMAP_TLS))
    return Endpoint(account.imap_host, account.imap_port, cast(Tls, account.imap_tls), public_only=True)


def submission_for(account: MailAccount) -> Endpoint:
    """Where the account's server takes mail; host "" when none is known. Only our own may be inside our network."""
    if account.hosted:
        return Endpoint(settings.SUBMISSION_HOST, settings.SUBMISSION_PORT, cast(Tls, settings.SUBMISSION_TLS))
    return Endpoint(account.smtp_host, account.smtp_port, cast(Tls, account.smtp_tls), public_only=True)


def pop3_for(account: MailAccount) -> Endpoint:
    """Where the account's POP3 server listens; host "" when none is known. Only our own may be inside our network. Raises
    Refused for another server without TLS, unless the settings allow it."""
    if account.hosted:
        return Endpoint(settings.POP3_HOST, settings.POP3_PORT, cast(Tls, settings.POP3_TLS))
    endpoint = Endpoint(account.pop3_host, account.pop3_port, cast(Tls, account.pop3_tls), public_only=True)
    if endpoint.tls == "none" and not settings.POP3_ALLOW_CLEARTEXT:
        raise Refused("a password is not sent in clear text")
    return endpoint


def sieve_for(account: MailAccount) -> Endpoint:
    """Where the account's filters are kept (RFC 5804): for other people's servers beside their IMAP, and always with TLS; host
    "" when that is not known."""
    if account.hosted:
        return Endpoint(settings.SIEVE_HOST, settings.SIEVE_PORT, cast(Tls, settings.SIEVE_TLS))
    return Endpoint(account.imap_host, SIEVE_PORT, "starttls", public_only=True)


def credentials_for(request: HttpRequest, account: MailAccount) -> Credentials:
    """How to log in: through the master user for a hosted mailbox, with the password sealed in the session for others, or
    with the one that their downloads keep. Raises LoginRefused when there is none. Where somebody sits is told to our own
    server only."""
    if account.hosted:
        session = f"web-{account.pk}-{(request.session.session_key or '')[:8]}"
        return account_credentials(account, origin=client_ip(request), session=session)
    try:
        return account_credentials(account, secret=sealed_password(request, account_id=account.pk))
    except SealBroken:
        return account_credentials(account, secret=kept_secret(account))


def kept_secret(account: MailAccount) -> str:
    """The password or token that is kept for an account's downloads. Raises LoginRefused when there is none that opens."""
    download = Download.objects.filter(account=account).first() if account.downloads else None
    if download is None:
        raise LoginRefused("the session has no password")
    try:
        return unseal(download.sealed, context=seal_context(account.pk))
    except SealBroken as error:
        raise LoginRefused("the password cannot be unsealed") from error


def seal_context(account_id: int) -> str:
    """For what the password of an account's POP3 server is sealed."""
    return f"download:{account_id}"


def account_credentials(
    account: MailAccount, *, secret: str | None = None, origin: str = "", session: str = ""
) -> Credentials:
    """The same without a request, for reading and for sending: `secret` is the password of a mailbox on another server.
    Raises LoginRefused when one is needed and there is none."""
    if account.hosted:
        login = f"{account.address}*{settings.MAIL_MASTER_USER}"
        return Credentials(login, settings.MAIL_MASTER_PASSWORD, origin, session)
    if not secret:
        raise LoginRefused("no password")
    return Credentials(account.login or account.address, secret)


def open_source(request: HttpRequest, account: MailAccount) -> MailSource:
    """The account's mail. Raises MailError when it is used and the server does not let us in."""
    if account.downloads:
        return open_store(account)
    match = request.resolver_match
    return open_live(
        account,
        credentials_for(request, account),
        folder=match.kwargs.get("folder_id") if match else None,
        page=page_of(request),
    )


def page_of(request: HttpRequest) -> str:
    """The name that an open page gave itself, "" when it gave none that can be one."""
    name = request.META.get("HTTP_X_PAGE", "")  # `headers` makes a table of all of them
    return name if _PAGE.fullmatch(name) else ""


def open_account(account: MailAccount, credentials: Credentials) -> MailSource:
    """The account's mail, opened with credentials that are at hand; the store's needs none."""
    return open_store(account) if account.downloads else open_live(account, credentials)


def open_live(
    account: MailAccount, credentials: Credentials, *, folder: FolderId | None = None, page: str = ""
) -> MailSource:
    """The account's mailbox on its IMAP server, wherever its mail lives; `folder` is the one that will be asked for, `page`
    the open page that asks."""
    return pick_source(
        endpoint_for(account),
        credentials,
        account_id=account.pk,
        ca_file=settings.MAIL_CA_FILE,
        redis_url=settings.REDIS_URL,
        roles=chosen_roles(account),
        folder=folder,
        page=page,
    )


def chosen_roles(account: MailAccount) -> dict[Role, FolderId]:
    """The special folders that the owner of an account has chosen."""
    found = {}
    for role, token in account.special_folders.items():
        if role in set(Role):
            with contextlib.suppress(ValueError):
                found[Role(role)] = decode_folder(token)
    return found
