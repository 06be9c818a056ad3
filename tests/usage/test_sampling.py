"""What a day's sample leaves in the rows that tables are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import (
    DaySpace,
    Domain,
    DomainSpace,
    MailAccount,
    Mailbox,
    MailboxHistory,
    MailboxSpace,
    MailboxUsage,
    ProgramUse,
    User,
)
from accounts.services.hosting import create_customer_with_domain, create_mailbox
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.standing import refresh_mailbox, refresh_standing
from accounts.usage.series import unpack

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)
MEGA = 10**6


@pytest.fixture
def domain() -> Domain:
    return create_customer_with_domain(customer="X", domain="x.test")


def grow(mailbox: Mailbox, days: int, *, by: int, from_bytes: int = 0) -> None:
    """One sample a day."""
    for day in range(days):
        counted(mailbox, from_bytes + day * by)
        take_samples(now=BEGAN + timedelta(days=day))


def counted(mailbox: Mailbox, size_bytes: int) -> None:
    values = {"bytes": size_bytes, "messages": size_bytes // 1000}
    MailboxUsage.objects.update_or_create(username=mailbox.address, defaults=values)


def test_growth_tells_when_a_mailbox_and_its_domain_are_full(domain: Domain) -> None:
    ana = create_mailbox(address="ana@x.test", password="x", quota_bytes=500 * MEGA)
    create_mailbox(address="bob@x.test", password="x", quota_bytes=0)
    grow(ana, 20, by=10 * MEGA)
    space = MailboxSpace.objects.get(pk=ana.pk)
    assert (space.bytes, space.permille, space.messages) == (190 * MEGA, 380, 190_000)
    assert abs(space.month_bytes - 300 * MEGA) < MEGA
    assert space.full_on in {BEGAN.date() + timedelta(days=days) for days in (50, 51)}
    whole = DomainSpace.objects.get(pk=domain.pk)
    assert (whole.bytes, whole.quota_bytes, whole.mailboxes, whole.permille) == (190 * MEGA, 500 * MEGA, 2, 380)
    assert whole.full_on == space.full_on
    day = DaySpace.objects.order_by("day").last()
    assert day
    assert (day.bytes, day.mailboxes, day.pop3_mailboxes, DaySpace.objects.count()) == (190 * MEGA, 2, 0, 20)
    assert len(unpack(bytes(MailboxHistory.objects.get(pk=ana.pk).samples))) == 20


def test_a_second_sample_of_a_day_takes_the_place_of_the_first(domain: Domain) -> None:
    ana = create_mailbox(address="ana@x.test", password="x")
    for size in (50 * MEGA, 60 * MEGA):
        counted(ana, size)
        take_samples(now=BEGAN)
    samples = unpack(bytes(MailboxHistory.objects.get(pk=ana.pk).samples))
    assert len(samples) == 1
    assert abs(samples[0].size_bytes - 60 * MEGA) < 20_000


def test_a_jump_is_told_for_a_month(domain: Domain) -> None:
    ana = create_mailbox(address="ana@x.test", password="x")
    grow(ana, 15, by=MEGA, from_bytes=100 * MEGA)
    counted(ana, 2000 * MEGA)
    jumped = BEGAN + timedelta(days=15)
    take_samples(now=jumped)
    space = MailboxSpace.objects.get(pk=ana.pk)
    assert (space.jump_on, round(space.jump_bytes / MEGA)) == (jumped.date(), 1886)
    assert abs(space.month_bytes - 30 * MEGA) < 2 * MEGA
    take_samples(now=jumped + timedelta(days=31))
    assert MailboxSpace.objects.get(pk=ana.pk).jump_on is None


def test_who_reads_by_pop3_and_who_reads_no_more(domain: Domain) -> None:
    names = ("both", "pop", "down", "web", "nobody")
    boxes = {name: create_mailbox(address=f"{name}@x.test", password="x") for name in names}
    for name, protocol, days in (("both", "imap", 3), ("both", "pop3", 1), ("pop", "pop3", 2), ("pop", "imap", 90)):
        at = BEGAN - timedelta(days=days)
        ProgramUse.objects.create(mailbox=boxes[name], protocol=protocol, first_at=at, last_at=at)
    for name in ("down", "web"):
        owner = User.objects.create_user(f"{name}@x.test", last_login=BEGAN - timedelta(days=7))
        mode = MailAccount.Mode.DOWNLOAD if name == "down" else MailAccount.Mode.IMAP
        MailAccount.objects.create(owner=owner, address=owner.email, mailbox=boxes[name], mode=mode)
    take_samples(now=BEGAN)
    spaces = {space.mailbox.address.split("@")[0]: space for space in MailboxSpace.objects.select_related("mailbox")}
    assert {name for name, space in spaces.items() if space.mode == "pop3"} == {"pop", "down"}
    assert spaces["both"].used_at == BEGAN - timedelta(days=1)
    assert spaces["web"].used_at == BEGAN - timedelta(days=7)
    assert spaces["nobody"].used_at is None
    assert DaySpace.objects.get().pop3_mailboxes == 2
    MailAccount.objects.filter(mailbox=boxes["web"]).update(mode=MailAccount.Mode.DOWNLOAD)
    refresh_standing(now=BEGAN)  # what is downloaded here is known before the next day
    assert DaySpace.objects.get().pop3_mailboxes == 3


def test_a_new_quota_shows_with_the_next_round_and_for_one_mailbox_at_once(domain: Domain) -> None:
    ana = create_mailbox(address="ana@x.test", password="x", quota_bytes=1000)
    counted(ana, 900)
    assert refresh_standing() == 1
    assert refresh_standing() == 0
    assert MailboxSpace.objects.get().permille == 900
    ana.quota_bytes = 2000
    ana.save()
    assert refresh_mailbox(mailbox=ana).permille == 450
    assert refresh_standing() == 0
    Mailbox.objects.update(quota_bytes=1)
    refresh_standing()
    assert MailboxSpace.objects.get().permille == 100_000
    Mailbox.objects.update(quota_bytes=0)
    refresh_standing()
    assert MailboxSpace.objects.get().permille == 0


def test_counts_of_addresses_that_are_gone_are_forgotten(domain: Domain) -> None:
    MailboxUsage.objects.create(username="gone@x.test", bytes=1)
    take_samples(now=BEGAN)
    assert not MailboxUsage.objects.exists()
