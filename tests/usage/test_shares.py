"""What the space of mailboxes is made of: weighed on the real Dovecot, kept, added up, and shown to whoever runs them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import DomainShares, Kind, MailAccount, Mailbox, MailboxShares, MailServer, Role, User
from accounts.services.usage.shares import ask_shares, due_shares, keep_shares, sum_domains
from accounts.usage.shares import Big, Part, Shares, dump, load, sum_up
from tests.usage.conftest import Provider, signed_in
from webmail.services.shares import sending_domain, weigh_due, weigh_mailbox


def made_of(*messages: tuple[str, int, int]) -> Shares:
    shares = Shares()
    for kind, year, size in messages:
        shares.count(kind, year, size)
    return shares


def section(html: str, name: str) -> list[list[str]]:
    """The cells of a table, as text."""
    part = html[html.index(f'aria-labelledby="{name}"') :]
    rows = re.findall(r"<tr>(.*?)</tr>", " ".join(part[: part.index("</table>")].split()))
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows[1:]
    ]


def test_sums_are_those_of_their_parts() -> None:
    one = made_of(("inbox", 2024, 99_999), ("inbox", 2025, 100_000), ("trash", 2025, 20_000_000))
    one.folders = [(("Padre", "Hija"), "", Part(1, 5)), (("Grande",), "other", Part(1, 9))]
    other = made_of(("trash", 2023, 1))
    other.left_out = 3
    assert load(dump(one)).folders == [(("Grande",), "other", Part(1, 9)), (("Padre", "Hija"), "", Part(1, 5))]
    both = sum_up([dump(one), dump(other), {}])
    assert (both.total, both.left_out) == (Part(4, 20_200_000), 3)
    assert both.kinds == {"inbox": Part(2, 199_999), "trash": Part(2, 20_000_001)}
    assert both.years == {2023: Part(1, 1), 2024: Part(1, 99_999), 2025: Part(2, 20_100_000)}
    assert [part.messages for part in both.classes] == [2, 1, 0, 1]


@pytest.mark.django_db
def test_those_asked_for_are_due_first_and_those_of_last_month_after_the_new(provider: Provider) -> None:
    assert [one.address for one in due_shares(most=9)] == ["ana@x.test", "bob@x.test", "eva@y.test"]
    ask_shares(provider.eva)
    keep_shares(provider.ana, Shares(), reserve_bytes=0)
    assert [one.address for one in due_shares(most=9)] == ["eva@y.test", "bob@x.test"]
    MailboxShares.objects.filter(mailbox=provider.ana).update(tried=timezone.now() - timedelta(days=31))
    assert [one.address for one in due_shares(most=2)] == ["eva@y.test", "bob@x.test"]
    assert [one.address for one in due_shares(most=9)][-1] == "ana@x.test"
    MailboxShares.objects.filter(mailbox=provider.eva).update(lease_until=timezone.now() + timedelta(minutes=1))
    Mailbox.objects.filter(pk=provider.bob.pk).update(active=False)
    assert [one.address for one in due_shares(most=9)] == ["ana@x.test"]


@pytest.mark.django_db
def test_whoever_runs_mailboxes_sees_figures_of_theirs_and_no_others(provider: Provider, admin: Client) -> None:
    keep_shares(provider.ana, made_of(("inbox", 2025, 5_000), ("trash", 2024, 2_000_000)), reserve_bytes=7_000)
    keep_shares(provider.bob, made_of(("other", 2025, 1_000)), reserve_bytes=0)
    keep_shares(provider.eva, made_of(("sent", 2019, 9_000)), reserve_bytes=0)
    assert sum_domains() == 2
    customer = User.objects.create_user("jefa@x.test")
    Role.objects.create(person=customer, kind=Kind.CUSTOMER, customer=provider.ana.domain.customer)
    client = signed_in(Client(), customer)
    page = client.get(reverse("usage_shares")).content.decode().replace("\xa0", " ")
    assert "3 messages of 2 MB." in page
    assert "Counted: 2 of 2 mailboxes" in page
    assert "takes 7 KB more of the disk" in page
    assert section(page, "by-kind") == [
        ["Trash", "1", "2 MB", "99 %"],
        ["Inbox", "1", "5 KB", "0 %"],
        ["Own folders", "1", "1 KB", "0 %"],
    ]
    assert section(page, "by-year") == [["2025", "2", "6 KB", "0 %"], ["2024", "1", "2 MB", "99 %"]]
    assert [row[0] for row in section(page, "by-size")] == ["1 MB to 10 MB", "less than 100 KB"]
    assert "takes 7 KB of the disk besides, and can be put back for 30 days." in client.get(
        reverse("usage")
    ).content.decode().replace("\xa0", " ")
    of_domain = reverse("usage_shares") + f"?domain={provider.ana.domain_id}"
    assert section(client.get(of_domain).content.decode(), "by-year") == section(page, "by-year")
    for wrong in (f"?domain={provider.eva.domain_id}", "?domain=x", "?domain=999999"):
        assert client.get(reverse("usage_shares") + wrong).status_code == 404
    every = admin.get(reverse("usage_shares")).content.decode().replace("\xa0", " ")
    assert "Counted: 3 of 3 mailboxes" in every
    assert [row[0] for row in section(every, "by-kind")] == ["Trash", "Sent", "Inbox", "Own folders"]
    reseller = provider.eva.domain.customer.reseller_id
    of_reseller = admin.get(reverse("usage_shares") + f"?reseller={reseller}").content.decode()
    assert section(of_reseller, "by-year") == section(every, "by-year")
    server = MailServer.objects.create(name="Otro", path="/srv/otro")
    provider.eva.domain.server = server
    provider.eva.domain.save()
    sum_domains([provider.eva.domain_id])
    assert section(admin.get(reverse("usage_shares") + f"?server={server.pk}").content.decode(), "by-year") == [
        ["2019", "1", "9 KB", "100 %"]
    ]
    assert "3 messages of 2 MB." in admin.get(reverse("usage_shares") + "?server=0").content.decode().replace(
        "\xa0", " "
    )
    Mailbox.objects.filter(pk=provider.ana.pk).update(deleted=timezone.now())
    sum_domains([provider.ana.domain_id])
    assert "Counted: 1 of 1 mailboxes" in client.get(reverse("usage_shares")).content.decode()


def sent_by(shares: Shares, host: str, size_bytes: int, *, bulk: bool = False) -> None:
    shares.count("inbox", 2025, size_bytes)
    shares.count_sender(host, size_bytes, bulk=bulk)


@pytest.mark.django_db
def test_sending_domains_are_told_and_single_people_are_not(provider: Provider, admin: Client) -> None:
    for mailbox, alone in ((provider.ana, "medico.test"), (provider.bob, "abogado.test"), (provider.eva, "juez.test")):
        shares = Shares()
        sent_by(shares, "correo.test", 4_000_000)
        sent_by(shares, alone, 30_000_000)
        sent_by(shares, "news.red.test", 2_000_000, bulk=True)
        if mailbox == provider.ana:
            sent_by(shares, "poco.test", 1_000, bulk=True)
        shares.biggest = [Big(30_000_000 - mailbox.pk, "2025-03-04", "other"), Big(4_000_000, "2024-01-02", "inbox")]
        keep_shares(mailbox, shares, reserve_bytes=0)
    sum_domains()
    page = admin.get(reverse("usage_shares")).content.decode().replace("\xa0", " ")
    assert section(page, "by-sender") == [
        ["correo.test", "3", "3", "12 MB", "11 %"],
        ["news.red.test", "3", "3", "6 MB", "5 %"],
        ["Other mass mail", "", "1", "1 KB", "0 %"],
        ["All others", "", "3", "90 MB", "83 %"],
    ]
    of_two = f"?domain={provider.ana.domain_id}"
    two = admin.get(reverse("usage_shares") + of_two).content.decode().replace("\xa0", " ")
    assert [row[0] for row in section(two, "by-sender")] == ["news.red.test", "Other mass mail", "All others"]
    assert section(two, "biggest")[0][:4] == ["03/04/2025", "Own folders", "ana@x.test", "30 MB"]
    assert "mailto:ana%40x.test?" in two
    assert "30%C2%A0MB%2C%20received%20on%20March%204%2C%202025%20%28Own%20folders%29" in two
    one = reverse("portal:mailbox_space", args=[provider.ana.pk])
    of_one = section(admin.get(one).content.decode(), "by-sender")
    assert [row[0] for row in of_one] == ["news.red.test", "Other mass mail", "All others"]
    files = [
        reverse("usage_shares_export") + of_two,
        reverse("portal:mailbox_space_export", args=[provider.ana.pk]),
    ]
    for address in files:
        lines = b"".join(admin.get(address)).decode().splitlines()  # type: ignore[arg-type]
        assert lines[0].lstrip("\ufeff") == "Part,Name,Mailboxes,Messages,Bytes,Mailbox,Received on"
        assert f"The biggest messages,Own folders,,1,{30_000_000 - provider.ana.pk},ana@x.test,2025-03-04" in lines
        assert "By sending domain,news.red.test," in "\n".join(lines)
        for hidden in ("medico", "abogado", "juez", "poco", "correo.test"):
            assert hidden not in "".join(lines)


@pytest.mark.django_db
def test_a_plan_is_the_sum_of_its_customers(provider: Provider, admin: Client) -> None:
    keep_shares(provider.ana, made_of(("inbox", 2025, 5_000)), reserve_bytes=0)
    keep_shares(provider.eva, made_of(("sent", 2019, 9_000)), reserve_bytes=0)
    sum_domains()
    plan = provider.eva.domain.customer.plan_id
    page = admin.get(reverse("usage_shares") + f"?plan={plan}").content.decode()
    assert [row[0] for row in section(page, "by-year")] == ["2019"]


def test_of_a_sender_only_a_domain_that_is_not_ones_own_is_kept() -> None:
    own = {"casa.test"}
    for address, host in (
        ("uno@Red.test", "red.test"),
        ("uno@casa.test", ""),
        ("uno@sub.casa.test", ""),
        ("uno@otracasa.test", "otracasa.test"),
        ("uno@local", ""),
        ("uno@[192.0.2.1]", ""),
        ("uno@a<b>.test", ""),
        ("", ""),
    ):
        assert sending_domain(address, own) == host


@pytest.mark.django_db
def test_a_mailbox_is_counted_when_somebody_asks(provider: Provider, admin: Client) -> None:
    address = reverse("portal:mailbox_space", args=[provider.ana.pk])
    assert "has not been counted yet" in admin.get(address).content.decode()
    assert admin.post(address)["Location"] == address
    MailboxShares.objects.update(lease_until=timezone.now(), done=30, expected=60)
    part = admin.get(address, headers={"hx-request": "true"}).content.decode()
    assert "30 of 60 messages" in part
    assert 'hx-trigger="load delay:2s"' in part
    assert "<html" not in part
    shares = made_of(("other", 2025, 5_000))
    shares.folders = [(("Trash",), "trash", Part(1, 7)), (("Clientes", "<b>"), "", Part(1, 5_000))]
    keep_shares(provider.ana, shares, reserve_bytes=0)
    page = admin.get(address).content.decode()
    assert [row[0] for row in section(page, "by-folder")] == ["Clientes / &lt;b&gt;", "Trash"]
    assert "delay:2s" not in page
    person = User.objects.create_user("ana@x.test")
    account = MailAccount.objects.create(owner=person, address=person.email, mailbox=provider.ana)
    owner = signed_in(Client(), person)
    assert owner.get(address)["Location"] == reverse("space", args=[account.pk])
    MailAccount.objects.update(mode=MailAccount.Mode.DOWNLOAD)
    assert section(owner.get(address).content.decode(), "by-folder") == section(page, "by-folder")


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_mailbox_is_weighed_without_who_wrote_what(mailbox_factory: Any, imap: Any) -> None:
    made = mailbox_factory("ana")
    server = imap(made.address)
    server.create_folder("Archive/2019")
    server.create_folder("Viña")
    body = b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 100
    for folder, year in (("INBOX", 2024), ("Archive/2019", 2019), ("Trash", 2020), ("Viña", 2024)):
        server.append(folder, b"From: uno@privado.test\r\n" + body, msg_time=datetime(year, 5, 1, tzinfo=UTC))
    of_list = b"List-Unsubscribe: <https://red.test/%s>\r\nFrom: Red <no@News.Red.test>\r\n" % (b"x" * 2500)
    own = f"From: otra@{made.address.partition('@')[2]}\r\n".encode()
    for folder, head in (("INBOX", of_list), ("INBOX", own), ("Sent", b"From: x@otro.test\r\n")):
        server.append(folder, head + body, msg_time=datetime(2024, 6, 2, tzinfo=UTC))
    ask_shares(made.mailbox)
    assert weigh_due(limit_s=20) == Mailbox.objects.count()
    row = MailboxShares.objects.get(mailbox=made.mailbox)
    assert (row.asked, row.lease_until, row.problem) == (None, None, "")
    shares = load(row.shares)
    kinds = {kind: part.messages for kind, part in shares.kinds.items()}
    assert kinds == {"inbox": 3, "archive": 1, "trash": 1, "other": 1, "sent": 1}
    assert {path: kind for path, kind, _part in shares.folders} == {
        ("INBOX",): "inbox",
        ("Sent",): "sent",
        ("Archive", "2019"): "",
        ("Trash",): "trash",
        ("Viña",): "",
    }
    assert {year: part.messages for year, part in shares.years.items()} == {2019: 1, 2020: 1, 2024: 5}
    assert {host: (sent.messages, sent.bulk) for host, sent in shares.senders.items()} == {
        "privado.test": (4, 0),
        "news.red.test": (1, 1),
    }
    assert shares.asked == 6  # not what lies among the sent
    assert len(shares.biggest) == 7
    assert shares.biggest[0][1:] == ("2024-06-02", "inbox", 0)
    assert "@" not in str(row.shares)
    assert "Subject" not in str(row.shares)
    sums = DomainShares.objects.get(domain=made.mailbox.domain_id).shares
    assert sums["total"] == [7, shares.total.size_bytes]
    assert sums["biggest"][0] == [*shares.biggest[0][:3], made.mailbox.pk]
    before = row.at
    weigh_mailbox(made.mailbox)
    row.refresh_from_db()
    assert row.at > before
    assert load(row.shares) == shares
