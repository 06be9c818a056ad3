"""A quota that is changed: the forecast, the bell, the tables and the alerts are those of the new one, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import DomainSpace, MailboxHistory, MailboxSpace, MailboxUsage, SpaceAlert
from accounts.services.login import account_of_mailbox
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.letters import send_alerts
from accounts.services.usage.notices import notices_for
from accounts.services.usage.requota import follow_quota, foretell_fallen
from accounts.services.usage.standing import permille_of, refresh_standing
from accounts.usage.series import Sample, pack
from tests.usage.conftest import GIGA, Provider
from tests.usage.test_pages import page

pytestmark = pytest.mark.django_db


def test_all_that_is_said_of_a_mailbox_follows_its_quota(provider: Provider, admin: Client) -> None:
    ana, today = provider.ana, timezone.localdate()
    samples = [Sample(today.toordinal() - back, 9_700_000_000 - back * 50_000_000) for back in range(99, -1, -1)]
    MailboxHistory.objects.filter(pk=ana.pk).update(samples=pack(samples))
    DomainSpace.objects.filter(pk=ana.domain_id).update(samples=pack(samples))
    find_crossings()
    account = account_of_mailbox(ana)

    def bell() -> list[int]:
        return [one.percent for one in notices_for(account.owner, [account])]

    def full_in() -> int:
        """Days, to five."""
        day = MailboxSpace.objects.get(pk=ana.pk).full_day
        assert day
        return round((day - today).days / 5) * 5

    follow_quota(ana)
    assert (bell(), full_in()) == ([95], 5)
    ana.quota_bytes = 20 * GIGA
    ana.save()
    follow_quota(ana)
    assert (bell(), full_in()) == ([], 205)
    whole = DomainSpace.objects.get(pk=ana.domain_id)
    assert (whole.quota_bytes, whole.permille) == (30 * GIGA, 610)
    assert whole.full_on
    assert (whole.full_on - today).days > 300
    assert not SpaceAlert.objects.filter(mailbox=ana, cleared=None).exists()
    ana.quota_bytes = 9 * GIGA
    ana.save()
    follow_quota(ana)
    assert (bell(), full_in()) == ([100], 0)
    assert "full, refuses mail" in page(admin)


def test_a_quota_that_is_raised_and_taken_back_tells_nobody_twice(provider: Provider) -> None:
    ana, mail = provider.ana, SpaceAlert.objects.filter(mailbox=provider.ana)
    find_crossings()
    assert list(mail.values_list("percent", "cleared")) == [(95, None)]
    for quota, open_ in ((30 * GIGA, 0), (10 * GIGA, 1), (30 * GIGA, 0), (10 * GIGA, 1)):
        ana.quota_bytes = quota
        ana.save()
        follow_quota(ana)
        assert (mail.count(), mail.filter(cleared=None).count()) == (1, open_)
    mail.update(cleared=timezone.now(), mailed=None)
    send_alerts()  # what is over already
    assert not mail.filter(mailed__isnull=False).exists()
    long_ago = timezone.now() - timedelta(minutes=16)
    mail.update(cleared=long_ago)
    MailboxSpace.objects.filter(pk=ana.pk).update(alerted=0)
    follow_quota(ana)
    assert mail.filter(cleared=None).count() == 1 == mail.count() - 1  # later it is told as any other crossing


def test_an_emptied_mailbox_is_foretold_anew_before_the_next_sample(provider: Provider) -> None:
    ana, today = provider.ana, timezone.localdate()
    for mailbox, size in ((ana, 9_700_000_000), (provider.bob, 8_600_000_000)):
        samples = [Sample(today.toordinal() - back, size - back * 50_000_000) for back in range(99, -1, -1)]
        MailboxHistory.objects.filter(pk=mailbox.pk).update(samples=pack(samples))
        follow_quota(mailbox)
    stood = dict(MailboxSpace.objects.values_list("pk", "full_on"))
    assert stood[ana.pk]
    MailboxUsage.objects.filter(username=ana.address).update(bytes=2_000_000_000, messages=9)
    MailboxUsage.objects.filter(username=provider.bob.address).update(bytes=8_200_000_000)
    refresh_standing()
    assert MailboxSpace.objects.get(pk=ana.pk).full_day is None
    assert (foretell_fallen(), foretell_fallen()) == (1, 0)
    found = dict(MailboxSpace.objects.values_list("pk", "full_on"))
    assert found[provider.bob.pk] == stood[provider.bob.pk]  # it lost a little
    assert round((found[ana.pk] - today).days / 20) == 8  # 8 GB at 50 MB a day


def test_whom_no_letter_reached_is_not_counted_as_told(provider: Provider, admin: Client) -> None:
    now = timezone.now()
    SpaceAlert.objects.create(mailbox=provider.bob, percent=100, at=now - timedelta(minutes=3))
    assert "owner" not in told_section(page(admin))
    SpaceAlert.objects.update(mailed=now, taken=0)
    html = told_section(page(admin))
    assert "1 owner not reached at 100 %, the mailbox took no letter" in html
    assert "owner told" not in html
    assert "The disk passed" not in html
    SpaceAlert.objects.update(taken=1)
    assert "1 owner told of passing 100 %" in told_section(page(admin))


def told_section(html: str) -> str:
    """The alerts of the week."""
    return html.partition('id="told-title"')[2].partition("</section>")[0]


def test_a_forecast_whose_day_has_gone_by_is_told_no_more(provider: Provider) -> None:
    today = timezone.localdate()
    assert MailboxSpace(permille=900, full_on=today - timedelta(days=1)).full_day is None
    assert MailboxSpace(permille=1000, full_on=today + timedelta(days=9)).full_day == today


@pytest.mark.parametrize(
    ("used", "messages", "permille"),
    [
        (9_950_000, 100, 1000),  # 50 kB are free, the usual letter has 99 kB
        (9_950_000, 1000, 995),  # it has 9 kB
        (9_800_000, 10, 980),  # large letters do not fit any more, but others do
        (10_500_000, 100, 1050),
        (9_950_000, 0, 995),
    ],
)
def test_full_is_what_takes_no_usual_letter(provider: Provider, used: int, messages: int, permille: int) -> None:
    eva = provider.eva
    type(eva).objects.filter(pk=eva.pk).update(quota_bytes=10_000_000)
    MailboxUsage.objects.filter(username=eva.address).update(bytes=used, messages=messages)
    refresh_standing()
    assert MailboxSpace.objects.get(pk=eva.pk).permille == permille
    assert permille_of(used, 10_000_000, messages=messages) == permille
