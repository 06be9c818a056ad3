"""Files that are taken in by a worker: begun, stopped, gone on with, given up.

The row says how many messages of the file are dealt with. A worker that is killed leaves at most one message in doubt, which
the next one looks for before it puts it anywhere (`importing.py`). While a change of where the mail lives is open, no file is
taken in; that change waits in turn until the worker at hand has let go.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO

from celery import current_app
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import MailAccount
from accounts.vault import SealBroken, seal, unseal
from webmail.errors import FolderGone, Gone, LoginRefused, MailError, OverQuota, Unreachable, disk_error
from webmail.models import Import, Transfer, folder_octets, folder_of
from webmail.services.access import account_credentials, kept_secret, open_live
from webmail.services.claims import LeaseLost
from webmail.services.import_files import HEAD_BYTES, BadFile, check_kind
from webmail.services.importing import Brought, import_stream
from webmail.services.leases import JobLease, Stopped
from webmail.sources.base import MailSource
from webmail.sources.open import open_store
from webmail.values import Folder, FolderId

State = Import.State
OPEN = (State.WAITING, State.RUNNING, State.STOPPED, State.FAILED)
TRIES = 6
FIRST_DELAY_S = 60
LOOK_EVERY_S = 2.0
"""How often a worker looks whether the account is about to be moved."""
NAME_LIMIT = 200
KEEP, KEEP_REPORT = timedelta(days=14), timedelta(days=30)
"""How long a file that was stopped is kept, and how long is known what came of one."""
COUNTS = ("entries", "stored", "doubles", "refused", "folders", "size_bytes", "marks")

log = logging.getLogger(__name__)


class NotNow(Exception):
    """A file cannot be taken in: another one is, or the account is being moved."""


class ImportLease(JobLease):
    """The ownership of one import."""

    job = Import


def last_import(account: MailAccount) -> Import | None:
    """The latest file that was brought into an account."""
    return Import.objects.filter(account=account).order_by("-created", "-pk").first()


def start_import(
    *, account: MailAccount, file: File[Any], name: str, folder: Folder | None, skip_doubles: bool, secret: str = ""
) -> Import:
    """Keeps a file for a worker to take in; `secret` is the password of a foreign IMAP server. Raises NotNow, BadFile for what
    is none of the kinds that can be read, and OverQuota when the disk is full."""
    check_kind(file.read(HEAD_BYTES))
    file.seek(0)
    if Import.objects.filter(account=account, state__in=OPEN).exists() or _open_transfers(account.pk).exists():
        raise NotNow
    token = secrets.token_hex(16)
    job = Import(account=account, name=_clean_name(name), file_bytes=file.size, skip_doubles=skip_doubles)
    job.folder = folder_octets(folder.id) if folder else b""
    try:
        job.file.save(token, file, save=False)
    except OSError as error:
        raise disk_error(error) from error
    try:
        with transaction.atomic():
            _save(job, secret)
    except BaseException:
        job.file.delete(save=False)
        raise
    return job


def _save(job: Import, secret: str) -> None:
    MailAccount.objects.select_for_update().get(pk=job.account_id)
    if Import.objects.filter(account=job.account_id, state__in=OPEN).exists():
        raise NotNow
    job.save()
    if secret:
        job.sealed = seal(secret, context=seal_context(job.pk))
        job.save(update_fields=["sealed"])
    transaction.on_commit(_queue)


def _queue() -> None:
    try:
        current_app.send_task("webmail.tasks.import_due", expires=60, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker: %s", type(error).__name__)


def stop_import(job: Import) -> None:
    """Asks it to stop; what came in stays, and it can be gone on with."""
    Import.objects.filter(pk=job.pk, state=State.RUNNING).update(stopping=True)
    Import.objects.filter(pk=job.pk, state=State.WAITING).update(state=State.STOPPED)


def resume_import(job: Import, *, secret: str = "") -> None:
    """Goes on with one that was stopped or failed; with another password when one is given."""
    fields: dict[str, Any] = {"sealed": seal(secret, context=seal_context(job.pk))} if secret else {}
    paused = Import.objects.filter(pk=job.pk, state__in=[State.STOPPED, State.FAILED])
    paused.update(
        state=State.WAITING, stopping=False, attempts=0, next_try=timezone.now(), problem="", detail="", **fields
    )
    transaction.on_commit(_queue)


def cancel_import(job: Import) -> bool:
    """Gives up one that was stopped or failed, and removes its file; what came in stays."""
    paused = Import.objects.filter(pk=job.pk, state__in=[State.STOPPED, State.FAILED])
    if not paused.update(state=State.CANCELLED, ended=timezone.now(), sealed="", marks={}):
        return False
    job.file.delete(save=False)
    return True


def seal_context(import_id: int) -> str:
    """For what the password of an import is sealed."""
    return f"import:{import_id}"


def _clean_name(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:NAME_LIMIT] or "?"


def _open_transfers(account_id: Any) -> QuerySet[Transfer]:
    paused = [Transfer.State.WAITING, Transfer.State.RUNNING, Transfer.State.STOPPED, Transfer.State.FAILED]
    return Transfer.objects.filter(account=account_id, state__in=paused)


# --- the worker's part ------------------------------------------------------------------------------------------------


def claim_import(import_id: int | None = None) -> Import | None:
    """This file, or one that waits or whose worker died, owned by the caller from now on; None when there is none."""
    now = timezone.now()
    due = Q(state__in=[State.WAITING, State.RUNNING], next_try__lte=now)
    due &= Q(lease_until=None) | Q(lease_until__lt=now)
    if import_id is not None:
        due &= Q(pk=import_id)
    free = Import.objects.filter(due, ~Exists(_open_transfers(OuterRef("account"))))
    token = secrets.token_hex(16)
    until = now + timedelta(seconds=settings.PULL_LEASE_S)
    with transaction.atomic():
        found = free.order_by("created").values_list("pk", flat=True).first()
        if found is None:
            return None
        if not free.filter(pk=found).update(state=State.RUNNING, lease_token=token, lease_until=until):
            return None
    return Import.objects.select_related("account", "account__mailbox").get(pk=found)


def run_import(job: Import) -> None:
    """Does what is left of an import that was claimed. Whatever goes wrong is in its row."""
    lease = ImportLease(job.pk, job.lease_token)
    try:
        _take_in(job, lease)
    except LeaseLost:
        log.warning("import %s: another worker has it", job.pk)
    except Stopped:
        lease.release(state=State.STOPPED, stopping=False)
    except NotNow:
        lease.release(state=State.WAITING)
    except BadFile as error:
        _end(job, lease, problem=error.code)
    except MailError as error:
        log.info("import %s: %s", job.pk, type(error).__name__)
        lease.release(**_after(job, error))
    else:
        _end(job, lease, read_bytes=job.file_bytes)


def _take_in(job: Import, lease: ImportLease) -> None:
    so_far = Brought(**{name: getattr(job, name) for name in COUNTS})
    with _opened(job) as source, _file_of(job) as file:
        told = _Told(job, lease, file, so_far.entries)
        folder = _folder_of(source, folder_of(job.folder)) if job.folder else None
        import_stream(source, file, folder=folder, skip_doubles=job.skip_doubles, progress=told.tell, so_far=so_far)


class _Told:
    """Writes down what came in, message by message, as long as this worker owns the import and the account stays."""

    def __init__(self, job: Import, lease: ImportLease, file: BinaryIO, entries: int) -> None:
        self._job, self._lease, self._file = job, lease, file
        self._known = (entries, len(job.marks))
        self._looked = 0.0

    def tell(self, brought: Brought) -> None:
        self._look()
        known = (brought.entries, len(brought.marks))
        if known == self._known:
            self._lease.beat()
            return
        self._known = known
        self._lease.hold(read_bytes=self._file.tell(), **{name: getattr(brought, name) for name in COUNTS})

    def _look(self) -> None:
        if time.monotonic() - self._looked < LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        if _open_transfers(self._job.account_id).exists():
            raise NotNow


def _opened(job: Import) -> MailSource:
    account = job.account
    if account.downloads:
        return open_store(account)
    return open_live(account, account_credentials(account, secret=_secret_of(job)))


def _secret_of(job: Import) -> str | None:
    if job.account.hosted:
        return None
    if not job.sealed:
        return kept_secret(job.account)
    try:
        return unseal(job.sealed, context=seal_context(job.pk))
    except SealBroken as error:
        raise LoginRefused("the password cannot be unsealed") from error


def _file_of(job: Import) -> Any:
    try:
        return job.file.open("rb")
    except FileNotFoundError as error:
        raise Gone("the file is not here") from error


def _folder_of(source: MailSource, wanted: FolderId) -> Folder:
    for folder in source.folders():
        if folder.id == wanted and folder.selectable:
            return folder
    raise FolderGone("the folder is gone")


def _end(job: Import, lease: ImportLease, **fields: Any) -> None:
    """The file has come to its end, or to that of what can be read."""
    lease.release(state=State.DONE, ended=timezone.now(), sealed="", marks={}, stopping=False, **fields)
    if not Import.objects.filter(pk=job.pk, state__in=OPEN).exists():
        job.file.delete(save=False)


def _after(job: Import, error: MailError) -> dict[str, object]:
    """Another try later where that may help; else its owner is told."""
    kinds: list[tuple[type[MailError], str]] = [
        (LoginRefused, "login"),
        (OverQuota, "full"),
        (FolderGone, "folder"),
        (Gone, "lost"),
        (Unreachable, "unreachable"),
    ]
    code = next((code for kind, code in kinds if isinstance(error, kind)), "refused")
    fields: dict[str, object] = {"problem": code, "detail": error.detail[:500]}
    if code == "unreachable" and job.attempts < TRIES:
        delay = timedelta(seconds=FIRST_DELAY_S * (1 << job.attempts))
        return fields | {"state": State.WAITING, "attempts": job.attempts + 1, "next_try": timezone.now() + delay}
    return fields | {"state": State.FAILED}


# --- what is left behind ----------------------------------------------------------------------------------------------


def remove_files(account: MailAccount) -> None:
    """Removes the files of an account that is about to go."""
    for job in Import.objects.filter(account=account, state__in=OPEN):
        transaction.on_commit(partial(job.file.delete, save=False))


def clear_imports() -> int:
    """Gives up files that nobody went on with, forgets old reports, and removes files that have no row any more; gives how
    many rows."""
    now = timezone.now()
    for job in Import.objects.filter(state__in=[State.STOPPED, State.FAILED], created__lt=now - KEEP):
        cancel_import(job)
    ended = Import.objects.filter(state__in=[State.DONE, State.CANCELLED], ended__lt=now - KEEP_REPORT)
    removed, _by_model = ended.delete()
    _clear_files()
    return removed


def _clear_files() -> None:
    """A worker that was killed between a row's end and its file's, or a person who went away in the middle."""
    if not default_storage.exists("imports"):
        return
    used = set(Import.objects.filter(state__in=OPEN).values_list("file", flat=True))
    before = timezone.now() - timedelta(days=1)
    for folder in default_storage.listdir("imports")[0]:
        for name in default_storage.listdir(f"imports/{folder}")[1]:
            path = f"imports/{folder}/{name}"
            if path not in used and default_storage.get_modified_time(path) < before:
                default_storage.delete(path)
