"""What is the provider's: plans that are lowered and removed, the brand; and what networks are called."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.urls import reverse
from PIL import Image

from accounts.models import Brand, Change, NamedNetwork, Plan
from accounts.services import brand
from tests.api.conftest import call, token_of
from tests.portal.conftest import World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def _as_before() -> Iterator[None]:
    before = brand.look()
    yield
    brand.keep(before)


def test_a_plan_below_what_customers_have_is_asked_for(world: World) -> None:
    token, where = token_of(world.provider), f"/plans/{world.plan.pk}"
    less = {"name": "Taller", "mailbox_limit": 0}
    refused = call(token, "PATCH", where, less)
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {"above"})
    assert "2 customers have more than that: Cliente dos, Cliente uno." in refused.json()["errors"]["above"][0]
    assert Plan.objects.get().mailbox_limit is None
    for limit in ("total_bytes", "largest_mailbox_bytes"):
        small = call(token, "PATCH", where, {"name": "Taller", limit: 10**9, "mailbox_quota_bytes": 10**8})
        assert set(small.json()["errors"]) == {"above"}, limit
    assert call(token, "PATCH", where, less | {"above": True}).json()["mailbox_limit"] == 0
    # What is above already may be so, and a limit that is raised asks nothing.
    assert call(token, "PATCH", where, less | {"name": "Otro"}).status_code == 200
    assert call(token, "PATCH", where, {"name": "Otro", "mailbox_limit": 1}).status_code == 200


def test_the_page_of_a_plan_asks_the_same(world: World) -> None:
    client, where = world.client(world.provider), reverse("portal:plan", args=[world.plan.pk])
    assert 'name="above"' not in client.get(where).content.decode()
    less = {"name": "Taller", "mailbox_limit": "0", "mailbox_quota": "5 GB", "retention_days": "30", "imap": "on"}
    refused = client.post(where, less)
    assert refused.status_code == 422
    assert "2 customers have more than that" in refused.content.decode()
    assert 'name="above"' in refused.content.decode()
    assert client.post(where, less | {"above": "on"}).status_code == 302
    assert Plan.objects.get().mailbox_limit == 0


def test_a_plan_that_nobody_has_is_removed(world: World) -> None:
    token, client = token_of(world.provider), world.client(world.provider)
    assert call(token, "DELETE", f"/plans/{world.plan.pk}").status_code == 422
    assert client.post(reverse("portal:plan_delete", args=[world.plan.pk])).url == f"/portal/plans/{world.plan.pk}/"
    assert "2 customers have this plan" in client.get(f"/portal/plans/{world.plan.pk}/").content.decode()
    for number, way in enumerate(("API", "page", "command")):
        plan = Plan.objects.create(name=f"Vacío {number}")
        if way == "API":
            assert call(token, "DELETE", f"/plans/{plan.pk}").status_code == 204
        elif way == "page":
            assert "Remove the plan" in client.get(reverse("portal:plan", args=[plan.pk])).content.decode()
            assert client.post(reverse("portal:plan_delete", args=[plan.pk])).url == reverse("portal:plans")
        else:
            call_command("portal", "plan", "delete", plan.name)
        assert Change.objects.filter(verb="plan.delete", thing=plan.name).count() == 1
    assert list(Plan.objects.all()) == [world.plan]


@pytest.mark.usefixtures("_as_before")
def test_the_brand_is_changed_in_parts(world: World) -> None:
    token, out = token_of(world.provider), io.BytesIO()
    Image.effect_noise((300, 60), 90).save(out, "PNG")
    logo = base64.b64encode(out.getvalue()).decode()
    assert len(logo) > 20_000  # longer than any other text that is sent
    made = call(token, "PATCH", "/brand", {"name": "Quillay", "support_url": "ayuda@quillay.example", "logo": logo})
    assert made.json()["support_url"] == "mailto:ayuda@quillay.example"
    assert bytes(Brand.objects.get().logo).startswith(b"\x89PNG")  # drawn anew
    row = Change.objects.get(verb="brand.change")
    assert (row.after["name"], row.before["logo"]) == ("Quillay", "")
    part = call(token, "PATCH", "/brand", {"accent": "#7A1F3D"}).json()
    assert (part["name"], part["accent"], bool(part["logo"])) == ("Quillay", "#7a1f3d", True)
    assert call(token, "PATCH", "/brand", {"logo": None}).json()["logo"] is None
    assert call(token, "GET", "/brand").json()["name"] == "Quillay"
    assert call(token, "PATCH", "/brand", {}).status_code == 200
    assert Change.objects.filter(verb="brand.change").count() == 3


def test_a_network_has_one_name_in_each_place(world: World) -> None:
    token, where = token_of(world.one.people["domain"]), f"/domains/{world.one.domain.pk}/networks"
    made = call(token, "POST", where, {"network": "192.0.2.7", "name": "Oficina"}).json()
    assert (made["network"], made["domain"]) == ("192.0.2.0/24", world.one.domain.pk)
    again = call(token, "POST", where, {"network": "192.0.2.0/24", "name": "Bodega"}).json()
    assert (again["id"], again["name"]) == (made["id"], "Bodega")
    assert [one["name"] for one in call(token, "GET", where).json()["items"]] == ["Bodega"]
    assert call(token, "DELETE", f"/networks/{made['id']}").status_code == 204
    assert not NamedNetwork.objects.exists()
    owner, own = token_of(world.one.people["owner"]), f"/mailboxes/{world.one.mailbox.pk}/networks"
    mine = call(owner, "POST", own, {"network": "2001:db8::1", "name": "Casa"}).json()
    assert mine["network"] == "2001:db8::/48"
    # Through the provider's token neither: what an owner calls a place nobody else reads.
    assert call(token_of(world.provider), "DELETE", f"/networks/{mine['id']}").status_code == 404
    assert call(owner, "DELETE", f"{own}/{mine['id']}").status_code == 204
