"""A search in the text of messages goes back in parts, keeps what it found, and stops when nobody asks for more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_source import letter
from tests.imap.proxy import Proxy, proxied
from tests.imap.scripted import ANNA, scripted
from tests.imap.test_listing import INBOX, Opener
from webmail.errors import Unreachable
from webmail.imap.pool import pool
from webmail.sources import body_search
from webmail.sources.body_search import Found, plan_part
from webmail.sources.imap import open_imap
from webmail.values import FolderId, Query, Ref, Searched, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
COUNT = 12
EVERY = Query(text="cuerpo", in_body=True)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of five messages, one for each look."""
    for name, value in {"FIRST_RATE": 5, "SMALLEST": 5, "GROWTH": 1, "ENOUGH_S": 0.0}.items():
        monkeypatch.setattr(body_search, name, value)


@pytest.fixture
def opener(stack: Any, mailbox_factory: Any, imap: Any, parts: None) -> Iterator[Opener]:
    made = mailbox_factory("ana")
    client = imap(made.address)
    for number in range(1, COUNT + 1):
        client.append("INBOX", letter(f"n{number}", day=number, body="cuerpo de papel" if number != 4 else "Ñandú"))
    with proxied("127.0.0.1", stack.ports.imap) as proxy:
        yield Opener(proxy, made.address, made.password, stack.environment()["REDIS_URL"])
        pool.close_all()


def ranges(proxy: Proxy) -> list[bytes]:
    """The UIDs that the server was asked to search, question by question."""
    asked = [line.split() for line in proxy.commands if b"UID SEARCH" in line and b" BODY " in line]
    return [words[words.index(b"UID", 3) + 1] for words in asked]


def found(opener: Opener, query: Query = EVERY) -> tuple[list[str], Searched | None]:
    with opener.source() as source:
        page = source.page(INBOX, query, Window())
    return [row.subject for row in page.rows], page.searched


def total(opener: Opener, folder: FolderId) -> int:
    with opener.source() as source:
        return source.page(folder, EVERY, Window()).total


def go_on(opener: Opener, query: Query = EVERY) -> Searched | None:
    with opener.source() as source:
        return source.search_on(INBOX, query)


def test_parts_go_from_the_newest_back_and_what_was_searched_is_not_searched_again(opener: Opener) -> None:
    opener.subjects()
    opener.proxy.commands.clear()
    subjects, searched = found(opener)
    assert subjects == ["n12", "n11", "n10", "n9", "n8"]
    assert searched
    assert (searched.done, searched.total, searched.found) == (5, COUNT, 5)
    assert searched.back_to
    assert found(opener)[0] == subjects, "looking is no searching"
    assert ranges(opener.proxy) == [b"8:12"]
    searched = go_on(opener)
    assert searched
    assert (searched.done, searched.found) == (10, 9)
    assert go_on(opener) is None
    assert found(opener) == ([f"n{n}" for n in range(COUNT, 0, -1) if n != 4], None)
    assert ranges(opener.proxy) == [b"8:12", b"3:7", b"1:2"]
    opener.proxy.commands.clear()
    for query in (
        EVERY,
        Query(text="cuerpo", in_body=True, sort="subject"),
        Query(text="cuerpo", in_body=True, unread=True),
    ):
        assert len(found(opener, query)[0]) == COUNT - 1
    assert ranges(opener.proxy) == [], "neither another order nor a filter searches again"


def test_new_mail_is_searched_alone_and_what_left_is_not_found(opener: Opener, imap: Any) -> None:
    found(opener)
    client = imap(opener.address)
    client.append("INBOX", letter("nueva", day=40, body="cuerpo de papel"))
    client.select_folder("INBOX")
    client.delete_messages([10, 6])
    client.expunge()
    opener.proxy.commands.clear()
    subjects, searched = found(opener)
    assert subjects == ["nueva", "n12", "n11", "n9", "n8"]
    assert ranges(opener.proxy) == [b"13:13"]
    assert searched
    assert (searched.done, searched.total) == (5, COUNT - 1)
    while go_on(opener):
        pass
    assert found(opener)[0] == ["nueva", *(f"n{n}" for n in range(COUNT, 0, -1) if n not in {10, 6, 4})]


def test_two_searches_do_not_know_of_each_other(opener: Opener) -> None:
    other = Query(text="ñandú", in_body=True)
    found(opener)
    subjects, searched = found(opener, other)
    assert (subjects, searched and searched.done) == ([], 5)
    while go_on(opener, other):
        pass
    assert found(opener, other) == (["n4"], None)
    assert (found(opener)[1] or Searched(0, 0, 0)).done == 5, "the other one did not go on"


def test_a_folder_that_was_made_anew_is_searched_anew(opener: Opener, imap: Any) -> None:
    client = imap(opener.address)
    with opener.source() as source:
        folder = source.create_folder(None, "Taller")
    for _round in range(2):
        client.append("Taller", letter("una", body="cuerpo"))
        assert total(opener, folder) == 1
        client.delete_folder("Taller")
        client.create_folder("Taller")
        assert total(opener, folder) == 0


def test_a_range_that_is_refused_is_said_and_what_was_found_stays(opener: Opener) -> None:
    found(opener)
    opener.proxy.stumble = lambda line: "NO" if b" BODY " in line else ""
    searched = go_on(opener)
    assert searched
    assert (searched.problem, searched.found) == ("refused", 5)
    opener.proxy.stumble = lambda line: "cut" if b" BODY " in line else ""
    subjects, searched = found(opener)
    assert len(subjects) == 5, "a list needs no search to be shown"
    opener.proxy.stumble = lambda _line: ""
    assert (go_on(opener) or Searched(0, 0, 0)).done == 10


