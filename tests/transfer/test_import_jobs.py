"""A file is taken in by workers that are killed, stopped and refused: every message of it is there once, whatever happens."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import time
import zipfile
from collections import Counter
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.crew import workers
from tests.sending.slow import slowed
from webmail.imap.pool import pool
from webmail.mime.mbox import write_mbox
from webmail.models import Import, Transfer
from webmail.services import importing
from webmail.services.access import account_credentials, open_account
from webmail.services.downloads import Policy, start_download
from webmail.services.export import INDEX
from webmail.services.import_files import BadFile
from webmail.services.import_jobs import (
    KEEP,
    KEEP_REPORT,
    NotNow,
    cancel_import,
    claim_import,
    clear_imports,
    resume_import,
    run_import,
    start_import,
    stop_import,
)
from webmail.services.importing import Brought, import_stream
from webmail.services.transfer import claim_transfer, start_transfer
from webmail.tokens import encode_folder
from webmail.values import FolderId, PartNumber, Query

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
MESSAGES = int(os.environ.get("IMPORT_MESSAGES", "80"))
KILLS = int(os.environ.get("IMPORT_KILLS", "3"))
INBOX = FolderId("INBOX")


def raw(number: int) -> bytes:
    """No Message-ID, and every third message is the one before it once more: nothing but its place tells it from a double."""
    number -= number % 3 == 2
    return f"Subject: Carta {number}\r\n\r\n".encode() + b"Hola\r\n" * (number % 50)


def mbox(count: int) -> bytes:
    return b"".join(
        piece
        for number in range(count)
        for piece in write_mbox([raw(number)], flags=frozenset(), received=timezone.now())
    )


@pytest.fixture(params=["store", "IMAP"])
def account(request: Any, mailbox_factory: Any, settings: Any, tmp_path: Path) -> Any:
    settings.STORE_DIR, settings.MEDIA_ROOT = tmp_path / "store", tmp_path / "media"
    made = account_of_mailbox(mailbox_factory("ana").mailbox)
    if request.param == "store":
        start_download(account=made, policy=Policy())
    made.refresh_from_db()
    yield made
    pool.close_all()


def begin(account: MailAccount, count: int = MESSAGES, *, skip_doubles: bool = False) -> Import:
    file = ContentFile(mbox(count))
    return start_import(account=account, file=file, name="a.mbox", folder=None, skip_doubles=skip_doubles)


def contents(account: MailAccount) -> Counter[str]:
    with open_account(account, account_credentials(account)) as source:
        refs = source.refs(INBOX, Query())
        return Counter(hashlib.sha256(b"".join(source.part(ref, PartNumber("")))).hexdigest() for ref in refs)


def wanted(count: int = MESSAGES) -> Counter[str]:
    return Counter(hashlib.sha256(raw(number)).hexdigest() for number in range(count))


def worked(job: Import) -> Import:
    claimed = claim_import(job.pk)
    assert claimed
    run_import(claimed)
    job.refresh_from_db()
    return job


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_workers_lose_nothing_and_double_nothing(
    account: MailAccount, stack: Any, tmp_path: Path, settings: Any, capsys: Any
) -> None:
    killed = rounds = 0
    count = MESSAGES * 10 if account.downloads else MESSAGES  # the store takes them in by fifties
    more = {"PULL_LEASE_S": "0.5", "TESTING": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    more |= {"STORE_DIR": str(settings.STORE_DIR), "MEDIA_ROOT": str(settings.MEDIA_ROOT)}
    with slowed(stack.ports.imap, up_to_s=0.005) as port:
        environment = os.environ | stack.environment() | more | {"IMAP_PORT": str(port)}
        with workers("import_due", environment, tmp_path / "worker.log", count=1) as crew:
            while killed < KILLS:
                rounds += 1
                killed += kill_until_done(crew, begin(account, count), KILLS - killed)
    assert contents(account) == Counter({name: times * rounds for name, times in wanted(count).items()})
    assert not default_storage.listdir(f"imports/{account.pk}")[1]
    with capsys.disabled():
        print(f"\n{account.mode}: {rounds} files of {count} messages, {killed} kills")


def kill_until_done(crew: Any, job: Import, most: int) -> int:
    killed, until = 0, time.monotonic() + 120
    while True:
        time.sleep(random.uniform(0.05, 0.3))
        job.refresh_from_db()
        if job.state == "done":
            assert (job.stored, job.read_bytes) == (job.entries, job.file_bytes)
            return killed
        assert job.state in {"waiting", "running"}, (job.state, job.problem, job.detail)
        assert time.monotonic() < until, job.state
        if killed < most and job.entries:
            crew.kill_one()
            killed += 1


class Cut(Exception):
    """The worker is killed here."""


def cut_at(account: MailAccount, known: Brought, *, at: int, forget: int = 1) -> Brought:
    """Takes a file in until so many messages are there; gives what the database knows then: without the last `forget`."""
    said = [deepcopy(known)]

    def tell(brought: Brought) -> None:
        said.append(deepcopy(brought))
        if brought.entries == at:
            raise Cut

    with pytest.raises(Cut), open_account(account, account_credentials(account)) as source:
        import_stream(source, io.BytesIO(mbox(9)), skip_doubles=False, progress=tell, so_far=known)
    return [one for one in said if one.entries <= at - forget][-1]


def test_what_came_in_and_was_not_written_down_is_found(account: MailAccount, monkeypatch: Any) -> None:
    """The fourth and the fifth message are the same: one is there, the other is not. Three that the database knew are taken
    back, as a power cut does."""
    monkeypatch.setattr(importing, "BATCH", 1)
    known = cut_at(account, Brought(), at=1)
    assert (known.entries, known.marks) == (0, {encode_folder(INBOX): 0})
    known = cut_at(account, known, at=4)
    assert known.entries == 3
    known = cut_at(account, known, at=8, forget=3)
    with open_account(account, account_credentials(account)) as source:
        done = import_stream(source, io.BytesIO(mbox(9)), skip_doubles=False, so_far=known)
    assert (done.entries, done.stored) == (9, 9)
    assert contents(account) == wanted(9)


def test_a_batch_that_nobody_wrote_down_is_found(account: MailAccount, monkeypatch: Any) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    step = 3 if account.downloads else 1
    known = cut_at(account, Brought(), at=6, forget=step)
    assert known.entries == 6 - step
    with open_account(account, account_credentials(account)) as source:
        assert import_stream(source, io.BytesIO(mbox(9)), skip_doubles=False, so_far=known).stored == 9
    assert contents(account) == wanted(9)


def test_doubles_among_themselves_and_what_is_refused(account: MailAccount) -> None:
    """A flag that no mailbox takes, and the same message twice, in one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        told = [json.dumps({"file": "c.eml", "flags": ["no flag"]})]
        archive.writestr(INDEX, "\n".join(told))
        for name in ("a", "b", "c", "d"):
            archive.writestr(f"{name}.eml", b"Message-ID: <%b@x>\r\n\r\n" % (b"a" if name == "b" else name.encode()))
    with open_account(account, account_credentials(account)) as source:
        out.seek(0)
        brought = import_stream(source, out)
        assert (brought.stored, brought.doubles, brought.refused, brought.entries) == (2, 1, 1, 4)
        out.seek(0)
        brought = import_stream(source, out)
        assert (brought.stored, brought.doubles, brought.refused) == (0, 3, 1)


