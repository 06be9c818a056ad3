"""Workers are killed at any moment while they pull from the real Dovecot: every message that was ever there is in the store
once, octet for octet, and the server lost nothing that is not.

`make test-pull-kill` runs the long form: PULL_KILLS kills.
"""

from __future__ import annotations

import collections
import hashlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.crew import Workers, workers
from tests.sending.slow import slowed
from webmail.models import Download, LedgerEntry, LocalMessage, Pull
from webmail.services.downloads import Policy, start_download
from webmail.storage.blobs import Blobs

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.django_db(transaction=True)]
KILLS = int(os.environ.get("PULL_KILLS", "3"))
ACCOUNTS = 3
MESSAGES = int(os.environ.get("PULL_MESSAGES", "60"))
END_S = 240.0


def test_killed_workers_lose_nothing_and_store_nothing_twice(
    mailbox_factory: Any, imap: Any, stack: Any, tmp_path: Path, settings: Any
) -> None:
    settings.STORE_DIR = tmp_path / "store"
    boxes = [mailbox_factory(f"caja{number}") for number in range(ACCOUNTS)]
    accounts = [account_of_mailbox(box.mailbox) for box in boxes]
    sent: dict[int, set[str]] = {account.pk: set() for account in accounts}
    clients = {account.pk: imap(account.address) for account in accounts}

    def deliver(account: MailAccount) -> None:
        raw = octets(len(sent[account.pk]))
        clients[account.pk].append("INBOX", raw)
        sent[account.pk].add(hashlib.sha256(raw).hexdigest())

    for account in accounts:
        for _ in range(MESSAGES):
            deliver(account)
        start_download(account=account, policy=Policy(keep="delete"))
    with slowed(stack.ports.pop3, up_to_s=0.01) as pop3:
        more = {"POP3_PORT": str(pop3), "PULL_LEASE_S": "1.5", "TESTING": "1", "STORE_DIR": str(settings.STORE_DIR)}
        environment = os.environ | stack.environment() | more | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        with workers("pull_due", environment, tmp_path / "worker.log") as crew:
            met = kill_often(crew, accounts, deliver)
            wait_until_empty(accounts)
    report(accounts, sent, clients, met, settings.STORE_DIR)


def octets(number: int) -> bytes:
    """A message with what POP3 stumbles over: dots, bare line feeds, and now and then a large one."""
    size = random.choice([10, 100, 1000, 20_000] * 8 + [1_500_000])
    head = f"From: a@afuera.test\r\nTo: b@prueba.test\r\nSubject: {number}\r\nMessage-ID: <{random.random()}@afuera.test>\r\n"
    return head.encode() + b"\r\n.\r\n..\r\n" + random.randbytes(size // 2).hex().encode() + b"\r\n.fin\r\n"


def kill_often(
    crew: Workers, accounts: list[MailAccount], deliver: Callable[[MailAccount], None]
) -> collections.Counter[str]:
    """Kills at random moments while mail goes on arriving; counts in which states entries were left."""
    met: collections.Counter[str] = collections.Counter()
    for _ in range(KILLS):
        for account in accounts:
            for _more in range(random.randrange(4)):
                deliver(account)
        make_due(accounts)
        time.sleep(random.uniform(0.02, 0.6))
        crew.kill_one()
        met.update(Pull.objects.filter(outcome="running").values_list("outcome", flat=True))
        met.update(LedgerEntry.objects.filter(state="deleting").values_list("state", flat=True))
    return met


def make_due(accounts: list[MailAccount]) -> None:
    Download.objects.filter(account__in=accounts).update(due=timezone.now(), failures=0)


def wait_until_empty(accounts: list[MailAccount]) -> None:
    """Until two pulls after each other found nothing more."""
    until = time.monotonic() + END_S
    for _turn in range(2):
        began = timezone.now()
        while time.monotonic() < until:
            make_due(accounts)
            time.sleep(0.3)
            done = Pull.objects.filter(
                Q(account__in=accounts), started__gt=began, outcome="complete", stored=0, listed=0
            )
            if set(done.values_list("account", flat=True)) == {account.pk for account in accounts}:
                break
        else:
            pytest.fail(
                str(list(Pull.objects.values_list("account", "outcome", "problem", "listed").order_by("-pk")[:9]))
            )


def report(accounts: list[MailAccount], sent: Any, clients: Any, met: Any, store: Path) -> None:
    pulls = collections.Counter(Pull.objects.values_list("outcome", "problem"))
    total = doubles = 0
    for account in accounts:
        rows = list(LocalMessage.objects.filter(account=account).values_list("blob", flat=True))
        blobs = Blobs(account.pk)
        assert all(blobs.verify(blob) for blob in rows)
        assert collections.Counter(rows) == collections.Counter(sent[account.pk])
        doubles += sum(Pull.objects.filter(account=account).values_list("doubles", flat=True))
        total += len(rows)
        clients[account.pk].select_folder("INBOX", readonly=True)
        assert clients[account.pk].search() == []
        states = set(LedgerEntry.objects.filter(account=account).values_list("state", flat=True))
        assert states == {"removed"}, states
    print(f"\n{total} messages, {KILLS} kills (met: {dict(met)}), pulls: {dict(pulls)}, fetched again: {doubles}")
