"""Parts by which the dashboard is narrowed: their past with what was promised, their forecast, and between which days something
is full."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import (
    CustomerSpace,
    DaySpace,
    DomainSpace,
    MailAccount,
    MailboxSpace,
    MailServer,
    PartSpace,
    ServerSpace,
    User,
)
from accounts.services.usage.report import mailbox_report
from accounts.services.usage.sampling import look_ahead, take_samples
from accounts.services.usage.standing import refresh_standing
from accounts.usage.forecast import AHEAD_DAYS, Forecast
from accounts.usage.series import Sample, unpack
from tests.usage.conftest import GIGA, Provider
from tests.usage.test_pages import page, shown

MEGA = 10**6


def figures(html: str) -> dict[str, Any]:
    """What the chart is drawn of: used and promised by day, and what is ahead."""
    found = re.search(r'<script id="growth-figures" type="application/json">(.*?)</script>', html)
    assert found is not None
    days, used, promised, ahead, *_band = json.loads(found[1])["data"]
    lines = {"used": used, "promised": promised, "ahead": ahead}
    return {name: [one for one in line if one is not None] for name, line in lines.items()} | {"days": days}


@given(st.integers(1, 400), st.floats(0, 300), st.floats(0, 30), st.integers(1, 3000))
def test_the_days_between_are_where_the_band_reaches_it(grows: int, spread: float, unsure: float, missing: int) -> None:
    line = Forecast(1000, 5 * GIGA, grows * MEGA, spread * MEGA, unsure * MEGA)
    limit = line.size_bytes + missing * MEGA
    early, late = line.reaches_between(limit)
    last = line.day + AHEAD_DAYS
    assert line.band(early)[1] >= limit or early == last
    assert early == line.day + 1 or line.band(early - 1)[1] <= limit + MEGA
    if late is None:
        assert line.band(last)[0] < limit + MEGA
    else:
        assert line.band(late)[0] >= limit - MEGA
        assert line.band(late - 1)[0] <= limit + MEGA
        full = line.reaches(limit)
        assert full is not None
        assert early <= full <= late


def test_a_series_says_between_which_days_it_is_full() -> None:
    today = timezone.localdate().toordinal()
    samples = [Sample(today - back, (2000 - back * 10 + (back % 3) * 4) * MEGA) for back in range(100, -1, -1)]
    ahead = look_ahead(samples, 2300 * MEGA)
    assert ahead.full_on
    assert ahead.full_early
    assert ahead.full_late
    assert ahead.full_early < ahead.full_on < ahead.full_late
    assert (ahead.full_late - ahead.full_early).days < 20
    wider = look_ahead(samples, 2300 * MEGA, judged=True)
    assert wider.full_on == ahead.full_on
    assert wider.full_early
    assert wider.full_early <= ahead.full_early
    assert look_ahead(samples, 0).columns["full_early"] is None


@pytest.mark.django_db
def test_promises_of_parts_are_kept_and_drawn(provider: Provider, admin: Client) -> None:
    server = MailServer.objects.create(name="Norte", path="/srv/norte", disk_bytes=90 * GIGA)
    plan = provider.eva.domain.customer.plan_id
    now = timezone.localtime().replace(hour=12)
    for model in (CustomerSpace, DomainSpace, ServerSpace, PartSpace):
        model._default_manager.all().delete()
    for back in range(9, -1, -1):
        provider.eva.quota_bytes = (20 - back) * GIGA
        provider.eva.save(update_fields=["quota_bytes"])
        take_samples(now=now - timedelta(days=back))
    for narrowed in (f"?plan={plan}", "?mode=imap", f"?plan={plan}&mode=imap", f"?plan={plan}&server=0", "?server=0"):
        drawn = figures(page(admin, narrowed))
        only = 0 if narrowed in {"?mode=imap", "?server=0"} else 20
        assert len(drawn["promised"]) == 10, narrowed
        assert [size / GIGA for size in drawn["promised"]][-1] == pytest.approx((only or 40), abs=0.001), narrowed
        assert drawn["promised"][-1] - drawn["promised"][0] == pytest.approx(9 * GIGA, abs=MEGA), narrowed
        assert len(drawn["ahead"]) > 1, narrowed
    assert all(
        unpack(bytes(one.promised)) for one in (*ServerSpace.objects.filter(server=0), *CustomerSpace.objects.all())
    )
    assert PartSpace.objects.count() == 2
    assert page(admin, f"?server={server.pk}")


@pytest.mark.django_db
def test_a_mode_is_a_part_with_its_past(grown: Provider, admin: Client) -> None:
    DaySpace.objects.filter(day__lt=timezone.localdate()).update(pop3_bytes=100 * MEGA, pop3_mailboxes=1)
    MailAccount.objects.create(
        owner=User.objects.create_user("eva@y.test"),
        address="eva@y.test",
        mailbox=grown.eva,
        mode=MailAccount.Mode.DOWNLOAD,
    )
    refresh_standing()
    html = page(admin, "?mode=pop3&least=0")
    assert shown(html) == ["eva@y.test"]
    assert "Quotas and disk · POP3" in " ".join(html.split())
    drawn = figures(html)
    assert len(drawn["used"]) > 50
    assert {round(size / MEGA) for size in drawn["used"]} == {100}
    everything = figures(page(admin, "?least=0"))
    imap = figures(page(admin, "?mode=imap&least=0"))
    assert everything["used"][-2] - imap["used"][-2] == 100 * MEGA
    answer = admin.get(
        reverse("usage") + "?mode=pop3", headers={"hx-request": "true", "hx-current-url": "http://x/?least=85"}
    )
    assert answer["HX-Redirect"] == reverse("usage") + "?mode=pop3"


@pytest.mark.django_db
def test_tables_say_between_which_days_and_jumps_are_all_counted(provider: Provider, admin: Client) -> None:
    today = timezone.localdate()
    early, full, late = (today + timedelta(days=days) for days in (40, 50, 61))
    MailboxSpace.objects.filter(pk=provider.bob.pk).update(full_on=full, full_early=early, full_late=late)
    MailboxSpace.objects.filter(pk=provider.ana.pk).update(full_on=full, full_early=early, full_late=None)
    html = page(admin, "?least=0")
    assert re.search(r"in 50 days\s*<small class=\"t-3\">\d+ \w+( \d+)? – \d+ \w+( \d+)?</small>", html)
    assert re.search(r"in 50 days\s*<small class=\"t-3\">from \d+ \w+( \d+)? on</small>", html)
    csv = b"".join(admin.get(reverse("usage_export") + "?least=0")).decode()  # type: ignore[arg-type]
    assert "Full on,Full at the earliest,Full at the latest" in csv
    assert f"{full},{early},{late}" in csv
    DomainSpace.objects.filter(pk=provider.ana.domain_id).update(jump_on=today, jump_bytes=GIGA)
    CustomerSpace.objects.filter(pk=provider.ana.domain.customer_id).update(jump_on=today, jump_bytes=GIGA)
    tab = re.search(r"Jumps <small>(\d+)</small>", page(admin))
    assert tab
    assert tab[1] == "2"


@pytest.mark.django_db
def test_a_mailbox_uses_now_what_its_heading_says(provider: Provider) -> None:
    now, sampled = mailbox_report(provider.ana, now_bytes=9_700_029_000), mailbox_report(provider.ana)
    assert now
    assert sampled
    assert (now.today.bytes, now.today.disk_bytes, now.today.day) == (9_700_029_000, 10 * GIGA, timezone.localdate())
    assert sampled.today.bytes % 16384 == 0


@pytest.mark.django_db
def test_what_somebody_does_not_run_is_not_there(three: dict[str, Client], provider: Provider, owner: Client) -> None:
    for client in (*three.values(), owner):
        assert client.get(reverse("portal:networks")).status_code == 404
        assert client.post(reverse("portal:networks"), {"network": "192.0.2.0/24", "name": "X"}).status_code == 404
    assert owner.get(reverse("mailbox_reserve", args=[provider.ana.pk])).status_code == 404
    assert three["customer"].get(reverse("mailbox_reserve", args=[provider.eva.pk])).status_code == 404


@pytest.mark.django_db
def test_an_empty_table_does_not_say_that_nobody_uses_nothing(provider: Provider, admin: Client) -> None:
    MailboxSpace.objects.all().delete()
    html = page(admin, "?least=0")
    assert "None uses 0 %" not in html
    assert "None." in html
