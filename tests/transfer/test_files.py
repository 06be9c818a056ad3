"""Mail is taken away in a file and brought back: the same octets, flags, dates and folders."""

from __future__ import annotations

import io
import json
import mailbox
import tarfile
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import MailAccount, User
from tests.data.hostile import hostile_messages
from tests.transfer.test_switch import account, content, live  # noqa: F401 - a fixture
from webmail.mime.mbox import read_mbox, write_mbox
from webmail.services.export import FORMATS, export_stream
from webmail.services.import_files import BadFile
from webmail.services.importing import import_stream
from webmail.sources.open import open_store
from webmail.values import FolderId, Query, Role

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
INBOX = FolderId("INBOX")
LINES = st.sampled_from([b"From x", b">From y", b">>From z", b"From", b"", b"a", b"\r", b"X-Casilla-End: whole", b"\0"])
ENDS = st.sampled_from([b"\n", b"\r\n"])


@given(
    messages=st.lists(st.tuples(st.lists(st.tuples(LINES, ENDS), max_size=8), st.booleans()), max_size=4),
    size=st.integers(1, 9),
)
def test_any_message_comes_back_out_of_an_mbox(messages: Any, size: int) -> None:
    raws = []
    for lines, ended in messages:
        raw = b"".join(line + end for line, end in lines)
        raws.append(raw if ended else raw.rstrip(b"\r\n"))
    flags = frozenset({r"\Seen", "$label1"})
    data = b"".join(
        piece
        for raw in raws
        for piece in write_mbox([raw[at : at + size] for at in range(0, len(raw), size)], flags=flags, received=WHEN)
    )
    kept = list(read_mbox(io.BytesIO(data)))
    assert [one.raw for one in kept] == raws
    assert all(one.flags == flags and one.received == WHEN for one in kept)


def test_pythons_mbox_reads_ours_and_we_read_its(tmp_path: Path) -> None:
    raw = b"Subject: a\n\nHola\nFrom la calle\n"
    path = tmp_path / "a.mbox"
    path.write_bytes(b"".join(write_mbox([raw], flags=frozenset({r"\Seen", r"\Flagged"}), received=WHEN)))
    (message,) = mailbox.mbox(path)
    assert message["Subject"] == "a"
    assert message.get_flags() == "ROF"
    other = mailbox.mbox(tmp_path / "b.mbox")
    theirs = mailbox.mboxMessage(raw)
    theirs.set_flags("RA")
    other.add(theirs)
    other.flush()
    with (tmp_path / "b.mbox").open("rb") as file:
        (kept,) = read_mbox(file)
    assert b"From la calle" in kept.raw
    assert {r"\Seen", r"\Answered"} <= kept.flags


@pytest.fixture
def store(settings: Any, tmp_path: Path, transactional_db: None, redis: Any) -> Any:
    settings.STORE_DIR = tmp_path / "store"
    owner = User.objects.create_user("nueva@local.test")
    made = MailAccount.objects.create(owner=owner, address=owner.email, mode=MailAccount.Mode.DOWNLOAD)
    return open_store(made)


def packed(source: Any, format_: Any, folders: Any = None) -> io.BytesIO:
    return io.BytesIO(b"".join(export_stream(source, folders or source.folders(), format_)))


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format_", FORMATS)
def test_an_account_comes_back_whole(account: MailAccount, store: Any, format_: Any) -> None:  # noqa: F811
    with live(account) as source:
        before = content(source)
        file = packed(source, format_)
    brought = import_stream(store, file)
    assert brought.stored == sum(before.values())
    assert content(store) == before
    file.seek(0)
    again = import_stream(store, file)
    assert again.stored + again.doubles == brought.stored
    assert again.stored <= sum(1 for key in before if key)


@pytest.mark.slow
@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_mail_comes_back_octet_for_octet(store: Any, format_: Any) -> None:
    raws = [raw for _name, raw in hostile_messages() if len(raw) < 100_000][::5]
    for raw in raws:
        store.append(INBOX, raw, received=WHEN)
    before = content(store)
    inbox = next(folder for folder in store.folders() if folder.role is Role.INBOX)
    file = packed(store, format_, [inbox])
    store.delete(store.refs(INBOX, Query()))
    assert import_stream(store, file, folder=inbox, skip_doubles=False).stored == len(raws)
    assert content(store) == before


def zipped(**files: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    out.seek(0)
    return out


def test_names_in_a_file_are_no_paths(store: Any, tmp_path: Path) -> None:
    file = zipped(**{"..__..__..__etc__x.eml": b"Subject: a\r\n\r\n", "a%b*__c.eml": b"Subject: b\r\n\r\n"})
    assert import_stream(store, file).stored == 2
    assert {folder.path for folder in store.folders() if folder.role is Role.NONE} == {("etc",), ("a_b_",)}
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        link = tarfile.TarInfo("Maildir/cur/1:2,S")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    tar.seek(0)
    assert import_stream(store, tar).stored == 0


def test_bombs_and_what_is_no_mail_are_refused(store: Any) -> None:
    for file, code in (
        (zipped(**{"a.eml": b"\0" * 80_000_000}), "bomb"),
        (io.BytesIO(b"hello"), "kind"),
        (io.BytesIO(b""), "kind"),
        (io.BytesIO(b"PK\x03\x04 not a zip"), "broken"),
        (io.BytesIO(b"\x1f\x8b not a tar"), "broken"),
    ):
        with pytest.raises(BadFile) as caught:
            import_stream(store, file)
        assert caught.value.code == code


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_by_command(account: MailAccount, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "all.zip"
    call_command("export_mail", account.address, "--format", "zip", "--output", str(path), stderr=io.StringIO())
    with live(account) as source:
        before: Counter[Any] = content(source)
        inbox = next(folder for folder in source.folders() if folder.role is Role.INBOX)
        source.delete(source.refs(inbox.id, Query()))
    out = io.StringIO()
    call_command("import_mail", account.address, str(path), stdout=out, stderr=io.StringIO())
    told = json.loads(out.getvalue())
    assert told["stored"] > 0
    with live(account) as source:
        assert set(content(source)) == set(before)
    with pytest.raises(CommandError):
        call_command("import_mail", account.address, str(tmp_path / "nada"), stderr=io.StringIO())
    with pytest.raises(CommandError):
        call_command("export_mail", account.address, "--folder", "Nada", "--output", str(path), stderr=io.StringIO())
