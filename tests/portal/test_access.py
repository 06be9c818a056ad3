"""Every address of the portal, as each role, against one's own things and another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.urls import URLPattern, URLResolver, reverse

from accounts import portal_urls
from accounts.models import Mailbox, NamedNetwork
from accounts.services.login import account_of_mailbox
from tests.name_server import name_server
from tests.portal.conftest import Side, World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _names() -> Iterator[None]:
    """Nothing is asked of the world's DNS."""
    with name_server({}):
        yield


PROVIDER = {"provider"}
SELLERS = PROVIDER | {"reseller"}
OWNERS = SELLERS | {"customer"}
RUNNERS = OWNERS | {"domain"}
EVERYONE = RUNNERS | {"owner"}
ANYBODY = EVERYONE | {"nobody"}

# name -> (what stands in the address, methods, who may). What has no thing in it is for one's own.
TABLE: dict[str, tuple[str, str, set[str]]] = {
    "home": ("", "GET", ANYBODY),
    "search": ("", "GET", ANYBODY),
    "changes": ("", "GET", ANYBODY),
    "domain": ("domain", "GET", RUNNERS),
    "domain_settings": ("domain", "GET POST", RUNNERS),
    "domain_dns": ("domain", "GET", RUNNERS),
    "domain_open": ("domain", "POST", SELLERS),
    "domain_usual": ("domain", "GET POST", RUNNERS),
    "domain_delete": ("domain", "POST", SELLERS),
    "columns_choose": ("domain", "POST", RUNNERS),
    "selection": ("domain", "POST", RUNNERS),
    "mailbox_new": ("domain", "GET POST", RUNNERS),
    "export": ("domain", "GET", RUNNERS),
    "batch_new": ("domain", "GET POST", RUNNERS),
    "addresses": ("domain", "GET", RUNNERS),
    "alias_new": ("domain", "POST", RUNNERS),
    "group_new": ("domain", "POST", RUNNERS),
    "domain_people": ("domain", "GET POST", RUNNERS),
    "domain_networks": ("domain", "GET POST", RUNNERS),
    "customer_networks": ("customer", "GET POST", OWNERS),
    "networks": ("", "GET POST", PROVIDER),
    "network_forget": ("network", "POST", RUNNERS),
    "domain_changes": ("domain", "GET", RUNNERS),
    "mailbox": ("mailbox", "GET POST", EVERYONE),
    "mailbox_forwards": ("mailbox", "GET POST", EVERYONE),
    "mailbox_password": ("mailbox", "GET POST", EVERYONE),
    "password_made": ("mailbox", "POST", RUNNERS),
    "password_link": ("mailbox", "POST", RUNNERS),
    "mailbox_state": ("mailbox", "GET POST", RUNNERS),
    "mailbox_rename": ("mailbox", "POST", RUNNERS),
    "mailbox_delete": ("mailbox", "POST", RUNNERS),
    "mailbox_restore": ("mailbox", "POST", RUNNERS),
    "mailbox_purge": ("mailbox", "POST", RUNNERS),
    "mailbox_changes": ("mailbox", "GET", EVERYONE),
    "mailbox_space": ("mailbox", "GET POST", EVERYONE),
    "mailbox_space_export": ("mailbox", "GET", EVERYONE),
    "mailbox_use": ("mailbox", "GET", RUNNERS),
    "alias_delete": ("alias", "POST", RUNNERS),
    "group": ("group", "GET POST", RUNNERS),
    "group_delete": ("group", "POST", RUNNERS),
    # A list is for who brought it alone: passwords are in it.
    "batch": ("batch", "GET", {"domain"}),
    "batch_apply": ("batch", "POST", {"domain"}),
    "batch_passwords": ("batch", "GET", {"domain"}),
    "customers": ("", "GET", OWNERS),
    "customer_new": ("", "GET POST", SELLERS),
    "customer": ("customer", "GET", OWNERS),
    "customer_move": ("customer", "POST", PROVIDER),
    "customer_open": ("customer", "POST", SELLERS),
    "customer_delete": ("customer", "POST", SELLERS),
    "domain_new": ("customer", "GET POST", SELLERS),
    "customer_people": ("customer", "GET POST", OWNERS),
    "resellers": ("", "GET POST", PROVIDER),
    "reseller": ("reseller", "GET POST", PROVIDER),
    "reseller_delete": ("reseller", "POST", PROVIDER),
    "reseller_people": ("reseller", "GET POST", SELLERS),
    "plans": ("", "GET", PROVIDER),
    "plan_new": ("", "GET POST", PROVIDER),
    "plan": ("plan", "GET POST", PROVIDER),
    "plan_delete": ("plan", "POST", PROVIDER),
    "people": ("", "GET POST", PROVIDER),
    "brand": ("", "GET POST", PROVIDER),
    "tokens": ("", "GET POST", RUNNERS),
    "token_revoke": ("api_token", "POST", {"domain"}),
    "api": ("", "GET", RUNNERS),
    "role_withdraw": ("role", "POST", RUNNERS),
    "invitation_send": ("invitation", "POST", RUNNERS),
    "invitation_withdraw": ("invitation", "POST", RUNNERS),
}
OPEN = {"invitation", "new_password", "enter"}
"""Opened by their token alone."""


