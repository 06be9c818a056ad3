"""Deleting for good after a moment in which it can still be cancelled.

What is to go is written down message by message (UIDVALIDITY and UIDs), so that what comes in meanwhile stays, and so that a
worker that begins anew after another one died removes nothing else: UIDs are never given twice (RFC 9051 section 2.3.1.1).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import Clearing, MailAccount
from accounts.vault import SealBroken, seal, unseal
from webmail.errors import Gone, LoginRefused, MailError, Refused
from webmail.imap.wire import parse_uid_set, uid_set
from webmail.models import folder_octets, folder_of
from webmail.services.access import account_credentials, kept_secret, open_live
from webmail.services.space import STEP, Share, forget
from webmail.sources.base import MailSource
from webmail.sources.local_rows import VALIDITY
from webmail.sources.open import open_store
from webmail.values import Folder, Ref

State = Clearing.State
HERE = 0
"""The UIDVALIDITY of mail that lives here; no server has it (RFC 9051 section 2.3.1.1)."""
GRACE_S = 20
"""So long it can be cancelled before a worker begins."""
TRIES, AGAIN_S = 5, 60
KEEP = timedelta(days=7)
"""How long is known what became of one."""

log = logging.getLogger(__name__)


def ask_clearing(
    account: MailAccount, folder: Folder, refs: Sequence[Ref], share: Share, *, days: int, secret: str = ""
) -> Clearing:
    """Writes down that these messages of one folder, one or more, are deleted for good in GRACE_S seconds. What was asked of that
    folder just before is given up: otherwise it would go on after this one was cancelled."""
    now = timezone.now()
    with transaction.atomic():
        MailAccount.objects.select_for_update().get(pk=account.pk)  # one at a time: two would not see each other
        before = Clearing.objects.filter(account=account, folder=folder_octets(folder.id))
        before.filter(state=State.WAITING, attempts=0).update(state=State.CANCELLED, sealed="")
        clearing = Clearing.objects.create(
            account=account,
            folder=folder_octets(folder.id),
            validity=HERE if account.downloads else refs[0].validity,
            uids=uid_set(int(ref.id) for ref in refs).decode(),
            role=str(folder.role),
            days=days,
            messages=share.messages,
            size_bytes=share.size_bytes,
            created=now,
            due=now + timedelta(seconds=GRACE_S),
        )
        if secret:
            clearing.sealed = seal(secret, context=_context(clearing))
            clearing.save(update_fields=["sealed"])
        transaction.on_commit(_queue)
    return clearing


def cancel_clearing(account: MailAccount, clearing_id: int) -> bool:
    """Whether it was cancelled: no worker had begun it, and none will."""
    waiting = Clearing.objects.filter(pk=clearing_id, account=account, state=State.WAITING, attempts=0)
    return bool(waiting.update(state=State.CANCELLED, sealed=""))


def clearings_of(account: MailAccount) -> list[Clearing]:
    """Those that wait, go on or have failed, the latest first."""
    told = [State.WAITING, State.RUNNING, State.FAILED]
    return list(Clearing.objects.filter(account=account, state__in=told).order_by("-created")[:20])


def claim_clearing(*, now: datetime | None = None) -> Clearing | None:
    """One that is due, or whose worker died, owned by the caller from now on; None when there is none."""
    now = now or timezone.now()
    free = Clearing.objects.filter(
        Q(state=State.WAITING, due__lte=now) | Q(state=State.RUNNING, due__lte=now, lease_until__lt=now)
    )
    for key in free.order_by("due").values_list("pk", flat=True)[:10]:
        token, until = secrets.token_hex(16), now + timedelta(seconds=settings.PULL_LEASE_S)
        if free.filter(pk=key).update(state=State.RUNNING, lease_token=token, lease_until=until):
            return Clearing.objects.select_related("account", "account__mailbox").get(pk=key)
    return None


def run_clearing(clearing: Clearing) -> None:
    """Deletes what was written down, as long as the caller owns it. Whatever goes wrong is in its row."""
    try:
        _delete(clearing)
    except (LoginRefused, Refused, Gone) as error:
        log.info("clearing %s: %s", clearing.pk, type(error).__name__)
        _release(clearing, state=State.FAILED, sealed="")
    except MailError as error:
        log.info("clearing %s: %s", clearing.pk, type(error).__name__)
        attempts = clearing.attempts + 1
        again = timezone.now() + timedelta(seconds=AGAIN_S * attempts)
        done = {"state": State.FAILED, "sealed": ""} if attempts >= TRIES else {"state": State.WAITING}
        _release(clearing, attempts=attempts, due=again, **done)
    else:
        _release(clearing, state=State.DONE, sealed="")
    forget(clearing.account)


def clear_clearings() -> int:
    """Forgets those that ended long ago; gives how many."""
    ended = Clearing.objects.exclude(state__in=[State.WAITING, State.RUNNING])
    removed, _by_model = ended.filter(created__lt=timezone.now() - KEEP).delete()
    return removed


def _delete(clearing: Clearing) -> None:
    account = clearing.account
    if account.downloads != (clearing.validity == HERE):
        raise Refused("its mail lives elsewhere now")
    if account.mailbox and not (account.mailbox.is_open and account.mailbox.imap):
        raise LoginRefused("suspended")
    folder = folder_of(clearing.folder)
    validity = VALIDITY if account.downloads else clearing.validity
    refs = [Ref(folder, validity, str(uid)) for uid in parse_uid_set(clearing.uids.encode())]
    with _open(clearing) as source:
        for start in range(0, len(refs), STEP):
            if not _held(clearing):
                return
            source.delete(refs[start : start + STEP])


def _open(clearing: Clearing) -> MailSource:
    account = clearing.account
    if account.downloads:
        return open_store(account)
    return open_live(account, account_credentials(account, secret=_secret_of(clearing)))


def _held(clearing: Clearing) -> bool:
    """Makes the lease last; whether it is still the caller's."""
    until = timezone.now() + timedelta(seconds=settings.PULL_LEASE_S)
    return bool(_mine(clearing).update(lease_until=until))


def _release(clearing: Clearing, **fields: object) -> None:
    _mine(clearing).update(lease_until=None, lease_token="", **fields)


def _mine(clearing: Clearing) -> QuerySet[Clearing]:
    return Clearing.objects.filter(pk=clearing.pk, lease_token=clearing.lease_token)


def _secret_of(clearing: Clearing) -> str | None:
    if clearing.account.hosted:
        return None
    if not clearing.sealed:
        return kept_secret(clearing.account)
    try:
        return unseal(clearing.sealed, context=_context(clearing))
    except SealBroken as error:
        raise LoginRefused("the password cannot be unsealed") from error


def _context(clearing: Clearing) -> str:
    return f"clearing:{clearing.pk}"


def _queue() -> None:
    try:
        current_app.send_task("webmail.tasks.clearing_due", countdown=GRACE_S + 0.2, retry=False)
    except (OperationalError, OSError) as error:  # the beat looks once a minute
        log.warning("no broker: %s", type(error).__name__)
