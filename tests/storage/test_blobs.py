"""Octets of the store: whole or not there, durable when they are relied on."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount, User
from webmail.errors import Gone
from webmail.models import LocalFolder, LocalMessage
from webmail.storage.blobs import SPARE_S, Blobs, sweep_all
from webmail.storage.folders import ensure_folders
from webmail.storage.rows import describe


@pytest.fixture
def blobs(settings: Any, tmp_path: Path) -> Blobs:
    settings.STORE_DIR = tmp_path / "store"
    return Blobs(7)


def named(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_was_written_is_read_and_verified(blobs: Blobs) -> None:
    for number in range(30):
        blobs.write(named(b"%d" % number), b"%d" % number)
    blobs.sync()
    assert blobs.read(named(b"7")) == b"7"
    assert all(blobs.verify(named(b"%d" % number)) for number in range(30))
    assert not list(blobs.spool.iterdir())


def test_the_same_octets_twice_are_one_file(blobs: Blobs) -> None:
    for _turn in range(2):
        blobs.write(named(b"x"), b"x")
        blobs.sync()
    assert [name for name, _written in blobs.names()] == [named(b"x")]


def test_a_file_of_the_spool_is_moved(blobs: Blobs) -> None:
    path = blobs.spool / "retr-1"
    path.write_bytes(b"large")
    blobs.adopt(named(b"large"), path)
    blobs.sync()
    assert blobs.read(named(b"large")) == b"large"
    assert not path.exists()


def test_what_the_disk_changed_is_noticed(blobs: Blobs) -> None:
    blobs.write(named(b"abc"), b"abc")
    (blobs.root / named(b"abc")[:2] / named(b"abc")).write_bytes(b"abd")
    assert not blobs.verify(named(b"abc"))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_hash_is_a_name(blobs: Blobs, name: str) -> None:
    with pytest.raises(Gone):
        blobs.open(name)


def test_nobody_else_may_read_them(blobs: Blobs) -> None:
    blobs.write(named(b"x"), b"x")
    path = blobs.root / named(b"x")[:2] / named(b"x")
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.django_db
def test_only_octets_without_a_row_and_of_yesterday_are_swept(settings: Any, tmp_path: Path, redis: Any) -> None:
    settings.STORE_DIR = tmp_path / "store"
    owner = User.objects.create_user("a@x.test")
    account = MailAccount.objects.create(owner=owner, address="a@x.test")
    blobs = Blobs(account.pk)
    for data in (b"used", b"new", b"old"):
        blobs.write(named(data), data)
    inbox: LocalFolder = next(iter(ensure_folders(account).values()))
    fields = describe(b"used", size_bytes=4, received=owner.created)
    LocalMessage.objects.create(account=account, folder=inbox, blob=named(b"used"), size_bytes=4, **fields)
    before = time.time() - SPARE_S - 10
    for data in (b"used", b"old"):
        os.utime(blobs.root / named(data)[:2] / named(data), (before, before))
    (blobs.spool / "retr-x").write_bytes(b"")
    os.utime(blobs.spool / "retr-x", (before, before))
    stranger = Blobs(99999)
    os.utime(stranger.root, (before, before))
    assert sweep_all() == 1
    assert {name for name, _written in blobs.names()} == {named(b"used"), named(b"new")}
    assert not list(blobs.spool.iterdir())
    assert not stranger.root.exists()
