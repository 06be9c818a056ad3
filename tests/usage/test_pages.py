"""The provider's dashboard: who sees it, what it says, and what is done in place."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import (
    Change,
    DaySpace,
    Domain,
    Mailbox,
    MailboxSpace,
    MailboxUsage,
    MailServer,
    Plan,
    SpaceAlert,
    UsageLimits,
    User,
)
from accounts.services.audit import SYSTEM
from accounts.services.csv_cells import csv_lines, safe_cell
from accounts.services.mailboxes import change_mailbox, create_mailbox, delete, restore
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.report import read_limits
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.standing import refresh_day, refresh_standing
from accounts.services.usage.tables import FIRST_SORT, MAILBOX_SORTS, TableQuery
from tests.usage.conftest import GIGA, Provider, signed_in

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def page(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(reverse("usage") + query, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def shown(html: str) -> list[str]:
    """The addresses or domains in the table, in order."""
    return re.findall(r'<td><(?:b|a class="b") dir="ltr"[^>]*>([^<]+)<', html)


GETS = [("usage", ()), ("usage_export", ())]
POSTS = [
    ("usage_propose", (1,)),
    ("usage_quota", ()),
    ("usage_quota_undo", ("x",)),
    ("usage_limits", ()),
    ("usage_customer_limit", (1,)),
    ("usage_summary", ()),
]


@pytest.mark.parametrize(("name", "args"), GETS + POSTS)
def test_who_runs_nothing_does_not_get_in(name: str, args: tuple[str, ...], provider: Provider, owner: Client) -> None:
    method = "post" if (name, args) in POSTS else "get"
    stranger = getattr(Client(), method)(reverse(name, args=args))
    assert stranger.status_code == 302
    assert stranger["Location"].startswith(reverse("account_login"))
    assert getattr(owner, method)(reverse(name, args=args)).status_code == 404
    gone = User.objects.create_user("gone@casilla.test", is_superuser=True)
    client = signed_in(Client(), gone)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert getattr(client, method)(reverse(name, args=args)).status_code == 302


@pytest.mark.parametrize(("name", "args"), GETS + POSTS)
def test_wrong_methods_are_refused(name: str, args: tuple[str, ...], provider: Provider, admin: Client) -> None:
    wrong = admin.get if (name, args) in POSTS else admin.post
    assert wrong(reverse(name, args=args)).status_code == 405


def test_the_heading_is_the_finding(grown: Provider, admin: Client) -> None:
    html = page(admin)
    assert re.search(r'id="finding">The disk reaches 85 % on \d+ \w+( \d{4})?</h2>', html)
    for text in ("18.4 GB", "30 GB", "40 GB", "61 % is used", "+1.2 GB a month", "Alert at 85 %", "Disk 40 GB"):
        assert text in html, text
    admin.post(reverse("usage_limits"), limits(disk_steps="40, 95"))
    assert "The disk is 46 % full, past the threshold of 40 %" in page(admin)
    DaySpace.objects.exclude(day=timezone.localdate()).delete()
    admin.post(reverse("usage_limits"), limits())
    assert "a forecast needs a week of figures" in page(admin)


def test_a_disk_that_nobody_knows_and_one_of_which_nothing_is_counted(admin: Client, db: None) -> None:
    assert "Nothing was counted yet" in page(admin)
    DaySpace.objects.create(day=timezone.localdate(), at=timezone.now(), bytes=5 * GIGA, quota_bytes=10 * GIGA)
    html = page(admin)
    assert "5 GB are used of the 10 GB that are promised" in html
    assert "MAIL_DISK_BYTES" in html


def test_a_disk_that_is_seen_is_as_full_as_all_that_lies_on_it(
    grown: Provider, admin: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MAIL_DISK_BYTES, settings.MAIL_DISK_PATH = 0, str(tmp_path)
    refresh_day(timezone.now())
    day, disk = DaySpace.objects.latest("day"), shutil.disk_usage(tmp_path)
    assert day.disk_bytes == disk.used + disk.free  # what root alone may fill holds no mail
    assert abs(day.bytes + (day.other_bytes or 0) - disk.used) < 100_000_000  # others write on it meanwhile
    DaySpace.objects.filter(day=day.day).update(disk_bytes=40 * GIGA, other_bytes=8 * GIGA)
    html = page(admin)
    for text in ("18.4 GB", "8 GB", "26.4 GB, mail and all else", "13.6 GB are free"):
        assert text in html, text
    settings.MAIL_DISK_BYTES = 40 * GIGA
    admin.post(reverse("usage_limits"), limits(disk_steps="60, 95"))
    assert "The disk is 66 % full, past the threshold of 60 %" in page(admin)
    find_crossings()
    assert SpaceAlert.objects.filter(mailbox=None, domain=None, customer=None, percent=60).exists()


def test_what_is_promised_beyond_the_disk_is_hatched_and_told(grown: Provider, admin: Client, settings: Any) -> None:
    DaySpace.objects.filter(day=timezone.localdate()).update(disk_bytes=24 * GIGA)
    html = page(admin)
    assert 'class="over from-80 v-20"' in html
    assert "6 GB, 125 %" in html


def test_the_chart_has_the_same_figures_as_a_table(grown: Provider, admin: Client) -> None:
    html = page(admin)
    table = html[html.index("The same as a table") :]
    assert table.count("<tr><td") >= 12 + 5
    assert "17.2 GB" in table or "17.3 GB" in table


def test_mailboxes_that_fill_up_the_fullest_first(provider: Provider, admin: Client) -> None:
    assert shown(page(admin)) == ["ana@x.test", "bob@x.test"]
    assert shown(page(admin, "?least=0")) == ["ana@x.test", "bob@x.test", "eva@y.test"]
    assert shown(page(admin, "?least=0&sort=name&q=A@")) == ["ana@x.test", "eva@y.test"]
    assert shown(page(admin, f"?least=0&plan={provider.eva.domain.customer.plan_id}")) == ["eva@y.test"]
    MailboxSpace.objects.filter(mailbox=provider.bob).update(mode="pop3")
    assert shown(page(admin, "?mode=pop3")) == ["bob@x.test"]
    assert shown(page(admin, "?show=domains")) == ["x.test"]
    assert shown(page(admin, "?show=promised")) == ["y.test"]


def test_mailboxes_that_nobody_opens_and_those_that_jumped(provider: Provider, admin: Client) -> None:
    assert "None." in page(admin, "?show=unused")
    Mailbox.objects.filter(pk=provider.ana.pk).update(created=timezone.now() - timedelta(days=200))
    take_samples()
    assert "None." in page(admin, "?show=unused")  # it is old, but nothing is known of who opened it
    long_ago = timezone.now() - timedelta(days=300)
    MailboxSpace.objects.exclude(pk=provider.eva.pk).update(idle_since=long_ago)
    html = page(admin, "?show=unused")
    assert shown(html) == ["ana@x.test", "bob@x.test"]
    assert "Programs are not recorded on this server" in html
    MailboxSpace.objects.filter(pk=provider.eva.pk).update(jump_on=timezone.localdate(), jump_bytes=-3 * GIGA)
    assert "\u22123 GB" in page(admin, "?show=jumps")


@pytest.mark.parametrize("show", FIRST_SORT)
@pytest.mark.parametrize("sort", [*MAILBOX_SORTS, "idle", "nonsense"])
def test_every_table_is_sorted_by_everything(provider: Provider, admin: Client, show: str, sort: str) -> None:
    html = page(admin, f"?show={show}&sort={sort}&least=0")
    assert f'aria-current="page">{TITLES[show]}' in html


TITLES = {
    "filling": "Mailboxes filling up",
    "domains": "Domains filling up",
    "promised": "Promised and not used",
    "unused": "Unused for six months",
    "jumps": "Jumps",
}


def test_the_table_alone_is_sent_to_a_page_that_is_there(provider: Provider, admin: Client) -> None:
    html = page(admin, "?least=0", **HTMX)
    assert html.startswith('<section class="section gap-3" id="usage-table"')
    assert "finding" not in html
    assert 'id="finding"' in page(admin, "", **HTMX, **{"HX-History-Restore-Request": "true"})


@pytest.mark.parametrize(
    "query", ["?least=999&plan=x&mode=pop&sort=-1&page=abc&show=../x", "?plan=99999999999999", "?page=-5"]
)
def test_an_address_that_says_nonsense_is_as_if_it_said_nothing(provider: Provider, admin: Client, query: str) -> None:
    assert shown(page(admin, query)) in (["ana@x.test", "bob@x.test"], [])
    assert "No domain" not in page(admin, "?q=%27%22%3E%3Cscript%3E")


def test_a_plan_has_a_page_of_its_own(grown: Provider, admin: Client) -> None:
    plan = grown.eva.domain.customer.plan
    html = page(admin, f"?least=0&plan={plan.pk}")
    assert "Space on the plan Otro" in html
    assert shown(html) == ["eva@y.test"]
    assert "100 MB are used of the 10 GB that are promised" in html
    assert shown(page(admin, f"?show=promised&plan={plan.pk}")) == ["y.test"]
    assert admin.get(reverse("usage"), {"plan": 99_999}).status_code == 404


def test_addresses_of_queries_are_read_as_they_were(db: None) -> None:
    query = TableQuery.read({"show": "domains", "q": "Ñu", "least": "0", "sort": "name", "plan": "3"})
    from django.http import QueryDict

    assert TableQuery.read(QueryDict(query.address()[1:]).dict()) == query
    assert TableQuery().address() == "?"


def quota(client: Client, gb: str, *mailboxes: Mailbox, **more: str) -> Any:
    return client.post(reverse("usage_quota"), {"gb": gb, "mailbox": [one.pk for one in mailboxes], **more})


def test_a_quota_is_raised_in_place_and_taken_back(provider: Provider, admin: Client) -> None:
    answer = quota(admin, "12.5", provider.ana, provider.bob, table_least="50", table_sort="bytes")
    assert answer["Location"] == reverse("usage") + "?least=50&sort=bytes"
    assert set(Mailbox.objects.values_list("address", "quota_bytes")) == {
        ("ana@x.test", 12_500_000_000),
        ("bob@x.test", 12_500_000_000),
        ("eva@y.test", 10 * GIGA),
    }
    assert MailboxSpace.objects.get(pk=provider.ana.pk).permille == 776
    html = page(admin)
    assert "2 quotas changed" in html
    undo = re.search(r'action="([^"]+/undo/[^"]+)"', html)
    assert undo
    assert admin.post(undo[1]).status_code == 302
    assert set(Mailbox.objects.values_list("quota_bytes", flat=True)) == {10 * GIGA}
    assert admin.post(reverse("usage_quota_undo", args=["eyJ4IjoxfQ:1:2"])).status_code == 404


@pytest.mark.parametrize(
    ("gb", "told"),
    [
        ("", "Write how many GB."),
        ("mucho", "Write a number of GB, such as 10."),
        ("0", "That is too little: at least 0.01 GB."),
        ("9999999", "That is too much"),
        ("9", "ana@x.test uses more than that."),
        ("1e400", "That is too much"),
        ("nan", "Write a number"),
    ],
)
def test_a_quota_that_cannot_be_is_refused_at_its_field(provider: Provider, admin: Client, gb: str, told: str) -> None:
    answer = quota(admin, gb, provider.ana)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert told in html
    assert f'value="{provider.ana.pk}" aria-label="Choose ana@x.test" checked' in html
    assert set(Mailbox.objects.values_list("quota_bytes", flat=True)) == {10 * GIGA}


def test_a_plan_is_held_and_changes_are_written_down(provider: Provider, admin: Client) -> None:
    Plan.objects.filter(pk=provider.ana.domain.customer.plan_id).update(largest_mailbox_bytes=11 * GIGA)
    answer = quota(admin, "12", provider.ana)
    assert answer.status_code == 422
    assert "allows at most" in answer.content.decode()
    assert quota(admin, "11", provider.ana).status_code == 302
    change = Change.objects.get(verb="mailbox.change")
    assert (change.actor_name, change.after) == ("admin@casilla.test", {"quota_bytes": 11 * GIGA})


def test_deleted_mailboxes_count_no_longer(provider: Provider, admin: Client) -> None:
    Mailbox.objects.filter(pk=provider.ana.pk).update(deleted=timezone.now())
    refresh_standing()
    assert shown(page(admin, "?least=0")) == ["bob@x.test", "eva@y.test"]
    assert "Choose mailboxes first." in quota(admin, "20", provider.ana).content.decode()


def test_no_way_promises_more_than_was_agreed(provider: Provider, settings: Any) -> None:
    """Disks of known size alone; each disk of several by itself."""
    ana = Mailbox.objects.get(pk=provider.ana.pk)
    promised = sum(Mailbox.objects.values_list("quota_bytes", flat=True))
    settings.MAIL_DISK_BYTES = promised
    UsageLimits.objects.create(promise_percent=100)
    for more in (
        lambda: create_mailbox(domain=ana.domain, local="otra", quota_bytes=GIGA, by=SYSTEM),
        lambda: change_mailbox(mailbox=ana, quota_bytes=ana.quota_bytes + GIGA, by=SYSTEM),
    ):
        with pytest.raises(ValidationError, match="the provider has set a limit"):
            more()
    delete(mailbox=ana, by=SYSTEM)
    create_mailbox(domain=ana.domain, local="otra", quota_bytes=ana.quota_bytes, by=SYSTEM)
    with pytest.raises(ValidationError, match="the provider has set a limit"):
        restore(mailbox=ana, by=SYSTEM)
    server = MailServer.objects.create(name="Norte", path="/srv/norte", disk_bytes=2 * GIGA)
    there = Domain.objects.create(name="norte.test", customer=ana.domain.customer, server=server)
    create_mailbox(domain=there, local="eva", quota_bytes=2 * GIGA, by=SYSTEM)
    with pytest.raises(ValidationError, match="the provider has set a limit"):
        create_mailbox(domain=there, local="leo", quota_bytes=GIGA, by=SYSTEM)


def test_no_more_is_promised_than_was_agreed(provider: Provider, admin: Client, settings: Any) -> None:
    settings.MAIL_DISK_BYTES = 30 * GIGA
    answer = quota(admin, "20", provider.ana)
    assert answer.status_code == 422
    assert "That would promise 133 % of the disk, more than was agreed." in answer.content.decode()
    assert quota(admin, "17", provider.ana).status_code == 302
    assert "Choose mailboxes first." in quota(admin, "20").content.decode()


def limits(**changes: str) -> dict[str, str]:
    return {"owner_steps": "80, 90, 95, 100", "disk_steps": "85, 90, 95, 100", "promise_percent": "125", **changes}


def test_thresholds_are_kept_and_wrong_ones_refused_at_their_field(provider: Provider, admin: Client) -> None:
    assert admin.post(reverse("usage_limits"), limits(owner_steps=" 75 %;90 ,100%")).status_code == 302
    assert read_limits().owner_steps == [75, 90, 100]
    line = Change.objects.get(verb="usage.limits")
    assert (line.before, line.after) == ({"owner_steps": [80, 90, 95, 100]}, {"owner_steps": [75, 90, 100]})
    assert 'value="75, 90, 100"' in page(admin)
    for name, wrong, said in (
        ("owner_steps", "", "This field is required."),
        ("owner_steps", "x", "Write percentages with commas between, such as 80, 90, 95, 100."),
        ("owner_steps", "-1", "Write percentages with commas between, such as 80, 90, 95, 100."),
        ("disk_steps", "0, 50", "Each of them from 10 to 100 %."),
        ("disk_steps", "101", "Each of them from 10 to 100 %."),
        ("disk_steps", "90, 80", "From the lowest to the highest, each of them once."),
        ("disk_steps", "90, 90", "From the lowest to the highest, each of them once."),
        ("owner_steps", "1 2 3 4 5 6 7", "At most six percentages."),
        ("owner_steps", "9" * 61, "Ensure this value has at most 60 characters (it has 61)."),
        ("promise_percent", "49", "From 50 to 1000 %."),
    ):
        answer = admin.post(reverse("usage_limits"), limits(**{name: wrong}))
        assert answer.status_code == 422
        assert re.search(rf'id="id_{name}-error"[^\n]*{re.escape(said)}', answer.content.decode()), wrong
    assert read_limits().owner_steps == [75, 90, 100]


def test_a_table_is_exported_without_formulas(provider: Provider, admin: Client) -> None:
    MailboxUsage.objects.update(bytes=1)
    answer = admin.get(reverse("usage_export") + "?least=0&sort=name")
    text = b"".join(answer.streaming_content).decode("utf-8")  # type: ignore[attr-defined]
    assert text.startswith("\ufeffMailbox,")
    rows = list(csv.DictReader(StringIO(text[1:])))
    assert [row["Mailbox"] for row in rows] == ["ana@x.test", "bob@x.test", "eva@y.test"]
    assert rows[0]["Used bytes"] == "9700000000"
    assert rows[2]["Customer"] == "'=Griega"
    domains = b"".join(admin.get(reverse("usage_export") + "?show=domains&least=0").streaming_content)  # type: ignore[attr-defined]
    assert b"x.test,Equis,Base,2,18300000000,20000000000,915," in domains


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_what_looks_like_a_formula_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(-5) == -5
    assert safe_cell("a=1") == "a=1"


def test_a_page_takes_few_queries(grown: Provider, admin: Client, django_assert_max_num_queries: Any) -> None:
    page(admin)
    with django_assert_max_num_queries(23):
        page(admin)


def test_a_file_is_in_the_language_of_who_asked_whatever_its_thread_did_meanwhile() -> None:
    with override("es"):
        lines = csv_lines([_("Mailbox")] for _number in range(2))
    with override("en"):
        assert "".join(lines) == "\ufeff" + "Casilla\r\n" * 2
