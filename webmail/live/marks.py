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
import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from redis import Redis, RedisError

from accounts.redis_line import Command, ask
from webmail.live.events import Event, Kind, State, channel_of
from webmail.values import Flag, FolderId

EVERY = FolderId("")
ANY = b"\0any"
MARKS_S = 24 * 3600
TIMEOUT_S = 2.0
WATCHER_S = 4
"""How long a watcher's sign of life counts. It gives one every second, whatever else it does."""
OWN_S = 60
"""How long it is known who made a change; the watcher hears of it within a second."""
STEPS, STEPS_S, STEP_UIDS = 16, 60, 200
"""How many steps are known and for how long (no answer is kept longer), and of how many messages each may be."""
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
_STEP = """
local marks = redis.call('HMGET', KEYS[1], ARGV[7], ARGV[8], ARGV[9])
redis.call('HSET', KEYS[1], ARGV[7], ARGV[1], ARGV[9], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
if marks[1] and marks[2] and marks[3] and marks[2] .. '.' .. marks[3] == ARGV[2] then
  redis.call('LPUSH', KEYS[2], ARGV[1] .. ' ' .. marks[3] .. ' ' .. marks[1] .. ' ' .. ARGV[3])
  redis.call('LTRIM', KEYS[2], 0, ARGV[6] - 1)
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
"""
_SHA = hashlib.sha1(_READ.encode(), usedforsecurity=False).hexdigest()

logger = logging.getLogger(__name__)


def marks_key(account_id: int) -> str:
    return f"live:marks:{account_id}"


def own_key(account_id: int, folder: FolderId, validity: int) -> bytes:
    return f"live:own:{account_id}:{validity}:{folder}".encode("utf-8", "surrogatepass")


def steps_key(account_id: int) -> str:
    return f"live:steps:{account_id}"


def read_ways(packed: Iterable[bytes]) -> list[Way]:
    """What `Marks.steps` gives."""
    ways = []
    for one in packed:
        new, old, old_any, rest = one.split(b" ", 3)
        folder, validity, uids, add, remove = json.loads(rest)
        ways.append(Way(new, old, old_any, Step(FolderId(folder), validity, tuple(uids), tuple(add), tuple(remove))))
    return ways


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
class Step:
    """Flags that the server has added to messages of a folder, and taken away: nothing else changed for us."""

    folder: FolderId
    validity: int
    uids: tuple[int, ...]
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether folders may have other counts after it."""
        return Flag.SEEN in self.add + self.remove

    @property
    def may_be_told(self) -> bool:
        """Whether it is small enough, and of flags that every server knows; lists have the same messages after it."""
        return len(self.uids) <= STEP_UIDS and {Flag.SEEN, Flag.FLAGGED}.issuperset(self.add + self.remove)

    def applied(self, flags: Iterable[str]) -> frozenset[str]:
        """A message's flags after it."""
        return frozenset(flags).difference(self.remove).union(self.add)


class Way(NamedTuple):
    """A step, and the marks around it."""

    new: bytes
    old: bytes
    old_any: bytes
    step: Step


def steps_between(ways: Iterable[Way], folder: FolderId | None, every: bytes, old: bytes, now: bytes) -> list[Step]:
    """What happened between two marks of a folder (None = of ANY), the first thing first; nothing when more happened than is
    known. `ways` are the newest first, `every` is the mark of all folders that a folder's begins with."""
    found: list[Step] = []
    for way in ways:
        if folder is not None and way.step.folder != folder:
            continue
        if now != (way.new if folder is None else every + b"." + way.new) or (folder is None and way.step.counts):
            continue
        found.append(way.step)
        now = way.old_any if folder is None else every + b"." + way.old
        if now == old:
            return found[::-1]
    return []


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

    @property
    def steps(self) -> Command:
        """The question for what lies between the last marks, for `read_ways`."""
        return "LRANGE", steps_key(self.account_id), 0, -1

    def set(self, *folders: FolderId, own: Own | None = None, step: Step | None = None, since: bytes = b"") -> None:
        """Says that something in these folders changed, or is just being changed; `own` are changes that the server has done.
        Where that was one `step` in one folder, and the folder had the mark `since` before the server was asked for it and
        has it still, the step is written down. What Redis does not take is no loss: it has no marks to be believed then
        either."""
        commands = [self._stepped(step, since)] if step and since else new_marks(self.account_id, folders)
        if own is not None and own.modseqs:
            key = own_key(self.account_id, own.folder, own.validity)
            made = [word for modseq in own.modseqs for word in (modseq, self.page or NOBODY)]
            commands += [("HSET", key, *made), ("EXPIRE", key, OWN_S)]
        try:
            ask(self.redis, ("MULTI",), *commands, ("EXEC",))
        except RedisError as error:
            logger.warning("live %s: marks were not set: %s", self.account_id, type(error).__name__)

    def _stepped(self, step: Step, since: bytes) -> Command:
        names = fields_of([EVERY, step.folder])
        packed = json.dumps([step.folder, step.validity, step.uids, step.add, step.remove])
        keys = [marks_key(self.account_id), steps_key(self.account_id)]
        return "EVAL", _STEP, len(keys), *keys, new_mark(), since, packed, MARKS_S, STEPS_S, STEPS, *names

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
