"""What a POP3 program removes lies in the reserve: no program sees it, it takes no quota, and it can be put back."""

from __future__ import annotations

import poplib
import re
import time
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from imapclient import IMAPClient

from accounts.models import Change, DomainShares, Kind, Mailbox, MailboxEvent, MailboxShares, Role, User
from accounts.services.login import account_of_mailbox
from accounts.services.reserves import tidy_reserves
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.activity.test_timeline import collect, happened
from tests.api.conftest import call, token_of
from tests.conftest import TIMEOUT_S, HostedMailbox, MailboxFactory
from tests.webmail.conftest import english

pytestmark = pytest.mark.server
RESERVE = ".reserve/INBOX"
LETTER = b"From: a@afuera.test\r\nSubject: %d\r\nMessage-ID: <%d@afuera.test>\r\n\r\n" + b"0123456789\r\n" * 1000
Imap = Callable[..., IMAPClient]


@pytest.fixture
def ana(mailbox_factory: MailboxFactory, deliver: Callable[[str, bytes], None]) -> HostedMailbox:
    made = mailbox_factory("ana")
    for number in range(4):
        deliver(made.address, LETTER % (number, number))
    return made


def take(stack: Stack, login: str, password: str, count: int) -> None:
    """A POP3 program takes the first messages and leaves no copy."""
    client = poplib.POP3(LOOPBACK, stack.ports.pop3, timeout=TIMEOUT_S)
    client.user(login)
    client.pass_(password)
    for number in range(1, count + 1):
        client.retr(number)
        client.dele(number)
    client.quit()


