"""Starts Courier IMAP, unpacked from Debian's packages, beside the installed Dovecot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from webmail.values import Endpoint

PACKAGES = Path(__file__).resolve().parent.parent.parent / "var" / "courier"
SCRIPT = Path(__file__).with_name("courier.sh")
LOGIN, PASSWORD = "ana@courier.test", "clave"
FOLDERS = ("Drafts", "Sent", "Archive", "Junk", "Trash")
OWNER = 5100
START_TIMEOUT_S = 60.0


class Courier:
    """A running Courier with one mailbox, all of it in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # It ends with this process, however that ends.
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    "sh",
                    str(SCRIPT),
                    str(folder),
                    str(PACKAGES),
                    str(self.port),
                    LOGIN,
                    PASSWORD,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                    probe.settimeout(5)
                    if probe.recv(100).startswith(b"* OK"):
                        return
            except OSError:
                time.sleep(0.1)
        text = self._log.read_text(errors="replace")
        self.stop()
        if not list(PACKAGES.glob("courier-imap_*.deb")):
            pytest.skip("Courier's packages cannot be downloaded here")
        pytest.fail(f"Courier did not start:\n{text}")

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, "none")

    def reset(self, *folders: str) -> None:
        """Empties the mailbox: these folders, or the usual ones, subscribed, and nothing in them."""
        folders = folders or FOLDERS
        maildir = self.folder / "home" / "Maildir"
        shutil.rmtree(maildir, ignore_errors=True)
        for name in ("", *folders):
            for part in ("cur", "new", "tmp"):
                (maildir / (f".{name}" if name else "") / part).mkdir(parents=True)
            if name:
                (maildir / f".{name}" / "maildirfolder").touch()
        (maildir / "courierimapsubscribed").write_text("".join(f"INBOX.{name}\n" for name in folders))
        for path in [maildir, *maildir.rglob("*")]:
            os.chown(path, OWNER, OWNER)

    def stop(self) -> None:
        """Ends it with everything that it started: they live in its process namespace."""
        self._process.kill()
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_courier(folder: Path) -> Courier:
    """Starts one, or skips the test where that cannot work: without root, apt-get or unshare."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or not shutil.which("unshare"):
        pytest.skip("Courier needs root, apt-get and unshare")
    folder.chmod(0o755)
    courier = Courier(folder)
    courier.reset()
    return courier
