"""Asking Dovecot itself what mailboxes use, a few at a time: what was missed when it was written (a database that was locked, a
server that was killed) is put right."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Mailbox, MailboxSpace
from accounts.services.usage.standing import set_counted
from webmail.errors import LoginRefused, MailError
from webmail.imap.login import connect
from webmail.imap.quota import read_quota
from webmail.values import Credentials, Endpoint, Tls

AGAIN = timedelta(days=7)
ROUND_S = 60.0
MOST = 10_000
"""So many are looked at in a round."""

log = logging.getLogger(__name__)


def recount_due(
    *, limit_s: float = ROUND_S, ask: Callable[[Mailbox], bool] | None = None, most: int = MOST
) -> tuple[int, int]:
    """Asks for the mailboxes that were not asked for in a week, the longest first, until the time is up; gives how many were
    asked for and how many were wrong. A server that does not answer ends the round. `ask` does it for one (`recount`).

    All keys are read before the first is asked for: on SQLite a query that is still being read holds an old state of the
    database, and a write beside it fails at once ("database is locked") when another process has written since."""
    until, asked, wrong = time.monotonic() + limit_s, 0, 0
    due = MailboxSpace.objects.filter(mailbox__active=True, mailbox__domain__active=True)
    due = due.filter(mailbox__domain__customer__suspended__isnull=True)
    due = due.filter(Q(checked__isnull=True) | Q(checked__lt=timezone.now() - AGAIN))
    for key in list(due.order_by(F("checked").asc(nulls_first=True)).values_list("pk", flat=True)[:most]):
        if time.monotonic() > until:
            break
        mailbox = Mailbox.objects.filter(pk=key).first()
        if mailbox is None:  # removed meanwhile
            continue
        try:
            wrong += (ask or recount)(mailbox)
        except MailError as error:
            log.warning("recount: %s", type(error).__name__)
            break
        asked += 1
    return asked, wrong


def recount(mailbox: Mailbox) -> bool:
    """Takes Dovecot's own figure for one mailbox; True when ours was wrong. Raises MailError when the server does not answer;
    a mailbox that it does not open counts as asked for."""
    endpoint = Endpoint(settings.IMAP_HOST, settings.IMAP_PORT, cast(Tls, settings.IMAP_TLS))
    login = f"{mailbox.address}*{settings.MAIL_MASTER_USER}"
    try:
        connection = connect(endpoint, Credentials(login, settings.MAIL_MASTER_PASSWORD), ca_file=settings.MAIL_CA_FILE)
    except LoginRefused:
        MailboxSpace.objects.filter(mailbox=mailbox).update(checked=timezone.now())
        return False
    try:
        quota = read_quota(connection)
    finally:
        connection.close()
    return quota is not None and set_counted(mailbox=mailbox, size_bytes=quota.used_bytes)
