"""Retention that could be shorter: which, what it frees, and shortening it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, Kind, MailAccount, Mailbox, Role, User
from accounts.services.audit import SYSTEM, Actor
from accounts.services.permissions import Held
from accounts.services.usage.scope import Scope
from tests.usage.conftest import Provider, signed_in
from webmail.models import Download, LedgerEntry
from webmail.services.retention import could_be_shorter, shorten

pytestmark = pytest.mark.django_db
Keep, State = Download.Keep, LedgerEntry.State
ALL = Scope(Held(provider=True))


def downloading(mailbox: Mailbox | None, address: str, *, keep: str = Keep.DAYS, days: int = 60) -> MailAccount:
    owner = User.objects.create_user(f"owner-{address}")
    account = MailAccount.objects.create(owner=owner, address=address, mailbox=mailbox, mode=MailAccount.Mode.DOWNLOAD)
    Download.objects.create(account=account, keep=keep, keep_days=days)
    for number, back in enumerate((1, 13, 15, 50)):
        at = timezone.now() - timedelta(days=back)
        LedgerEntry.objects.create(
            account=account, uidl=f"u{number}", state=State.KEPT, stored_at=at, size_bytes=1000 * back
        )
    return account


def test_what_would_go_is_what_is_stored_here_and_older(provider: Provider) -> None:
    ana = downloading(provider.ana, "ana@x.test")
    bob = downloading(provider.bob, "bob@x.test", keep=Keep.ALWAYS)
    downloading(provider.eva, "eva@y.test", days=14)
    downloading(None, "otro@afuera.test")
    LedgerEntry.objects.filter(account=bob, uidl="u3").update(hold=True)
    LedgerEntry.objects.create(account=ana, uidl="w", state=State.WAITING, size_bytes=10**9)
    found = [(one.address, one.days, one.messages, one.size_bytes) for one in could_be_shorter(ALL)]
    assert found == [("ana@x.test", 60, 2, 65_000), ("bob@x.test", None, 1, 15_000)]
    assert [one.messages for one in could_be_shorter(ALL, days=40)] == [1]
    assert [one.address for one in could_be_shorter(ALL, days=5)] == ["ana@x.test", "eva@y.test", "bob@x.test"]


def test_the_table_is_sorted_narrowed_paged_and_taken_away(provider: Provider, admin: Client) -> None:
    downloading(provider.ana, "ana@x.test")
    bob = downloading(provider.bob, "bob@x.test", keep=Keep.ALWAYS)
    LedgerEntry.objects.filter(account=bob, uidl="u3").update(hold=True)
    address = reverse("usage_retention")

    def shown(query: str) -> list[str]:
        return re.findall(r'<b dir="ltr">(.*?)</b>', admin.get(address + query).content.decode())

    assert shown("") == shown("?sort=nothing") == ["ana@x.test", "bob@x.test"]
    assert shown("?sort=days") == ["bob@x.test", "ana@x.test"]
    assert shown("?q=BOB&sort=name") == ["bob@x.test"]
    assert "Nothing here fits the filter." in admin.get(address + "?q=%00=nobody").content.decode()
    assert shown("?page=99") == ["ana@x.test", "bob@x.test"]
    file = admin.get(address + "?as=csv&sort=name")
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1:] == ["ana@x.test,60,2,65000", "bob@x.test,,1,15000"]
    back = admin.post(address + "?q=bob&sort=name", {"account": [str(bob.pk)]})
    assert back["Location"] == address + "?q=bob&sort=name"


def test_it_is_shortened_for_the_chosen_ones_alone(provider: Provider, admin: Client) -> None:
    ana, bob = downloading(provider.ana, "ana@x.test"), downloading(provider.bob, "bob@x.test")
    address = reverse("usage_retention")
    assert "Shorter retention frees 130" in admin.get(address).content.decode()
    assert admin.post(address, {"account": [str(ana.pk), "x"]}).status_code == 302
    assert set(Download.objects.values_list("account", "keep_days")) == {(ana.pk, 14), (bob.pk, 60)}
    entry = LedgerEntry.objects.get(account=ana, uidl="u3")
    assert entry.remove_at is not None
    assert entry.remove_at < timezone.now()
    line = Change.objects.get(verb="mailbox.download")
    assert (line.thing, line.before, line.after) == ("ana@x.test", {"keep_days": 60}, {"keep_days": 14})
    assert line.actor_name == "admin@casilla.test"
    html = admin.get(address).content.decode()
    assert "Retention of 1 mailbox shortened" in html
    undo = re.search(r'"(/portal/usage/retention/undo/[^"]+)"', html)
    assert undo
    assert admin.post(undo[1])["Location"] == address
    assert set(Download.objects.values_list("account", "keep_days")) == {(ana.pk, 60), (bob.pk, 60)}
    assert "This can no longer be undone." in admin.post(undo[1], follow=True).content.decode()
    assert admin.post(undo[1][:-2] + "x/").status_code == 404
    assert admin.post(address, {"account": [str(ana.pk)], "days": "20"}).status_code == 302
    assert Download.objects.get(account=ana).keep_days == 20
    for days in ("0", "x", "99999", "-1", "²"):
        answer = admin.post(address, {"account": [str(ana.pk)], "days": days})
        assert (answer.status_code, "Write a number of days from 1 to 3650." in answer.content.decode()) == (422, True)
        assert admin.get(address, {"days": days}).status_code == 422
    assert Download.objects.get(account=ana).keep_days == 20
    shorten([ana.pk], scope=ALL, by=SYSTEM)
    owner = signed_in(Client(), ana.owner)
    assert owner.get(address).status_code == 404
    assert owner.post(address, {"account": [str(bob.pk)]}).status_code == 404
    assert Client().get(address)["Location"].startswith(reverse("account_login"))
    assert admin.put(address).status_code == 405
    shorten([bob.pk], scope=ALL, by=SYSTEM)
    assert "None leaves copies for longer than that." in admin.get(address).content.decode()


def test_whoever_runs_a_domain_shortens_that_of_its_own(provider: Provider, admin: Client) -> None:
    ana, eva = downloading(provider.ana, "ana@x.test"), downloading(provider.eva, "eva@y.test")
    person = User.objects.create_user("jefa@x.test")
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=provider.ana.domain)
    client = signed_in(Client(), person)
    address = reverse("usage_retention")
    html = client.get(address).content.decode()
    assert "ana@x.test" in html
    assert "eva@y.test" not in html
    assert client.get(reverse("usage_retention_sum")).content.decode().replace("\xa0", " ") == "1 · 65 KB"
    assert reverse("usage_retention_sum") in client.get(reverse("usage")).content.decode()
    client.post(address, {"account": [str(ana.pk), str(eva.pk)]})
    assert set(Download.objects.values_list("account", "keep_days")) == {(ana.pk, 14), (eva.pk, 60)}
    Role.objects.create(person=eva.owner, kind=Kind.DOMAIN, domain=provider.eva.domain)
    Role.objects.create(person=eva.owner, kind=Kind.CUSTOMER, customer=provider.eva.domain.customer)
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=provider.eva.domain)
    person = User.objects.get(pk=person.pk)
    assert shorten([eva.pk], scope=ALL, by=Actor(person)) == []
    assert (
        admin.get(address, {"customer": provider.eva.domain.customer_id}).content.decode().count('name="account"') == 1
    )
