"""Counts leave out what lists leave out: messages that are marked as deleted and not expunged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.conftest import POOR
from tests.contract.test_source import letter
from tests.imap.proxy import proxied
from webmail.imap.pool import pool
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, Folder, FolderId, Marked, Query, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

INBOX = FolderId("INBOX")
Open = Callable[[], ImapSource]


@pytest.fixture(params=[(), POOR], ids=["whole", "poor"])
def opened(request: Any, stack: Any, mailbox_factory: Any, redis: Any) -> Iterator[tuple[str, Open]]:
    """A mailbox with four unread messages, and what opens it."""
    made = mailbox_factory("ana")
    url = redis.environment()["REDIS_URL"]
    with proxied("127.0.0.1", stack.ports.imap, hide=request.param) as proxy:
        endpoint = Endpoint("127.0.0.1", proxy.port, "none")

        def open_() -> ImapSource:
            credentials = Credentials(made.address, made.password)
            return open_imap(endpoint, credentials, account_key=made.address, redis_url=url)

        yield made.address, open_
        pool.close_all()


@pytest.fixture
def client(opened: tuple[str, Open], imap: Any) -> Any:
    client = imap(opened[0])
    for subject in ("uno", "dos", "tres", "cuatro"):
        client.append("INBOX", letter(subject))
    client.select_folder("INBOX")
    return client


def inbox_of(source: ImapSource) -> Folder:
    return next(folder for folder in source.folders() if folder.id == INBOX)


def counts(folder: Folder) -> tuple[int | None, int | None]:
    return folder.total, folder.unread


def test_the_tree_counts_what_the_list_shows(opened: tuple[str, Open], client: Any) -> None:
    client.add_flags([1], [b"\\Deleted"])
    client.add_flags([2], [b"\\Deleted", b"\\Seen"])
    with opened[1]() as source:
        page = source.page(INBOX, Query(), Window())
        assert (page.total, page.marked) == (2, Marked(2, 1))
        assert counts(inbox_of(source)) == (2, 2)
        assert counts(inbox_of(source).less(page.marked)) == (2, 2)
    client.expunge()
    with opened[1]() as source:
        assert counts(inbox_of(source)) == (2, 2)
        assert source.page(INBOX, Query(), Window()).marked == Marked()


def test_it_is_asked_only_where_it_can_differ(opened: tuple[str, Open], client: Any) -> None:
    read(opened[1])
    plain, _inbox = read(opened[1])
    client.add_flags([1], [b"\\Deleted"])
    read(opened[1])
    with_one, inbox = read(opened[1])
    assert counts(inbox) == (3, 3)
    if with_condstore(opened[1]):
        assert with_one == plain
    client.remove_flags([1], [b"\\Deleted"])
    read(opened[1])
    assert read(opened[1])[0] == plain


def read(open_: Open) -> tuple[int, Folder]:
    """(round trips of the tree and the list in a request of their own, the Inbox as the tree has it)."""
    with open_() as source:
        before = source.connection.round_trips
        inbox = inbox_of(source)
        source.page(INBOX, Query(), Window())
        return source.connection.round_trips - before, inbox


def with_condstore(open_: Open) -> bool:
    with open_() as source:
        return source.connection.has("CONDSTORE")


def test_a_mark_that_was_taken_back_is_counted_again(opened: tuple[str, Open], client: Any) -> None:
    client.add_flags([1], [b"\\Deleted"])
    with opened[1]() as source:
        source.page(INBOX, Query(), Window())
        assert counts(inbox_of(source)) == (3, 3)
        client.remove_flags([1], [b"\\Deleted"])
        client.add_flags([2], [b"\\Seen"])
        if source.connection.has("CONDSTORE"):
            assert counts(inbox_of(source)) == (4, 3)
        page = source.page(INBOX, Query(), Window())
        assert counts(inbox_of(source).less(page.marked)) == (4, 3)
