"""The timeline's page: whose it is, and what it says of what happened."""

from __future__ import annotations

import csv
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    Alias,
    Group,
    GroupMember,
    Kind,
    LogPosition,
    MailAccount,
    Mailbox,
    MailboxEvent,
    MailboxSpace,
    ProgramUse,
    Role,
    User,
)
from accounts.services.recipients import mailboxes_behind
from accounts.services.timeline import timeline_of
from tests.usage.conftest import GIGA, Provider, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(db: None) -> None:
    now = timezone.now()
    LogPosition.objects.create(path="x", began=now - timedelta(days=40), checked=now)


def happened(
    mailbox: Mailbox, kind: str, count: int = 1, *, session: str = "s", hours: float = 0.1, **more: Any
) -> None:
    at = timezone.now() - timedelta(hours=hours)
    values = {"protocol": "imap", "folder": "INBOX", "network": "192.0.2.0/24", "size_bytes": 1000 * count, **more}
    MailboxEvent.objects.create(
        mailbox=mailbox, day=at.date(), session=session, kind=kind, count=count, first_at=at, last_at=at, **values
    )


def told(mailbox: Mailbox, **more: Any) -> list[tuple[str, int, int, str, str]]:
    entries = timeline_of(mailbox, **more).entries
    return sorted((one.kind, one.count, one.removed, one.folder, one.target) for one in entries)


def account_page(client: Client, mailbox: Mailbox, query: str = "") -> str:
    account = MailAccount.objects.get(mailbox=mailbox)
    answer = client.get(reverse("account_activity", args=[account.pk]) + query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_what_was_moved_stands_among_the_copies_and_is_told_once(provider: Provider) -> None:
    happened(provider.ana, "copied", 6, target="Clientes")
    happened(provider.ana, "moved", 5, target="Clientes")
    happened(provider.ana, "removed", 2)
    happened(provider.ana, "removed", 2, folder="Trash")
    happened(provider.ana, "copied", 3, session="t", target="Archive")
    happened(provider.ana, "moved", 3, session="t", target="Archive")
    happened(provider.ana, "read", 4, folder="")
    happened(provider.bob, "read", 99)
    assert told(provider.ana) == [
        ("copied", 1, 0, "INBOX", "Clientes"),
        ("moved", 3, 0, "INBOX", "Archive"),
        ("moved", 5, 0, "INBOX", "Clientes"),
        ("read", 4, 0, "", ""),
        ("removed", 2, 0, "INBOX", ""),
        ("removed", 2, 0, "Trash", ""),
    ]
    assert [one[0] for one in told(provider.ana, only_gone=True)] == ["removed", "removed"]


def test_what_happened_before_is_paired_by_number(provider: Provider) -> None:
    happened(provider.ana, "copied", 5, target="Clientes")
    happened(provider.ana, "copied", 1, target="Archive")
    happened(provider.ana, "removed", 7)
    happened(provider.ana, "copied", 3, session="t", target="Archive")
    happened(provider.ana, "removed", 3, session="t")
    happened(provider.ana, "removed", 3, session="u")
    past_moves = import_module("accounts.migrations.0061_past_moves")
    for _again in range(2):
        past_moves.pair(apps, None)
        assert told(provider.ana) == [
            ("moved", 1, 0, "INBOX", "Archive"),
            ("moved", 3, 0, "INBOX", "Archive"),
            ("moved", 5, 0, "INBOX", "Clientes"),
            ("removed", 1, 0, "INBOX", ""),
            ("removed", 3, 0, "INBOX", ""),
        ]
        MailboxEvent.objects.filter(kind="removed", count=1).update(session="v")


def test_an_address_leads_to_the_mailboxes_behind_it(provider: Provider) -> None:
    domain, ana, bob = provider.ana.domain, provider.ana.address, provider.bob.address
    names = [ana.replace("ana", name) for name in ("ventas", "todos", "rueda", "nadie")]
    alias, all_, round_, nobody = names
    Alias.objects.create(address=alias, target=provider.ana)
    for address, members in ((all_, [alias, bob, round_]), (round_, [all_, "x@afuera.test"])):
        group = Group.objects.create(address=address, domain=domain)
        GroupMember.objects.bulk_create(GroupMember(group=group, address=one) for one in members)
    behind = mailboxes_behind([*names, ana, bob.replace("@", "+tag@"), "", "@", "x@afuera.test"])
    both = sorted([ana, bob])
    assert {address: sorted(some) for address, some in behind.items()} == {
        alias: [ana],
        all_: both,
        round_: both,
        ana: [ana],
        bob.replace("@", "+tag@"): [bob],
    }


def test_a_removal_in_doubt_is_a_loss_and_says_where_copies_lie(
    provider: Provider, owner: Client, recorded: None
) -> None:
    happened(provider.ana, "removed", 4, program="iPhone Mail", target="Clientes")
    happened(provider.ana, "copied", 9, session="t", target="Clientes")
    happened(provider.ana, "moved", 5, session="t", target="Clientes")
    copied = next(one for one in timeline_of(provider.ana).entries if one.kind == "copied")
    assert (copied.count, copied.size_bytes) == (4, 4000)
    html = account_page(owner, provider.ana, "?only=gone")
    assert "Moved" not in html
    assert "Deleted 4 messages from Inbox for good; copies were put into Clientes before" in html
    assert "Copies of them were put into Clientes before." in html
    account = MailAccount.objects.get(mailbox=provider.ana)
    answer = owner.get(reverse("account_activity", args=[account.pk]) + "?only=gone&as=csv")
    rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode()[1:])))  # type: ignore[attr-defined]
    what = "Deleted 4 messages from Inbox for good; copies were put into Clientes before"
    assert [row[5] for row in rows[1:]] == [what]


