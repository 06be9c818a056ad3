"""Transactions that outlast a power cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection, transaction

from webmail.errors import OverQuota

DISK_FULL = "53100"
"""PostgreSQL's code for it (appendix A of its manual)."""


@contextmanager
def durable() -> Iterator[None]:
    """A transaction of its own that is on the disk at its end: with SQLite in WAL mode, NORMAL would let a power cut take
    it back. Raises OverQuota, and nothing is written, when the database's disk is full."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("PRAGMA synchronous=FULL")
        try:
            with transaction.atomic(durable=True):
                yield
        except DatabaseError as error:
            if not _is_full(error):
                raise
            raise OverQuota("the disk of the database is full") from error
        finally:
            if sqlite:
                cursor.execute("PRAGMA synchronous=NORMAL")


def _is_full(error: DatabaseError) -> bool:
    cause = error.__cause__
    return getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(cause, "sqlstate", "") == DISK_FULL
