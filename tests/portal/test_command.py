"""`manage.py portal`, as a script calls it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Alias, ApiToken, Change, Customer, Domain, Mailbox, Plan, Role, User
from accounts.provisioning.passwords import check_mailbox_password
from accounts.services.app_passwords import make_app_password
from accounts.services.tokens import find_token
from tests.name_server import name_server

pytestmark = pytest.mark.django_db


def portal(*arguments: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("portal", "--json", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def domain(db: None) -> None:
    Plan.objects.create(name="Taller", mailbox_limit=3)
    portal("customer", "create", "Imprenta", "--plan", "Taller")
    portal("domain", "create", "quillay.test", "--customer", "Imprenta")


def test_from_customer_to_forward(domain: None) -> None:
    assert portal("customer", "list") == [
        {
            "id": Customer.objects.get().pk,
            "name": "Imprenta",
            "plan": "Taller",
            "reseller": "",
            "active": True,
            "reference": "",
        }
    ]
    [made] = portal("mailbox", "create", "Marcela@quillay.test", "--name", "Marcela", "--quota", "2 GB")
    assert (made["address"], made["quota_bytes"]) == ("marcela@quillay.test", 2 * 10**9)
    assert check_mailbox_password(made["password"], Mailbox.objects.get().password)
    portal("alias", "create", "ventas@quillay.test", "marcela@quillay.test")
    [sent] = portal("mailbox", "forward", "marcela@quillay.test", "a@x.test", "b@x.test", "--no-copy")
    assert (sent["forwards"], sent["keeps_copy"]) == (["a@x.test", "b@x.test"], False)
    assert portal("mailbox", "suspend-sending", "marcela@quillay.test")[0]["sends"] is False
    assert portal("mailbox", "resume", "marcela@quillay.test")[0]["sends"] is True
    assert portal("mailbox", "delete", "marcela@quillay.test")[0]["deleted"]
    assert portal("mailbox", "restore", "marcela@quillay.test")[0]["deleted"] is None
    portal("alias", "delete", "ventas@quillay.test")
    assert not Alias.objects.exists()
    assert portal("domain", "suspend", "quillay.test")[0]["active"] is False
    assert Domain.objects.get().active is False
    portal("domain", "resume", "quillay.test")
    assert [one["address"] for one in portal("mailbox", "list", "quillay.test")] == ["marcela@quillay.test"]
    assert Change.objects.filter(verb="mailbox.create", actor=None).count() == 1


def test_plans_resellers_and_customers(domain: None) -> None:
    [plan] = portal(
        "plan", "create", "Chico", "--mailboxes", "1", "--space", "10 GB", "--quota", "1 GB", "--pop3", "off"
    )
    assert (plan["mailbox_limit"], plan["total_bytes"], plan["pop3"], plan["imap"]) == (1, 10**10, False, True)
    [plan] = portal("plan", "change", "Chico", "--name", "Menor", "--mailboxes", "none", "--sending", "200")
    assert (plan["name"], plan["mailbox_limit"], plan["daily_sending_limit"], plan["pop3"]) == (
        "Menor",
        None,
        200,
        False,
    )
    assert [one["name"] for one in portal("plan", "list")] == ["Menor", "Taller"]
    portal("reseller", "create", "Redes")
    portal("reseller", "rename", "Redes", "Redes del Sur")
    portal("reseller", "create", "Otra")
    portal("reseller", "delete", "Otra")
    assert [one["name"] for one in portal("reseller", "list")] == ["Redes del Sur"]
    portal("customer", "move", "Imprenta", "Redes del Sur")
    [changed] = portal("customer", "change", "Imprenta", "--name", "Imprenta Quillay", "--plan", "Menor")
    assert (changed["name"], changed["plan"], changed["reseller"]) == ("Imprenta Quillay", "Menor", "Redes del Sur")
    assert portal("customer", "move", "Imprenta Quillay", "none")[0]["reseller"] == ""
    assert portal("customer", "show", "Imprenta Quillay")[0]["domains"] == 1
    for verb in ("suspend", "resume"):
        assert portal("customer", verb, "Imprenta Quillay")[0]["active"] == (verb == "resume")
    portal("customer", "create", "Vacía", "--plan", "Menor")
    portal("customer", "delete", "Vacía")
    assert Customer.objects.count() == 1


def test_a_domain_and_what_is_in_it(domain: None, monkeypatch: Any, tmp_path: Path) -> None:
    assert portal("domain", "defaults", "quillay.test", "--quota", "1 GB", "--pop3", "off")[0]["pop3"] is False
    [made] = portal("mailbox", "create", "eva@quillay.test", "--recovery", "eva@otra.test")
    assert (made["quota_bytes"], made["pop3"]) == (10**9, False)
    [eva] = portal("mailbox", "change", "eva@quillay.test", "--name", "Eva", "--quota", "2 GB", "--pop3", "on")
    assert (eva["name"], eva["quota_bytes"], eva["pop3"], eva["recovery_address"]) == (
        "Eva",
        2 * 10**9,
        True,
        "eva@otra.test",
    )
    portal("mailbox", "rename", "eva@quillay.test", "eva.diaz", "--no-alias")
    assert (
        portal("domain", "catch-all", "quillay.test", "eva.diaz@quillay.test")[0]["catch_all"]
        == "eva.diaz@quillay.test"
    )
    assert portal("domain", "catch-all", "quillay.test")[0]["catch_all"] == ""
    portal("group", "create", "todos@quillay.test", "eva.diaz@quillay.test", "--name", "Todos")
    [group] = portal("group", "change", "todos@quillay.test", "a@x.test", "b@x.test")
    assert (group["name"], group["members"]) == ("Todos", ["a@x.test", "b@x.test"])
    portal("alias", "create", "ventas@quillay.test", "eva.diaz@quillay.test")
    assert portal("alias", "list", "quillay.test") == [
        {"address": "ventas@quillay.test", "mailbox": "eva.diaz@quillay.test"}
    ]
    make_app_password(mailbox=Mailbox.objects.get(), name="Mac", protocols=["imap"])
    portal("mailbox", "revoke-device", "eva.diaz@quillay.test", "Mac")
    assert portal("mailbox", "devices", "eva.diaz@quillay.test") == []
    with name_server({}):
        assert {one["state"] for one in portal("domain", "dns", "quillay.test")} == {"missing", "well"}
    portal("group", "delete", "todos@quillay.test")
    assert portal("group", "list", "quillay.test") == []
    assert portal("change", "list", "--domain", "quillay.test", "--limit", "1")[0]["verb"] == "group.delete"
    with pytest.raises(CommandError, match="There are mailboxes in it"):
        portal("domain", "delete", "quillay.test")
    with pytest.raises(CommandError, match="delete it first"):
        portal("mailbox", "purge", "eva.diaz@quillay.test", "--yes")
    portal("domain", "create", "otra.test", "--customer", "Imprenta")
    portal("domain", "delete", "otra.test")
    assert [one["name"] for one in portal("domain", "list")] == ["quillay.test"]


def test_a_list_is_told_before_it_is_done(domain: None, tmp_path: Path) -> None:
    boss = User.objects.create_user("jefa@x.test", is_superuser=True)
    file = tmp_path / "altas.csv"
    file.write_text("address;name\nana;Ana\nno va;X\n")
    *rows, told = portal("mailbox", "import", "quillay.test", str(file), "--by", boss.email)
    assert [bool(row["errors"]) for row in rows] == [False, True]
    assert (told["state"], told["wrong"]) == ("checked", 1)
    with pytest.raises(CommandError, match="line 3"):
        portal("mailbox", "import", "quillay.test", str(file), "--by", boss.email, "--apply")
    file.write_text("address;name\nana;Ana\n")
    assert (
        portal("mailbox", "import", "quillay.test", str(file), "--by", boss.email, "--apply")[-1]["state"] == "waiting"
    )
    User.objects.create_user("nadie@x.test")
    with pytest.raises(CommandError, match="does not run"):
        portal("mailbox", "import", "quillay.test", str(file), "--by", "nadie@x.test")


def test_roles_and_invitations(domain: None) -> None:
    boss = User.objects.create_user("jefa@x.test", is_superuser=True)
    over = ("--domain", "quillay.test")
    [made] = portal("invitation", "create", "otra@x.test", *over, "--by", boss.email)
    assert (made["kind"], made["over"]) == ("domain", "quillay.test")
    assert portal("invitation", "list")[0]["person"] == "otra@x.test"
    portal("invitation", "withdraw", "otra@x.test", *over)
    assert portal("invitation", "list") == []
    Role.objects.create(person=boss, kind="domain", domain=Domain.objects.get())
    assert portal("role", "list", "--person", boss.email) == [
        {"person": boss.email, "kind": "domain", "over": "quillay.test"}
    ]
    portal("role", "withdraw", boss.email, *over)
    assert not Role.objects.exists()
    User.objects.create_user("nadie@x.test")
    with pytest.raises(CommandError, match="may not give that role"):
        portal("invitation", "create", "otra@x.test", *over, "--by", "nadie@x.test")


def test_a_password_is_read_and_never_an_argument(domain: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("bodega-timbre-lluvia-41\n"))
    [made] = portal("mailbox", "create", "eva@quillay.test", "--password")
    assert "password" not in made
    assert check_mailbox_password("bodega-timbre-lluvia-41", Mailbox.objects.get().password)
    monkeypatch.setattr(sys, "stdin", io.StringIO("taller-puente-nube-77\n"))
    portal("mailbox", "password", "eva@quillay.test")
    assert check_mailbox_password("taller-puente-nube-77", Mailbox.objects.get().password)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="A password is needed"):
        portal("mailbox", "password", "eva@quillay.test")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mailbox", "create", "a b@quillay.test"], "address: "),
        (["mailbox", "create", "eva@otro.test"], "There is no domain 'otro.test'."),
        (["mailbox", "create", "eva@quillay.test", "--quota", "mucho"], "quota: "),
        (["mailbox", "show", "nadie@quillay.test"], "There is no mailbox"),
        (["domain", "create", "quillay.test", "--customer", "Imprenta"], "name: "),
        (["domain", "create", "x.test", "--customer", "#99999"], "There is no customer"),
        (["customer", "create", "Otra", "--plan", "Ninguno"], "There is no plan"),
        (["plan", "create", "Taller"], "name: "),
        (["plan", "create", "Otro", "--mailboxes", "muchas"], "mailboxes: "),
        (["plan", "create", "Otro", "--quota", "9 GB", "--largest", "1 GB"], "mailbox_quota: "),
        (["plan", "create", "Otro", "--space", "todo"], "space: "),
        (["reseller", "delete", "Nadie"], "There is no reseller"),
        (["customer", "change", "Imprenta", "--plan", "Ninguno"], "There is no plan"),
        (["customer", "delete", "Imprenta"], "It still has domains."),
        (["domain", "defaults", "quillay.test", "--quota", "0 GB"], "quota: "),
        (["domain", "create", "ñandú..test", "--customer", "Imprenta"], "name: "),
        (["group", "create", "todos@quillay.test", "no es nada"], "members: "),
        (["invitation", "create", "x", "--by", "nadie@x.test"], "There is no person"),
        (
            ["role", "withdraw", "nadie@x.test", "--domain", "quillay.test", "--customer", "Imprenta"],
            "A role is over one",
        ),
        (["token", "create", "nadie@x.test", "panel", "mailboxes:read"], "There is no person"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(domain: None, arguments: list[str], said: str) -> None:
    before = Change.objects.count()
    with pytest.raises(CommandError) as told:
        portal(*arguments)
    assert said in str(told.value)
    assert Change.objects.count() == before


def test_tokens(domain: None, capsys: Any) -> None:
    User.objects.create_user("jefa@x.test", is_superuser=True)
    [made] = portal("token", "create", "jefa@x.test", "panel", "mailboxes:write", "usage:read", "--days", "30")
    row = find_token(made["token"], origin="")
    assert row
    assert row.scopes == ["mailboxes:write", "usage:read"]
    assert portal("token", "list", "jefa@x.test")[0]["name"] == "panel"
    portal("token", "revoke", "jefa@x.test", "panel")
    assert not ApiToken.objects.exists()
    call_command("portal", "domain", "list")
    assert "name=quillay.test" in capsys.readouterr().out
