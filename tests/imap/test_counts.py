"""The counts of the tree are those of now, also of the folder that a kept connection has selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.contract.test_source import letter
from webmail.imap.pool import pool
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, FolderId, Query, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

INBOX = FolderId("INBOX")


@pytest.fixture
def open_again(stack: Stack, mailbox_factory: Any) -> Any:
    made = mailbox_factory("ana")
    credentials = Credentials(made.master_login, stack.secrets.master)

    def open_() -> ImapSource:
        return open_imap(Endpoint(LOOPBACK, stack.ports.imap, "none"), credentials, account_key="counts")

    yield made.address, open_
    pool.close_all()


def test_mail_that_came_into_the_open_folder_is_counted(
    open_again: tuple[str, Callable[[], ImapSource]], deliver: Any
) -> None:
    address, open_ = open_again
    with open_() as source:
        source.page(INBOX, Query(), Window())
    deliver(address, letter("nueva"))
    with open_() as source:
        inbox = source.folders()[0]
        assert (inbox.total, inbox.unread, inbox.next_id) == (1, 1, 2)
        assert [row.subject for row in source.page(INBOX, Query(), Window()).rows] == ["nueva"]


def test_a_request_that_reads_the_tree_between_goes_on_in_its_folder(
    open_again: tuple[str, Callable[[], ImapSource]], deliver: Any
) -> None:
    address, open_ = open_again
    deliver(address, letter("nueva"))
    with open_() as source:
        row = source.page(INBOX, Query(), Window()).rows[0]
        source.folders()
        assert "\\Seen" not in source.flags([row.ref])[row.ref]
        source.folders()
        source.set_flags([row.ref], add=["\\Seen"])
        assert source.folders()[0].unread == 0
