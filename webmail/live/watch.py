"""Watching one account: NOTIFY tells of all its folders over one connection; without it, IDLE holds one for each that is open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from webmail.errors import LoginRefused, MailError, Unreachable
from webmail.imap.wire import Piece, Untagged, parse_untagged, quote
from webmail.live.events import NO_FOLDER, Event, Kind, Marking, State
from webmail.live.heard import MOVEMENTS, IdleEars, NotifyEars
from webmail.live.line import READ_TIMEOUT_S, Line, Target, open_line
from webmail.live.work import end_all
from webmail.values import FolderId

INBOX = FolderId("INBOX")
EVENTS = b"(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))"
NOT_INBOX = b"(mailboxes INBOX NONE) "
HELD_FROM = 20_000
SLOW_S = 0.1
"""The Inbox of a Dovecot that has so many messages and takes so long to be counted is held by a connection of its own: in Maildir
it reads the list of UIDs of one that is not selected, twice for each change."""
COUNTS = b"(UIDVALIDITY UIDNEXT MESSAGES UNSEEN%s)"
LOOK = b'LIST "" "*" RETURN (SUBSCRIBED STATUS %s)'
CHECK_S = 600.0
"""How long NOTIFY may be silent before the connection is asked whether it still is one."""
AGAIN_S = 1.0
"""How soon after its news NOTIFY is asked for anew, at most once in so long. Dovecot 2.3 hears of changes through a log that is
replaced once it has grown, after some hundred changes; it stays at the old one then, and looks at the new one every 30 s
(mailbox_idle_check_interval). Whoever asks anew hears of the new one."""
MANY_FOLDERS = 100
"""With more folders it is asked less often: each of them is counted."""
IDLE_S = 540.0
"""How long an IDLE lasts; servers end a connection after 10 to 30 minutes of it."""
IDLE_FOLDERS = 4
"""Connections for an account on a server without NOTIFY, at most."""
REFUSED_S = 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
STEADY_S = 30.0
"""A connection that lasted so long was a good one: the next try is soon."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ties:
    """What a watch needs of the process around it. `target` gives where the account is; it raises LoginRefused when it cannot be
    opened. `folders` are those that are open, None while nobody knows. `gate` bounds how many log in at the same time."""

    target: Callable[[], Awaitable[Target]]
    folders: Callable[[], Awaitable[list[FolderId] | None]]
    report: Callable[[Event], None]
    tell: Callable[[State], None]
    gate: Callable[[Target], asyncio.Semaphore]


