"""Download mode as its owner sets it: put an account in it, test its server, change the policy, decide about one copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.audit import Actor, record
from accounts.vault import seal
from webmail.errors import MailError
from webmail.models import Download, LedgerEntry
from webmail.pop3.client import connect
from webmail.services.access import seal_context
from webmail.storage.folders import ensure_folders
from webmail.values import Credentials, Endpoint

State = LedgerEntry.State
ON_SERVER = (State.KEPT, State.DELETING)
KEEP_DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class Policy:
    """How an account is to be pulled; the fields are those of `Download`."""

    keep: str = Download.Keep.DAYS
    keep_days: int = 14
    max_bytes: int | None = None
    every_s: int | None = None

    def __post_init__(self) -> None:
        if self.keep not in Download.Keep.values or not 0 <= self.keep_days <= KEEP_DAYS_MAX:
            raise ValueError("policy")


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What a POP3 server can do, and what waits on it."""

    has_uidl: bool
    pipelining: bool
    messages: int
    size_bytes: int
    answer_ms: int

    def allows(self, policy: Policy) -> bool:
        """Whether this policy is possible there: copies cannot be left without unique-ids."""
        return self.has_uidl or policy.keep == Download.Keep.DELETE


def probe_server(endpoint: Endpoint, credentials: Credentials, *, oauth2: bool = False) -> ServerReport:
    """Logs in, lists, and leaves everything as it is. Raises the MailError that says why it does not work."""
    session = connect(endpoint, ca_file=settings.MAIL_CA_FILE)
    try:
        listing = session.login_and_list(credentials, oauth2=oauth2, pipelined=False)
        sizes = session.sizes() if listing.count else {}
        report = ServerReport(
            listing.has_uidl, session.pipelining, listing.count, sum(sizes.values()), session.answer_ms
        )
        session.quit()
    except MailError:
        session.close()
        raise
    return report


@transaction.atomic
def start_download(
    *, account: MailAccount, policy: Policy, secret: str = "", auth: str = Download.Auth.PASSWORD
) -> Download:
    """Puts an account in download mode, due at once; its ledger and its store go on where they were left."""
    sealed = seal(secret, context=seal_context(account.pk)) if secret else ""
    values = {
        "keep": policy.keep,
        "keep_days": policy.keep_days,
        "max_bytes": policy.max_bytes,
        "every_s": policy.every_s,
        "auth": auth,
        "sealed": sealed,
    }
    fresh = {"due": timezone.now(), "paused": False, "asks_owner": False, "failures": 0, "problem": "", "digest": ""}
    download, _made = Download.objects.update_or_create(account=account, defaults=values | fresh)
    account.mode, account.leave_days = MailAccount.Mode.DOWNLOAD, _told_days(policy, account.leave_days)
    account.save(update_fields=["mode", "leave_days"])
    ensure_folders(account)
    return download


@transaction.atomic
def change_policy(download: Download, policy: Policy, *, by: Actor) -> None:
    """Gives the account another policy; the dates of the copies on the server follow it, but for those that were decided by
    hand."""
    before = _policy_values(download)
    download.keep, download.keep_days = policy.keep, policy.keep_days
    download.max_bytes, download.every_s = policy.max_bytes, policy.every_s
    download.digest, download.due = "", timezone.now()
    download.save(update_fields=["keep", "keep_days", "max_bytes", "every_s", "digest", "due"])
    account = download.account
    _record(download, by, before, _policy_values(download))
    account.leave_days = _told_days(policy, account.leave_days)
    account.save(update_fields=["leave_days"])
    kept = LedgerEntry.objects.filter(account=download.account_id, state__in=ON_SERVER, hold=False, problem="")
    kept.update(remove_at=_date_of(policy))
    large = LedgerEntry.objects.filter(account=download.account_id, state=State.WAITING, problem="large")
    large.update(retry_at=None)


