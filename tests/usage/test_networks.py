"""What networks are called, by whom, and who reads it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Change, Customer, Kind, LogPosition, MailAccount, NamedNetwork, ProgramUse, Role, User
from accounts.services.audit import SYSTEM
from accounts.services.folder_words import FolderNames, folder_names
from accounts.services.networks import name_network, parse_network, places_of
from tests.usage.conftest import Provider, signed_in
from tests.usage.test_activity import account_page, happened


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        (" 192.0.2.77 ", "192.0.2.0/24"),
        ("192.0.2.64/28", "192.0.2.0/24"),
        ("10.20.0.0/16", "10.20.0.0/16"),
        ("2001:db8:7:1::5", "2001:db8:7::/48"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.9", "192.0.2.0/24"),
    ],
)
def test_a_network_is_no_less_than_is_recorded(text: str, network: str) -> None:
    assert str(parse_network(text)) == network


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_what_is_no_network_is_refused_in_words(text: str) -> None:
    with suppress(ValidationError):
        assert parse_network(text).prefixlen >= 8


@pytest.mark.parametrize("text", ["", "office", "192.0.2.0/33", "0.0.0.0/0", "224.0.0.0/24", "2000::/3", "192.0.2.1 x"])
def test_no_place_is_that_large_or_elsewhere(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_network(text)


@pytest.mark.django_db
def test_the_nearest_name_counts_and_the_smallest_network(provider: Provider) -> None:
    domain = provider.ana.domain
    for target, network, name in (
        (None, "192.0.2.0/24", "Proveedor"),
        (None, "10.0.0.0/8", "VPN"),
        (domain.customer, "10.20.0.0/16", "Planta"),
        (domain, "10.20.0.0/16", "Taller"),
        (domain, "10.20.30.0/24", "Bodega"),
        (provider.ana, "10.20.30.0/24", "Mi escritorio"),
        (provider.eva.domain, "198.51.100.0/24", "De otros"),
    ):
        name_network(target=target, network=network, name=name, by=SYSTEM)
    seen = ("192.0.2.0/24", "10.20.30.0/24", "10.20.9.0/24", "10.9.0.0/24", "198.51.100.0/24", "2001:db8::/48", "", "x")
    places = places_of(provider.ana, own=False)
    assert [places.name_of(one) for one in seen] == ["Proveedor", "Bodega", "Taller", "VPN", "", "", "", ""]
    assert places_of(provider.ana, own=True).name_of("10.20.30.0/24") == "Mi escritorio"
    assert places_of(provider.bob, own=True).name_of("10.20.30.0/24") == "Bodega"
    assert places.words("198.51.100.0/24") == "198.51.100.0/24"


@pytest.mark.django_db
def test_whoever_runs_a_domain_names_networks_and_the_log_says_so(provider: Provider) -> None:
    domain = provider.ana.domain
    person = User.objects.create_user("jefa@x.test")
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=domain)
    client = signed_in(Client(), person)
    address = reverse("portal:domain_networks", args=[domain.pk])
    assert 'value="192.0.2.0/24"' in client.get(address + "?network=192.0.2.0/24").content.decode()
    for data, error in (
        ({"network": "oficina", "name": "x"}, "Write a network such as 192.0.2.0/24"),
        ({"network": "192.0.2.1", "name": ""}, "Write what it is called."),
        ({"network": "192.0.2.1", "name": "\u200b"}, "A name is one line"),
        ({"network": "1.0.0.0/4", "name": "x"}, "too large to be one place"),
    ):
        answer = client.post(address, data)
        assert (answer.status_code, error in answer.content.decode()) == (422, True), data
    assert not NamedNetwork.objects.exists()
    assert client.post(address, {"network": "192.0.2.8", "name": "<b>Oficina"})["Location"] == address
    assert client.post(address, {"network": "192.0.2.0/24", "name": "Oficina"})["Location"] == address
    row = NamedNetwork.objects.get()
    assert (row.network, row.name, row.domain) == ("192.0.2.0/24", "Oficina", domain)
    page = client.get(address).content.decode()
    assert "Oficina" in page
    client.post(reverse("portal:network_forget", args=[row.pk]))
    assert not NamedNetwork.objects.exists()
    lines = Change.objects.filter(verb="network.name", domain=domain).order_by("pk")
    assert [(line.before.get("name"), line.after.get("name")) for line in lines] == [
        (None, "<b>Oficina"),
        ("<b>Oficina", "Oficina"),
        ("Oficina", None),
    ]
    assert client.post(reverse("portal:domain_networks", args=[provider.eva.domain_id])).status_code == 404
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_the_owner_names_a_place_for_their_own_eyes(provider: Provider, owner: Client, admin: Client) -> None:
    at = timezone.now()
    LogPosition.objects.create(path="x", began=at, checked=at)
    ProgramUse.objects.create(
        mailbox=provider.ana, protocol="pop3", network="192.0.2.0/24", first_at=at, last_at=at, sign_ins=3
    )
    happened(provider.ana, "fetched", 123, session="p", protocol="pop3")
    happened(provider.ana, "taken", 123, session="p", protocol="pop3")
    account = MailAccount.objects.get(mailbox=provider.ana)
    address = reverse("account_place", args=[account.pk])
    assert "from the network 192.0.2.0/24" in account_page(owner, provider.ana)
    answer = owner.post(address, {"network": "192.0.2.0/24", "name": "Office", "days": "30"})
    assert answer["Location"] == reverse("account_activity", args=[account.pk]) + "?days=30"
    html = account_page(owner, provider.ana)
    assert "from the network Office" in html
    assert 'dir="auto">from Office</span>' in html
    assert '<b dir="auto">Office</b>' in html
    assert "Office" in b"".join(owner.get(reverse("account_activity", args=[account.pk]) + "?as=csv")).decode()  # type: ignore[arg-type]
    others = admin.get(reverse("mailbox_activity", args=[provider.ana.pk])).content.decode()
    assert "from the network 192.0.2.0/24" in others
    assert "Office" not in others
    line = Change.objects.get(verb="network.own")
    assert (line.mailbox, line.after) == (provider.ana, {"network": "192.0.2.0/24"})
    for data, error in (
        ({"network": "x", "name": "y"}, "Write a network"),
        ({"network": "192.0.2.0/24", "name": "y" * 41}, "at most 40 characters"),
    ):
        answer = owner.post(address, data)
        assert answer.status_code == 422
        assert error in answer.content.decode() or data["network"] == "x"
    owner.post(address, {"network": "192.0.2.0/24", "name": ""})
    assert not NamedNetwork.objects.exists()
    assert "from the network 192.0.2.0/24" in account_page(owner, provider.ana)


def test_folders_are_called_as_in_the_tree_wherever_they_are() -> None:
    usual = FolderNames()
    assert [usual.words(name) for name in ("INBOX", "Archive/2022", "Inbox/Obra", "Junk", "Padre/Trash")] == [
        "Inbox",
        "Archive / 2022",
        "Inbox / Obra",
        "Spam",
        "Padre / Trash",
    ]
    account = MailAccount(special_folders={"trash": "UGFwZWxlcmE", "junk": "%%%", "apart": ["x"], "sent": "RW52aSYtbw"})
    chosen = folder_names(account)
    assert [chosen.words(name) for name in ("Papelera", "Trash", "Junk", "Sent")] == ["Trash", "Trash", "Spam", "Sent"]
