"""Every verb that changes mail, on every server, and each taken back."""

from __future__ import annotations

import pytest

from tests.contract.test_source import DAY, INBOX, Place, letter
from webmail.errors import Refused
from webmail.services import organising
from webmail.sources.base import MailSource
from webmail.values import Flag, Folder, FolderId, Query, Ref, Role, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

THE_SERVERS_OWN = {"\\recent", "$hasattachment", "$hasnoattachment"}


def put(source: MailSource, *subjects: str, flags: tuple[str, ...] = ()) -> list[Ref]:
    for index, subject in enumerate(subjects):
        source.append(INBOX, letter(subject, day=index), flags=flags, received=DAY)
    rows = source.page(INBOX, Query(), Window(0, 1000)).rows
    return [next(row.ref for row in rows if row.subject == subject) for subject in subjects]


def shown(source: MailSource, folder: FolderId) -> dict[str, frozenset[str]]:
    rows = source.page(folder, Query(), Window(0, 1000)).rows
    return {row.subject: frozenset(flag for flag in row.flags if flag.lower() not in THE_SERVERS_OWN) for row in rows}


def named(source: MailSource, role: Role) -> Folder:
    return next(folder for folder in source.folders() if folder.role is role)


def test_marks_are_set_and_only_what_changed_is_undone(source: MailSource) -> None:
    one, two = put(source, "uno", "dos")
    source.set_flags([one], add=[Flag.SEEN])
    change = organising.mark(source, [one, two], add=[Flag.SEEN])
    assert change.count == 2
    assert all(Flag.SEEN in flags for flags in shown(source, INBOX).values())
    assert change.undo is not None
    organising.take_back(source, change.undo)
    assert shown(source, INBOX) == {"uno": frozenset({Flag.SEEN}), "dos": frozenset()}


def test_a_removed_mark_comes_back_where_it_was(source: MailSource) -> None:
    one, two = put(source, "uno", "dos")
    source.set_flags([two], add=[Flag.FLAGGED])
    change = organising.mark(source, [one, two], remove=[Flag.FLAGGED])
    assert change.undo is not None
    organising.take_back(source, change.undo)
    assert Flag.FLAGGED in shown(source, INBOX)["dos"]
    assert Flag.FLAGGED not in shown(source, INBOX)["uno"]


def test_a_move_and_its_undo_keep_messages_and_flags(source: MailSource) -> None:
    refs = put(source, "uno", "dos", "tres")
    source.set_flags(refs[:1], add=[Flag.FLAGGED, Flag.ANSWERED])
    before = shown(source, INBOX)
    trash = named(source, Role.TRASH)
    change = organising.delete(source, refs)
    assert shown(source, INBOX) == {}
    assert shown(source, trash.id) == before
    assert change.undo is not None
    assert organising.take_back(source, change.undo) == 3
    assert shown(source, INBOX) == before
    assert shown(source, trash.id) == {}


def test_deleting_in_the_trash_is_for_good(source: MailSource) -> None:
    refs = put(source, "uno", "dos")
    organising.delete(source, refs)
    trash = named(source, Role.TRASH)
    change = organising.delete(source, source.refs(trash.id, Query()))
    assert change.undo is None
    assert shown(source, trash.id) == {}


def test_a_message_that_is_gone_does_not_stop_the_others(source: MailSource) -> None:
    refs = put(source, "uno", "dos", "tres")
    source.delete([refs[1]])
    change = organising.delete(source, refs)
    assert change.count == 2
    trash = named(source, Role.TRASH).id
    assert set(shown(source, trash)) == {"uno", "tres"}
    left = source.refs(trash, Query())
    source.delete(left[:1])
    assert organising.delete(source, left).count == 1
    assert organising.purge(source, left).count == 0


def test_a_copy_leaves_the_original(source: MailSource) -> None:
    refs = put(source, "uno")
    source.set_flags(refs, add=[Flag.SEEN])
    archive = named(source, Role.ARCHIVE)
    organising.copy(source, refs, archive)
    assert shown(source, INBOX) == shown(source, archive.id) == {"uno": frozenset({Flag.SEEN})}


