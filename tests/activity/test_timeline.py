"""Real programs at the real servers: what they did is told, and nothing of what was in the messages."""

from __future__ import annotations

import poplib
import smtplib
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from imapclient import IMAPClient

from accounts.models import Alias, Forward, Group, GroupMember, Mailbox, MailboxEvent, ProgramUse
from accounts.services.activity import Collector, programs_of, sending
from accounts.services.app_passwords import make_app_password
from accounts.services.events import clear_events
from accounts.services.timeline import timeline_of
from accounts.templatetags.timelinepage import said, who_name
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.conftest import TIMEOUT_S, HostedMailbox, MailboxFactory

pytestmark = pytest.mark.server
LETTER = b"From: a@afuera.test\r\nSubject: secreto\r\nMessage-ID: <%d@afuera.test>\r\n\r\nHola.\r\n"
Deliver = Callable[[str, bytes], None]


def collect(seen: Callable[[], bool] = lambda: True) -> None:
    """Reads both logs to their ends, and goes on until something is seen: a session's last line follows its end."""
    until = time.monotonic() + 20
    while True:
        for collector in (Collector(Path(settings.DOVECOT_LOG)), sending(Path(settings.POSTFIX_LOG))):
            while collector.step():
                pass
            collector.step(now=timezone.now() + timedelta(minutes=1))
            collector.close()
        if seen() or time.monotonic() > until:
            return
        time.sleep(0.05)


def happened(made: HostedMailbox, *kinds: str) -> Callable[[], bool]:
    """Whether events of all these kinds are known."""
    events = MailboxEvent.objects.filter(mailbox=made.mailbox)
    return lambda: set(kinds) <= set(events.values_list("kind", flat=True))


@pytest.fixture
def ana(mailbox_factory: MailboxFactory, deliver: Deliver) -> HostedMailbox:
    made = mailbox_factory("ana", quota_bytes=1_000_000)
    for number in range(6):
        deliver(made.address, LETTER % number)
    return made


def told(made: HostedMailbox) -> set[tuple[Any, ...]]:
    fields = ("protocol", "program", "kind", "folder", "target", "count")
    return set(MailboxEvent.objects.filter(mailbox=made.mailbox).values_list(*fields))


def program(stack: Stack, made: HostedMailbox, name: str = "Thunderbird") -> IMAPClient:
    client = IMAPClient(LOOPBACK, stack.ports.imap, ssl=False, timeout=TIMEOUT_S)
    client.id_({"name": name})
    client.login(made.address, made.password)
    return client


def test_what_an_imap_program_moved_deleted_and_read(stack: Stack, ana: HostedMailbox) -> None:
    client = program(stack, ana)
    client.create_folder("Viña, vsize=9")
    client.select_folder("INBOX")
    client.fetch([1, 2], ["BODY.PEEK[]"])
    client.move([1, 2], "Viña, vsize=9")
    client.delete_messages([3])
    client.expunge([3])
    client.append("Sent", LETTER % 99)
    client.logout()
    collect(happened(ana, "arrived", "copied", "removed", "saved", "read"))
    own = {row[1:] if row[0] != "lmtp" else row for row in told(ana)}
    assert own == {
        ("lmtp", "", "arrived", "INBOX", "", 6),
        ("Thunderbird", "copied", "INBOX", "Viña, vsize=9", 2),
        ("Thunderbird", "moved", "INBOX", "Viña, vsize=9", 2),
        ("Thunderbird", "removed", "INBOX", "", 1),
        ("Thunderbird", "saved", "Sent", "", 1),
        ("Thunderbird", "read", "", "", 2),
    }
    event = MailboxEvent.objects.get(mailbox=ana.mailbox, kind="arrived")
    assert event.size_bytes > 6 * 70
    assert MailboxEvent.objects.get(mailbox=ana.mailbox, kind="read").network == "127.0.0.0/24"


