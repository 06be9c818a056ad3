"""Accounts on other people's servers, with their own password; and the worker as it runs in earnest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from imapclient import IMAPClient

from accounts.models import MailAccount, Plan, User
from deploy import commands
from tests.accounts.conftest import ForeignServer, foreign  # noqa: F401 - a fixture
from tests.sending.conftest import Person, put_on_way
from tests.smtp.scripted import scripted
from webmail.imap.pool import pool
from webmail.services.sending import deliver
from webmail.tasks import send_due

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
BASE = Path(__file__).resolve().parent.parent.parent


def account_elsewhere(address: str, **servers: Any) -> MailAccount:
    owner = User.objects.create_user(f"yo-{address}")
    hosts = {"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1"}
    return MailAccount.objects.create(owner=owner, address=address, login=address, **hosts, **servers)


@pytest.fixture(autouse=True)
def _no_kept_connections() -> Iterator[None]:
    yield
    pool.close_all()


@pytest.mark.parametrize(("imap_tls", "smtp_tls"), [("tls", "tls"), ("starttls", "starttls")])
def test_a_foreign_account_sends_with_its_own_password(
    ana: Person, bob: Person, stack: Any, imap_tls: str, smtp_tls: str
) -> None:
    ports = {
        "tls": (stack.ports.imaps, stack.ports.submissions),
        "starttls": (stack.ports.imap, stack.ports.submission),
    }
    imap_port, smtp_port = ports[imap_tls]
    account = account_elsewhere(
        ana.address, imap_port=imap_port, imap_tls=imap_tls, smtp_port=smtp_port, smtp_tls=smtp_tls
    )
    outgoing = put_on_way(account, bob.address, secret=ana.hosted.password)
    deliver(outgoing.pk)
    outgoing.refresh_from_db()
    assert (outgoing.state, outgoing.filed, outgoing.note, outgoing.sealed) == ("sent", True, "", "")
    assert len(ana.copies("Sent", outgoing.message_id)) == 1


def test_a_mailbox_without_a_folder_for_sent_mail_gets_one(foreign: ForeignServer) -> None:  # noqa: F811
    with scripted() as smtp:
        account = account_elsewhere(
            "eva@otra.test", imap_port=foreign.imap, imap_tls="none", smtp_port=smtp.port, smtp_tls="none"
        )
        for _time in range(2):
            deliver(put_on_way(account, "bob@y.test", secret=foreign.password).pk)
        assert send_due() == 0
    with IMAPClient("127.0.0.1", foreign.imap, ssl=False) as client:
        client.login("eva@otra.test", foreign.password)
        assert client.select_folder("Sent")[b"EXISTS"] == 2
        assert [name for _flags, _delimiter, name in client.list_sub_folders()] == ["Sent"]


@pytest.mark.slow
def test_the_worker_sends_by_itself(ana: Person, bob: Person, stack: Any, tmp_path: Path) -> None:
    """Celery and its beat, started as the demo starts them: one message that it is told of, one that it has to find."""
    environment = os.environ | stack.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings", "TESTING": "1"}
    (tmp_path / "web").mkdir()
    log = (tmp_path / "worker.log").open("wb")
    process = subprocess.Popen(
        commands.worker(sys.executable, tmp_path), env=environment, cwd=BASE, stdout=log, stderr=log
    )
    try:
        told = put_on_way(ana.account, bob.address)
        found = put_on_way(ana.account, bob.address, send_at=timezone.now() + timedelta(hours=1))
        type(found).objects.filter(pk=found.pk).update(next_try=timezone.now())
        until = time.monotonic() + 40
        while {told.state, found.state} != {"sent"} and time.monotonic() < until:
            time.sleep(0.2)
            told.refresh_from_db()
            found.refresh_from_db()
        assert (told.state, found.state) == ("sent", "sent"), (tmp_path / "worker.log").read_text()
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def test_mail_goes_on_while_nobody_counts_it(ana: Person, bob: Person) -> None:
    """The policy service of tests/sending/test_limit.py is not there: Postfix takes the message all the same."""
    Plan.objects.update(daily_sending_limit=0)
    outgoing = put_on_way(ana.account, bob.address)
    deliver(outgoing.pk)
    outgoing.refresh_from_db()
    assert outgoing.state == "sent"
