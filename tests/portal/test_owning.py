"""What a domain's new mailboxes begin with; customers and resellers given to others and removed; columns of the list."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Change, Customer, Domain, Kind, Mailbox, MailServer, Plan, Reseller, User
from accounts.services import customers
from accounts.services.audit import SYSTEM
from accounts.services.mailboxes import create_mailbox
from accounts.services.permissions import changes_of
from tests.portal.conftest import World, give

pytestmark = pytest.mark.django_db


def test_a_new_mailbox_begins_as_its_domain_says(world: World) -> None:
    domain = world.one.domain
    client = world.client(world.one.people["domain"])
    form = {"usual-quota": "700 MB", "usual-imap": "on", "usual-smtp": "on"}
    assert client.post(reverse("portal:domain_usual", args=[domain.pk]), form).status_code == 302
    domain.refresh_from_db()
    made, _password = create_mailbox(domain=domain, local="nueva", by=SYSTEM)
    assert (made.quota_bytes, made.imap, made.pop3, made.smtp, made.sieve) == (700_000_000, True, False, True, False)
    line = Change.objects.filter(verb="domain.usual").get()
    assert line.before == {"quota": None, "pop3": True, "sieve": True}
    assert line.after == {"quota": 700_000_000, "pop3": False, "sieve": False}


def test_a_default_beyond_the_plan_is_refused_at_its_field_and_a_smaller_plan_cuts_it(world: World) -> None:
    domain, plan = world.one.domain, world.plan
    plan.largest_mailbox_bytes = 6_000_000_000
    plan.save()
    client = world.client(world.one.people["domain"])
    answer = client.post(reverse("portal:domain_usual", args=[domain.pk]), {"usual-quota": "7 GB"})
    assert answer.status_code == 422
    assert b"at most 6" in answer.content
    customers.set_usual(domain=domain, quota_bytes=6_000_000_000, by=SYSTEM)
    plan.largest_mailbox_bytes = 5_500_000_000
    plan.save()
    assert Domain.objects.get(pk=domain.pk).usual_quota_bytes == 5_500_000_000


def test_a_change_of_a_plan_stands_in_the_log_of_those_who_have_it(world: World) -> None:
    other = Plan.objects.create(name="Otro")
    Customer.objects.filter(pk=world.two.customer.pk).update(plan=other)
    before = Plan.objects.get(pk=world.plan.pk).mailbox_limit
    world.plan.mailbox_limit = 77
    customers.save_plan(plan=world.plan, by=SYSTEM, new=False)

    def lines(person: User) -> list[tuple[object, object]]:
        rows = changes_of(person).filter(thing=world.plan.name, verb__startswith="plan.")
        return [(row.before.get("mailbox_limit"), row.after["mailbox_limit"]) for row in rows]

    for kind in ("customer", "reseller"):
        assert lines(world.one.people[kind]) == [(before, 77)], kind
        assert lines(world.two.people[kind]) == [], kind
    assert lines(world.provider) == [(before, 77)]
    page = world.client(world.one.people["customer"]).get(reverse("portal:changes")).content.decode()
    assert "Plan changed" in page
    customers.save_plan(plan=world.plan, by=SYSTEM, new=False)  # nothing changed
    assert len(lines(world.one.people["customer"])) == 1


def test_who_is_given_a_customer_sees_it_and_who_had_it_does_not(world: World) -> None:
    customer, other = world.one.customer, world.two.reseller
    page = reverse("portal:customer", args=[customer.pk])
    mover = world.client(world.provider)
    assert mover.post(reverse("portal:customer_move", args=[customer.pk]), {"reseller": other.pk}).status_code == 302
    assert world.client(world.two.people["reseller"]).get(page).status_code == 200
    assert world.client(world.one.people["reseller"]).get(page).status_code == 404
    mover.post(reverse("portal:customer_move", args=[customer.pk]), {"reseller": ""})
    assert Customer.objects.get(pk=customer.pk).reseller is None
    assert Change.objects.filter(verb="customer.move").count() == 2


def test_a_customer_is_made_for_the_reseller_that_is_named(world: World) -> None:
    page, plan = reverse("portal:customer_new"), {"plan": world.plan.pk}
    first, second = world.one.reseller, world.two.reseller

    def made(client: Client, **form: object) -> Reseller | None:
        answer = client.post(page, {"name": f"Nuevo {Customer.objects.count()}"} | plan | form)
        assert answer.status_code == 302
        return Customer.objects.latest("pk").reseller

    boss, seller = world.client(world.provider), world.client(world.one.people["reseller"])
    assert made(boss) is None
    assert made(boss, reseller=second.pk) == second
    assert b'name="reseller"' not in seller.get(page).content
    assert made(seller, reseller=second.pk) == first  # what was not asked counts for nothing
    give(world.one.people["reseller"], Kind.RESELLER, reseller=second)
    assert seller.post(page, {"name": "De quién"} | plan).status_code == 422
    assert made(seller, reseller=second.pk) == second
    other = Reseller.objects.create(name="Otro")
    assert seller.post(page, {"name": "De otro", "reseller": other.pk} | plan).status_code == 422


def test_only_what_is_empty_is_removed(world: World) -> None:
    side = world.one
    with pytest.raises(ValidationError):
        customers.delete_domain(domain=side.domain, by=SYSTEM)
    with pytest.raises(ValidationError):
        customers.delete_customer(customer=side.customer, by=SYSTEM)
    with pytest.raises(ValidationError):
        customers.delete_reseller(reseller=side.reseller, by=SYSTEM)
    Mailbox.objects.filter(domain=side.domain).delete()
    client = world.client(world.provider)
    for name, thing in (("domain", side.domain), ("customer", side.customer), ("reseller", side.reseller)):
        assert client.post(reverse(f"portal:{name}_delete", args=[thing.pk])).status_code == 302
    assert not Reseller.objects.filter(pk=side.reseller.pk).exists()
    removed = {"domain.delete", "customer.delete", "reseller.delete"}
    assert set(Change.objects.filter(verb__in=removed).values_list("verb", flat=True)) == removed


def test_a_server_is_named_by_the_provider_alone_and_stays_while_domains_are_on_it(
    world: World, tmp_path: Path
) -> None:
    call_command("portal", "server", "create", "NAS 2", str(tmp_path), "--disk", "8 TB", stdout=StringIO())
    server = MailServer.objects.get()
    assert (server.path, server.disk_bytes) == (str(tmp_path), 8_000_000_000_000)
    address = reverse("portal:domain_new", args=[world.one.customer.pk])
    form = {"name": "lejos.test", "server": server.pk}
    assert world.client(world.one.people["reseller"]).post(address, form).status_code == 302
    assert Domain.objects.get(name="lejos.test").server is None  # it is not asked where
    assert world.client(world.provider).post(address, form | {"name": "nas.test"}).status_code == 302
    assert Domain.objects.get(name="nas.test").server == server
    with pytest.raises(CommandError, match="domains"):
        call_command("portal", "server", "delete", "NAS 2")
    for path in ("mail", "/srv/../etc", "/srv/'||x", "/"):
        with pytest.raises(ValidationError):
            customers.create_server(name="otro", path=path, disk_bytes=None, by=SYSTEM)
    with pytest.raises(ValidationError):
        customers.create_server(name="otro", path=str(tmp_path), disk_bytes=None, by=SYSTEM)


def test_columns_are_left_out_and_come_back(world: World) -> None:
    client = world.client(world.one.people["domain"])
    page = reverse("portal:domain", args=[world.one.domain.pk])
    assert b">POP3</th>" in client.get(page).content
    answer = client.post(
        reverse("portal:columns_choose", args=[world.one.domain.pk]) + "?show=all", {"column": ["usage"]}
    )
    assert answer["Location"] == page + "?show=all"
    assert b">POP3</th>" not in client.get(page).content
    assert b"Quota used" in client.get(page).content


def test_two_windows_do_not_undo_each_others_work(world: World) -> None:
    """What a window did not change it does not set; what both changed is said at its field, and saved by saving again."""
    mailbox, client = world.one.mailbox, world.client(world.one.people["domain"])
    address = reverse("portal:mailbox", args=[mailbox.pk])

    def shown() -> dict[str, str]:
        fields = re.findall(r"<input[^>]*>", client.get(address).content.decode().split('<form class="stack-4')[1])
        values = {}
        for field in fields:
            name, value = re.search(r'name="([^"]+)"', field), re.search(r'value="([^"]*)"', field)
            if name and ('type="checkbox"' not in field or " checked" in field):
                values[name[1]] = value[1] if value else "on"
        return values

    first, second = shown(), shown()
    del first["pop3"]
    assert client.post(address, first | {"name": "Ana María"}).status_code == 302
    assert client.post(address, second | {"quota": "3 GB"}).status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.pop3, mailbox.quota_bytes) == ("Ana María", False, 3 * 10**9)
    answer = client.post(address, second | {"quota": "3 GB", "name": "Anita"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "This was changed meanwhile, to Ana María." in text
    again = re.search(r'name="initial-name" value="([^"]*)"', text)
    assert again
    assert client.post(address, second | {"name": "Anita", "initial-name": again[1]}).status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.pop3) == ("Anita", False)


def test_two_resellers_or_two_customers_of_one_seller_have_two_names(world: World) -> None:
    provider, seller = world.client(world.provider), world.client(world.one.people["reseller"])
    plan = {"plan": world.plan.pk}
    for answer in (
        provider.post(reverse("portal:resellers"), {"name": " revende UNO "}),
        provider.post(reverse("portal:reseller", args=[world.two.reseller.pk]), {"name": "Revende uno"}),
    ):
        assert answer.status_code == 422
        assert "There is a reseller with this name." in answer.content.decode()
    answer = seller.post(reverse("portal:customer_new"), {"name": "cliente uno"} | plan)
    assert answer.status_code == 422
    assert "There is a customer with this name." in answer.content.decode()
    assert seller.post(reverse("portal:customer_new"), {"name": "Cliente dos"} | plan).status_code == 302
    same = reverse("portal:customer", args=[world.one.customer.pk])
    assert seller.post(same, {"name": "Cliente UNO"} | plan).status_code == 302
    assert seller.post(same, {"name": "Cliente dos"} | plan).status_code == 422
    assert sorted(Reseller.objects.values_list("name", flat=True)) == ["Revende dos", "Revende uno"]
