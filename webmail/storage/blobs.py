"""The octets of downloaded messages: files named by their SHA-256, below one folder for each account.

A file gets its name only when all of it was written. Nothing relies on a file that no row names: a row is committed after
`sync`, which makes everything durable that was written since the last one. For many files that is one syncfs(2) for all
(2,000 files of 11 kB in batches of 200 on ext4: 0.2 s, where an fsync of each file and folder took 0.75 s); it tells write errors
since Linux 5.8.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from webmail.errors import Gone, disk_error

SPARE_S = 24 * 3600.0
"""A file without a row is left alone for so long: a pull may be about to write the row."""
PIECE_BYTES = 256 * 1024
FEW = 8
"""Up to so many files are synced one by one: one call for all also writes what is nothing to do with them."""
_NAME = re.compile(r"[0-9a-f]{64}")
_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


class Blobs:
    """The octets of one account. Raises OverQuota when the disk is full, ServerTrouble when it fails."""

    def __init__(self, account_id: int) -> None:
        self.root = Path(settings.STORE_DIR) / str(account_id)
        self.spool = self.root / "spool"
        self._unsynced: set[Path] = set()
        self._folders: set[Path] = set()
        with _translated():
            self.spool.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, sha256: str, data: bytes) -> None:
        """Keeps these octets, durable after the next `sync`."""
        with _translated():
            name = f"{self.spool}/new-{secrets.token_hex(8)}"
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
            finally:
                os.close(descriptor)
            self._name(name, sha256)

    def adopt(self, sha256: str, path: Path) -> None:
        """The same for a file in the spool, which is moved."""
        with _translated():
            self._name(str(path), sha256)

    def _name(self, name: str, sha256: str) -> None:
        path = self._path(sha256)
        if path.parent not in self._folders:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._folders.add(path.parent)
        os.replace(name, path)
        self._unsynced.add(path)

    def sync(self) -> None:
        """Makes everything durable that was written since the last time."""
        with _translated():
            if len(self._unsynced) > FEW and _syncfs is not None:
                _sync_all(self.root)
            else:
                for path in self._unsynced | {path.parent for path in self._unsynced} | {self.root}:
                    _sync(path)
        self._unsynced.clear()

    def has(self, sha256: str) -> bool:
        """Whether these octets are here."""
        return self._path(sha256).is_file()

    def open(self, sha256: str) -> BinaryIO:
        """The octets, to read. Raises Gone when they are not here."""
        with _translated():
            return self._path(sha256).open("rb")

    def read(self, sha256: str, limit: int = -1) -> bytes:
        """The first `limit` octets, all for -1. Raises Gone."""
        with self.open(sha256) as file, _translated():
            return file.read(limit)

    def verify(self, sha256: str) -> bool:
        """Whether they are here and still what they were."""
        digest = hashlib.sha256()
        try:
            with self.open(sha256) as file, _translated():
                while piece := file.read(PIECE_BYTES):
                    digest.update(piece)
        except Gone:
            return False
        return digest.hexdigest() == sha256

    def names(self) -> Iterator[tuple[str, float]]:
        """Each blob, and when it was written last."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for entry in os.scandir(folder):
                if _NAME.fullmatch(entry.name):
                    yield entry.name, entry.stat().st_mtime

    def remove(self, sha256: str) -> None:
        """Deletes these octets."""
        self._path(sha256).unlink(missing_ok=True)

    def clear_spool(self, older_than: float) -> None:
        """Removes what workers that died left half written."""
        for entry in os.scandir(self.spool):
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < older_than:
                    os.unlink(entry.path)

    def _path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise Gone("no such octets")
        return self.root / sha256[:2] / sha256


def remove_account(account_id: int) -> None:
    """Deletes all octets of an account."""
    shutil.rmtree(Path(settings.STORE_DIR) / str(account_id), ignore_errors=True)


def sweep_all() -> int:
    """Removes octets that no message has any more and that nobody is about to use, and what is left of accounts that are
    gone; gives how many blobs."""
    from accounts.models import MailAccount

    store = Path(settings.STORE_DIR)
    if not store.is_dir():
        return 0
    here = set(MailAccount.objects.values_list("pk", flat=True))
    removed = 0
    for folder in store.iterdir():
        if not folder.name.isdigit():
            continue
        if int(folder.name) in here:
            removed += sweep(int(folder.name))
        elif folder.stat().st_mtime < time.time() - SPARE_S:
            remove_account(int(folder.name))
    return removed


def sweep(account_id: int) -> int:
    """The same for one account."""
    from webmail.models import LocalMessage

    blobs, removed = Blobs(account_id), 0
    before = time.time() - SPARE_S
    blobs.clear_spool(before)
    used = set(LocalMessage.objects.filter(account=account_id).values_list("blob", flat=True).iterator())
    for name, written in blobs.names():
        if written < before and name not in used:
            blobs.remove(name)
            removed += 1
    return removed


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_all(root: Path) -> None:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _syncfs is None or _syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Gone("the octets are not here") from error
    except OSError as error:
        raise disk_error(error) from error
