"""What another panel calls things, on the pages and by command: for those who sell, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management.base import CommandError
from django.urls import reverse

from accounts.models import Customer, Domain, Mailbox
from tests.portal.conftest import World
from tests.portal.test_command import portal

pytestmark = pytest.mark.django_db
FIELD = 'name="reference"'


def pages(world: World) -> dict[str, dict[str, Any]]:
    """Each page that has the field, and what its form sends beside it."""
    side = world.one
    return {
        reverse("portal:customer", args=[side.customer.pk]): {
            "name": side.customer.name,
            "plan": side.customer.plan_id,
        },
        reverse("portal:domain_settings", args=[side.domain.pk]): {"catch_all": ""},
        reverse("portal:mailbox", args=[side.mailbox.pk]): {"quota": "1 GB", "imap": "on", "smtp": "on", "name": ""},
    }


def kept(world: World) -> list[str | None]:
    rows = ((Customer, world.one.customer), (Domain, world.one.domain), (Mailbox, world.one.mailbox))
    return [model.objects.get(pk=one.pk).reference for model, one in rows]


def test_who_sells_sets_it_and_nobody_else_sees_it(world: World) -> None:
    seller, manager = world.client(world.one.people["reseller"]), world.client(world.one.people["customer"])
    for number, (where, rest) in enumerate(pages(world).items()):
        assert FIELD in seller.get(where).content.decode(), where
        assert seller.post(where, rest | {"reference": f" cliente-{number} "}).status_code == 302
    assert kept(world) == ["cliente-0", "cliente-1", "cliente-2"]
    for where, rest in list(pages(world).items()):
        assert FIELD not in manager.get(where).content.decode(), where
        assert "cliente-" not in manager.get(where).content.decode()
        manager.post(where, rest | {"reference": "de-otro"})
        seller.post(where, rest)  # a form that did not show it
    assert kept(world) == ["cliente-0", "cliente-1", "cliente-2"]


def test_one_that_is_taken_is_told_at_its_field(world: World) -> None:
    seller = world.client(world.one.people["reseller"])
    where = reverse("portal:domain_new", args=[world.one.customer.pk])
    Domain.objects.filter(pk=world.one.domain.pk).update(reference="servicio-1")
    answer = seller.post(where, {"name": "nuevo.test", "reference": "servicio-1"})
    assert (answer.status_code, b"has this reference already" in answer.content) == (422, True)
    assert not Domain.objects.filter(name="nuevo.test").exists()
    assert seller.post(where, {"name": "nuevo.test", "reference": "servicio-2"}).status_code == 302
    assert Domain.objects.get(name="nuevo.test").reference == "servicio-2"


def test_commands_set_it(world: World) -> None:
    customer, domain, mailbox = f"#{world.one.customer.pk}", world.one.domain.name, world.one.mailbox.address
    assert portal("customer", "change", customer, "--reference", "c-1")[0]["reference"] == "c-1"
    assert portal("domain", "change", domain, "--reference", "d-1")[0]["reference"] == "d-1"
    assert portal("mailbox", "change", mailbox, "--reference", "m-1")[0]["reference"] == "m-1"
    assert kept(world) == ["c-1", "d-1", "m-1"]
    portal("mailbox", "change", mailbox, "--name", "Otro")
    assert portal("domain", "change", domain, "--reference", "")[0]["reference"] == ""
    assert kept(world) == ["c-1", None, "m-1"]
    with pytest.raises(CommandError, match="reference already"):
        portal("mailbox", "create", f"nueva@{domain}", "--reference", "m-1")
