"""The page of devices' passwords: owner, stranger, anonymous, wrong methods, and what is wrong told at its field."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from imapclient.exceptions import LoginError

from accounts.models import AppPassword, Change, LogPosition, MailAccount, NamedNetwork
from accounts.services.app_passwords import make_app_password
from accounts.services.login import account_of_mailbox
from webmail.templatetags.casilla import mail_date, near_day

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
GOOD = {"name": "Teléfono <b>de</b> Ana", "protocols": ["imap", "smtp"]}


def enter(made: Any, language: str = "en") -> tuple[Client, MailAccount]:
    client = Client()
    client.cookies["casilla_language"] = language
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return client, account_of_mailbox(made.mailbox)


def test_it_is_made_shown_once_and_revoked(mailbox_factory: Any, imap: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    url = reverse("app_passwords", args=[account.pk])
    assert "None yet" in client.get(url).content.decode()
    answer = client.post(url, GOOD)
    page = answer.content.decode()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store, private")
    password = re.search(r'id="once-password"[^>]*>([a-z0-9-]+)<', page)
    assert password
    assert "Teléfono &lt;b&gt;de&lt;/b&gt; Ana" in page
    imap(ana.address, password[1])
    later = client.get(url).content.decode()
    assert password[1] not in later
    assert "IMAP, sending" in later
    row = AppPassword.objects.get()
    assert "cannot be shown again" in later
    assert f'href="?again={row.pk}#new"' in later
    gone = client.post(reverse("app_password_revoke", args=[account.pk, row.pk]), follow=True)
    assert gone.redirect_chain == [(url, 302)]
    assert "can no longer sign in, and its connections are closed" in gone.content.decode()
    assert not AppPassword.objects.exists()
    changes = list(
        Change.objects.filter(mailbox=ana.mailbox).order_by("pk").values_list("verb", "actor_name", "before", "after")
    )
    told = {"name": GOOD["name"], "imap": True, "smtp": True}
    assert changes == [("device.make", ana.address, {}, told), ("device.revoke", ana.address, told, {})]
    assert password[1] not in repr(changes)


def test_it_says_when_each_last_sent(mailbox_factory: Any, settings: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    for name in "ABC":
        make_app_password(mailbox=ana.mailbox, name=name, protocols=["imap", "smtp"])
    make_app_password(mailbox=ana.mailbox, name="D", protocols=["imap"])
    now = timezone.now()

    def told() -> dict[str, str]:
        page = client.get(reverse("app_passwords", args=[account.pk])).content.decode()
        cells = re.findall(r'<b dir="auto">(\w)</b>(?:.*?<td>){3}(.*?)</td>', page, re.DOTALL)
        return {name: " ".join(re.sub("<[^>]*>", " ", cell).split()) for name, cell in cells}

    settings.POSTFIX_LOG = ""
    assert told() == dict.fromkeys("ABC", "not yet sending is not recorded here") | {"D": "not yet"}
    settings.POSTFIX_LOG = "/log/x"
    waiting = {"sends_since": (now - timedelta(days=9)).isoformat()}
    LogPosition.objects.create(path="/log/x", began=now, checked=now, waiting=waiting)
    NamedNetwork.objects.create(network="192.0.2.0/24", name="Oficina", mailbox=ana.mailbox)
    rows = AppPassword.objects
    used = now - timedelta(days=3)
    rows.filter(name="A").update(last_at=used, last_protocol="imap", last_network="10.0.0.0/24")
    rows.filter(name="A").update(sent_at=used, sent_network="192.0.2.0/24")
    rows.filter(name="B").update(last_at=used, last_protocol="smtp", last_network="192.0.2.0/24", sent_at=used)
    rows.filter(name="C").update(created=now - timedelta(days=20))
    then, day = mail_date(used, "long"), near_day(now - timedelta(days=9))
    assert told() == {
        "A": f"{then} IMAP · 10.0.0.0/24 sent {then} from Oficina",
        "B": f"{then} sending · Oficina",
        "C": f"not yet has sent nothing since {day}, when recording that began",
        "D": "not yet",
    }
    rows.filter(name="C").update(created=now, last_at=used, last_protocol="imap")
    assert told()["C"] == f"{then} IMAP has sent nothing yet"


def test_another_takes_the_place_of_one_that_was_not_noted(mailbox_factory: Any, imap: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    url = reverse("app_passwords", args=[account.pk])
    first = make_app_password(mailbox=ana.mailbox, name="Mac", protocols=["imap", "sieve"])
    asked = client.get(url, {"again": first.row.pk})
    assert asked.context["form"].initial == {"name": "Mac", "protocols": ["imap", "sieve"]}
    wrong = client.post(url, {"again": first.row.pk, "name": "", "protocols": ["imap"]})
    assert f'name="again" value="{first.row.pk}"' in wrong.content.decode()
    imap(ana.address, first.password)
    page = client.post(url, {"again": first.row.pk, "name": "Mac", "protocols": ["imap", "sieve"]}).content.decode()
    password = re.search(r'id="once-password"[^>]*>([a-z0-9-]+)<', page)
    assert password
    assert "cannot be shown again" not in page
    imap(ana.address, password[1])
    with pytest.raises(LoginError):
        imap(ana.address, first.password)
    row = AppPassword.objects.get()
    assert (row.name, row.imap, row.smtp, row.sieve) == ("Mac", True, False, True)
    verbs = Change.objects.filter(mailbox=ana.mailbox).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["device.make", "device.revoke", "device.make"]


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"name": ""}, "name", "Say for which"),
        ({"name": " \n "}, "name", "Say for which"),
        ({"name": "x" * 61}, "name", "60"),
        ({"name": "a\x00b"}, "name", "Null"),
        ({"protocols": []}, "protocols", "Choose at least one"),
        ({"protocols": ["root"]}, "protocols", "root"),
        ({"protocols": ["pop3"]}, "protocols", "pop3"),
        ({"name": "Usado"}, "name", "already"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_made(
    mailbox_factory: Any, wrong: dict[str, Any], field: str, words: str
) -> None:
    ana = mailbox_factory("ana", pop3=False)
    client, account = enter(ana)
    make_app_password(mailbox=ana.mailbox, name="Usado", protocols=["imap"])
    answer = client.post(reverse("app_passwords", args=[account.pk]), GOOD | wrong)
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors[field])
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert AppPassword.objects.count() == 1


def test_nobody_else_sees_makes_or_revokes_them(mailbox_factory: Any) -> None:
    ana, beto = mailbox_factory("ana"), mailbox_factory("beto")
    _client, account = enter(ana)
    row = make_app_password(mailbox=ana.mailbox, name="Mac", protocols=["imap"]).row
    pages = [reverse("app_passwords", args=[account.pk]), reverse("app_password_revoke", args=[account.pk, row.pk])]
    stranger, own = enter(beto)
    for url in pages:
        assert Client().post(url, GOOD)["Location"].startswith("/accounts/login/")
        assert stranger.post(url, GOOD).status_code == 404
    assert stranger.get(pages[0]).status_code == 404
    assert stranger.post(reverse("app_password_revoke", args=[own.pk, row.pk])).status_code == 404
    assert AppPassword.objects.get() == row


def test_wrong_methods_and_mailboxes_of_other_servers(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    assert client.get(reverse("app_password_revoke", args=[account.pk, 1])).status_code == 405
    assert client.put(reverse("app_passwords", args=[account.pk])).status_code == 405
    other = MailAccount.objects.create(owner=account.owner, address="a@otra.test", imap_host="imap.otra.test")
    assert client.get(reverse("app_passwords", args=[other.pk])).status_code == 404
