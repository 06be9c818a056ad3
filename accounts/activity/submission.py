"""Who sent: from Postfix's lines about a message that somebody who signed in handed over, and about its being queued. Of the
message its size is known, and nothing of what is in it or whom it is for.

A message that was begun and then refused (the day's limit, too large) has a line of the first kind and none of the second: it was
not sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.activity.lines import clean_text, text_of
from accounts.provisioning.maps import LOGIN_MARK

ADDRESS_MAX = 254
WAITING_MAX = 20_000
"""So many messages are waited for at most; beyond them the oldest no longer."""
WAIT = timedelta(days=1)
_STAMP = rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ "
_QUEUE = rb"([0-9A-Za-z]{6,20})"
_HANDED_IN = re.compile(
    _STAMP
    + rb"postfix/(?:submissions?/)?smtpd\[\d+\]: "
    + _QUEUE
    + rb": client=[^ ,]*\[(?:IPv6:)?([0-9a-fA-F.:]+|unknown)\](?::\d+)?"
    + rb"(?:, sasl_method=[A-Z0-9-]+, sasl_username=([^ ,]+))?(?:, sasl_sender=.*)?"
)
_QUEUED = re.compile(
    _STAMP + rb"postfix/qmgr\[\d+\]: " + _QUEUE + rb": from=<.*>, size=(\d{1,15}), nrcpt=\d{1,9} \(queue active\)"
)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A message begins: under which number of the queue, from where, and who has signed in ("" for another server)."""

    at: datetime
    queue: str
    login: str
    address: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A message was taken, so that it is on its way."""

    at: datetime
    queue: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A mailbox has sent a message: `app` is the id of the device's password by which it came, 0 for the mailbox's own; `own`
    says that it was Casilla."""

    at: datetime
    user: str
    app: int
    own: bool
    address: str
    size_bytes: int


def reads_submission(line: bytes) -> bool:
    """Whether a line may be one of these, told at a glance."""
    return b": client=" in line or line.endswith(b"(queue active)")


def split_submission(line: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
    """The stamp of a line of these and what else it says: queue, address and login, or queue and size."""
    found = _QUEUED.fullmatch(line) or _HANDED_IN.fullmatch(line)
    if found is None:
        return None
    stamp, *rest = found.groups()
    return stamp, tuple(one or b"" for one in rest)


def submission_of(at: datetime, parts: tuple[bytes, ...]) -> HandedIn | Queued:
    """What `split_submission` gave, at its moment."""
    if len(parts) == 2:
        return Queued(at, text_of(parts[0]), int(parts[1]))
    queue, address, login = map(text_of, parts)
    return HandedIn(at, queue, clean_text(login, most=ADDRESS_MAX).lower(), address)


class Submissions:
    """The messages that are begun and not queued yet."""

    def __init__(self) -> None:
        self._begun: dict[str, HandedIn] = {}

    def take(self, event: HandedIn | Queued) -> Sent | None:
        """What was sent, once it is. A number of the queue that is used anew is another message."""
        begun = self._begun.pop(event.queue, None)
        if isinstance(event, Queued):
            return _sent(begun, event) if begun and event.at - begun.at < WAIT else None
        if event.login:
            self._begun[event.queue] = event
            if len(self._begun) > WAITING_MAX:
                del self._begun[next(iter(self._begun))]
        return None

    def settle(self, now: datetime) -> None:
        """Lets go of what was begun a day ago."""
        while self._begun:
            first = next(iter(self._begun.values()))
            if now - first.at < WAIT:
                return
            del self._begun[first.queue]

    def dump(self) -> list[list[str]]:
        """What waits, for JSON."""
        return [[one.at.isoformat(), one.queue, one.login, one.address] for one in self._begun.values()]

    def load(self, dumped: list[list[Any]]) -> None:
        """Takes up what `dump` gave."""
        for at, queue, login, address in dumped:
            self._begun[queue] = HandedIn(datetime.fromisoformat(at), queue, login, address)


def _sent(begun: HandedIn, queued: Queued) -> Sent:
    user, _mark, number = begun.login.partition(LOGIN_MARK)
    app = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
    return Sent(queued.at, user, app, number == "0", begun.address, queued.size_bytes)