def test_what_most_wants_an_answer_comes_first(provider: Provider, owner: Client, recorded: None) -> None:
    assert "No program took mail away from the server in the last 7 days." in account_page(owner, provider.ana)
    happened(provider.ana, "refused", 3, session="r", protocol="smtp", folder="full")
    happened(provider.ana, "refused", 2, session="q", protocol="smtp", folder="full", target="ventas@x.test")
    html = account_page(owner, provider.ana)
    assert "5 messages were refused, because there was no room for them." in html
    assert "Refused 2 messages to ventas@x.test: the mailbox is full" in html
    happened(provider.ana, "removed", 12, session="i", program="Outlook")
    assert "Outlook deleted 12 messages from Inbox for good." in account_page(owner, provider.ana)
    happened(provider.ana, "removed", 500, session="w", protocol="web", network="")
    happened(provider.ana, "fetched", 123, session="p", protocol="pop3", size_bytes=214_000_000)
    happened(provider.ana, "taken", 123, session="p", protocol="pop3")
    html = account_page(owner, provider.ana)
    assert "A program without a name took 123 messages by POP3 and removed them from the server." in html
    assert "from the network 192.0.2.0/24" in html
    assert "Downloaded 123 messages and removed them from the server</b>, 214" in html
    assert "They are on that computer" in html
    MailboxEvent.objects.filter(session="p", kind="fetched").update(
        count=100
    )  # 23 were fetched in another session, or never
    less = account_page(owner, provider.ana)
    assert "A program without a name removed 123 messages from the server by POP3." in less
    assert "It did not download 23 of them in that session: it did so before, or never." in less
    assert "They are on that computer" not in less
    account = MailAccount.objects.get(mailbox=provider.ana)
    assert f'href="{reverse("mode", args=[account.pk])}"' in html
    assert "or let it leave copies for 14 days." in html
    advice = owner.get(reverse("usage_advice", args=[provider.ana.pk])).content.decode()
    for protocol, where in (("imap", html), ("pop3", advice)):
        assert f'href="{(guide := reverse("guide_home", args=[account.pk]))}?protocol={protocol}"' in where
        assert owner.get(guide, {"protocol": protocol})["Location"].endswith(f"/thunderbird/?protocol={protocol}")
    assert owner.get(guide, {"protocol": "x"})["Location"].endswith("/thunderbird/")


def test_a_jump_is_marked(provider: Provider, owner: Client, recorded: None) -> None:
    assert "all at once" not in account_page(owner, provider.ana)
    today = timezone.localdate()
    MailboxSpace.objects.filter(pk=provider.ana.pk).update(jump_on=today, jump_bytes=-3 * GIGA)
    assert "the mailbox was emptied by 3 GB all at once." in account_page(owner, provider.ana).replace("\xa0", " ")
    MailboxSpace.objects.filter(pk=provider.ana.pk).update(jump_bytes=2 * GIGA)
    assert "the mailbox grew by 2 GB all at once." in account_page(owner, provider.ana).replace("\xa0", " ")


def test_folders_are_called_as_in_the_tree(provider: Provider, owner: Client, recorded: None) -> None:
    happened(provider.ana, "copied", 5, target="Junk")
    happened(provider.ana, "copied", 2, folder=".reserve/INBOX", target="Clientes/Viña")
    html = account_page(owner, provider.ana)
    assert "Copied 5 messages from Inbox to Spam" in html
    assert "Copied 2 messages from the reserve to Clientes / Viña" in html


