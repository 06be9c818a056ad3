"""What follows a pull: when the next one is due, how long a server that failed is left in peace, and when its owner is
asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from random import SystemRandom

from django.conf import settings
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from accounts.models import MailAccount
from webmail.errors import (
    Busy,
    CertificateRefused,
    LoginRefused,
    MailError,
    OverQuota,
    ServerTrouble,
    TooSoon,
    Unreachable,
)
from webmail.live.events import Event, Kind, publish
from webmail.models import Download, LedgerEntry, Pull
from webmail.pop3.client import connect
from webmail.services.access import account_credentials, kept_secret, pop3_for
from webmail.services.claims import LeaseLost, PullLease
from webmail.services.ledger import REMEMBER
from webmail.services.pulling import NoUidl, Puller, Session
from webmail.values import Credentials

FASTEST_S, SLOWEST_S = 120, 3600
LOGIN_TRIES = 3
"""So many refusals in a row, and the owner is asked instead of the server."""
JITTER = 0.2
PULLS_LAST = 20
CHUNK = 500
CODES: list[tuple[type[MailError], str]] = [
    (CertificateRefused, "certificate"),
    (NoUidl, "no-uidl"),
    (LoginRefused, "login"),
    (Busy, "busy"),
    (TooSoon, "too-soon"),
    (ServerTrouble, "trouble"),
    (OverQuota, "store-full"),
    (Unreachable, "unreachable"),
]
FIRST_DELAY_S = {"busy": 120, "too-soon": 900, "trouble": 300, "store-full": 900, "unreachable": 120}
"""How long is waited after the first failure; each that follows doubles it, up to SLOWEST_S."""

log = logging.getLogger(__name__)
_random = SystemRandom()


def credentials_of(download: Download) -> Credentials:
    """How a worker logs in. Raises LoginRefused when the password is gone or the mailbox is suspended."""
    account = download.account
    if account.mailbox and not account.mailbox.is_open:
        raise LoginRefused("suspended")
    if account.hosted:
        return account_credentials(account)
    return account_credentials(account, secret=kept_secret(account))


def pull_account(
    download: Download,
    *,
    by_hand: bool = False,
    connect_to: Callable[[MailAccount], Session] | None = None,
    clock: Callable[[], datetime] = timezone.now,
) -> Pull:
    """Pulls an account that was claimed, and gives it back with the date of the next pull. Everything that can go wrong is in
    the Pull."""
    now = clock()
    late = Pull.objects.filter(account=download.account, outcome=Pull.Outcome.RUNNING)
    late.update(outcome=Pull.Outcome.FAILED, problem="interrupted", ended=now)
    pull = Pull.objects.create(account=download.account, started=now, by_hand=by_hand)
    lease = PullLease(download.pk, download.lease_token, clock)
    error: MailError | None = None
    try:
        open_ = connect_to or _connect
        puller = Puller(download, pull, lease, partial(open_, download.account), credentials_of(download), clock)
        puller.run()
    except LeaseLost:
        log.warning("account %s: another worker has it", download.account_id)
        return _told(_end(pull, clock(), "lease", ""))
    except MailError as failure:
        error = failure
    code = next((code for kind, code in CODES if isinstance(error, kind)), "refused") if error else ""
    if error:
        log.info("account %s: %s", download.account_id, code)
    pull = _end(pull, clock(), code, error.detail if error else "")
    settle(download, pull, code, clock)
    return _told(pull)


def _told(pull: Pull) -> Pull:
    """The pull, once open pages know that it stored something, also one that was cut short."""
    if pull.stored:
        publish(settings.REDIS_URL, Event(pull.account_id, Kind.NEW))
    return pull


def settle(download: Download, pull: Pull, code: str, clock: Callable[[], datetime] = timezone.now) -> None:
    """Gives an account back after a pull that ended with this problem ("" = well), with the date of the next."""
    try:
        PullLease(download.pk, download.lease_token, clock).release(**_next(download, pull, code, clock()))
    except LeaseLost:
        log.warning("account %s: another worker has it", download.account_id)


def _connect(account: MailAccount) -> Session:
    return connect(pop3_for(account), ca_file=settings.MAIL_CA_FILE)


def _end(pull: Pull, now: datetime, code: str, detail: str) -> Pull:
    """Writes the end of a pull: its counts are in the row already, what was left in this session is in `pull`."""
    skipped = LedgerEntry.objects.filter(account=pull.account_id, state=LedgerEntry.State.WAITING).count()
    well = Pull.Outcome.PARTIAL if skipped or pull.waiting else Pull.Outcome.COMPLETE
    Pull.objects.filter(pk=pull.pk).update(
        ended=now,
        outcome=Pull.Outcome.FAILED if code else well,
        problem=code,
        detail=detail[:500],
        waiting=pull.waiting + skipped,
        answer_ms=pull.answer_ms,
    )
    more = pull.waiting
    pull.refresh_from_db()
    pull.unfetched = more
    return pull


def _next(download: Download, pull: Pull, code: str, now: datetime) -> dict[str, object]:
    """What the account's row says after this pull."""
    if code:
        failures = download.failures + 1
        delay = FIRST_DELAY_S.get(code, FASTEST_S) * 2 ** min(failures - 1, 10)
        asks = code in {"certificate", "no-uidl"} or (code in {"login", "refused"} and failures >= LOGIN_TRIES)
        return {
            "failures": failures,
            "problem": code,
            "problem_at": now,
            "asks_owner": asks,
            "due": now + _jittered(min(delay, SLOWEST_S)),
            "pipelining": False,  # asked anew: the server may be another by now
        }
    interval = next_interval(download.interval_s, stored=pull.stored)
    delay = timedelta() if pull.unfetched else _jittered(download.every_s or interval)
    return {
        "failures": 0,
        "problem": "",
        "problem_at": None,
        "asks_owner": False,
        "interval_s": interval,
        "waiting": pull.waiting,
        "due": now + delay,
    }


def next_interval(interval_s: int, *, stored: int) -> int:
    """The adaptive interval: half as long where mail came, half as long again where none did."""
    wanted = interval_s // 2 if stored else interval_s * 3 // 2
    return max(FASTEST_S, min(SLOWEST_S, wanted))


def _jittered(seconds: int) -> timedelta:
    """About so long, so that accounts that failed together do not come back together."""
    return timedelta(seconds=seconds * _random.uniform(1 - JITTER, 1 + JITTER))


def forget_pulls(now: datetime) -> int:
    """Removes what is known of pulls older than PULLS_KEEP_DAYS, but for the last PULLS_LAST of each account; gives how many."""
    newer = Pull.objects.filter(account=OuterRef("account")).order_by("-pk").values("pk")
    old = Pull.objects.filter(started__lt=now - timedelta(days=settings.PULLS_KEEP_DAYS)).exclude(
        outcome=Pull.Outcome.RUNNING
    )
    old = old.annotate(last=Subquery(newer[PULLS_LAST - 1 : PULLS_LAST])).filter(pk__lt=F("last"))
    removed = 0
    while pks := list(old.values_list("pk", flat=True)[:CHUNK]):
        removed += Pull.objects.filter(pk__in=pks).delete()[0]
    return removed


def forget_old(now: datetime) -> int:
    """Removes entries of copies that have been gone for longer than REMEMBER; gives how many."""
    gone = [LedgerEntry.State.REMOVED, LedgerEntry.State.TAKEN]
    removed, _by_model = LedgerEntry.objects.filter(state__in=gone, gone_at__lt=now - REMEMBER).delete()
    return removed
