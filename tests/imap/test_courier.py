"""The second real server: Courier IMAP, which has no MOVE, CONDSTORE, LIST-STATUS, SPECIAL-USE or PREVIEW, keeps
everything below "INBOX." and says NO to what it does not know."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from imapclient import IMAPClient

from tests.contract.test_source import MIXED, letter
from webmail.errors import Gone, LoginRefused, MailError
from webmail.imap.pool import pool
from webmail.sources.imap import ImapSource, check_login, open_imap
from webmail.values import Credentials, Endpoint, Flag, FolderId, PartNumber, Query, Role, Window

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("courier")]

ADDRESS, PASSWORD = "ana@courier.test", "clave"
INBOX = FolderId("INBOX")
PACKAGES = [
    "courier-base",
    "courier-imap",
    "courier-authdaemon",
    "courier-authlib",
    "courier-authlib-userdb",
    "libcourier-unicode4",
    "libgamin0",
    "libpcre3",
    "libidn12",
    "libgdbm6",
    "libltdl7",
]
START_TIMEOUT_S = 30.0


@pytest.fixture(scope="module")
def courier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Courier's port, while it runs."""
    if os.geteuid() != 0:
        pytest.skip("Courier's files are laid over this machine's in a mount namespace, which takes root")
    packages = _unpacked(settings.BASE_DIR / "var" / "courier")
    work = tmp_path_factory.mktemp("courier")
    (work / "root").symlink_to(packages)
    (work / "tmp").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    script = Path(__file__).with_name("courier.sh")
    command = ["unshare", "-m", "sh", str(script), str(work), str(port), ADDRESS, PASSWORD]
    with (work / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port, process, work / "log")
        yield port
    finally:
        pool.close_all()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _unpacked(folder: Path) -> Path:
    """Courier's packages, fetched once and unpacked, not installed."""
    root = folder / "root"
    if not (folder / "done").exists():
        root.mkdir(parents=True, exist_ok=True)
        fetch = ["apt-get", "-o", "APT::Sandbox::User=root", "download", *PACKAGES]
        if subprocess.run(fetch, cwd=folder, capture_output=True).returncode:
            subprocess.run(["apt-get", "update"], capture_output=True, check=True)
            subprocess.run(fetch, cwd=folder, capture_output=True, check=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)
        (folder / "done").touch()
    return root


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            check_login(Endpoint("127.0.0.1", port, "none"), Credentials(ADDRESS, PASSWORD))
            return
        except MailError:
            time.sleep(0.2)
    raise RuntimeError(log.read_text(errors="replace")[-2000:])


@pytest.fixture
def source(courier: int) -> Iterator[ImapSource]:
    """Courier's one mailbox, emptied."""
    client = IMAPClient("127.0.0.1", courier, ssl=False, timeout=10)
    client.login(ADDRESS, PASSWORD)
    for name in ("Sent", "Trash", "Viña Aromo", "Viña Aromo.2026"):
        if not client.folder_exists(f"INBOX.{name}"):
            client.create_folder(f"INBOX.{name}")
            client.subscribe_folder(f"INBOX.{name}")
    for _flags, _delimiter, name in client.list_folders():
        client.select_folder(name)
        client.delete_messages(client.search())
        client.expunge()
    client.shutdown()
    endpoint = Endpoint("127.0.0.1", courier, "none")
    with open_imap(endpoint, Credentials(ADDRESS, PASSWORD), account_key="courier") as opened:
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


def test_no_folder_and_wrong_password(source: ImapSource, courier: int) -> None:
    with pytest.raises(Gone):
        source.page(FolderId("INBOX.Nada"), Query(), Window())
    with pytest.raises(LoginRefused):
        check_login(Endpoint("127.0.0.1", courier, "none"), Credentials(ADDRESS, "otra"))
