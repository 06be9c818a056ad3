"""Conversations of the store come out the same, in whatever order and batches their messages arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import MailAccount, User
from webmail.models import LocalMessage
from webmail.sources.open import open_store
from webmail.storage.folders import ensure_folders
from webmail.storage.rows import describe
from webmail.storage.threads import settle_threads, threads_of_ids
from webmail.values import FolderId, Role

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> MailAccount:
    owner = User.objects.create_user("ana@hilos.test")
    return MailAccount.objects.create(owner=owner, address=owner.email, mode=MailAccount.Mode.DOWNLOAD)


def message(account: MailAccount, name: str, *, parent: str = "", references: str = "") -> LocalMessage:
    head = f"Message-ID: <{name}@x.test>\r\n" if name else ""
    head += f"In-Reply-To: <{parent}@x.test>\r\n" if parent else ""
    head += f"References: {references}\r\n" if references else ""
    fields = describe(f"{head}Subject: x\r\n\r\n".encode(), size_bytes=10, received=WHEN)
    inbox = ensure_folders(account)[Role.INBOX]
    return LocalMessage(account=account, folder=inbox, blob="0" * 64, size_bytes=10, **fields)


def store(account: MailAccount, *messages: LocalMessage) -> None:
    settle_threads(account.pk, messages)
    LocalMessage.objects.bulk_create(messages)


def threads() -> list[int]:
    return list(LocalMessage.objects.order_by("pk").values_list("thread", flat=True))


@st.composite
def arrivals(draw: Any) -> tuple[list[tuple[int, int]], list[int]]:
    """(messages of one conversation as (number, that of its parent), in the order of their arrival; sizes of batches)."""
    count = draw(st.integers(1, 9))
    tree = [(0, -1)] + [(number, draw(st.integers(0, number - 1))) for number in range(1, count)]
    return draw(st.permutations(tree)), draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))


@given(arrivals())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_makes_one_conversation(account: MailAccount, case: tuple[list[tuple[int, int]], list[int]]) -> None:
    LocalMessage.objects.all().delete()
    order, sizes = case
    waiting = [message(account, f"m{number}", parent=f"m{parent}" if parent >= 0 else "") for number, parent in order]
    for size in sizes:
        batch, waiting = waiting[:size], waiting[size:]
        if batch:
            store(account, *batch)
    assert len(set(threads())) == 1


def test_messages_without_ids_stand_alone(account: MailAccount) -> None:
    store(account, message(account, ""), message(account, ""), message(account, "a"))
    store(account, message(account, ""))
    assert len(set(threads())) == 4
    assert all(0 < one < 2**63 for one in threads())


def test_a_ring_is_one_conversation(account: MailAccount) -> None:
    store(account, message(account, "a", parent="b"), message(account, "b", parent="a"))
    assert len(set(threads())) == 1


def test_accounts_are_apart(account: MailAccount) -> None:
    other = MailAccount.objects.create(owner=account.owner, address="b@hilos.test")
    store(account, message(account, "a", parent="b"))
    store(other, message(other, "b", parent="c"))
    assert LocalMessage.objects.get(account=account).thread != LocalMessage.objects.get(account=other).thread
    assert threads_of_ids(other.pk, ["<b@x.test>"]) >= {LocalMessage.objects.get(account=other).thread}
    assert threads_of_ids(account.pk, []) == set()


@pytest.mark.django_db(transaction=True)
def test_the_migration_gives_what_storing_gives(account: MailAccount, settings: Any, tmp_path: Any) -> None:
    settings.STORE_DIR = tmp_path
    with open_store(account) as source:
        for name, before in (("a", ""), ("b", "a"), ("c", "b"), ("z", "")):
            head = f"Message-ID: <{name}@x.test>\r\n" + (f"In-Reply-To: <{before}@x.test>\r\n" if before else "")
            source.append(FolderId("INBOX"), f"{head}Subject: x\r\n\r\nx".encode())
    given_first = list(LocalMessage.objects.order_by("pk").values_list("own_id", "thread"))
    LocalMessage.objects.update(own_id=0, thread=0)
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state(("webmail", "0009_local_threads"))
    migration = executor.loader.get_migration("webmail", "0009_local_threads")
    fill = next(one for one in migration.operations if hasattr(one, "code"))
    fill.code(state.apps, None)
    assert list(LocalMessage.objects.order_by("pk").values_list("own_id", "thread")) == given_first
