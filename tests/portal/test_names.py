"""Every name that somebody gives keeps to one rule: one line of text that shows, whatever page or service takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.brand_forms import BrandForm
from accounts.models import Plan
from accounts.network_forms import NetworkForm
from accounts.password_forms import AppPasswordForm
from accounts.portal_forms import PlanForm
from accounts.services import customers, mailboxes
from accounts.services.app_passwords import make_app_password
from accounts.services.audit import SYSTEM, Actor
from accounts.services.batches import read_batch
from accounts.services.forwards import save_group
from accounts.services.invitations import accept_as_new
from accounts.services.names import clean_lines
from accounts.services.networks import name_network
from accounts.services.tokens import make_token
from tests.portal.conftest import PASSWORD, World

pytestmark = pytest.mark.django_db

Give = Callable[[World, str], Any]


def _token(w: World, name: str) -> Any:
    return make_token(person=w.provider, name=name, scopes=["mailboxes:read"], by=SYSTEM)


def _mailbox(w: World, name: str) -> Any:
    return mailboxes.create_mailbox(domain=w.one.domain, local="x", name=name, by=SYSTEM)


def _list(w: World, name: str) -> Any:
    data = f'address,name\nx,"{name}"\n'.encode()
    batch = read_batch(domain=w.one.domain, data=data, name="x.csv", by=Actor(w.provider))
    if batch.wrong:
        raise ValidationError({"name": batch.rows[0]["errors"]})


def _form(form: Any) -> None:
    if "name" in form.errors:
        raise ValidationError({"name": form.errors["name"]})


SERVICES: dict[str, tuple[Give, bool]] = {
    "mailbox": (_mailbox, True),
    "mailbox changed": (lambda w, n: mailboxes.change_mailbox(mailbox=w.one.mailbox, by=SYSTEM, name=n), True),
    "group": (
        lambda w, n: save_group(domain=w.one.domain, local="g", name=n, members=["ana"], by=SYSTEM),
        True,
    ),
    "plan": (lambda w, n: customers.save_plan(plan=Plan(name=n), by=SYSTEM, new=True), False),
    "reseller": (lambda w, n: customers.create_reseller(name=n, by=SYSTEM), False),
    "customer": (lambda w, n: customers.create_customer(name=n, plan=w.plan, reseller=None, by=SYSTEM), False),
    "server": (lambda w, n: customers.create_server(name=n, path="/srv/x", disk_bytes=None, by=SYSTEM), False),
    "device": (lambda w, n: make_app_password(mailbox=w.one.mailbox, name=n, protocols=["imap"]), False),
    "token": (_token, False),
    "network": (lambda w, n: name_network(target=None, network="192.0.2.0/24", name=n, by=SYSTEM), True),
    "person": (
        lambda w, n: accept_as_new(invitation=w.one.invitation, name=n, password=PASSWORD, origin=""),
        True,
    ),
    "list": (_list, True),
    "plan's page": (lambda w, n: _form(PlanForm({"name": n}, plan=Plan())), False),
    "network's page": (lambda w, n: _form(NetworkForm({"network": "192.0.2.1", "name": n})), False),
    "device's page": (lambda w, n: _form(AppPasswordForm({"name": n}, mailbox=w.one.mailbox)), False),
    "brand's page": (lambda w, n: _form(BrandForm({"name": n})), True),
}


@pytest.mark.parametrize("wrong", ["a\x07b", "a\u202eb", "a\u2028b"], ids=["bell", "turned", "line"])
def test_no_name_holds_what_does_not_show(world: World, wrong: str) -> None:
    for place, (give, _blank) in SERVICES.items():
        if place == "list" and wrong == "a\u2028b":
            continue  # cells are joined to one line
        with pytest.raises(ValidationError) as caught:
            give(world, wrong)
        assert "A name is one line" in " ".join(caught.value.message_dict["name"]), place


def test_where_a_name_has_to_be_there_it_shows(world: World) -> None:
    for place, (give, blank) in SERVICES.items():
        for name in () if blank else (" ", "\u200b"):
            with pytest.raises(ValidationError) as caught:
                give(world, name)
            assert "name" in caught.value.message_dict, place


def test_a_name_of_two_lines_is_refused_and_a_text_of_two_is_not(world: World) -> None:
    for place, (give, _blank) in SERVICES.items():
        if place != "list":  # whose cells are joined to one line
            with pytest.raises(ValidationError):
                give(world, "a\r\nBcc: b")
    assert clean_lines(" uno\r\ndos ") == "uno\ndos"
    assert BrandForm({"letter_text": "a\u202eb", "support_url": "https://a.example/\x07"}).errors.keys() == {
        "letter_text",
        "support_url",
    }