def names(patterns: list[Any]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from names(one.url_patterns)
        elif isinstance(one, URLPattern):
            yield str(one.name)


def test_every_address_is_in_the_table() -> None:
    assert set(names(portal_urls.urlpatterns)) == TABLE.keys() | OPEN


def people_of(world: World) -> Iterator[tuple[str, str, Any]]:
    """(role, whose side, person)."""
    yield "provider", "both", world.provider
    for side, name in ((world.one, "one"), (world.two, "two")):
        for role, person in side.people.items():
            yield role, name, person
    yield "nobody", "none", world.nobody
    yield "anonymous", "none", None


def address_of(world: World, side: Side, name: str, thing: str) -> str:
    if not thing:
        return reverse(f"portal:{name}")
    if thing == "network":
        target = NamedNetwork.objects.create(domain=side.domain, network="192.0.2.0/24", name="Oficina")
    else:
        target = world.plan if thing == "plan" else getattr(side, thing)
    more = ["filters"] if name == "mailbox_use" else []
    return reverse(f"portal:{name}", args=[target.pk, *more])


SETTINGS = {
    "mode": [],
    "mode_figures": [],
    "vacation": [],
    "filters": [],
    "filter_new": [],
    "filter_text": [],
    "guide_home": [],
    "guide": ["thunderbird"],
    "guide_print": ["iphone"],
}
"""Pages of a mailbox's own settings, which whoever runs it opens as well."""
PRIVATE = {
    "account": [],
    "contacts": [],
    "reserve": [],
    "takeout": [],
    "tags": [],
    "identities": [],
    "app_passwords": [],
}


def test_a_guide_is_sent_by_who_runs_the_mailbox_alone(world: World) -> None:
    side = world.one
    address = reverse("guide_send", args=[account_of_mailbox(side.mailbox).pk, "outlook"])
    Mailbox.objects.filter(pk=side.mailbox.pk).update(recovery_address="ana@afuera.example")
    for role, of, person in people_of(world):
        mail.outbox.clear()
        runs = of in {"one", "both"} and role in RUNNERS
        answer = world.client(person).post(address, {"protocol": "pop3"})
        assert (len(mail.outbox) == 1) == runs, f"{role} of {of}: {answer.status_code}"
        assert answer.status_code == (302 if runs or person is None else 404)
        if runs:
            assert "/setup/outlook/?protocol=pop3" in str(mail.outbox[0].body)
            assert mail.outbox[0].to == ["ana@afuera.example"]
            assert world.client(person).get(address).status_code == 405


@pytest.mark.parametrize("name", [*SETTINGS, *PRIVATE])
def test_settings_of_a_mailbox_open_to_who_runs_it_and_mail_to_nobody_else(
    world: World, name: str, settings: Any
) -> None:
    settings.MAIL_CA_FILE = ""  # no server runs: what needs one says so
    account = account_of_mailbox(world.one.mailbox)
    address = reverse(name, args=[account.pk, *(SETTINGS | PRIVATE)[name]])
    for role, side, person in people_of(world):
        answer = world.client(person).get(address)
        who = f"{name} as {role} of {side}: {answer.status_code}"
        if person is None:
            assert answer.status_code == 302, who
        elif side in {"one", "both"} and role in (EVERYONE if name in SETTINGS else {"owner"}):
            assert answer.status_code in {200, 302, 401, 503}, who
        else:
            assert answer.status_code in {403, 404}, who


@pytest.mark.parametrize("name", TABLE)
def test_each_role_opens_what_is_its_own_and_nothing_else(world: World, name: str) -> None:
    thing, methods, allowed = TABLE[name]
    address = address_of(world, world.one, name, thing)
    for role, side, person in people_of(world):
        client = world.client(person)
        expected = role in allowed and (not thing or thing == "plan" or side in {"one", "both"})
        for method in methods.split():
            with transaction.atomic():
                answer = client.generic(method, address, content_type="application/x-www-form-urlencoded")
                transaction.set_rollback(True)
            who = f"{method} {name} as {role} of {side}: {answer.status_code}"
            if person is None:
                assert answer.status_code == 302, who
                assert answer["Location"].startswith("/accounts/login/"), who
            elif expected:
                assert answer.status_code in {200, 302, 400, 422, 503}, who
            else:
                assert answer.status_code in {403, 404}, who


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if "GET" not in row[1]])
def test_nothing_is_changed_by_following_a_link(world: World, name: str) -> None:
    address = address_of(world, world.one, name, TABLE[name][0])
    assert world.client(world.provider).get(address).status_code == 405


