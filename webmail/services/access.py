"""Whose mailbox it is and how it is opened: the owner's alone, without a stored password."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse

from accounts.models import MailAccount
from accounts.vault import SealBroken, new_half, seal_with_half, unseal_with_half
from webmail.errors import LoginRefused
from webmail.sources.base import MailSource
from webmail.sources.open import open_source as pick_source
from webmail.values import Credentials, Endpoint, Tls

PENDING = "_casilla_pending"
SEALED = "sealed"
COOKIE = "casilla_seal"


def account_for(request: HttpRequest, account_id: int) -> MailAccount:
    """This person's account with this id; anybody else's is a 404. Raises LoginRefused when its mailbox was suspended."""
    account = (
        MailAccount.objects.select_related("mailbox", "mailbox__domain")
        .filter(pk=account_id, owner=request.user.pk)
        .first()
    )
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
    Raises LoginRefused when the session has none."""
    origin = request.META.get("REMOTE_ADDR", "")
    session = f"web-{(request.session.session_key or 'none')[:12]}"
    if account.hosted:
        login = f"{account.address}*{settings.MAIL_MASTER_USER}"
        return Credentials(login, settings.MAIL_MASTER_PASSWORD, origin, session)
    sealed = request.session.get(SEALED, {}).get(str(account.pk), "")
    try:
        password = unseal_with_half(sealed, request.COOKIES.get(COOKIE, ""), context=f"account:{account.pk}")
    except SealBroken as error:
        raise LoginRefused("the session has no password") from error
    return Credentials(account.login or account.address, password, origin, session)


def open_source(request: HttpRequest, account: MailAccount) -> MailSource:
    """The account's mail. Raises MailError when it is used and the server does not let us in."""
    return pick_source(
        endpoint_for(account),
        credentials_for(request, account),
        account_key=str(account.pk),
        ca_file=settings.MAIL_CA_FILE,
        redis_url=settings.REDIS_URL,
    )


@receiver(user_logged_in)
def seal_password(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """After a sign-in at a foreign server: the password goes into the session, sealed with a key that only the browser's
    cookie will have. (A signal, because the session's own key changes between the check and here.)"""
    pending = getattr(request, PENDING, None)
    if pending is None:
        return
    account_id, password = pending
    half = new_half()
    sealed = seal_with_half(password, half, context=f"account:{account_id}")
    request.session[SEALED] = {str(account_id): sealed}
    setattr(request, PENDING, None)
    setattr(request, COOKIE, half)


def set_seal_cookie(request: HttpRequest, response: HttpResponse) -> None:
    """Gives the browser its half after a sign-in, and takes it back after a sign-out."""
    half = getattr(request, COOKIE, None)
    if half:
        age = request.session.get_expiry_age() if not request.session.get_expire_at_browser_close() else None
        response.set_cookie(COOKIE, half, max_age=age, secure=settings.HTTPS, httponly=True, samesite="Lax")
    elif COOKIE in request.COOKIES and not request.user.is_authenticated:
        response.delete_cookie(COOKIE, samesite="Lax")