def test_what_is_deleted_beside_copies_of_other_messages_is_no_move(
    stack: Stack, ana: HostedMailbox, deliver: Deliver
) -> None:
    """All messages are of one size: by numbers alone three had been moved."""
    deliver(ana.address, LETTER.replace(b"Message-ID", b"X-Other-ID") % 6)
    client, other, phone = program(stack, ana), program(stack, ana), program(stack, ana, "iPhone Mail")
    client.create_folder("X")
    for one in (client, other, phone):
        one.select_folder("INBOX")
    client.append("INBOX", LETTER % 70)  # 8
    client.copy([1, 2, 3, 4], "X")
    client.delete_messages([1, 5, 6])
    client.expunge()  # 1 is moved, as programs without MOVE do it; 5 and 6 are gone
    other.noop()
    other.delete_messages([2, 8])
    other.expunge()  # 2 is moved, by another connection
    phone.noop()
    phone.delete_messages([3])
    phone.expunge()  # by another program: deleted, and a copy is there
    client.noop()
    client.move([7], "X")  # without a Message-ID
    for one in (client, other, phone):
        one.logout()
    removed = MailboxEvent.objects.filter(mailbox=ana.mailbox, kind__in=["moved", "removed"])
    collect(lambda: sum(removed.values_list("count", flat=True)) == 7)
    assert {row for row in told(ana) if row[2] in {"moved", "removed"}} == {
        ("imap", "Thunderbird", "moved", "INBOX", "X", 3),
        ("imap", "Thunderbird", "removed", "INBOX", "", 2),
        ("imap", "Thunderbird", "removed", "INBOX", "", 1),
        ("imap", "iPhone Mail", "removed", "INBOX", "X", 1),
    }
    entries = timeline_of(ana.mailbox).entries
    assert [(one.count, one.target) for one in entries if one.kind == "copied"] == [(2, "X")]
    gone = timeline_of(ana.mailbox, only_gone=True).entries
    assert sorted((who_name(one), one.gone, one.target) for one in gone) == [
        ("Thunderbird", 1, ""),
        ("Thunderbird", 2, ""),
        ("iPhone Mail", 1, "X"),
    ]


def test_what_a_pop3_program_took(stack: Stack, ana: HostedMailbox) -> None:
    client = poplib.POP3(LOOPBACK, stack.ports.pop3, timeout=TIMEOUT_S)
    client.user(ana.address)
    client.pass_(ana.password)
    for number in (1, 2, 3):
        client.retr(number)
        if number > 1:
            client.dele(number)
    client.quit()
    collect(happened(ana, "fetched", "taken"))
    assert told(ana) >= {("pop3", "", "fetched", "INBOX", "", 3), ("pop3", "", "taken", "INBOX", "", 2)}
    assert not {row for row in told(ana) if row[2] == "removed"}  # its end says how many: no line counts twice


def test_what_casilla_does_is_casillas(stack: Stack, ana: HostedMailbox, imap: Any) -> None:
    client = imap(ana.address)
    client.select_folder("INBOX")
    client.move([1], "Trash")
    collect(happened(ana, "copied"))
    assert told(ana) >= {("web", "", kind, "INBOX", "Trash", 1) for kind in ("copied", "moved")}


