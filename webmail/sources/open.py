"""The only place that picks which kind of source an account has."""

from __future__ import annotations

from accounts.outbound import MAIL_PORTS, OutboundRefused, checked_addresses
from webmail.errors import Unreachable
from webmail.sources.base import MailSource
from webmail.sources.imap import open_imap
from webmail.values import Credentials, Endpoint


def open_source(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    account_key: str,
    ca_file: str,
    redis_url: str,
    foreign: bool = False,
) -> MailSource:
    """The source of an account that is read live over IMAP. A foreign server must have public addresses only, each time it
    is opened; raises Unreachable when it has others."""
    if foreign:
        try:
            checked_addresses(endpoint.host, endpoint.port, ports=MAIL_PORTS)
        except OutboundRefused as error:
            raise Unreachable(str(error)) from error
    return open_imap(endpoint, credentials, account_key=account_key, ca_file=ca_file, redis_url=redis_url)
