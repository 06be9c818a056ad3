"""Passwords of single devices and programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.api.schemas.common import Current, Given, example
from accounts.models import AppPassword


class AppPasswordOut(Schema):
    """`last_at`, `last_protocol` and `last_network`: when, how and from where it was used last (null and "": never). `sent_at`
    and `sent_network`: when and from where a message was last sent with it. A network is an address without its last part."""

    id: int
    name: str
    imap: bool
    pop3: bool
    smtp: bool
    sieve: bool
    created: datetime
    last_at: datetime | None
    last_protocol: str
    last_network: str
    sent_at: datetime | None
    sent_network: str

    @classmethod
    def of(cls, row: AppPassword, **more: Any) -> AppPasswordOut:
        """The row as it is shown."""
        names = set(AppPasswordOut.model_fields) - {"id", "sent_network"}
        values: dict[str, Any] = {name: getattr(row, name) for name in names}
        return cls(id=row.pk, sent_network=row.sent_network or "", **values, **more)


class AppPasswordMade(AppPasswordOut):
    """`password` is shown this one time."""

    password: str


class AppPasswordIn(Given):
    """For which device or program, and what it may do; only what the mailbox itself may. `current_password` is the mailbox's."""

    model_config = example(name="Teléfono de Marcela", protocols=["imap", "smtp"])

    name: str = Field(max_length=60, min_length=1)
    protocols: list[Literal["imap", "pop3", "smtp", "sieve"]] = Field(min_length=1, max_length=4)
    current_password: Current = None
