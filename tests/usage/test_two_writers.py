"""Rows that are read while others are written, and another process that writes meanwhile: SQLite refuses a write beside a query
that still holds an older state."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import Mailbox, MailboxSpace, MailboxUsage
from accounts.services.hosting import create_customer_with_domain, create_mailbox
from accounts.services.usage import sampling
from accounts.services.usage.standing import refresh_standing, set_counted
from webmail.services.recount import recount_due

pytestmark = pytest.mark.django_db(transaction=True)
MORE_THAN_A_PIECE = 2001
"""Django reads 2,000 rows at a time."""


@pytest.fixture
def mailbox() -> Mailbox:
    create_customer_with_domain(customer="Equis", domain="x.test")
    made = create_mailbox(address="ana@x.test", password="clave")
    refresh_standing()
    return made


def write_elsewhere(number: int) -> None:
    """What Dovecot does all the time, on a connection of its own; waits until it is committed."""

    def write() -> None:
        try:
            MailboxUsage.objects.update_or_create(username="otra@x.test", defaults={"bytes": number, "messages": 1})
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def make_more(mailbox: Mailbox, count: int) -> None:
    rows = []
    for number in range(count):
        one = copy.copy(mailbox)
        one.pk, one._state = None, copy.copy(mailbox._state)
        one.address, one.home, one.number = f"c{number}@x.test", f"x.test/c{number}", mailbox.number + 1 + number
        rows.append(one)
    Mailbox.objects.bulk_create(rows)
    refresh_standing()


def test_a_recount_goes_on_while_others_write(mailbox: Mailbox) -> None:
    make_more(mailbox, MORE_THAN_A_PIECE)
    asked: list[int] = []

    def ask(one: Mailbox) -> bool:
        write_elsewhere(len(asked))
        asked.append(one.pk)
        return set_counted(mailbox=one, size_bytes=5000)

    assert recount_due(ask=ask, limit_s=0.2) == (len(asked), len(asked))
    assert MailboxSpace.objects.filter(checked__isnull=False).count() == len(asked) >= 1


def test_samples_are_taken_while_others_write(mailbox: Mailbox, monkeypatch: Any) -> None:
    make_more(mailbox, 4)
    monkeypatch.setattr(sampling, "BATCH", 2)
    sizes = []
    for rows in sampling._batches():
        write_elsewhere(len(sizes))
        sampling._sample_batch(rows, sampling.timezone.localdate(), {}, {}, sampling.timezone.now())
        sizes.append(len(rows))
    assert sizes == [2, 2, 1]
