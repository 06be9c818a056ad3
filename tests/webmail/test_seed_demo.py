"""People of the demo are made once, whatever was done to them since."""

from __future__ import annotations

import pytest

from accounts.models import DaySpace, DomainSpace, Mailbox, MailboxHistory, MailboxSpace, MailboxUsage
from accounts.services.audit import SYSTEM
from accounts.services.mailboxes import rename
from accounts.services.permissions import Held
from accounts.services.usage.history import past_of
from accounts.services.usage.parts import unused
from accounts.services.usage.report import read_report
from accounts.services.usage.scope import Scope
from accounts.usage.series import unpack
from deploy.people import PEOPLE
from webmail.management.commands.seed_demo import make_people
from webmail.management.history import make_past

pytestmark = pytest.mark.django_db


def test_a_mailbox_that_was_renamed_is_not_made_again() -> None:
    passwords = {person.address: "una-clave-larga-9" for person in PEOPLE}
    make_people(passwords)
    for mailbox in Mailbox.objects.all():
        rename(mailbox=mailbox, local=f"otra-{mailbox.number}", by=SYSTEM, keep_alias=False)
    make_people(passwords)
    assert Mailbox.objects.count() == len(PEOPLE)
    assert all(mailbox.address.startswith("otra-") for mailbox in Mailbox.objects.all())


def test_the_demo_has_a_past_that_ends_with_what_it_holds() -> None:
    make_people({person.address: "una-clave-larga-9" for person in PEOPLE})
    for number, mailbox in enumerate(Mailbox.objects.order_by("number")):
        MailboxUsage.objects.create(username=mailbox.address, bytes=(number + 1) * 40_000_000, messages=100)
    assert make_past() == len(PEOPLE)
    for space in MailboxSpace.objects.select_related("mailbox"):
        samples = unpack(bytes(MailboxHistory.objects.get(pk=space.pk).samples))
        assert abs(samples[-1].size_bytes - space.bytes) <= 8192
        assert abs(samples[-2].size_bytes - space.bytes) < space.bytes // 20
        assert samples[0].size_bytes < space.bytes // 2
    whole = Scope(Held(provider=True))
    report = read_report(whole)
    assert report
    assert report.judged
    assert report.month_bytes
    assert len(past_of(whole).promised) == 2  # one came later
    assert report.chart
    assert len(report.chart.promised) > 50
    assert MailboxSpace.objects.filter(jump_on__isnull=False).exists()
    assert MailboxSpace.objects.filter(unused()).count() == 2
    assert unpack(bytes(DomainSpace.objects.get().promised))
    days = DaySpace.objects.count()
    assert make_past() == 0
    assert DaySpace.objects.count() == days == 731
