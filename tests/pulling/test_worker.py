"""A real Celery worker with its threads: many accounts at once, and one server that keeps it waiting.

`BENCH_ACCOUNTS=200` is the long form, which `make bench-pop3` runs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from deploy import commands
from tests.pop3.scripted import Script, serving
from webmail.models import Download, LocalMessage, Pull
from webmail.services.downloads import Policy, start_download
from webmail.tasks import pull_due

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]
BASE = Path(__file__).resolve().parent.parent.parent
ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "12"))
MESSAGES = 5
START_S, END_S = 60.0, 120.0


@contextmanager
def puller(environment: dict[str, str], log: Path) -> Iterator[int]:
    """The worker of the demo and of docker-compose.yml, once it is ready; gives its process id."""
    with log.open("wb") as out:
        worker = subprocess.Popen(commands.puller(sys.executable), cwd=BASE, env=environment, stdout=out, stderr=out)
        try:
            until = time.monotonic() + START_S
            while b" ready." not in log.read_bytes():
                assert worker.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield worker.pid
        finally:
            worker.kill()  # it would wait for the slow server; whatever it was doing, nothing is lost
            worker.wait()


def test_nobody_waits_for_a_slow_server(
    mailbox_factory: Any, imap: Any, stack: Any, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STORE_DIR = tmp_path / "store"
    accounts = []
    for number in range(ACCOUNTS):
        made = mailbox_factory(f"caja{number}")
        client = imap(made.address)
        for at in range(MESSAGES):
            client.append("INBOX", f"Subject: {at}\r\n\r\nHola {at}\r\n".encode() * 20)
        accounts.append(account_of_mailbox(made.mailbox))
    more = {"STORE_DIR": str(settings.STORE_DIR), "TESTING": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    more |= {"ALLOW_PRIVATE_SERVERS": "1", "POP3_ALLOW_CLEARTEXT": "1"}
    environment = os.environ | stack.environment() | more
    with serving(Script(messages=[b"x\r\n"], slow_s=20.0)) as slow_port:
        slow = MailAccount.objects.create(
            owner=accounts[0].owner,
            address="lento@afuera.test",
            pop3_host="127.0.0.1",
            pop3_port=slow_port,
            pop3_tls="none",
        )
        start_download(account=slow, policy=Policy(keep="always"), secret="x")
        for account in accounts:
            start_download(account=account, policy=Policy(keep="always"))
        Download.objects.filter(account=slow).update(due=timezone.now() - timedelta(hours=1))  # the first in line
        with puller(environment, tmp_path / "worker.log") as pid:
            started = time.monotonic()
            pull_due.delay()
            wait_for(accounts)
            took = time.monotonic() - started
            peak_mb = memory_mb(pid)
            assert Pull.objects.get(account=slow).outcome == Pull.Outcome.RUNNING
    with capsys.disabled():
        print(f"\n{ACCOUNTS} accounts of {MESSAGES} messages: {took:.1f} s, worker's memory at most {peak_mb} MB")
    assert LocalMessage.objects.count() == ACCOUNTS * MESSAGES


def wait_for(accounts: list[MailAccount]) -> None:
    until = time.monotonic() + END_S
    while Pull.objects.filter(account__in=accounts, outcome="complete").count() < len(accounts):
        assert time.monotonic() < until, list(Pull.objects.values_list("outcome", "problem"))
        time.sleep(0.1)


def memory_mb(pid: int) -> int:
    """The most memory that a process had so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


@pytest.mark.slow
def test_a_message_of_a_hundred_megabytes_needs_little_memory(
    mailbox_factory: Any, stack: Any, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STORE_DIR = tmp_path / "store"
    account = account_of_mailbox(mailbox_factory("ana").mailbox)
    head = b"Subject: enorme\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHola\r\n--b\r\n"
    head += b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = head + b"QUJD" * 25_000_000 + b"\r\n--b--\r\n"
    more = {"STORE_DIR": str(settings.STORE_DIR), "TESTING": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    more |= {"ALLOW_PRIVATE_SERVERS": "1", "POP3_ALLOW_CLEARTEXT": "1"}
    with (
        serving(Script(messages=[raw])) as port,
        puller(os.environ | stack.environment() | more, tmp_path / "log") as pid,
    ):
        big = MailAccount.objects.create(
            owner=account.owner, address="mucho@afuera.test", pop3_host="127.0.0.1", pop3_port=port, pop3_tls="none"
        )
        start_download(account=big, policy=Policy(keep="delete"), secret="x")
        pull_due.delay()
        wait_for([big])
        until = time.monotonic() + 20
        while LocalMessage.objects.filter(indexed=False).exists() and time.monotonic() < until:
            time.sleep(0.1)
        peak_mb = memory_mb(pid)
    with capsys.disabled():
        print(f"\na message of 100 MB: worker's memory at most {peak_mb} MB")
    row = LocalMessage.objects.get(account=big)
    assert row.indexed
    assert row.has_attachment
    assert row.blob == hashlib.sha256(raw).hexdigest()
    assert peak_mb < 150
