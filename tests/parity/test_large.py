"""A comparison of a very large mailbox takes little memory and tells how far it is. `make test-clients`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from accounts.services.login import account_of_mailbox
from tests.contract.test_source import letter

pytestmark = [
    pytest.mark.clients,
    pytest.mark.server,
    pytest.mark.timeout(3_000),
    pytest.mark.django_db(transaction=True),
]
BASE = Path(__file__).resolve().parent.parent.parent
BATCH = 1_000
SMALL, LARGE = 1_000, int(os.environ.get("PARITY_LARGE", "100000"))
MORE_BYTES = 48_000_000
"""What the larger mailbox may take beyond the small one."""
PROGRAM = """
import sys
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(sys.argv)
finally:
    sys.stderr.write(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""The command, and the most memory it had: what wait4(2) tells begins with that of the process it was forked from."""


def compare(address: str, folder: Path) -> tuple[int, str, str]:
    """Runs the command; the most memory it had, and what it said. CPU and time are printed."""
    command = [sys.executable, "-c", PROGRAM, "verify_parity", address]
    started = time.monotonic()
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(command, cwd=BASE, env=os.environ, stdout=out, stderr=err)
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    said, told = (folder / "out").read_text(), (folder / "err").read_text()
    assert process.returncode == 0, (said[-2_000:], told[-2_000:])
    took, cpu = time.monotonic() - started, used.ru_utime + used.ru_stime
    most = int(told.rpartition("VmHWM:")[2].split()[0]) * 1024
    print(f"\n{address}: {most / 1e6:.0f} MB, {took:.0f} s, CPU {cpu:.1f} s. {said.strip()}")
    return most, said, told


def fill(client: Any, size: int) -> None:
    """So many letters, a thousand with one command (MULTIAPPEND, RFC 3502)."""
    for first in range(0, size, BATCH):
        some = range(first, min(first + BATCH, size))
        client.multiappend(
            "INBOX", [letter(f"Carta {number}: =?utf-8?q?=C3=B1?=", day=-(number % 900)) for number in some]
        )


def test_memory_is_bounded_and_progress_is_told(mailbox_factory: Any, imap: Any, capsys: Any, tmp_path: Path) -> None:
    most: list[int] = []
    with capsys.disabled():
        for size in (SMALL, LARGE):
            made = mailbox_factory(f"n{size}", quota_bytes=10**12)
            account_of_mailbox(made.mailbox)
            fill(imap(made.address), size)
            peak, said, told = compare(made.address, tmp_path)
            assert said.startswith("Nothing differs")
            most.append(peak)
    assert f"of {LARGE} messages" in told or LARGE < 5 * SMALL
    assert most[1] - most[0] < MORE_BYTES
