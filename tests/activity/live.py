"""The collector beside a log that is written meanwhile: how it is run, and what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from accounts.models import Mailbox, MailboxEvent, ProgramUse
from accounts.services.activity import Collector
from accounts.services.hosting import create_customer_with_domain
from tests.activity.writer import SESSION, expected

PAUSE_S = 0.1
DEADLINE_S = 120.0
"""So long after the writer's end everything must have been read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was written and counted, and how long the last line had to wait; `wrong` mailboxes have more or fewer than that."""

    written_s: float
    behind_s: float
    cpu_s: float
    restarts: int
    sign_ins: int
    events: int
    wrong: int


def make_mailboxes(number: int) -> None:
    domain = create_customer_with_domain(customer="Prueba", domain="prueba.test")
    rows = (
        Mailbox(address=f"u{one}@prueba.test", number=one + 1, domain=domain, password="x") for one in range(number)
    )
    Mailbox.objects.bulk_create(rows, batch_size=2000)


def collect_live(
    path: Path, *, lines: int, rate: int, rotations: int, mailboxes: int, restarts: int, late: bool = False
) -> Outcome:
    """Reads while another process writes, with a new collector now and then, as after a crash; until all is read. `late`: some
    lines are written into a log that was renamed, as Dovecot does; a writer that stops there for seconds loses them."""
    wanted = expected(lines, mailboxes)
    command = [
        sys.executable,
        "-m",
        "tests.activity.writer",
        str(path),
        *map(str, (lines, rate, rotations, mailboxes, int(late))),
    ]
    began, cpu, read, again, ended = time.monotonic(), time.process_time(), 0, 0, 0.0
    writer = subprocess.Popen(command, cwd=settings.BASE_DIR)
    collector = Collector(path)
    try:
        while read < lines:
            now = time.monotonic()
            if not ended and writer.poll() is not None:
                ended = now
            if ended and now - ended > DEADLINE_S:
                break
            step = collector.step()
            read += step
            if again < restarts and read > lines * (again + 1) // (restarts + 1):
                again += 1
                collector.close()
                collector = Collector(path)
            if not step:
                time.sleep(PAUSE_S)
    finally:
        writer.kill()
        writer.wait()
        collector.close()
    done = time.monotonic()
    assert writer.returncode in {0, -9}
    sums = MailboxEvent.objects.values_list("mailbox__number").annotate(total=Sum("count"))
    counted = Counter({number - 1: total for number, total in sums.order_by()})
    return Outcome(
        written_s=(ended or done) - began,
        behind_s=done - (ended or done),
        cpu_s=time.process_time() - cpu,
        restarts=again,
        sign_ins=ProgramUse.objects.aggregate(total=Sum("sign_ins"))["total"] or 0,
        events=sum(counted.values()),
        wrong=sum(counted[box] != wanted[box] for box in counted | wanted),
    )


def sessions_of(lines: int) -> int:
    """How many sessions so many lines are."""
    return lines // SESSION
