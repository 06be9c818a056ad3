"""The watcher on a real Dovecot: what another program does is an event within a second."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.test_source import letter
from tests.live.conftest import AT_ONCE_S, Live, Owner
from webmail.live.events import Kind, State
from webmail.live.watch import AGAIN_S

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

Start = Callable[[], Any]
Make = Callable[..., Owner]
MANY = 200
EVERY = range(1, MANY + 1)
TAKEN_OVER_S = 10.0
"""A watcher's sign of life counts for four seconds, and is looked for every two."""


def test_what_another_program_does_is_told_within_a_second(
    live: Live, watcher: Start, owner: Make, imap: Any, deliver: Any
) -> None:
    one = owner()
    other = imap(one.made.address)
    other.create_folder("Viña & Cía")
    watcher()
    ear = live.watched(one.account.pk)
    deliver(one.made.address, letter("nueva"))
    assert ear.kind(Kind.NEW, timeout_s=AT_ONCE_S).folder == "INBOX"
    other.select_folder("INBOX")
    other.add_flags([1], [b"\\Seen"])
    assert ear.kind(Kind.FLAGS, timeout_s=AT_ONCE_S).folder == "INBOX"
    other.add_flags([1], [b"$label1"])
    assert ear.kind(Kind.FLAGS, timeout_s=AT_ONCE_S).folder == "INBOX"
    other.append("Viña & Cía", letter("guardada"))
    assert ear.kind(Kind.NEW, timeout_s=AT_ONCE_S).folder == "Vi&APE-a &- C&AO0-a"
    other.move([1], "Viña & Cía")
    told = {ear.kind(Kind.NEW, Kind.GONE, timeout_s=AT_ONCE_S).kind for _ in range(2)}
    assert told == {Kind.NEW, Kind.GONE}
    other.select_folder("Viña & Cía")
    other.delete_messages([1])
    other.expunge()
    assert ear.kind(Kind.GONE, timeout_s=AT_ONCE_S).folder == "Vi&APE-a &- C&AO0-a"
    other.create_folder("Otra")
    ear.kind(Kind.FOLDERS, timeout_s=AT_ONCE_S)
    other.subscribe_folder("Otra")
    ear.kind(Kind.FOLDERS, timeout_s=AT_ONCE_S)
    other.delete_folder("Otra")
    ear.kind(Kind.FOLDERS, timeout_s=AT_ONCE_S)


@pytest.mark.variants
def test_a_thousand_changes_leave_nobody_deaf(live: Live, watcher: Start, owner: Make, imap: Any) -> None:
    """Dovecot's NOTIFY looks at its log of changes only every 30 s once that was replaced (see AGAIN_S in watch.py)."""
    one = owner()
    other = imap(one.made.address)
    other.create_folder("Mil")
    other.create_folder("Mil 2")
    other.multiappend("Mil", [letter(f"carta {number}") for number in EVERY])
    other.select_folder("Mil")
    local, _at, domain = one.made.address.partition("@")
    log = live.stack.root / "mail" / domain / local / "sdbox" / "dovecot.list.index.log"
    watcher()
    ear = live.watched(one.account.pk)
    before = log.stat().st_ino
    for sign in b"+-" * 3:
        if log.stat().st_ino != before:
            break
        other._imap.send(b"".join(b"x%d UID STORE %d %cFLAGS (\\Flagged)\r\n" % (at, at, sign) for at in EVERY))
        while not other._imap.file.readline().startswith(b"x%d " % MANY):
            pass
    assert log.stat().st_ino != before
    ear.kind(Kind.FLAGS, folder="Mil", timeout_s=AT_ONCE_S)
    while not ear.quiet(AGAIN_S):
        pass
    other.move(EVERY, "Mil 2")
    ear.kind(Kind.GONE, folder="Mil", timeout_s=AT_ONCE_S)
    ear.kind(Kind.NEW, folder="Mil 2", timeout_s=AT_ONCE_S)


def test_nobody_is_watched_without_a_wish(live: Live, watcher: Start, owner: Make, deliver: Any) -> None:
    one = owner()
    watcher()
    ear = live.listen(one.account.pk)
    deliver(one.made.address, letter("nadie mira"))
    assert ear.quiet(1.5)
    assert live.state(one.account.pk) is State.NONE


def test_a_wish_that_is_not_renewed_ends(live: Live, watcher: Start, owner: Make, monkeypatch: Any) -> None:
    one = owner()
    watcher()
    monkeypatch.setattr("webmail.live.board.WISH_S", 3)
    live.watched(one.account.pk)
    live.until(lambda: live.state(one.account.pk) is State.NONE)
    assert live.holders() == {}


