"""What web processes and watchers leave for each other in Redis: which accounts have an open page, who watches each of them,
and how that goes. Everything here expires or is renewed; losing it costs a few seconds.

`live:wishes` holds the accounts by the time until which somebody wants them watched, `live:wish:ID` the folders that are open,
`live:secret:ID` a sealed password. `live:watchers` holds the watchers by their last sign of life, `live:leases` which of them
has an account, `live:states` what it says of it. A lease is worth what its watcher's sign of life is: one key to renew, not
one for each account. Times are Redis's own, so that no two clocks have to agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from redis.asyncio import Redis

from webmail.live.events import Event, Kind, State, channel_of
from webmail.live.marks import (
    ANY,
    LEASES,
    NOBODY,
    STATES,
    WATCHER_S,
    WATCHERS,
    changed_folder,
    marks_key,
    new_mark,
    new_marks,
    own_key,
)
from webmail.values import FolderId

CALLS = "live:calls"
"""The channel that names accounts which want a watcher, or want something else of it."""
WISHES = "live:wishes"
WISH_S = 60
TIMEOUT_S = 5.0
OWN_AT_ONCE = 64
"""Changes of a folder in one event among which ours are looked for; a flood is told as everybody's."""

_WISH = """
local now = tonumber(redis.call('TIME')[1])
local till = now + tonumber(ARGV[2])
local news = redis.call('ZSCORE', KEYS[1], ARGV[1]) == false
redis.call('ZADD', KEYS[1], till, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
for i = 4, #ARGV do
  if redis.call('ZADD', KEYS[2], till, ARGV[i]) == 1 then news = true end
end
redis.call('EXPIRE', KEYS[2], ARGV[2])
if ARGV[3] ~= '' then
  if redis.call('GET', KEYS[3]) ~= ARGV[3] then news = true end
  redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[2])
end
if news then redis.call('PUBLISH', KEYS[4], ARGV[1]) end
"""
_BEAT = "redis.call('ZADD', KEYS[1], tonumber(redis.call('TIME')[1]), ARGV[1])"
_ROUND = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[2]))
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
for i = 1, #ended do redis.call('HDEL', KEYS[3], ended[i]); redis.call('HDEL', KEYS[4], ended[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return {redis.call('ZCARD', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1)}
"""
_CLAIM = """
local got, fresh = {}, {}
for i = 3, #ARGV do
  if #got >= tonumber(ARGV[2]) then break end
  local holder = redis.call('HGET', KEYS[1], ARGV[i])
  if holder ~= ARGV[1] and (not holder or not redis.call('ZSCORE', KEYS[2], holder)) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[1])
    redis.call('HDEL', KEYS[3], ARGV[i])
    holder = ARGV[1]
    fresh[#fresh + 1] = ARGV[i]
  end
  if holder == ARGV[1] then got[#got + 1] = ARGV[i] end
end
return {got, fresh}
"""
_RELEASE = """
for i = 2, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('PUBLISH', KEYS[3], ARGV[i])
  end
end
"""
_TELL = """
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[3], '', ARGV[6], ARGV[7], ARGV[6])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
"""
_STATES = """
local now = tonumber(redis.call('TIME')[1])
local states, alive = {}, {}
for i = 2, #ARGV do
  local holder = redis.call('HGET', KEYS[1], ARGV[i])
  local state = ''
  if holder then
    if alive[holder] == nil then
      local beat = redis.call('ZSCORE', KEYS[2], holder)
      alive[holder] = beat and now - tonumber(beat) <= tonumber(ARGV[1])
    end
    if alive[holder] then state = redis.call('HGET', KEYS[3], ARGV[i]) or 'away' end
  end
  states[i - 1] = state
end
return states
"""


def connect(redis_url: str) -> Redis:
    """Redis for a loop. What does not answer in time raises RedisError."""
    return Redis.from_url(
        redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, socket_keepalive=True, protocol=2
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """That an account be watched, with the folders of it that are open, and the sealed password where one is needed."""

    account_id: int
    folders: tuple[FolderId, ...] = ()
    secret: str = ""


class Board:
    """The board, as seen from one process. Every method may raise RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        scripts = (_WISH, _BEAT, _ROUND, _CLAIM, _RELEASE, _TELL, _STATES)
        self._wish, self._beat, self._round, self._claim, self._release, self._tell, self._states = map(
            redis.register_script, scripts
        )

    async def wish(self, *wishes: Wish) -> None:
        """Wants accounts watched for WISH_S seconds more, the open folders above all."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for wish in wishes:
                names = [folder.encode("utf-8", "surrogatepass") for folder in wish.folders]
                keys = [WISHES, f"live:wish:{wish.account_id}", f"live:secret:{wish.account_id}", CALLS]
                await self._wish(keys=keys, args=[wish.account_id, WISH_S, wish.secret, *names], client=pipe)
            await pipe.execute()

    async def folders(self, account_id: int) -> list[FolderId]:
        """The folders of an account that are open somewhere."""
        names = cast(list[bytes], await self._redis.zrange(f"live:wish:{account_id}", 0, -1))
        return [FolderId(name.decode("utf-8", "surrogatepass")) for name in names]

    async def secret(self, account_id: int) -> str:
        """The sealed password of an account's server, "" where there is none."""
        value = cast(bytes | None, await self._redis.get(f"live:secret:{account_id}"))
        return (value or b"").decode("ascii")

    async def beat(self, watcher: str) -> None:
        """A watcher's sign of life."""
        await self._beat(keys=[WATCHERS], args=[watcher])

    async def begin_round(self, watcher: str) -> tuple[int, set[int]]:
        """A watcher's sign of life; how many watchers there are, and all accounts that somebody wants watched."""
        answer: Any = await self._round(keys=[WATCHERS, WISHES, LEASES, STATES], args=[watcher, WATCHER_S])
        count, wishes = answer
        return int(count), {int(account) for account in wishes}

    async def claim(self, watcher: str, accounts: Iterable[int], limit: int) -> tuple[set[int], set[int]]:
        """Those among the accounts, in their order and at most `limit`, that this watcher has or takes now: others only when
        nobody has them who is alive. Beside them those that it takes now, which are not told of yet."""
        answer: Any = await self._claim(keys=[LEASES, WATCHERS, STATES], args=[watcher, limit, *accounts])
        have, fresh = ({int(account) for account in accounts} for accounts in answer)
        return have, fresh

    async def release(self, watcher: str, accounts: Iterable[int]) -> None:
        """Gives accounts back and calls for another watcher."""
        await self._release(keys=[LEASES, STATES, CALLS], args=[watcher, *accounts])

    async def leave(self, watcher: str) -> None:
        """Strikes out a watcher that ends, with all that it has."""
        await self._redis.zrem(WATCHERS, watcher)
        await self._redis.publish(CALLS, "0")

    async def tell(self, watcher: str, states: Mapping[int, State]) -> None:
        """Says how it goes with accounts that this watcher has. What was kept while they were watched before holds no more."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for account_id, state in states.items():
                event = Event(account_id, Kind.STATE)
                args: list[Any] = [watcher, account_id, state, channel_of(account_id), event.pack(), new_mark(), ANY]
                await self._tell(keys=[LEASES, STATES, marks_key(account_id)], args=args, client=pipe)
            await pipe.execute()

    async def publish(self, events: Sequence[Event]) -> None:
        """Tells of changes; before that, what was kept of those folders holds no more, unless all that changed is what pages
        of ours did: they have set a new mark themselves, after it was done."""
        doers = await self._doers([event for event in events if event.marking])
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in events:
                folder, ours = changed_folder(event), doers.get(event)
                if folder is not None and not ours:
                    for command in new_marks(event.account_id, [folder]):
                        pipe.execute_command(*command)
                if event.marking and ours:
                    by = ours.pop() if len(ours) == 1 else ""
                    event = replace(event, marking=replace(event.marking, by="" if by == NOBODY else by))
                pipe.publish(channel_of(event.account_id), event.pack())
            await pipe.execute()

    async def _doers(self, events: Sequence[Event]) -> dict[Event, set[str]]:
        """Which pages of ours changed marks; nothing for a change in which another program may have had a part."""
        spans = [(event, event.marking) for event in events if event.marking]
        asked = [(event, marking) for event, marking in spans if marking.until - marking.since <= OWN_AT_ONCE]
        if not asked:
            return {}
        async with self._redis.pipeline(transaction=False) as pipe:
            for event, marking in asked:
                names = [str(number) for number in range(marking.since + 1, marking.until + 1)]
                pipe.hmget(own_key(event.account_id, event.folder, marking.validity), names)
            found = await pipe.execute()
        return {
            event: {page.decode("ascii") for page in pages}
            for (event, _marking), pages in zip(asked, found, strict=True)
            if all(pages)
        }

    async def states(self, accounts: list[int]) -> dict[int, State]:
        """How closely accounts are watched at this moment; what a watcher that died had said does not count."""
        if not accounts:
            return {}
        answer: Any = await self._states(keys=[LEASES, WATCHERS, STATES], args=[WATCHER_S, *accounts])
        found = (value.decode("ascii") if isinstance(value, bytes) else str(value) for value in answer)
        known = set(State)
        return {
            account: State(text) if text in known else State.NONE for account, text in zip(accounts, found, strict=True)
        }
