"""Full is said of the same mailboxes everywhere: beside the folders, by the bell, in the portal and in the letter of the week."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Mailbox, MailboxSpace, MailboxUsage, Plan, User
from accounts.services.login import account_of_mailbox
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.notices import notices_for
from accounts.services.usage.standing import permille_now, refresh_standing
from accounts.services.usage.weekly import send_summaries
from tests.usage.conftest import GIGA, Provider
from tests.usage.test_told import MONDAY
from webmail.values import Quota

pytestmark = pytest.mark.django_db


def stand(mailbox: Mailbox, size_bytes: int, messages: int) -> int:
    """So much is in it; gives how many alerts follow."""
    MailboxUsage.objects.filter(username=mailbox.address).update(bytes=size_bytes, messages=messages)
    refresh_standing()
    return find_crossings()


def beside_folders(mailbox: Mailbox, size_bytes: int) -> str:
    account = account_of_mailbox(mailbox)
    quota = Quota(size_bytes, mailbox.quota_bytes)
    return render_to_string("webmail/quota.html", {"quota": quota, "account": account})


@pytest.mark.parametrize(
    ("size_bytes", "messages", "percent"),
    [(9_960_000_000, 100, 100), (9_960_000_000, 1_000_000, 99), (11_390_000_000, 1000, 113)],
)
def test_full_is_the_same_everywhere(
    provider: Provider, admin: Client, settings: Any, size_bytes: int, messages: int, percent: int
) -> None:
    settings.LANGUAGE_CODE = "en"
    ana, full = provider.ana, percent >= 100
    stand(ana, size_bytes, messages)
    line = beside_folders(ana, size_bytes)
    assert f"<span>{percent} %</span>" in line
    assert ("Full: mail is refused" in line, "Nearly full" in line) == (full, not full)
    head = admin.get(reverse("portal:mailbox", args=[ana.pk])).content.decode()
    assert (f"v-{min(percent, 100)} " in head, "badge--lacre" in head) == (True, full)
    row = admin.get(reverse("portal:domain", args=[ana.domain_id])).content.decode()
    assert (f"v-{min(percent, 100)} " in row, ">full<" in row) == (True, full)
    assert f'<b class="t-lacre">{percent} %</b>' in admin.get(reverse("usage")).content.decode()
    User.objects.update(language="en")
    assert send_summaries(now=MONDAY) == 1
    told = f"ana@x.test  {percent} %" + (" (full)" if full else "")
    assert f"{told}\n" in str(mail.outbox[-1].body)


def test_the_bell_says_full_by_what_is_there_now(provider: Provider) -> None:
    """Though the list of thresholds ends below, and no longer than it is so."""
    ana = provider.ana
    Plan.objects.filter(customers=ana.domain.customer_id).update(owner_steps=[80, 95])
    account = account_of_mailbox(ana)

    def bell() -> list[int]:
        return [one.percent for one in notices_for(account.owner, [account])]

    assert stand(ana, 9_700_000_000, 1000) > 0
    assert bell() == [95]
    stand(ana, 10_100_000_000, 1000)
    assert bell() == [100]
    Plan.objects.update(owner_steps=[80, 100])
    stand(ana, 10_100_000_000, 1000)
    stand(ana, 9_700_000_000, 1000)  # not well below yet
    assert bell() == [97]


def test_messages_are_asked_for_where_they_decide_alone(provider: Provider) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert permille_now(provider.ana, 9_800_000_000, 10 * GIGA) == 980
        assert permille_now(provider.ana, 10_400_000_000, 10 * GIGA) == 1040
        assert permille_now(None, 9_960_000_000, 10 * GIGA) == 996
        assert permille_now(provider.ana, 5, 0) == 0
    assert not asked.captured_queries
    MailboxSpace.objects.filter(pk=provider.ana.pk).update(messages=100)
    assert permille_now(provider.ana, 9_960_000_000, 10 * GIGA) == 1000
