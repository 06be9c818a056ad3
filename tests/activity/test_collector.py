"""Counting: with the position in one transaction, over restarts, for mailboxes that are hosted here alone."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import LogPosition, Mailbox, ProgramUse
from accounts.services.activity import Collector, Overtaken, Program, clear_activity, programs_of
from accounts.services.hosting import create_customer_with_domain, create_mailbox
from tests.activity.test_lines import AT, ID_AFTER, ID_BEFORE, LOGIN, POP_ENDED

pytestmark = pytest.mark.django_db
ANA = "ana@x.test"
POP_LOGIN = LOGIN.format("pop3", ANA, "08Xzfklh5Ot/AAAB")
NAMED_LOGIN = LOGIN.format("imap", ANA, "/WvzfklhfMd/AAAB")
NAME = ID_AFTER.format("name=Thunderbird, version=140.0")


@pytest.fixture
def ana() -> Mailbox:
    create_customer_with_domain(customer="X", domain="x.test")
    return create_mailbox(address=ANA, password="x")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "dovecot.log"


def write(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def collect(log: Path) -> None:
    """A collector's whole life: it reads to the end, and waits until nothing waits for a name."""
    collector = Collector(log)
    while collector.step():
        pass
    collector.step(now=timezone.now() + timedelta(days=3650))
    collector.close()


def counted() -> set[tuple[Any, ...]]:
    return set(ProgramUse.objects.values_list("protocol", "program", "sign_ins", "retrieved", "deleted"))


def test_programs_are_counted_with_what_pop3_took(log: Path, ana: Mailbox) -> None:
    write(log, POP_LOGIN, POP_ENDED.format(ANA), "nonsense", NAMED_LOGIN, NAME, LOGIN.format("imap", ANA, "b"))
    write(log, LOGIN.format("imap", "casilla", "c"), LOGIN.format("pop3", "casilla", "d"), POP_ENDED.format("casilla"))
    collect(log)
    assert counted() == {("pop3", "", 1, 2, 1), ("imap", "Thunderbird", 1, 0, 0), ("imap", "", 1, 0, 0)}
    write(log, ID_BEFORE.format("name=Thunderbird, version=141.0"), LOGIN.format("imap", ANA, "gVPzfklhbMd/AAAB"))
    collect(log)
    use = ProgramUse.objects.get(program="Thunderbird")
    assert (use.sign_ins, use.version, use.network, use.mailbox) == (2, "141.0", "192.0.2.0/24", ana)


def test_restarts_between_any_two_lines_count_nothing_twice(log: Path, ana: Mailbox) -> None:
    for line in (POP_LOGIN, NAMED_LOGIN, POP_ENDED.format(ANA), NAME, LOGIN.format("imap", ANA, "b")):
        write(log, line)
        collector = Collector(log)
        while collector.step(now=AT):
            pass
        collector.close()
    collect(log)
    collect(log)
    assert counted() == {("pop3", "", 1, 2, 1), ("imap", "Thunderbird", 1, 0, 0), ("imap", "", 1, 0, 0)}


def test_strangers_names_and_unhosted_mailboxes_leave_no_row(log: Path, ana: Mailbox) -> None:
    evil = "'; DROP TABLE accounts_mailbox; --"
    write(
        log, POP_LOGIN.replace(f"user=<{ANA}>", f"user=<{evil}>"), POP_LOGIN.replace(f"user=<{ANA}>", "user=<b@x.test>")
    )
    write(log, NAMED_LOGIN, ID_AFTER.format(f"name={evil}"))
    collect(log)
    assert counted() == {("imap", evil, 1, 0, 0)}


def test_a_second_collector_counts_nothing(log: Path, ana: Mailbox) -> None:
    first, second = Collector(log), Collector(log)
    write(log, POP_LOGIN)
    first.step()
    with pytest.raises(Overtaken):
        second.step()
    first.close()
    second.close()
    assert counted() == {("pop3", "", 1, 0, 0)}


def test_what_cannot_be_counted_leaves_the_position_where_it_was(log: Path, ana: Mailbox) -> None:
    write(log, POP_LOGIN)
    collector = Collector(log)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TRIGGER no BEFORE INSERT ON accounts_programuse BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(IntegrityError):
            collector.step()
        cursor.execute("DROP TRIGGER no")
    collector.close()
    assert LogPosition.objects.get().offset == 0
    collect(log)
    assert counted() == {("pop3", "", 1, 0, 0)}


def test_the_command_reads_to_the_end_and_needs_a_log(log: Path, ana: Mailbox, settings: Any) -> None:
    settings.DOVECOT_LOG = str(log)
    write(log, POP_LOGIN)
    call_command("collect_activity", "--once", stdout=StringIO())
    assert counted() == {("pop3", "", 1, 0, 0)}
    settings.DOVECOT_LOG = ""
    with pytest.raises(CommandError, match="DOVECOT_LOG"):
        call_command("collect_activity", "--once")


def use_of(mailbox: Mailbox, days: float, **fields: Any) -> None:
    at = timezone.now() - timedelta(days=days)
    ProgramUse.objects.create(mailbox=mailbox, first_at=at, last_at=at, **{"protocol": "imap", **fields})


def test_programs_are_told_by_name_once_and_without_one_by_network(ana: Mailbox) -> None:
    assert programs_of(None).state == "apart"
    assert programs_of(ana).state == "never"
    now = timezone.now()
    position = LogPosition.objects.create(path="x", began=now - timedelta(days=90), checked=now)
    use_of(ana, 3, program="Thunderbird", network="10.0.0.0/24")
    use_of(ana, 1, program="Thunderbird", network="10.0.1.0/24")
    use_of(ana, 2, network="192.0.2.0/24")
    use_of(ana, 31, program="Old")
    use_of(ana, 4, protocol="pop3", network="192.0.2.0/24")
    told = programs_of(ana)
    assert (told.state, told.partly) == ("on", False)
    assert [(program.name, program.network) for program in told.imap] == [("Thunderbird", ""), ("", "192.0.2.0/24")]
    assert [program.network for program in told.pop3] == ["192.0.2.0/24"]
    assert isinstance(told.imap[0], Program)
    position.checked, position.began = now - timedelta(hours=1), now - timedelta(days=2)
    position.save()
    assert (programs_of(ana).state, programs_of(ana).partly) == ("stopped", True)


def test_what_is_older_than_it_is_kept_goes(ana: Mailbox, settings: Any) -> None:
    settings.ACTIVITY_DAYS = 60
    use_of(ana, 59, program="new")
    use_of(ana, 61, program="old")
    assert clear_activity() == 1
    assert ProgramUse.objects.get().program == "new"
