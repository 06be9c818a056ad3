"""The process behind `manage.py watch`: many accounts, one loop, and any number of its kind beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from asyncio import sslproto
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from redis import RedisError
from redis.asyncio import Redis

from webmail.errors import Unreachable
from webmail.live.board import CALLS, Board, connect
from webmail.live.events import Event, Kind, State
from webmail.live.line import Target
from webmail.live.watch import Ties, Watch
from webmail.live.work import end_all
from webmail.values import FolderId

BEAT_S = 1.0
ROUND_S = 2.0
TOGETHER_S = 0.05
"""Calls that come so close together are answered in one round."""
ACCOUNTS = 5000
SLACK = 8
"""Accounts above its share that a watcher keeps, or a tenth of it: letting go of one costs a login."""
LOGINS_PER_SERVER = 32
FOREIGN_LOGINS = 4
LOST_PAUSE_S = 1.0
LISTEN_S = 30.0
TLS_BUFFER_BYTES = 16 * 1024

log = logging.getLogger(__name__)

Load = Callable[[int, str], Target]
"""Where an account is and how it opens, from its id and its sealed password. Raises LoginRefused. May block."""


class Watcher:
    """Watches the accounts that somebody has open, as far as its share goes, and tells Redis what changes."""

    def __init__(self, redis_url: str, load: Load, *, limit: int = ACCOUNTS, slack: int = SLACK) -> None:
        self.name = secrets.token_hex(8)
        self._redis_url, self._load, self._limit, self._slack = redis_url, load, limit, slack
        self._watches: dict[int, tuple[Watch, asyncio.Task[None]]] = {}
        self._gates: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._events: dict[Event, Event] = {}
        self._states: dict[int, State] = {}
        self._told: dict[int, State] = {}
        self._called: set[int] = set()
        self._wake, self._outgoing = asyncio.Event(), asyncio.Event()

    @property
    def accounts(self) -> int:
        """How many accounts it has now."""
        return len(self._watches)

    async def run(self, stop: asyncio.Event) -> None:
        """Watches until it is told to stop; then another takes its accounts at once."""
        # asyncio of Python 3.11 takes 256 KiB for each TLS connection before a byte has come.
        sslproto.SSLProtocol.max_size = TLS_BUFFER_BYTES
        async with connect(self._redis_url) as redis:
            self._board = Board(redis)
            work = [asyncio.create_task(one) for one in self._work(redis)]
            stopped = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait([*work, stopped], return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end_all([*work, stopped])
                await self._leave()
            for task in work:
                if not task.cancelled():
                    task.result()

    def _work(self, redis: Redis) -> tuple[Coroutine[Any, Any, None], ...]:
        return self._rounds(), self._beat(), self._listen(redis), self._publish()

    # --- which accounts -------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Says that it lives, also while a round takes long."""
        while True:
            with contextlib.suppress(RedisError):
                await self._board.beat(self.name)
            await asyncio.sleep(BEAT_S)

    async def _rounds(self) -> None:
        while True:
            try:
                await self._round()
            except RedisError as error:
                log.warning("live: Redis: %s", type(error).__name__)
                await asyncio.sleep(LOST_PAUSE_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_S):
                    await self._wake.wait()
                await asyncio.sleep(TOGETHER_S)

    async def _round(self) -> None:
        """Gives a sign of life, lets go of what nobody wants or is above its share, and takes what nobody has."""
        self._wake.clear()
        called, self._called = self._called, set()
        watchers, wanted = await self._board.begin_round(self.name)
        share = min(self._limit, -(-len(wanted) // max(1, watchers)))
        mine = [account for account in self._watches if account in wanted]
        most = min(self._limit, share + max(self._slack, share // 10))
        extra = mine[share:] if len(mine) > most else []
        kept = mine[: len(mine) - len(extra)]
        others = wanted.difference(self._watches) if len(kept) < share else set()
        have, fresh = await self._board.claim(self.name, [*kept, *others], max(share, len(kept)))
        await self._drop(self._watches.keys() - have)
        if extra:
            await self._board.release(self.name, extra)
        self._tell_again(fresh)
        for account_id in have - self._watches.keys():
            self._start(account_id)
        for account_id in called & self._watches.keys():
            self._watches[account_id][0].call()

    def _tell_again(self, accounts: set[int]) -> None:
        """Redis was lost, and with it what was told of accounts that were held all the time."""
        self._states |= {account: self._told[account] for account in accounts & self._told.keys()}
        if self._states:
            self._outgoing.set()

    def _start(self, account_id: int) -> None:
        ties = Ties(
            target=partial(self._target, account_id),
            folders=partial(self._folders, account_id),
            report=self._report,
            tell=partial(self._tell, account_id),
            gate=self._gate,
        )
        watch = Watch(account_id, ties)
        task = asyncio.create_task(watch.run(), name=f"watch {account_id}")
        task.add_done_callback(partial(self._ended, account_id))
        self._watches[account_id] = (watch, task)

    def _ended(self, account_id: int, task: asyncio.Task[None]) -> None:
        """A watch ends when it is let go of; one that failed is begun anew in the next round."""
        if task.cancelled() or account_id not in self._watches or self._watches[account_id][1] is not task:
            return
        log.error("live %s: the watch failed", account_id, exc_info=task.exception())
        del self._watches[account_id]

    async def _drop(self, accounts: Iterable[int]) -> None:
        tasks = [self._watches.pop(account)[1] for account in accounts if account in self._watches]
        for account_id in self._told.keys() - self._watches.keys():
            del self._told[account_id]
        await end_all(tasks)

    async def _leave(self) -> None:
        accounts = list(self._watches)
        await self._drop(accounts)
        with contextlib.suppress(RedisError):
            await self._board.release(self.name, accounts)
            await self._board.leave(self.name)

    async def _target(self, account_id: int) -> Target:
        with contextlib.suppress(RedisError):
            secret = await self._board.secret(account_id)
            return await asyncio.to_thread(self._load, account_id, secret)
        raise Unreachable("Redis is away")

    async def _folders(self, account_id: int) -> list[FolderId] | None:
        with contextlib.suppress(RedisError):
            return await self._board.folders(account_id)
        return None

    def _gate(self, target: Target) -> asyncio.Semaphore:
        """Our own server takes more logins at a time than others."""
        endpoint = target.endpoint
        count = FOREIGN_LOGINS if endpoint.public_only else LOGINS_PER_SERVER
        return self._gates.setdefault((endpoint.host, endpoint.port), asyncio.Semaphore(count))

    # --- Redis ----------------------------------------------------------------------------------------------------------

    async def _listen(self, redis: Redis) -> None:
        """Hears for which accounts something new is wanted."""
        while True:
            try:
                async with redis.pubsub() as pubsub:
                    await pubsub.subscribe(CALLS)
                    while True:
                        message = await pubsub.get_message(timeout=LISTEN_S)
                        if message and message["type"] == "message":
                            self._called.add(int(message["data"]))
                        if message:
                            self._wake.set()
            except RedisError:
                await asyncio.sleep(LOST_PAUSE_S)

    def _report(self, event: Event) -> None:
        """Keeps an event until it is told; marks of one folder are told together."""
        before = self._events.get(event)
        if before is not None:
            known = event.marking and before.marking
            event = replace(event, marking=event.marking.after(before.marking) if event.marking and known else None)
        self._events[event] = event
        self._outgoing.set()

    def _tell(self, account_id: int, state: State) -> None:
        if self._told.get(account_id) != state:
            self._told[account_id] = self._states[account_id] = state
            self._outgoing.set()

    async def _publish(self) -> None:
        """Tells what happened. While Redis is away, it is kept, as one change of anything for each account."""
        while True:
            await self._outgoing.wait()
            self._outgoing.clear()
            events, self._events = list(self._events.values()), {}
            states, self._states = self._states, {}
            try:
                if states:
                    await self._board.tell(self.name, states)
                if events:
                    await self._board.publish(events)
            except RedisError:
                await asyncio.sleep(LOST_PAUSE_S)
                self._states = states | self._states
                for account_id in {event.account_id for event in events}:
                    self._report(Event(account_id, Kind.ALL))
                self._outgoing.set()
