"""Pulls and the store on PostgreSQL, the database of production: workers beside each other, and every hostile message."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack import Stack
from tests.test_postgres import manage, production  # noqa: F401 - a fixture

pytestmark = [pytest.mark.server, pytest.mark.slow]
PULL = """
import imaplib, threading
from pathlib import Path
from django.conf import settings
from django.db import connection
from accounts.models import Mailbox
from accounts.services.audit import SYSTEM
from accounts.services.hosting import create_mailbox
from accounts.services.login import account_of_mailbox
from tests.data.hostile import hostile_messages
from webmail.models import Download, LedgerEntry, LocalMessage, Pull
from webmail.services.downloads import Policy, change_policy, start_download
from webmail.services import organising
from webmail.sources.open import open_store
from webmail.tasks import pull_due
from webmail.values import FolderId, Query, Window

settings.STORE_DIR = Path({store!r})
accounts = []
for number in range(3):
    box = create_mailbox(address=f"caja{{number}}@prueba.test", password="x", quota_bytes=10**9)
    accounts.append(account_of_mailbox(box))
    with imaplib.IMAP4(settings.IMAP_HOST, settings.IMAP_PORT) as client:
        client.login(f"{{box.address}}*{{settings.MAIL_MASTER_USER}}", settings.MAIL_MASTER_PASSWORD)
        for at in range(20):
            client.append("INBOX", "", "", f"Subject: Año {{at}}\\r\\n\\r\\nHola {{number}} {{at}}\\r\\n".encode())
    start_download(account=accounts[-1], policy=Policy(keep="delete"))

def work():
    pull_due()
    connection.close()

threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join(60) for thread in threads]
assert set(Pull.objects.values_list("outcome", "stored", "removed")) == {{("complete", 20, 20)}}, list(Pull.objects.values())
assert Pull.objects.count() == 3
assert LocalMessage.objects.count() == 60

source = open_store(accounts[0])
inbox = FolderId("INBOX")
assert source.page(inbox, Query(text="ano 7"), Window()).total == 1
assert source.page(inbox, Query(text="hola", in_body=True, sort="subject"), Window(5, 10)).total == 20
refs = source.refs(inbox, Query())
source.set_flags(refs, add=["\\\\Seen", "$label1", "projekt"])
source.set_flags(refs[:7], remove=["$label1"])
change = organising.delete(source, refs)
assert source.page(inbox, Query(), Window()).total == 0
assert organising.take_back(source, change.undo) == 20
assert sum("$label1" in flags for flags in source.flags(refs).values()) == 13
change_policy(Download.objects.get(account=accounts[0]), Policy(keep="days", keep_days=3), by=SYSTEM)
assert not LedgerEntry.objects.exclude(state="removed").exists()

broken = []
for name, raw in hostile_messages():
    try:
        source.append(inbox, raw)
    except Exception as error:
        broken.append((name, repr(error)[:200]))
assert not broken, broken
total = source.page(inbox, Query(), Window()).total
assert len(source.page(inbox, Query(), Window(0, 2000)).rows) == total
assert source.page(inbox, Query(attachment=True), Window()).total > 10

from django.core.files.base import ContentFile
from webmail.models import Import
from webmail.services.import_jobs import start_import
settings.MEDIA_ROOT = {store!r} + "-media"
data = b"".join(b"From a\\nSubject: A\\xc3\\xb1o %d\\n\\nHola\\n\\n" % at for at in range(60))
for account in accounts[1:]:
    start_import(account=account, file=ContentFile(data), name="año.mbox", folder=None, skip_doubles=True)
from webmail.tasks import import_due
threads = [threading.Thread(target=lambda: (import_due(), connection.close())) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join(60) for thread in threads]
assert set(Import.objects.values_list("state", "stored", "entries")) == {{("done", 60, 60)}}, list(Import.objects.values())
assert LocalMessage.objects.filter(account__in=accounts[1:]).count() == 160
"""


def test_workers_and_hostile_mail(production: Stack, tmp_path: Path) -> None:  # noqa: F811
    production.start(["redis"])
    manage(production, "shell", "-v", "0", "-c", PULL.format(store=str(tmp_path / "store")))
