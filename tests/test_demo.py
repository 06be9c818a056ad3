"""`manage.py demo` as a newcomer meets it: it starts, says where, keeps its mail, and ends without a trace."""

from __future__ import annotations

import imaplib
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.layout import settle
from deploy.people import DOMAIN
from deploy.ports import LOOPBACK, reserve_range

pytestmark = pytest.mark.server
BASE = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 100.0
STOP_TIMEOUT_S = 20.0


class Demo:
    """A demo in a folder and port range of its own, driven as a person would: by its output and its signals."""

    def __init__(self, folder: Path, first_port: int) -> None:
        self.folder = folder
        keep = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "PYTHONPATH"}}
        places = {"DEMO_DIR": str(folder), "DEMO_PORT": str(first_port), "DEMO_MESSAGES": "5"}
        self.environment = keep | places
        self.process: subprocess.Popen[str] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`manage.py demo` with these arguments, run to its end."""
        command = [sys.executable, "manage.py", "demo", *arguments]
        return subprocess.run(command, cwd=BASE, env=self.environment, capture_output=True, text=True, timeout=60)

    def start(self) -> dict[str, Any]:
        """Starts it, and gives demo.json once it is there."""
        output = (self.folder.parent / "output").open("w")
        command = [sys.executable, "manage.py", "demo"]
        self.process = subprocess.Popen(
            command, cwd=BASE, env=self.environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        until = time.monotonic() + START_TIMEOUT_S
        while self.running_pid() != self.process.pid:
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < until, self.output()
            time.sleep(0.05)
        state: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return state

    def running_pid(self) -> int:
        """The process that demo.json names, 0 when there is none."""
        file = self.folder / "demo.json"
        return int(json.loads(file.read_text())["pids"]["demo"]) if file.exists() else 0

    def stop(self, number: int = signal.SIGINT) -> int:
        """Sends the signal, and gives the exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(STOP_TIMEOUT_S)

    def output(self) -> str:
        return (self.folder.parent / "output").read_text()


@pytest.fixture
def demo() -> Iterator[Demo]:
    home = Path(tempfile.mkdtemp(prefix="casilla-demo-"))
    home.chmod(0o755)
    ports, guard = reserve_range()
    made = Demo(home / "demo", ports.http)
    yield made
    if made.process and made.process.poll() is None:
        made.stop(signal.SIGTERM)
    guard.close()
    shutil.rmtree(home, ignore_errors=True)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def count_mail(state: dict[str, Any], user: dict[str, str]) -> int:
    with imaplib.IMAP4(LOOPBACK, state["ports"]["imap"], 10) as client:
        client.login(user["address"], user["password"])
        return sum(int(client.select(folder, readonly=True)[1][0] or 0) for folder in ("INBOX", "Archive", "Sent"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_starts_keeps_its_mail_and_ends_without_a_trace(demo: Demo) -> None:
    state = demo.start()
    users = {user["address"]: user for user in state["users"]}
    assert {"http", "imap", "pop3", "smtp", "lmtp", "sieve", "redis"} <= set(state["ports"])
    assert set(state["pids"]) == {
        "demo",
        "redis",
        "dovecot",
        "postfix",
        "worker",
        "puller",
        "collector",
        "policy",
        "watcher",
        "web",
    }
    with urllib.request.urlopen(f"{state['url']}/accounts/login/", timeout=30) as page:
        assert page.status == 200
    for address, user in users.items():
        assert f"{address} " in demo.output()
        assert user["password"] in demo.output()
    kept = count_mail(state, users[f"bodega@{DOMAIN}"])
    assert kept > 0
    marcela = users[f"marcela@{DOMAIN}"]
    with smtplib.SMTP(LOOPBACK, state["ports"]["smtp"], timeout=10) as client:
        client.login(marcela["address"], marcela["password"])
        client.sendmail(marcela["address"], [f"josefa@{DOMAIN}"], b"Subject: hola\r\n\r\nHola\r\n")
    again = demo.command()
    assert (again.returncode, "runs already" in again.stdout) == (1, True)
    refused = demo.command("--reset")
    assert (refused.returncode, "stop it first" in refused.stdout) == (1, True)

    demo.stop(signal.SIGKILL)
    assert alive(state["pids"]["dovecot"])

    begun = time.monotonic()
    second = demo.start()
    assert time.monotonic() - begun < 30
    assert [name for name, pid in state["pids"].items() if alive(pid)] == []
    assert second["users"] == state["users"]
    assert count_mail(second, users[f"bodega@{DOMAIN}"]) == kept

    assert demo.stop(signal.SIGINT) == 0
    assert [name for name, pid in second["pids"].items() if alive(pid)] == []
    assert not (demo.folder / "demo.json").exists()
    assert demo.command("--reset").returncode == 0
    assert not demo.folder.exists()


def test_a_taken_port_is_named_and_nothing_is_left_running(demo: Demo) -> None:
    port = int(demo.environment["DEMO_PORT"]) + 1
    with socket.socket() as squatter:
        squatter.bind((LOOPBACK, port))
        squatter.listen()
        done = demo.command()
    assert done.returncode == 1
    assert f"port {port} (imap)" in done.stdout
    assert not (demo.folder / "redis").exists()


def test_a_port_that_is_no_number_is_named(demo: Demo) -> None:
    demo.environment["DEMO_PORT"] = "muchos"
    done = demo.command()
    assert (done.returncode, "DEMO_PORT is 'muchos'" in done.stdout) == (1, True)


def test_a_folder_that_the_servers_could_not_enter_is_kept_elsewhere() -> None:
    home = Path(tempfile.mkdtemp(prefix="casilla-privada-"))
    assert home.stat().st_mode & 0o777 == 0o700
    real = settle(home / "var" / "demo")
    try:
        assert real.parent == Path("/var/lib/casilla")
        assert (home / "var" / "demo").resolve() == real
        assert settle(home / "var" / "demo") == real
    finally:
        shutil.rmtree(home)
        shutil.rmtree(real)


def test_a_long_path_and_a_blank_in_it_are_kept_elsewhere_too() -> None:
    home = Path(tempfile.mkdtemp(prefix="casilla-"))
    home.chmod(0o755)
    reals = [settle(home / name) for name in ("x" * 80, "con espacio", "corto")]
    try:
        assert [real.parent for real in reals] == [Path("/var/lib/casilla")] * 2 + [home]
    finally:
        for path in (*reals, home):
            shutil.rmtree(path)
