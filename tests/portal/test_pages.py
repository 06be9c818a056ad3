"""What lists of the portal say, beyond who may read them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import ApiToken, Customer
from accounts.services.audit import SYSTEM
from accounts.services.forwards import save_group
from accounts.views.portal.tokens import CHOICES
from tests.portal.conftest import World, make_mailbox

pytestmark = pytest.mark.django_db


def test_a_search_counts_every_member_of_the_groups_that_it_finds(world: World) -> None:
    members = [make_mailbox(world.one.domain, name).address for name in ("eva", "evo", "eve", "beto")]
    save_group(domain=world.one.domain, local="equipo", name="", members=members, by=SYSTEM)
    page = world.client(world.provider).get(reverse("portal:addresses", args=[world.one.domain.pk]), {"q": "ev"})
    [found] = page.context["groups"]
    assert (found.address, found.size) == ("equipo@uno.test", 4)


def test_a_search_finds_a_mailbox_by_its_alias_once(world: World) -> None:
    page = world.client(world.provider).get(reverse("portal:search"), {"q": "ventas@uno"})
    assert [one.address for one in page.context["mailboxes"]] == ["ana@uno.test"]
    other = world.client(world.two.people["domain"]).get(reverse("portal:search"), {"q": "ventas@uno"})
    assert other.context["mailboxes"] == []


def test_a_customer_is_written_where_there_are_too_many_to_choose_from(world: World) -> None:
    Customer.objects.bulk_create(Customer(name=f"Otro {n}", plan=world.plan) for n in range(CHOICES))
    Customer.objects.create(name="otro 1", plan=world.plan)
    client, address = world.client(world.provider), reverse("portal:tokens")
    assert b'<select name="customer"' not in client.get(address).content
    form = {"name": "panel", "days": "30", "scopes": ["domains:read"], "current": "bodega-timbre-lluvia-41"}
    for wrong, told in (("Nadie", "There is no customer"), ("Otro 1", "Several customers")):
        answer = client.post(address, form | {"customer": wrong})
        assert answer.status_code == 422
        assert told in answer.content.decode()
    for number, text in enumerate((world.one.customer.name.upper(), str(world.one.customer.pk))):
        assert client.post(address, form | {"name": f"panel {number}", "customer": text}).status_code == 200
        assert ApiToken.objects.get(name=f"panel {number}").customer == world.one.customer
