"""Accounts in download mode, and what is in their store."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import MailAccount, User
from tests.pulling.model import Clock, Drop
from webmail.models import Download, LedgerEntry, LocalMessage, Pull
from webmail.services.claims import claim
from webmail.services.downloads import Policy, start_download
from webmail.services.schedule import pull_account
from webmail.storage.blobs import Blobs

_numbers = itertools.count(1)


@dataclass
class Puller:
    """An account that is pulled from a drop in memory, by a clock that the test turns."""

    account: MailAccount
    drop: Drop
    clock: Clock

    def pull(self) -> Pull:
        """One pull, whether it is due or not. Whoever had the lease and died has lost it by now."""
        Download.objects.filter(account=self.account).update(lease_until=None, lease_token="")
        download = claim(self.account.pk, by_hand=True, clock=self.clock)
        assert download
        return pull_account(download, connect_to=self.drop.connect, clock=self.clock)

    @property
    def download(self) -> Download:
        return Download.objects.get(account=self.account)

    def stored(self) -> Counter[bytes]:
        """How often each content is in the store, read from the disk."""
        blobs = Blobs(self.account.pk)
        return Counter(blobs.read(row.blob) for row in LocalMessage.objects.filter(account=self.account))

    def entries(self) -> list[LedgerEntry]:
        return list(LedgerEntry.objects.filter(account=self.account).order_by("pk"))


@pytest.fixture
def make_puller(transactional_db: None, settings: Any, tmp_path: Any, redis: Any) -> Callable[..., Puller]:
    settings.STORE_DIR = tmp_path / "store"

    def make(**policy: Any) -> Puller:
        number = next(_numbers)
        owner = User.objects.create_user(f"persona{number}@tiradas.test")
        account = MailAccount.objects.create(owner=owner, address=owner.email, pop3_host="pop3.tiradas.test")
        start_download(account=account, policy=Policy(**policy), secret="secreto")
        Download.objects.filter(account=account).update(due=timezone.now())
        return Puller(account, Drop(), Clock())

    return make


def letter(number: int, text: str = "Hola.") -> bytes:
    """A small message of its own."""
    head = f"From: a@afuera.test\r\nTo: b@tiradas.test\r\nSubject: Carta {number}\r\nMessage-ID: <{number}@afuera.test>\r\n"
    return f"{head}Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n{text}\r\n".encode()
