"""Work that nobody waits for: messages on their way."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from webmail.models import Outgoing
from webmail.services.composing import clear_composing
from webmail.services.delivery import claim, claim_unfiled, deliver, finish, recover, run

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
