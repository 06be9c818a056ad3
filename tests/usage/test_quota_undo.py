"""Taking back quotas asks all that changing them asks: it is done for all of them, or a sentence says why for none."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Kind, Mailbox, MailboxUsage, Role, User
from accounts.services.audit import SYSTEM
from accounts.services.mailboxes import change_mailbox
from tests.usage.conftest import GIGA, Provider, runner
from tests.usage.test_pages import page

pytestmark = pytest.mark.django_db


def give(client: Client, gigabytes: int, *mailboxes: Mailbox) -> str:
    """The address that takes it back."""
    answer = client.post(reverse("usage_quota"), {"gb": str(gigabytes), "mailbox": [one.pk for one in mailboxes]})
    assert answer.status_code == 302
    found = re.search(r'action="([^"]+/undo/[^"]+)"', page(client))
    assert found
    return found[1]


def quotas() -> list[int]:
    return [size // GIGA for size in Mailbox.objects.order_by("address").values_list("quota_bytes", flat=True)]


def changed_again(provider: Provider, settings: Any) -> str:
    for size in (13, 12):  # and back
        change_mailbox(mailbox=provider.bob, by=SYSTEM, quota_bytes=size * GIGA)
    return "The quota of bob@x.test was changed again since. Nothing was changed."


def gone(provider: Provider, settings: Any) -> str:
    Mailbox.objects.filter(pk=provider.bob.pk).delete()
    return "Not all of these mailboxes are there any more. Nothing was changed."


def filled(provider: Provider, settings: Any) -> str:
    MailboxUsage.objects.filter(username="bob@x.test").update(bytes=11 * GIGA)
    return "bob@x.test uses more than that."


@pytest.mark.parametrize("meanwhile", [changed_again, gone, filled])
def test_what_is_not_as_it_was_stays(
    provider: Provider, admin: Client, settings: Any, meanwhile: Callable[[Provider, Any], str]
) -> None:
    undo = give(admin, 12, provider.ana, provider.bob)
    said = meanwhile(provider, settings)
    before = quotas()
    assert admin.post(undo).status_code == 302
    assert said in page(admin)
    assert quotas() == before
    assert before[0] == 12


def test_no_more_is_promised_by_taking_back_than_was_agreed(provider: Provider, admin: Client, settings: Any) -> None:
    undo = give(admin, 9, provider.eva)
    settings.MAIL_DISK_BYTES = 23_500_000_000  # of which 125 % may be promised: 29.4 GB
    admin.post(undo)
    assert "That would promise 127 % of the disk, more than was agreed." in page(admin)
    assert quotas() == [10, 10, 9]
    settings.MAIL_DISK_BYTES = 24 * GIGA
    admin.post(undo)
    assert quotas() == [10, 10, 10]
    admin.post(undo)  # a second time
    assert "The quota of eva@y.test was changed again since." in page(admin)


def test_of_who_runs_more_by_now_nothing_is_taken_back(three: dict[str, Client], provider: Provider) -> None:
    undo = give(three["domain"], 12, provider.ana)
    ana = User.objects.create_user("ana@x.test")
    Role.objects.create(person=ana, kind=Kind.CUSTOMER, customer=provider.ana.domain.customer)
    three["domain"].post(undo)
    said = entities.unescape(page(three["domain"]))
    assert "ana@x.test is of somebody who runs more than you do." in said
    assert quotas()[0] == 12
    other, _person = runner(Kind.DOMAIN, domain=provider.eva.domain)
    other.post(undo)
    assert "Not all of these mailboxes are there any more." in page(other)
    assert quotas()[0] == 12