def test_pop3_that_leaves_copies_is_told_as_such(provider: Provider, owner: Client, recorded: None) -> None:
    happened(provider.ana, "fetched", 18, protocol="pop3")
    happened(provider.ana, "taken", 2, session="x", protocol="pop3")
    html = account_page(owner, provider.ana)
    assert "Downloaded 18 messages and left them on the server" in html
    assert "Removed 2 messages from the server" in html


def test_periods_pages_and_programs(provider: Provider, owner: Client, recorded: None) -> None:
    for number in range(101):
        happened(provider.ana, "read", 1, session=f"s{number}", program="Thunderbird")
    happened(provider.ana, "read", 77, session="old", hours=20 * 24)
    at = timezone.now()
    ProgramUse.objects.create(
        mailbox=provider.ana, protocol="imap", program="<b>K-9", first_at=at, last_at=at, sign_ins=3
    )
    html = account_page(owner, provider.ana)
    assert "1 to 100 of 101" in html
    assert "Read 77 messages" not in html
    assert "&lt;b&gt;K-9" in html
    assert "Read 77 messages" in account_page(owner, provider.ana, "?days=30&page=2")
    assert 'aria-current="true">7 days' in account_page(owner, provider.ana, "?days=99&page=x")
    assert "Nothing left the server in this time." in account_page(owner, provider.ana, "?only=gone")


def test_what_is_not_recorded_is_said(provider: Provider, owner: Client) -> None:
    assert "What programs do is not recorded on this server." in account_page(owner, provider.ana)
    past = timezone.now() - timedelta(hours=2)
    LogPosition.objects.create(path="x", began=past, checked=past)
    html = account_page(owner, provider.ana)
    assert "Recording has stopped" in html
    assert "Recorded since" in html


def test_only_the_owner_and_the_provider_see_it(provider: Provider, owner: Client, admin: Client) -> None:
    account = MailAccount.objects.get(mailbox=provider.ana)
    mine, any_ = reverse("account_activity", args=[account.pk]), reverse("mailbox_activity", args=[provider.ana.pk])
    assert owner.get(mine).status_code == 200
    assert admin.get(any_).status_code == 200
    assert owner.get(any_)["Location"] == mine
    customer = User.objects.create_user("jefa@x.test")
    Role.objects.create(person=customer, kind=Kind.CUSTOMER, customer=provider.ana.domain.customer)
    runner = signed_in(Client(), customer)
    assert runner.get(any_).status_code == 200
    assert f'href="{reverse("usage")}"' not in runner.get(any_).content.decode()
    assert runner.get(reverse("mailbox_activity", args=[provider.eva.pk])).status_code == 404
    assert admin.get(mine).status_code == 404
    other = User.objects.create_user("bob@x.test")
    foreign = MailAccount.objects.create(owner=other, address="b@afuera.test")
    bob = signed_in(Client(), other)
    assert bob.get(mine).status_code == 404
    assert bob.get(any_).status_code == 404
    assert bob.get(reverse("account_activity", args=[foreign.pk])).status_code == 404
    for address in (mine, any_):
        assert Client().get(address)["Location"].startswith(reverse("account_login"))
        assert owner.post(address).status_code == 405
    assert admin.get(reverse("mailbox_activity", args=[999_999])).status_code == 404


def test_it_is_exported_without_formulas(provider: Provider, owner: Client, recorded: None) -> None:
    happened(provider.ana, "read", 3, program="=cmd|' /C calc'!A0")
    account = MailAccount.objects.get(mailbox=provider.ana)
    owner.cookies["zone"] = "Asia/Kathmandu"  # lines go out when the request, and its zone, are over
    answer = owner.get(reverse("account_activity", args=[account.pk]) + "?as=csv")
    rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode()[1:])))  # type: ignore[attr-defined]
    assert rows[1][0].endswith("+05:45")
    assert rows[1][1:] == ["'=cmd|' /C calc'!A0", "IMAP", "192.0.2.0/24", "", "Read 3 messages", "3000"]


def test_a_page_with_much_takes_few_queries(
    provider: Provider, owner: Client, recorded: None, django_assert_max_num_queries: Any
) -> None:
    for number in range(300):
        happened(provider.ana, "read", 1, session=f"s{number}", hours=number / 3)
    account_page(owner, provider.ana)
    with django_assert_max_num_queries(16):
        account_page(owner, provider.ana)
