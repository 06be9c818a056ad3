"""Moves in two steps, cut anywhere: each message is in one of the folders at least, and in the end in one alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import MailAccount, User
from tests.contract.conftest import POOR
from tests.contract.test_source import letter
from tests.imap.proxy import Proxy, proxied
from webmail.errors import MoveCut, Unavailable, Uncopied, Unreachable
from webmail.imap.pool import pool
from webmail.models import OpenMove
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, FolderId, Query, Ref, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
INBOX, ARCHIVE = FolderId("INBOX"), FolderId("Archive")
SUBJECTS = ["cuatro", "dos", "tres", "uno"]
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[POOR, (*POOR, "UIDPLUS", "COPYUID")], ids=["uidplus", "no-uidplus"])
def proxy(request: Any, stack: Any) -> Iterator[Proxy]:
    with proxied("127.0.0.1", stack.ports.imap, hide=request.param) as proxy:
        yield proxy
    pool.close_all()


@pytest.fixture
def made(mailbox_factory: Any, imap: Any) -> Any:
    made = mailbox_factory("ana")
    client = imap(made.address)
    for subject in SUBJECTS:
        client.append("INBOX", letter(subject))
    client.append("Archive", letter("antes"))
    owner = User.objects.create_user("ana@mudanza.test")
    made.mailbox.account_id = MailAccount.objects.create(owner=owner, address=made.address, mailbox=made.mailbox).pk
    return made


def source(made: Any, proxy: Proxy) -> ImapSource:
    endpoint = Endpoint("127.0.0.1", proxy.port, "none")
    account_id = made.mailbox.account_id
    credentials = Credentials(made.address, made.password)
    return open_imap(endpoint, credentials, account_key=str(account_id), account_id=account_id)


def listed(opened: ImapSource, folder: FolderId) -> list[str]:
    return sorted(row.subject for row in opened.page(folder, Query(), Window()).rows)


def inbox_refs(opened: ImapSource) -> list[Ref]:
    rows = opened.page(INBOX, Query(), Window()).rows
    return [row.ref for row in rows if row.subject != "uno"]


def let_time_pass() -> None:
    OpenMove.objects.update(held_until=timezone.now() - MINUTE)


@pytest.mark.parametrize("command", [b"STATUS", b"UID COPY", b"UID STORE", b"UID EXPUNGE"])
@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_a_move_that_is_cut_is_finished(made: Any, proxy: Proxy, command: bytes, answered: bool) -> None:
    with source(made, proxy) as opened:
        refs = inbox_refs(opened)
        cut_at(proxy, command, answered)
        with contextlib.suppress(Unreachable):
            opened.move(refs, ARCHIVE)
    let_time_pass()
    with source(made, proxy) as opened:
        ended = opened.finish_moves()
        here, there = listed(opened, INBOX), listed(opened, ARCHIVE)
    assert sorted(here + there) == sorted([*SUBJECTS, "antes"])
    assert here in ([*SUBJECTS], ["uno"])
    assert not OpenMove.objects.exists()
    assert [(one.moved, one.stayed) for one in ended] in ([], [(0, 3)])


def cut_at(proxy: Proxy, command: bytes, answered: bool) -> None:
    """Ends the connection once: before this command, or when the server has done it but before it is told."""
    done: list[bytes] = []

    def stumble(line: bytes) -> str:
        if done or not line.startswith(command):
            return ""
        done.append(line)
        if not answered:
            return "cut"
        proxy.cut_after_bytes = 1
        return ""

    proxy.stumble = stumble


def test_a_program_that_ends_between_the_steps_is_found_out(made: Any, proxy: Proxy) -> None:
    """As when the process is killed: nothing is finished at once, and nothing is done by others before its time."""
    with source(made, proxy) as opened:
        refs = inbox_refs(opened)
        proxy.stumble = lambda line: "cut" if line.startswith((b"UID STORE", b"LOGIN", b"AUTHENTICATE")) else ""
        with pytest.raises(MoveCut):
            opened.move(refs, ARCHIVE)
    proxy.stumble = lambda _line: ""
    with source(made, proxy) as opened:
        assert opened.finish_moves() == []
        assert len(listed(opened, INBOX)) == len(listed(opened, ARCHIVE)) == 4
        let_time_pass()
        (ended,) = opened.finish_moves()
        assert (ended.folder, ended.target, ended.moved, ended.stayed) == (INBOX, ARCHIVE, 3, 0)
        assert listed(opened, INBOX) == ["uno"]
        assert listed(opened, ARCHIVE) == ["antes", "cuatro", "dos", "tres"]
        assert opened.finish_moves() == []


def test_what_has_no_copy_stays(made: Any, proxy: Proxy, imap: Any) -> None:
    """One copy was deleted by another program in the meantime: its original is not removed."""
    with source(made, proxy) as opened:
        refs = inbox_refs(opened)
        proxy.stumble = lambda line: "cut" if line.startswith((b"UID STORE", b"LOGIN", b"AUTHENTICATE")) else ""
        with pytest.raises(MoveCut):
            opened.move(refs, ARCHIVE)
    proxy.stumble = lambda _line: ""
    client = imap(made.address)
    client.select_folder("Archive")
    client.delete_messages(client.search(["SUBJECT", "tres"]))
    client.expunge()
    let_time_pass()
    with source(made, proxy) as opened:
        (ended,) = opened.finish_moves()
        assert (ended.moved, ended.stayed) == (2, 1)
        assert listed(opened, INBOX) == ["tres", "uno"]


def test_a_folder_made_anew_ends_it_without_a_loss(made: Any, proxy: Proxy, imap: Any) -> None:
    with source(made, proxy) as opened:
        refs = inbox_refs(opened)
        proxy.stumble = lambda line: "cut" if line.startswith((b"UID STORE", b"LOGIN", b"AUTHENTICATE")) else ""
        with pytest.raises(MoveCut):
            opened.move(refs, ARCHIVE)
    proxy.stumble = lambda _line: ""
    client = imap(made.address)
    client.delete_folder("Archive")
    client.create_folder("Archive")
    let_time_pass()
    with source(made, proxy) as opened:
        (ended,) = opened.finish_moves()
        assert ended.moved == 0
        assert listed(opened, INBOX) == SUBJECTS


def test_a_folder_that_was_renamed_is_known_again(made: Any, proxy: Proxy, imap: Any) -> None:
    """Whether a folder of the old name is there again or not: nothing stays in two places."""
    client = imap(made.address)

    def stumble(line: bytes) -> str:
        if line.startswith(b"UID STORE") and not client.folder_exists("Viejo"):
            client.rename_folder("Archive", "Viejo")
            return "cut"
        return ""

    with source(made, proxy) as opened:
        refs = inbox_refs(opened)
        proxy.stumble = stumble
        opened.move(refs, ARCHIVE)
        assert listed(opened, INBOX) == ["uno"]
        assert listed(opened, FolderId("Viejo")) == ["antes", "cuatro", "dos", "tres"]
    assert not OpenMove.objects.exists()


def test_a_move_that_ends_well_leaves_nothing_written(made: Any, proxy: Proxy) -> None:
    with source(made, proxy) as opened:
        opened.move(inbox_refs(opened), ARCHIVE)
        assert listed(opened, INBOX) == ["uno"]
    assert not OpenMove.objects.exists()


@pytest.fixture
def silent(stack: Any) -> Iterator[Proxy]:
    """A server that never names copies."""
    with proxied("127.0.0.1", stack.ports.imap, hide=(*POOR, "UIDPLUS", "COPYUID")) as proxy:
        yield proxy
    pool.close_all()


def test_an_ok_without_copies_removes_nothing(made: Any, silent: Proxy) -> None:
    with source(made, silent) as opened:
        refs = inbox_refs(opened)
        silent.stumble = lambda line: "OK" if line.startswith(b"UID COPY") else ""
        with pytest.raises(Uncopied):
            opened.move(refs, ARCHIVE)
        assert listed(opened, INBOX) == SUBJECTS
        assert listed(opened, ARCHIVE) == ["antes"]
    assert not OpenMove.objects.exists()


def test_what_arrives_meanwhile_is_not_taken_for_a_copy(made: Any, silent: Proxy, imap: Any) -> None:
    """The folder has grown, by another number: what came is looked at, and is not what was to be copied."""
    client = imap(made.address)

    def stumble(line: bytes) -> str:
        if line.startswith(b"UID COPY"):
            for subject in ("ajeno", "otro"):
                client.append("Archive", letter(subject))
            return "OK"
        return ""

    with source(made, silent) as opened:
        refs = inbox_refs(opened)
        silent.stumble = stumble
        with pytest.raises(Uncopied):
            opened.move(refs, ARCHIVE)
        assert listed(opened, INBOX) == SUBJECTS


def test_copies_are_counted_without_a_further_wait(made: Any, silent: Proxy) -> None:
    """STATUS, which is written down; COPY with the counts; STORE."""
    with source(made, silent) as opened:
        refs = inbox_refs(opened)
        opened.connection.count_from_here()
        opened.move(refs, ARCHIVE)
        assert opened.connection.round_trips == 3
        assert listed(opened, INBOX) == ["uno"]
        assert listed(opened, ARCHIVE) == ["antes", "cuatro", "dos", "tres"]


def test_a_no_that_passes_is_an_answer(made: Any, proxy: Proxy) -> None:
    """COPY did nothing: nothing is written down any more, and the connection goes on."""
    with source(made, proxy) as opened:
        refs = inbox_refs(opened)
        proxy.stumble = lambda line: "NO [SERVERBUG]" if line.startswith(b"UID COPY") else ""
        before = proxy.connections
        with pytest.raises(Unavailable):
            opened.move(refs, ARCHIVE)
        assert listed(opened, INBOX) == SUBJECTS
    assert proxy.connections == before
    assert not OpenMove.objects.exists()


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_in_one_step_a_cut_leaves_each_message_in_one_folder(made: Any, stack: Any, answered: bool) -> None:
    with proxied("127.0.0.1", stack.ports.imap) as whole:
        with source(made, whole) as opened:
            refs = inbox_refs(opened)
            cut_at(whole, b"UID MOVE", answered)
            with pytest.raises(Unreachable):
                opened.move(refs, ARCHIVE)
        with source(made, whole) as opened:
            here, there = listed(opened, INBOX), listed(opened, ARCHIVE)
        pool.close_all()
    assert sorted(here + there) == sorted([*SUBJECTS, "antes"])
    assert here == (["uno"] if answered else SUBJECTS)
    assert not OpenMove.objects.exists()
