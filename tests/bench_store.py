"""What it costs to list, sort, search and open downloaded mail. Not a test: `make bench-store` prints a table.

CPU is this process's (Django's test client, no HTTP server) in milliseconds a request, beside the number of queries.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from webmail.models import LocalBody, LocalMessage
from webmail.samples import generate_mailbox
from webmail.services import organising
from webmail.sources.open import open_store
from webmail.storage.blobs import Blobs
from webmail.storage.folders import ensure_folders
from webmail.storage.rows import describe, index_messages
from webmail.values import FolderId, Query, Role

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(",")]
INBOX = FolderId("INBOX")


def measure(name: str, times: int, action: Callable[[], Any]) -> None:
    wall = []
    cpu = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        for _turn in range(times):
            started = time.perf_counter()
            response = action()
            wall.append((time.perf_counter() - started) * 1000)
            assert getattr(response, "status_code", 200) == 200
    cpu = (time.process_time() - cpu) * 1000 / times
    print(f"{name:46} {statistics.median(wall):8.1f} {cpu:8.1f} {len(queries) / times:6.1f}")


def fill(account: MailAccount, count: int) -> None:
    """Messages made from two hundred samples of the generator: rows of their own on shared octets."""
    blobs, inbox = Blobs(account.pk), ensure_folders(account)[Role.INBOX]
    models: list[tuple[LocalMessage, LocalBody]] = []
    for sample in generate_mailbox(account.address, 200, seed=5, until=timezone.now(), inbox_only=True):
        sha256 = hashlib.sha256(sample.raw).hexdigest()
        blobs.write(sha256, sample.raw)
        fields = describe(sample.raw, size_bytes=len(sample.raw), received=timezone.now())
        row = LocalMessage.objects.create(
            account=account, folder=inbox, blob=sha256, size_bytes=len(sample.raw), **fields
        )
        index_messages(account.pk, [row])
        models.append((row, LocalBody.objects.get(message=row)))
    blobs.sync()
    left = count - len(models)
    for start in range(0, left, 2000):
        rows, bodies = [], []
        for number in range(start, min(start + 2000, left)):
            model, body = models[number % len(models)]
            values = {field.attname: getattr(model, field.attname) for field in LocalMessage._meta.concrete_fields}
            values |= {"id": None, "date": model.date - timedelta(minutes=number), "seen": number % 5 > 0}
            values["own_id"], values["thread"] = number + 1, number // 3 + 1
            values["subject"] = f"{model.subject} {number}"
            values["search"] = f"{model.search}\n{number}"
            rows.append(LocalMessage(**values))
            bodies.append(body)
        made = LocalMessage.objects.bulk_create(rows)
        LocalBody.objects.bulk_create(
            LocalBody(message=row, text=body.text, structure=body.structure)
            for row, body in zip(made, bodies, strict=True)
        )


def test_print_the_table(mailbox_factory: Any, client: Client, settings: Any, tmp_path: Path, capsys: Any) -> None:
    settings.STORE_DIR = tmp_path / "store"
    with capsys.disabled():
        print(f"\n{'':46} {'wall ms':>8} {'web ms':>8} {'queries':>6}")
        for size in SIZES:
            made = mailbox_factory(f"n{size}")
            account = account_of_mailbox(made.mailbox)
            MailAccount.objects.filter(pk=account.pk).update(mode=MailAccount.Mode.DOWNLOAD)
            account.refresh_from_db()
            fill(account, size)
            client.logout()
            client.post(reverse("account_login"), {"login": made.address, "password": made.password})
            home = client.get("/", follow=True).redirect_chain[-1][0]
            for name, query in (
                ("list", ""),
                ("list from the middle", f"?start={size // 2}"),
                ("by sender", "?sort=from"),
                ("by subject", "?sort=subject"),
                ("by size", "?sort=size"),
                ("unread", "?unread=1"),
                ("with attachment", "?attachment=1"),
                ("search, few found", "?q=77"),
                ("search, many found", "?q=imprenta"),
                ("search in bodies", "?q=presupuesto&body=1"),
            ):
                measure(f"{size}: {name}", 5, partial(client.get, home + query))
            source = open_store(account)
            refs = source.refs(INBOX, Query())
            url = f"{home}m/1.{refs[3].id}/"
            measure(f"{size}: open", 10, partial(client.get, url, headers={"HX-Request": "true"}))
            some = refs[: min(1000, size)]
            measure(f"{size}: move {len(some)}", 1, partial(organising.delete, source, some))
