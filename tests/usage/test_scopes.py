"""What each of those who run something sees of the space: its own, and nothing else; how customers are told; weekly letters."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.api.schemas.space import ReportOut
from accounts.models import (
    Change,
    Customer,
    CustomerSpace,
    Domain,
    DomainSpace,
    Kind,
    Mailbox,
    MailboxSpace,
    MailboxUsage,
    MailServer,
    Plan,
    Reseller,
    Role,
    SpaceAlert,
    User,
)
from accounts.services.audit import SYSTEM
from accounts.services.customers import save_plan
from accounts.services.permissions import held_by
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.history import past_of
from accounts.services.usage.letters import send_alerts
from accounts.services.usage.report import read_report
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.scope import Scope, read_scope
from accounts.services.usage.standing import refresh_customers, refresh_domains, refresh_standing
from accounts.usage.series import EPOCH, UNIT_BYTES, Sample, add_up, pack
from tests.usage.conftest import GIGA, Provider, runner
from tests.usage.test_pages import page, shown

MONDAY = datetime(2026, 11, 30, 9, tzinfo=timezone.get_default_timezone())


@pytest.mark.parametrize("who", ["reseller", "customer", "domain"])
def test_everybody_sees_their_own_and_no_more(three: dict[str, Client], provider: Provider, who: str) -> None:
    client = three[who]
    html = page(client, "?least=0&sort=name")
    assert shown(html) == ["ana@x.test", "bob@x.test"]
    assert "Physical disk" not in html
    assert "18.3 GB" in html
    assert shown(page(client, "?show=domains&least=0")) == ["x.test"]
    csv = b"".join(client.get(reverse("usage_export") + "?least=0").streaming_content).decode()  # type: ignore[attr-defined]
    assert "ana@x.test" in csv
    assert "eva@y.test" not in csv
    other = provider.eva.domain.customer_id
    for name in ("usage", "usage_export"):
        assert client.get(reverse(name) + f"?customer={other}").status_code == 404
        assert client.get(reverse(name) + "?reseller=999").status_code == 404
    assert client.post(reverse("usage_propose", args=[provider.eva.pk])).status_code == 404
    assert client.post(reverse("usage_limits"), {"owner_steps": "60"}).status_code == 404
    assert client.post(reverse("usage_customer_limit", args=[other]), {"alert_steps": "60, 75"}).status_code == 404
    assert client.post(reverse("usage_quota"), {"gb": "12", "mailbox": [provider.eva.pk]}).status_code == 422
    assert Mailbox.objects.get(pk=provider.eva.pk).quota_bytes == 10 * GIGA
    assert client.post(reverse("usage_quota"), {"gb": "12", "mailbox": [provider.ana.pk]}).status_code == 302
    assert Mailbox.objects.get(pk=provider.ana.pk).quota_bytes == 12 * GIGA


def test_who_runs_a_customer_and_its_domain_sees_the_customer(three: dict[str, Client], provider: Provider) -> None:
    client, person = runner(Kind.CUSTOMER, customer=provider.ana.domain.customer)
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=provider.ana.domain)
    assert "Space of Equis" in page(client)
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=provider.eva.domain)
    assert "Space of all that you run" in page(client)


def test_who_runs_one_domain_reads_its_name(three: dict[str, Client]) -> None:
    html = page(three["domain"])
    assert "Space of x.test" in html
    assert "all that you run" not in html


def test_a_customer_is_told_of_the_plan(three: dict[str, Client], provider: Provider) -> None:
    html = page(three["customer"])
    assert "Space of Equis" in html
    assert "61 % of the plan's space is used; a forecast needs a week of figures" in html
    assert "Promised to mailboxes: 66 % of the plan." in html
    today = timezone.localdate().toordinal()
    past = [Sample(today - back, 18_300_000_000 - back * 100_000_000) for back in range(60, 0, -1)]
    CustomerSpace.objects.update(samples=pack(past))
    html = page(three["customer"])
    assert "The plan's space reaches 80 % on" in html.replace("&#x27;", "'")
    report = read_report(read_scope(User.objects.get(roles__customer__isnull=False), reseller=None, customer=None))
    told = ReportOut.of(report)
    assert told.alert_early
    assert told.alert_on
    assert told.alert_late
    assert told.alert_early <= told.alert_on <= told.alert_late
    assert told.expected
    assert told.expected.low_bytes <= told.expected.used_bytes <= told.expected.high_bytes
    assert re.search(r"80 % are reached between .* and .* in four of five cases", html)
    assert "Plan 30 GB" in html
    assert "+3 GB a month" in html


def test_the_provider_narrows_by_reseller_and_customer(
    three: dict[str, Client], provider: Provider, admin: Client
) -> None:
    customer, seller = provider.ana.domain.customer_id, Reseller.objects.get().pk
    for query in (f"customer={customer}", f"reseller={seller}"):
        html = page(admin, f"?{query}&least=0&sort=name")
        assert shown(html) == ["ana@x.test", "bob@x.test"]
        assert f"{query}&amp;least=0&amp;sort=bytes" in html or f"{query}&amp;least=0&amp;sort=" in html
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver/portal/usage/?least=0"}
    answer = admin.get(reverse("usage") + f"?least=0&customer={customer}", headers=htmx)
    assert answer["HX-Redirect"] == reverse("usage") + f"?customer={customer}&least=0"
    htmx["HX-Current-URL"] = f"http://testserver/portal/usage/?customer={customer}"
    answer = admin.get(reverse("usage") + f"?least=0&customer={customer}", headers=htmx)
    assert "HX-Redirect" not in answer


def use(mailbox: Mailbox, size_bytes: int) -> None:
    MailboxUsage.objects.filter(username=mailbox.address).update(bytes=size_bytes)
    refresh_standing()
    refresh_domains()
    refresh_customers()


def plans_crossed() -> int:
    """How many customers passed a threshold of their plan; what domains passed is left out."""
    before = SpaceAlert.objects.filter(customer__isnull=False).count()
    find_crossings()
    SpaceAlert.objects.filter(domain__isnull=False).delete()
    return SpaceAlert.objects.filter(customer__isnull=False).count() - before


def test_a_customer_is_written_to_once_for_each_crossing(three: dict[str, Client], provider: Provider) -> None:
    customer = provider.ana.domain.customer
    runner(Kind.CUSTOMER, "es", customer=customer)
    Customer.objects.filter(pk=customer.pk).update(reseller=None)
    use(provider.bob, 9_000_000_000)
    MailboxSpace.objects.update(alerted=100)
    assert plans_crossed() == 0
    use(provider.ana, 16 * GIGA)
    assert plans_crossed() == 1
    assert plans_crossed() == 0
    assert (send_alerts(), send_alerts()) == (2, 0)
    texts = {letter.to[0]: letter for letter in mail.outbox}
    assert sorted(letter.subject[:5] for letter in texts.values())[0] == "Equis"
    english = next(letter for letter in mail.outbox if "80 % of its space" in letter.subject)
    assert english.extra_headers["Auto-Submitted"] == "auto-generated"
    assert f"{reverse('usage')}?customer={customer.pk}" in str(english.body)
    use(provider.ana, 14_900_000_000)
    assert plans_crossed() == 0
    assert CustomerSpace.objects.get(pk=customer.pk).alerted == 80
    use(provider.ana, 12 * GIGA)
    plans_crossed()
    assert CustomerSpace.objects.get(pk=customer.pk).alerted == 0
    assert SpaceAlert.objects.get(customer=customer).cleared is not None
    use(provider.ana, 21 * GIGA)
    assert plans_crossed() == 1
    assert SpaceAlert.objects.get(customer=customer, cleared__isnull=True).percent == 100
    assert "1 customer told of passing 100 % of its plan" in page(three["customer"])


def test_a_customer_has_a_threshold_of_its_own(three: dict[str, Client], provider: Provider) -> None:
    customer = provider.ana.domain.customer
    change = reverse("usage_customer_limit", args=[customer.pk])
    assert three["domain"].post(change, {"alert_steps": "60, 75"}).status_code == 404
    answer = three["customer"].post(change, {"alert_steps": "75, 60"})
    assert answer.status_code == 422
    assert "From the lowest to the highest, each of them once." in answer.content.decode()
    assert three["customer"].post(change, {"alert_steps": "60, 75"}).status_code == 302
    assert Change.objects.filter(verb="customer.change", after={"alert_steps": [60, 75]}).exists()
    use(provider.ana, 9_800_000_000)
    MailboxSpace.objects.update(alerted=100)
    assert find_crossings() == 2
    assert SpaceAlert.objects.get(customer__isnull=False).percent == 60
    assert SpaceAlert.objects.get(domain__isnull=False).percent == 75  # 92 % of what is promised in it: the same list


def test_a_plan_without_a_limit_is_passed_no_longer(three: dict[str, Client], provider: Provider) -> None:
    Plan.objects.filter(customers=provider.ana.domain.customer_id).update(total_bytes=20 * GIGA)
    refresh_customers()
    find_crossings()
    alerts = SpaceAlert.objects.filter(customer__isnull=False, cleared=None)
    assert alerts.get().percent == 90
    Plan.objects.filter(customers=provider.ana.domain.customer_id).update(total_bytes=None)
    refresh_customers()
    find_crossings()
    assert not alerts.exists()


def test_a_domain_is_told_of_once_to_whoever_runs_it(three: dict[str, Client], provider: Provider) -> None:
    MailboxSpace.objects.update(alerted=100)
    use(provider.ana, 9_500_000_000)
    assert find_crossings() == 1  # 18.1 of 20 GB are 90 %; the domain of one mailbox is told of as that
    assert [find_crossings() for _round in range(2)] == [0, 0]
    alert = SpaceAlert.objects.get(domain=provider.ana.domain)
    assert alert.percent == 90
    assert send_alerts() == 2  # those with the role of the customer, and of the domain
    letter = mail.outbox[0]
    assert letter.subject == "The mailboxes of x.test are 90 % full"
    assert f"{reverse('usage')}?least=0&q=%40x.test" in str(letter.body)
    for who, seen in (("domain", True), ("customer", True), ("reseller", False)):
        html = page(three[who])
        assert ("x.test has passed 90 % of what its mailboxes may take" in html) is seen, who
        assert "1 domain passed 90 %" in html
        told = "You are told when the mailboxes of x.test together pass 80, 90, 95, 100 %."
        assert (told in html) is (who == "domain"), who
    Customer.objects.filter(domains=provider.ana.domain).update(alert_steps=[50, 99])
    use(provider.ana, 9_999_000_000)
    assert (
        find_crossings() == 1
    )  # that of the plan, 62 %; of the domain, 92 %, the list of its customer says nothing new
    assert SpaceAlert.objects.filter(domain__isnull=False).exclude(mailed=F("at")).count() == 1
    use(provider.ana, 8 * GIGA)
    assert find_crossings() == 0
    assert DomainSpace.objects.get(pk=provider.ana.domain_id).alerted == 50
    alert.refresh_from_db()
    assert alert.cleared is not None


def test_what_jumped_is_kept_marked_and_listed(three: dict[str, Client], provider: Provider, admin: Client) -> None:
    today = timezone.localdate().toordinal()
    leap = {back: 2_600_000_000 if back <= 10 else 0 for back in range(60, 0, -1)}
    past = pack(Sample(today - back, 15_000_000_000 - back * 10_000_000 + more) for back, more in leap.items())
    domain, customer = provider.ana.domain, provider.ana.domain.customer
    DomainSpace.objects.filter(pk=domain.pk).update(samples=past)
    CustomerSpace.objects.filter(pk=customer.pk).update(samples=past)
    take_samples()
    jumped = date.fromordinal(today - 10)
    for space in (DomainSpace.objects.get(pk=domain.pk), CustomerSpace.objects.get(pk=customer.pk)):
        assert (space.jump_on, round(space.jump_bytes, -8)) == (jumped, 2_600_000_000)
    for who in ("reseller", "customer", "domain"):
        html = page(three[who], "?show=jumps")
        assert "All at once, marked in the chart:" in html
        assert (
            html.count("+2.6 GB") == {"domain": 3, "customer": 4, "reseller": 4}[who]
        )  # said, in the table, and listed
        marks = re.search(r'"marks": (\[\[.*?\]\])', html)
        assert marks is not None
        assert [round(change, -8) for _day, _size, change in json.loads(marks[1])] == [2_600_000_000]
    assert page(admin, "?show=jumps").count("+2.6 GB") == 2  # no jump of everything: listed alone
    csv = b"".join(admin.get(reverse("usage_export") + "?show=domains&least=0").streaming_content)  # type: ignore[attr-defined]
    assert jumped.isoformat().encode() in csv


def test_a_plan_has_a_threshold_of_its_own(provider: Provider) -> None:
    Plan.objects.filter(customers=provider.eva.domain.customer_id).update(owner_steps=[60])
    use(provider.eva, 6_500_000_000)
    use(provider.bob, 7_000_000_000)
    find_crossings()
    told = dict(SpaceAlert.objects.filter(domain=None).values_list("mailbox__address", "percent"))
    assert told == {"ana@x.test": 95, "eva@y.test": 60}


def test_who_runs_domains_alone_has_a_report_without_a_limit(three: dict[str, Client], provider: Provider) -> None:
    report = read_report(Scope(held_by(User.objects.get(roles__kind=Kind.DOMAIN))))
    assert report is not None
    assert (report.finding, report.used_percent, report.of_plan) == ("unknown", None, False)
    assert report.today.bytes == 18_300_000_000


@given(st.lists(st.dictionaries(st.integers(1, 30), st.integers(0, 9), max_size=10), max_size=5))
def test_sums_of_series_are_those_of_every_day(series: list[dict[int, int]]) -> None:
    packed = [pack(Sample(day + EPOCH, one[day] * UNIT_BYTES) for day in sorted(one)) for one in series]
    total = {sample.day - EPOCH: sample.size_bytes // UNIT_BYTES for sample in add_up(packed)}
    for day in total:
        last = [one[max(when for when in one if when <= day)] for one in series if any(when <= day for when in one)]
        assert total[day] == sum(last)
    assert set(total) == {day for one in series for day in one}


def test_a_server_has_its_own_disk_history_and_tables(provider: Provider, admin: Client) -> None:
    server = MailServer.objects.create(name="NAS", path="/srv/nas", disk_bytes=400 * GIGA)
    Domain.objects.filter(pk=provider.ana.domain_id).update(server=server)
    take_samples(now=MONDAY - timedelta(days=1))
    take_samples(now=MONDAY)
    whole, there, here = (f"/portal/usage/?least=0{more}" for more in ("", f"&server={server.pk}", "&server=0"))
    at_nas = Mailbox.objects.filter(domain__server=server).count()
    assert 0 < at_nas < Mailbox.objects.count()
    context = admin.get(there).context
    assert {row.mailbox.domain.server_id for row in context["page"].object_list} == {server.pk}
    assert context["disk"].today.disk_bytes == 400 * GIGA
    assert context["disk"].today.mailboxes == at_nas
    assert context["disk"].limits.disk_steps[0] == context["disk"].alert_percent
    assert len(context["disk"].months) >= 1
    assert "Space on NAS" in admin.get(there).content.decode()
    chosen = re.compile(r'<option value="(\w*)" selected>(?:This server|NAS)<')
    assert [chosen.findall(admin.get(one).content.decode()) for one in (whole, there, here)] == [
        [],
        [str(server.pk)],
        ["0"],
    ]
    others = admin.get(here).context
    assert others["disk"].today.mailboxes == Mailbox.objects.count() - at_nas
    assert admin.get(whole).context["disk"].today.mailboxes == Mailbox.objects.count()
    person = User.objects.get(email="admin@casilla.test")
    samples = [sample.size_bytes for sample in past_of(Scope(held_by(person), server=server)).used]
    rows = MailboxSpace.objects.filter(mailbox__domain__server=server)
    assert samples[-1] == pytest.approx(sum(rows.values_list("bytes", flat=True)), abs=10_000)  # samples are rounded


def test_servers_are_told_to_the_provider_alone(provider: Provider, admin: Client, three: dict[str, Client]) -> None:
    server = MailServer.objects.create(name="NAS", path="/srv/nas")
    for client in three.values():
        assert client.get(f"/portal/usage/?server={server.pk}").status_code == 404
        assert b"NAS" not in client.get("/portal/usage/").content
    assert admin.get(f"/portal/usage/?server={server.pk + 1}").status_code == 404


def test_a_plan_takes_no_list_that_is_wrong(provider: Provider) -> None:
    plan = provider.ana.domain.customer.plan
    for wrong in ([], [0, 50], [90, 80], [1, 2, 3, 4, 5, 6, 7]):
        plan.owner_steps = wrong
        with pytest.raises(ValidationError) as caught:
            save_plan(plan=plan, by=SYSTEM, new=False)
        assert set(caught.value.message_dict) == {"owner_steps"}
    plan.owner_steps = [50, 100]
    save_plan(plan=plan, by=SYSTEM, new=False)
    assert Change.objects.get(verb="plan.change").after["owner_steps"] == [50, 100]
