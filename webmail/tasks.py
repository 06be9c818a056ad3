"""Work that nobody waits for: messages on their way out, mail that is pulled in."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from webmail.errors import MailError
from webmail.models import Outgoing, Transfer
from webmail.services.access import account_credentials, open_live
from webmail.services.claims import are_due
from webmail.services.claims import claim as claim_pull
from webmail.services.clearing import claim_clearing, clear_clearings, run_clearing
from webmail.services.composing import clear_composing
from webmail.services.delivery import claim, claim_unfiled, deliver, finish, recover, run
from webmail.services.forgetting import clear_uploads, forget_gone
from webmail.services.import_jobs import claim_import, clear_imports, run_import
from webmail.services.parity_jobs import claim_comparison, clear_comparisons, run_comparison
from webmail.services.recount import recount_due
from webmail.services.schedule import forget_old, forget_pulls, pull_account
from webmail.services.shares import weigh_due as weigh_mailboxes
from webmail.services.to_download import remove_copies
from webmail.services.transfer import claim_transfer, clear_transfers, last_transfer, run_transfer, secret_of
from webmail.storage.blobs import sweep_all
from webmail.storage.rows import index_pending

ROUND_S = 60.0
"""How long one round goes on; what is left is the next one's."""
KEEP_DAYS = 7
KEEP_SECRET_DAYS = 30

log = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]
def send_one(outgoing_id: int) -> None:
    """Sends one message, if it is due."""
    deliver(outgoing_id)


@shared_task  # type: ignore[untyped-decorator]
def send_due() -> int:
    """Sends and files everything that is due; gives how many messages it took on."""
    recover()
    taken = 0
    until = time.monotonic() + ROUND_S
    while time.monotonic() < until:
        if outgoing := claim():
            run(outgoing)
        elif outgoing := claim_unfiled():
            finish(outgoing)
        else:
            break
        taken += 1
    return taken


@shared_task  # type: ignore[untyped-decorator]
def clear_outgoing() -> int:
    """Removes rows that are done with, and passwords that nobody came back for; gives how many rows."""
    now = timezone.now()
    old = Outgoing.objects.filter(created__lt=now - timedelta(days=KEEP_DAYS), send_at__lt=now)
    done = Q(state=Outgoing.State.CANCELLED) | Q(state=Outgoing.State.SENT, filed=True, note="")
    removed, _by_model = old.filter(done).delete()
    stuck = [Outgoing.State.FAILED, Outgoing.State.DOUBT]
    Outgoing.objects.filter(state__in=stuck, send_at__lt=now - timedelta(days=KEEP_SECRET_DAYS)).update(sealed="")
    return removed


@shared_task(name="webmail.tasks.clear_composing")  # type: ignore[untyped-decorator]
def clear_old_composing() -> int:
    """Forgets composers that are of no more use; gives how many."""
    return clear_composing(timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def pull_due() -> int:
    """Pulls accounts that are due, one after the other, and calls one more of its kind while more are; gives how many. So
    every free slot of every worker takes one, and a slow server holds up its own slot alone."""
    pulled = 0
    until = time.monotonic() + ROUND_S
    while time.monotonic() < until:
        download = claim_pull()
        if download is None:
            break
        if not pulled and are_due():
            pull_due.apply_async(expires=ROUND_S)
        pull_account(download)
        index_pending(download.account_id)
        pulled += 1
    return pulled


@shared_task  # type: ignore[untyped-decorator]
def pull_one(account_id: int) -> None:
    """Pulls one account because its owner asked for it."""
    download = claim_pull(account_id, by_hand=True)
    if download is not None:
        pull_account(download, by_hand=True)
        index_pending(account_id)


@shared_task  # type: ignore[untyped-decorator]
def transfer_due() -> int:
    """Goes on with every change of mode that waits or whose worker died; gives how many."""
    done = 0
    while transfer := claim_transfer():
        run_transfer(transfer)
        done += 1
    return done


@shared_task  # type: ignore[untyped-decorator]
def import_due() -> int:
    """Takes in every file that waits or whose worker died; gives how many."""
    done = 0
    while job := claim_import():
        run_import(job)
        done += 1
    return done


@shared_task  # type: ignore[untyped-decorator]
def compare_due() -> int:
    """Makes every comparison that waits or whose worker died; gives how many."""
    done = 0
    while job := claim_comparison():
        run_comparison(job)
        done += 1
    return done


@shared_task  # type: ignore[untyped-decorator]
def clearing_due() -> int:
    """Deletes for good what nobody cancelled in time, or whose worker died; gives how many times."""
    done = 0
    while clearing := claim_clearing():
        run_clearing(clearing)
        done += 1
    return done


@shared_task  # type: ignore[untyped-decorator]
def remove_switched() -> int:
    """Takes off the server what accounts left there that now live here, as their policy says; gives how many messages."""
    removed = 0
    done = Transfer.objects.filter(kind=Transfer.Kind.TO_DOWNLOAD, state=Transfer.State.DONE, cleaned=False)
    for transfer in done.select_related("account", "account__mailbox"):
        if transfer.account.downloads and last_transfer(transfer.account) == transfer:
            try:
                secret = secret_of(transfer)
                with open_live(transfer.account, account_credentials(transfer.account, secret=secret)) as live:
                    removed += remove_copies(transfer, live)
            except MailError as error:
                log.info("transfer %s, removing: %s", transfer.pk, type(error).__name__)
    return removed


@shared_task  # type: ignore[untyped-decorator]
def clear_store() -> int:
    """Removes octets that no message has any more, and what is known of copies that are long gone; gives how many blobs."""
    forget_old(timezone.now())
    forget_pulls(timezone.now())
    clear_transfers()
    clear_imports()
    clear_clearings()
    clear_comparisons()
    clear_uploads()
    forget_gone()
    return sweep_all()


@shared_task  # type: ignore[untyped-decorator]
def recount_usage() -> int:
    """Asks Dovecot what mailboxes use that were not asked for in a week; gives how many were wrong."""
    asked, wrong = recount_due()
    if asked:
        log.info("recount: %s mailboxes, %s were wrong", asked, wrong)
    return wrong


@shared_task  # type: ignore[untyped-decorator]
def weigh_due() -> int:
    """Weighs mailboxes by folder, year and size: those that were asked for, then those that are due; gives how many."""
    return weigh_mailboxes()