def test_mail_that_was_refused_is_told(stack: Stack, mailbox_factory: MailboxFactory, deliver: Deliver) -> None:
    bob = mailbox_factory("bob", quota_bytes=1000)
    deliver(bob.address, LETTER % 1)
    with smtplib.SMTP(LOOPBACK, stack.ports.smtp, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail("quien@afuera.test", ["SIZE=5000"])
        assert client.rcpt(bob.address.replace("bob", "Bob"))[0] == 552
        assert client.rcpt(bob.address.replace("bob", "nadie"))[0] == 550
    collect(happened(bob, "refused"))
    assert ("smtp", "", "refused", "full", "", 1) in told(bob)


def test_mail_that_was_refused_at_other_addresses_and_when_it_was_delivered_is_told(
    stack: Stack, mailbox_factory: MailboxFactory, deliver: Deliver
) -> None:
    bob = mailbox_factory("bob", quota_bytes=3000)
    deliver(bob.address, LETTER % 1)
    alias, group, forward = (bob.address.replace("bob", name) for name in ("ventas", "todos", "lejos"))
    Alias.objects.create(address=alias, target=bob.mailbox)
    GroupMember.objects.create(group=Group.objects.create(address=group, domain=bob.mailbox.domain), address=alias)
    away = mailbox_factory("lejos")
    Forward.objects.create(mailbox=away.mailbox, address=bob.address)
    Mailbox.objects.filter(pk=away.mailbox.pk).update(keeps_copy=False)
    with smtplib.SMTP(LOOPBACK, stack.ports.smtp, "localhost", timeout=TIMEOUT_S) as client:
        client.ehlo()
        client.mail("quien@afuera.test", ["SIZE=9000"])
        for name in ("ventas", "Ventas+Marzo", "BOB+x"):
            assert client.rcpt(bob.address.replace("bob", name))[0] == 552
        for address in (bob.address, alias, group, forward):
            client.rset()
            client.mail("quien@afuera.test")  # and says no size
            assert client.rcpt(address)[0] == 250
            assert client.data(LETTER % 2 + b"0123456789\r\n" * 500)[0] == 250
    refused = MailboxEvent.objects.filter(mailbox=bob.mailbox, kind="refused")
    collect(lambda: sum(refused.values_list("count", flat=True)) == 7)
    counts: Counter[tuple[str, str]] = Counter()
    for why, target, count in refused.values_list("folder", "target", "count"):  # an hour may end meanwhile
        counts[why, target] += count
    tagged = alias.replace("@", "+marzo@")
    assert counts == {
        ("full", ""): 2,
        ("full", alias): 2,
        ("full", tagged): 1,
        ("full", group): 1,
        ("full", forward): 1,
    }
    told_ = {said(entry) for entry in timeline_of(bob.mailbox).entries}
    assert f"Refused 1 message to {group}: the mailbox is full" in told_


def test_reading_again_counts_nothing_twice_and_nothing_of_the_messages_is_kept(
    stack: Stack, ana: HostedMailbox
) -> None:
    program(stack, ana).logout()
    collect()
    before = told(ana)
    collect()
    assert told(ana) == before
    everything = " ".join(str(vars(event)) for event in MailboxEvent.objects.all())
    assert "secreto" not in everything
    assert "afuera.test" not in everything


def test_what_is_old_is_forgotten(ana: HostedMailbox, settings: Any) -> None:
    settings.TIMELINE_DAYS = 30
    today = timezone.now()
    for days in (29, 31):
        at = today - timedelta(days=days)
        values = {"session": "x", "kind": "read", "first_at": at, "last_at": at, "day": at.date()}
        MailboxEvent.objects.create(mailbox=ana.mailbox, **values)
    assert clear_events() == 1


def test_devices_are_told_by_what_their_owner_calls_their_passwords(stack: Stack, ana: HostedMailbox) -> None:
    made = make_app_password(mailbox=ana.mailbox, name="Notebook de Ana", protocols=["imap", "pop3"])
    pop3 = poplib.POP3(LOOPBACK, stack.ports.pop3, timeout=TIMEOUT_S)
    pop3.user(ana.address)
    pop3.pass_(made.password)
    pop3.retr(1)
    pop3.dele(1)
    pop3.quit()
    imap = IMAPClient(LOOPBACK, stack.ports.imap, ssl=False, timeout=TIMEOUT_S)
    imap.id_({"name": "Thunderbird"})
    imap.login(ana.address, made.password)
    imap.select_folder("INBOX")
    imap.delete_messages([2])
    imap.expunge([2])
    imap.logout()
    program(stack, ana, "Mutt").logout()
    events = MailboxEvent.objects.filter(mailbox=ana.mailbox, kind__in=["taken", "removed"])
    uses = ProgramUse.objects.filter(mailbox=ana.mailbox)
    collect(lambda: len(events.all()) == 2 and len(uses.all()) == 3)
    assert set(events.values_list("protocol", "program", "device", "count")) == {
        ("pop3", "", "Notebook de Ana", 1),
        ("imap", "Thunderbird", "Notebook de Ana", 1),
    }
    assert set(uses.values_list("protocol", "program", "device", "sign_ins", "deleted")) == {
        ("pop3", "", "Notebook de Ana", 1, 1),
        ("imap", "Thunderbird", "Notebook de Ana", 1, 0),
        ("imap", "Mutt", "", 1, 0),
    }
    entries = timeline_of(ana.mailbox).entries
    assert {who_name(entry) for entry in entries if entry.gone} == {"Notebook de Ana", "Thunderbird on Notebook de Ana"}
    assert [one.name for one in programs_of(ana.mailbox).pop3] == ["Notebook de Ana"]
