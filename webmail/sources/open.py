"""The only place that picks which kind of source an account has."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.models import MailAccount
from webmail.sources.base import MailSource
from webmail.sources.imap import open_imap
from webmail.sources.telling import TellingStore
from webmail.values import Credentials, Endpoint, FolderId, Role


def open_source(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    account_id: int,
    ca_file: str,
    redis_url: str,
    roles: Mapping[Role, FolderId] | None = None,
    folder: FolderId | None = None,
    page: str = "",
) -> MailSource:
    """The source of an account that is read live over IMAP. It connects when something is first asked of it."""
    return open_imap(
        endpoint,
        credentials,
        account_key=str(account_id),
        ca_file=ca_file,
        redis_url=redis_url,
        roles=roles,
        account_id=account_id,
        folder=folder,
        page=page,
    )


def open_store(account: MailAccount) -> MailSource:
    """The source of an account whose mail lives here."""
    return TellingStore(account)
