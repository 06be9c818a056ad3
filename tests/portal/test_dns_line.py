"""How a domain's DNS stood stands below its name: looked at by itself once a day, and whenever somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import DnsCheck, Domain
from accounts.tasks import check_dns
from tests.name_server import Table, name_server
from tests.portal.conftest import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def table(settings: Any) -> Iterator[Table]:
    settings.DNS_MX, settings.DNS_SPF, settings.DKIM_RECORD, settings.DNS_CHECK_HOURS = "mail.casa.test", "mx", "", 24
    records: Table = {}
    for name in Domain.objects.values_list("name", flat=True):
        records |= {(name, "MX"): ["10 mail.casa.test."], (name, "TXT"): ['"v=spf1 mx ~all"']}
    with name_server(records):
        yield records


def line(world: World) -> str:
    page = world.client(world.provider).get(reverse("portal:domain", args=[world.one.domain.pk])).content.decode()
    return " ".join(page.split())


def test_what_was_found_stands_below_the_name(world: World, table: Table) -> None:
    assert "Look at the DNS" not in line(world)
    assert check_dns() == Domain.objects.count()
    assert check_dns() == 0  # a day must pass
    assert 'Mail arrives at <b dir="ltr">mail.casa.test</b>. MX and SPF are right;' in line(world)
    assert "to be changed: DMARC." in line(world)
    table[f"_dmarc.{world.one.domain.name}", "TXT"] = ['"v=DMARC1; p=reject"']
    page = reverse("portal:domain_dns", args=[world.one.domain.pk])
    assert world.client(world.provider).get(page).status_code == 200
    assert "MX, SPF and DMARC are right." in line(world)
    table[world.one.domain.name, "MX"] = []  # no answer: what was known stays
    world.client(world.provider).get(page)
    assert "MX, SPF and DMARC are right." in line(world)


def test_the_oldest_are_looked_at_and_nobody_is_asked_where_that_is_switched_off(
    world: World, table: Table, settings: Any
) -> None:
    check_dns()
    before = timezone.now() - timedelta(hours=25)
    DnsCheck.objects.filter(domain=world.one.domain).update(asked=before)
    settings.DNS_CHECK_HOURS = 0
    assert check_dns() == 0
    settings.DNS_CHECK_HOURS = 24
    assert check_dns() == 1
    assert DnsCheck.objects.get(domain=world.one.domain).asked > before
