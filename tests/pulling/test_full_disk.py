"""A disk that is really full, under the store and under the database, while a real Dovecot is pulled and its copies deleted."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import MailAccount, Session
from accounts.services.login import account_of_mailbox
from tests.pulling.test_dovecot import on_server, pulled
from webmail.models import LocalMessage
from webmail.services.downloads import Policy, start_download
from webmail.storage.blobs import Blobs

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
MESSAGES = 40


def raw(number: int) -> bytes:
    return f"Subject: Carta {number}\r\n\r\n".encode() + (b"%d " % number * 10_000)[:40_000] + b"\r\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with room for a part of the mail."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def box(mailbox_factory: Any, imap: Any) -> tuple[MailAccount, Any]:
    made = mailbox_factory("ana")
    client = imap(made.address)
    for number in range(MESSAGES):
        client.append("INBOX", raw(number))
    account = account_of_mailbox(made.mailbox)
    start_download(account=account, policy=Policy(keep="delete"))
    return account, client


def stored(account: MailAccount) -> Counter[str]:
    """How often each content is in the store; the octets are what their name says."""
    blobs = Blobs(account.pk)
    names = list(LocalMessage.objects.filter(account=account).values_list("blob", flat=True))
    assert all(hashlib.sha256(blobs.read(name)).hexdigest() == name for name in names)
    return Counter(names)


def check(account: MailAccount, client: Any) -> int:
    """Nothing is lost and nothing twice; gives how many are still on the server."""
    here, there = stored(account), on_server(client)
    left: Counter[str] = Counter()
    if there:
        found = client.fetch(client.search(), ["BODY.PEEK[]"])
        left = Counter(hashlib.sha256(one[b"BODY[]"]).hexdigest() for one in found.values())
    assert set(here) | set(left) == {hashlib.sha256(raw(number)).hexdigest() for number in range(MESSAGES)}
    assert set(here.values()) <= {1}
    return there


def test_a_full_store_loses_nothing_and_goes_on_when_there_is_room(
    box: tuple[MailAccount, Any], small_disk: Path, settings: Any
) -> None:
    settings.STORE_DIR = small_disk / "store"
    account, client = box
    pull = pulled(account)
    assert (pull.outcome, pull.problem) == ("failed", "store-full"), pull.detail
    assert check(account, client) > 0
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    pull = pulled(account)
    assert pull.outcome == "complete"
    assert check(account, client) == 0
    assert sum(stored(account).values()) == MESSAGES


def test_a_full_database_loses_nothing_and_goes_on_when_there_is_room(
    box: tuple[MailAccount, Any], settings: Any, tmp_path: Path
) -> None:
    """SQLite says the same of a limit to its pages as of a full disk: SQLITE_FULL."""
    settings.STORE_DIR = tmp_path / "store"
    account, client = box
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute("PRAGMA freelist_count")
        (free,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count={pages}")
    try:
        filler(free)
        pull = pulled(account)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count=1073741823")
    assert (pull.outcome, pull.problem) == ("failed", "store-full"), pull.detail
    assert check(account, client) == MESSAGES
    pull = pulled(account)
    assert pull.outcome == "complete"
    assert check(account, client) == 0


def filler(pages: int) -> None:
    """Uses up what is free."""
    rows = (
        Session(session_key=f"{page}", session_data="x" * 4000, expire_date=timezone.now()) for page in range(pages)
    )
    with contextlib.suppress(OperationalError):
        for row in rows:
            row.save(force_insert=True)
