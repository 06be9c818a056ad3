"""How the downloads of an account stand, in values and words that its owner understands."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

from accounts.models import MailAccount
from webmail.errors import MailError
from webmail.models import Download, Pull, Transfer
from webmail.services.schedule import CODES
from webmail.services.transfer import open_transfer

ASKED_FOR = timedelta(seconds=60)
"""How long a page waits for a pull that was asked for to begin."""
PRIVATE = frozenset({"private address", "port", "no host"})
CLEAR = "a password is not sent in clear text"

log = logging.getLogger(__name__)

State = str
"""running, leaving (the mailbox goes to its server), stuck (that was stopped, or failed), asked, asks, paused, failed,
never or idle."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with a pull, and what its owner can do about it."""

    title: str | Promise
    text: str | Promise
    secret: bool = False
    """A new password may help."""
    settings: bool = False
    """Other settings may help."""


PROBLEMS: dict[str, Problem] = {
    "certificate": Problem(
        _("The server could not prove who it is"),
        _(
            "Its certificate is not valid for its name, so neither password nor mail went over the line. Check the server's "
            "name in the settings, or tell whoever runs the server."
        ),
        settings=True,
    ),
    "no-uidl": Problem(
        _("This server cannot leave copies"),
        _(
            "It has no unique names for its messages (UIDL), so Casilla could not tell tomorrow which ones it has. "
            "Choose “Delete after download” in the settings; nothing was removed."
        ),
        settings=True,
    ),
    "login": Problem(
        _("The server did not accept the user or the password"),
        _("Perhaps the password was changed there, or the server wants an app password. Nothing was removed."),
        secret=True,
        settings=True,
    ),
    "busy": Problem(
        _("Another program has the mailbox open"),
        _("Only one at a time can download from it. Casilla tries again by itself in a few minutes."),
    ),
    "too-soon": Problem(
        _("The server wants more time between two visits"),
        _("Casilla waits as long as it asks and comes back by itself. A slower pace in the settings avoids this."),
        settings=True,
    ),
    "trouble": Problem(
        _("The server has a problem of its own"),
        _("It says that it cannot give out mail for now. Your mail is safe there; Casilla tries again by itself."),
    ),
    "store-full": Problem(
        _("Casilla has no room to store the mail"),
        _("Nothing was removed from the server. Tell whoever runs Casilla; it tries again by itself."),
    ),
    "unreachable": Problem(
        _("The server does not answer"),
        _(
            "Or the connection broke. What had come is stored; the rest is still on the server. Casilla tries again by itself."
        ),
        settings=True,
    ),
    "refused": Problem(
        _("The server refused"),
        _("It did not do what was asked, and nothing was removed. Its own words are in the log below."),
        settings=True,
    ),
    "private": Problem(
        _("Casilla may not connect there"),
        _("This name leads to no public mail server, or the port is none of mail's. Check both."),
        settings=True,
    ),
    "clear": Problem(
        _("The password would travel in clear text"),
        _("Choose TLS or STARTTLS: without encryption anybody on the way could read the password."),
        settings=True,
    ),
    "interrupted": Problem(
        _("The download was interrupted"),
        _("What had come is stored, and nothing was removed without its copy. The next one goes on from there."),
    ),
    "lease": Problem(
        _("The download took too long and was handed over"),
        _("Another one went on from where it stood. Nothing is lost and nothing comes twice."),
    ),
}
WAITS: dict[str, str | Promise] = {
    "large": _("larger than the limit"),
    "refused": _("the server would not give it out"),
    "empty": _("the server sent nothing"),
    "short": _("less came than was announced"),
    "mixed": _("the server's answers got mixed up around it; it is fetched by itself the next time"),
    "": _("not fetched yet"),
}
"""Why a message is still on the server alone."""
DOUBTS: dict[str, str | Promise] = {
    "double-uidl": _("The server lists two messages under the same name, so its copy is never removed."),
    "short": _("Less came than the server announced, so its copy is never removed."),
    "stays": _("The server keeps listing it although its removal was asked for several times."),
    "lost-here": _("The copy here was damaged; it is fetched again with the next download."),
}
"""Why a copy on the server is not removed."""


