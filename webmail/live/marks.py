"""Marks: of each folder of an account, a word that becomes another whenever something in it changes.

The watcher sets a new mark before it tells of a change, and so does whoever changes something here. While a watcher that is
alive says that it hears of every folder, what was read from the server after a mark was looked at holds until that mark is
another one. Marks are random, so that one that was lost with Redis does not come back.

`live:marks:ID` holds them by folder: "" for what concerns every folder, ANY for any change at all. `live:own:ID:VALIDITY:FOLDER`
holds which page made which change of ours, by the MODSEQ that the server gave it (RFC 7162): the watcher, which hears of it
as of any other, then knows that the new mark is there already, and the page that it need not read again what it did itself.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from redis import Redis, RedisError

from accounts.redis_line import Command, ask
from webmail.live.events import Event, Kind, State, channel_of
from webmail.values import FolderId

EVERY = FolderId("")
ANY = b"\0any"
MARKS_S = 24 * 3600
TIMEOUT_S = 2.0
WATCHER_S = 4
"""How long a watcher's sign of life counts. It gives one every second, whatever else it does."""
OWN_S = 60
"""How long it is known who made a change; the watcher hears of it within a second."""
NOBODY = "-"
"""Stands for a page that did not say which it is."""
LEASES, WATCHERS, STATES = "live:leases", "live:watchers", "live:states"

_READ = """
local holder = redis.call('HGET', KEYS[1], ARGV[1])
if not holder or redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return false end
local beat = redis.call('ZSCORE', KEYS[2], holder)
if not beat or redis.call('TIME')[1] - beat > tonumber(ARGV[3]) then return false end
local marks = {}
for i = 5, #ARGV do
  marks[i - 4] = redis.call('HGET', KEYS[4], ARGV[i])
  if not marks[i - 4] then
    redis.call('HSET', KEYS[4], ARGV[i], ARGV[4])
    redis.call('EXPIRE', KEYS[4], 86400)
    marks[i - 4] = ARGV[4]
  end
end
return marks
"""
_SHA = hashlib.sha1(_READ.encode(), usedforsecurity=False).hexdigest()

logger = logging.getLogger(__name__)


def marks_key(account_id: int) -> str:
    return f"live:marks:{account_id}"


def own_key(account_id: int, folder: FolderId, validity: int) -> bytes:
    return f"live:own:{account_id}:{validity}:{folder}".encode("utf-8", "surrogatepass")


def new_mark() -> str:
    return secrets.token_hex(8)


def fields_of(folders: Iterable[FolderId]) -> list[bytes]:
    """What is set when these folders changed; EVERY among them stands for all."""
    return [ANY, *(folder.encode("utf-8", "surrogatepass") for folder in folders)]


def changed_folder(event: Event) -> FolderId | None:
    """The folder that an event says has changed, EVERY when it may be any; None when it is no change of mail."""
    if event.kind is Kind.STATE:
        return None
    return EVERY if event.kind is Kind.FOLDERS else event.folder


@dataclass(frozen=True, slots=True)
class Own:
    """Changes of marks that were made here: in which folder, and the MODSEQ of each."""

    folder: FolderId
    validity: int
    modseqs: frozenset[int]


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one account, as a web process reads and sets them. `page` is the page that asks, "" when it did not say."""

    redis: Redis
    account_id: int
    page: str = ""

    def question(self, folders: Iterable[FolderId]) -> Command:
        """The question for the marks of ANY, of EVERY and of these folders: a list, None while nobody watches the whole
        account."""
        keys = [LEASES, WATCHERS, STATES, marks_key(self.account_id)]
        names = fields_of([EVERY, *folders])
        return "EVALSHA", _SHA, len(keys), *keys, self.account_id, State.LIVE.value, WATCHER_S, new_mark(), *names

    def load(self) -> None:
        """Makes Redis know the script, after NoScriptError: it was started anew. May raise RedisError."""
        self.redis.script_load(_READ)

    def set(self, *folders: FolderId, own: Own | None = None) -> None:
        """Says that something in these folders changed, or is just being changed; `own` are changes that the server has done.
        What Redis does not take is no loss: it has no marks to be believed then either."""
        commands = new_marks(self.account_id, folders)
        if own is not None and own.modseqs:
            key = own_key(self.account_id, own.folder, own.validity)
            made = [word for modseq in own.modseqs for word in (modseq, self.page or NOBODY)]
            commands += [("HSET", key, *made), ("EXPIRE", key, OWN_S)]
        try:
            ask(self.redis, ("MULTI",), *commands, ("EXEC",))
        except RedisError as error:
            logger.warning("live %s: marks were not set: %s", self.account_id, type(error).__name__)

    def tell(self, folder: FolderId) -> None:
        """Lets open pages of a folder read it again."""
        event = Event(self.account_id, Kind.FLAGS, folder)
        try:
            self.redis.publish(channel_of(self.account_id), event.pack())
        except RedisError as error:
            logger.warning("live %s: an event was not told: %s", self.account_id, type(error).__name__)


def new_marks(account_id: int, folders: Iterable[FolderId]) -> list[Command]:
    """The commands that set new marks for these folders."""
    key, mark = marks_key(account_id), new_mark()
    return [("HSET", key, *(word for field in fields_of(folders) for word in (field, mark))), ("EXPIRE", key, MARKS_S)]
