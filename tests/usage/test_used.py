"""Mailboxes that nobody opens: a sign-in takes one out at once, and of what was not recorded nothing is claimed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import LogPosition, Mailbox, MailboxSpace
from accounts.services.usage.parts import unused
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.standing import refresh_standing
from accounts.services.usage.used import note_programs
from tests.usage.conftest import Provider

pytestmark = pytest.mark.django_db


def idle() -> set[str]:
    return set(MailboxSpace.objects.filter(unused()).values_list("mailbox__address", flat=True))


def recorded(days: int) -> datetime:
    """Recording began so many days ago."""
    began = timezone.now() - timedelta(days=days)
    LogPosition.objects.all().delete()
    LogPosition.objects.create(path="/var/log/dovecot.log", began=began, checked=timezone.now())
    return began


def test_nothing_is_claimed_of_what_was_before_recording(provider: Provider) -> None:
    Mailbox.objects.update(created=timezone.now() - timedelta(days=900))
    recorded(100)
    take_samples()
    assert idle() == set()
    MailboxSpace.objects.all().delete()
    refresh_standing()  # a row that is made between two samples
    assert idle() == set()
    began = recorded(200)
    take_samples()
    assert idle() == {"ana@x.test", "bob@x.test", "eva@y.test"}
    assert set(MailboxSpace.objects.values_list("idle_since", flat=True)) == {began}


def test_a_sign_in_takes_a_mailbox_out_at_once(provider: Provider, client: Client) -> None:
    now = timezone.now()
    MailboxSpace.objects.update(idle_since=now - timedelta(days=300))
    note_programs([("ana@x.test", now - timedelta(hours=5)), ("ana@x.test", now), ("fremd@z.test", now)])
    assert idle() == {"bob@x.test", "eva@y.test"}
    assert MailboxSpace.objects.get(pk=provider.ana.pk).used_at == now
    note_programs([("ana@x.test", now - timedelta(days=200))])  # an older line of a log that is read anew
    assert MailboxSpace.objects.get(pk=provider.ana.pk).used_at == now
    answer = client.post(reverse("account_login"), {"login": "bob@x.test", "password": "clave"})
    assert answer.status_code == 302
    assert idle() == {"eva@y.test"}
    assert MailboxSpace.objects.filter(~Q(used_at=None)).count() == 2
