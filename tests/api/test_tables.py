"""Tables as files: those operations whose page gives CSV give it too, all of it, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Domain, Mailbox, MailboxEvent, MailboxSpace, NamedNetwork
from tests.api.conftest import call, operations, token_of
from tests.api.test_space import downloading
from tests.portal.conftest import World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def lines_of(answer: Any) -> list[list[str]]:
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer.content[:200]
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text[1:])))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    return rows


def test_every_table_of_the_pages_comes_as_csv(world: World) -> None:
    side, now = world.one, timezone.now()
    Mailbox.objects.filter(pk=side.mailbox.pk).update(name="=1+1", recovery_address="+eva@afuera.example")
    NamedNetwork.objects.create(domain=side.domain, network="192.0.2.0/24", name="=Oficina")
    event: dict[str, Any] = {"protocol": "imap", "network": "192.0.2.0/24", "folder": "INBOX", "count": 2}
    event |= {"first_at": now - timedelta(hours=1), "last_at": now, "day": now.date(), "session": "s"}
    MailboxEvent.objects.create(mailbox=side.mailbox, kind="read", **event)
    whose = {"domain_id": side.domain.pk, "customer_id": side.customer.pk, "plan_id": world.plan.pk}
    MailboxSpace.objects.create(mailbox=side.mailbox, permille=900, bytes=9, quota_bytes=10, idle_since=now, **whose)
    downloading(side, days=60)
    tables = {
        "/mailboxes": (f"?domain={side.domain.pk}", ["ana@uno.test", "'=1+1"]),
        "/space/mailboxes": ("?least=0&page=1", [str(side.mailbox.pk), "ana@uno.test"]),
        "/space/domains": ("?least=0", None),
        "/space/retention": ("", [str(side.mailbox.pk), "ana@uno.test", "60"]),
        "/mailboxes/{mailbox_id}/activity": ("?days=7", None),
        "/lists/{list_id}/passwords": ("", None),
    }
    kinds = {
        path
        for (_method, path), one in operations().items()
        if "text/csv" in one["responses"].get(200, {}).get("content", {})
    }
    assert kinds == tables.keys()
    token = token_of(side.people["domain"])
    for path, (query, first) in tables.items():
        where = path.format(mailbox_id=side.mailbox.pk, list_id=side.batch.pk)
        rows = lines_of(call(token, "GET", f"{where}{query}{'&' if query else '?'}format=csv"))
        assert first is None or rows[1][: len(first)] == first, (path, rows)
        asked = call(token, "GET", where + query, Accept="text/csv, application/json;q=0.5")
        assert lines_of(asked) == rows, path
        for kind in ("application/json", "*/*"):
            assert call(token, "GET", where + query, Accept=kind)["Content-Type"].startswith("application/json"), path
        over = call(token, "GET", f"{where}{query}{'&' if query else '?'}format=json", Accept="text/csv")
        assert over["Content-Type"].startswith("application/json"), path
    activity = lines_of(call(token, "GET", f"/mailboxes/{side.mailbox.pk}/activity?format=csv"))
    assert dict(zip(*activity[:2], strict=True)) | {"at": ""} == {
        "at": "",
        "kind": "read",
        "count": "2",
        "removed": "0",
        "back": "0",
        "back_by_others": "0",
        "session": "",
        "program": "",
        "device": "",
        "protocol": "imap",
        "network": "192.0.2.0/24",
        "place": "'=Oficina",
        "folder": "Inbox",
        "target": "",
        "why": "",
        "size_bytes": "0",
    }


def test_a_file_of_mailboxes_is_of_one_domain_that_one_runs(world: World) -> None:
    token = token_of(world.one.people["customer"])
    assert set(call(token, "GET", "/mailboxes?format=csv").json()["errors"]) == {"domain"}
    assert call(token, "GET", f"/mailboxes?format=csv&domain={world.two.domain.pk}").status_code == 404
    assert set(call(token, "GET", "/mailboxes?format=xls").json()["errors"]) == {"format"}
    owner = token_of(world.one.people["owner"])
    assert call(owner, "GET", f"/mailboxes?format=csv&domain={world.one.domain.pk}").status_code == 404
    empty = Domain.objects.create(name="vacio.test", customer=world.one.customer)
    assert len(lines_of(call(token, "GET", f"/mailboxes?format=csv&domain={empty.pk}"))) == 1
