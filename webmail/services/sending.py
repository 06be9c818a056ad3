"""Sending, as the person who sends sees it: a message is put on its way, held back, tried again, forgotten.

Whoever may do this to which row is the caller's business: rows come from the person's own account. Each verb is one
conditional UPDATE, so that it does all or nothing beside a worker; what it gives tells which.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import MailAccount
from accounts.vault import seal
from webmail.models import Outgoing, folder_octets
from webmail.services.delivery import deliver, seal_context
from webmail.values import Ref

__all__ = ["Draft", "Parent", "cancel", "deliver", "dismiss", "enqueue", "pending", "reschedule", "retry", "send_now"]

State = Outgoing.State
SOON = timedelta(minutes=5)
"""What is due within this is told to the workers at once; the rest the beat finds, so that no broker holds it for long."""
HEAD_LIMIT_BYTES = 256 * 1024
UNDER_WAY = (State.WAITING, State.SENDING, State.HANDING, State.FAILED, State.DOUBT)

log = logging.getLogger(__name__)
_BCC = re.compile(rb"^(resent-)?bcc[ \t]*:", re.IGNORECASE | re.MULTILINE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Parent:
    """The message that is answered or forwarded: it is marked so, once the answer is sent."""

    ref: Ref
    kind: Literal["reply", "forward"]


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft that the message was written in: it is removed once the message is sent, if it still is this one."""

    ref: Ref
    message_id: str


def enqueue(
    *,
    account: MailAccount,
    raw: bytes,
    sender: str,
    recipients: list[str],
    subject: str,
    message_id: str,
    send_at: datetime,
    parent: Parent | None = None,
    draft: Draft | None = None,
    secret: str | None = None,
    keep_copy: bool = True,
) -> Outgoing:
    """Puts a message on its way, not before `send_at`. `raw` goes out as it is; `sender` is "" for a report, to which no
    answer may come back; `recipients` are bare addresses, those of the hidden ones too; `secret` is the password of an
    account that Casilla does not host; without `keep_copy` none is put into the folder of sent mail. Raises ValueError for a
    message without recipients, with a Bcc field, or of a foreign account without a password."""
    addresses = list(dict.fromkeys(recipients))
    if not addresses:
        raise ValueError("nobody to send to")
    if _BCC.search(_HEAD_END.split(raw[:HEAD_LIMIT_BYTES], 1)[0]):
        raise ValueError("the header names hidden recipients")
    if not account.hosted and not secret:
        raise ValueError("no password to send with")
    with transaction.atomic():
        outgoing = Outgoing.objects.create(
            account=account,
            raw=raw,
            sender=sender,
            recipients=addresses,
            subject=subject,
            message_id=_in_brackets(message_id),
            send_at=send_at,
            next_try=send_at,
            sent_copy=not keep_copy,
            **_parent_fields(parent),
            **_draft_fields(draft),
        )
        _keep_secret(outgoing, secret)
    _call_workers(outgoing.pk, send_at)
    return outgoing


def cancel(*, outgoing: Outgoing) -> bool:
    """Holds a message back for good. False when it is too late: it is being sent, or somebody has it already."""
    return _change(outgoing, Q(state=State.WAITING, delivered=False), state=State.CANCELLED, sealed="", error="")


def reschedule(*, outgoing: Outgoing, send_at: datetime) -> bool:
    """Sends at another time. False when it waits no more."""
    done = _change(outgoing, Q(state=State.WAITING), send_at=send_at, next_try=send_at)
    if done:
        _call_workers(outgoing.pk, send_at)
    return done


def send_now(*, outgoing: Outgoing) -> bool:
    """Sends at once what waits for its time or for another try. False when it waits no more."""
    return reschedule(outgoing=outgoing, send_at=timezone.now())


def retry(*, outgoing: Outgoing, secret: str | None = None) -> bool:
    """Sends once more what failed or is in doubt, to those who do not have it for sure. Only a person may ask for this: a
    message in doubt may arrive twice. `secret` takes the place of a password that was refused."""
    now = timezone.now()
    kept = {address: reply for address, reply in outgoing.results.items() if reply[0] // 100 == 2}
    fields = {"state": State.WAITING, "results": kept, "error": "", "attempts": 0, "send_at": now, "next_try": now}
    stuck = Q(state__in=[State.FAILED, State.DOUBT]) & (Q(lease_until=None) | Q(lease_until__lt=now))
    done = _change(outgoing, stuck, **fields, lease_token="", lease_until=None)
    if done:
        _keep_secret(outgoing, secret)
        _call_workers(outgoing.pk, now)
    return done


def dismiss(*, outgoing: Outgoing) -> bool:
    """Forgets a failure, a doubt or a note: the row is shown no more, and no password is kept with it."""
    end = State.SENT if outgoing.delivered else State.CANCELLED
    stuck = Q(state__in=[State.FAILED, State.DOUBT]) | (Q(state=State.SENT) & ~Q(note=""))
    fields = {"state": end, "filed": True, "note": "", "error": "", "sealed": ""}
    return _change(outgoing, stuck & Q(delivered=outgoing.delivered), **fields, lease_token="", lease_until=None)


def pending(account: MailAccount) -> QuerySet[Outgoing]:
    """What a person should see, newest first: what is on its way, what failed or is in doubt, and what was sent but could
    not be filed (`note`). The text and the password are not loaded."""
    shown = Q(state__in=UNDER_WAY) | (Q(state=State.SENT) & ~Q(note=""))
    return Outgoing.objects.filter(shown, account=account).order_by("-created", "-pk").defer("raw", "sealed")


def _change(outgoing: Outgoing, when: Q, **fields: object) -> bool:
    """Changes the row if it still is as it must be, and the instance with it."""
    done = Outgoing.objects.filter(when, pk=outgoing.pk).update(**fields) == 1
    outgoing.refresh_from_db(fields=[*fields, "state"])
    return done


def _keep_secret(outgoing: Outgoing, secret: str | None) -> None:
    if secret and not outgoing.account.hosted:
        outgoing.sealed = seal(secret, context=seal_context(outgoing.pk))
        outgoing.save(update_fields=["sealed"])


def _parent_fields(parent: Parent | None) -> dict[str, object]:
    if parent is None:
        return {"parent_flagged": True}
    ref = parent.ref
    folder = folder_octets(ref.folder)
    return {
        "parent_kind": parent.kind,
        "parent_folder": folder,
        "parent_validity": ref.validity,
        "parent_uid": ref.id,
    }


def _draft_fields(draft: Draft | None) -> dict[str, object]:
    if draft is None:
        return {"draft_removed": True}
    folder = folder_octets(draft.ref.folder)
    return {
        "draft_folder": folder,
        "draft_validity": draft.ref.validity,
        "draft_uid": draft.ref.id,
        "draft_message_id": _in_brackets(draft.message_id),
    }


def _in_brackets(message_id: str) -> str:
    bare = message_id.strip().strip("<>")
    return f"<{bare}>" if bare else ""


def _call_workers(pk: int, moment: datetime) -> None:
    """Tells the workers once the row is there to be found. Without a broker the beat finds it some seconds later."""
    if moment <= timezone.now() + SOON:
        transaction.on_commit(partial(_queue, pk, moment))


def _queue(pk: int, moment: datetime) -> None:
    try:
        current_app.send_task("webmail.tasks.send_one", args=[pk], eta=moment, retry=False)
    except (OperationalError, OSError):
        log.warning("message %s is on its way, but the workers could not be told", pk)
