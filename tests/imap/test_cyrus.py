"""The third real server: Cyrus IMAP, which has nearly everything but NOTIFY, says its special uses in small letters, deletes no
folder that has one, and answers QRESYNC's way to a MOVE. Its contract is in tests/contract."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from accounts.models import MailAccount, User
from tests.contract.conftest import cyrus
from tests.contract.test_source import letter
from tests.imap.cyrus import PASSWORD, Cyrus, start_cyrus
from tests.parity.conftest import NAMES, fill
from webmail.errors import Gone, LoginRefused
from webmail.imap.pool import pool
from webmail.services import organising, parity
from webmail.services.access import account_credentials, open_live
from webmail.services.parity import Report, verify
from webmail.services.parity_witness import open_witness
from webmail.services.tags import tags_for
from webmail.services.transfer import claim_transfer, run_transfer, start_transfer
from webmail.sources.base import MailSource
from webmail.sources.logging_in import check_login
from webmail.sources.open import open_store
from webmail.values import Credentials, Flag, FolderId, Query, Role, Window

__all__ = ["cyrus"]
pytestmark = [pytest.mark.server, pytest.mark.variants, pytest.mark.django_db(transaction=True)]

INBOX = FolderId("INBOX")


@pytest.fixture
def account(cyrus: Cyrus, stack: Any) -> Iterator[MailAccount]:
    """An account of a mailbox that nobody has used."""
    login = cyrus.new_mailbox().login
    where = {"imap_host": cyrus.endpoint.host, "imap_port": cyrus.port, "imap_tls": "none"}
    owner = User.objects.create_user(login)
    yield MailAccount.objects.create(owner=owner, address=login, login=login, **where)
    pool.close_all()


@pytest.fixture
def other(cyrus: Cyrus, account: MailAccount) -> Iterator[IMAPClient]:
    """Another program in the same mailbox."""
    client = IMAPClient(cyrus.endpoint.host, cyrus.port, ssl=False)
    client.login(account.login, PASSWORD)
    yield client
    client.shutdown()


@pytest.fixture
def open_(account: MailAccount) -> Callable[[], MailSource]:
    return lambda: open_live(account, account_credentials(account, secret=PASSWORD))


def rows(source: MailSource, folder: FolderId = INBOX) -> dict[str, frozenset[str]]:
    return {row.subject: row.flags for row in source.page(folder, Query(), Window()).rows}


def compared(account: MailAccount, source: MailSource, tell: Callable[[Report], None] = lambda _report: None) -> Report:
    with open_witness(account, account_credentials(account, secret=PASSWORD)) as witness:
        return verify(source, witness, tags_for(account), tell=tell)


def test_what_other_programs_do_is_shown_and_what_is_done_here_is_true(
    account: MailAccount, other: IMAPClient, open_: Callable[[], MailSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short form of all that follows: list, open, flag, move, folders, and the same for a witness."""
    monkeypatch.setattr(parity, "PAUSE_S", 0.05)
    with open_() as source:
        for day, subject in enumerate(("uno", "dos", "tres")):
            source.append(INBOX, letter(subject, day=day))
        refs = {row.subject: row.ref for row in source.page(INBOX, Query(), Window()).rows}
        assert list(refs) == ["tres", "dos", "uno"]
        assert source.message(refs["dos"]).bodies[0].text.strip() == "Hola"
        source.set_flags([refs["dos"]], add=[Flag.FLAGGED, "$label1"])
        moved = organising.delete(source, [refs["uno"]])
        top = source.create_folder(None, "Viña Aromo")
        below = source.create_folder(top, "日本語 🎉")
        renamed = source.rename_folder(next(one for one in source.folders() if one.id == below), None, "Año")
        assert compared(account, source).differences == []
        other.select_folder("INBOX")
        other.append("INBOX", letter("de otro", day=9))
        other.add_flags([2], [rb"\Seen"])
        other.remove_flags([2], [rb"\Flagged"])
        other.delete_messages([3])
        other.expunge()
        other.delete_folder("Viña Aromo")
        assert rows(source) == {"de otro": frozenset(), "dos": frozenset({Flag.SEEN, "$label1"})}
        with pytest.raises(Gone):
            source.message(refs["tres"])
        with pytest.raises(Gone):
            source.page(top, Query(), Window())
        assert {one.path for one in source.folders() if one.role is Role.NONE and one.selectable} == {("Año",)}
        assert moved.undo is not None
        organising.take_back(source, moved.undo)
        assert set(rows(source)) == {"de otro", "dos", "uno"}
        source.delete_folder(next(one for one in source.folders() if one.id == renamed))
        report = compared(account, source)
        assert (report.differences, report.folders, report.messages) == ([], 6, 3)


