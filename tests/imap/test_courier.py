"""The second real server: Courier IMAP, which has no MOVE, CONDSTORE, LIST-STATUS, SPECIAL-USE or PREVIEW, keeps
everything below "INBOX." and says NO to what it does not know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.test_source import MIXED, letter
from tests.imap.courier import LOGIN, PASSWORD, Courier
from webmail.errors import Gone, LoginRefused
from webmail.imap.pool import pool
from webmail.sources.imap import ImapSource, open_imap
from webmail.sources.logging_in import check_login
from webmail.values import Credentials, Flag, FolderId, PartNumber, Query, Role, Window

pytestmark = [pytest.mark.server, pytest.mark.slow]

INBOX = FolderId("INBOX")


@pytest.fixture
def source(courier: Courier) -> Iterator[ImapSource]:
    """Courier's one mailbox, emptied."""
    courier.reset("Sent", "Trash", "Viña Aromo", "Viña Aromo.2026")
    with open_imap(courier.endpoint, Credentials(LOGIN, PASSWORD), account_key="courier") as opened:
        yield opened
    pool.close_all()


def subjects(source: ImapSource, query: Query | None = None) -> list[str]:
    return [row.subject for row in source.page(INBOX, query or Query(), Window()).rows]


def test_the_prefix_is_hidden_and_roles_are_guessed_by_name(source: ImapSource) -> None:
    shown = [(folder.role, "/".join(folder.path)) for folder in source.folders(subscribed_only=True)]
    assert shown == [
        (Role.INBOX, "INBOX"),
        (Role.SENT, "Sent"),
        (Role.TRASH, "Trash"),
        (Role.NONE, "Viña Aromo"),
        (Role.NONE, "Viña Aromo/2026"),
    ]


def test_counts_without_list_status(source: ImapSource) -> None:
    source.append(INBOX, letter("uno"))
    inbox = source.folders()[0]
    assert (inbox.total, inbox.unread) == (1, 1)


def test_orders_filters_and_search(source: ImapSource) -> None:
    for day, subject in enumerate(("Beta ñandú", "alfa", "gamma")):
        source.append(INBOX, letter(subject, day=day))
    source.append(INBOX, MIXED)
    assert subjects(source) == ["gamma", "alfa", "Beta ñandú", "con adjunto"]
    assert subjects(source, Query(sort="subject", descending=False))[0] == "alfa"
    assert subjects(source, Query(sort="size"))[0] == "con adjunto"
    assert subjects(source, Query(text="ÑANDÚ")) == ["Beta ñandú"]
    assert subjects(source, Query(attachment=True)) == ["con adjunto"]


def test_rows_and_messages_without_preview(source: ImapSource) -> None:
    source.append(INBOX, MIXED)
    row = source.page(INBOX, Query(), Window()).rows[0]
    assert (row.snippet, row.has_attachment) == ("Mira", True)
    message = source.message(row.ref)
    assert [part.filename for part in message.attachments] == ["a.pdf"]
    assert b"".join(source.part(row.ref, PartNumber("2"))).strip() == b"QUJD" * 200_000


def test_flags_and_keywords(source: ImapSource) -> None:
    source.append(INBOX, letter("uno"))
    ref = source.page(INBOX, Query(), Window()).rows[0].ref
    source.set_flags([ref], add=[Flag.SEEN, "$label1", "projekt=20x"])
    assert {Flag.SEEN, "$label1", "projekt=20x"} <= set(source.page(INBOX, Query(), Window()).rows[0].flags)


def test_a_move_without_move(source: ImapSource) -> None:
    for subject in ("uno", "dos"):
        source.append(INBOX, letter(subject))
    rows = {row.subject: row.ref for row in source.page(INBOX, Query(), Window()).rows}
    moved = source.move([rows["uno"]], FolderId("INBOX.Trash"))
    assert subjects(source) == ["dos"]
    assert source.page(FolderId("INBOX.Trash"), Query(), Window()).rows[0].ref == moved.after[0]
    with pytest.raises(Gone):
        source.message(rows["uno"])


def test_what_thunderbird_marks_as_deleted_here_is_hidden(source: ImapSource) -> None:
    for subject in ("uno", "dos"):
        source.append(INBOX, letter(subject))
    ref = source.page(INBOX, Query(), Window()).rows[0].ref
    source.set_flags([ref], add=[Flag.DELETED])
    assert len(subjects(source)) == 1


def test_no_folder_and_wrong_password(source: ImapSource, courier: Courier) -> None:
    with pytest.raises(Gone):
        source.page(FolderId("INBOX.Nada"), Query(), Window())
    with pytest.raises(LoginRefused):
        check_login(courier.endpoint, Credentials(LOGIN, "otra"))
