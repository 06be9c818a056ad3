"""Nobody comes by way of mail, links, tokens or forms into what is above them."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import ApiToken, Batch, Customer, Kind, MailAccount, Mailbox, Role, User
from accounts.services import batches, customers, forwards, mailboxes
from accounts.services.audit import SYSTEM, Actor
from accounts.services.login import account_of_mailbox
from accounts.services.passwords import holder_of_token, make_link_token
from accounts.services.permissions import outranks
from accounts.services.tokens import find_token, make_token
from tests.portal.conftest import PASSWORD, World, give, make_mailbox

pytestmark = pytest.mark.django_db


def test_a_reseller_takes_in_no_mail_of_people_above_it(world: World) -> None:
    seller = Actor(world.one.people["reseller"])
    User.objects.create_user("ops@fuera.test", PASSWORD, is_superuser=True)
    with pytest.raises(customers.ValidationError, match=r"provider|proveedor"):
        customers.create_domain(customer=world.one.customer, name="fuera.test", by=seller)
    customers.create_domain(customer=world.one.customer, name="fuera.test", by=Actor(world.provider))
    domain = world.one.customer.domains.get(name="fuera.test")
    catcher = make_mailbox(domain, "todo")
    with pytest.raises(customers.ValidationError):
        forwards.set_catch_all(domain=domain, mailbox=catcher, by=seller)
    forwards.set_catch_all(domain=domain, mailbox=catcher, by=Actor(world.provider))


def test_nor_of_mailboxes_whose_links_go_there_nor_of_people_of_other_servers(world: World) -> None:
    seller = Actor(world.one.people["reseller"])
    Mailbox.objects.filter(pk=world.two.mailbox.pk).update(recovery_address="ana@casa.test")
    guest = User.objects.create_user("eva@libre.test")
    MailAccount.objects.create(owner=guest, address=guest.email, login=guest.email, imap_host="imap.libre.test")
    for name in ("casa.test", "libre.test"):
        with pytest.raises(customers.ValidationError):
            customers.create_domain(customer=world.one.customer, name=name, by=seller)
    customers.create_domain(customer=world.one.customer, name="otra.test", by=seller)


def test_an_address_to_which_links_go_is_worth_the_mailbox(world: World) -> None:
    admin = make_mailbox(world.one.domain, "jefa", recovery_address=f"aparte@{world.one.domain.name}")
    give(account_of_mailbox(admin).owner, Kind.PROVIDER)
    assert not outranks(world.one.people["domain"], admin.recovery_address)
    assert outranks(world.provider, admin.recovery_address)


def test_whoever_runs_a_domain_changes_no_mailbox_of_who_runs_more(world: World) -> None:
    admin = make_mailbox(world.one.domain, "jefa")
    give(account_of_mailbox(admin).owner, Kind.PROVIDER)
    client = world.client(world.one.people["domain"])
    page = reverse("portal:mailbox", args=[admin.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "x", "quota": "1 GB", "smtp": "on"}).status_code == 403
    answer = client.post(reverse("usage_quota"), {"mailbox": [admin.pk], "gb": "1"})
    assert answer.status_code == 422
    assert "runs more" in str(answer.context["quota_form"].errors)
    assert client.get(reverse("usage_advice", args=[admin.pk])).status_code == 404
    admin.refresh_from_db()
    assert (admin.imap, admin.quota_bytes) == (True, 5_000_000_000)


def test_nobody_shuts_themselves_out_or_takes_their_own_password_unasked(world: World) -> None:
    mine = world.one.mailbox
    person = world.one.people["owner"]
    give(person, Kind.DOMAIN, domain=world.one.domain)
    client = world.client(person)
    answer = client.post(reverse("portal:mailbox", args=[mine.pk]), {"name": "Ana", "quota": "5 GB", "pop3": "on"})
    assert answer.status_code == 422
    assert b"shut yourself out" in answer.content
    unasked = {"password": "otra-cosa-muy-larga-88"}
    assert client.post(reverse("portal:mailbox_password", args=[mine.pk]), unasked).status_code == 422
    for name in ("password_made", "password_link"):
        assert client.post(reverse(f"portal:{name}", args=[mine.pk])).status_code == 403


def test_a_link_ends_with_the_power_of_who_made_it(world: World) -> None:
    mailbox, maker = world.one.mailbox, world.one.people["domain"]
    link, own = make_link_token(mailbox, by=maker.pk), make_link_token(mailbox)
    assert holder_of_token(link) == mailbox
    Role.objects.filter(person=maker).delete()
    assert holder_of_token(link) is None
    assert holder_of_token(own) == mailbox


def test_a_token_ends_with_the_mailbox_and_with_every_device(world: World) -> None:
    mailbox, person = world.one.mailbox, world.one.people["owner"]
    give(person, Kind.DOMAIN, domain=world.one.domain)
    made = make_token(person=person, name="panel", scopes=["mailboxes:read"], by=SYSTEM)
    assert find_token(made.token, origin="") == made.row
    mailboxes.suspend(mailbox=mailbox, by=SYSTEM, active=False, receives=True, sends=True)
    assert find_token(made.token, origin="") is None
    mailboxes.suspend(mailbox=mailbox, by=SYSTEM, active=True, receives=True, sends=True)
    mailboxes.set_password(mailbox=mailbox, password="otra-cosa-muy-larga-88", by=SYSTEM, everywhere=True)
    assert not ApiToken.objects.filter(pk=made.row.pk).exists()


def test_one_list_at_a_time_leaves_the_workers_to_the_mail(world: World, settings: Any) -> None:
    ids = [world.one.batch.pk, world.two.batch.pk]
    Batch.objects.filter(pk__in=ids).update(state=Batch.State.WAITING)
    first = batches.claim_batch()
    assert first is not None
    assert batches.claim_batch() is None
    Batch.objects.filter(pk=first.pk).update(state=Batch.State.DONE, lease=None)
    assert batches.claim_batch() is not None


def test_what_is_removed_while_it_is_changed_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seller = world.client(world.one.people["reseller"])

    def gone(**_values: Any) -> None:
        Customer.objects.get(pk=0)

    monkeypatch.setattr(customers, "delete_customer", gone)
    answer = seller.post(reverse("portal:customer_delete", args=[world.one.customer.pk]))
    assert answer.status_code == 404