def test_a_change_needs_the_token_of_the_page(world: World) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(world.provider, backend="accounts.backends.HostedMailboxBackend")
    assert client.post(reverse("portal:mailbox_delete", args=[world.one.mailbox.pk])).status_code == 403


def test_lists_and_search_show_only_what_is_ones_own(world: World) -> None:
    for role in ("reseller", "customer", "domain"):
        client = world.client(world.one.people[role])
        for page in (reverse("portal:home") + "?q=", reverse("portal:search") + "?q=test", reverse("portal:changes")):
            text = client.get(page).content.decode()
            assert "uno.test" in text, (role, page)
            assert "dos.test" not in text, (role, page)
    owner = world.client(world.one.people["owner"])
    assert "dos.test" not in owner.get(reverse("portal:search") + "?q=test").content.decode()
    assert owner.get(reverse("portal:home"))["Location"] == reverse("portal:mailbox", args=[world.one.mailbox.pk])


def test_a_person_may_hold_several_roles(world: World) -> None:
    from accounts.models import Kind
    from tests.portal.conftest import give

    person = world.one.people["domain"]
    give(person, Kind.CUSTOMER, customer=world.two.customer)
    client = world.client(person)
    text = client.get(reverse("portal:home")).content.decode()
    assert "uno.test" in text
    assert "dos.test" in text
    assert client.get(reverse("portal:domain", args=[world.two.domain.pk])).status_code == 200


def test_a_role_that_was_taken_away_counts_no_more_at_once(world: World) -> None:
    client = world.client(world.one.people["domain"])
    address = reverse("portal:domain", args=[world.one.domain.pk])
    assert client.get(address).status_code == 200
    world.one.role.delete()
    assert client.get(address).status_code == 404


TAKEOVERS = {
    "password_made": {},
    "password_link": {},
    "mailbox_password": {"password": "otra-clave-muy-larga-77", "again": "otra-clave-muy-larga-77"},
    "mailbox_forwards": {"forwards": "espia@afuera.example", "keeps_copy": "on"},
    "mailbox_rename": {"address": "nueva"},
    "mailbox_delete": {},
    "mailbox_state": {},
    "mailbox": {"name": "", "recovery_address": "espia@afuera.example", "quota": "5 GB"},
}


@pytest.mark.parametrize("name", TAKEOVERS)
def test_nobody_takes_over_the_mailbox_of_somebody_above_them(world: World, name: str) -> None:
    """The provider's own mailbox lies in a customer's domain: who runs that domain does not become the provider by it."""
    from accounts.models import Kind
    from tests.portal.conftest import give

    give(world.one.people["owner"], Kind.PROVIDER)
    address = reverse(f"portal:{name}", args=[world.one.mailbox.pk])
    before = Mailbox.objects.values().get(pk=world.one.mailbox.pk)
    for role in ("domain", "customer", "reseller"):
        assert world.client(world.one.people[role]).post(address, TAKEOVERS[name]).status_code == 403, role
    assert Mailbox.objects.values().get(pk=world.one.mailbox.pk) == before
    assert not world.one.mailbox.forwards.exists()


def test_a_list_offers_no_action_on_the_mailbox_of_somebody_above(world: World) -> None:
    """Whether that person has opened the mailbox here before or not."""
    from accounts.models import Kind, User
    from tests.portal.conftest import give, make_mailbox

    give(world.one.people["owner"], Kind.PROVIDER)
    never = make_mailbox(world.one.domain, "jefa")
    give(User.objects.create_user(never.address), Kind.RESELLER, reseller=world.two.reseller)
    plain = make_mailbox(world.one.domain, "beto")
    page = world.client(world.one.people["domain"]).get(reverse("portal:domain", args=[world.one.domain.pk]))
    text = page.content.decode()
    for box, offered in ((world.one.mailbox, False), (never, False), (plain, True)):
        assert (reverse("portal:mailbox_password", args=[box.pk]) in text) is offered, box.address
        assert (f'name="mailbox" value="{box.pk}"' in text) is offered, box.address


def test_nobody_makes_a_mailbox_an_alias_or_a_group_with_the_address_of_somebody_above_them(world: World) -> None:
    from accounts.models import Kind, User
    from tests.portal.conftest import give

    boss = User.objects.create_user("jefa@uno.test")
    give(boss, Kind.PROVIDER)
    client = world.client(world.one.people["domain"])
    domain = world.one.domain.pk
    posts = [
        ("mailbox_new", {"new-address": "jefa"}),
        ("alias_new", {"alias-address": "jefa", "alias-target": "ana"}),
        ("group_new", {"group-address": "jefa", "group-members": "espia@afuera.example"}),
    ]
    for name, data in posts:
        assert client.post(reverse(f"portal:{name}", args=[domain]), data).status_code == 403, name
    rename = reverse("portal:mailbox_rename", args=[world.one.mailbox.pk])
    assert client.post(rename, {"address": "jefa"}).status_code == 403
