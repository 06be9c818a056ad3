"""Comparisons that a worker makes: begun, stopped, told.

A worker that is killed leaves nothing behind: the next one begins anew, TRIES times at most. The last report of an account is
kept; an older one goes when another comes to its end.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import MailAccount
from accounts.vault import SealBroken, seal, unseal
from webmail.errors import LoginRefused, MailError, Unreachable
from webmail.models import Comparison
from webmail.services.access import account_credentials, kept_secret, open_account
from webmail.services.claims import LeaseLost
from webmail.services.leases import JobLease, Stopped
from webmail.services.parity import Report, verify
from webmail.services.parity_compare import PRIVATE, Difference
from webmail.services.parity_witness import open_witness
from webmail.services.tags import tags_for
from webmail.tokens import encode_folder
from webmail.values import Credentials
from webmail.witness.seen import WitnessFailed

State = Comparison.State
TRIES = 3
KEPT = 200
"""So many differences are kept with a report; the rest is counted."""
KEEP = timedelta(days=90)
TELL_EVERY_S = 0.5
COUNTS = ("folders", "messages", "expected", "untold", "restless", "found")

log = logging.getLogger(__name__)


class ComparisonLease(JobLease):
    """The ownership of one comparison."""

    job = Comparison


def last_comparison(account: MailAccount) -> Comparison | None:
    """The latest comparison of an account."""
    return Comparison.objects.filter(account=account).order_by("-created", "-pk").first()


def start_comparison(account: MailAccount, *, secret: str = "") -> Comparison:
    """One that a worker makes at once; `secret` is the password of a foreign IMAP server. The one that is open, if there is."""
    try:
        with transaction.atomic():
            job = Comparison.objects.create(account=account)
            if secret:
                job.sealed = seal(secret, context=seal_context(job.pk))
                job.save(update_fields=["sealed"])
            transaction.on_commit(_queue)
            return job
    except IntegrityError:
        return Comparison.objects.get(account=account, state__in=[State.WAITING, State.RUNNING])


def stop_comparison(job: Comparison) -> None:
    """Asks it to end after the messages at hand."""
    Comparison.objects.filter(pk=job.pk, state=State.RUNNING).update(stopping=True)
    waiting = Comparison.objects.filter(pk=job.pk, state=State.WAITING)
    waiting.update(state=State.CANCELLED, ended=timezone.now(), sealed="")


def _queue() -> None:
    try:
        current_app.send_task("webmail.tasks.compare_due", expires=60, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker: %s", type(error).__name__)


def seal_context(comparison_id: int) -> str:
    """For what the password of a comparison is sealed."""
    return f"comparison:{comparison_id}"


# --- the worker's part ------------------------------------------------------------------------------------------------


def claim_comparison() -> Comparison | None:
    """One that waits or whose worker died, owned by the caller from now on; None when there is none."""
    now = timezone.now()
    due = Comparison.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), state__in=[State.WAITING, State.RUNNING]
    )
    token = secrets.token_hex(16)
    until = now + timedelta(seconds=settings.PULL_LEASE_S)
    with transaction.atomic():
        found = due.order_by("created").values_list("pk", flat=True).first()
        if found is None:
            return None
        taken = due.filter(pk=found).update(
            state=State.RUNNING, lease_token=token, lease_until=until, attempts=F("attempts") + 1
        )
        if not taken:
            return None
    return Comparison.objects.select_related("account", "account__mailbox", "account__owner").get(pk=found)


def run_comparison(job: Comparison) -> None:
    """Makes a comparison that was claimed. Whatever goes wrong is in its row."""
    lease = ComparisonLease(job.pk, job.lease_token)
    if job.attempts > TRIES:
        _end(job, lease, state=State.FAILED, problem="often")
        return
    try:
        report = _compare(job, lease)
    except LeaseLost:
        log.warning("comparison %s: another worker has it", job.pk)
    except Stopped:
        _end(job, lease, state=State.CANCELLED)
    except (MailError, WitnessFailed) as error:
        log.info("comparison %s: %s", job.pk, type(error).__name__)
        _end(job, lease, state=State.FAILED, problem=_problem(error), detail=str(error)[:500])
    else:
        told = [_told(one) for one in report.differences[:KEPT]]
        _end(job, lease, state=State.DONE, differences=told, **{name: getattr(report, name) for name in COUNTS})


def _compare(job: Comparison, lease: ComparisonLease) -> Report:
    account = job.account
    credentials = _credentials(job)
    told = time.monotonic()

    def tell(report: Report) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            lease.hold(**{name: getattr(report, name) for name in COUNTS})

    with (
        open_account(account, credentials or Credentials("", "")) as source,
        open_witness(account, credentials) as witness,
    ):
        return verify(source, witness, tags_for(account), all_folders=account.owner.all_folders, tell=tell)


def _credentials(job: Comparison) -> Credentials | None:
    """Those of the account's IMAP server; None where the mail lives here. Raises LoginRefused."""
    account = job.account
    if account.downloads:
        return None
    if account.hosted:
        return account_credentials(account)
    if not job.sealed:
        return account_credentials(account, secret=kept_secret(account))
    try:
        return account_credentials(account, secret=unseal(job.sealed, context=seal_context(job.pk)))
    except SealBroken as error:
        raise LoginRefused("the password cannot be unsealed") from error


def _problem(error: Exception) -> str:
    if isinstance(error, Unreachable) or (isinstance(error, WitnessFailed) and error.unreachable):
        return "unreachable"
    return "login" if isinstance(error, LoginRefused) else "refused"


def _told(one: Difference) -> list[object]:
    values = ("", "") if one.field in PRIVATE else (one.ours, one.theirs)
    return [one.path, encode_folder(one.folder), one.uid, one.field, *values]


def _end(job: Comparison, lease: ComparisonLease, **fields: Any) -> None:
    lease.release(ended=timezone.now(), sealed="", stopping=False, **fields)
    Comparison.objects.filter(account=job.account_id, pk__lt=job.pk).delete()


def clear_comparisons() -> int:
    """Forgets old reports; gives how many."""
    return Comparison.objects.filter(ended__lt=timezone.now() - KEEP).delete()[0]