def test_what_pop3_removes_is_in_the_reserve_and_nowhere_else(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    take(stack, ana.address, ana.password, 3)
    client = imap(ana.address, ana.password)
    assert client.select_folder("INBOX")[b"EXISTS"] == 1
    assert not [name for _flags, _delimiter, name in client.list_folders() if "reserve" in name]
    assert client.folder_status(RESERVE, ["MESSAGES"])[b"MESSAGES"] == 3
    _root, quotas = client.get_quota_root("INBOX")
    assert next(quota.usage for quota in quotas if quota.resource == "STORAGE") < 20
    client.select_folder(RESERVE)
    client.move(client.search("ALL"), "INBOX")
    assert client.select_folder("INBOX")[b"EXISTS"] == 4


def test_casillas_own_downloads_leave_nothing_there(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    take(stack, ana.master_login, stack.secrets.master, 2)
    client = imap(ana.address)
    assert client.select_folder("INBOX")[b"EXISTS"] == 2
    assert not client.folder_exists(RESERVE) or client.folder_status(RESERVE, ["MESSAGES"])[b"MESSAGES"] == 0


def test_two_sessions_that_end_in_one_moment_are_put_back_apart(
    stack: Stack, ana: HostedMailbox, imap: Imap, deliver: Callable[[str, bytes], None]
) -> None:
    client = english(Client())
    client.post(reverse("account_login"), {"login": ana.address, "password": ana.password})
    account = account_of_mailbox(ana.mailbox)
    take(stack, ana.address, ana.password, 3)
    take(stack, ana.address, ana.password, 1)
    taken = MailboxEvent.objects.filter(mailbox=ana.mailbox, kind="taken").order_by("count")
    collect(lambda: len(taken.all()) == 2)
    taken.update(last_at=taken[0].last_at)  # the log knows whole seconds, and a machine may be slow
    assert list(taken.values_list("count", "reserve")) == [(1, "4"), (3, "1:3")]
    html = client.get(reverse("account_activity", args=[account.pk])).content.decode()
    link = re.search(r'href="([^"]*/reserve/[^"]*)"', html)
    assert link
    page = client.get(unescape(link[1])).content.decode()
    assert len(re.findall(r'name="uid"', page)) == 3
    client.post(reverse("reserve", args=[account.pk]), {"all": "1", "session": str(taken[0].pk)})
    assert list(taken.values_list("count", "back", "back_run")) == [(1, 1, 0), (3, 0, 0)]
    client.post(reverse("reserve", args=[account.pk]), {"all": "1", "session": "9" * 30})
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 1


def test_what_does_not_fit_stays_in_the_reserve(
    stack: Stack, ana: HostedMailbox, imap: Imap, mailbox_factory: MailboxFactory
) -> None:
    """Four letters of 12 kB were there: one of them fits."""
    take(stack, ana.address, ana.password, 4)
    collect(happened(ana, "taken"))
    client = english(Client())
    client.post(reverse("account_login"), {"login": ana.address, "password": ana.password})
    account = account_of_mailbox(ana.mailbox)
    address = reverse("reserve", args=[account.pk])
    imap(ana.address, ana.password).append("INBOX", b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 50)
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(quota_bytes=20_000)
    html = client.post(address, {"all": "1"})
    text = html.content.decode()
    assert html.status_code == 200
    assert "1 message is in the Inbox again" in text
    assert re.search(r"3 messages stay in the reserve. They take 3\d\sKB,", text)
    assert re.search("and there is room for [67]", text)
    assert reverse("space", args=[account.pk]) in text
    html = client.post(address, {"all": "1"})
    assert (html.status_code, html.content.decode().count('name="uid"')) == (507, 3)
    assert "are in the Inbox again" not in html.content.decode()
    person = User.objects.create_user("jefa@casilla.test")
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=ana.mailbox.domain)
    api = f"/mailboxes/{ana.mailbox.pk}/reserve"
    refused = call(token_of(person), "POST", api, {"all": True})
    assert (refused.status_code, refused.json()["title"]) == (507, "No room")
    assert "3 messages stay in the reserve." in refused.json()["detail"]
    runner = english(Client())
    runner.force_login(person, backend="accounts.backends.HostedMailboxBackend")
    page = runner.post(reverse("mailbox_reserve", args=[ana.mailbox.pk]), {"all": "1"})
    assert page.status_code == 507
    assert "Give the mailbox more room" in page.content.decode()
    assert list(Change.objects.filter(verb="mailbox.reserve").values_list("after", flat=True)) == [{"messages": 1}]
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(quota_bytes=40_000)
    some = call(token_of(person), "POST", api, {"all": True}).json()
    assert (some["messages"], some["left"], 12_000 < some["left_bytes"] < 13_000) == (2, 1, True)


def test_its_owner_puts_it_back(stack: Stack, ana: HostedMailbox, imap: Imap, mailbox_factory: MailboxFactory) -> None:
    client = english(Client())
    client.post(reverse("account_login"), {"login": ana.address, "password": ana.password})
    account = account_of_mailbox(ana.mailbox)
    address = reverse("reserve", args=[account.pk])
    assert "The reserve is empty" in client.get(address).content.decode()
    take(stack, ana.address, ana.password, 3)
    collect(happened(ana, "taken"))
    html = client.get(reverse("account_activity", args=[account.pk])).content.decode()
    link = re.search(r'href="([^"]*/reserve/[^"]*)"', html)
    assert link
    assert "Put the 3 back" in html
    html = client.get(unescape(link[1])).content.decode()
    assert "3 messages, 3" in html
    held = client.get(reverse("reserve_held", args=[account.pk])).content.decode()
    assert "can be put back: 3 messages, 3" in held
    [value] = re.findall(r'name="uid" value="([^"]+)"', html)[:1]
    client.post(address, {"uid": [value, "1.99", "x"]})
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 2
    html = client.get(reverse("account_activity", args=[account.pk])).content.decode()
    assert "1 of them is in the Inbox again." in html
    assert "Put the 2 back" in html
    assert "What was removed then has been put back" in client.get(address, {"session": "nonsense"}).content.decode()
    client.post(address, {"all": "1", "session": "nonsense"})
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 2
    client.post(address, {"all": "1"})
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 4
    assert "The reserve is empty" in client.get(address).content.decode()
    html = client.get(reverse("account_activity", args=[account.pk])).content.decode()
    assert "took 3 messages by POP3" in html
    assert "3 of them are in the Inbox again." in html
    assert "can be put back." not in html
    assert f"{address}?session=" not in html
    collect()
    backs = MailboxEvent.objects.filter(mailbox=ana.mailbox, folder=RESERVE).order_by("pk")
    assert list(backs.values_list("kind", "count", "back_run")) == [("back", 1, 0), ("back", 2, 0)]  # told once
    bob = mailbox_factory("bob")
    stranger = Client()
    assert stranger.get(address)["Location"].startswith(reverse("account_login"))
    stranger.post(reverse("account_login"), {"login": bob.address, "password": bob.password})
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {"all": "1"}).status_code == 404