def test_it_stops_goes_on_and_is_given_up(account: MailAccount) -> None:
    job = begin(account, 5)
    with pytest.raises(NotNow):
        begin(account)
    claimed = claim_import(job.pk)
    assert claimed
    assert claim_import() is None
    stop_import(claimed)
    run_import(claimed)
    job.refresh_from_db()
    assert (job.state, job.stopping) == ("stopped", False)
    assert not cancel_import(Import(pk=0))
    resume_import(job)
    assert (worked(job).state, job.stored, job.problem) == ("done", 5, "")
    assert contents(account) == wanted(5)
    assert not default_storage.exists(job.file.name)
    other = begin(account, 5, skip_doubles=True)
    stop_import(other)
    path = other.file.name
    assert cancel_import(other)
    assert not default_storage.exists(path)
    assert contents(account) == wanted(5)


def test_it_waits_for_a_change_of_mode_and_that_for_it(account: MailAccount) -> None:
    job = begin(account, 5)
    claimed = claim_import()
    assert claimed
    kind = Transfer.Kind.TO_IMAP if account.downloads else Transfer.Kind.TO_DOWNLOAD
    transfer = start_transfer(account=account, kind=kind)
    assert claim_transfer() is None
    run_import(claimed)
    job.refresh_from_db()
    assert (job.state, job.entries) == ("waiting", 0)
    assert claim_import() is None
    assert claim_transfer() == transfer
    Transfer.objects.update(state=Transfer.State.CANCELLED)
    assert worked(job).stored == 5


def test_what_goes_wrong_is_told_and_mended(account: MailAccount, settings: Any) -> None:
    with pytest.raises(BadFile):
        start_import(account=account, file=ContentFile(b"hola"), name="", folder=None, skip_doubles=True)
    assert not Import.objects.exists()
    job = begin(account, 5)
    folder = job.folder
    Import.objects.update(folder=b"nada")
    assert (worked(job).state, job.problem) == ("failed", "folder")
    Import.objects.update(folder=folder)
    data = default_storage.open(job.file.name).read()
    default_storage.delete(job.file.name)
    resume_import(job)
    assert (worked(job).state, job.problem) == ("failed", "lost")
    default_storage.save(job.file.name, ContentFile(data))
    if account.downloads:
        settings.STORE_DIR.rename(settings.STORE_DIR.with_name("away"))
        settings.STORE_DIR.write_bytes(b"")
        resume_import(job)
        assert worked(job).state == "failed"
        settings.STORE_DIR.unlink()
    else:
        port, settings.IMAP_PORT = settings.IMAP_PORT, 1
        pool.close_all()
        resume_import(job)
        assert (worked(job).state, job.problem, job.attempts) == ("waiting", "unreachable", 1)
        assert claim_import() is None
        settings.IMAP_PORT = port
        stop_import(job)
    resume_import(job)
    assert (worked(job).state, job.stored) == ("done", 5)


def test_nothing_is_left_behind_for_ever(account: MailAccount) -> None:
    old = begin(account, 2)
    Import.objects.update(created=timezone.now() - KEEP - timedelta(days=1))
    stop_import(old)
    assert clear_imports() == 0
    old.refresh_from_db()
    assert old.state == "cancelled"
    Import.objects.update(ended=timezone.now() - KEEP_REPORT - timedelta(days=1))
    orphan = default_storage.save(f"imports/{account.pk}/x", ContentFile(b"x"))
    fresh = default_storage.save(f"imports/{account.pk}/y", ContentFile(b"y"))
    os.utime(default_storage.path(orphan), (0, 0))
    assert clear_imports() == 1
    assert (default_storage.exists(orphan), default_storage.exists(fresh)) == (False, True)
