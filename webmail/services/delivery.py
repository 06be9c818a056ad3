"""The worker's part: one message is claimed, handed over, and its fate written down before anything else is done.

A worker owns a row through a token that only it knows, for as long as its lease lasts. Every step is an UPDATE that also
asks for the token: a worker that was too slow finds that it owns nothing any more, and hangs up before the final dot.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.services.sending_limit import DAILY
from accounts.vault import SealBroken, unseal
from webmail.errors import CertificateRefused, LoginRefused, MailError, Refused, Unreachable
from webmail.models import Outgoing
from webmail.services.access import account_credentials, submission_for
from webmail.services.durable import durable
from webmail.services.filing import FILE_DELAYS, NOTES, file_message
from webmail.smtp.client import Deferred, LostAnswer, Rejected, Reply, Submission, TooLarge, submit
from webmail.values import Credentials

State = Outgoing.State
DELAYS_MIN = (1, 5, 15, 60, 120, *[240] * 11)
"""How long is waited after each try that may be repeated: two days in all, then the message has failed."""
FILE_LEASE = 3
"""Filing may take as long as several leases: a large copy goes over the line in one command."""

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker may own the row by now."""


def seal_context(pk: int) -> str:
    """For what a row's password is sealed."""
    return f"outgoing:{pk}"


def deliver(outgoing_id: int) -> None:
    """Sends one message if it is due and nobody else does, and files it. Whatever happens is in its row."""
    outgoing = claim(outgoing_id)
    if outgoing is not None:
        run(outgoing)


def claim(outgoing_id: int | None = None) -> Outgoing | None:
    """This message, or the one that has been due for longest, owned by the caller from now on; None when there is none."""
    now = timezone.now()
    due = Q(state=State.WAITING, next_try__lte=now) & _free(now)
    if outgoing_id is not None:
        due &= Q(pk=outgoing_id)
    return _own(due, now, 1, state=State.SENDING, attempts=F("attempts") + 1)


def claim_unfiled() -> Outgoing | None:
    """A delivered message whose filing has to be tried again."""
    now = timezone.now()
    due = Q(delivered=True, filed=False) & (Q(file_next=None) | Q(file_next__lte=now)) & _free(now)
    return _own(due & ~Q(state__in=[State.SENDING, State.HANDING]), now, FILE_LEASE)


def recover() -> None:
    """Takes rows from workers that died: what was not handed over waits again, the rest is in doubt."""
    late = Outgoing.objects.filter(lease_until__lt=timezone.now())
    late.filter(state=State.HANDING).update(state=State.DOUBT, error="lost")
    late.filter(state=State.SENDING, attempts__gt=len(DELAYS_MIN)).update(state=State.FAILED, error="interrupted")
    late.filter(state=State.SENDING).update(state=State.WAITING, next_try=timezone.now())


def _free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=now)


def _own(due: Q, now: datetime, leases: int, **changes: object) -> Outgoing | None:
    """PostgreSQL lets two workers pass each other by SKIP LOCKED; SQLite has one writer at a time. In both the UPDATE
    decides."""
    token = secrets.token_hex(16)
    until = now + leases * timedelta(seconds=settings.SEND_LEASE_S)
    with transaction.atomic():
        found = Outgoing.objects.select_for_update(skip_locked=True).filter(due).order_by("next_try", "pk")
        pk = found.values_list("pk", flat=True).first()
        if pk is None or not Outgoing.objects.filter(due, pk=pk).update(
            **changes, lease_token=token, lease_until=until
        ):
            return None
    return Outgoing.objects.select_related("account", "account__mailbox").get(pk=pk)


@dataclass(slots=True)
class Lease:
    """The ownership of one row."""

    pk: int
    token: str
    renewed: float = field(default_factory=time.monotonic)
    handed: bool = False

    def beat(self) -> None:
        """Makes it last, when a third of it is over. Raises LeaseLost, but not once the message is handed over: then only
        the server's answer counts."""
        if time.monotonic() - self.renewed > settings.SEND_LEASE_S / 3:
            states = [State.HANDING] if self.handed else [State.SENDING]
            if not self.update(states, lease_until=self.until()) and not self.handed:
                raise LeaseLost
            self.renewed = time.monotonic()

    def hand_over(self) -> None:
        """Writes down, for good, that from now on it cannot be known without an answer. Raises LeaseLost."""
        with durable():
            if not self.update([State.SENDING], state=State.HANDING, lease_until=self.until()):
                raise LeaseLost
        self.handed, self.renewed = True, time.monotonic()

    def until(self, leases: int = 1) -> datetime:
        return timezone.now() + leases * timedelta(seconds=settings.SEND_LEASE_S)

    def update(self, states: list[State], **fields: object) -> bool:
        return Outgoing.objects.filter(pk=self.pk, lease_token=self.token, state__in=states).update(**fields) == 1

    def release(self, **fields: object) -> None:
        """Gives the row back, with what there is to say about its filing."""
        Outgoing.objects.filter(pk=self.pk, lease_token=self.token).update(**fields, lease_until=None, lease_token="")


def run(outgoing: Outgoing) -> None:
    """Sends a message that was claimed, and files it."""
    lease = Lease(outgoing.pk, outgoing.lease_token)
    try:
        credentials = credentials_of(outgoing)
        replies = _submit(outgoing, credentials, lease)
    except LeaseLost:
        log.warning("message %s: another worker has it", outgoing.pk)
        return
    except MailError as error:
        _settle_error(outgoing, lease, error)
        return
    _settle(outgoing, lease, replies)
    outgoing.refresh_from_db()
    if outgoing.lease_token == lease.token:
        finish(outgoing) if outgoing.delivered else lease.release()


