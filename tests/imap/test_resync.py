"""What happened while nobody was connected: it is told with the SELECT, and the list is that of a fresh read."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from tests.contract.test_source import letter
from tests.imap.proxy import proxied
from tests.imap.test_listing import Opener
from webmail.imap.pool import pool
from webmail.sources.cache import Head, MailCache
from webmail.values import FolderId, Query, Summary, Window

pytestmark = pytest.mark.server
GAPS = 6
QUERIES = (Query(), Query(sort="size"), Query(unread=True), Query(flagged=True, sort="subject"), Query(attachment=True))


@pytest.fixture(params=[(), ("QRESYNC", "CONDSTORE"), ("QRESYNC", "CONDSTORE", "ESEARCH", "ESORT")])
def gap(request: Any, stack: Any, mailbox_factory: Any, imap: Any) -> Iterator[tuple[Opener, Any]]:
    made = mailbox_factory("ana")
    client = imap(made.address)
    client.multiappend("INBOX", [letter(f"carta {at * 7 % 30}", day=at) for at in range(30)])
    client.select_folder("INBOX")
    with proxied("127.0.0.1", stack.ports.imap, hide=request.param) as proxy:
        yield Opener(proxy, made.address, made.password, stack.environment()["REDIS_URL"]), client
        pool.close_all()


@pytest.mark.parametrize("gap", [()], indirect=True)
@pytest.mark.parametrize("memory", ["of the beginning", "of now", "of a folder that was restored"])
def test_a_memory_that_is_not_the_folders_changes_no_list(gap: tuple[Opener, Any], memory: str) -> None:
    """A HIGHESTMODSEQ that is not that of the order: what the server says does not come out even then, or does not count."""
    opener, client = gap
    opener.refs(Query())
    client.delete_messages([3, 9])
    client.expunge()
    now = int(client.folder_status("INBOX", ["HIGHESTMODSEQ"])[b"HIGHESTMODSEQ"])
    cache = MailCache(opener.redis_url, opener.address)
    head = cache.heads(FolderId("INBOX"), ["date"])[0]
    assert head
    then = {"of the beginning": 1, "of now": now}.get(memory, now + 1)
    cache.keep_head(FolderId("INBOX"), "date@", Head(f"{head.mark}:{then}", 0))
    cache.later.flush()
    pool.close_all()
    opener.proxy.commands.clear()
    found = opener.refs(Query())
    assert len(found) == 28
    assert any(b"(QRESYNC (" in line for line in opener.proxy.commands)
    assert any(b"SEARCH RETURN" in line for line in opener.proxy.commands) is (memory != "of the beginning")
    assert found == opener.refs(Query(), account_key="fresh")


def test_after_a_gap_the_list_is_that_of_a_fresh_read(gap: tuple[Opener, Any]) -> None:
    opener, client = gap
    redis, chance = Redis.from_url(opener.redis_url), random.Random(7162)
    asked = 0
    for turn in range(GAPS):
        opener.proxy.commands.clear()
        for query in QUERIES:
            found = opener.refs(query)
            assert found == opener.refs(query, account_key="fresh"), (turn, query)
        asked += sum(b"(QRESYNC (" in line for line in opener.proxy.commands)
        for key in redis.scan_iter("mail:*fresh*"):
            redis.delete(key)
        if turn % 2:  # else the Inbox stays selected, and hears of it there
            pool.close_all()
        uids = client.search()
        if chance.random() < 0.8:
            client.delete_messages(chance.sample(uids, min(len(uids), chance.randint(1, 4))))
            client.expunge()
        if chance.random() < 0.5:
            days = [chance.randint(-5, 40) for _ in range(chance.randint(1, 3))]
            client.multiappend("INBOX", [letter(f"nueva {day}", day=day) for day in days])
        uids = client.search()
        for flag in (b"\\Seen", b"\\Flagged"):
            client.set_flags(chance.sample(uids, min(len(uids), 3)), [flag], silent=True)
    offers = not opener.proxy.hide
    assert (asked > 0) is offers


@pytest.mark.parametrize("gap", [()], indirect=True)
def test_what_happened_in_a_gap_costs_no_trip(gap: tuple[Opener, Any]) -> None:
    """Neither what left nor what was marked: both are told with the SELECT, and there is nothing else to ask for."""
    opener, client = gap
    lists = (Query(), Query(unread=True), Query(flagged=True), Query(attachment=True))
    for query in lists:
        opener.subjects(query)
    client.delete_messages([3, 9])
    client.expunge()
    client.add_flags([5, 6], [b"\\Seen"])
    client.add_flags([7], [b"\\Flagged"])
    for kept in (False, True):
        for query in lists:
            if not kept:
                pool.close_all()
            found = opener.subjects(query)
            if not kept:  # else Dovecot tells it only after it was asked
                assert opener.trips == (2 if query.flagged else 1), query  # one for the row of what is starred now
            assert found == [row.subject for row in _fresh(opener, query)]
        client.add_flags([11], [b"\\Seen"])
    assert any(b"VANISHED)" in line for line in opener.proxy.commands)


def _fresh(opener: Opener, query: Query) -> tuple[Summary, ...]:
    with opener.source(secrets.token_hex(4)) as source:
        return source.page(FolderId("INBOX"), query, Window()).rows