def test_a_server_without_extensions_is_searched_in_parts_too(opener: Opener, stack: Any) -> None:
    with proxied("127.0.0.1", stack.ports.imap, hide=("ESEARCH", "ESORT", "SORT", "CONDSTORE")) as plain:
        poor = Opener(plain, opener.address, opener._credentials.password, opener.redis_url)
        poor.address = f"{opener.address}-poor"
        assert found(poor)[0] == ["n12", "n11", "n10", "n9", "n8"]
        while go_on(poor):
            pass
        assert len(found(poor)[0]) == COUNT - 1
        assert ranges(plain) == [b"8:12", b"3:7", b"1:2"]
        pool.close_all()


@pytest.mark.parametrize(
    ("code", "problem"), [(b"BADCHARSET (US-ASCII)", "charset"), (b"LIMIT", "limit"), (b"CANNOT", "refused")]
)
def test_why_a_server_does_not_search_is_told(code: bytes, problem: str, stack: Any, parts: None) -> None:
    def search(line: bytes) -> bytes:
        if b"BODY" in line:
            return b"TAG NO [%s] no\r\n" % code
        return b"* SEARCH%s\r\nTAG OK done\r\n" % (b"" if b"DELETED" in line else b" 1 2 3")

    dates = b"".join(
        b'* %d FETCH (UID %d INTERNALDATE "01-Jan-2025 10:00:00 +0000" BODY[HEADER.FIELDS (DATE)]<0> "")\r\n' % (n, n)
        for n in (1, 2, 3)
    )
    replies = {
        "SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 5] ok\r\n* OK [UIDNEXT 4] ok\r\nTAG OK done\r\n",
        "UID SEARCH": search,
        "UID FETCH": dates + b"TAG OK done\r\n",
    }
    with scripted(replies) as server, open_imap(server.endpoint, ANNA, account_key="anna-search") as source:
        page = source.page(INBOX, Query(text="ñ", in_body=True), Window())
    assert page.searched
    assert (page.searched.problem, page.searched.done, page.total) == (problem, 0, 0)


def test_the_next_part_is_what_is_new_then_what_is_below() -> None:
    uids = [3, 5, 8, 9, 12, 20]
    assert plan_part(None, uids, 2) == (12, 20)
    assert plan_part(None, [], 2) is None
    kept = Found(8, 9, 0, body_search.array("I"))
    assert plan_part(kept, uids, 1) == (12, 12)
    assert plan_part(kept, uids[:4], 9) == (3, 5)
    assert plan_part(kept, [8, 9], 9) is None
    assert plan_part(Found(8, 9, 0, body_search.array("I")), [1], 9) == (1, 1)


def test_a_ref_is_found_among_what_was_found(opener: Opener) -> None:
    with opener.source() as source:
        ref = source.page(INBOX, EVERY, Window()).rows[1].ref
        assert source.neighbours(ref, EVERY)[0] == 1
        assert [one.id for one in source.refs(INBOX, EVERY)] == ["12", "11", "10", "9", "8"]
        assert source.neighbours(Ref(INBOX, ref.validity, "1"), EVERY)[0] == -1


def test_after_a_part_without_an_answer_the_next_one_is_smaller(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(opener)
    monkeypatch.setattr(body_search, "SMALLEST", 1)
    opener.proxy.stumble = lambda line: "cut" if b" BODY " in line else ""
    with pytest.raises(Unreachable):
        go_on(opener)
    opener.proxy.stumble = lambda _line: ""
    opener.proxy.commands.clear()
    searched = go_on(opener)
    assert searched
    assert (searched.done, ranges(opener.proxy)) == (6, [b"7:7"])


def test_a_part_that_is_the_whole_folder_is_asked_for_without_naming_it(
    opener: Opener, imap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in between is then among what the server found, and is searched for itself as ever."""
    monkeypatch.setattr(body_search, "FIRST_RATE", 1_000)
    monkeypatch.setattr(body_search, "ENOUGH_S", 60.0)
    opener.subjects()
    imap(opener.address).append("INBOX", letter("n13", day=13, body="cuerpo de papel"))
    opener.proxy.commands.clear()
    everything = [f"n{number}" for number in range(COUNT + 1, 0, -1) if number != 4]
    assert found(opener) == (everything, None)
    asked = [line for line in opener.proxy.commands if b" BODY " in line]
    assert b" UID 13:13 " in asked[-1]
    assert not any(b" UID 1" in line for line in asked[:-1])


def test_a_server_looks_below_heads_alone_once_the_heads_are_known_here(opener: Opener, imap: Any) -> None:
    opener.subjects()
    with opener.source() as source:
        assert source.page(INBOX, Query(text="n1"), Window()).total == 4  # reads every head
    opener.proxy.commands.clear()
    query = Query(text="N4", in_body=True)
    searched = found(opener, query)[1]
    while searched:
        searched = go_on(opener, query)
    assert found(opener, query)[0] == ["n4"]
    asked = [line for line in opener.proxy.commands if b" BODY " in line]
    assert len(asked) == 3
    assert not [line for line in asked if b"SUBJECT" in line]
    imap(opener.address).append("INBOX", letter("otro N4", day=40, body="nada"))
    assert found(opener, query)[0] == ["otro N4", "n4"], "new mail's heads are read before it is searched"
