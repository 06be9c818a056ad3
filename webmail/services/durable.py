"""Transactions that outlast a power cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def durable() -> Iterator[None]:
    """A transaction of its own that is on the disk at its end: with SQLite in WAL mode, NORMAL would let a power cut take
    it back."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("PRAGMA synchronous=FULL")
        try:
            with transaction.atomic(durable=True):
                yield
        finally:
            if sqlite:
                cursor.execute("PRAGMA synchronous=NORMAL")
