"""The web process, Redis and the Celery worker are killed while a person writes: what was sent arrives once, and all else is
there as unsent, with its text.

`make test-kill` runs the long form: KILL_ALL_TIMES kills, and a message for each.
"""

from __future__ import annotations

import collections
import os
import random
import re
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q

from deploy import commands, probes
from deploy.ports import LOOPBACK, reserve_range
from deploy.stack import Stack
from tests.sending.conftest import Person
from webmail.models import Composing, Outgoing

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.django_db(transaction=True)]
KILLS = int(os.environ.get("KILL_ALL_TIMES", "2"))
BASE = Path(__file__).resolve().parent.parent.parent
ANSWER_S, UP_S, END_S = 15.0, 60.0, 240.0
PARTS = ("worker", "redis", "web")


@dataclass
class System:
    """Casilla's own processes on the running mail servers, with a Redis of their own."""

    stack: Stack
    environment: dict[str, str]
    killed: collections.Counter[str] = field(default_factory=collections.Counter)

    def start(self, name: str) -> None:
        port, redis_port = self.stack.ports.http, self.stack.ports.redis
        (self.stack.root / "redis").mkdir(exist_ok=True)
        (self.stack.root / "web").mkdir(exist_ok=True)
        command = {
            "redis": commands.redis(self.stack.root, host=LOOPBACK, port=redis_port),
            "worker": commands.worker(sys.executable, self.stack.root),
            "web": commands.web(sys.executable, host=LOOPBACK, port=port),
        }[name]
        self.stack.spawn(name, command, env=self.environment, cwd=BASE)

    def wait(self, name: str) -> None:
        ready: dict[str, Callable[[], bool]] = {
            "redis": lambda: probes.redis_answers(self.stack.ports.redis),
            "worker": lambda: " ready." in self.stack.log_tail("worker", 1000),
            "web": lambda: probes.http_answers(self.stack.ports.http, "/accounts/login/"),
        }
        self.stack.wait_for(name, ready[name], UP_S)

    def kill(self, name: str) -> None:
        """Ends a part as a power cut would, its children too, and starts it again."""
        process = self.stack.processes.pop(name)
        os.killpg(process.pid, 9)
        process.wait()
        self.killed[name] += 1
        self.start(name)


@pytest.fixture
def system(stack: Any, tmp_path: Path) -> Iterator[System]:
    ports, guard = reserve_range()
    own = Stack(root=tmp_path, ports=ports, database=stack.database)
    more = {
        "SITE_URL": f"http://{LOOPBACK}:{ports.http}",
        "REDIS_URL": f"redis://{LOOPBACK}:{ports.redis}/0",
        "STATE_DIR": str(tmp_path / "web"),
        "SEND_LEASE_S": "3",
        "TESTING": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    system = System(own, os.environ | stack.environment() | more)
    try:
        for name in ("redis", "worker", "web"):
            system.start(name)
        for name in ("redis", "worker", "web"):
            system.wait(name)
        yield system
    finally:
        own.stop()
        guard.close()


class Writer:
    """A person with a browser that signs in again when it has to, and sends each message once."""

    def __init__(self, person: Person, port: int) -> None:
        self._person, self._home = person, f"http://{LOOPBACK}:{port}"
        self._cookies = CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies)).open

    def send(self, to: str, subject: str, text: str) -> bool:
        """Whether the answer said that it is on its way; anything else may have happened to one that was not answered."""
        composer = self._until_it_works(self._compose)
        fields = {"do": "send", "to": to, "subject": subject, "text": text, "plain": "1"}
        try:
            return self._post(composer, fields).status == 200
        except OSError:
            return False

    def _compose(self) -> str:
        page = self._open(f"{self._home}/mail/{self._person.account.pk}/compose/", timeout=ANSWER_S)
        if "/compose/" not in urllib.parse.urlsplit(page.url).path:
            self._sign_in()
            raise OSError("signed in again")
        return str(page.url)

    def _sign_in(self) -> None:
        url = f"{self._home}/accounts/login/"
        self._open(url, timeout=ANSWER_S).read()
        self._post(url, {"login": self._person.address, "password": self._person.hosted.password})

    def _post(self, url: str, fields: dict[str, str]) -> Any:
        token = next((cookie.value for cookie in self._cookies if "csrf" in cookie.name), "") or ""
        data = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        return self._open(urllib.request.Request(url, data, {"Referer": url}), timeout=ANSWER_S)

    def _until_it_works(self, do: Callable[[], str]) -> str:
        until = time.monotonic() + UP_S
        while True:
            try:
                return do()
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.1)


@contextmanager
def killing(system: System, done: threading.Event) -> Iterator[None]:
    """Kills one part after the other at random moments, until there were enough."""

    def run() -> None:
        while sum(system.killed.values()) < KILLS:
            name = random.choice(PARTS)
            system.kill(name)
            system.wait(name)
            time.sleep(random.uniform(0.0, 1.0))
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.wait()
        thread.join()


def test_whatever_is_killed_each_message_is_sent_once_or_shown(ana: Person, bob: Person, system: System) -> None:
    type(ana.account.owner).objects.filter(pk=ana.account.owner_id).update(undo_s=0)
    writer, told, done = Writer(ana, system.stack.ports.http), {}, threading.Event()
    with killing(system, done):
        number = 0
        while not done.is_set() or number < KILLS:
            subject = f"Carta {number:04}"
            told[subject] = writer.send(bob.address, subject, f"El texto de {subject}")
            number += 1
    settle()
    assert any(told.values())
    report(system, told, arrived(bob))


def settle() -> None:
    busy = Q(state__in=["waiting", "sending", "handing"]) | Q(delivered=True, filed=False)
    until = time.monotonic() + END_S
    while Outgoing.objects.filter(busy).exists():
        assert time.monotonic() < until, list(Outgoing.objects.values_list("state", "filed", "error"))
        time.sleep(0.3)
    time.sleep(1.5)  # Postfix delivers what it took


def arrived(person: Person) -> collections.Counter[str]:
    """How often each subject is in the Inbox."""
    person.imap.select_folder("INBOX", readonly=True)
    found = person.imap.search()
    rows = person.imap.fetch(found, ["BODY.PEEK[HEADER.FIELDS (SUBJECT)]"]) if found else {}
    header = b"BODY[HEADER.FIELDS (SUBJECT)]"
    return collections.Counter(
        re.sub(r"\s+", " ", row[header].decode()).partition(": ")[2].strip() for row in rows.values()
    )


def report(system: System, told: dict[str, bool], inbox: collections.Counter[str]) -> None:
    rows = {row.subject: row for row in Outgoing.objects.all()}
    kept = {one.subject: one.text for one in Composing.objects.filter(closed=False)}
    ends: collections.Counter[str] = collections.Counter()
    for subject, success in told.items():
        row = rows.get(subject)
        assert inbox[subject] <= 1, (subject, row and row.state)
        if row is not None:
            assert row.state in {"sent", "doubt"}, (subject, row.state, row.error)
            assert inbox[subject] == 1 or row.state == "doubt", (subject, row.state)
            ends[row.state] += 1
        else:
            assert not success, subject
            assert inbox[subject] == 0, subject
            ends["kept here" if subject in kept else "kept in the browser"] += 1
            assert kept.get(subject, f"El texto de {subject}").strip().startswith(f"El texto de {subject}")
    print(
        f"\n{len(told)} messages, killed: {dict(system.killed)}; told as on their way: {sum(told.values())}; {dict(ends)}"
    )
