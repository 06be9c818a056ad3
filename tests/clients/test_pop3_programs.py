"""Debian's POP3 programs take mail away: the owner reads who it was on the activity page, and puts it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from imapclient import IMAPClient

from accounts.services.login import account_of_mailbox
from deploy.stack import Stack
from tests.activity.test_timeline import LETTER, collect
from tests.conftest import MailboxFactory
from tests.pulling.programs import empty_maildir, fetchmail, getmail, mpop
from tests.webmail.conftest import english

pytestmark = [pytest.mark.clients, pytest.mark.server, pytest.mark.django_db(transaction=True)]
MESSAGES = 5


@pytest.mark.parametrize("fetch", [mpop, getmail, fetchmail])
@pytest.mark.parametrize("keep", [True, False])
def test_who_took_the_mail_is_told_and_it_is_put_back(
    fetch: Callable[..., None],
    keep: bool,
    stack: Stack,
    mailbox_factory: MailboxFactory,
    deliver: Callable[[str, bytes], None],
    imap: Callable[..., IMAPClient],
    tmp_path: Path,
) -> None:
    made = mailbox_factory("ana")
    for number in range(MESSAGES):
        deliver(made.address, LETTER % number)
    folder = empty_maildir(tmp_path / "own")
    fetch(folder, made.address, stack.ports.pop3, keep=keep)
    assert len(list((folder / "Maildir" / "new").iterdir())) == MESSAGES
    assert imap(made.address).select_folder("INBOX")[b"EXISTS"] == (MESSAGES if keep else 0)
    collect()
    client = english(Client())
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    account = account_of_mailbox(made.mailbox)
    answer = client.get(reverse("account_activity", args=[account.pk])).content.decode()
    page = " ".join(strip_tags(answer).split())
    if keep:
        assert "Downloaded 5 messages and left them on the server" in page
        assert "No program took mail away from the server" in page
        return
    assert "took 5 messages by POP3 and removed them from the server." in page
    assert "Downloaded 5 messages and removed them from the server" in page
    client.post(reverse("reserve", args=[account.pk]), {"all": "1"})
    server = imap(made.address)
    assert server.select_folder("INBOX")[b"EXISTS"] == MESSAGES
    numbers = sorted(data[b"ENVELOPE"].message_id for data in server.fetch(server.search("ALL"), ["ENVELOPE"]).values())
    assert numbers == [b"<%d@afuera.test>" % number for number in range(MESSAGES)]