def test_whoever_runs_the_mailbox_puts_it_back_without_seeing_it(
    stack: Stack, ana: HostedMailbox, imap: Imap, mailbox_factory: MailboxFactory
) -> None:
    take(stack, ana.address, ana.password, 3)
    collect(happened(ana, "taken"))
    person = User.objects.create_user("jefa@casilla.test")
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=ana.mailbox.domain)
    client = english(Client())
    client.force_login(person, backend="accounts.backends.HostedMailboxBackend")
    html = client.get(reverse("mailbox_activity", args=[ana.mailbox.pk])).content.decode()
    address = reverse("mailbox_reserve", args=[ana.mailbox.pk])
    assert f'href="{address}?session=' in html
    page = client.get(address).content.decode()
    assert "3 messages, 3" in page
    assert "a@afuera.test" not in page
    assert client.post(address).status_code == 400
    [session] = re.findall(r'name="session" value="([^"]+)"', page)
    assert client.post(address, {"session": "0"})["Location"] == address
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 1
    token, api = token_of(person), f"/mailboxes/{ana.mailbox.pk}/reserve"
    held = call(token, "GET", api).json()
    assert (held["messages"], [one["messages"] for one in held["sessions"]]) == (3, [3])
    assert [one["id"] for one in held["sessions"]] == [int(session)]
    nothing = {"messages": 0, "left": 0, "left_bytes": 0}
    for wanted in ({"at": "2020-01-01T00:00:00Z"}, {"session": 1 + int(session)}):
        assert call(token, "POST", api, wanted).json() == nothing
    for wrong in ({}, {"session": int(session), "all": True}):
        assert call(token, "POST", api, wrong).status_code == 422
    assert client.post(address, {"session": session})["Location"] == address
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 4
    line = Change.objects.get(verb="mailbox.reserve")
    assert (line.mailbox, line.actor, line.after) == (ana.mailbox, person, {"messages": 3})
    html = client.get(reverse("mailbox_activity", args=[ana.mailbox.pk])).content.decode()
    assert "3 of them are in the Inbox again. Whoever runs the mailbox put 3 back." in html
    assert "3 put back by whoever runs the mailbox" in html
    assert "Put 3 messages back from the reserve into Inbox" in html
    take(stack, ana.address, ana.password, 2)
    for _time in range(2):  # the second is answered as the first was, and nothing is done again
        answer = call(token, "POST", api, {"all": True}, **{"Idempotency-Key": "r-1"})
        assert (answer.status_code, answer.json()) == (200, {"messages": 2, "left": 0, "left_bytes": 0})
    assert imap(ana.address).select_folder("INBOX")[b"EXISTS"] == 4
    last = Change.objects.filter(verb="mailbox.reserve").latest("pk")
    assert (last.actor_name.startswith("jefa@casilla.test (panel"), last.after) == (True, {"messages": 2})


def test_its_days_end_in_mailboxes_that_nobody_opens(stack: Stack, ana: HostedMailbox, imap: Imap) -> None:
    take(stack, ana.address, ana.password, 3)
    collect(happened(ana, "taken"))
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(active=False)
    assert tidy_reserves() == 1
    held = MailboxShares.objects.get(mailbox=ana.mailbox).reserve_bytes
    assert 3 * len(LETTER) < held < 40_000
    assert DomainShares.objects.get(domain=ana.mailbox.domain_id).reserve_bytes == held
    MailboxEvent.objects.all().delete()  # what is known of it is its size
    until = time.monotonic() + 20
    while MailboxShares.objects.get(mailbox=ana.mailbox).reserve_bytes and time.monotonic() < until:
        assert tidy_reserves(days=0) == 1  # older than this second
    assert tidy_reserves() == 0
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(active=True)
    assert imap(ana.address).folder_status(RESERVE, ["MESSAGES"])[b"MESSAGES"] == 0
