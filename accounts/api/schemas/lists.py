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
    """The text of a CSV file: its columns are address, name, quota, password, recovery, do and new, and
    those that a written list has (docs/portal.md)."""

    model_config = ConfigDict(
        str_max_length=4_000_000,
        json_schema_extra={"examples": [{"name": "altas.csv", "csv": "address,name,quota\\nana,Ana,2 GB\\n"}]},
    )

    csv: str = Field(min_length=1, max_length=4_000_000)
    name: str = Field("list.csv", max_length=200)


class ColumnOut(Schema):
    name: str
    near: str


class ListOut(Schema):
    """`state`: reading (its passwords are judged), checked (it waits for `apply`), waiting, running, done, failed. Of `total`
    rows `wrong` have errors, `done` are done; `problem` is what is wrong with all of it together. `unknown_columns` mean nothing
    here (`near`: the known one that may be meant): nothing is applied unless `ignore_columns` says to go on without them."""

    id: int
    domain: int
    name: str
    state: str
    total: int
    wrong: int
    done: int
    problem: str
    unknown_columns: list[ColumnOut]
    created: datetime
    finished: datetime | None

    @classmethod
    def of(cls, row: Batch) -> ListOut:
        """The list without its rows."""
        names = set(cls.model_fields) - {"id", "domain", "unknown_columns"}
        values: dict[str, Any] = {name: getattr(row, name) for name in names}
        unknown = [ColumnOut(**one) for one in row.unknown]
        return cls(id=row.pk, domain=row.domain_id, unknown_columns=unknown, **values)


class RowOut(Schema):
    """`do` is as in the file, or change or same for a row that says nothing about a mailbox that is there. `what`
    would happen, in words; `errors` say why it cannot."""

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
