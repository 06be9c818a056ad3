"""The figures agree: Dovecot's own, what a mail program sees over IMAP, and ours, whatever happens to the mail."""

from __future__ import annotations

import random
import re
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from imapclient import IMAPClient

from accounts.models import MailboxSpace, MailboxUsage
from accounts.services.usage.standing import refresh_standing
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.conftest import HostedMailbox, MailboxFactory
from webmail.services.recount import recount, recount_due

pytestmark = pytest.mark.server
TIMEOUT_S = 10.0
Deliver = Callable[[str, bytes], None]


def letter(number: int, size_bytes: int) -> bytes:
    head = f"From: a@afuera.test\r\nSubject: {number}\r\nMessage-ID: <{number}@afuera.test>\r\n\r\n"
    return head.encode() + b"0123456789abcdef\r\n" * (size_bytes // 18)


def dovecots_own(stack: Stack, address: str) -> int:
    """STORAGE of `doveadm quota get`, in KiB."""
    command = ["/usr/bin/doveadm", "-c", f"{stack.root}/etc/dovecot/dovecot.conf", "quota", "get", "-u", address]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"STORAGE\s+(\d+)", told)
    assert found, told
    return int(found[1])


def over_imap(client: IMAPClient) -> int:
    _root, quotas = client.get_quota_root("INBOX")
    return next(int(quota.usage) for quota in quotas if quota.resource == "STORAGE")


def counted_after(address: str, kib: int) -> int:
    """What stands in our table, in KiB as Dovecot rounds it, waiting up to five seconds for `kib`."""
    until, found = time.monotonic() + 5, -1
    while time.monotonic() < until:
        row = MailboxUsage.objects.filter(pk=address).first()
        found = -(-row.bytes // 1024) if row else -1
        if found == kib:
            break
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_figures_agree_whatever_happens_to_the_mail(
    stack: Stack, mailbox_factory: MailboxFactory, deliver: Deliver, seed: int
) -> None:
    ana, chance = mailbox_factory("ana"), random.Random(seed)
    for number in range(12):
        deliver(ana.address, letter(number, chance.randrange(200, 60_000)))
    with session(stack, ana) as client:
        shuffle(client, chance)
        seen = over_imap(client)
    assert seen == dovecots_own(stack, ana.address)
    assert counted_after(ana.address, seen) == seen
    refresh_standing()
    space = MailboxSpace.objects.get(mailbox=ana.mailbox)
    assert -(-space.bytes // 1024) == seen
    assert space.permille == space.bytes * 1000 // ana.mailbox.quota_bytes


@contextmanager
def session(stack: Stack, made: HostedMailbox) -> Iterator[IMAPClient]:
    """A mail program's session: Dovecot writes what is used when it ends."""
    client = IMAPClient(LOOPBACK, stack.ports.imap, ssl=False, timeout=TIMEOUT_S)
    client.login(made.address, made.password)
    try:
        yield client
    finally:
        client.logout()


def shuffle(client: IMAPClient, chance: random.Random) -> None:
    """Ten things that people do with mail."""
    for _round in range(10):
        folder = chance.choice(["INBOX", "Archive", "Trash"])
        client.select_folder(folder)
        uids = client.search("ALL")
        some = chance.sample(uids, min(len(uids), chance.randrange(1, 5)))
        act = chance.choice(["move", "copy", "expunge", "append"])
        if act == "append":
            client.append(folder, letter(99, chance.randrange(200, 60_000)))
        elif act == "expunge" and some:
            client.delete_messages(some)
            client.expunge(some)
        elif some:
            (client.move if act == "move" else client.copy)(some, chance.choice(["INBOX", "Archive", "Trash"]))


def test_a_delivery_is_counted_within_seconds(mailbox_factory: MailboxFactory, deliver: Deliver) -> None:
    ana = mailbox_factory("ana")
    began = time.monotonic()
    deliver(ana.address, letter(1, 30_000))
    while not MailboxUsage.objects.filter(pk=ana.address, messages=1, bytes__gt=30_000).exists():
        assert time.monotonic() - began < 10
        time.sleep(0.02)


def test_what_was_missed_is_healed(mailbox_factory: MailboxFactory, deliver: Deliver) -> None:
    ana, bob = mailbox_factory("ana"), mailbox_factory("bob")
    deliver(ana.address, letter(1, 30_000))
    size = counted_bytes(ana)
    refresh_standing()
    MailboxUsage.objects.filter(pk=ana.address).update(bytes=5)
    assert recount_due() == (2, 2)  # of bob nothing was counted yet
    assert abs(MailboxUsage.objects.get(pk=ana.address).bytes - size) < 1024
    assert MailboxUsage.objects.get(pk=bob.address).bytes == 0
    assert recount_due() == (0, 0)
    assert not recount(ana.mailbox)


def test_a_full_mailbox_is_refused_at_the_door_and_can_still_be_tidied(
    stack: Stack, mailbox_factory: MailboxFactory, deliver: Deliver
) -> None:
    ana = mailbox_factory("ana", quota_bytes=100_000)
    for number in range(3):
        deliver(ana.address, letter(number, 32_000))
    assert recipient_reply(stack, ana.address)[0] == 250
    with session(stack, ana) as client:
        client.append("Trash", letter(4, 20_000))  # over the quota, within the grace of the trash
        assert recipient_reply(stack, ana.address) == (552, b"5.2.2")
        client.select_folder("INBOX")
        client.move(client.search("ALL"), "Trash")
        client.select_folder("Trash")
        client.delete_messages(client.search("ALL"))
        client.expunge()
    assert recipient_reply(stack, ana.address)[0] == 250


def counted_bytes(made: HostedMailbox) -> int:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if row := MailboxUsage.objects.filter(pk=made.address).first():
            return int(row.bytes)
        time.sleep(0.02)
    raise AssertionError("nothing was counted")


def recipient_reply(stack: Stack, address: str) -> tuple[int, bytes]:
    with smtplib.SMTP(LOOPBACK, stack.ports.smtp, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail("x@afuera.test")
        code, reply = client.rcpt(address)
        return code, reply.split()[0]
