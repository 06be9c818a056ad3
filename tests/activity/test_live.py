"""A log that is written while it is read: nothing lost, nothing twice. `make bench-activity` does it for a minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.activity import tail
from tests.activity.live import collect_live, make_mailboxes, sessions_of


@pytest.mark.django_db
def test_nothing_is_lost_or_doubled_while_the_log_is_written_and_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "QUIET_S", 0.2)
    make_mailboxes(20)
    found = collect_live(tmp_path / "log", lines=4_000, rate=10_000, rotations=3, mailboxes=20, restarts=2)
    assert (found.wrong, found.sign_ins, found.events) == (0, sessions_of(4_000), 7 * sessions_of(4_000))
