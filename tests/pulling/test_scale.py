"""Many accounts and few workers, by a clock that is turned: everybody has their turn, nobody is pulled by two at once, and a
slow server costs its own slot alone. `SIM_ACCOUNTS=100000` is the long form (`make sim-pull`)."""

from __future__ import annotations

import heapq
import os
import random
import time
from datetime import timedelta

import pytest

from accounts.models import MailAccount, User
from tests.pulling.model import Clock
from webmail.models import Download, Pull
from webmail.services.claims import claim
from webmail.services.schedule import settle

ACCOUNTS = int(os.environ.get("SIM_ACCOUNTS", "1500"))
pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(3600)]


def make_accounts(count: int, clock: Clock, draw: random.Random) -> None:
    owner = User.objects.create_user("todos@escala.test")
    MailAccount.objects.bulk_create(
        [
            MailAccount(owner=owner, address=f"c{number}@escala.test", mode=MailAccount.Mode.DOWNLOAD)
            for number in range(count)
        ],
        batch_size=2000,
    )
    pks = MailAccount.objects.order_by("pk").values_list("pk", flat=True)
    Download.objects.bulk_create(
        [
            Download(account_id=pk, due=clock.now + timedelta(seconds=draw.uniform(0, 3600)), interval_s=3600)
            for pk in pks
        ],
        batch_size=2000,
    )


def test_everybody_has_their_turn_and_a_slow_server_delays_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """One hour of the clock. One server in 500 takes ten minutes for each pull and fails; the others take 0.2 to 3 seconds."""
    clock, draw = Clock(), random.Random(5)
    make_accounts(ACCOUNTS, clock, draw)
    slots = max(8, ACCOUNTS // 300)  # of all workers together
    begun, end = clock.now, clock.now + timedelta(hours=1)
    busy: list[tuple[float, int, Download]] = []
    working: set[int] = set()
    waits: list[float] = []
    slow = pulled = 0
    cost = time.process_time()
    while clock.now < end:
        while len(busy) < slots and (download := claim(clock=clock)):
            assert download.pk not in working
            working.add(download.pk)
            waits.append((clock.now - download.due).total_seconds())
            is_slow = download.pk % 500 == 0
            slow += is_slow
            seconds = 600.0 if is_slow else draw.uniform(0.2, 3)
            heapq.heappush(busy, ((clock.now - begun).total_seconds() + seconds, download.pk, download))
            # the lease of a live worker is renewed while it waits
            Download.objects.filter(pk=download.pk).update(lease_until=clock.now + timedelta(seconds=seconds + 60))
        at = (clock.now - begun).total_seconds()
        ends = busy[0][0] if len(busy) == slots else min(at + 5, busy[0][0] if busy else at + 5)
        clock.now = max(clock.now, begun + timedelta(seconds=ends))
        while busy and begun + timedelta(seconds=busy[0][0]) <= clock.now:
            _when, pk, download = heapq.heappop(busy)
            working.discard(pk)
            pull = Pull(account_id=download.account_id, stored=draw.choice([0, 0, 0, 1]))
            settle(download, pull, "unreachable" if pk % 500 == 0 else "", clock)
            pulled += 1
    cost = (time.process_time() - cost) * 1000 / max(1, len(waits))
    never = Download.objects.filter(due__lt=clock.now - timedelta(minutes=10), lease_token="").count()
    waits.sort()
    with capsys.disabled():
        print(
            f"\n{ACCOUNTS} accounts, {slots} slots, {len(waits)} pulls in an hour ({slow} of slow servers): waited "
            f"{waits[len(waits) // 2]:.1f} s in the middle, {waits[-1]:.1f} s at most; {cost:.2f} CPU-ms to claim and settle"
        )
    assert never == 0
    assert waits[-1] < 300
    assert pulled > ACCOUNTS * 0.95


def test_a_claim_is_one_workers_alone_until_its_lease_is_over() -> None:
    clock = Clock()
    make_accounts(1, clock, random.Random(1))
    clock.turn(hours=1)
    first = claim(clock=clock)
    assert first
    assert claim(clock=clock) is None
    assert claim(first.account_id, by_hand=True, clock=clock) is None
    clock.turn(minutes=3)
    second = claim(clock=clock)
    assert second
    assert second.lease_token != first.lease_token


@pytest.mark.parametrize("field", ["paused", "asks_owner"])
def test_what_is_paused_or_waits_for_its_owner_is_pulled_by_hand_only(field: str) -> None:
    clock = Clock()
    make_accounts(1, clock, random.Random(1))
    clock.turn(hours=1)
    Download.objects.update(**{field: True})
    assert claim(clock=clock) is None
    assert claim(Download.objects.get().account_id, by_hand=True, clock=clock)
