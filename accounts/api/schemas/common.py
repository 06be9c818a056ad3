"""What every part has in common. What is not described is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field

Item = TypeVar("Item")
Name = Field(max_length=120, min_length=1)
Address = Field(max_length=254)


def example(**values: Any) -> ConfigDict:
    """The configuration of a schema with an example of it in the description."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class Given(Schema):
    """What is sent to us."""

    model_config = ConfigDict(extra="forbid", str_max_length=10_000)


class Pages(Schema, Generic[Item]):
    """A part of a list, in the order of ids; `next` goes into `after` for the part that follows, null at the end."""

    items: list[Item]
    next: int | None


class Me(Schema):
    person: str
    token: str
    scopes: list[str]
    customer: int | None
    expires: datetime | None


class Problem(Schema):
    """What went wrong (RFC 9457): `detail` is a sentence, `errors` the messages by field, for what was sent wrongly."""

    type: str = "about:blank"
    status: int
    title: str
    detail: str = ""
    errors: dict[str, list[str]] = {}
