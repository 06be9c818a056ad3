"""Pulls from the real Dovecot, and by command."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from webmail.errors import LoginRefused, Unreachable
from webmail.models import Download, LedgerEntry, LocalMessage, Pull
from webmail.services.access import account_credentials, pop3_for
from webmail.services.claims import claim
from webmail.services.downloads import (
    Policy,
    as_policy_says,
    keep_on_server,
    pause,
    places,
    probe_server,
    remove_now,
    resume,
    start_download,
)
from webmail.services.schedule import pull_account
from webmail.tasks import pull_due, pull_one
from webmail.values import Credentials

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def letter(number: int) -> bytes:
    return f"From: a@afuera.test\r\nSubject: Carta {number}\r\n\r\n.Hola\r\n..\r\n{'x' * 300}\r\n".encode()


@pytest.fixture
def boxed(mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path) -> tuple[MailAccount, Any]:
    """A hosted account with three messages, and an IMAP client on its mailbox."""
    settings.STORE_DIR = tmp_path / "store"
    made = mailbox_factory("ana")
    client = imap(made.address)
    for number in range(3):
        client.append("INBOX", letter(number))
    return account_of_mailbox(made.mailbox), client


def pulled(account: MailAccount) -> Pull:
    download = claim(account.pk, by_hand=True)
    assert download
    return pull_account(download)


def on_server(client: Any) -> int:
    client.select_folder("INBOX", readonly=True)
    return len(client.search())


def test_what_comes_down_is_what_imap_shows(boxed: tuple[MailAccount, Any]) -> None:
    account, client = boxed
    start_download(account=account, policy=Policy(keep="delete"))
    pull = pulled(account)
    assert (pull.outcome, pull.stored, pull.removed, pull.listed) == ("complete", 3, 3, 3)
    assert on_server(client) == 0
    assert sorted(LocalMessage.objects.values_list("subject", flat=True)) == ["Carta 0", "Carta 1", "Carta 2"]
    assert Download.objects.get().pipelining


def test_a_probe_changes_nothing(boxed: tuple[MailAccount, Any]) -> None:
    account, client = boxed
    report = probe_server(pop3_for(account), account_credentials(account))
    assert (report.has_uidl, report.pipelining, report.messages) == (True, True, 3)
    assert report.size_bytes == sum(len(letter(number)) for number in range(3))
    assert on_server(client) == 3
    with pytest.raises(LoginRefused):
        probe_server(pop3_for(account), Credentials(account.address, "falsa"))


def test_single_copies_are_kept_and_removed_by_hand(boxed: tuple[MailAccount, Any]) -> None:
    account, client = boxed
    start_download(account=account, policy=Policy(keep="days", keep_days=5))
    pulled(account)
    one, two, three = LocalMessage.objects.order_by("pk").values_list("pk", flat=True)
    assert keep_on_server(account, [one]) == 1
    assert remove_now(account, [two]) == 1
    pulled(account)
    assert on_server(client) == 2
    where = places(account, [one, two, three])
    assert where[one].remove_at is None
    assert where[two].state == LedgerEntry.State.REMOVED
    assert where[three].remove_at is not None
    assert as_policy_says(account, [one]) == 1
    assert places(account, [one])[one].remove_at is not None


def test_a_message_deleted_here_does_not_come_back(boxed: tuple[MailAccount, Any]) -> None:
    account, _client = boxed
    start_download(account=account, policy=Policy(keep="always"))
    pulled(account)
    LocalMessage.objects.filter(subject="Carta 1").delete()
    pulled(account)
    pulled(account)
    assert LocalMessage.objects.count() == 2


def test_the_task_pulls_what_is_due_and_reads_its_bodies(boxed: tuple[MailAccount, Any]) -> None:
    account, _client = boxed
    start_download(account=account, policy=Policy(keep="always"))
    assert pull_due() == 1
    assert not LocalMessage.objects.filter(indexed=False).exists()
    assert pull_due() == 0
    pause(Download.objects.get())
    Download.objects.update(due="2020-01-01T00:00Z")
    assert pull_due() == 0
    resume(Download.objects.get())
    assert pull_due() == 1
    pull_one(account.pk)
    assert Pull.objects.filter(by_hand=True, outcome="complete").count() == 1


def test_a_suspended_mailbox_asks_its_owner_after_a_few_tries(boxed: tuple[MailAccount, Any]) -> None:
    account, _client = boxed
    start_download(account=account, policy=Policy(keep="always"))
    assert account.mailbox
    account.mailbox.active = False
    account.mailbox.save()
    for turn in range(3):
        assert not Download.objects.get().asks_owner, turn
        assert pulled(account).problem == "login"
    assert Download.objects.get().asks_owner


def test_a_server_that_is_away_is_tried_again_later(boxed: tuple[MailAccount, Any], settings: Any) -> None:
    account, _client = boxed
    settings.POP3_PORT = 1
    start_download(account=account, policy=Policy(keep="always"))
    pull = pulled(account)
    download = Download.objects.get()
    assert (pull.outcome, pull.problem) == ("failed", "unreachable")
    assert not download.asks_owner
    assert download.due > pull.started
    with pytest.raises(Unreachable):
        probe_server(pop3_for(account), account_credentials(account))


def test_the_command_prints_json_and_tells_whether_all_was_well(boxed: tuple[MailAccount, Any], settings: Any) -> None:
    account, _client = boxed
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("pull", account.address, stdout=out)
    call_command("add_account", account.address, "--keep", "delete", stdout=out)
    assert json.loads(out.getvalue())["waiting"] == 3
    out = io.StringIO()
    call_command("pull", account.address.upper(), stdout=out)
    assert json.loads(out.getvalue())["stored"] == 3
    settings.POP3_PORT = 1
    with pytest.raises(SystemExit):
        call_command("pull", account.address, stdout=out)


def test_the_command_adds_a_mailbox_of_another_server(
    boxed: tuple[MailAccount, Any], stack: Any, settings: Any, tmp_path: Path
) -> None:
    account, _client = boxed
    settings.ALLOW_PRIVATE_SERVERS = settings.POP3_ALLOW_CLEARTEXT = True
    secret = tmp_path / "secret"
    secret.write_text("llave-de-prueba\n")
    where = ["--host", "127.0.0.1", "--port", str(stack.ports.pop3), "--tls", "none"]
    common = ["otra@afuera.test", *where, "--login", account.address, "--password-file", str(secret)]
    call_command("add_account", *common, stdout=io.StringIO())
    other = MailAccount.objects.get(address="otra@afuera.test")
    assert "llave" not in Download.objects.get(account=other).sealed
    out = io.StringIO()
    call_command("pull", "otra@afuera.test", stdout=out)
    assert json.loads(out.getvalue())["stored"] == 3
    secret.write_text("falsa")
    with pytest.raises(CommandError):
        call_command("add_account", "tercera@afuera.test", *common[1:], stdout=io.StringIO())
    assert not MailAccount.objects.filter(address="tercera@afuera.test").exists()


def test_clear_text_is_refused_unless_the_settings_allow_it(settings: Any, tmp_path: Path) -> None:
    settings.STORE_DIR = tmp_path
    settings.POP3_ALLOW_CLEARTEXT = False
    secret = tmp_path / "secret"
    secret.write_text("x")
    where = ["--host", "127.0.0.1", "--port", "110", "--tls", "none", "--password-file", str(secret)]
    with pytest.raises(CommandError, match="clear"):
        call_command("add_account", "otra@afuera.test", *where, stdout=io.StringIO())
