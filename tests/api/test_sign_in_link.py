"""Single sign-on: a link that signs a mailbox's owner in, once, for a minute, and nobody who has more than that mailbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, Kind, MailAccount, Mailbox
from accounts.services.audit import SYSTEM
from accounts.services.mailboxes import suspend
from tests.api.conftest import call, conforms, token_of
from tests.portal.conftest import World, give, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def link(world: World, token: str = "") -> Any:
    token = token or token_of(world.one.people["domain"], ["sign-in:write"])
    answer = call(token, "POST", f"/mailboxes/{world.one.mailbox.pk}/sign-in-link")
    assert conforms("POST", "/mailboxes/{mailbox_id}/sign-in-link", answer) == ""
    return answer


def opened(address: str, **headers: str) -> tuple[int, bool]:
    """The status of the link's page, and whether who followed it is signed in."""
    client = Client(headers=headers)
    status = client.get("/" + address.split("/", 3)[3]).status_code
    return status, "_auth_user_id" in client.session


def test_it_signs_the_owner_in_once(world: World) -> None:
    first, second = link(world).json()["link"], link(world).json()["link"]
    assert opened(first, **{"Sec-Purpose": "prefetch"}) == (204, False)
    assert opened(first) == (302, True)
    assert opened(first) == (404, False)
    assert opened(second) == (404, False)  # made before somebody signed in
    verbs = set(Change.objects.filter(mailbox=world.one.mailbox).values_list("verb", flat=True))
    assert {"mailbox.enter", "mailbox.entered"} <= verbs
    assert opened(link(world).json()["link"] + "x")[0] == 404


def test_it_is_no_proof_of_the_password(world: World) -> None:
    client, box = Client(headers={"accept-language": "en"}), world.one.mailbox
    client.get("/" + link(world).json()["link"].split("/", 3)[3])
    page = client.post(reverse("portal:mailbox_forwards", args=[box.pk]), {"forwards": "yo@afuera.example"})
    assert page.status_code == 422
    assert not box.forwards.exists()


def test_it_is_over_after_a_minute_and_when_anything_changes(world: World, monkeypatch: Any) -> None:
    box, owner = world.one.mailbox, world.one.people["owner"]
    shut = link(world).json()["link"]
    suspend(mailbox=box, by=SYSTEM, active=False, receives=True, sends=True)
    assert opened(shut) == (404, False)
    assert link(world).status_code == 409
    suspend(mailbox=box, by=SYSTEM, active=True, receives=True, sends=True)
    changed = link(world).json()["link"]
    Mailbox.objects.filter(pk=box.pk).update(password="argon2$x")
    assert opened(changed) == (404, False)
    old, later = link(world).json()["link"], (timezone.now() + timedelta(seconds=61)).timestamp()
    with monkeypatch.context() as patched:
        patched.setattr("django.core.signing.time.time", lambda: later)
        assert opened(old)[0] == 404
    raised = link(world).json()["link"]
    give(owner, Kind.DOMAIN, domain=world.two.domain)
    assert opened(raised) == (404, False)


def test_nobody_who_has_more_than_the_mailbox_is_signed_in(world: World) -> None:
    assert link(world, token_of(world.provider, ["mailboxes:write"])).status_code == 403
    boss, owner = token_of(world.provider), world.one.people["owner"]
    assert link(world, boss).status_code == 200
    account = MailAccount.objects.create(owner=owner, address="ana@afuera.example", login="ana@afuera.example")
    assert link(world, boss).status_code == 403
    account.delete()
    give(owner, Kind.DOMAIN, domain=world.one.domain)
    assert link(world, boss).status_code == 403
