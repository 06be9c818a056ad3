"""Workers are killed at any moment: no message is lost, and none arrives twice.

`make test-kill` runs the long form: KILL_MESSAGES messages and KILL_TIMES kills.
"""

from __future__ import annotations

import collections
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q

from tests.crew import Workers, workers
from tests.sending.conftest import Person, letter, put_on_way
from tests.sending.slow import slowed
from webmail.models import Outgoing
from webmail.services.sending import Draft, Parent
from webmail.values import FolderId, Ref

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.django_db(transaction=True)]
MESSAGES = int(os.environ.get("KILL_MESSAGES", "15"))
KILLS = int(os.environ.get("KILL_TIMES", "3"))
END_S = 300.0


def test_killed_workers_lose_nothing_and_send_nothing_twice(
    ana: Person, bob: Person, stack: Any, tmp_path: Path
) -> None:
    parent = stored(ana, "INBOX", letter(bob.address, ana.address)[1])
    rows = [to_send(ana, bob, parent) for _ in range(MESSAGES)]
    met: collections.Counter[str] = collections.Counter()
    with slowed(stack.ports.submission, up_to_s=0.02) as smtp, slowed(stack.ports.imap, up_to_s=0.01) as imap:
        more = {"SUBMISSION_PORT": str(smtp), "IMAP_PORT": str(imap), "SEND_LEASE_S": "2", "TESTING": "1"}
        environment = os.environ | stack.environment() | more | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        with workers("send_due", environment, tmp_path / "worker.log") as crew:
            kills = kill_until_done(crew, met)
            until = time.monotonic() + END_S
            while under_way() and time.monotonic() < until:
                time.sleep(0.2)
    assert not under_way(), Outgoing.objects.values_list("state", "filed", "file_attempts", "error")
    report(rows, bob, ana, kills, met)


def stored(person: Person, folder: str, raw: bytes) -> Ref:
    validity, uid = person.imap.append(folder, raw).decode().split("APPENDUID ")[1].split("]")[0].split()
    return Ref(FolderId(folder), int(validity), uid)


def to_send(ana: Person, bob: Person, parent: Ref) -> Outgoing:
    """A reply with a draft, so that every step after the sending is there to be interrupted."""
    message_id, raw = letter(ana.address, bob.address, text="Hola.\r\n" * random.randrange(1, 3000))
    draft = Draft(stored(ana, "Drafts", raw), message_id)
    return put_on_way(
        ana.account, bob.address, raw=raw, message_id=message_id, parent=Parent(parent, "reply"), draft=draft
    )


def kill_until_done(crew: Workers, met: collections.Counter[str]) -> int:
    """Kills at random moments until there were enough or there is nothing left to do; gives how often, and counts the
    states in which rows were left."""
    for done in range(KILLS):
        time.sleep(random.uniform(0.02, 0.5))
        if not under_way():
            return done
        crew.kill_one()
        met.update(Outgoing.objects.filter(state__in=["sending", "handing"]).values_list("state", flat=True))
    return KILLS


def under_way() -> bool:
    busy = Q(state__in=["waiting", "sending", "handing"]) | Q(delivered=True, filed=False)
    return Outgoing.objects.filter(busy).exists()


def counted(person: Person, folder: str) -> collections.Counter[str]:
    """How often each Message-ID is in a folder."""
    person.imap.select_folder(folder, readonly=True)
    found = person.imap.search()
    rows = person.imap.fetch(found, ["ENVELOPE"]) if found else {}
    person.imap.unselect_folder()
    return collections.Counter(row[b"ENVELOPE"].message_id.decode() for row in rows.values())


def report(rows: list[Outgoing], bob: Person, ana: Person, kills: int, met: collections.Counter[str]) -> None:
    settled(bob)
    inbox, copies, drafts = counted(bob, "INBOX"), counted(ana, "Sent"), counted(ana, "Drafts")
    ends = {row.pk: row for row in Outgoing.objects.filter(pk__in=[row.pk for row in rows])}
    assert len(ends) == len(rows)
    states = collections.Counter(row.state for row in ends.values())
    doubts = collections.Counter(inbox[row.message_id] for row in ends.values() if row.state == "doubt")
    print(f"\n{len(rows)} messages, {kills} kills (rows met: {dict(met)}): {dict(states)}")
    print(f"in doubt and arrived: {doubts[1]}, in doubt and not: {doubts[0]}; most tries for one: "
          f"{max(row.attempts for row in ends.values())}; twice in the inbox: {sum(n > 1 for n in inbox.values())}")  # fmt: skip
    assert set(states) <= {"sent", "doubt"}
    for row in ends.values():
        sent = row.state == "sent"
        assert inbox[row.message_id] == 1 if sent else inbox[row.message_id] <= 1
        assert copies[row.message_id] == sent
        left = ana.copies("Drafts", row.message_id)
        assert drafts[row.message_id] == (not sent), (
            row.draft,
            row.attempts,
            row.file_attempts,
            [one[0] for one in left],
        )
        assert (row.note, bool(row.raw)) == ("", not sent)


def settled(person: Person) -> None:
    """Waits until nothing more arrives."""
    before, now = -1, 0
    while before != now:
        time.sleep(1.5)
        before, now = now, sum(counted(person, "INBOX").values())