def test_nothing_differs_in_a_mailbox_with_everything(
    account: MailAccount, other: IMAPClient, open_: Callable[[], MailSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "PAUSE_S", 0.05)
    names = [name for name in NAMES if "\\" not in name]  # Cyrus has none with a backslash
    fill(other, names)
    for _again in range(2):
        with open_() as source:
            report = compared(account, source)
        assert report.differences == []
        assert (report.messages, report.untold, report.restless, report.folders) == (17 + 6, 0, 0, 6 + 6)


def test_a_gap_in_which_much_changed_is_made_up(other: IMAPClient, open_: Callable[[], MailSource]) -> None:
    """VANISHED and CHANGEDSINCE, on a connection of QRESYNC, and on a new one."""
    other.select_folder("INBOX")
    for number in range(60):
        other.append("INBOX", letter(f"carta {number}", day=number))
    with open_() as source:
        assert len(rows(source)) == 50
    for new_connection in (False, True):
        if new_connection:
            pool.close_all()
        first = min(other.search("ALL"))
        other.delete_messages(list(range(first, first + 20, 2)))
        other.expunge()
        other.add_flags([first + 1, first + 3], [rb"\Answered"])
        with open_() as source:
            page = source.page(INBOX, Query(descending=False), Window(0, 100))
            assert [int(row.ref.id) for row in page.rows] == sorted(other.search("ALL"))
            answered = {int(row.ref.id) for row in page.rows if Flag.ANSWERED in row.flags}
            assert answered == set(other.search("ANSWERED"))


def test_a_folder_made_anew_elsewhere_shows_nothing_old(other: IMAPClient, open_: Callable[[], MailSource]) -> None:
    other.create_folder("Obras")
    other.append("Obras", letter("viejo"))
    obras = FolderId("Obras")
    with open_() as source:
        (row,) = source.page(obras, Query(), Window()).rows
        other.delete_folder("Obras")
        other.create_folder("Obras")
        other.append("Obras", letter("nuevo"))
        with pytest.raises(Gone):
            source.message(row.ref)
        assert set(rows(source, obras)) == {"nuevo"}


def test_another_passwords_login_is_refused(cyrus: Cyrus, account: MailAccount) -> None:
    with pytest.raises(LoginRefused):
        check_login(cyrus.endpoint, Credentials(account.login, "otra"))


def test_all_of_it_ends_when_it_is_stopped() -> None:
    """Cyrus becomes another user, and is then no more ended with its parent: its namespace is."""
    with tempfile.TemporaryDirectory(prefix="casilla-cyrus-", ignore_cleanup_errors=True) as name:
        cyrus = start_cyrus(Path(name))
        assert _processes(cyrus.folder)
        cyrus.stop()
        until = time.monotonic() + 5
        while left := _processes(cyrus.folder):
            assert time.monotonic() < until, left
            time.sleep(0.05)


def _processes(folder: Path) -> list[str]:
    """The command lines of Cyrus's processes that serve from a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_bytes().decode("utf-8", "replace").replace("\0", " ")
            found += [line] if str(folder) in line else []
    return found


def test_mail_that_the_server_would_change_goes_on_living_here(stack: Any, settings: Any, tmp_path: Path) -> None:
    """As Cyrus comes it writes an X for each octet over 127 of a header: the same size, and other letters."""
    settings.STORE_DIR = tmp_path / "store"
    with tempfile.TemporaryDirectory(prefix="casilla-cyrus-", ignore_cleanup_errors=True) as folder:
        munging = start_cyrus(Path(folder), munges=True)
        try:
            login = munging.new_mailbox().login
            where = {"imap_host": munging.endpoint.host, "imap_port": munging.port, "imap_tls": "none"}
            mode = MailAccount.Mode.DOWNLOAD
            account = MailAccount.objects.create(
                owner=User.objects.create_user(login), address=login, login=login, mode=mode, **where
            )
            store = open_store(account)
            inbox = next(folder.id for folder in store.folders() if folder.role is Role.INBOX)
            for subject in (b"plain", "señal".encode()):
                store.append(inbox, letter("x").replace(b"Subject: x", b"Subject: " + subject), flags=(), received=None)
            claimed = claim_transfer(start_transfer(account=account, kind="to_imap", secret=PASSWORD).pk)
            assert claimed
            run_transfer(claimed)
            claimed.refresh_from_db()
            account.refresh_from_db()
            assert (claimed.state, claimed.problem, account.mode) == ("failed", "altered", mode)
            with open_live(account, account_credentials(account, secret=PASSWORD)) as source:
                assert set(rows(source)) == {"plain"}
        finally:
            pool.close_all()
            munging.stop()