class Watch:
    """One account, watched until it is cancelled. `call` says that something else may be wanted of it now."""

    def __init__(self, account_id: int, ties: Ties) -> None:
        self._account_id = account_id
        self._ties = ties
        self._called = asyncio.Event()
        self._live_since = 0.0
        self._tried: Target | None = None
        """What was tried last."""

    def call(self) -> None:
        self._called.set()

    async def run(self) -> None:
        """Connects, watches, and again when that breaks."""
        pause_s = FIRST_PAUSE_S
        while True:
            self._live_since = 0.0
            try:
                await self._once()
            except LoginRefused:
                self._ties.tell(State.REFUSED)
                await self._wait(REFUSED_S, unless=self._tried)
                continue
            except MailError as error:
                log.info("live %s: %s", self._account_id, type(error).__name__)
                self._ties.tell(State.AWAY)
            if self._live_since and asyncio.get_running_loop().time() - self._live_since > STEADY_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _once(self) -> None:
        self._tried = None
        target = self._tried = await self._ties.target()
        async with contextlib.AsyncExitStack() as stack:
            async with self._ties.gate(target):
                line = await stack.enter_async_context(open_line(target))
                ears = await self._notify(line) if line.has("NOTIFY") else None
            if ears is not None:
                await self._hear_notify(line, ears, hold=line.is_dovecot and line.has("IDLE"))
                second = await self._hold_inbox(line, ears, target, stack)
                await (self._hear_both(line, ears, second) if second else self._hear_notify(line, ears))
            elif not line.has("IDLE"):
                self._ties.tell(State.NONE)
                line.close()
                await self._wait(REFUSED_S)
            else:
                await self._hear_idle(line, target)

    async def _wait(self, seconds: float, *, unless: Target | None = None) -> None:
        """Until something is wanted, or so long. `unless` is what was refused: the same is not tried again before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self._called.clear()
                    await self._called.wait()
                    if unless is None or not await self._is(unless):
                        return

    async def _is(self, refused: Target) -> bool:
        try:
            return await self._ties.target() == refused
        except LoginRefused:
            return True

    def _begin(self, state: State, folder: FolderId = NO_FOLDER) -> None:
        """From now on nothing is missed; what happened before may have been."""
        self._live_since = asyncio.get_running_loop().time()
        self._ties.tell(state)
        self._report(Kind.ALL, folder)

    def _report(self, kind: Kind, folder: FolderId = NO_FOLDER, marking: Marking | None = None) -> None:
        self._ties.report(Event(self._account_id, kind, folder, marking))

    # --- NOTIFY ---------------------------------------------------------------------------------------------------------

    async def _notify(self, line: Line) -> NotifyEars | None:
        """Asks for news of all folders, whose counts come with it; None where the server does not do it after all."""
        ears = NotifyEars()
        told = await self._ask_news(line, ears, ears.take)
        return ears if told else None

    async def _ask_news(self, line: Line, ears: NotifyEars, hear: Callable[[Untagged], object]) -> bool:
        """NOOP brings what the server has not told yet. What happens while it begins anew it would not tell: so all is counted
        after that, and what is as it was is no news. Dovecot is deaf after a second NOTIFY SET without NOTIFY NONE before it:
        both watch the same file, and what ends the first ends the other. False where it refuses. Raises OSError or EOFError."""
        look = LOOK % _counts(line)
        events = NOT_INBOX + EVENTS if ears.passes_inbox else EVENTS
        news = [b"NOTIFY SET " + events, look] if line.has("LIST-STATUS") else [b"NOTIFY SET STATUS " + events]
        commands = [b"NOOP", b"NOTIFY NONE", *news]
        async with asyncio.timeout(READ_TIMEOUT_S):
            one_flight = not ears.passes_inbox  # Dovecot answers LIST before NOTIFY when a folder is selected
            tags = [await line.send(command) for command in commands] if one_flight else []
            ends = []
            for at, command in enumerate(commands):
                ears.looks = command is look
                tag = tags[at] if one_flight else await line.send(command)
                ends.append((await line.end_of(tag, hear=hear)).status)
        if ears.looks and (ears.found_other_folders() or ends[-1] != b"OK"):
            self._report(Kind.FOLDERS if ends.pop() == b"OK" else Kind.ALL)
        return ends[2] == b"OK"

    async def _hear_notify(self, line: Line, ears: NotifyEars, *, hold: bool = False) -> None:
        """Hears news, and asks for them anew when there were some: see AGAIN_S. With `hold` it returns when that took so long
        that a large Inbox is better held by a connection of its own."""
        self._begin(State.LIVE)
        loop = asyncio.get_running_loop()
        asked = loop.time()

        def hear(untagged: Untagged) -> bool:
            news = ears.take(untagged)
            if news is not None:
                self._report(*news)
            if ears.overflown:
                raise EOFError("the server stopped telling")
            return news is not None

        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await _listen(line, hear)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(asked + AGAIN_S * max(1.0, ears.folders / MANY_FOLDERS)):
                    while True:
                        await _listen(line, hear)
            began = loop.time()
            if not await self._ask_news(line, ears, hear):
                raise EOFError("the server tells no more")
            asked = loop.time()
            if hold and asked - began > SLOW_S and ears.messages(INBOX) >= HELD_FROM:
                return

    # --- a large Inbox --------------------------------------------------------------------------------------------------

    async def _hold_inbox(
        self, line: Line, ears: NotifyEars, target: Target, stack: contextlib.AsyncExitStack
    ) -> Line | None:
        """A connection of its own for a large Inbox, if it can be had. It is selected on the other one too, so that counting all
        folders does not open it."""
        try:
            async with self._ties.gate(target):
                second = await stack.enter_async_context(open_line(target))
        except MailError:  # so many connections of one person, for example
            return None
        for one in (second, line):
            if (await one.ask(b"EXAMINE", quote(INBOX))).status != b"OK":
                raise Unreachable("the server does not open the Inbox")
        ears.passes_inbox = True
        if not await self._ask_news(line, ears, ears.take):
            raise Unreachable("the server tells no more")
        return second

    async def _hear_both(self, line: Line, ears: NotifyEars, second: Line) -> None:
        """The Inbox by IDLE, the other folders by NOTIFY. One that breaks breaks both."""
        tasks = [asyncio.create_task(self._hear_inbox(second)), asyncio.create_task(self._hear_notify(line, ears))]
        try:
            done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end_all(tasks)

    async def _hear_inbox(self, line: Line) -> None:
        """Holds IDLE. What it says is not looked at: the counts are asked for after it, which tell what NOTIFY does."""
        ears = NotifyEars()
        await self._count_inbox(line, ears)
        while True:
            early: list[Untagged] = []
            async with asyncio.timeout(CHECK_S):
                tag = await line.send(b"IDLE")
                if not await line.continued(tag, hear=early.append):
                    raise Unreachable("the server does not idle")
            if not any(map(_stirs, early)):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S):
                        await _listen(line, _stirs)
            line.write(b"DONE\r\n")
            async with asyncio.timeout(READ_TIMEOUT_S):
                await line.end_of(tag)
            await self._count_inbox(line, ears)

    async def _count_inbox(self, line: Line, ears: NotifyEars) -> None:
        """STATUS, and again while something comes at its end: its counts are without that, and IDLE will not say it again."""
        status: list[Piece] = [b"STATUS", quote(INBOX), _counts(line)]
        stirs: list[bool] = [True]

        def count(untagged: Untagged) -> None:
            stirs.append(_stirs(untagged))
            news = ears.take(untagged)
            if news is not None:
                self._report(*news)

        while any(stirs):
            stirs.clear()
            await line.ask(*status, hear=count)

    # --- IDLE -----------------------------------------------------------------------------------------------------------

    async def _hear_idle(self, first: Line, target: Target) -> None:
        """The Inbox over the connection that is there, other open folders over one each. One that breaks breaks all."""
        idling: dict[FolderId, asyncio.Task[None]] = {INBOX: asyncio.create_task(self._idle(first, INBOX))}
        self._called.set()
        called = asyncio.create_task(self._called.wait())
        try:
            while True:
                if self._called.is_set():
                    self._called.clear()
                    self._adjust(idling, await self._ties.folders(), target)
                if called.done():
                    called = asyncio.create_task(self._called.wait())
                done, _others = await asyncio.wait([*idling.values(), called], return_when=asyncio.FIRST_COMPLETED)
                for folder in [folder for folder, task in idling.items() if task in done]:
                    await idling.pop(folder)
        finally:
            await end_all([*idling.values(), called])

    def _adjust(
        self, idling: dict[FolderId, asyncio.Task[None]], wanted: list[FolderId] | None, target: Target
    ) -> None:
        """Lets go of folders that are open nowhere, and takes those that are."""
        if wanted is None:
            return
        for folder in [folder for folder in idling if folder != INBOX and folder not in wanted]:
            idling.pop(folder).cancel()
        for folder in wanted:
            if folder.upper() != INBOX and folder not in idling and len(idling) < IDLE_FOLDERS:
                idling[folder] = asyncio.create_task(self._idle_in(target, folder))

    async def _idle_in(self, target: Target, folder: FolderId) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with self._ties.gate(target):
                line = await stack.enter_async_context(open_line(target))
            await self._idle(line, folder)

    async def _idle(self, line: Line, folder: FolderId) -> None:
        """Holds IDLE in one folder. Returns when there is no such folder, which is news of its own."""
        ears = IdleEars()
        end = await line.ask(b"EXAMINE", quote(folder), hear=ears.take)
        if end.status != b"OK":
            if folder == INBOX:
                raise Unreachable("the server does not open the Inbox")
            return self._report(Kind.FOLDERS)

        def hear(untagged: Untagged) -> None:
            kind = ears.take(untagged)
            if kind is not None:
                self._report(kind, folder)

        begun = False
        while True:
            async with asyncio.timeout(CHECK_S):
                tag = await line.send(b"IDLE")
                if not await line.continued(tag, hear=hear):
                    raise Unreachable("the server does not idle")
            if not begun:
                begun = True
                self._begin(State.PARTLY, folder if folder != INBOX else NO_FOLDER)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await _listen(line, hear)
            line.write(b"DONE\r\n")
            async with asyncio.timeout(CHECK_S):
                await line.end_of(tag, hear=hear)


def _counts(line: Line) -> bytes:
    """What is asked of a folder."""
    return COUNTS % (b" HIGHESTMODSEQ" if line.has("CONDSTORE") else b"")


def _stirs(untagged: Untagged) -> bool:
    """Whether something in the selected folder changed: Dovecot with NOTIFY beside IDLE may tell of a MODSEQ alone."""
    return untagged.kind in MOVEMENTS or (untagged.kind == b"OK" and b"HIGHESTMODSEQ" in untagged.data)


async def _listen(line: Line, hear: Callable[[Untagged], object]) -> None:
    """Hears what the server says by itself, until `hear` has enough of it, the connection is lost or the time is over."""
    while True:
        word, _space, rest = (await line.next()).partition(b" ")
        if word != b"*":
            raise EOFError("not IMAP")
        untagged = parse_untagged(rest)
        if untagged.kind == b"BYE":
            raise EOFError("the server said goodbye")
        if hear(untagged):
            return
