"""A mail server's log, written live: so many lines a second, rotated meanwhile. `python -m tests.activity.writer LOG LINES RATE
ROTATIONS MAILBOXES LATE` is a process of its own, as Dovecot is.

It writes in pieces that cut lines in two. Rotations take turns: the log is renamed and a new one opened (`doveadm log reopen`),
where LATE is 1 with some lines more in the old one, or it is copied and cut short in place (copytruncate).
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

SESSION = 10
"""Lines of a session: a sign-in, a name, seven deeds, the end."""
TICK_S = 0.02
STAMP = "%Y-%m-%dT%H:%M:%S+0000"
DEEDS = ("expunge: box=INBOX", "copy from INBOX: box=Archive", "expunge: box=Trash", "save: box=Sent")


def lines(count: int, mailboxes: int) -> Iterator[tuple[int, str]]:
    """So many lines, always the same ones, each with the number of its mailbox."""
    numbers, began = random.Random(7), datetime(2026, 11, 27, 12, tzinfo=UTC)
    for number in range(count // SESSION):
        box = numbers.randrange(mailboxes)
        at = (began + timedelta(milliseconds=number)).strftime(STAMP)
        user = f"u{box}@prueba.test"
        own = f"{at} imap({user})<25778><s{number}><10.1.2.7><{user}>: Info: "
        yield (
            box,
            f"{at} imap-login: Info: Login: user=<{user}>, auth=<{user}>, method=PLAIN, rip=10.1.2.7, lip=127.0.0.1, "
            f"mpid=1, TLS, session=<s{number}>\n",
        )
        yield box, f"{own}ID sent: name=Thunderbird, version=140.0\n"
        for step in range(SESSION - 3):
            yield box, f"{own}{DEEDS[(number + step) % len(DEEDS)]}, vsize=1000\n"
        yield (
            box,
            f"{own}Disconnected: Logged out in=1 out=7 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 "
            "body_bytes=0\n",
        )


def expected(count: int, mailboxes: int) -> Counter[int]:
    """How many deeds each mailbox has in them."""
    return Counter(box for box, line in lines(count, mailboxes) if "vsize=" in line)


def write(path: Path, count: int, rate: int, rotations: int, mailboxes: int, late: int) -> None:
    """Writes them, as fast as said and no faster."""
    numbers, file = random.Random(11), path.open("ab", buffering=0)
    every = count // (rotations + 1)
    block, turns, began = b"", 0, time.monotonic()
    for written, (_box, line) in enumerate(lines(count, mailboxes), start=1):
        block += line.encode()
        if written % max(1, int(rate * TICK_S)) == 0:
            cut = numbers.randrange(len(block))
            file.write(block[:cut])
            block = block[cut:]
            time.sleep(max(0.0, began + written / rate - time.monotonic()))
        if turns < rotations and written >= every * (turns + 1):
            turns += 1
            rest = block if late and turns % 2 else b""
            file.write(b"" if rest else block)
            file, block = _rotate(path, file, turns, rest), b""
    file.write(block)
    file.close()


def _rotate(path: Path, file: BinaryIO, turn: int, rest: bytes) -> BinaryIO:
    older = path.with_name(f"{path.name}.{turn}")
    if turn % 2:
        path.rename(older)
        time.sleep(TICK_S)
        file.write(rest)
        file.close()
        return path.open("ab", buffering=0)
    shutil.copyfile(path, older)
    file.truncate(0)
    return file


if __name__ == "__main__":
    write(Path(sys.argv[1]), *(int(one) for one in sys.argv[2:7]))
