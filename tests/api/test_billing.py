"""What billing panels need: a customer shut as a whole and opened again, their own ids of things, mailboxes made as they are to
be."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Change, MailAccount, Mailbox, MailboxUsage
from tests.api.conftest import call, conforms, token_of
from tests.portal.conftest import PASSWORD, World, make_mailbox, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def seen_by_the_servers(*addresses: str) -> list[list[bool]]:
    """Who signs in, receives, sends: as Dovecot and Postfix read it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT email, active, receives, sends FROM mail_users")
        rows = {row[0]: [bool(value) for value in row[1:]] for row in cursor.fetchall()}
    return [rows[address] for address in addresses]


def test_a_customer_is_shut_as_a_whole_and_is_as_it_was_when_it_is_opened(world: World) -> None:
    side, other = world.one, world.two.mailbox.address
    half = make_mailbox(side.domain, "mitad", sends=False).address
    token, where = token_of(side.people["reseller"]), f"/customers/{side.customer.pk}"
    owner, boss = world.client(side.people["owner"]), world.client(side.people["reseller"])
    own = token_of(side.people["owner"])
    assert owner.get(reverse("portal:mailbox", args=[side.mailbox.pk])).status_code == 200
    shut = call(token, "POST", f"{where}/suspend")
    assert (shut.status_code, conforms("POST", "/customers/{customer_id}/suspend", shut)) == (200, "")
    since = shut.json()["suspended"]
    assert since == call(token, "POST", f"{where}/suspend").json()["suspended"]
    assert seen_by_the_servers(side.mailbox.address, half, other) == [[False] * 3, [False] * 3, [True] * 3]
    assert owner.get(reverse("portal:mailbox", args=[side.mailbox.pk])).status_code == 302
    assert call(own, "GET", "/me").status_code == 401
    for name, thing in (("customer", side.customer), ("domain", side.domain), ("mailbox", side.mailbox)):
        assert "is suspended as a whole" in boss.get(reverse(f"portal:{name}", args=[thing.pk])).content.decode(), name
    signed = world.client(None).post(reverse("account_login"), {"login": side.mailbox.address, "password": PASSWORD})
    assert "closed for now" in signed.content.decode()
    assert call(token, "POST", f"{where}/resume").json()["suspended"] is None
    assert seen_by_the_servers(side.mailbox.address, half, other) == [[True] * 3, [True, True, False], [True] * 3]
    assert call(own, "GET", "/me").status_code == 200
    verbs = Change.objects.filter(customer=side.customer, verb__startswith="customer.").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["customer.suspend", "customer.resume"]


def test_the_page_of_a_customer_shuts_and_opens_it(world: World) -> None:
    side = world.one
    boss, page = world.client(side.people["reseller"]), reverse("portal:customer", args=[side.customer.pk])
    act = reverse("portal:customer_open", args=[side.customer.pk])
    boss.post(act, {"active": "0"})
    side.customer.refresh_from_db()
    assert side.customer.suspended
    assert "Open the customer again" in boss.get(page).content.decode()
    boss.post(act, {"active": "1"})
    side.customer.refresh_from_db()
    assert side.customer.suspended is None
    # Who holds it is who sits above it: not its own people, who still see that it is shut.
    assert "Suspend the whole customer" not in world.client(side.people["customer"]).get(page).content.decode()


def test_nobody_shuts_themselves_out_with_a_customer(world: World) -> None:
    MailAccount.objects.filter(mailbox=world.one.mailbox).update(owner=world.provider)
    refused = call(token_of(world.provider), "POST", f"/customers/{world.one.customer.pk}/suspend")
    assert (refused.status_code, "shut yourself out" in refused.json()["detail"]) == (422, True)


