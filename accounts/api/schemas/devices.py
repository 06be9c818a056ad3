"""Passwords of single devices and programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.api.schemas.common import Current, Given, example
from accounts.models import AppPassword


class AppPasswordOut(Schema):
    """`last_at` and `last_protocol`: when and how it was used last (null and "": never)."""

    id: int
    name: str
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool
    created: datetime
    last_at: datetime | None
    last_protocol: str

    @classmethod
    def of(cls, row: AppPassword, **more: Any) -> AppPasswordOut:
        """The row as it is shown."""
        names = set(AppPasswordOut.model_fields) - {"id"}
        return cls(id=row.pk, **{name: getattr(row, name) for name in names}, **more)


class AppPasswordMade(AppPasswordOut):
    """`password` is shown this one time."""

    password: str


class AppPasswordIn(Given):
    """For which device or program, and what it may do; only what the mailbox itself may. `current_password` is the mailbox's."""

    model_config = example(name="Teléfono de Marcela", protocols=["imap", "smtp"])

    name: str = Field(max_length=60, min_length=1)
    protocols: list[Literal["imap", "pop3", "smtp", "sieve"]] = Field(min_length=1, max_length=4)
    current_password: Current = None
