"""What the collector of activity does in a second: `make bench-activity`. Every session is a row of its own: the worst case."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.models import Mailbox, MailboxEvent, ProgramUse
from accounts.services.activity import Collector, sending
from accounts.services.hosting import create_customer_with_domain
from tests.activity.live import collect_live, sessions_of
from tests.activity.live import make_mailboxes as make_live_mailboxes

pytestmark = pytest.mark.django_db
MAILBOXES, SESSIONS, PER_SECOND = 100_000, 200_000, 3_300
LOGIN = (
    "{at} imap-login: Info: Login: user=<{user}>, auth=<{user}>, method=PLAIN, rip={ip}, lip=127.0.0.1, mpid=25777, TLS, "
    "session=<s{number}>\n"
)
NAME = "{at} imap({user})<25778><s{number}><{ip}><{user}>: Info: ID sent: name=Thunderbird, version=140.0\n"
END = (
    "{at} imap({user})<25778><s{number}><{ip}><{user}>: Info: Disconnected: Logged out in=110 out=714 deleted=0 expunged=0 "
    "trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0\n"
)


def write_log(path: Path) -> int:
    """Three lines a session, half of them with a name; gives how many bytes."""
    numbers = random.Random(1)
    began = datetime(2026, 11, 27, 12, tzinfo=UTC)
    with path.open("w") as file:
        for number in range(SESSIONS):
            values = {
                "at": (began + timedelta(seconds=number // PER_SECOND)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
                "user": f"u{numbers.randrange(MAILBOXES)}@prueba.test",
                "ip": f"10.{numbers.randrange(256)}.{numbers.randrange(256)}.7",
                "number": number,
            }
            middle = NAME if number % 2 else END
            file.writelines(form.format(**values) for form in (LOGIN, middle, END))
    return path.stat().st_size


DEEDS = (
    "copy from INBOX: box=Archive, uid=71, msgid=<{number}.1@afuera.test>, vsize=5000",
    "expunge: box=INBOX, uid=3, msgid=<{number}.1@afuera.test>, vsize=5000",
    "copy from INBOX: box=Archive, uid=72, msgid=<{number}.2@afuera.test>, vsize=7000",
    "copy from INBOX: box=Archive, uid=73, msgid=<{number}.3@afuera.test>, vsize=7000",
    "save: box=Sent, uid=9, msgid=<{number}.4@afuera.test>, vsize=900",
    "expunge: box=Trash, uid=8, msgid=<{number}.5@afuera.test>, vsize=100",
)


def write_deeds(path: Path) -> int:
    """A minute of 10,000 events a second: sessions that sign in, say their name, do six things, and end; gives how many lines."""
    numbers, lines = random.Random(2), 0
    began = datetime(2026, 11, 27, 12, tzinfo=UTC)
    with path.open("w") as file:
        for number in range(600_000 // 9):
            user, at = f"u{numbers.randrange(MAILBOXES)}@prueba.test", began + timedelta(milliseconds=number * 0.9)
            values = {"at": at.strftime("%Y-%m-%dT%H:%M:%S+0000"), "user": user, "ip": "10.1.2.7", "number": number}
            own = "{at} imap({user})<25778><s{number}><{ip}><{user}>: Info: ".format(**values)
            file.write(LOGIN.format(**values) + NAME.format(**values))
            file.writelines(f"{own}{deed.format(number=number)}\n" for deed in DEEDS)
            file.write(END.format(**values).replace("body_count=0", "body_count=3"))
            lines += 3 + len(DEEDS)
    return lines


POSTFIX = (
    "postfix/submission/smtpd[11023]: connect from unknown[10.1.2.7]",
    "postfix/submission/smtpd[11023]: {queue}: client=unknown[10.1.2.7], sasl_method=PLAIN, sasl_username={user}#5",
    "postfix/cleanup[11025]: {queue}: message-id=<{queue}@prueba.test>",
    "postfix/qmgr[10972]: {queue}: from=<{user}>, size=310, nrcpt=1 (queue active)",
    "postfix/submission/smtpd[11023]: disconnect from unknown[10.1.2.7] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6",
    "postfix/lmtp[11026]: {queue}: to=<{user}>, relay=127.0.0.1[127.0.0.1]:24, delay=0.13, delays=0.04/0.01/0.05/0.04, "
    "dsn=2.0.0, status=sent (250 2.0.0 <{user}> vL2tKo1hC2sTKwAAg+zDdQ Saved)",
    "postfix/qmgr[10972]: {queue}: removed",
)


def write_sending(path: Path, messages: int) -> None:
    """Messages that programs send, seven lines each, in an hour."""
    numbers, began = random.Random(3), timezone.localtime() - timedelta(hours=2)
    with path.open("w") as file:
        for number in range(messages):
            at = (began + timedelta(seconds=number * 3600 // messages)).strftime("%b %e %H:%M:%S")
            values = {"user": f"u{numbers.randrange(MAILBOXES)}@prueba.test", "queue": f"{number:010X}"}
            file.writelines(f"{at} mail {line.format(**values)}\n" for line in POSTFIX)


def make_mailboxes() -> None:
    domain = create_customer_with_domain(customer="Prueba", domain="prueba.test")
    mailboxes = (
        Mailbox(address=f"u{number}@prueba.test", number=number + 1, domain=domain, password="x")
        for number in range(MAILBOXES)
    )
    Mailbox.objects.bulk_create(mailboxes, batch_size=2000)


@pytest.mark.timeout(600)
def test_deeds_in_a_second(tmp_path: Path) -> None:
    make_mailboxes()
    wanted = write_deeds(tmp_path / "log")
    collector, lines = Collector(tmp_path / "log"), 0
    wall, cpu = time.perf_counter(), time.process_time()
    while read := collector.step():
        lines += read
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    collector.close()
    events = MailboxEvent.objects.aggregate(rows=Count("pk"), messages=Sum("count"))
    print(
        f"\n{lines} lines, {events['rows']} rows: {wall:.1f} s, {cpu:.1f} s of a core; {lines / wall:.0f} lines a second, "
        f"{lines / cpu:.0f} a second of a core"
    )
    assert lines == wanted
    assert events["messages"] == wanted // 9 * (len(DEEDS) + 3)
    assert lines / cpu > 10_000


@pytest.mark.timeout(600)
def test_sending_in_a_second(tmp_path: Path) -> None:
    make_mailboxes()
    write_sending(tmp_path / "log", 60_000)
    collector, lines, cpu = sending(tmp_path / "log"), 0, time.process_time()
    while read := collector.step():
        lines += read
    cpu = time.process_time() - cpu
    collector.close()
    sent = MailboxEvent.objects.filter(kind="sent").aggregate(total=Sum("count"))["total"]
    print(
        f"\n{lines} lines of Postfix's log, {sent} messages: {cpu:.1f} s of a core, {lines / cpu:.0f} lines a second of a core"
    )
    assert (lines, sent) == (420_000, 60_000)
    assert lines / cpu > 10_000


@pytest.mark.timeout(600)
def test_lines_in_a_second(tmp_path: Path) -> None:
    make_mailboxes()
    size = write_log(tmp_path / "log")
    collector, lines = Collector(tmp_path / "log"), 0
    wall, cpu = time.perf_counter(), time.process_time()
    while read := collector.step():
        lines += read
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    collector.close()
    print(
        f"\n{lines} lines ({size / 1e6:.0f} MB), {ProgramUse.objects.count()} rows: {wall:.1f} s, {cpu:.1f} s of a core; "
        f"{lines / wall:.0f} lines a second, {lines / cpu:.0f} a second of a core"
    )
    assert lines / cpu > 10_000


@pytest.mark.timeout(600)
def test_a_minute_of_ten_thousand_lines_a_second_while_they_are_written(tmp_path: Path) -> None:
    """Another process writes, rotating the log seven times; the collector begins anew five times meanwhile."""
    lines = 600_000
    make_live_mailboxes(1_000)
    found = collect_live(
        tmp_path / "log", lines=lines, rate=10_000, rotations=7, mailboxes=1_000, restarts=5, late=True
    )
    print(
        f"\n{lines} lines written in {found.written_s:.0f} s, read {found.behind_s:.1f} s after the last; {found.cpu_s:.1f} s of "
        f"a core, {lines / found.cpu_s:.0f} lines a second of a core; {found.restarts} restarts, {found.wrong} mailboxes wrong"
    )
    assert (found.wrong, found.sign_ins) == (0, sessions_of(lines))
    assert found.written_s < 75
    assert lines / found.cpu_s > 10_000