def credentials_of(outgoing: Outgoing) -> Credentials:
    """How the worker logs in, to send and to file. Raises LoginRefused when the password is gone."""
    secret = None
    if outgoing.sealed:
        try:
            secret = unseal(outgoing.sealed, context=seal_context(outgoing.pk))
        except SealBroken as error:
            raise LoginRefused("the password cannot be unsealed") from error
    return account_credentials(outgoing.account, secret=secret)


def _submit(outgoing: Outgoing, credentials: Credentials, lease: Lease) -> dict[str, Reply]:
    endpoint = submission_for(outgoing.account)
    if not endpoint.host:
        raise Refused("no server")
    return submit(
        endpoint,
        credentials,
        Submission(outgoing.sender, tuple(outgoing.open_recipients), bytes(outgoing.raw)),
        ca_file=settings.MAIL_CA_FILE,
        helo=_own_name(),
        before_end=lease.hand_over,
        beat=lease.beat,
    )


def _own_name() -> str:
    """By which name we greet: the site's, an address in brackets (RFC 5321 section 4.1.3)."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


# --- what became of it ----------------------------------------------------------------------------------------------


def _settle(outgoing: Outgoing, lease: Lease, replies: dict[str, Reply]) -> None:
    """Writes down the replies. Those who were accepted have the message; whom the server put off is tried again alone, and
    whom it refused makes the whole a failure that names them."""
    outgoing.results |= {address: [reply.code, reply.text] for address, reply in replies.items()}
    fields: dict[str, object] = {"results": outgoing.results, "error": ""}
    if any(reply.accepted for reply in replies.values()):
        fields |= {"delivered": True, "sent_at": outgoing.sent_at or timezone.now()}
    if outgoing.open_recipients:
        fields |= _again(outgoing, "deferred")
    elif outgoing.refused_recipients:
        fields |= {"state": State.FAILED, "error": "recipients"}
    else:
        fields["state"] = State.SENT
    _write(lease, fields)


def _settle_error(outgoing: Outgoing, lease: Lease, error: MailError) -> None:
    log.info("message %s, try %s: %.300r", outgoing.pk, outgoing.attempts, error)
    fields: dict[str, object]
    code = error_code(error)
    if isinstance(error, LostAnswer):
        fields = {"state": State.DOUBT, "error": code}
    elif isinstance(error, Deferred) and outgoing.account.mailbox_id and DAILY in error.reply.text:
        fields = {"state": State.WAITING, "error": "daily", "next_try": _tomorrow()}
    elif isinstance(error, Unreachable):
        fields = _again(outgoing, code)
    else:
        fields = {"state": State.FAILED, "error": code}
    if isinstance(error, Deferred | Rejected):
        reply = [error.reply.code, error.reply.text]
        fields["results"] = outgoing.results | dict.fromkeys(outgoing.open_recipients, reply)
    _write(lease, fields)
    lease.release()


def error_code(error: MailError) -> str:
    """The word for an error in `Outgoing.error`; views have the sentence for it."""
    codes: list[tuple[type[MailError], str]] = [
        (LostAnswer, "lost"),
        (CertificateRefused, "certificate"),
        (Deferred, "deferred"),
        (Unreachable, "unreachable"),
        (LoginRefused, "login"),
        (TooLarge, "too_large"),
        (Rejected, "rejected"),
    ]
    return next((code for kind, code in codes if isinstance(error, kind)), "refused")


def _again(outgoing: Outgoing, code: str) -> dict[str, object]:
    """Another try after a while, or, after the last, a failure."""
    if outgoing.attempts > len(DELAYS_MIN):
        return {"state": State.FAILED, "error": "gave_up"}
    delay = timedelta(minutes=DELAYS_MIN[outgoing.attempts - 1])
    return {"state": State.WAITING, "error": code, "next_try": timezone.now() + delay}


def _tomorrow() -> datetime:
    """A few minutes into the next day, when a mailbox may send again; not the same minute for all."""
    day = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day + timedelta(seconds=secrets.randbelow(900))


def _write(lease: Lease, fields: dict[str, object]) -> None:
    """The end of a try. It also counts when the row was put in doubt while the server took its time."""
    states = [State.SENDING, State.HANDING, State.DOUBT]
    if not lease.update(states, **fields, lease_until=lease.until(FILE_LEASE)):
        log.warning("message %s: its row has gone another way", lease.pk)


# --- after it was sent ------------------------------------------------------------------------------------------------


def finish(outgoing: Outgoing) -> None:
    """Files a delivered message that is owned by the caller; what cannot be done now is tried again later, and in the end
    noted. Nothing here changes that it was sent."""
    lease = Lease(outgoing.pk, outgoing.lease_token)
    try:
        file_message(outgoing, credentials_of(outgoing))
    except MailError as error:
        log.info("message %s, filing %s: %.300r", outgoing.pk, outgoing.file_attempts + 1, error)
    left = [note for name, note in NOTES.items() if not getattr(outgoing, name)]
    if left and outgoing.file_attempts < len(FILE_DELAYS):
        later = timezone.now() + timedelta(seconds=FILE_DELAYS[outgoing.file_attempts])
        lease.release(file_next=later, file_attempts=F("file_attempts") + 1)
        return
    ended: dict[str, object] = {"filed": True, "note": " ".join(left)}
    if outgoing.state == State.SENT:
        ended |= {"sealed": ""} | ({} if left else {"raw": b""})
    lease.release(**ended)