def test_a_suspended_mailbox_is_refused_and_says_so(live: Live, watcher: Start, owner: Make) -> None:
    one = owner()
    one.made.mailbox.active = False
    one.made.mailbox.save()
    watcher()
    live.wish(one.account.pk)
    live.until(lambda: live.state(one.account.pk) is State.REFUSED)


@pytest.mark.variants
def test_a_killed_watcher_is_replaced_and_nothing_is_missed(
    live: Live, watcher: Start, owner: Make, deliver: Any
) -> None:
    one = owner()
    first = watcher()
    ear = live.watched(one.account.pk)
    first.kill()
    first.wait()
    live.until(lambda: live.state(one.account.pk) is State.NONE)
    deliver(one.made.address, letter("entre tanto"))
    watcher()
    ear.kind(Kind.ALL)
    live.until(lambda: live.state(one.account.pk) is State.LIVE)
    deliver(one.made.address, letter("después"))
    assert ear.kind(Kind.NEW, timeout_s=AT_ONCE_S).folder == "INBOX"


def test_a_watcher_that_ends_gives_its_accounts_away_at_once(
    live: Live, watcher: Start, owner: Make, deliver: Any
) -> None:
    one = owner()
    first = watcher()
    ear = live.watched(one.account.pk)
    holder = live.holders()[one.account.pk]
    watcher()
    first.send_signal(signal.SIGTERM)
    first.wait()
    begun = time.monotonic()
    live.until(lambda: live.state(one.account.pk) is State.LIVE)
    assert time.monotonic() - begun < 2
    assert live.holders()[one.account.pk] != holder
    ear.kind(Kind.ALL)
    deliver(one.made.address, letter("sigue"))
    ear.kind(Kind.NEW, timeout_s=AT_ONCE_S)


@pytest.mark.variants
def test_two_watchers_share_the_accounts_and_each_has_one(live: Live, watcher: Start, owner: Make) -> None:
    accounts = [owner(f"casilla{index}").account.pk for index in range(24)]
    watcher()
    for account in accounts:
        live.wish(account)
    live.until(lambda: len(live.holders()) == len(accounts))
    assert len(set(live.holders().values())) == 1
    watcher()
    live.until(lambda: sorted(map(list(live.holders().values()).count, set(live.holders().values()))) == [12, 12])
    live.until(lambda: all(live.state(account) is State.LIVE for account in accounts))


def test_redis_lost_and_back(live: Live, watcher: Start, owner: Make, deliver: Any) -> None:
    one = owner()
    watcher()
    live.watched(one.account.pk)
    live.stack.stop(["redis"])
    time.sleep(1.5)
    live.stack.start(["redis"])
    live.stack.wait_ready()
    ear = live.listen(one.account.pk)
    live.wish(one.account.pk)
    live.until(lambda: live.state(one.account.pk) is State.LIVE)
    deliver(one.made.address, letter("otra vez"))
    assert ear.kind(Kind.NEW).folder == "INBOX"


def test_the_server_is_restarted(live: Live, watcher: Start, owner: Make, deliver: Any, imap: Any) -> None:
    one = owner()
    watcher()
    ear = live.watched(one.account.pk)
    live.stack.stop(["dovecot"])
    live.until(lambda: live.state(one.account.pk) is State.AWAY)
    live.stack.start(["dovecot"])
    live.stack.wait_ready()
    ear.kind(Kind.ALL)
    live.until(lambda: live.state(one.account.pk) is State.LIVE)
    deliver(one.made.address, letter("de vuelta"))
    ear.kind(Kind.NEW, timeout_s=AT_ONCE_S)


def test_one_of_two_watchers_is_killed_and_the_other_takes_over_within_seconds(
    live: Live, watcher: Start, owner: Make, deliver: Any
) -> None:
    owners = [owner(f"casilla{index}") for index in range(24)]
    accounts = [one.account.pk for one in owners]
    processes = [watcher(), watcher()]
    live.wish_all(accounts)
    live.until(lambda: sorted(map(list(live.holders().values()).count, set(live.holders().values()))) == [12, 12])
    live.until(lambda: all(live.state(account) is State.LIVE for account in accounts))
    holders = live.holders()
    processes[0].kill()
    processes[0].wait()
    begun = time.monotonic()
    live.until(lambda: len(set(live.holders().values())) == 1)
    live.until(lambda: all(live.state(account) is State.LIVE for account in accounts))
    assert time.monotonic() - begun < TAKEN_OVER_S
    (left,) = set(live.holders().values())
    orphan = next(one for one in owners if holders[one.account.pk] != left)
    ear = live.listen(orphan.account.pk)
    deliver(orphan.made.address, letter("sigue"))
    ear.kind(Kind.NEW, timeout_s=AT_ONCE_S)
    print(f"\ntaken over after {time.monotonic() - begun:.1f} s")
