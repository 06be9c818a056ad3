"""What every mail source must do, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.data.hostile import hostile_messages
from webmail.errors import Gone, MailError, OverQuota, Refused
from webmail.mime.mbox import Kept
from webmail.sources.base import MailSource
from webmail.values import Flag, FolderId, PartNumber, Query, Ref, Role, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

INBOX = FolderId("INBOX")
Place = Callable[[str], FolderId]
DAY = datetime(2025, 11, 28, 12, tzinfo=UTC)


def letter(
    subject: str, *, sender: str = "Beto <beto@x.test>", day: int = 0, body: str = "Hola", extra: str = ""
) -> bytes:
    date = (DAY + timedelta(days=day)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    head = f"From: {sender}\r\nTo: ana@x.test\r\nSubject: {subject}\r\nDate: {date}\r\n{extra}"
    return (head + f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n").encode()


MIXED = (
    b"From: a@x.test\r\nSubject: con adjunto\r\nDate: Sat, 01 Nov 2025 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nMira\r\n'
    b'--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 200_000 + b"\r\n--b--\r\n"
)


def fill(source: MailSource, *subjects: str) -> None:
    for index, subject in enumerate(subjects):
        source.append(INBOX, letter(subject, day=index))


def subjects(source: MailSource, query: Query | None = None, start: int = 0, size: int = 50) -> list[str]:
    return [row.subject for row in source.page(INBOX, query or Query(), Window(start, size)).rows]


def refs(source: MailSource) -> dict[str, Ref]:
    return {row.subject: row.ref for row in source.page(INBOX, Query(), Window(0, 1000)).rows}


def test_special_folders_come_first_in_thunderbirds_order(source: MailSource) -> None:
    roles = [folder.role for folder in source.folders() if folder.role is not Role.NONE]
    assert roles == [Role.INBOX, Role.DRAFTS, Role.SENT, Role.ARCHIVE, Role.JUNK, Role.TRASH]


def test_folder_counts_are_the_servers(source: MailSource) -> None:
    fill(source, "uno", "dos")
    source.set_flags([refs(source)["uno"]], add=[Flag.SEEN])
    inbox = next(folder for folder in source.folders() if folder.role is Role.INBOX)
    assert (inbox.total, inbox.unread) == (2, 1)


def test_newest_first_and_every_order(source: MailSource) -> None:
    source.append(INBOX, letter("Beta", sender="zoe@x.test", day=1, body="x" * 900))
    source.append(INBOX, letter("Re: alfa", sender="ana@x.test", day=3))
    source.append(INBOX, letter("gamma", sender="mia@x.test", day=2, body="x" * 90))
    assert subjects(source) == ["Re: alfa", "gamma", "Beta"]
    assert subjects(source, Query(descending=False)) == ["Beta", "gamma", "Re: alfa"]
    assert subjects(source, Query(sort="from", descending=False)) == ["Re: alfa", "gamma", "Beta"]
    assert subjects(source, Query(sort="subject", descending=False)) == ["Re: alfa", "Beta", "gamma"]
    assert subjects(source, Query(sort="size", descending=True)) == ["Beta", "gamma", "Re: alfa"]


def test_sizes_tell_when_each_message_came_and_how_large_it_is(source: MailSource) -> None:
    fill(source, "uno", "dos", "tres")
    rows = source.page(INBOX, Query(), Window(0, 10)).rows
    assert sorted(source.sizes(INBOX, most=10)) == sorted((row.received, row.size_bytes) for row in rows)
    assert len(source.sizes(INBOX, most=2)) == 2
    with pytest.raises(Gone):
        source.sizes(FolderId("No hay"), most=10)


def test_windows_tile_the_list(source: MailSource) -> None:
    fill(source, *(f"m{index:02}" for index in range(25)))
    whole = subjects(source)
    tiles = [subjects(source, start=start, size=10) for start in (0, 10, 20)]
    assert [subject for tile in tiles for subject in tile] == whole
    assert source.page(INBOX, Query(), Window(20, 10)).total == 25
    assert subjects(source, start=400, size=10) == []


def test_filters_and_search(source: MailSource) -> None:
    fill(source, "cotización 8841", "factura")
    source.append(INBOX, MIXED)
    here = refs(source)
    source.set_flags([here["factura"]], add=[Flag.SEEN, Flag.FLAGGED])
    assert subjects(source, Query(unread=True)) == ["cotización 8841", "con adjunto"]
    assert subjects(source, Query(flagged=True)) == ["factura"]
    assert subjects(source, Query(attachment=True)) == ["con adjunto"]
    assert subjects(source, Query(text="COTIZACIÓN")) == ["cotización 8841"]
    assert subjects(source, Query(text='nada " \\ aquí')) == []
    assert subjects(source, Query(text="Mira")) == []
    assert subjects(source, Query(text="Mira", in_body=True)) == ["con adjunto"]


def test_rows_carry_flags_tags_snippet_and_clip(source: MailSource) -> None:
    source.append(INBOX, MIXED)
    ref = refs(source)["con adjunto"]
    source.set_flags([ref], add=[Flag.FLAGGED, "$label1", "projekt=20x"])
    row = source.page(INBOX, Query(), Window()).rows[0]
    assert row.has_attachment
    assert row.snippet == "Mira"
    assert row.flagged
    assert {"$label1", "projekt=20x"} <= {flag.lower() for flag in row.flags}


def test_a_change_made_elsewhere_is_seen_next_time(opened: Callable[[], MailSource]) -> None:
    here, elsewhere = opened(), opened()
    fill(here, "uno", "dos")
    assert subjects(here) == ["dos", "uno"]
    elsewhere.append(INBOX, letter("tres", day=9))
    elsewhere.set_flags([refs(elsewhere)["uno"]], add=[Flag.SEEN])
    elsewhere.delete([refs(elsewhere)["dos"]])
    here.close()
    rows = here.page(INBOX, Query(), Window()).rows
    assert [(row.subject, row.unread) for row in rows] == [("tres", True), ("uno", False)]


def test_opening_a_message_moves_kilobytes_not_its_attachment(source: MailSource, server: str) -> None:
    if server == "local":
        pytest.skip("nothing moves")
    source.append(INBOX, MIXED)
    ref = refs(source)["con adjunto"]
    before = source.connection.bytes_in  # type: ignore[attr-defined]
    message = source.message(ref)
    assert [body.text.strip() for body in message.bodies] == ["Mira"]
    assert [part.filename for part in message.attachments] == ["a.pdf"]
    assert source.connection.bytes_in - before < 8_000  # type: ignore[attr-defined]


def test_a_part_streams_whole_and_in_small_pieces(source: MailSource) -> None:
    source.append(INBOX, MIXED)
    ref = refs(source)["con adjunto"]
    pieces = list(source.part(ref, PartNumber("2")))
    assert b"".join(pieces).strip() == b"QUJD" * 200_000
    assert max(map(len, pieces)) <= 65_536
    assert b"".join(source.part(ref, PartNumber(""))) == MIXED


def test_opening_changes_no_flag(source: MailSource) -> None:
    fill(source, "uno")
    source.message(refs(source)["uno"])
    assert source.page(INBOX, Query(), Window()).rows[0].unread


def test_neighbours_follow_the_list(source: MailSource) -> None:
    fill(source, "uno", "dos", "tres")
    here = refs(source)
    assert source.neighbours(here["dos"], Query()) == (1, here["tres"], here["uno"], 3)
    assert source.neighbours(here["tres"], Query()) == (0, None, here["dos"], 3)
    assert source.neighbours(here["dos"], Query(flagged=True)) == (-1, None, None, 0)


def test_a_stale_uidvalidity_is_gone(source: MailSource) -> None:
    fill(source, "uno")
    ref = refs(source)["uno"]
    stale = Ref(ref.folder, ref.validity + 1, ref.id)
    for action in (
        lambda: source.message(stale),
        lambda: source.set_flags([stale], add=[Flag.SEEN]),
        lambda: source.delete([stale]),
        lambda: list(source.part(stale, PartNumber("1"))),
    ):
        with pytest.raises(Gone):
            action()
    assert source.page(INBOX, Query(), Window()).rows[0].unread


def test_a_message_that_went_is_gone_and_never_another(source: MailSource) -> None:
    fill(source, "uno", "dos")
    ref = refs(source)["uno"]
    source.delete([ref])
    with pytest.raises(Gone):
        source.message(ref)
    assert subjects(source) == ["dos"]


@pytest.mark.parametrize("name", ["Nada", "Nada/Aquí", "INBOX/x"])
def test_a_folder_that_is_not_there_is_gone(source: MailSource, name: str) -> None:
    with pytest.raises(Gone):
        source.page(FolderId(name), Query(), Window())


@pytest.mark.parametrize("evil", ['INBOX"\r\nA DELETE INBOX', "a\nb", "a\0b", "a\x7fb", "\ud800"])
def test_no_control_character_reaches_the_server(source: MailSource, evil: str) -> None:
    fill(source, "uno")
    ref = refs(source)["uno"]
    for action in (
        lambda: source.page(FolderId(evil), Query(), Window()),
        lambda: source.page(INBOX, Query(text=evil), Window()),
        lambda: source.set_flags([ref], add=[evil]),
        lambda: source.move([ref], FolderId(evil)),
        lambda: source.append(FolderId(evil), letter("x")),
        lambda: source.message(Ref(INBOX, ref.validity, f"1:{evil}")),
        lambda: list(source.part(ref, PartNumber(f"1]{evil}"))),
    ):
        with pytest.raises((Refused, Gone)):
            action()
    assert subjects(source) == ["uno"]


def test_a_move_keeps_the_message_and_tells_where_it_is(source: MailSource, place: Place) -> None:
    fill(source, "uno", "dos")
    ref = refs(source)["uno"]
    source.set_flags([ref], add=[Flag.FLAGGED, "$label2"])
    moved = source.move([ref], place("Archive"))
    assert subjects(source) == ["dos"]
    row = source.page(place("Archive"), Query(), Window()).rows[0]
    assert (row.subject, row.flagged, moved.before) == ("uno", True, (ref,))
    assert moved.after == (row.ref,)


def test_a_move_to_nowhere_loses_nothing(source: MailSource) -> None:
    fill(source, "uno")
    with pytest.raises(MailError):
        source.move([refs(source)["uno"]], FolderId("Nada"))
    assert subjects(source) == ["uno"]


def test_append_tells_the_new_ref(source: MailSource, place: Place) -> None:
    ref = source.append(place("Drafts"), letter("borrador"), flags=[Flag.DRAFT], received=DAY)
    row = source.page(place("Drafts"), Query(), Window()).rows[0]
    assert row.ref == ref
    assert row.received == DAY
    assert Flag.DRAFT in row.flags


def test_hostile_messages_never_spoil_their_list(source: MailSource, server: str) -> None:
    names = []
    for name, raw in hostile_messages():
        if 0 < len(raw) < 300_000 and len(names) < 160:
            with suppress(*([Refused] if server == "cyrus" else [])):  # it takes no NUL and no broken header
                source.append(INBOX, raw)
                names.append(name)
    assert len(names) > 80
    page = source.page(INBOX, Query(), Window(0, 1000))
    assert page.total == len(page.rows) == len(names)
    for row in page.rows:
        assert source.message(row.ref).ref == row.ref


def test_a_full_mailbox_says_so(opened: Callable[[], MailSource], server: str, request: pytest.FixtureRequest) -> None:
    from accounts.models import Mailbox

    if server in {"courier", "local"}:
        pytest.skip("its mailbox has no limit")
    if server == "cyrus":
        login = request.getfixturevalue("access")[1].login
        assert opened().folders()
        request.getfixturevalue("cyrus").set_quota(login, 2)
    Mailbox.objects.update(quota_bytes=2_000)
    with pytest.raises(OverQuota):
        opened().append(INBOX, letter("grande", body="x" * 5_000))


def test_several_messages_are_stored_in_their_order(source: MailSource) -> None:
    letters = [Kept(letter("uno"), frozenset({Flag.SEEN}), DAY), Kept(letter("dos"), frozenset(), DAY)]
    put = source.append_all(INBOX, letters)
    rows = {row.ref: row for row in source.page(INBOX, Query(), Window(0, 9)).rows}
    assert [(rows[ref].subject, rows[ref].received, Flag.SEEN in rows[ref].flags) for ref in put if ref] == [
        ("uno", DAY, True),
        ("dos", DAY, False),
    ]
    with pytest.raises(MailError):
        source.append_all(INBOX, [Kept(letter("tres")), Kept(letter("cuatro"), frozenset({"no flag"}))])
    assert len(subjects(source)) == (2 if source.can.batches else 3)
