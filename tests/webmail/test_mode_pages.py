"""Where the mail lives, and taking it away: the pages, on the real Dovecot."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.webmail.conftest import english, letter
from webmail.models import Download, Import, LocalMessage, Transfer
from webmail.services.downloads import Policy, start_download
from webmail.services.import_jobs import claim_import, run_import
from webmail.services.transfer import claim_transfer, run_transfer
from webmail.services.transfer_words import TRANSFER_PROBLEMS
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HTMX = {"HX-Request": "true"}
POLICY = {"keep": "days", "keep_days": "14", "pace": "adaptive"}
Opened = Callable[..., tuple[Client, MailAccount, Any]]


@pytest.fixture
def opened(mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path) -> Opened:
    """A signed-in person with a mailbox of three messages in two folders; in download mode when that is wanted."""

    def make(local: str = "ana", *, downloads: bool = False) -> tuple[Client, MailAccount, Any]:
        settings.STORE_DIR = tmp_path / "store"
        settings.MEDIA_ROOT = tmp_path / "media"
        made = mailbox_factory(local)
        server = imap(made.address)
        for number in range(2):
            server.append("INBOX", letter(number))
        server.append("Archive", letter(2), flags=[b"\\Seen"])
        client = english(Client())
        client.post(reverse("account_login"), {"login": made.address, "password": made.password})
        account = account_of_mailbox(made.mailbox)
        if downloads:
            start_download(account=account, policy=Policy())
        return client, account, server

    return make


def work() -> Transfer:
    """What a worker does about the transfer that waits."""
    transfer = claim_transfer()
    assert transfer
    run_transfer(transfer)
    transfer.refresh_from_db()
    return transfer


def test_the_page_counts_the_real_mailbox(opened: Opened) -> None:
    client, account, _server = opened()
    page = client.get(reverse("mode", args=[account.pk])).content.decode()
    assert "Counted from the 3 messages of this mailbox" in page
    assert "current mode" in page
    assert 'value="start"' in page
    part = client.get(reverse("mode_figures", args=[account.pk]) + "?days=0", headers=HTMX).content.decode()
    assert "<html" not in part
    assert "removed at once" in part
    assert re.search(r'<b class="t-kraft">3</b>', part)
    kept = client.get(reverse("mode_figures", args=[account.pk]) + "?days=14", headers=HTMX).content.decode()
    assert re.search(r'<b class="t-kraft">3</b>', kept)  # all of them leave, once their days are over
    assert "messages of today leave the server on" in kept


def test_a_hosted_mailbox_is_changed_shown_and_changed_back(opened: Opened) -> None:
    client, account, server = opened()
    url = reverse("mode", args=[account.pk])
    assert client.post(url, {"do": "start", **POLICY}).status_code == 302
    waiting = client.get(url).content.decode()
    assert "Begins in a moment" in waiting
    assert 'hx-trigger="load delay:2s"' in waiting
    assert client.post(url, {"do": "start", **POLICY}).status_code == 422
    assert work().state == "done"
    account.refresh_from_db()
    assert account.downloads
    assert LocalMessage.objects.count() == 3
    done = client.get(url).content.decode()
    assert "3 messages were copied and compared" in done
    assert "You can change your mind until" in done
    assert "load delay" not in done
    assert client.post(url, {"do": "undo"}).status_code == 302
    assert work().state == "done"
    account.refresh_from_db()
    assert not account.downloads
    server.select_folder("INBOX", readonly=True)
    assert len(server.search()) == 2
    assert "The mail lives on the server since" in client.get(url).content.decode()


def test_a_change_is_stopped_gone_on_with_and_given_up(opened: Opened) -> None:
    client, account, _server = opened()
    url = reverse("mode", args=[account.pk])
    client.post(url, {"do": "start", **POLICY})
    part = client.post(url, {"do": "stop"}, headers=HTMX).content.decode()
    assert "<html" not in part
    assert "Stopped." in part
    assert "hx-trigger" not in part
    assert "Begins in a moment" in client.post(url, {"do": "resume"}, headers=HTMX).content.decode()
    client.post(url, {"do": "stop"})
    assert client.post(url, {"do": "cancel"}).status_code == 302
    assert Transfer.objects.get().state == "cancelled"
    assert 'value="start"' in client.get(url).content.decode()
    assert client.post(url, {"do": "stop"}).status_code == 422
    assert client.post(url, {"do": "undo"}).status_code == 422


def test_what_went_wrong_is_said_in_words(opened: Opened) -> None:
    client, account, _server = opened()
    Transfer.objects.create(
        account=account, kind="to_download", state="failed", problem="full", detail="9 <b> needed", total=10, done=4
    )
    page = client.get(reverse("mode", args=[account.pk])).content.decode()
    assert "The mail does not fit on the server" in page
    assert "9 &lt;b&gt; needed" in page
    assert "4 of 10 messages" in page
    assert 'value="resume"' in page
    assert {"altered", "differs", "login", "full", "unreachable", "refused"} == set(TRANSFER_PROBLEMS)


def test_a_policy_that_makes_no_sense_begins_nothing(opened: Opened) -> None:
    client, account, _server = opened()
    response = client.post(reverse("mode", args=[account.pk]), {"do": "start", **POLICY, "keep_days": ""})
    assert response.status_code == 422
    assert "A number is needed here" in response.content.decode()
    assert not Transfer.objects.exists()


def test_a_mailbox_of_another_server_needs_its_imap_server_to_go_there(
    opened: Opened, stack: Any, mailbox_factory: Any
) -> None:
    client, own, _server = opened()
    other = mailbox_factory("carla")
    account = MailAccount.objects.create(owner=own.owner, address="carla@otra.test", login=other.address)
    start_download(account=account, policy=Policy(), secret=other.password)
    url = reverse("mode", args=[account.pk])
    assert "IMAP server" in client.get(url).content.decode()
    typed = {"do": "start", "host": "127.0.0.1", "port": str(stack.ports.imap), "tls": "none"}
    wrong = client.post(url, {**typed, "secret": "falsa"})
    assert wrong.status_code == 422
    assert "did not accept the user or the password" in wrong.content.decode()
    assert client.post(url, {**typed, "secret": other.password}).status_code == 302
    account.refresh_from_db()
    assert account.imap_host == "127.0.0.1"
    assert Transfer.objects.get(account=account).kind == "to_imap"


@pytest.mark.parametrize("name", ["mode", "takeout", "takeout_export", "mode_figures"])
def test_the_pages_are_their_owners_alone(opened: Opened, name: str) -> None:
    client, account, _server = opened()
    stranger, _other, _imap = opened("beto")
    url = reverse(name, args=[account.pk]) + "?format=zip"
    assert client.get(url, headers=HTMX).status_code == 200
    assert Client().get(url).status_code == 302
    assert stranger.get(url).status_code == 404
    assert client.put(url).status_code == 405
    for post in ("mode", "takeout_import", "takeout_change"):
        assert stranger.post(reverse(post, args=[account.pk]), {"do": "start"}).status_code == 404
    assert client.post(reverse("mode", args=[account.pk]), {"do": "explode"}).status_code == 400


# --- export and import ------------------------------------------------------------------------------------------------


def exported(client: Client, account: MailAccount, query: str) -> tuple[bytes, str]:
    response = client.get(reverse("takeout_export", args=[account.pk]) + query)
    assert response.status_code == 200
    return b"".join(response.streaming_content), response["Content-Disposition"]  # type: ignore[arg-type]


def test_a_mailbox_is_taken_away_and_brought_into_another_without_doubles(opened: Opened) -> None:
    client, account, _server = opened()
    data, name = exported(client, account, "?format=zip")
    assert ".zip" in name
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        mails = [entry for entry in archive.namelist() if entry.endswith(".eml")]
        assert len(mails) == 3
        assert {archive.read(entry) for entry in mails} == {letter(number) for number in range(3)}
    other, target, _imap = opened("beto", downloads=True)
    for stored, doubles in ((3, 0), (0, 3)):
        answer = bring(other, target, data)
        assert f"{stored} messages were taken in" in answer
        assert (f"{doubles} were here already" in answer) == bool(doubles)
    assert LocalMessage.objects.filter(account=target).count() == 3


def bring(client: Client, account: MailAccount, data: bytes, **fields: str) -> str:
    """Brings a file in, as a person and a worker do; gives the page that tells of it."""
    sent = {"file": SimpleUploadedFile("correo.zip", data), **fields}
    page = client.post(reverse("takeout_import", args=[account.pk]), sent, follow=True).content.decode()
    assert "Begins in a moment" in page
    assert "import-file" not in page
    job = claim_import()
    assert job
    run_import(job)
    return client.get(reverse("takeout", args=[account.pk])).content.decode()


def test_an_import_is_stopped_gone_on_with_and_given_up(opened: Opened) -> None:
    client, account, _server = opened(downloads=True)
    stranger, _other, _imap = opened("beto")
    page, change = (reverse(name, args=[account.pk]) for name in ("takeout", "takeout_change"))
    data = b"From a\nSubject: uno\n\nHola\n\n"
    client.post(reverse("takeout_import", args=[account.pk]), {"file": SimpleUploadedFile("a<b>.mbox", data)})
    (path,) = default_storage.listdir(f"imports/{account.pk}")[1]
    assert stranger.post(change, {"do": "stop"}).status_code == 404
    assert Client().post(change, {"do": "stop"}).status_code == 302
    assert client.get(change).status_code == 405
    assert client.post(change, {"do": "explode"}).status_code == 400
    part = client.get(page, headers=HTMX).content.decode()
    assert part.startswith('<div id="bringing">')
    assert "a&lt;b&gt;.mbox" in part
    assert "Stopped." in client.post(change, {"do": "stop"}, headers=HTMX).content.decode()
    another = client.post(reverse("takeout_import", args=[account.pk]), {"file": SimpleUploadedFile("b", data)})
    assert (another.status_code, claim_import()) == (422, None)
    client.post(change, {"do": "resume"})
    assert Import.objects.get().state == "waiting"
    client.post(change, {"do": "stop"})
    assert "Given up." in client.post(change, {"do": "cancel"}, follow=True).content.decode()
    assert not default_storage.exists(f"imports/{account.pk}/{path}")
    assert not LocalMessage.objects.exists()


def test_one_folder_is_an_mbox_and_goes_into_the_folder_that_is_chosen(opened: Opened) -> None:
    client, account, server = opened()
    inbox = encode_folder(FolderId("INBOX"))
    data, name = exported(client, account, f"?format=mbox&folder={inbox}")
    assert name.endswith("INBOX.mbox")
    assert data.count(b"Subject: Carta") == 2
    archive = encode_folder(FolderId("Archive"))
    bring(client, account, data, folder=archive)
    server.select_folder("Archive", readonly=True)
    assert len(server.search()) == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"hola", "neither mbox nor Maildir"), (b"", "Choose a file"), (b"PK\x05\x06", "ends too early")],
)
def test_what_is_no_mail_is_refused_in_words(opened: Opened, data: bytes, words: str) -> None:
    client, account, _server = opened()
    if data.startswith(b"PK"):
        assert words in bring(client, account, data)
        return
    response = client.post(reverse("takeout_import", args=[account.pk]), {"file": SimpleUploadedFile("x", data)})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Import.objects.exists()
    assert client.get(reverse("takeout_export", args=[account.pk]) + "?format=exe").status_code == 400
    assert client.get(reverse("takeout_export", args=[account.pk]) + "?format=zip&folder=%21").status_code in {400, 410}


def test_the_mail_page_leads_to_all_of_this(opened: Opened) -> None:
    client, account, _server = opened()
    page = client.get("/", follow=True).content.decode()
    for name in ("mode", "takeout"):
        assert reverse(name, args=[account.pk]) in page
    assert reverse("account_add") in page
    assert reverse("downloads", args=[account.pk]) not in page
    assert not Download.objects.exists()
