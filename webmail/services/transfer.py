"""Changing one's mind about where the mail lives, in both directions: copied first, compared, and only then switched.

A transfer is a row that a worker claims; whatever it has done is in its items, so that a killed worker's successor goes on
there, and nothing is copied twice. While one is open, no pull of the account runs.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import MailAccount
from accounts.vault import SealBroken, seal, unseal
from webmail.errors import LoginRefused, MailError, OverQuota, Unreachable
from webmail.models import Download, Import, LocalFolder, Transfer
from webmail.services.access import account_credentials, open_live
from webmail.services.access import seal_context as download_context
from webmail.services.claims import LeaseLost
from webmail.services.downloads import Policy
from webmail.services.leases import JobLease, Stopped
from webmail.sources.base import MailSource

State, Kind, Step = Transfer.State, Transfer.Kind, Transfer.Step
OPEN = (State.WAITING, State.RUNNING, State.STOPPED, State.FAILED)
UNDO_DAYS = 30
TRIES = 6
FIRST_DELAY_S = 60

log = logging.getLogger(__name__)


class NotPossible(Exception):
    """A transfer cannot begin: another one is open, or the account lives there already."""


class Differs(MailError):
    """A copy is not what the original is: nothing is switched."""


class Altered(Differs):
    """The server keeps letters beyond ASCII in headers otherwise than they were given to it."""


@dataclass(frozen=True, slots=True)
class SwitchPlan:
    """What a change of mode is about: messages and folders on the side that is left, bytes where the server tells them, and
    how many messages are there on the other side already."""

    messages: int
    folders: int
    size_bytes: int | None


def plan_switch(source: MailSource) -> SwitchPlan:
    """In numbers, what will be copied from this source."""
    folders = [folder for folder in source.folders() if folder.selectable]
    quota = source.quota() if source.can.quota else None
    return SwitchPlan(sum(folder.total or 0 for folder in folders), len(folders), quota.used_bytes if quota else None)


def open_transfer(account: MailAccount) -> Transfer | None:
    """The transfer of an account that has not come to an end."""
    return Transfer.objects.filter(account=account, state__in=OPEN).first()


def last_transfer(account: MailAccount) -> Transfer | None:
    """The latest transfer of an account."""
    return Transfer.objects.filter(account=account).order_by("-created", "-pk").first()


@transaction.atomic
def start_transfer(*, account: MailAccount, kind: str, policy: Policy | None = None, secret: str = "") -> Transfer:
    """Begins a transfer; `secret` is the password of a foreign server. Raises NotPossible."""
    wanted = MailAccount.Mode.DOWNLOAD if kind == Kind.TO_DOWNLOAD else MailAccount.Mode.IMAP
    if open_transfer(account) or account.mode == wanted:
        raise NotPossible
    transfer = Transfer.objects.create(account=account, kind=kind, policy=asdict(policy or Policy()))
    if secret:
        transfer.sealed = seal(secret, context=seal_context(transfer.pk))
        transfer.save(update_fields=["sealed"])
    return transfer


def stop_transfer(transfer: Transfer) -> None:
    """Asks it to stop; what was copied stays, and it can be resumed."""
    Transfer.objects.filter(pk=transfer.pk, state=State.RUNNING).update(stopping=True)
    Transfer.objects.filter(pk=transfer.pk, state=State.WAITING).update(state=State.STOPPED)


def resume_transfer(transfer: Transfer) -> None:
    """Goes on with one that was stopped or failed."""
    paused = Transfer.objects.filter(pk=transfer.pk, state__in=[State.STOPPED, State.FAILED])
    paused.update(state=State.WAITING, stopping=False, attempts=0, next_try=timezone.now(), problem="", detail="")


def cancel_transfer(transfer: Transfer) -> bool:
    """Gives up one that was stopped or failed: the account stays where it is. Copies that were made stay too."""
    paused = Transfer.objects.filter(pk=transfer.pk, state__in=[State.STOPPED, State.FAILED])
    return paused.update(state=State.CANCELLED, ended=timezone.now(), sealed="") == 1


def undo_switch(transfer: Transfer, *, secret: str = "") -> Transfer:
    """Takes a change back by the opposite one, which puts back whatever is missing there and nothing twice. Raises
    NotPossible when it is not the account's last, not done, or too old."""
    last = last_transfer(transfer.account)
    now = timezone.now()
    if last != transfer or transfer.state != State.DONE or not transfer.undo_until or transfer.undo_until < now:
        raise NotPossible
    back = Kind.TO_IMAP if transfer.kind == Kind.TO_DOWNLOAD else Kind.TO_DOWNLOAD
    policy = Policy(**transfer.policy) if transfer.policy else None
    return start_transfer(account=transfer.account, kind=back, policy=policy, secret=secret)


