"""Starts Cyrus IMAP, unpacked from Debian's packages, beside the installed Dovecot."""

from __future__ import annotations

import imaplib
import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from webmail.values import Credentials, Endpoint

PACKAGES = Path(__file__).resolve().parent.parent.parent / "var" / "cyrus"
SCRIPT = Path(__file__).with_name("cyrus.sh")
PASSWORD, DOMAIN = "clave", "cyrus.test"
ADMIN = "jefe"
START_TIMEOUT_S = 60.0
_numbers = itertools.count(1)


class Cyrus:
    """A running Cyrus, all of it in `folder`. Mailboxes are cheap: each test takes a new one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        (folder / "sasldb2").touch()
        self._log = folder / "log"
        with self._log.open("wb") as log:
            # It ends with this process, however that ends.
            command = ["setpriv", "--pdeathsig", "KILL", "sh", SCRIPT, folder, PACKAGES, self.port]
            self._process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait()
        self._set_password(ADMIN, socket.gethostname())

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
        if not list(PACKAGES.glob("cyrus-imapd_*.deb")):
            pytest.skip("Cyrus's packages cannot be downloaded here")
        pytest.fail(f"Cyrus did not start:\n{text}")

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, "none")

    def new_mailbox(self, local: str = "") -> Credentials:
        """A mailbox that nobody has used: Cyrus makes it, with the usual folders, at its first login."""
        local = local or f"ana{next(_numbers)}"
        self._set_password(local, DOMAIN)
        return Credentials(f"{local}@{DOMAIN}", PASSWORD)

    def _set_password(self, local: str, realm: str) -> None:
        program = self.folder / "root" / "usr" / "sbin" / "saslpasswd2"
        database = self.folder / "sasldb2"
        command = [str(word) for word in (program, "-p", "-c", "-f", database, "-u", realm, local)]
        subprocess.run(command, input=PASSWORD.encode(), check=True, capture_output=True)

    def set_quota(self, login: str, kibibytes: int) -> None:
        """The limit of a mailbox that somebody has logged in to."""
        with self._admin() as admin:
            status, told = admin.setquota(f"user/{login}", f"(STORAGE {kibibytes})")
        assert status == "OK", told

    def free_special_use(self, login: str, folder: str) -> None:
        """Takes the role of a folder away; while it has one, Cyrus deletes it for nobody."""
        with imaplib.IMAP4(self.endpoint.host, self.port) as client:
            client.login(login, PASSWORD)
            status, told = client.xatom("SETMETADATA", folder, "(/private/specialuse NIL)")
        assert status == "OK", told

    @contextmanager
    def _admin(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4(self.endpoint.host, self.port) as client:
            client.login(ADMIN, PASSWORD)
            yield client

    def stop(self) -> None:
        """Ends it with everything that it started: they live in its process namespace."""
        self._process.kill()
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_cyrus(folder: Path) -> Cyrus:
    """Starts one, or skips the test where that cannot work: without root, apt-get or unshare."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or not shutil.which("unshare"):
        pytest.skip("Cyrus needs root, apt-get and unshare")
    folder.chmod(0o755)
    return Cyrus(folder)
