"""Alerts in the app: on every page, to whom they concern, until they have seen enough; and words by the plan's thresholds."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Kind, MailAccount, Mailbox, Plan, Role, User
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.notices import Notice, notices_for
from accounts.services.usage.standing import refresh_customers
from accounts.services.usage.thresholds import forget, level_of
from tests.usage.conftest import GIGA, Provider, signed_in
from tests.usage.test_alerts import fill

pytestmark = pytest.mark.django_db
BELL = 'id="bell-menu"'


def shown(person: User) -> list[tuple[str, str, int]]:
    found = notices_for(person, MailAccount.objects.filter(owner=person))
    return [(one.of, one.name, one.percent) for one in found]


def dismissed(client: Client, notice: Notice) -> Any:
    return client.post(reverse("notice_dismiss", args=[notice.alert_id]))


def test_each_sees_what_concerns_them_and_the_highest_of_it(
    provider: Provider, owner: Client, admin: Client, settings: Any
) -> None:
    fill(provider.ana, 81)
    fill(provider.ana, 92)
    Plan.objects.filter(pk=provider.ana.domain.customer.plan_id).update(total_bytes=20 * GIGA)
    settings.MAIL_DISK_BYTES = 20 * GIGA
    fill(provider.bob, 95)
    refresh_customers()
    find_crossings()
    customer, stranger = User.objects.create_user("jefa@x.test"), User.objects.create_user("nadie@afuera.test")
    Role.objects.create(person=customer, kind=Kind.CUSTOMER, customer=provider.ana.domain.customer)
    ana, boss = User.objects.get(email="ana@x.test"), User.objects.get(email="admin@casilla.test")
    assert shown(ana) == [("mailbox", "ana@x.test", 90)]
    assert sorted(shown(customer)) == [("customer", "Equis", 90), ("domain", "x.test", 90)]
    assert shown(boss) == [("disk", "", 90)]
    assert shown(stranger) == []
    (mine,) = notices_for(ana, MailAccount.objects.filter(owner=ana))
    for client in (signed_in(Client(), stranger), signed_in(Client(), customer), admin):
        assert dismissed(client, mine).status_code == 404
    assert Client().post(reverse("notice_dismiss", args=[mine.alert_id])).status_code == 302
    assert owner.get(reverse("notice_dismiss", args=[mine.alert_id])).status_code == 405
    assert shown(ana) == [("mailbox", "ana@x.test", 90)]


def test_the_bell_is_on_every_page_until_it_is_dismissed(provider: Provider, owner: Client, admin: Client) -> None:
    account = MailAccount.objects.get(mailbox=provider.ana)
    pages = [reverse("account_activity", args=[account.pk]), reverse("portal:mailbox", args=[provider.ana.pk])]
    assert all(BELL not in owner.get(one).content.decode() for one in pages)
    fill(provider.ana, 92)
    for one in pages:
        html = owner.get(one).content.decode()
        assert BELL in html
        assert "ana@x.test has passed 90 % of its space" in html
        assert reverse("space", args=[account.pk]) in html
    (notice,) = notices_for(account.owner, [account])
    assert (
        owner.post(reverse("notice_dismiss", args=[notice.alert_id]), headers={"referer": pages[0]}).status_code == 302
    )
    assert all(BELL not in owner.get(one).content.decode() for one in pages)
    fill(provider.ana, 97)  # a crossing of its own
    assert BELL in owner.get(pages[0]).content.decode()
    bell = owner.post(
        reverse("notice_dismiss", args=[notices_for(account.owner, [account])[0].alert_id]),
        headers={"hx-request": "true"},
    )
    assert bell.status_code == 200
    assert BELL not in bell.content.decode()
    fill(provider.ana, 50)
    fill(provider.ana, 92)  # passed anew
    assert shown(account.owner) == [("mailbox", "ana@x.test", 90)]
    fill(provider.ana, 50)
    assert shown(account.owner) == []


def test_what_the_bell_says_costs_one_question(
    provider: Provider, owner: Client, django_assert_num_queries: Any
) -> None:
    account = MailAccount.objects.select_related("owner").get(mailbox=provider.ana)
    fill(provider.ana, 92)
    with django_assert_num_queries(1):
        assert notices_for(account.owner, [account])


def test_words_of_a_mailbox_follow_its_plan(provider: Provider) -> None:
    levels = [level_of(provider.ana, percent) for percent in (49, 79, 80, 89, 90, 99, 100)]
    assert levels == ["", "", "some", "some", "near", "near", "full"]
    Plan.objects.filter(pk=provider.ana.domain.customer.plan_id).update(owner_steps=[60, 90])
    forget()
    ana = Mailbox.objects.select_related("domain").get(pk=provider.ana.pk)  # its plan is asked for
    assert [level_of(ana, percent) for percent in (59, 60, 90)] == ["", "some", "near"]
    Plan.objects.filter(pk=provider.ana.domain.customer.plan_id).update(owner_steps=[95])
    forget()
    assert [level_of(ana, percent) for percent in (94, 95, 99, 100)] == ["", "near", "near", "full"]
    assert level_of(None, 85) == "some"
