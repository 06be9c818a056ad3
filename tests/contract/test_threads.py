"""Conversations, on every source: rows that stand for several messages, and what belongs to one of them."""

from __future__ import annotations

import pytest

from tests.contract.test_source import INBOX, Place, letter
from webmail.sources.base import MailSource
from webmail.values import Flag, FolderId, Page, Query, Ref, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
GROUPED = Query(threads=True)


def answer(subject: str, name: str, *before: str, day: int) -> bytes:
    extra = f"Message-ID: <{name}@x.test>\r\n"
    if before:
        extra += (
            f"In-Reply-To: <{before[-1]}@x.test>\r\nReferences: {' '.join(f'<{one}@x.test>' for one in before)}\r\n"
        )
    return letter(subject, day=day, extra=extra)


@pytest.fixture
def refs(source: MailSource) -> dict[str, Ref]:
    """Two conversations, one of them with a branch and a message that is not here, and two letters of the same subject."""
    for raw in (
        answer("Precio", "p1", day=1),
        answer("Boletín", "b1", day=2),
        answer("Re: Precio", "p2", "p1", day=3),
        answer("Obra", "o1", day=4),
        answer("Boletín", "b2", day=5),
        answer("Re: Obra", "o3", "o1", "o2", day=6),
        answer("Sobre el precio", "p3", "p1", day=7),
    ):
        source.append(INBOX, raw)
    rows = source.page(INBOX, Query(), Window()).rows
    return {row.message_id.strip("<>").partition("@")[0]: row.ref for row in rows}


def names(page: Page) -> list[str]:
    return [row.message_id.strip("<>").partition("@")[0] for row in page.rows]


def grouped(source: MailSource, query: Query = GROUPED, window: Window | None = None) -> Page:
    if not source.can.threads:
        pytest.skip("this source says that it cannot tell threads")
    return source.page(INBOX, query, window or Window())


def test_a_source_that_cannot_says_so_and_lists_messages(source: MailSource, refs: dict[str, Ref]) -> None:
    page = source.page(INBOX, GROUPED, Window())
    assert page.query.threads == source.can.threads == bool(page.threads)
    if not source.can.threads:
        assert len(page.rows) == 7


def test_a_row_is_a_conversation_at_its_newest_message(source: MailSource, refs: dict[str, Ref], server: str) -> None:
    source.set_flags([refs[name] for name in ("p2", "p3", "o1", "o3", "b1", "b2")], add=[Flag.SEEN])
    page = grouped(source)
    joined = server == "courier"  # REFERENCES joins what has the same subject
    assert names(page) == (["p3", "o3", "b2"] if joined else ["p3", "o3", "b2", "b1"])
    assert page.total == len(page.rows) == len(page.threads)
    assert page.threads[0].refs == (refs["p3"], refs["p2"], refs["p1"])
    assert [thread.unread for thread in page.threads[:2]] == [True, False]
    assert names(grouped(source, Query(threads=True, descending=False))) == names(page)[::-1]


def test_windows_of_conversations_tile_the_list(source: MailSource, refs: dict[str, Ref]) -> None:
    whole = names(grouped(source))
    tiles = [names(grouped(source, window=Window(start, 1))) for start in range(len(whole))]
    assert [name for tile in tiles for name in tile] == whole
    assert grouped(source, window=Window(50, 10)).rows == ()


def test_filters_come_before_threads(source: MailSource, refs: dict[str, Ref]) -> None:
    source.set_flags([refs["p1"], refs["p2"]], add=[Flag.FLAGGED])
    page = grouped(source, Query(threads=True, flagged=True))
    assert [thread.refs for thread in page.threads] == [(refs["p2"], refs["p1"])]


def test_other_orders_list_messages(source: MailSource, refs: dict[str, Ref]) -> None:
    page = grouped(source, Query(threads=True, sort="subject", descending=False))
    assert len(page.rows) == 7
    assert page.threads == ()


def test_neighbours_are_conversations(source: MailSource, refs: dict[str, Ref]) -> None:
    total = grouped(source).total
    assert source.neighbours(refs["o1"], GROUPED) == (1, refs["p3"], refs["b2"], total)
    assert source.neighbours(refs["p1"], GROUPED) == (0, None, refs["o3"], total)
    up = Query(threads=True, descending=False)
    assert source.neighbours(refs["p2"], up) == (total - 1, refs["o3"], None, total)


def test_what_a_conversation_is_follows_what_comes_and_goes(source: MailSource, refs: dict[str, Ref]) -> None:
    assert len(grouped(source).threads[0].refs) == 3
    source.append(INBOX, answer("Re: Precio", "p4", "p1", "p2", day=9))
    assert len(grouped(source).threads[0].refs) == 4
    source.delete([refs["p2"]])
    page = grouped(source)
    assert refs["p2"] not in page.threads[0].refs
    assert len(page.threads[0].refs) == 3


def test_messages_are_expanded_to_their_conversations(source: MailSource, refs: dict[str, Ref]) -> None:
    found = source.conversations([refs["p2"]], Query())
    if not source.can.threads:
        assert found == [refs["p2"]]
        return
    assert found == [refs["p3"], refs["p2"], refs["p1"]]
    assert set(source.conversations([refs["p1"], refs["o1"]], Query())) == {
        refs[name] for name in ("p1", "p2", "p3", "o1", "o3")
    }


def test_what_names_a_message_is_found_in_another_folder(
    source: MailSource, refs: dict[str, Ref], place: Place
) -> None:
    sent = FolderId(place("Sent"))
    for raw in (answer("Re: Obra", "o2", "o1", day=5), answer("Otra cosa", "q", day=5)):
        source.append(sent, raw)
    found = source.summaries(source.related(sent, ["<o1@x.test>", "<o3@x.test>"]))
    assert [row.message_id for row in found] == ["<o2@x.test>"]
    found = source.summaries(source.related(INBOX, ["<o2@x.test>", "<o1@x.test>"]))
    assert {row.message_id for row in found} == {"<o1@x.test>", "<o3@x.test>"}
    assert source.related(sent, []) == []
