"""Real programs at the real Dovecot: its log is read, and the pages tell who uses the mailbox."""

from __future__ import annotations

import poplib
import re
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from imapclient import IMAPClient

from accounts.activity import tail
from accounts.models import LogPosition, MailAccount, ProgramUse
from accounts.services.activity import Collector
from accounts.services.login import account_of_mailbox
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.conftest import TIMEOUT_S, HostedMailbox, MailboxFactory
from tests.webmail.conftest import english, letter
from webmail.services.downloads import Policy, start_download

pytestmark = pytest.mark.server


@pytest.fixture
def ana(mailbox_factory: MailboxFactory) -> HostedMailbox:
    return mailbox_factory("ana")


@pytest.fixture
def client(ana: HostedMailbox) -> Client:
    client = english(Client())
    client.post(reverse("account_login"), {"login": ana.address, "password": ana.password})
    return client


def collect(stack: Stack) -> None:
    """Reads Dovecot's log to its end, and waits for no name any longer."""
    assert Path(django_settings.DOVECOT_LOG) == stack.root / "log" / "dovecot.log"
    collector = Collector(Path(django_settings.DOVECOT_LOG))
    while collector.step():
        pass
    collector.step(now=timezone.now() + timedelta(minutes=1))
    collector.close()


def sign_in(stack: Stack, login: str, password: str, *, before: Any = None, after: Any = None) -> None:
    client = IMAPClient(LOOPBACK, stack.ports.imap, ssl=False, timeout=TIMEOUT_S)
    if before:
        client.id_(before)
    client.login(login, password)
    if after:
        client.id_(after)
    client.logout()


def take_by_pop3(stack: Stack, ana: HostedMailbox) -> None:
    """A POP3 program takes the first message, and leaves no copy."""
    client = poplib.POP3(LOOPBACK, stack.ports.pop3, timeout=TIMEOUT_S)
    client.user(ana.address)
    client.pass_(ana.password)
    client.retr(1)
    client.dele(1)
    client.quit()


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", page).split())


def page_of(client: Client, name: str, account: MailAccount) -> str:
    return words(client.get(reverse(name, args=[account.pk])).content.decode())


def test_programs_are_recorded_and_the_switch_warns_of_them(
    stack: Stack, ana: HostedMailbox, client: Client, deliver: Callable[..., None]
) -> None:
    account = account_of_mailbox(ana.mailbox)
    assert "has not begun to record" in page_of(client, "mode", account)
    deliver(ana.address, letter(1))
    collect(stack)
    assert "No program was seen over IMAP since" in page_of(client, "mode", account)
    sign_in(stack, ana.address, ana.password, after={"name": "Thunderbird", "version": "140.0"})
    sign_in(stack, ana.address.upper(), ana.password, before={"name": "<b>Mail</b>", "version": "1"})
    sign_in(stack, ana.address, ana.password)
    sign_in(stack, ana.master_login, stack.secrets.master, before={"name": "Casilla"}, after={"name": "Casilla"})
    take_by_pop3(stack, ana)
    uses = ProgramUse.objects.filter(mailbox=ana.mailbox).order_by("protocol", "program")
    until = time.monotonic() + 20
    while (
        not uses.filter(deleted=1).exists() and time.monotonic() < until
    ):  # the last line follows the end of its session
        collect(stack)
    collect(stack)
    assert [
        (use.protocol, use.program, use.version, use.network, use.sign_ins, use.retrieved, use.deleted) for use in uses
    ] == [
        ("imap", "", "", "127.0.0.0/24", 1, 0, 0),
        ("imap", "<b>Mail</b>", "1", "127.0.0.0/24", 1, 0, 0),
        ("imap", "Thunderbird", "140.0", "127.0.0.0/24", 1, 0, 0),
        ("pop3", "", "", "127.0.0.0/24", 1, 1, 1),
    ]
    page = page_of(client, "mode", account)
    assert "3 programs still read this mailbox over IMAP and will see it empty" in page
    assert "1 program downloads it over POP3" in page
    assert "&lt;b&gt;Mail&lt;/b&gt; (" in page
    assert "unknown program from 127.0.0.0/24 (" in page


def test_nothing_is_missed_when_the_log_is_turned(
    stack: Stack, ana: HostedMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "QUIET_S", 0.0)
    log = stack.root / "log" / "dovecot.log"
    collector = Collector(log)
    while collector.step():
        pass
    log.rename(log.with_name("dovecot.log.1"))
    sign_in(stack, ana.address, ana.password, before={"name": "Mutt"})
    stack.processes["dovecot"].send_signal(signal.SIGUSR1)
    until = time.monotonic() + TIMEOUT_S
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.01)
    sign_in(stack, ana.address, ana.password, before={"name": "Mutt"})
    while collector.step():
        pass
    collector.close()
    assert ProgramUse.objects.get(mailbox=ana.mailbox).sign_ins == 2


def test_another_server_is_not_recorded(ana: HostedMailbox, client: Client) -> None:
    owner = account_of_mailbox(ana.mailbox).owner
    account = MailAccount.objects.create(owner=owner, address="ana@otra.test", imap_host=LOOPBACK, imap_port=1)
    assert "not recorded for mailboxes that are not hosted here" in page_of(client, "mode", account)


def test_the_settings_of_a_downloaded_mailbox_tell_the_programs(ana: HostedMailbox, client: Client) -> None:
    account = account_of_mailbox(ana.mailbox)
    start_download(account=account, policy=Policy())
    assert "Nothing is recorded yet." in page_of(client, "download_settings", account)
    now = timezone.now()
    LogPosition.objects.create(path="x", began=now - timedelta(days=90), checked=now - timedelta(hours=1))
    for number in range(8):
        ProgramUse.objects.create(
            mailbox=ana.mailbox,
            protocol="imap",
            program=f"P{number}",
            first_at=now,
            last_at=now - timedelta(days=number),
        )
    for name in ("download_settings", "mode"):
        page = page_of(client, name, account)
        assert "Seen in the last 30 days" in page
        assert "8 programs over IMAP: P0 (" in page
        assert "and 2 more" in page
        assert "None over POP3" in page
        assert "Recording has stood still since" in page
