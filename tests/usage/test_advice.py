"""The advice of the activity page, followed by the owner and by whoever runs the mailbox; strangers see nothing."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, Kind, LogPosition, MailAccount, Role, User
from tests.usage.conftest import Provider, signed_in
from tests.usage.test_activity import account_page, happened

pytestmark = pytest.mark.django_db


def undo_of(client: Client, provider: Provider) -> str:
    """Where the sentence on the activity page leads to take it back."""
    html = account_page(client, provider.ana)
    found = re.search(r'action="(/portal/usage/mailbox/\d+/advice/undo/[^"]+)"', html)
    assert found
    return found[1]


def test_the_answer_leads_to_what_sets_it_and_back_with_undo(provider: Provider, owner: Client) -> None:
    LogPosition.objects.create(path="x", began=timezone.now(), checked=timezone.now())
    happened(provider.ana, "taken", 123, protocol="pop3", folder="")
    page = reverse("usage_advice", args=[provider.ana.pk])
    html = account_page(owner, provider.ana)
    assert f'href="{page}"' in html
    assert f'href="{page}?do=imap"' in html
    assert 'value="14"' in owner.get(page).content.decode()
    assert owner.post(page, {"do": "leave", "days": "30"}).status_code == 302
    account = MailAccount.objects.get(mailbox=provider.ana)
    assert account.leave_days == 30
    back = undo_of(owner, provider)
    change = Change.objects.filter(verb="mailbox.change").latest("pk")
    assert change.after == {"leave_days": 30}
    assert owner.post(back).status_code == 302
    account.refresh_from_db()
    assert account.leave_days == 14


def test_imap_alone_shuts_pop3_until_it_is_taken_back(provider: Provider, owner: Client) -> None:
    page = reverse("usage_advice", args=[provider.ana.pk])
    assert re.search(r'value="imap" checked', owner.get(page + "?do=imap").content.decode())
    owner.post(page, {"do": "imap"})
    provider.ana.refresh_from_db()
    assert not provider.ana.pop3
    back = undo_of(owner, provider)
    assert "There is nothing to set" in owner.get(page).content.decode()
    assert owner.post(page, {"do": "imap"}).status_code == 422
    owner.post(back)
    provider.ana.refresh_from_db()
    assert provider.ana.pop3


def test_wrong_input_is_said_at_its_field(provider: Provider, owner: Client) -> None:
    page = reverse("usage_advice", args=[provider.ana.pk])
    for days in ("", "0", "366", "9" * 40, "x", "-1", "1.5"):
        answer = owner.post(page, {"do": "leave", "days": days})
        assert answer.status_code == 422, days
        assert 'aria-describedby="advice-days-error"' in answer.content.decode(), days
    assert "Choose one of both" in owner.post(page, {"do": "all", "days": "3"}).content.decode()
    assert owner.post(page, {"do": "imap", "days": "x"}).status_code == 302


def test_mail_that_casilla_downloads_is_left_to_its_policy(provider: Provider, owner: Client) -> None:
    page = reverse("usage_advice", args=[provider.ana.pk])
    owner.post(page, {"do": "leave", "days": "30"})
    back = undo_of(owner, provider)
    MailAccount.objects.filter(mailbox=provider.ana).update(mode="download")
    assert "There is nothing to set" in owner.get(page).content.decode()
    assert owner.post(page, {"do": "leave", "days": "3"}).status_code == 422
    owner.post(back)
    assert MailAccount.objects.get(mailbox=provider.ana).leave_days == 30


def test_for_whom_it_is(provider: Provider, owner: Client, admin: Client) -> None:
    mine, other = (reverse("usage_advice", args=[box.pk]) for box in (provider.ana, provider.eva))
    customer = User.objects.create_user("jefa@x.test")
    Role.objects.create(person=customer, kind=Kind.CUSTOMER, customer=provider.ana.domain.customer)
    stranger = User.objects.create_user("nadie@afuera.test")
    owner.post(mine, {"do": "leave", "days": "30"})
    back = undo_of(owner, provider)
    clients = {"owner": owner, "customer": signed_in(Client(), customer), "admin": admin}
    for name, client in clients.items():
        assert client.get(mine).status_code == 200, name
        expected = 200 if name == "admin" else 404
        assert client.get(other).status_code == expected, name
        assert client.post(other, {"do": "x"}).status_code == (422 if name == "admin" else 404), name
        assert client.post(back.replace("/undo/", "/undo/x")).status_code == 404, name
        assert client.get(back).status_code == 405, name
    for client, expected in ((signed_in(Client(), stranger), 404), (Client(), 302)):
        for answer in (client.get(mine), client.post(mine, {"do": "imap"}), client.post(back)):
            assert answer.status_code == expected
    moved = back.replace(f"/mailbox/{provider.ana.pk}/", f"/mailbox/{provider.eva.pk}/")
    assert admin.post(moved).status_code == 404