def test_things_are_found_by_what_the_other_panel_calls_them(world: World) -> None:
    token, side = token_of(world.one.people["reseller"]), world.one
    made = call(token, "POST", "/customers", {"name": "Nueva", "plan": world.plan.pk, "reference": " c-1 "}).json()
    assert made["reference"] == "c-1"
    domain = {"customer": made["id"], "name": "nueva.test", "reference": "c-1"}  # of another kind: another thing
    where = call(token, "POST", "/domains", domain).json()["id"]
    box = {"domain": where, "local": "eva", "reference": "s-1"}
    call(token, "POST", "/mailboxes", box)
    for kind, text in (("customers", "c-1"), ("domains", "c-1"), ("mailboxes", "s-1")):
        found = call(token, "GET", f"/{kind}?reference={text}").json()["items"]
        assert [one["reference"] for one in found] == [text], kind
        assert call(token_of(world.two.people["reseller"]), "GET", f"/{kind}?reference={text}").json()["items"] == []
    taken = [
        ("POST", "/customers", {"name": "Otra", "plan": world.plan.pk, "reference": "c-1"}),
        ("POST", "/domains", {"customer": side.customer.pk, "name": "otra.test", "reference": "c-1"}),
        ("POST", "/mailboxes", {"domain": side.domain.pk, "local": "otra", "reference": "s-1"}),
        ("PATCH", f"/customers/{side.customer.pk}", {"reference": "c-1"}),
        ("PATCH", f"/domains/{side.domain.pk}", {"reference": "c-1"}),
        ("PATCH", f"/mailboxes/{side.mailbox.pk}", {"reference": "s-1"}),
        ("PATCH", f"/mailboxes/{side.mailbox.pk}", {"reference": "dos\nlíneas"}),
    ]
    for method, path, data in taken:
        assert set(call(token, method, path, data).json()["errors"]) == {"reference"}, path
    boss = token_of(world.provider)
    same = {"name": "Suya", "plan": world.plan.pk, "reseller": world.two.reseller.pk, "reference": "c-1"}
    assert call(boss, "POST", "/customers", same).status_code == 201
    moved = call(boss, "PATCH", f"/customers/{made['id']}", {"reseller": world.two.reseller.pk})
    assert set(moved.json()["errors"]) == {"reseller"}
    assert call(token, "PATCH", f"/customers/{made['id']}", {"reference": None}).json()["reference"] is None
    # What others are called is told to nobody who does not sell.
    mine = token_of(side.people["domain"])
    data = {"domain": side.domain.pk, "local": "x", "reference": "s-1"}
    assert call(mine, "POST", "/mailboxes", data).status_code == 403
    assert call(mine, "PATCH", f"/mailboxes/{side.mailbox.pk}", {"reference": "s-1"}).status_code == 403


def test_a_mailbox_is_made_with_its_switches(world: World) -> None:
    token, side = token_of(world.provider), world.one
    side.domain.new_sieve = False
    side.domain.save()
    data = {"domain": side.domain.pk, "local": "eva", "pop3": False, "sends": False}
    made = call(token, "POST", "/mailboxes", data)
    assert conforms("POST", "/mailboxes", made) == ""
    shown = {name: made.json()[name] for name in ("imap", "pop3", "smtp", "sieve", "active", "receives", "sends")}
    off = {"pop3", "sieve", "sends"}
    assert shown == {name: name not in off for name in shown}
    assert Mailbox.objects.get(pk=made.json()["id"]).sends is False


def test_the_list_of_mailboxes_says_what_each_uses(world: World) -> None:
    token = token_of(world.provider)
    MailboxUsage.objects.create(username=world.one.mailbox.address, bytes=7_000_000, messages=3)
    call(token, "GET", "/me")  # writes down that the token was used
    with CaptureQueriesContext(connection) as few:
        items = call(token, "GET", "/mailboxes").json()["items"]
    assert {one["address"]: one["used_bytes"] for one in items} == {"ana@uno.test": 7_000_000, "ana@dos.test": 0}
    make_mailbox(world.one.domain, "otra")
    with CaptureQueriesContext(connection) as more:
        call(token, "GET", "/mailboxes")
    assert len(more) == len(few)