@dataclass(frozen=True, slots=True)
class PullState:
    """How the downloads of one account stand. `last` is the last pull that ended, `running` the one that goes on; `asked` is
    when somebody asked for a pull that has not begun yet."""

    download: Download
    running: Pull | None
    last: Pull | None
    asked: datetime | None = None
    leaving: Transfer | None = None
    """The mailbox is being moved to its server: nothing is downloaded."""
    at: datetime = field(default_factory=timezone.now)

    @property
    def again(self) -> str:
        """What a part that asks again takes along: since when it waits for a pull that was asked for, which pull ran, and how
        much had come."""
        asked = int(self.asked.timestamp() * 1000) if self.asked else 0
        run, stored = (self.running.pk, self.running.stored) if self.running else (0, 0)
        return f"asked={asked}&run={run}&stored={stored}"

    @property
    def stamp(self) -> str:
        """A name for this moment."""
        return str(int(self.at.timestamp() * 1000))

    @property
    def state(self) -> State:
        if self.running:
            return "running"
        if self.leaving:
            stuck = {Transfer.State.STOPPED, Transfer.State.FAILED}
            return "stuck" if self.leaving.state in stuck else "leaving"
        if self.asked:
            return "asked"
        if self.download.asks_owner:
            return "asks"
        if self.download.paused:
            return "paused"
        if self.download.problem:
            return "failed"
        return "idle" if self.last else "never"

    @property
    def moving(self) -> bool:
        """Whether a page that shows this should ask again soon."""
        return self.state in {"running", "asked"}

    @property
    def telling(self) -> bool:
        """Whether it is of interest beside every folder, not only the Inbox."""
        return self.state in {"running", "leaving", "stuck", "asked", "asks", "failed"}

    @property
    def done(self) -> int:
        """How many messages the running pull has dealt with."""
        return self.running.fetched + self.running.skipped if self.running else 0

    @property
    def waiting(self) -> int:
        """How many messages are on the server and not here, as far as is known."""
        if self.running and self.running.wanted:
            return max(0, self.running.wanted - self.running.fetched)
        return self.download.waiting

    @property
    def problem(self) -> Problem | None:
        return problem_of(self.download.problem)

    @property
    def next(self) -> datetime | None:
        """When the next pull is due; None when none is."""
        idle = self.download.paused or self.download.asks_owner or self.running or self.leaving
        return None if idle else self.download.due


def problem_of(code: str) -> Problem | None:
    """The words for a problem's code; None for none."""
    return PROBLEMS.get(code, PROBLEMS["refused"]) if code else None


def code_of(error: MailError) -> str:
    """The code of what a server, or the way to it, answered with."""
    if error.detail in PRIVATE:
        return "private"
    if error.detail == CLEAR:
        return "clear"
    return next((code for kind, code in CODES if isinstance(error, kind)), "refused")


def pull_state(account: MailAccount, *, asked: datetime | None = None) -> PullState | None:
    """How the downloads stand; None for an account that is not in download mode. A pull whose worker has lost the account
    runs no more, whatever its row says. `asked` counts as long as no pull has begun since, for a minute."""
    download = Download.objects.filter(account=account).first() if account.downloads else None
    if download is None:
        return None
    now = timezone.now()
    recent = list(Pull.objects.filter(account=account).order_by("-started")[:2])
    held = bool(download.lease_until and download.lease_until > now)
    running = recent[0] if recent and recent[0].outcome == Pull.Outcome.RUNNING and held else None
    last = next((pull for pull in recent if pull.outcome != Pull.Outcome.RUNNING), None)
    begun = bool(asked and recent and recent[0].started >= asked)
    fresh = asked if asked and not begun and timedelta() <= now - asked < ASKED_FOR else None
    return PullState(download, running, last, fresh, leaving=open_transfer(account))


def ask_pull(account: MailAccount) -> datetime:
    """Asks the workers for a pull now, and says since when; without a broker the beat finds it soon."""
    asked = timezone.now()
    Download.objects.filter(Q(paused=False, asks_owner=False), account=account).update(due=asked)
    transaction.on_commit(partial(_queue, account.pk))
    return asked


def _queue(account_id: int) -> None:
    try:
        current_app.send_task("webmail.tasks.pull_one", [account_id], expires=ASKED_FOR.total_seconds(), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker: %s", type(error).__name__)
