"""The password is asked again before what hands a mailbox over; wrong ones, links and invitations are counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import confirm
from accounts.models import ApiToken, AppPassword, Invitation, Mailbox
from tests.portal.conftest import PASSWORD, World

pytestmark = pytest.mark.django_db
WRONG = "otra-cosa-distinta-5"


@pytest.fixture(autouse=True)
def _counts() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def acts(world: World) -> dict[str, tuple[str, str, dict[str, Any], Any]]:
    """(whose window, address, what is sent, whether it was done) of each."""
    box = world.one.mailbox
    account = box.account.pk
    person = world.one.people["domain"]
    return {
        "device": (
            "owner",
            reverse("app_passwords", args=[account]),
            {"name": "Mac", "protocols": ["imap"]},
            lambda: AppPassword.objects.filter(mailbox=box).exists(),
        ),
        "recovery": (
            "owner",
            reverse("portal:mailbox", args=[box.pk]),
            {"name": "Ana", "recovery_address": "yo@afuera.example"},
            lambda: Mailbox.objects.get(pk=box.pk).recovery_address,
        ),
        "forward": (
            "owner",
            reverse("portal:mailbox_forwards", args=[box.pk]),
            {"forwards": "yo@afuera.example", "keeps_copy": "on"},
            lambda: box.forwards.exists(),
        ),
        "token": (
            "domain",
            reverse("portal:tokens"),
            {"name": "nuevo", "scopes": ["mailboxes:read"], "days": "30"},
            lambda: ApiToken.objects.filter(person=person, name="nuevo").exists(),
        ),
    }


@pytest.mark.parametrize("act", ["device", "recovery", "forward", "token"])
def test_an_open_window_alone_is_not_enough(world: World, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    who, page, data, done = acts(world)[act]
    client = world.client(world.one.people[who])
    assert 'name="current"' in client.get(page).content.decode()
    for typed in ("", WRONG):
        answer = client.post(page, data | {"current": typed})
        assert answer.status_code == 422
        assert ("This is not" if typed else "Write your password") in answer.content.decode()
        assert not done()
    assert client.post(page, data | {"current": PASSWORD}).status_code in {200, 302}
    assert done()
    assert 'name="current"' not in client.get(page).content.decode()
    monkeypatch.setattr(confirm, "FRESH_S", 0)
    assert 'name="current"' in client.get(page).content.decode()


def test_who_has_just_signed_in_is_not_asked(world: World) -> None:
    client = Client(headers={"accept-language": "en"})
    client.post(reverse("account_login"), {"login": world.one.mailbox.address, "password": PASSWORD})
    _who, page, data, done = acts(world)["device"]
    assert client.post(page, data).status_code == 200
    assert done()


def test_an_answer_counts_for_its_own_mailbox_alone(world: World) -> None:
    """Two mailboxes of one person: the password of one does not open the other."""
    account = world.two.mailbox.account
    account.owner = world.one.people["owner"]
    account.save()
    client = world.client(account.owner)
    _who, page, data, _done = acts(world)["device"]
    assert client.post(page, data | {"current": PASSWORD}).status_code == 200
    other = reverse("app_passwords", args=[account.pk])
    assert client.post(other, data).status_code == 422


def test_a_profile_for_a_device_is_asked_for_too(world: World) -> None:
    client = world.client(world.one.people["owner"])
    page = reverse("profile_make", args=[world.one.mailbox.account.pk, "iphone"])
    refused = client.post(page, {"protocol": "imap", "device": "iPhone"})
    assert refused.status_code == 422
    assert "Write your password" in refused.content.decode()
    assert client.post(page, {"protocol": "imap", "device": "iPhone", "current": PASSWORD}).status_code == 302


@pytest.mark.parametrize("page", ["device", "password"])
def test_after_five_wrong_passwords_the_right_one_waits(world: World, page: str) -> None:
    client = world.client(world.one.people["owner"])
    _who, address, data, done = acts(world)["device"]
    if page == "password":
        address = reverse("portal:mailbox_password", args=[world.one.mailbox.pk])
        data = {"password": "cuatro-molinos-azules-3", "again": "cuatro-molinos-azules-3"}
    for _again in range(5):
        client.post(address, data | {"current": WRONG})
    answer = client.post(address, data | {"current": PASSWORD})
    assert answer.status_code == 422
    assert "Too many wrong passwords" in answer.content.decode()
    assert not done()


def test_invitations_and_links_are_counted(world: World) -> None:
    """Five in an hour to one address, and for one mailbox, whoever asks."""
    client = world.client(world.one.people["domain"])
    people = reverse("portal:domain_people", args=[world.one.domain.pk])
    data = {"address": "Nueva@afuera.example", "kind": "domain"}
    assert [client.post(people, data).status_code for _again in range(6)] == [302] * 5 + [422]
    assert Invitation.objects.filter(address="nueva@afuera.example").count() == 1
    other = world.client(world.one.people["customer"])
    assert other.post(people, data).status_code == 422
    link = reverse("portal:password_link", args=[world.one.mailbox.pk])
    assert [client.post(link).status_code for _again in range(6)] == [200] * 5 + [429]
    assert "There were many links already" in client.post(link).content.decode()