def _policy_values(download: Download) -> dict[str, Any]:
    """The policy as the log keeps it."""
    days = {"keep_days": download.keep_days} if download.keep == Download.Keep.DAYS else {}
    every_min = download.every_s // 60 if download.every_s else None
    return {"keep": download.keep, "max_bytes": download.max_bytes, "every_min": every_min} | days


def _record(download: Download, by: Actor, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Writes what changed into the log of the mailbox; those of other servers have none."""
    mailbox = download.account.mailbox
    if mailbox and before != after:
        record(by=by, verb="mailbox.download", thing=mailbox, before=before, after=after)


def _told_days(policy: Policy, before: int) -> int:
    """For how many days other programs that download are told to leave copies: as long as Casilla does; where it leaves them
    for good, what they were told before."""
    if policy.keep == Download.Keep.ALWAYS:
        return before
    return policy.keep_days if policy.keep == Download.Keep.DAYS else 0


def _date_of(policy: Policy) -> Any:
    """When a copy goes by this policy, as an expression over its entry."""
    if policy.keep == Download.Keep.ALWAYS:
        return None
    days = policy.keep_days if policy.keep == Download.Keep.DAYS else 0
    return ExpressionWrapper(F("stored_at") + timedelta(days=days), output_field=DateTimeField())


def set_secret(download: Download, secret: str, *, auth: str = Download.Auth.PASSWORD) -> None:
    """A new password or token: what was refused is tried again at once."""
    download.sealed, download.auth = seal(secret, context=seal_context(download.account_id)), auth
    download.failures, download.asks_owner, download.due = 0, False, timezone.now()
    download.save(update_fields=["sealed", "auth", "failures", "asks_owner", "due"])


def pause(download: Download) -> None:
    """No pull until it is resumed; one that runs comes to its end."""
    Download.objects.filter(pk=download.pk).update(paused=True)


def resume(download: Download) -> None:
    """Pulls again, from now."""
    Download.objects.filter(pk=download.pk).update(paused=False, asks_owner=False, failures=0, due=timezone.now())


def copies_of(messages: list[int], account: MailAccount) -> QuerySet[LedgerEntry]:
    """The copies of these messages (primary keys of LocalMessage) that are on the server."""
    return LedgerEntry.objects.filter(account=account, message__in=messages, state__in=ON_SERVER)


@transaction.atomic
def keep_on_server(account: MailAccount, messages: list[int]) -> int:
    """Leaves the server's copies of these messages there for good; gives how many."""
    _disturb(account)
    return copies_of(messages, account).filter(state=State.KEPT).update(remove_at=None, hold=True)


@transaction.atomic
def remove_now(account: MailAccount, messages: list[int]) -> int:
    """Takes the server's copies of these messages away with the next pull, which is due at once; gives how many."""
    sure = copies_of(messages, account).exclude(problem__in=["double-uidl", "short", "stays"])
    count = sure.update(remove_at=timezone.now(), hold=True)
    if count:
        _disturb(account)
        Download.objects.filter(account=account).update(due=timezone.now())
    return count


@transaction.atomic
def as_policy_says(account: MailAccount, messages: list[int]) -> int:
    """Takes back what was decided about single copies."""
    download = Download.objects.get(account=account)
    policy = Policy(download.keep, download.keep_days)
    _disturb(account)
    held = copies_of(messages, account).filter(hold=True, problem="")
    return held.update(hold=False, remove_at=_date_of(policy))


def _disturb(account: MailAccount) -> None:
    """What was remembered of the last listing does not hold any more."""
    Download.objects.filter(account=account).update(digest="")


def places(account: MailAccount, messages: list[int]) -> dict[int, LedgerEntry]:
    """For each of these messages the entry that tells where its server's copy is; none for what never was there."""
    order = [State.KEPT, State.DELETING, State.TAKEN, State.REMOVED]
    found: dict[int, LedgerEntry] = {}
    entries = LedgerEntry.objects.filter(Q(account=account), message__in=messages)
    for entry in sorted(entries, key=lambda one: -order.index(State(one.state)) if one.state in order else -9):
        if entry.message_id is not None:
            found[entry.message_id] = entry
    return found
