"""Thresholds: told once for each crossing, again only after there was room, in the language of whoever is told."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from imapclient import IMAPClient

from accounts.models import DaySpace, Mailbox, MailboxSpace, MailboxUsage, MailServer, SpaceAlert, UsageLimits, User
from accounts.services.login import account_of_mailbox
from accounts.services.permissions import Held
from accounts.services.usage.alerts import alerts_of_week, find_crossings, forget_alerts
from accounts.services.usage.letters import send_alerts
from accounts.services.usage.scope import Scope
from accounts.services.usage.standing import refresh_domains, refresh_standing
from accounts.tasks import refresh_usage
from tests.conftest import HostedMailbox, MailboxFactory
from tests.usage.conftest import GIGA, Provider, signed_in
from tests.usage.test_pages import page

pytestmark = pytest.mark.django_db
Imap = Callable[..., IMAPClient]


def fill(mailbox: Mailbox, percent: float) -> int:
    """So full, and how many alerts follow."""
    size = int(mailbox.quota_bytes * percent / 100)
    MailboxUsage.objects.update_or_create(username=mailbox.address, defaults={"bytes": size})
    refresh_standing()
    refresh_domains()
    return find_crossings()


@pytest.fixture
def eva(provider: Provider) -> Mailbox:
    """A mailbox of which nothing was told, with the others out of the way."""
    Mailbox.objects.exclude(pk=provider.eva.pk).delete()
    refresh_domains()
    return provider.eva


def told(mailbox: Mailbox) -> list[int]:
    """What its owner is written to about."""
    alerts = SpaceAlert.objects.filter(mailbox=mailbox).exclude(mailed=F("at"))
    return list(alerts.order_by("pk").values_list("percent", flat=True))


def test_each_crossing_is_told_once(eva: Mailbox) -> None:
    assert [fill(eva, percent) for percent in (79.9, 80, 81, 89, 90.5, 90, 96, 100, 130)] == [0, 1, 0, 0, 1, 0, 1, 1, 0]
    assert told(eva) == [80, 90, 95, 100]
    assert MailboxSpace.objects.get(pk=eva.pk).alerted == 100


def test_one_jump_over_several_is_told_as_the_highest(eva: Mailbox) -> None:
    assert fill(eva, 97) == 1
    assert told(eva) == [95]


def test_to_and_fro_at_a_threshold_is_told_once_and_again_only_after_there_was_room(eva: Mailbox) -> None:
    assert [fill(eva, percent) for percent in (90, 89, 90, 86, 91)] == [1, 0, 0, 0, 0]
    assert fill(eva, 84.9) == 0
    assert MailboxSpace.objects.get(pk=eva.pk).alerted == 80
    assert list(SpaceAlert.objects.filter(cleared=None).values_list("percent", flat=True)) == [
        80
    ]  # which was jumped over
    assert fill(eva, 90) == 1
    assert fill(eva, 60) == 0
    assert not SpaceAlert.objects.filter(cleared__isnull=True).exists()
    assert fill(eva, 80) == 1
    assert told(eva) == [90, 90, 80]


def test_thresholds_that_are_changed_hold_at_once(eva: Mailbox) -> None:
    UsageLimits.objects.create(owner_steps=[30, 70, 72])
    assert [fill(eva, percent) for percent in (29, 30, 71, 72, 66, 73, 100)] == [0, 1, 1, 1, 0, 1, 0]
    assert told(eva) == [30, 70, 72, 72]
    UsageLimits.objects.update(owner_steps=[30, 70, 72, 100])
    assert find_crossings() == 1
    UsageLimits.objects.update(owner_steps=[95, 99])
    assert fill(eva, 82) == 0
    assert not SpaceAlert.objects.filter(cleared=None).exists()  # of thresholds that are none any more


def test_the_disk_is_told_once_too(eva: Mailbox, settings: Any) -> None:
    settings.MAIL_DISK_BYTES = 10 * GIGA
    assert fill(eva, 79) == 0
    DaySpace.objects.update(bytes=9 * GIGA)
    assert find_crossings() == 1
    assert find_crossings() == 0
    DaySpace.objects.update(bytes=8_200_000_000)
    assert find_crossings() == 0
    DaySpace.objects.update(bytes=7 * GIGA)
    assert find_crossings() == 0
    DaySpace.objects.update(bytes=9 * GIGA)
    assert find_crossings() == 1
    assert list(SpaceAlert.objects.filter(mailed=None).values_list("percent", flat=True)) == [90, 90]
    # Each step of its own list once, and downwards step by step.
    UsageLimits.objects.create(disk_steps=[50, 85, 93])
    for used, found in ((9.2, 0), (9.3, 1), (10, 0), (8.9, 0), (8.7, 0), (7.9, 0), (4.4, 0), (5, 1)):
        DaySpace.objects.update(bytes=int(used * GIGA))
        assert find_crossings() == found, used
    assert list(SpaceAlert.objects.filter(cleared=None).values_list("percent", flat=True)) == [50]
    assert list(SpaceAlert.objects.filter(mailed=None).values_list("percent", flat=True)) == [90, 90, 93, 50]


def test_each_disk_of_several_is_told_of_for_itself(provider: Provider, admin: Client) -> None:
    server = MailServer.objects.create(name="Norte", path="/srv/norte", disk_bytes=10 * GIGA)
    MailboxSpace.objects.update(server=server, bytes=0, permille=0)
    find_crossings()
    SpaceAlert.objects.all().delete()
    MailboxSpace.objects.filter(mailbox=provider.eva).update(bytes=9 * GIGA)
    assert find_crossings() == 1
    assert find_crossings() == 0
    told = SpaceAlert.objects.filter(mailed=None).values_list("server", "percent")
    assert list(told) == [(server.pk, 90)]
    assert "The disk of Norte has passed 90 %" in page(admin)
    MailboxSpace.objects.update(bytes=0)
    assert find_crossings() == 0
    assert not SpaceAlert.objects.filter(cleared=None).exists()


def test_the_week_is_shown_on_the_dashboard(provider: Provider, admin: Client) -> None:
    assert "Nobody had to be told." in page(admin)
    find_crossings()
    SpaceAlert.objects.update(mailed=timezone.now(), taken=1)
    SpaceAlert.objects.create(percent=85, at=timezone.now())
    SpaceAlert.objects.create(mailbox=provider.eva, percent=80, at=timezone.now() - timedelta(days=8))
    html = page(admin)
    assert "1 owner told of passing 95 %" in html
    assert "1 owner told of passing 80 %" in html
    assert "The disk passed 85 %" in html
    assert len(alerts_of_week(Scope(Held(provider=True)))) == 4  # the domain passed 90 %


def test_alerts_that_are_long_over_are_forgotten(eva: Mailbox) -> None:
    now = timezone.now()
    SpaceAlert.objects.create(mailbox=eva, percent=80, at=now - timedelta(days=91), cleared=now)
    SpaceAlert.objects.create(mailbox=eva, percent=80, at=now - timedelta(days=91))
    assert forget_alerts() == 1


# --- On the real servers ---------------------------------------------------------------------------------------------------


def letters(client: IMAPClient, count: int) -> list[Message]:
    until = time.monotonic() + 20
    while client.select_folder("INBOX")[b"EXISTS"] < count and time.monotonic() < until:
        time.sleep(0.05)
    found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
    return [message_from_bytes(data[b"BODY[]"]) for _uid, data in sorted(found.items())]


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_an_owner_is_written_to_once_in_their_language(
    mailbox_factory: MailboxFactory, imap: Imap, deliver: Callable[[str, bytes], None]
) -> None:
    ana, bob = mailbox_factory("ana", quota_bytes=100_000), mailbox_factory("bob", quota_bytes=100_000)
    for made, language in ((ana, "es"), (bob, "en")):
        account = account_of_mailbox(made.mailbox)
        User.objects.filter(pk=account.owner_id).update(language=language)
        deliver(made.address, b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 7000)
        wait_counted(made, 84_000)
    for _round in range(3):
        refresh_usage()
    [_a, spanish], [_b, english] = (letters(imap(made.address), 2) for made in (ana, bob))
    assert english["Subject"] == "Your mailbox is 80 % full"
    assert english["Auto-Submitted"] == "auto-generated"
    assert english["Return-Path"] in (None, "<>")
    body = english.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert f"The mailbox {bob.address} has passed 80 % of its space." in body
    assert f"/mail/{account_of_mailbox(bob.mailbox).pk}/space/" in body
    assert spanish["Subject"] is not None
    assert SpaceAlert.objects.filter(mailbox__isnull=False, mailed__isnull=False).count() == 2


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_full_mailbox_takes_no_letter_and_is_not_tried_for_ever(
    mailbox_factory: MailboxFactory, deliver: Callable[[str, bytes], None]
) -> None:
    ana = mailbox_factory("ana", quota_bytes=20_000)
    deliver(ana.address, b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 150)
    wait_counted(ana, 1800)
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(quota_bytes=1500)
    refresh_standing()
    assert find_crossings() == 1
    assert send_alerts() == 0
    assert SpaceAlert.objects.get().mailed is not None
    with pytest.raises(smtplib.SMTPDataError):
        deliver(ana.address, b"Subject: y\r\n\r\n" + b"0123456789\r\n" * 150)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_server_that_does_not_answer_is_asked_again(
    mailbox_factory: MailboxFactory, settings: Any, imap: Imap
) -> None:
    ana = mailbox_factory("ana")
    SpaceAlert.objects.create(mailbox=ana.mailbox, percent=80, at=timezone.now())
    port, settings.LMTP_PORT = settings.LMTP_PORT, 9
    assert send_alerts() == 0
    assert SpaceAlert.objects.get().mailed is None
    settings.LMTP_PORT = port
    assert send_alerts() == 1
    assert send_alerts() == 0
    assert len(letters(imap(ana.address), 1)) == 1
    staff = User.objects.create_user(ana.address, is_superuser=True, language="en")
    SpaceAlert.objects.create(percent=85, at=timezone.now())
    assert send_alerts() == 1
    assert letters(imap(staff.email), 2)[1]["Subject"] == "The mail disk has passed 85 %"


def wait_counted(made: HostedMailbox, size_bytes: int) -> None:
    until = time.monotonic() + 20
    while not MailboxUsage.objects.filter(username=made.address, bytes__gte=size_bytes).exists():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_downloading_is_proposed_to_the_owner(
    mailbox_factory: MailboxFactory, settings: Any, imap: Imap, client: Client
) -> None:
    ana = mailbox_factory("ana")
    account = account_of_mailbox(ana.mailbox)
    User.objects.filter(pk=account.owner_id).update(language="en")
    admin = signed_in(client, User.objects.create_user("admin@casilla.test", is_superuser=True))
    answer = admin.post(reverse("usage_propose", args=[ana.mailbox.pk]), {"table_least": "0", "gb": ""})
    assert answer["Location"] == reverse("usage") + "?least=0"
    [letter] = letters(imap(ana.address), 1)
    assert letter["Subject"] == "A proposal for your mailbox"
    assert reverse("mode", args=[account.pk]) in letter.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert f"Proposed to {ana.address}" in page(admin)
    settings.LMTP_PORT = 9
    admin.post(reverse("usage_propose", args=[ana.mailbox.pk]))
    assert "The mail server does not answer. Nothing was written." in page(admin)
    assert admin.post(reverse("usage_propose", args=[999_999])).status_code == 404
