"""A hosted mailbox with everything in it that a mailbox can have, and its account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.contract.test_source import letter
from webmail.services import parity
from webmail.services.access import account_credentials, open_live
from webmail.services.parity import Report, verify
from webmail.services.parity_witness import open_witness
from webmail.services.tags import tags_for
from webmail.sources.base import MailSource

NAMES = ("Año nuevo", "Café & té", "プロジェクト", "🎉 Fiesta", 'Con "comillas" y \\', "Obras", "Obras/Ñuñoa")
MARKS = ((r"\Seen",), (r"\Flagged", "$label1"), (r"\Answered", r"\Seen"), ("$Forwarded", "projekt=20x"), (r"\Draft",))


@dataclass
class Mailbox:
    made: Any
    imap: Any
    account: MailAccount

    def source(self) -> MailSource:
        return open_live(self.account, account_credentials(self.account))

    def verify(self, tell: Callable[[Report], None] = lambda _report: None) -> Report:
        with self.source() as source, open_witness(self.account, account_credentials(self.account)) as witness:
            return verify(source, witness, tags_for(self.account), tell=tell)


def fill(imap: Any, names: Sequence[str] = NAMES) -> None:
    """Folders with names of every kind, letters with flags of every kind, some of them marked as deleted."""
    for number, name in enumerate(names):
        imap.create_folder(name)
        if number % 2 == 0:
            imap.subscribe_folder(name)
        imap.append(name, letter(f"En {number}: =?utf-8?q?=C3=B1and=C3=BA?=", day=-number), MARKS[number % len(MARKS)])
    for number in range(20):
        imap.append("INBOX", letter(f"Carta {number}", day=-number), MARKS[number % len(MARKS)])
    imap.select_folder("INBOX")
    imap.add_flags([3, 4], [rb"\Deleted"])
    imap.delete_messages([5])
    imap.uid_expunge([5]) if hasattr(imap, "uid_expunge") else imap.expunge([5])


@pytest.fixture
def mailbox(mailbox_factory: Any, imap: Any, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    monkeypatch.setattr(parity, "PAUSE_S", 0.05)
    made = mailbox_factory("ana", name="Ana")
    client = imap(made.address)
    fill(client)
    return Mailbox(made, client, account_of_mailbox(made.mailbox))
