"""An added mailbox is taken out of Casilla with all that lives here, and nobody else's is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from accounts.models import MailAccount
from tests.webmail.test_changes import signed_in
from webmail.models import Composing, Download, Import, LedgerEntry, LocalMessage, Pull, Transfer
from webmail.services import composing
from webmail.services.downloads import Policy, start_download
from webmail.services.import_jobs import start_import
from webmail.services.schedule import PULLS_LAST, forget_pulls
from webmail.sources.open import open_store
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def box(mailbox_factory: Any, settings: Any, tmp_path: Path) -> dict[str, Any]:
    """A person with a mailbox here, and one of another server that is downloaded, with a message and a draft."""
    settings.STORE_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    web = signed_in(mailbox_factory("ana"))
    web.get("/", follow=True)
    mine = MailAccount.objects.get()
    added = MailAccount.objects.create(owner=mine.owner, address="ana@fuera.test", pop3_host="192.0.2.1")
    start_download(account=added, policy=Policy(keep="always"), secret="x")
    added.refresh_from_db()
    with open_store(added) as source:
        source.append(FolderId("INBOX"), b"Subject: uno\r\n\r\nHola\r\n")
    LedgerEntry.objects.create(
        account=added, uidl="1", blob="", first_seen=timezone.now(), message=LocalMessage.objects.get()
    )
    text = composing.new_composing(added)
    text.save()
    return {"client": web, "mine": mine, "added": added, "url": reverse("account_remove", args=[added.pk])}


def test_it_goes_with_all_that_is_here(box: dict[str, Any]) -> None:
    page = box["client"].get(box["url"]).content.decode()
    assert "1 mensaje que vive aquí" in page
    assert "1 texto que está escribiendo" in page
    assert box["url"] in box["client"].get(reverse("mode", args=[box["added"].pk])).content.decode()
    file = ContentFile(b"From a\n\nHola\n")
    job = start_import(account=box["added"], file=file, name="a", folder=None, skip_doubles=True)
    assert default_storage.exists(job.file.name)
    gone = box["client"].post(box["url"], {"address": " Ana@fuera.test "}, follow=True)
    assert "ana@fuera.test se quitó de Casilla" in gone.content.decode()
    assert MailAccount.objects.get() == box["mine"]
    for model in (LocalMessage, LedgerEntry, Download, Composing, Import):
        assert not model.objects.exists()
    assert not default_storage.exists(job.file.name)


def test_another_address_removes_nothing(box: dict[str, Any]) -> None:
    for typed in ("", "ana@otra.test"):
        answer = box["client"].post(box["url"], {"address": typed})
        assert answer.status_code == 422
        assert 'id="remove-error"' in answer.content.decode()
    assert LocalMessage.objects.count() == 1


@pytest.mark.parametrize("busy", ["pull", "transfer", "import"])
def test_one_that_is_worked_on_is_not_removed(box: dict[str, Any], busy: str) -> None:
    if busy == "pull":
        Download.objects.update(lease_token="x", lease_until=timezone.now() + timedelta(minutes=1))
    elif busy == "import":
        until = timezone.now() + timedelta(minutes=1)
        Import.objects.create(account=box["added"], name="a", file_bytes=1, state="running", lease_until=until)
    else:
        Transfer.objects.create(account=box["added"], kind=Transfer.Kind.TO_IMAP)
    answer = box["client"].post(box["url"], {"address": "ana@fuera.test"})
    assert answer.status_code == 422
    assert LocalMessage.objects.count() == 1


def test_ones_own_mailbox_and_those_of_others_are_refused(
    box: dict[str, Any], mailbox_factory: Any, client: Any
) -> None:
    mine = reverse("account_remove", args=[box["mine"].pk])
    assert box["client"].get(mine).status_code == 404
    assert mine not in box["client"].get(reverse("mode", args=[box["mine"].pk])).content.decode()
    assert signed_in(mailbox_factory("beto")).post(box["url"], {"address": "ana@fuera.test"}).status_code == 404
    assert client.post(box["url"], {"address": "ana@fuera.test"}).status_code == 302
    assert MailAccount.objects.filter(pk=box["added"].pk).exists()


def test_old_pulls_are_forgotten_but_the_last_ones(box: dict[str, Any], settings: Any) -> None:
    settings.PULLS_KEEP_DAYS = 30
    now = timezone.now()
    old = now - timedelta(days=31)
    for account, count in ((box["added"], PULLS_LAST + 5), (box["mine"], 3)):
        for _number in range(count):
            Pull.objects.create(account=account, started=old, outcome=Pull.Outcome.COMPLETE)
    assert forget_pulls(now) == 5
    assert Pull.objects.filter(account=box["added"]).count() == PULLS_LAST
    assert Pull.objects.filter(account=box["mine"]).count() == 3
    Pull.objects.create(account=box["added"], started=now, outcome=Pull.Outcome.COMPLETE)
    assert forget_pulls(now) == 1
