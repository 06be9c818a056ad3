"""An IMAP server unpacked from Debian's packages beside the installed Dovecot, whose package it conflicts with (unpacked.sh)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from webmail.values import Endpoint

START_TIMEOUT_S = 60.0


class Unpacked:
    """A running server, all of it in `folder`; NAME.sh of this folder starts it, and the packages are kept in var/NAME."""

    name = ""
    package = ""
    """The package without which it is not there."""

    def __init__(self, folder: Path, *words: str) -> None:
        if os.geteuid() != 0 or not shutil.which("apt-get") or not shutil.which("unshare"):
            pytest.skip(
                f"{self.name} conflicts with the installed Dovecot: to run beside it takes root, apt-get and unshare"
            )
        folder.chmod(0o755)
        self.folder = folder
        self.port = _free_port()
        self._packages = Path(__file__).resolve().parents[2] / "var" / self.name
        self._log = folder / "log"
        script = Path(__file__).with_name(f"{self.name}.sh")
        with self._log.open("wb") as log:
            # It ends with this process, however that ends.
            command = ["setpriv", "--pdeathsig", "KILL", "sh", script, folder, self._packages, self.port, *words]
            self._process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
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
        if not list(self._packages.glob(f"{self.package}_*.deb")):
            pytest.skip(
                f"{self.name}: Debian's packages of it are not installed (they conflict) and no mirror can be reached"
            )
        pytest.fail(f"{self.name} did not start:\n{text}")

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, "none")

    def stop(self) -> None:
        """Ends it with everything that it started: they live in its process namespace."""
        self._process.kill()
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
