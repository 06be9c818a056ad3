"""Who may hear of an account, and how the watcher opens it."""

from __future__ import annotations

import json
from importlib import import_module
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, close_old_connections
from django.http import Http404, HttpRequest

from accounts.models import MailAccount
from accounts.vault import SealBroken, seal, unseal
from webmail.errors import LoginRefused, Unreachable
from webmail.live.line import Target
from webmail.live.stream import Admission, NotAdmitted
from webmail.services.access import account_credentials, account_for, credentials_for, endpoint_for
from webmail.values import Credentials


async def admit(scope: dict[str, Any], account_id: int) -> Admission:
    """Whether a request may hear an account: its owner's alone, from our own pages. Raises NotAdmitted. Takes a thread for a
    moment and a connection of the database no longer."""
    return await sync_to_async(_admit, thread_sensitive=False)(scope, account_id)


def _admit(scope: dict[str, Any], account_id: int) -> Admission:
    close_old_connections()
    try:
        request = _request(scope)
        if not request.user.is_authenticated:
            raise NotAdmitted(403)
        account = account_for(request, account_id)
        return Admission(account.owner_id, watched=not account.downloads, secret=_seal_for(request, account))
    except Http404 as error:
        raise NotAdmitted(404) from error
    except LoginRefused as error:
        raise NotAdmitted(403) from error
    except DatabaseError as error:
        raise NotAdmitted(503) from error
    finally:
        close_old_connections()


def _request(scope: dict[str, Any]) -> HttpRequest:
    """The request with its session and its person, as the middlewares would load them. Raises NotAdmitted."""
    request = ASGIRequest(scope, BytesIO())
    try:
        request.get_host()
    except DisallowedHost as error:
        raise NotAdmitted(400) from error
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise NotAdmitted(403)
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.user = get_user(request)
    return request


def _seal_for(request: HttpRequest, account: MailAccount) -> str:
    """The password of an account on another server, sealed for the watcher as long as the page is open; "" when the session
    holds none, or none is needed."""
    if account.hosted or account.downloads:
        return ""
    try:
        credentials = credentials_for(request, account)
    except LoginRefused:
        return ""
    return seal(json.dumps([credentials.login, credentials.password]), context=_context(account.pk))


def _context(account_id: int) -> str:
    return f"live:{account_id}"


def watch_target(account_id: int, sealed: str) -> Target:
    """Where the watcher finds an account and how it opens it. Raises LoginRefused when it cannot, Unreachable while the
    database is away."""
    close_old_connections()
    try:
        account = MailAccount.objects.select_related("mailbox__domain__customer").filter(pk=account_id).first()
    except DatabaseError as error:
        raise Unreachable("the database does not answer") from error
    finally:
        close_old_connections()
    if account is None or account.downloads:
        raise LoginRefused("nothing to watch")
    if account.mailbox and not (account.mailbox.is_open and account.mailbox.imap):
        raise LoginRefused("suspended")
    return Target(endpoint_for(account), _credentials(account, sealed), settings.MAIL_CA_FILE)


def _credentials(account: MailAccount, sealed: str) -> Credentials:
    if account.hosted:
        return account_credentials(account, session=f"live-{account.pk}")
    if not sealed:
        raise LoginRefused("no password")
    try:
        login, password = json.loads(unseal(sealed, context=_context(account.pk)))
    except (SealBroken, ValueError) as error:
        raise LoginRefused("the password cannot be unsealed") from error
    return Credentials(login, password)
