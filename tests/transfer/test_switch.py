"""Where the mail lives is changed, and changed back: every message with folder, flags and date, once, whatever happens."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.crew import workers
from tests.sending.slow import slowed
from webmail.imap.pool import pool
from webmail.models import Download, LedgerEntry, LocalFolder, LocalMessage, Transfer, TransferItem
from webmail.services.access import account_credentials, open_live
from webmail.services.claims import claim
from webmail.services.downloads import Policy
from webmail.services.schedule import pull_account
from webmail.services.to_download import remove_copies
from webmail.services.transfer import (
    NotPossible,
    cancel_transfer,
    claim_transfer,
    clear_transfers,
    plan_switch,
    resume_transfer,
    run_transfer,
    start_transfer,
    stop_transfer,
    undo_switch,
)
from webmail.sources.base import MailSource
from webmail.sources.open import open_store
from webmail.values import Flag, FolderId, PartNumber, Query, Role

pytestmark = [pytest.mark.server, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]
MESSAGES = int(os.environ.get("SWITCH_MESSAGES", "60"))
KILLS = int(os.environ.get("SWITCH_KILLS", "4"))
INBOX = FolderId("INBOX")
SERVERS_OWN = {r"\Recent", "$HasAttachment", "$HasNoAttachment"}


@pytest.fixture
def account(mailbox_factory: Any, settings: Any, tmp_path: Path) -> Any:
    settings.STORE_DIR = tmp_path / "store"
    made = mailbox_factory("ana")
    call_command("make_mail", mailbox=made.address, messages=MESSAGES, seed=3)
    yield account_of_mailbox(made.mailbox)
    pool.close_all()


def live(account: MailAccount) -> MailSource:
    return open_live(account, account_credentials(account))


def content(source: MailSource) -> Counter[Any]:
    """Everything of a mailbox: (folder, hash, flags, date) of each message."""
    found: Counter[Any] = Counter()
    for folder in source.folders():
        name = folder.role.value or "/".join(folder.path)
        refs = source.refs(folder.id, Query())
        for row in source.summaries(refs):
            raw = b"".join(source.part(row.ref, PartNumber("")))
            flags = frozenset(flag for flag in row.flags if flag not in SERVERS_OWN)
            found[(name, hashlib.sha256(raw).hexdigest(), flags, row.received)] += 1
    return found


def run(transfer: Transfer) -> Transfer:
    claimed = claim_transfer(transfer.pk)
    assert claimed
    run_transfer(claimed)
    transfer.refresh_from_db()
    return transfer


def switch(account: MailAccount, kind: str = "to_download", **policy: Any) -> Transfer:
    transfer = run(start_transfer(account=account, kind=kind, policy=Policy(**policy)))
    account.refresh_from_db()
    return transfer


def pulled(account: MailAccount) -> Any:
    download = claim(account.pk, by_hand=True)
    assert download
    return pull_account(download)


def test_everything_comes_here_and_goes_back(account: MailAccount) -> None:
    with live(account) as source:
        before = content(source)
        assert plan_switch(source).messages == sum(before.values())
    transfer = switch(account, keep="delete")
    assert (transfer.state, transfer.problem) == ("done", "")
    assert account.downloads
    assert content(open_store(account)) == before
    pull = pulled(account)
    assert pull.stored == 0
    assert pull.removed == pull.listed
    with live(account) as source:
        remove_copies(transfer, source)
        assert sum(content(source).values()) == 0
    assert content(open_store(account)) == before
    back = run(undo_switch(transfer))
    account.refresh_from_db()
    assert (back.state, back.detail, account.mode) == ("done", "", "imap")
    with live(account) as source:
        assert content(source) == before


def test_what_is_still_on_the_server_is_not_put_there_again(account: MailAccount) -> None:
    with live(account) as source:
        before = content(source)
    transfer = switch(account, keep="always")
    assert pulled(account).stored == 0
    store = open_store(account)
    refs = store.refs(INBOX, Query())
    archive = next(folder for folder in store.folders() if folder.role is Role.ARCHIVE)
    store.move(refs[:3], archive.id)
    store.set_flags(store.refs(INBOX, Query())[:2], add=[Flag.FLAGGED, "$label2"])
    changed = content(store)
    back = run(undo_switch(transfer))
    assert back.state == "done", (back.problem, back.detail)
    account.refresh_from_db()
    with live(account) as source:
        assert content(source) == changed
    assert sum(changed.values()) == sum(before.values())


def test_there_and_back_and_there_again_doubles_nothing(account: MailAccount) -> None:
    with live(account) as source:
        before = content(source)
    for _turn in range(2):
        switch(account, keep="always")
        assert content(open_store(account)) == before
        switch(account, "to_imap")
        with live(account) as source:
            assert content(source) == before
    assert LocalMessage.objects.filter(account=account).count() == sum(before.values())


def test_mail_that_arrives_meanwhile_comes_along(account: MailAccount, imap: Any) -> None:
    client = imap(account.address)
    transfer = start_transfer(account=account, kind="to_download", policy=Policy())
    claimed = claim_transfer(transfer.pk)
    assert claimed
    assert claim(account.pk, by_hand=True) is None
    client.append("INBOX", b"Subject: tarde\r\n\r\nHola\r\n")
    run_transfer(claimed)
    assert LocalMessage.objects.filter(account=account, subject="tarde").count() == 1


def test_it_stops_and_goes_on(account: MailAccount) -> None:
    transfer = start_transfer(account=account, kind="to_download", policy=Policy())
    with pytest.raises(NotPossible):
        start_transfer(account=account, kind="to_download")
    claimed = claim_transfer(transfer.pk)
    assert claimed
    stop_transfer(claimed)
    run_transfer(claimed)
    transfer.refresh_from_db()
    assert transfer.state == "stopped"
    assert claim_transfer(transfer.pk) is None
    resume_transfer(transfer)
    assert run(transfer).state == "done"
    other = start_transfer(account=account_again(account), kind="to_imap")
    stop_transfer(other)
    other.refresh_from_db()
    assert cancel_transfer(other)


def account_again(account: MailAccount) -> MailAccount:
    account.refresh_from_db()
    return account


def test_without_room_nothing_is_switched(account: MailAccount) -> None:
    transfer = switch(account, keep="delete")
    pulled(account)
    with live(account) as source:
        remove_copies(transfer, source)
    assert account.mailbox
    account.mailbox.quota_bytes = 50_000
    account.mailbox.save()
    pool.close_all()
    back = run(undo_switch(transfer))
    account.refresh_from_db()
    assert (back.state, back.problem) == ("failed", "full")
    assert "bytes needed" in back.detail
    assert account.downloads


def test_a_copy_that_the_disk_spoiled_stops_the_switch(account: MailAccount, settings: Any) -> None:
    transfer = start_transfer(account=account, kind="to_download", policy=Policy())
    claimed = claim_transfer(transfer.pk)
    assert claimed
    stop_transfer(claimed)
    from webmail.services.to_download import ToDownload
    from webmail.services.transfer import TransferLease

    Transfer.objects.update(stopping=False)
    with live(account) as source:
        ToDownload(claimed, TransferLease(claimed.pk, claimed.lease_token), source)._copy_all()
    blob = LocalMessage.objects.filter(account=account).first()
    assert blob
    next(settings.STORE_DIR.rglob(blob.blob)).write_bytes(b"spoiled")
    Transfer.objects.update(state="waiting", lease_until=None)
    run(transfer)
    account.refresh_from_db()
    assert (transfer.state, transfer.problem, account.mode) == ("failed", "differs", "imap")


def test_after_its_time_the_store_is_emptied(account: MailAccount) -> None:
    switch(account, keep="always")
    back = switch(account, "to_imap")
    assert clear_transfers() == 0
    Transfer.objects.filter(pk=back.pk).update(undo_until=timezone.now())
    with pytest.raises(NotPossible):
        undo_switch(Transfer.objects.get(pk=back.pk))
    assert clear_transfers() == 1
    assert not LocalFolder.objects.filter(account=account).exists()


def test_days_on_the_server_count_from_the_change(account: MailAccount) -> None:
    """However old a message is: it was downloaded that day."""
    transfer = switch(account, keep="days", keep_days=10)
    assert transfer.ended
    pulled(account)
    inbox = LedgerEntry.objects.filter(account=account, state="kept")
    assert inbox.count() == LocalMessage.objects.filter(folder__role="inbox").count() > 0
    for entry in inbox:
        assert entry.stored_at
        assert timedelta() <= entry.stored_at - transfer.ended < timedelta(minutes=5)
        assert entry.remove_at == entry.stored_at + timedelta(days=10)
    with live(account) as source:
        before = content(source)
        assert remove_copies(transfer, source, now=transfer.ended + timedelta(days=9, hours=23)) == 0
        assert remove_copies(transfer, source, now=transfer.ended + timedelta(days=10, minutes=1)) > 0
        left = content(source)
    assert sum(left.values()) == inbox.count() < sum(before.values())


@pytest.mark.slow
def test_killed_workers_lose_nothing_and_double_nothing(
    account: MailAccount, stack: Any, tmp_path: Path, settings: Any, capsys: Any
) -> None:
    with live(account) as source:
        before = content(source)
    pool.close_all()
    killed = 0
    more = {"PULL_LEASE_S": "1", "TESTING": "1", "STORE_DIR": str(settings.STORE_DIR)}
    with slowed(stack.ports.imap, up_to_s=0.01) as port:
        environment = os.environ | stack.environment() | more | {"IMAP_PORT": str(port)}
        environment |= {"DJANGO_SETTINGS_MODULE": "config.settings"}
        with workers("transfer_due", environment, tmp_path / "worker.log", count=1) as crew:
            while killed < KILLS:
                account.refresh_from_db()
                kind = "to_imap" if account.downloads else "to_download"
                transfer = start_transfer(account=account, kind=kind, policy=Policy(keep="always"))
                killed += kill_until_done(crew, transfer, KILLS - killed)
    account.refresh_from_db()
    Download.objects.update(lease_until=None)
    if not account.downloads:
        switch(account, keep="always")
    assert content(open_store(account)) == before
    with live(account) as source:
        assert content(source) == before
    with capsys.disabled():
        print(f"\n{sum(before.values())} messages, {killed} kills, {Transfer.objects.count()} changes of mode")
    assert not LedgerEntry.objects.exists()
    assert TransferItem.objects.exists()


def kill_until_done(crew: Any, transfer: Transfer, most: int) -> int:
    killed, until = 0, time.monotonic() + 240
    while True:
        time.sleep(random.uniform(0.1, 1.2))
        transfer.refresh_from_db()
        if transfer.state == "done":
            return killed
        assert transfer.state in {"waiting", "running"}, (transfer.state, transfer.problem, transfer.detail)
        assert time.monotonic() < until, transfer.state
        if killed < most:
            crew.kill_one()
            killed += 1