def test_the_archive_has_a_folder_for_each_year(source: MailSource) -> None:
    source.append(INBOX, letter("viejo", day=-400), received=DAY)
    (new,) = put(source, "nuevo")
    old = next(ref for ref in source.refs(INBOX, Query()) if ref != new)
    change = organising.archive(source, [new, old])
    years = {folder.name: folder for folder in source.folders(subscribed_only=True) if len(folder.path) == 2}
    assert set(shown(source, years["2025"].id)) == {"nuevo"}
    assert set(shown(source, years["2024"].id)) == {"viejo"}
    assert change.undo is not None
    organising.take_back(source, change.undo)
    assert set(shown(source, INBOX)) == {"nuevo", "viejo"}


def test_junk_writes_what_thunderbird_reads_and_is_undone(source: MailSource) -> None:
    (ref,) = put(source, "oferta")
    source.set_flags([ref], add=["NonJunk"])
    change = organising.junk(source, [ref])
    junk = named(source, Role.JUNK)
    flags = {flag.lower() for flag in shown(source, junk.id)["oferta"]}
    assert "junk" in flags
    assert not flags & {"nonjunk", "notjunk", "$notjunk"}
    assert change.undo is not None
    organising.take_back(source, change.undo)
    assert {flag.lower() for flag in shown(source, INBOX)["oferta"]} == {"nonjunk"}


def test_not_junk_goes_to_the_inbox(source: MailSource) -> None:
    (ref,) = put(source, "oferta")
    organising.junk(source, [ref])
    organising.not_junk(source, source.refs(named(source, Role.JUNK).id, Query()))
    flags = {flag.lower() for flag in shown(source, INBOX)["oferta"]}
    assert "nonjunk" in flags
    assert not flags & {"junk", "$junk"}


def test_all_messages_of_a_search_are_one_selection(source: MailSource) -> None:
    put(source, "factura 1", "factura 2", "otra")
    found = source.refs(INBOX, Query(text="factura"))
    assert len(found) == 2
    organising.delete(source, found)
    assert set(shown(source, INBOX)) == {"otra"}


def test_a_folder_is_made_renamed_moved_and_deleted(source: MailSource, place: Place) -> None:
    top = source.create_folder(None, "Obras Ñuñoa & Cía")
    below = source.create_folder(top, "Año 2025")
    source.append(below, letter("plano"))
    folders = {folder.path: folder for folder in source.folders(subscribed_only=True)}
    assert folders[("Obras Ñuñoa & Cía", "Año 2025")].id == below
    renamed = source.rename_folder(folders[("Obras Ñuñoa & Cía",)], None, "Obras")
    assert renamed == place("Obras")
    folders = {folder.path: folder for folder in source.folders(subscribed_only=True)}
    assert ("Obras Ñuñoa & Cía",) not in folders
    assert set(shown(source, folders[("Obras", "Año 2025")].id)) == {"plano"}
    moved = source.rename_folder(folders[("Obras", "Año 2025")], None, "Planos")
    assert set(shown(source, moved)) == {"plano"}
    source.subscribe(moved, on=False)
    assert ("Planos",) not in {folder.path for folder in source.folders(subscribed_only=True)}
    for folder in source.folders():
        if folder.id in {renamed, moved}:
            source.delete_folder(folder)
    assert not {("Planos",), ("Obras",)} & {folder.path for folder in source.folders()}


@pytest.mark.parametrize("name", ["", "  ", "a\r\nb", "a*", "50%", "x" * 200, "\x00"])
def test_a_name_that_cannot_be_is_refused(source: MailSource, name: str) -> None:
    with pytest.raises(Refused):
        source.create_folder(None, name)


def test_a_folder_that_is_there_already_is_refused(source: MailSource) -> None:
    source.create_folder(None, "Obras")
    with pytest.raises(Refused):
        source.create_folder(None, "Obras")


def test_a_missing_special_folder_is_made_once(
    source: MailSource, place: Place, server: str, request: pytest.FixtureRequest
) -> None:
    junk = named(source, Role.JUNK)
    if server == "cyrus":
        with pytest.raises(Refused):
            source.delete_folder(junk)
        request.getfixturevalue("cyrus").free_special_use(request.getfixturevalue("access")[1].login, "Junk")
    source.delete_folder(junk)
    (ref,) = put(source, "oferta")
    organising.junk(source, [ref])
    (again,) = put(source, "otra")
    organising.junk(source, [again])
    folders = [folder for folder in source.folders() if folder.role is Role.JUNK]
    assert len(folders) == 1
    assert set(shown(source, folders[0].id)) == {"oferta", "otra"}
