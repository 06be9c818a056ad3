"""What happened to an account's mail, as it goes through Redis. An event names a folder and what kind of change, never mail."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache as memoize

from redis import Redis, RedisError

from webmail.values import FolderId

TIMEOUT_S = 2.0
CHANNEL = "live:a:"
NO_FOLDER = FolderId("")

logger = logging.getLogger(__name__)


class Kind(StrEnum):
    NEW = "new"
    """Messages came."""
    GONE = "gone"
    """Messages went."""
    FLAGS = "flags"
    """Messages are marked otherwise."""
    FOLDERS = "folders"
    """Folders were made, renamed, deleted, or are subscribed to otherwise."""
    ALL = "all"
    """Anything: who shows the account reads it again."""
    STATE = "state"
    """How closely the account is watched has changed (see `State`)."""


class State(StrEnum):
    LIVE = "live"
    """Every folder is watched."""
    PARTLY = "partly"
    """The Inbox and the folders that are open are watched."""
    AWAY = "away"
    """The server or Redis is being tried again."""
    REFUSED = "refused"
    """The server lets the watcher in no more."""
    NONE = "none"
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Marking:
    """That messages of a folder are marked otherwise, as the server counts it (RFC 7162): the folder's UIDVALIDITY, its
    HIGHESTMODSEQ and its count of unread messages before and now. `by` is the page that did all of it, "" when it was several,
    or another program."""

    validity: int
    since: int
    until: int
    was_unread: int
    unread: int
    by: str = ""

    def after(self, before: Marking | None) -> Marking:
        """This one together with the one before it."""
        return self if before is None else replace(self, since=before.since, was_unread=before.was_unread)


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one account; `folder` is "" where it is of none or of all. `marking` tells more of a change of marks where
    that is known; it is no part of what makes two events the same."""

    account_id: int
    kind: Kind
    folder: FolderId = NO_FOLDER
    marking: Marking | None = field(default=None, compare=False)

    def pack(self) -> bytes:
        more = [self.marking.by, self.marking.was_unread, self.marking.unread] if self.marking else []
        return json.dumps([self.kind, self.folder, *more]).encode("ascii")


def channel_of(account_id: int) -> str:
    """The channel of an account's events."""
    return f"{CHANNEL}{account_id}"


def unpack_event(channel: str, data: bytes) -> Event | None:
    """The event of a message on an account's channel; None for what is none."""
    try:
        kind, folder, *more = json.loads(data)
        marking = Marking(0, 0, 0, int(more[1]), int(more[2]), str(more[0])) if len(more) == 3 else None
        return Event(int(channel.removeprefix(CHANNEL)), Kind(kind), FolderId(str(folder)), marking)
    except (ValueError, TypeError):
        return None


def publish(redis_url: str, *events: Event) -> None:
    """Tells whoever has the accounts open. What nobody hears is lost, and so is everything while Redis is away: its
    listeners then read again what they show."""
    try:
        with _client(redis_url).pipeline(transaction=False) as pipe:
            for event in events:
                pipe.publish(channel_of(event.account_id), event.pack())
            pipe.execute()
    except RedisError as error:
        logger.warning("live: %s events were not told: %s", len(events), type(error).__name__)


@memoize
def _client(redis_url: str) -> Redis:
    return Redis.from_url(redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
