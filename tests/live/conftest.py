"""A watcher and a web server as the demo starts them, and what they say."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.test import Client
from django.urls import reverse
from redis import Redis

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from deploy import commands
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from webmail.live.board import Board, Wish, connect
from webmail.live.events import Event, Kind, State, channel_of, unpack_event

BASE = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")
SOON_S = 10.0
EVERYTHING = '{"kind": "all", "folder": ""}'
AT_ONCE_S = float(os.environ.get("AT_ONCE_S", "4"))
"""A change made by another program is there within a second, on a machine that does nothing else (`AT_ONCE_S=1`, and what `make
bench-watch` measures). The suite runs three of everything on two cores."""


def in_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine in a loop of its own, whatever runs in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


@dataclass
class Listening:
    """What Redis carries about an account, with the moment at which each event came."""

    account_id: int
    redis: Redis
    heard: list[tuple[float, Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe(channel_of(self.account_id))
        self._pubsub.get_message(timeout=1)

    def wait(self, wanted: Callable[[Event], bool], timeout_s: float = SOON_S) -> Event:
        """The first event from here on that is wanted."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            message = self._pubsub.get_message(timeout=left)
            event = message and unpack_event(channel_of(self.account_id), message["data"])
            if event:
                self.heard.append((time.monotonic(), event))
                if wanted(event):
                    return event
        raise AssertionError(f"nothing of that within {timeout_s} s: {[event for _moment, event in self.heard]}")

    def kind(self, *kinds: Kind, folder: str = "", timeout_s: float = SOON_S) -> Event:
        return self.wait(lambda event: event.kind in kinds and folder in {"", event.folder}, timeout_s)

    def quiet(self, seconds: float) -> bool:
        """Whether nothing is said for so long but how it goes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            message = self._pubsub.get_message(timeout=left)
            event = message and unpack_event(channel_of(self.account_id), message["data"])
            if event and event.kind is not Kind.STATE:
                return False
        return True


@dataclass
class Live:
    """Watchers, the account of a hosted mailbox, and the board between them."""

    stack: Stack
    url: str

    def on_board(self, work: Callable[[Board], Coroutine[Any, Any, T]]) -> T:
        async def run() -> T:
            async with connect(self.url) as redis:
                return await work(Board(redis))

        return in_loop(run)

    def wish(self, account_id: int, *folders: Any, secret: str = "") -> None:
        self.on_board(lambda board: board.wish(Wish(account_id, folders, secret)))

    def wish_all(self, accounts: Iterable[int]) -> None:
        self.on_board(lambda board: board.wish(*map(Wish, accounts)))

    def state(self, account_id: int) -> State:
        return self.on_board(lambda board: board.states([account_id]))[account_id]

    def listen(self, account_id: int) -> Listening:
        return Listening(account_id, Redis.from_url(self.url))

    def watched(self, account_id: int, *folders: Any, secret: str = "", state: State = State.LIVE) -> Listening:
        """An account that is watched from now on."""
        ear = self.listen(account_id)
        self.wish(account_id, *folders, secret=secret)
        self.until(lambda: self.state(account_id) is state)
        while not ear.quiet(0.7):
            pass
        return ear

    def until(self, true: Callable[[], bool], timeout_s: float = SOON_S) -> None:
        end = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.05)

    def holders(self) -> dict[int, bytes]:
        """Which watcher has which account."""
        return {int(key): value for key, value in Redis.from_url(self.url).hgetall("live:leases").items()}


@pytest.fixture
def live(stack: Stack) -> Live:
    url = stack.environment()["REDIS_URL"]
    client = Redis.from_url(url)
    for key in client.scan_iter("live:*"):
        client.delete(key)
    return Live(stack, url)


def _spawn(command: list[str], **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env=os.environ | more, cwd=BASE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def watcher(live: Live) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts `manage.py watch`; it is ready when this returns."""
    running: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = _spawn(commands.watcher(sys.executable))
        running.append(process)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_pass_on, args=(process, lines), daemon=True).start()
        while " is ready." not in lines.get(timeout=30):
            pass
        return process

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(10)


def _pass_on(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stderr
    for line in process.stderr:
        sys.stderr.write(line)
        lines.put(line)
    lines.put(" is ready.")


@pytest.fixture
def web(live: Live) -> Iterator[str]:
    """The web server of the demo; its address."""
    port = live.stack.ports.http
    process = _spawn(commands.web(sys.executable, host=LOOPBACK, port=port))
    threading.Thread(target=_pass_on, args=(process, queue.Queue()), daemon=True).start()
    address = f"http://{LOOPBACK}:{port}"
    until = time.monotonic() + 30
    while True:
        try:
            connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
            connection.request("GET", "/accounts/login/")
            connection.getresponse().read()
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(15)


class Page:
    """What a browser's EventSource does: one request that goes on and on."""

    def __init__(self, address: str, client: Client, path: str) -> None:
        host = address.removeprefix("http://")
        self.connection = http.client.HTTPConnection(host, timeout=30)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self.connection.request("GET", path, headers={"Cookie": cookies} if cookies else {})
        self._socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.seen: list[tuple[str, Any]] = []
        if self.response.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event = ""
        try:
            while True:
                line = self.response.readline().decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data:") and event != "beat":
                    self.heard.put((event, line.removeprefix("data:").strip()))
                elif not line and self.response.isclosed():
                    break
        except (OSError, ValueError, AttributeError):
            pass
        self.heard.put(("end", ""))

    def wait(self, event: str, words: str = "", timeout_s: float = SOON_S) -> str:
        """The data of the first such event from here on."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                name, data = self.heard.get(timeout=left)
            except queue.Empty:
                break
            self.seen.append((name, data))
            if name == event and words in data:
                return str(data)
        raise AssertionError(f"no {event} {words} within {timeout_s} s: {self.seen}")

    def change(self, kind: str, timeout_s: float = SOON_S) -> dict[str, str]:
        return dict(json.loads(self.wait("change", f'"{kind}"', timeout_s)))

    def live_again(self) -> None:
        """Waits until it was told that it is live, and to read everything again, in whichever order."""
        begun, until = len(self.seen), time.monotonic() + SOON_S
        while not {("state", "live"), ("change", EVERYTHING)} <= set(self.seen[begun:]):
            assert time.monotonic() < until, f"not live again: {self.seen[begun:]}"
            self._one(until)

    def _one(self, until: float) -> None:
        with contextlib.suppress(queue.Empty):
            self.seen.append(self.heard.get(timeout=max(0.0, until - time.monotonic())))

    def close(self) -> None:
        if sock := self._socket:
            with contextlib.suppress(OSError):
                sock.shutdown(
                    socket.SHUT_RDWR
                )  # else closing waits for the thread that reads, which waits for the next beat
        self.connection.close()


@pytest.fixture
def page(web: str) -> Iterator[Callable[..., Page]]:
    opened: list[Page] = []

    def open_(client: Client, account_id: int, query: str = "") -> Page:
        opened.append(Page(web, client, reverse("live", args=[account_id]) + query))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@dataclass
class Owner:
    """A hosted mailbox, its account and its owner's browser."""

    made: Any
    account: MailAccount
    client: Client


@pytest.fixture
def owner(mailbox_factory: Any) -> Callable[..., Owner]:
    def make(local: str = "ana") -> Owner:
        made = mailbox_factory(local)
        client = Client()
        client.post(reverse("account_login"), {"login": made.address, "password": made.password})
        return Owner(made, account_of_mailbox(made.mailbox), client)

    return make
