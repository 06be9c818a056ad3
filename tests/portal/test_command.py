"""`manage.py portal`, as a script calls it."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Alias, ApiToken, Change, Customer, Domain, Mailbox, Plan, User
from accounts.provisioning.passwords import check_mailbox_password
from accounts.services.tokens import find_token

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
        {"id": Customer.objects.get().pk, "name": "Imprenta", "plan": "Taller", "reseller": ""}
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
