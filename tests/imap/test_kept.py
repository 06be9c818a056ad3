"""A large Inbox of a Dovecot stays selected between requests, and shows all the same what the server has now. That every rule of
the contract holds for it too is in tests/contract ("kept")."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_source import letter
from webmail.imap import selected
from webmail.imap.pool import pool
from webmail.services import organising
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, Flag, FolderId, Query, Ref, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
INBOX = FolderId("INBOX")


@pytest.fixture
def box(stack: Any, mailbox_factory: Any, imap: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A way to open a source, and another program's connection."""
    monkeypatch.setattr(selected, "KEPT_FROM", 3)
    made = mailbox_factory("ana")
    other = imap(made.address)
    for day, subject in enumerate(["uno", "dos", "tres", "cuatro"]):
        other.append("INBOX", letter(subject, day=day))
    other.select_folder("INBOX")
    endpoint = Endpoint("127.0.0.1", stack.ports.imap, "none")
    url = stack.environment()["REDIS_URL"]

    def open_() -> ImapSource:
        return open_imap(endpoint, Credentials(made.address, made.password), account_key=made.address, redis_url=url)

    yield open_, other
    pool.close_all()


def rows(open_: Any) -> tuple[list[tuple[str, bool]], int]:
    """(subject, unread) of the list, read by a source of its own, and its round trips."""
    with open_() as source:
        before = source.connection.round_trips
        page = source.page(INBOX, Query(), Window())
        return [(row.subject, row.unread) for row in page.rows], source.connection.round_trips - before


def test_it_is_not_selected_again_and_a_page_is_one_round_trip(box: tuple[Any, Any]) -> None:
    open_, _other = box
    rows(open_)
    with open_() as source:
        kept = source.connection.kept
    assert kept.exists == 4
    assert rows(open_)[1] == 1
    with open_() as source:
        assert source.connection.kept.validity == kept.validity


