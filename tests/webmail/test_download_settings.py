"""The settings of download mode, and adding a mailbox of another server, on the real Dovecot."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, MailAccount, User
from accounts.services.change_words import line_of
from tests.pop3.scripted import Script, serving
from tests.webmail.conftest import Boxed, letter
from webmail.models import Download, LedgerEntry, Pull
from webmail.services.adding import Source, add_account
from webmail.services.claims import claim
from webmail.services.downloads import Policy
from webmail.services.schedule import pull_account
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HTMX = {"HX-Request": "true"}
POLICY = {"keep": "days", "keep_days": "30", "pace": "adaptive"}


def test_the_policy_of_a_hosted_mailbox_is_tested_and_changed(boxed: Boxed) -> None:
    boxed.pull()
    page = boxed.get("download_settings")
    assert "needs neither server nor password" in page
    told = boxed.post("download_settings", {"do": "test", **POLICY}, headers=HTMX).content.decode()
    assert "The connection works" in told
    assert "3 messages are on the server" in told
    assert boxed.download.keep_days == 14
    more = {"limited": "on", "limit_mb": "5", "pace": "fixed", "every_min": "15"}
    assert boxed.post("download_settings", {"do": "save", **POLICY, **more}).status_code == 302
    download = boxed.download
    assert (download.keep, download.keep_days, download.max_bytes, download.every_s) == ("days", 30, 5_000_000, 900)
    line = Change.objects.get(verb="mailbox.download")
    assert line.before == {"keep_days": 14, "max_bytes": None, "every_min": None}
    assert line.after == {"keep_days": 30, "max_bytes": 5_000_000, "every_min": 15}
    assert (line.mailbox, line.actor_name) == (boxed.account.mailbox, boxed.account.owner.email)
    shown = line_of(line)
    assert ("Only messages up to", "", "5\xa0MB") in shown.values
    entry = LedgerEntry.objects.first()
    assert entry
    assert entry.remove_at == entry.stored_at + timedelta(days=30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"keep": "never"},
        {"keep_days": ""},
        {"keep_days": "0"},
        {"keep_days": "99999"},
        {"limited": "on"},
        {"pace": "fixed", "every_min": "1"},
        {"pace": "fixed"},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(boxed: Boxed, wrong: dict[str, str]) -> None:
    response = boxed.post("download_settings", {"do": "save", **POLICY, **wrong})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert boxed.download.keep_days == 14


# --- another server's mailbox -------------------------------------------------------------------------------------------


@pytest.fixture
def foreign(boxed: Boxed, mailbox_factory: Any, stack: Any) -> dict[str, str]:
    """What is typed to add a mailbox of another server (which is ours, for lack of another)."""
    made = mailbox_factory("carla")
    where = {"host": "127.0.0.1", "port": str(stack.ports.pop3), "tls": "none", "login": made.address}
    return {"address": "carla@otra.test", **where, "auth": "password", "secret": made.password, **POLICY}


def test_a_mailbox_is_added_by_hand_and_downloads(boxed: Boxed, foreign: dict[str, str]) -> None:
    add = reverse("account_add")
    first = boxed.client.post(add, {"address": "Carla@Otra.test", "do": "find"}).content.decode()
    assert 'value="carla@otra.test"' in first
    told = boxed.client.post(add, {"do": "test", **foreign}, headers=HTMX)
    assert "The connection works" in told.content.decode()
    assert foreign["secret"] not in told.content.decode()
    assert MailAccount.objects.count() == 1
    typed = re.search(r'name="typed" value="([^"]+)"', told.content.decode())
    assert typed
    again = {**foreign, "do": "save", "secret": "", "typed": typed[1]}
    assert boxed.client.post(add, again).status_code == 302
    account = MailAccount.objects.get(address="carla@otra.test")
    assert (account.owner_id, account.mode, account.hosted) == (boxed.account.owner_id, "download", False)
    assert foreign["secret"] not in account.download.sealed
    download = claim(account.pk, by_hand=True)
    assert download
    assert pull_account(download).outcome == "complete"
    page = boxed.get("folder", FolderId("INBOX"))
    assert reverse("account", args=[account.pk]) in page
    other = boxed.client.get(reverse("folder", args=[account.pk, FolderId("INBOX")]))
    assert other.status_code == 200
    assert boxed.account.address in other.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret": "falsa"}, "did not accept the user or the password"),
        ({"port": "1"}, "does not answer"),
        ({"tls": "tls"}, "does not answer"),
        ({"host": "no/host"}, "Only the server&#x27;s name"),
        ({"secret": ""}, "wants a password"),
        ({"typed": "nonsense", "secret": ""}, "wants a password"),
        ({"port": "70000"}, "65535"),
    ],
)
def test_what_is_wrong_with_a_server_is_said_and_nothing_is_saved(
    boxed: Boxed, foreign: dict[str, str], change: dict[str, str], words: str
) -> None:
    response = boxed.client.post(reverse("account_add"), {"do": "save", **foreign, **change})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert MailAccount.objects.count() == 1


def test_ones_own_mailbox_is_not_downloaded_into_itself(boxed: Boxed, foreign: dict[str, str]) -> None:
    own = {"login": boxed.made.address, "secret": boxed.made.password}
    response = boxed.client.post(reverse("account_add"), {"do": "save", **foreign, **own})
    assert response.status_code == 422
    assert "your own mailbox" in response.content.decode()
    same = boxed.client.post(reverse("account_add"), {"do": "find", "address": boxed.made.address})
    assert same.status_code == 422
    assert "here already" in same.content.decode()


def test_a_server_without_uidl_can_only_be_emptied(boxed: Boxed, foreign: dict[str, str]) -> None:
    with serving(Script(messages=[letter(1)], uidl=False)) as port:
        typed = {**foreign, "port": str(port), "do": "save"}
        refused = boxed.client.post(reverse("account_add"), typed)
        assert refused.status_code == 422
        assert "cannot leave copies" in refused.content.decode()
        assert boxed.client.post(reverse("account_add"), typed | {"keep": "delete"}).status_code == 302


def test_clear_text_and_private_servers_are_refused_unless_settings_allow_them(
    boxed: Boxed, foreign: dict[str, str], settings: Any
) -> None:
    settings.POP3_ALLOW_CLEARTEXT = False
    assert boxed.client.post(reverse("account_add"), {"do": "test", **foreign}).status_code == 422
    assert 'value="none"' not in boxed.client.post(reverse("account_add"), {"do": "find", **foreign}).content.decode()
    settings.POP3_ALLOW_CLEARTEXT, settings.ALLOW_PRIVATE_SERVERS = True, False
    response = boxed.client.post(reverse("account_add"), {"do": "test", **foreign, "port": "995", "tls": "tls"})
    assert "Casilla may not connect there" in response.content.decode()


@pytest.fixture
def added(boxed: Boxed, foreign: dict[str, str]) -> tuple[MailAccount, dict[str, str]]:
    boxed.client.post(reverse("account_add"), {"do": "save", **foreign})
    return MailAccount.objects.get(address="carla@otra.test"), foreign


def test_the_kept_password_goes_to_its_own_server_only(boxed: Boxed, added: tuple[MailAccount, dict[str, str]]) -> None:
    account, typed = added
    url = reverse("download_settings", args=[account.pk])
    quiet = {**typed, "secret": ""}
    assert typed["secret"] not in boxed.client.get(url).content.decode()
    assert "The connection works" in boxed.client.post(url, {"do": "test", **quiet}).content.decode()
    script = Script()
    with serving(script) as port:
        response = boxed.client.post(url, {"do": "test", **quiet, "port": str(port)})
    assert response.status_code == 422
    assert "type the password again" in response.content.decode()
    assert script.lines == []


def test_a_password_that_stopped_working_is_asked_for_and_taken(
    boxed: Boxed, added: tuple[MailAccount, dict[str, str]]
) -> None:
    account, typed = added
    url = reverse("downloads", args=[account.pk])
    now = timezone.now()
    Pull.objects.create(account=account, outcome="failed", problem="login", detail="-ERR no", ended=now)
    Download.objects.filter(account=account).update(problem="login", asks_owner=True, failures=3)
    page = boxed.client.get(url).content.decode()
    assert "did not accept the user or the password" in page
    assert "does not try again until you say so" in page
    assert boxed.client.post(url, {"do": "secret", "auth": "password", "secret": ""}).status_code == 422
    assert boxed.client.post(url, {"do": "secret", "auth": "password", "secret": typed["secret"]}).status_code == 302
    download = claim(account.pk, by_hand=True)
    assert download
    assert not download.asks_owner
    assert pull_account(download).outcome == "complete"


def test_writing_from_an_added_mailbox_signs_nobody_out(
    boxed: Boxed, added: tuple[MailAccount, dict[str, str]]
) -> None:
    account, _typed = added
    page = boxed.client.get(reverse("compose_new", args=[account.pk]), follow=True)
    assert page.status_code == 200
    assert User.objects.get(pk=boxed.account.owner_id).is_active
    assert boxed.client.get(reverse("downloads", args=[account.pk])).status_code == 200


def test_a_mailbox_that_is_added_twice_at_once_is_there_once(boxed: Boxed) -> None:
    source = Source(("127.0.0.1", 995, "tls"), "carla@otra.test", "secreto")
    wanted = {"owner_id": boxed.account.owner_id, "address": "carla@otra.test", "source": source, "policy": Policy()}
    one, two = (add_account(**wanted, smtp=("smtp.otra.test", 465, "tls")) for _time in range(2))
    assert one == two
    assert one.smtp_host == "smtp.otra.test"


def test_a_person_is_led_to_adding_from_the_settings(boxed: Boxed) -> None:
    page = boxed.client.get(reverse("settings")).content.decode()
    assert reverse("account_add") in page
    assert reverse("mode", args=[boxed.account.pk]) in page
    assert User.objects.count() == 1
