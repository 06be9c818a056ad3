"""A mailbox is filled to its quota: mail is refused at the door, its owner is told once, and the page says what happened."""

from __future__ import annotations

import smtplib
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from imapclient import IMAPClient

from accounts.models import Kind, Mailbox, MailboxSpace, MailboxUsage, Role, SpaceAlert, User
from accounts.services.login import account_of_mailbox
from accounts.services.usage.letters import send_alerts
from accounts.tasks import refresh_usage
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.activity.test_timeline import collect
from tests.conftest import TIMEOUT_S, HostedMailbox, MailboxFactory
from tests.usage.conftest import signed_in
from tests.usage.test_activity import account_page
from tests.usage.test_alerts import letters, wait_counted

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
QUOTA = 100_000


def until_refused(deliver: Callable[[str, bytes], None], made: HostedMailbox) -> None:
    """Small letters until the next one does not fit."""
    for _letter in range(20):
        try:
            deliver(made.address, b"Subject: y\r\n\r\n" + b"0123456789\r\n" * 45)
        except smtplib.SMTPException:
            break
    else:
        raise AssertionError("nothing was refused")
    wait_counted(made, QUOTA - 1000)


def test_a_mailbox_is_filled_to_its_quota(
    stack: Stack,
    mailbox_factory: MailboxFactory,
    imap: Callable[..., IMAPClient],
    deliver: Callable[[str, bytes], None],
) -> None:
    made = mailbox_factory("ana", quota_bytes=QUOTA)
    deliver(made.address, b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 7600)
    wait_counted(made, 91_000)
    for _round in range(3):
        refresh_usage()
    assert len(letters(imap(made.address), 2)) == 2  # what filled it, and one letter
    with smtplib.SMTP(LOOPBACK, stack.ports.smtp, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail("quien@afuera.test", [f"SIZE={QUOTA}"])
        assert client.rcpt(made.address)[0] == 552
    for _round in range(2):
        refresh_usage()
    assert list(SpaceAlert.objects.values_list("percent", flat=True)) == [90]
    assert len(letters(imap(made.address), 2)) == 2
    collect()
    account = account_of_mailbox(made.mailbox)
    until_refused(deliver, made)
    for _round in range(2):
        refresh_usage()
    assert list(SpaceAlert.objects.order_by("pk").values_list("percent", "taken")) == [(90, 1), (100, 0)]
    assert MailboxSpace.objects.get(pk=made.mailbox.pk).permille == 1000  # though less is used than the quota
    assert MailboxUsage.objects.get(pk=made.address).bytes < QUOTA
    # Who runs the mailbox is told of it, and the owner at another address where there is one.
    boss = User.objects.create_user("jefa@afuera.test", language="en")
    Role.objects.create(person=boss, kind=Kind.DOMAIN, domain=made.mailbox.domain)
    for recovery in ("", "ana@afuera.test"):
        Mailbox.objects.update(recovery_address=recovery)
        SpaceAlert.objects.filter(percent=100).update(mailed=None)
        send_alerts()
    found = [(letter.to[0], "was not reached" in str(letter.body)) for letter in mail.outbox]
    assert found == [(boss.email, True), ("ana@afuera.test", False), (boss.email, False)]
    assert SpaceAlert.objects.get(percent=100).taken == 1
    owner = signed_in(Client(), account.owner)
    assert "1 message was refused, because there was no room for it." in account_page(owner, made.mailbox)
