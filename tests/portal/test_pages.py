"""What lists of the portal say, beyond who may read them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import ApiToken, Customer, Domain, Group, Mailbox, Reseller
from accounts.provisioning.passwords import check_mailbox_password
from accounts.services.audit import SYSTEM
from accounts.services.forwards import save_group
from accounts.services.listing import FOUND_MOST
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


def test_an_address_of_another_script_is_shown_and_found_in_its_letters(world: World) -> None:
    Domain.objects.filter(pk=world.one.domain.pk).update(name="xn--and-6ma2c.test")
    world.one.domain.refresh_from_db()
    box = make_mailbox(world.one.domain, "hola")
    client = world.client(world.provider)
    assert "hola@ñandú.test</h1>" in client.get(reverse("portal:mailbox", args=[box.pk])).content.decode()
    for typed in ("ñandú.test", "ñandú", "HOLA@Ñandú.test", "hola@xn--"):
        found = client.get(reverse("portal:search"), {"q": typed})
        assert box in found.context["mailboxes"], typed
        assert "hola@ñandú.test" in found.content.decode()


def test_a_search_says_when_there_is_more_than_it_shows(world: World) -> None:
    Mailbox.objects.bulk_create(
        Mailbox(address=f"muchos{n:02}@uno.test", number=9000 + n, domain=world.one.domain, home=f"muchos{n:02}")
        for n in range(FOUND_MOST)
    )
    client, address = world.client(world.provider), reverse("portal:search")
    assert "At most 20" in client.get(address, {"q": "muchos"}).content.decode()
    assert "At most" not in client.get(address, {"q": "muchos1"}).content.decode()


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


def test_a_made_password_is_shown_again_when_its_page_is_loaded_again(world: World) -> None:
    """And made anew by another page, or once it is no longer the one that counts."""
    client, box = world.client(world.provider), world.one.mailbox
    address, form = reverse("portal:password_made", args=[box.pk]), {"csrfmiddlewaretoken": "a" * 64}
    first, again = (client.post(address, form).context["made"] for _time in range(2))
    assert first == again
    other = client.post(address, {"csrfmiddlewaretoken": "b" * 64}).context["made"]
    assert len({first, other, client.post(address, form).context["made"]}) == 3
    box.refresh_from_db()
    assert not check_mailbox_password(first, box.password)
    somebody = world.client(world.one.people["domain"]).post(address, form)
    assert somebody.context["made"] not in {first, other}


def test_a_new_mailbox_is_shown_again_when_its_page_is_loaded_again(world: World) -> None:
    client, address = world.client(world.provider), reverse("portal:mailbox_new", args=[world.one.domain.pk])
    form = {"new-address": "nueva", "new-quota": "1 GB", "csrfmiddlewaretoken": "a" * 64}
    first, again = (client.post(address, form).context for _time in range(2))
    assert first["password"]
    assert (first["mailbox"], first["password"]) == (again["mailbox"], again["password"])
    assert client.post(address, form | {"csrfmiddlewaretoken": "b" * 64}).status_code == 422
    other = client.post(address, form | {"new-address": "distinta"}).context  # back, changed and sent: another form
    assert other["mailbox"].address == "distinta@uno.test"
    assert other["password"] != first["password"]


def test_members_of_a_group_are_of_its_domain_unless_they_say_another(world: World) -> None:
    client = world.client(world.one.people["domain"])
    form = {"group-address": "equipo", "group-members": "ana\n eva@afuera.example"}
    assert client.post(reverse("portal:group_new", args=[world.one.domain.pk]), form).status_code == 302
    group = Group.objects.get(address="equipo@uno.test")
    assert {one.address for one in group.members.all()} == {"ana@uno.test", "eva@afuera.example"}
    page = reverse("portal:group", args=[group.pk])
    wrong = client.post(page, {"name": "", "members": "con espacio"})
    assert (wrong.status_code, wrong.context["form"].errors.keys()) == (422, {"members"})
    wrong = client.post(page, {"name": "", "members": "ana\nanna\nnadie@uno.test\neva@otra.example"})
    assert wrong.context["form"].errors["members"] == ["There are no such addresses: anna@uno.test, nadie@uno.test"]
    assert group.members.count() == 2
    Domain.objects.filter(pk=world.one.domain.pk).update(catch_all=world.one.mailbox)  # takes all that nobody has
    assert client.post(page, {"name": "", "members": "ana\nanna"}).status_code == 302


@pytest.mark.parametrize("local", ["postmaster", "abuse"])
def test_who_runs_a_domain_makes_the_addresses_that_every_domain_should_have(world: World, local: str) -> None:
    client = world.client(world.one.people["domain"])
    form = {"alias-address": local, "alias-target": "ana"}
    assert client.post(reverse("portal:alias_new", args=[world.one.domain.pk]), form).status_code == 302


def test_lists_of_addresses_have_pages_each_of_its_own(world: World) -> None:
    domain = world.one.domain
    Group.objects.bulk_create(Group(address=f"g{n:03}@uno.test", domain=domain, name="") for n in range(60))
    client, address = world.client(world.provider), reverse("portal:addresses", args=[domain.pk])
    page = client.get(address, {"groups": 2, "q": "g"})
    assert [one.address for one in page.context["groups"]] == [f"g{n:03}@uno.test" for n in range(50, 60)]
    assert 'rel="prev" href="?q=g&amp;aliases=1&amp;forwards=1&amp;groups=1"' in page.content.decode()


def test_resellers_are_searched_and_have_pages(world: World) -> None:
    Reseller.objects.bulk_create(Reseller(name=f"Otro {n:02}") for n in range(60))
    client, address = world.client(world.provider), reverse("portal:resellers")
    assert [one.name for one in client.get(address, {"q": "otro 59"}).context["page"]] == ["Otro 59"]
    assert 'rel="next" href="?page=2"' in client.get(address).content.decode()
