"""What every part has in common. What is not described is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, field_validator

from accounts.models.hosting import REFERENCE_MAX
from accounts.services.usage.steps import MOST, check_steps

Item = TypeVar("Item")
Name = Field(max_length=120, min_length=1)
Address = Field(max_length=254)
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""What some column can hold; that it is there is told at its field."""


Current = Annotated[
    str | None,
    Field(
        max_length=1000,
        description="The mailbox's password as it is: needed where its own owner asks, and from nobody else",
    ),
]


def example(**values: Any) -> ConfigDict:
    """The configuration of a schema with an example of it in the description."""
    return ConfigDict(json_schema_extra={"examples": [values]})


Reference = Annotated[
    str | None, Field(max_length=REFERENCE_MAX, description="The other panel's own id: once for each kind and seller")
]
Moment = Annotated[datetime, Field(strict=False)]
Day = Annotated[date, Field(strict=False)]
"""JSON has neither: they are sent as text (RFC 3339)."""


class Given(Schema):
    """What is sent to us. Types are those of JSON: true is no number, "5" neither, and 1 is not true. No database keeps a zero
    octet in a text."""

    model_config = ConfigDict(extra="forbid", str_max_length=10_000, strict=True)

    @field_validator("*", mode="after")
    @classmethod
    def no_zero(cls, value: Any) -> Any:
        """Raises ValueError for a text with a zero octet."""
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(one, str) and "\0" in one for one in texts):
            raise ValueError("a text holds no zero octet")
        return value


def _steps(values: list[int]) -> list[int]:
    try:
        return check_steps(values)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error


Steps = Annotated[list[int], Field(min_length=1, max_length=MOST), AfterValidator(_steps)]
"""Percentages at which somebody is told, the lowest first."""


class Pages(Schema, Generic[Item]):
    """A part of a list, in the order of ids; `next` goes into `after` for the part that follows, null at the end."""

    items: list[Item]
    next: int | None


class Me(Schema):
    """`customer` is the one that the token is narrowed to, null for all that the person sees."""

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