def seal_context(transfer_id: int) -> str:
    """For what the password of a transfer is sealed."""
    return f"transfer:{transfer_id}"


# --- the worker's part ------------------------------------------------------------------------------------------------


class TransferLease(JobLease):
    """The ownership of one transfer."""

    job = Transfer


def claim_transfer(transfer_id: int | None = None) -> Transfer | None:
    """This transfer, or one that waits or whose worker died, owned by the caller from now on; None when there is none, or
    when a pull of the account, or a file that is taken in, has not ended yet."""
    now = timezone.now()
    due = Q(state__in=[State.WAITING, State.RUNNING], next_try__lte=now)
    due &= Q(lease_until=None) | Q(lease_until__lt=now)
    due &= (
        Q(account__download=None) | Q(account__download__lease_until=None) | Q(account__download__lease_until__lt=now)
    )
    if transfer_id is not None:
        due &= Q(pk=transfer_id)
    token = secrets.token_hex(16)
    until = now + timedelta(seconds=settings.PULL_LEASE_S)
    with transaction.atomic():
        taking_in = Import.objects.filter(account=OuterRef("account"), lease_until__gte=now)
        found = (
            Transfer.objects.filter(due, ~Exists(taking_in)).order_by("created").values_list("pk", flat=True).first()
        )
        if found is None:
            return None
        free = Transfer.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=found, state__in=OPEN[:2])
        if not free.update(state=State.RUNNING, lease_token=token, lease_until=until):
            return None
    return Transfer.objects.select_related("account", "account__mailbox").get(pk=found)


def run_transfer(transfer: Transfer) -> None:
    """Does what is left of a transfer that was claimed. Whatever goes wrong is in its row."""
    from webmail.services.to_download import ToDownload
    from webmail.services.to_imap import ToImap

    lease = TransferLease(transfer.pk, transfer.lease_token)
    work = ToDownload if transfer.kind == Kind.TO_DOWNLOAD else ToImap
    try:
        with open_live(transfer.account, account_credentials(transfer.account, secret=secret_of(transfer))) as live:
            work(transfer, lease, live).run()
    except LeaseLost:
        log.warning("transfer %s: another worker has it", transfer.pk)
    except Stopped:
        lease.release(state=State.STOPPED, stopping=False)
    except MailError as error:
        log.info("transfer %s: %s", transfer.pk, type(error).__name__)
        lease.release(**_after(transfer, error))


def secret_of(transfer: Transfer) -> str | None:
    """The password of a foreign server: given for this transfer, else the one with which the account is pulled."""
    download = Download.objects.filter(account=transfer.account).first()
    places = [(transfer.sealed, seal_context(transfer.pk))]
    places += [(download.sealed, download_context(transfer.account_id))] if download else []
    for sealed, context in places:
        if sealed:
            try:
                return unseal(sealed, context=context)
            except SealBroken as error:
                raise LoginRefused("the password cannot be unsealed") from error
    return None


def _after(transfer: Transfer, error: MailError) -> dict[str, object]:
    """Another try later where that may help; else its owner is told."""
    kinds: list[tuple[type[MailError], str]] = [
        (Altered, "altered"),
        (Differs, "differs"),
        (LoginRefused, "login"),
        (OverQuota, "full"),
        (Unreachable, "unreachable"),
    ]
    code = next((code for kind, code in kinds if isinstance(error, kind)), "refused")
    fields: dict[str, object] = {"problem": code, "detail": error.detail[:500]}
    if code == "unreachable" and transfer.attempts < TRIES:
        delay = timedelta(seconds=FIRST_DELAY_S * (1 << transfer.attempts))
        return fields | {"state": State.WAITING, "attempts": transfer.attempts + 1, "next_try": timezone.now() + delay}
    return fields | {"state": State.FAILED}


def finished(transfer: Transfer) -> dict[str, object]:
    """What a transfer's row says once the account lives on the other side."""
    now = timezone.now()
    return {
        "state": State.DONE,
        "step": Step.SWITCHED,
        "ended": now,
        "undo_until": now + timedelta(days=UNDO_DAYS),
        "problem": "",
        "detail": "",
        "folder": "",
    }


def clear_transfers() -> int:
    """After the time to take a change back: what lived here of accounts that are read on their server goes; gives how many
    accounts."""
    late = Transfer.objects.filter(kind=Kind.TO_IMAP, state=State.DONE, cleaned=False, undo_until__lt=timezone.now())
    done = 0
    for transfer in late.select_related("account"):
        account = transfer.account
        if not account.downloads and last_transfer(account) == transfer:
            LocalFolder.objects.filter(account=account).delete()
            done += 1
        Transfer.objects.filter(pk=transfer.pk).update(cleaned=True)
    return done
