"""A web process's ear: one subscription in Redis for all pages that are open here. It never waits for a slow page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

from redis import RedisError
from redis.asyncio import Redis

from webmail.live.board import CALLS, Board, Wish, connect
from webmail.live.events import CHANNEL, Event, Kind, State, channel_of, unpack_event
from webmail.live.work import end_all
from webmail.values import FolderId

QUEUE = 64
RENEW_S = 20.0
LOOK_S = 2.0
LISTEN_S = 5.0
LOST_PAUSE_S = 1.0
PAGES = 5000
PAGES_OF_PERSON = 32
"""Browsers, not windows: those of one browser share a stream. A page past a bound is told so, and asks by itself instead."""
WATCHED = frozenset({State.LIVE, State.PARTLY})

log = logging.getLogger(__name__)


class HubFull(Exception):
    """So many pages are open here, of one person (`of_person`) or in all, that one more is not listened for."""

    def __init__(self, *, of_person: bool) -> None:
        super().__init__("too many pages are open")
        self.of_person = of_person


class Listener:
    """One open page of a person. `queue` holds what it has not taken yet, None at the end: it is dropped when it falls behind."""

    def __init__(
        self, account_id: int, folders: tuple[FolderId, ...], *, person: int = 0, secret: str = "", watched: bool = True
    ) -> None:
        self.account_id, self.folders, self.secret, self.watched = account_id, folders, secret, watched
        self.person = person
        self.queue: asyncio.Queue[Event | State | None] = asyncio.Queue(QUEUE)
        self.state: State | None = None
        self.fresh = True
        """Nothing was told to it since it came, or since Redis was lost: it reads everything again once it is watched."""

    def put(self, item: Event | State) -> None:
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self.drop()

    def drop(self) -> None:
        """Ends it, whatever it has not taken."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Hub:
    """The listeners of one process and its event loop."""

    def __init__(self, redis_url: str, *, pages: int = PAGES, pages_of_person: int = PAGES_OF_PERSON) -> None:
        self._redis_url, self._pages, self._pages_of_person = redis_url, pages, pages_of_person
        self._listeners: dict[int, set[Listener]] = {}
        self._open: Counter[int] = Counter()
        """How many pages of each person are open."""
        self._work: asyncio.Task[None] | None = None
        self._look, self._changed, self._came = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """For the length of a block, the listener is told what happens to its account, and the account is watched. Raises
        HubFull."""
        if self._open.total() >= self._pages:
            raise HubFull(of_person=False)
        if self._open[listener.person] >= self._pages_of_person:
            raise HubFull(of_person=True)
        self._open[listener.person] += 1
        self._listeners.setdefault(listener.account_id, set()).add(listener)
        for event in (self._changed, self._came, self._look):
            event.set()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run(), name="live hub")
        try:
            yield
        finally:
            mine = self._listeners[listener.account_id]
            mine.discard(listener)
            if not mine:
                del self._listeners[listener.account_id]
            self._open -= Counter([listener.person])
            self._changed.set()

    async def close(self) -> None:
        """Ends its work; it begins again with the next page."""
        if self._work is not None:
            await end_all([self._work])

    def _all(self) -> Iterator[Listener]:
        for listeners in list(self._listeners.values()):
            yield from list(listeners)

    # --- work, once somebody listened -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                async with connect(self._redis_url) as redis:
                    await self._serve(redis)
            except (RedisError, OSError) as error:
                log.warning("live: Redis: %s", type(error).__name__)
                for listener in self._all():
                    listener.fresh = True
                    self._set(listener, State.AWAY)
                await asyncio.sleep(LOST_PAUSE_S)

    async def _serve(self, redis: Redis) -> None:
        board = Board(redis)
        async with redis.pubsub() as pubsub:
            await pubsub.subscribe(CALLS)
            work = [asyncio.create_task(one) for one in (self._hear(pubsub), self._follow(pubsub), self._renew(board))]
            work.append(asyncio.create_task(self._look_after(board)))
            try:
                done, _others = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    await task
            finally:
                await end_all(work)

    async def _hear(self, pubsub: Any) -> None:
        """Passes on what comes. A subscription, also one that redis-py made again, means that something may have been missed
        before it."""
        while True:
            message = await pubsub.get_message(timeout=LISTEN_S)
            channel = message["channel"].decode("ascii") if message else ""
            if not channel.startswith(CHANNEL):
                continue
            if message["type"] == "subscribe":
                for listener in self._of(channel):
                    listener.fresh = True
                self._look.set()
            elif message["type"] == "message" and (event := unpack_event(channel, message["data"])):
                if event.kind is Kind.STATE:
                    self._look.set()
                    continue
                for listener in self._of(channel):
                    listener.put(event)

    def _of(self, channel: str) -> list[Listener]:
        return list(self._listeners.get(int(channel.removeprefix(CHANNEL)), ()))

    async def _follow(self, pubsub: Any) -> None:
        """Subscribes to the accounts that are open here, and to no others."""
        here: set[int] = set()
        while True:
            self._changed.clear()
            now = set(self._listeners)
            if now - here:
                await pubsub.subscribe(*map(channel_of, now - here))
            if here - now:
                await pubsub.unsubscribe(*map(channel_of, here - now))
            here = now
            await self._changed.wait()

    async def _renew(self, board: Board) -> None:
        """Says again and again which accounts are open, those of new pages at once."""
        loop = asyncio.get_running_loop()
        wished: dict[Listener, float] = {}
        while True:
            self._came.clear()
            now = loop.time()
            listeners = {listener for listener in self._all() if listener.watched}
            due = [listener for listener in listeners if now - wished.get(listener, -RENEW_S) >= RENEW_S]
            if due:
                await board.wish(*{Wish(one.account_id, one.folders, one.secret) for one in due})
            wished = {listener: moment for listener, moment in wished.items() if listener in listeners}
            wished |= dict.fromkeys(due, now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._came.wait()

    async def _look_after(self, board: Board) -> None:
        """Tells every page how closely its account is watched, when that changes."""
        while True:
            self._look.clear()
            states = await board.states([account for account, some in self._listeners.items() if _watched(some)])
            for listener in self._all():
                if listener.watched:
                    self._set(listener, states.get(listener.account_id, State.NONE))
                else:
                    self._set(listener, State.LIVE)
                if listener.fresh and listener.state in WATCHED:
                    listener.fresh = False
                    listener.put(Event(listener.account_id, Kind.ALL))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._look.wait()

    @staticmethod
    def _set(listener: Listener, state: State) -> None:
        if listener.state is not state:
            listener.state = state
            listener.put(state)


def _watched(listeners: set[Listener]) -> bool:
    return any(listener.watched for listener in listeners)
