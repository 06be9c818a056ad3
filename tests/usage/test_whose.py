"""A mailbox's standing says whose it is; that stays true, whatever moves."""

from __future__ import annotations

import pytest
from django.db.models import F, Q

from accounts.models import Customer, Domain, MailboxSpace, Plan
from accounts.services.audit import SYSTEM
from accounts.services.customers import change_customer, create_reseller, move_customer, save_plan
from accounts.services.hosting import create_mailbox
from accounts.services.usage.standing import refresh_mailbox, refresh_standing
from tests.usage.conftest import Provider

pytestmark = pytest.mark.django_db


def test_rows_say_whose_they_are_after_every_move(provider: Provider) -> None:
    by, customer = SYSTEM, provider.ana.domain.customer
    seller = create_reseller(name="Revende", by=by)
    big = save_plan(plan=Plan(name="Grande"), by=by, new=True)

    def differs() -> list[MailboxSpace]:
        same = Q(domain=F("mailbox__domain"), customer=F("domain__customer"), plan=F("customer__plan"))
        for name, place in (("reseller", "customer__reseller"), ("server", "domain__server")):
            same &= Q(**{name: F(place)}) | Q(**{f"{name}__isnull": True, f"{place}__isnull": True})
        return list(MailboxSpace.objects.exclude(pk__in=MailboxSpace.objects.filter(same).values("pk")))

    assert not differs()
    for step in (
        lambda: move_customer(customer=customer, reseller=seller, by=by),
        lambda: change_customer(customer=customer, name="Equis", plan=big, by=by),
        lambda: move_customer(customer=customer, reseller=None, by=by),
        lambda: refresh_mailbox(mailbox=create_mailbox(address="nueva@x.test", password="clave")),
    ):
        step()
        assert not differs()
    assert MailboxSpace.objects.filter(plan=big, reseller=None).count() == 3
    # What nobody's service did is put right with the next counting.
    Domain.objects.filter(pk=provider.eva.domain_id).update(customer=customer)
    Customer.objects.update(reseller=seller)
    assert len(differs()) == 4
    refresh_standing()
    assert not differs()
