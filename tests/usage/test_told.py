"""Who is told what: resellers by lists of their own, everybody who runs something once a week, and servers that do not answer."""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, Customer, CustomerSpace, Kind, Plan, SpaceAlert, UsageLimits, User, WeeklySummary
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.letters import send_alerts
from accounts.services.usage.notices import notices_for
from accounts.services.usage.standing import refresh_customers, refresh_domains
from accounts.services.usage.weekly import send_summaries, want_summary
from tests.usage.conftest import Provider, runner
from tests.usage.test_pages import page

MONDAY = datetime(2026, 11, 30, 9, tzinfo=timezone.get_default_timezone())
pytestmark = pytest.mark.django_db


def test_the_letter_of_the_week_comes_once(three: dict[str, Client], provider: Provider, admin: Client) -> None:
    early = MONDAY.replace(hour=6)
    assert send_summaries(now=early) == 0
    # On a new installation as well: nobody was ever written to, and it is no Monday.
    assert [send_summaries(now=MONDAY + timedelta(days=days)) for days in range(-6, 0)] == [0] * 6
    assert send_summaries(now=MONDAY) == 4
    assert send_summaries(now=MONDAY + timedelta(hours=3)) == 0
    customers = [letter for letter in mail.outbox if "of the plan's 30" in str(letter.body)]
    assert len(customers) == 1
    body = str(customers[0].body).replace("\u00a0", " ")
    assert "18.3 GB of the plan's 30 GB are used (61 %)." in body
    assert "1 mailbox is fuller than 90 %:\n  ana@x.test  97 %" in body
    assert "eva@y.test" not in body
    want_summary(User.objects.get(email=customers[0].to[0]), wanted=False)
    assert send_summaries(now=MONDAY + timedelta(days=7)) == 3


def test_the_letter_of_the_week_says_what_is_nearly_full_by_the_lists(
    three: dict[str, Client], provider: Provider, admin: Client
) -> None:
    User.objects.filter(email="admin@casilla.test").update(language="en")
    UsageLimits.objects.create(owner_steps=[70, 85])
    assert send_summaries(now=MONDAY) == 4
    bodies = {letter.to[0]: str(letter.body) for letter in mail.outbox}
    assert "2 mailboxes are fuller than 85 %:\n  ana@x.test  97 %\n  bob@x.test  86 %" in bodies["admin@casilla.test"]
    mail.outbox.clear()
    Plan.objects.filter(customers=provider.eva.domain.customer_id).update(owner_steps=[1])
    Plan.objects.filter(customers=provider.ana.domain.customer_id).update(owner_steps=[80, 99])
    assert send_summaries(now=MONDAY + timedelta(days=7)) == 4
    bodies = {letter.to[0]: str(letter.body) for letter in mail.outbox}
    assert "1 mailbox is nearly full by the thresholds of its plan:\n  eva@y.test  1 %" in bodies["admin@casilla.test"]
    customer = User.objects.get(roles__kind=Kind.CUSTOMER).email
    assert "No mailbox is fuller than 99 %." in bodies[customer]


def test_a_reseller_is_told_by_a_list_of_its_own(provider: Provider, three: dict[str, Client], admin: Client) -> None:
    customer = provider.ana.domain.customer
    seller = customer.reseller
    assert seller
    person = User.objects.get(roles__kind=Kind.RESELLER)
    assert "Tell the reseller when so much is used" in page(three["reseller"])
    change = reverse("usage_reseller_limit", args=[seller.pk])
    for text in ("9, 50", "50, 40", "101", "10 20 30 40 50 60 70"):
        answer = three["reseller"].post(change, {"alert_steps": text})
        assert (answer.status_code, b"field__error" in answer.content) == (422, True)
    assert three["reseller"].post(change, {"alert_steps": "55, 60"}).status_code == 302
    seller.refresh_from_db()
    assert seller.alert_steps == [55, 60]
    assert Change.objects.filter(verb="reseller.change", after={"alert_steps": [55, 60]}).exists()
    refresh_domains()
    refresh_customers()
    find_crossings()
    told = SpaceAlert.objects.filter(reseller=seller).exclude(mailed=F("at"))
    assert sorted(told.values_list("customer", "percent"), key=str) == sorted([(customer.pk, 60), (None, 60)], key=str)
    assert find_crossings() == 0
    send_alerts()
    letters = [letter.subject for letter in mail.outbox if letter.to == [person.email]]
    assert sorted(letters) == [
        "Equis uses 60 % of its space",
        f"The mailboxes of {seller.name}'s customers are 60 % full",
    ]
    bell = {(one.of, one.percent) for one in notices_for(person, [])}
    assert bell == {("customer", 60), ("reseller", 60)}
    boss = User.objects.get(roles__kind=Kind.CUSTOMER)
    assert {one.of for one in notices_for(boss, [])} == {"domain"}  # its own plan has passed none of its own list
    assert "resellers told 2 times of passing 60 %" in page(three["reseller"])
    assert "resellers told" not in page(three["customer"])
    Customer.objects.filter(pk=customer.pk).update(reseller=None)
    find_crossings()
    assert not SpaceAlert.objects.filter(reseller=seller, customer=customer, cleared=None).exists()
    assert CustomerSpace.objects.get(pk=customer.pk).seller_alerted == 0


def test_who_ends_the_letter_gets_none(three: dict[str, Client]) -> None:
    client = three["customer"]
    assert "comes on Mondays" in page(client)
    client.post(reverse("usage_summary"))
    assert "No letter of the week comes." in page(client)
    assert WeeklySummary.objects.get().wanted is False
    client.post(reverse("usage_summary"), {"wanted": "1"})
    assert WeeklySummary.objects.get().wanted is True


def test_who_cannot_be_written_to_holds_nobody_back(
    three: dict[str, Client], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server hangs up on the letters of one address; the others get theirs, once."""
    customer = provider.ana.domain.customer
    first = User.objects.get(roles__kind=Kind.CUSTOMER)
    runner(Kind.CUSTOMER, customer=customer)
    real = mail.EmailMessage.send

    def send(letter: mail.EmailMessage, fail_silently: bool = False) -> int:
        if first.email in letter.to:
            raise smtplib.SMTPServerDisconnected
        return real(letter, fail_silently)

    monkeypatch.setattr(mail.EmailMessage, "send", send)
    SpaceAlert.objects.create(customer=customer, percent=80, at=timezone.now())
    assert [send_alerts() for _round in range(3)] == [1, 0, 0]
    assert [send_summaries(now=MONDAY) for _round in range(2)] == [3, 0]
    monkeypatch.setattr(mail.EmailMessage, "send", real)
    assert send_summaries(now=MONDAY) == 1


def test_a_name_of_two_lines_is_a_subject_of_one(three: dict[str, Client], provider: Provider) -> None:
    customer = provider.ana.domain.customer
    Customer.objects.filter(pk=customer.pk).update(name="Linea\nuno")
    SpaceAlert.objects.create(customer=customer, percent=80, at=timezone.now())
    assert send_alerts() == 1
    assert mail.outbox[0].subject == "Linea uno uses 80 % of its space"


def test_a_server_that_does_not_take_it_is_asked_again(three: dict[str, Client], settings: Any) -> None:
    kept, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9
    assert send_summaries(now=MONDAY) == 0
    settings.EMAIL_BACKEND = kept
    assert send_summaries(now=MONDAY) == 3