def test_what_another_program_changes_shows_in_the_next_list(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    other.append("INBOX", letter("cinco", day=9))
    assert rows(open_)[0][0] == ("cinco", True)
    other.add_flags([2], [Flag.SEEN])
    assert ("dos", False) in rows(open_)[0]
    other.remove_flags([2], [Flag.SEEN])
    assert ("dos", True) in rows(open_)[0]
    other.add_flags([1], [Flag.DELETED])
    assert "uno" not in dict(rows(open_)[0])
    other.uid_expunge([1]) if other.has_capability("UIDPLUS") else other.expunge()
    assert [subject for subject, _unread in rows(open_)[0]] == ["cinco", "cuatro", "tres", "dos"]


def test_counts_of_the_tree_follow(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    other.append("INBOX", letter("cinco", day=9))
    other.add_flags([1, 2], [Flag.SEEN])
    with open_() as source:
        inbox = next(one for one in source.folders() if one.id == INBOX)
    assert (inbox.total, inbox.unread) == (5, 3)


def test_another_folder_is_opened_on_another_connection(box: tuple[Any, Any]) -> None:
    open_, other = box
    other.create_folder("Otra")
    other.append("Otra", letter("aparte"))
    rows(open_)
    with open_() as source:
        source.page(INBOX, Query(), Window())
        mine = source.connection
        assert [row.subject for row in source.page(FolderId("Otra"), Query(), Window()).rows] == ["aparte"]
        assert source.connection is not mine
        assert mine.kept is not None
    assert rows(open_)[1] == 1


def test_a_mark_that_nobody_waits_for_is_on_the_server_when_the_source_is_closed(box: tuple[Any, Any]) -> None:
    open_, other = box
    with open_() as source:
        first = source.page(INBOX, Query(), Window()).rows[0]
        before = source.connection.round_trips
        source.set_flags([first.ref], add=[Flag.SEEN], wait=False)
        assert source.connection.round_trips == before
    assert b"\\Seen" in other.fetch([int(first.ref.id)], ["FLAGS"])[int(first.ref.id)][b"FLAGS"]


def test_a_move_is_one_round_trip_and_leaves_what_is_marked_as_deleted(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    other.add_flags([1], [Flag.DELETED])
    with open_() as source:
        refs = [Ref(INBOX, source.connection.kept.validity, str(uid)) for uid in (1, 3, 4)]
        before = source.connection.round_trips
        moved = source.move(refs, FolderId("Archive"))
        assert source.connection.round_trips - before == 1
    assert moved.before == tuple(refs)
    assert moved.after[0] is None
    other.select_folder("Archive")
    assert [ref.id for ref in moved.after if ref] == [str(uid) for uid in other.search()]
    other.select_folder("INBOX")
    assert other.search() == [1, 2]


def test_the_list_after_a_move_is_one_round_trip_and_right_when_others_took_some_too(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    with open_() as source:
        validity = source.connection.kept.validity
        source.move([Ref(INBOX, validity, "1")], FolderId("Archive"))
    assert rows(open_) == ([("cuatro", True), ("tres", True), ("dos", True)], 1)
    with open_() as source:
        source.move([Ref(INBOX, validity, "3")], FolderId("Archive"))
    other.add_flags([4], [Flag.DELETED])
    other.uid_expunge([4])
    shown, trips = rows(open_)
    assert shown == [("dos", True)]
    assert trips > 1


def test_what_came_and_was_moved_before_a_list_told_of_it_asks_for_nothing(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    other.append("INBOX", letter("cinco", day=9))
    with open_() as source:
        validity = source.connection.kept.validity
        source.move([Ref(INBOX, validity, "5")], FolderId("Archive"))
    assert rows(open_) == ([("cuatro", True), ("tres", True), ("dos", True), ("uno", True)], 1)
    other.append("INBOX", letter("seis", day=10))
    other.append("INBOX", letter("siete", day=-1))
    with open_() as source:
        source.move([Ref(INBOX, validity, uid) for uid in ("2", "6")], FolderId("Archive"))
    shown = [("cuatro", True), ("tres", True), ("uno", True), ("siete", True)]
    assert rows(open_)[0] == shown


def test_what_came_after_the_last_look_is_marked_and_moved_too(box: tuple[Any, Any]) -> None:
    """Another connection may have listed it: this one has not heard of it, and is told before it is asked for a change."""
    open_, other = box
    rows(open_)
    with open_() as source:
        validity = source.connection.kept.validity
        other.append("INBOX", letter("cinco", day=9))
        source.set_flags([Ref(INBOX, validity, "5")], add=[Flag.SEEN], wait=False)
    assert b"\\Seen" in other.fetch([5], ["FLAGS"])[5][b"FLAGS"]
    with open_() as source:
        other.append("INBOX", letter("seis", day=10))
        assert len(source.change_flags([Ref(INBOX, validity, "6")], add=[Flag.FLAGGED])) == 1
    assert b"\\Flagged" in other.fetch([6], ["FLAGS"])[6][b"FLAGS"]
    with open_() as source:
        other.append("INBOX", letter("siete", day=11))
        moved = source.move([Ref(INBOX, validity, "1"), Ref(INBOX, validity, "7")], FolderId("Archive"))
    assert None not in moved.after
    assert [subject for subject, _unread in rows(open_)[0]] == ["seis", "cinco", "cuatro", "tres", "dos"]


def test_what_others_took_away_is_not_told_as_moved(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    other.move([1, 2], "Archive")
    with open_() as source:
        folder = next(one for one in source.folders() if one.id == "Archive")
        validity = source.connection.kept.validity
        change = organising.move(source, [Ref(INBOX, validity, uid) for uid in ("1", "2")], folder)
        assert (change.count, change.undo) == (0, None)
        change = organising.move(source, [Ref(INBOX, validity, uid) for uid in ("2", "3")], folder)
        assert change.count == 1
    assert [subject for subject, _unread in rows(open_)[0]] == ["cuatro"]


def test_rows_that_move_up_after_a_move_come_with_the_same_round_trip(box: tuple[Any, Any]) -> None:
    open_, _other = box
    rows(open_)
    with open_() as source:
        source.move([Ref(INBOX, source.connection.kept.validity, uid) for uid in ("3", "4")], FolderId("Archive"))
    with open_() as source:
        before = source.connection.round_trips
        page = source.page(INBOX, Query(), Window(0, 2))
        assert source.connection.round_trips - before == 1
    assert [row.subject for row in page.rows] == ["dos", "uno"]


def test_a_move_of_what_another_program_expunged_moves_the_rest(box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    with open_() as source:
        refs = [Ref(INBOX, source.connection.kept.validity, str(uid)) for uid in (1, 2, 3)]
        other.add_flags([2], [Flag.DELETED])
        other.uid_expunge([2])
        moved = source.move(refs, FolderId("Archive"))
    assert [ref is not None for ref in moved.after] == [True, False, True]
    other.select_folder("Archive")
    assert [ref.id for ref in moved.after if ref] == [str(uid) for uid in other.search()]


def test_nothing_is_moved_at_once_over_a_connection_that_has_ended(stack: Any, box: tuple[Any, Any]) -> None:
    open_, other = box
    rows(open_)
    with open_() as source:
        refs = [Ref(INBOX, source.connection.kept.validity, "3")]
        source.connection._imap.sock.shutdown(socket.SHUT_RDWR)  # as a server that goes away does
        assert source.move(refs, FolderId("Archive")).after[0] is not None
    assert other.folder_status("Archive", ["MESSAGES"])[b"MESSAGES"] == 1
