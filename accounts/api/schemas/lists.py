"""Lists of mailboxes (CSV): what they would do, row by row, and how far they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import ConfigDict, Field

from accounts.api.schemas.common import Given
from accounts.models import Batch
from accounts.services.batch_changes import CREATE, words_of


class ListIn(Given):
    """The text of a CSV file: its columns are address, name, quota, password, recovery, do and new (docs/portal.md)."""

    model_config = ConfigDict(
        str_max_length=4_000_000,
        json_schema_extra={"examples": [{"name": "altas.csv", "csv": "address,name,quota\\nana,Ana,2 GB\\n"}]},
    )

    csv: str = Field(min_length=1, max_length=4_000_000)
    name: str = Field("list.csv", max_length=200)


class ListOut(Schema):
    """`state`: reading (its passwords are judged), checked (it waits for `apply`), waiting, running, done, failed. Of `total`
    rows `wrong` have errors, `done` are done; `problem` is what is wrong with all of it together."""

    id: int
    domain: int
    name: str
    state: str
    total: int
    wrong: int
    done: int
    problem: str
    created: datetime
    finished: datetime | None

    @classmethod
    def of(cls, row: Batch) -> ListOut:
        """The list without its rows."""
        names = set(cls.model_fields) - {"id", "domain"}
        values: dict[str, Any] = {name: getattr(row, name) for name in names}
        return cls(id=row.pk, domain=row.domain_id, **values)


class RowOut(Schema):
    """`what` would happen, in words; `errors` say why it cannot."""

    line: int
    do: str
    address: str
    new: str
    name: str
    quota_bytes: int | None
    recovery_address: str
    what: str
    errors: list[str]

    @classmethod
    def of(cls, row: dict[str, Any]) -> RowOut:
        """A row as it was judged."""
        values = {"do": row.get("do", CREATE), "new": row.get("to", ""), "what": words_of(row)}
        values |= {name: row[name] for name in ("line", "address", "name", "errors")}
        return cls(quota_bytes=row["quota_bytes"] or None, recovery_address=row["recovery"], **values)


class MadeOut(Schema):
    """A mailbox of the list whose password was made."""

    address: str
    password: str
