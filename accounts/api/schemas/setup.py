"""How mail programs are set up, and what the DNS says of a domain."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.api.schemas.common import Current, Given, example
from accounts.services.dns import Row
from accounts.setup.guide_parts import Step
from accounts.setup.values import Place


class PlaceOut(Schema):
    """`security` is "tls" (from the first byte), "starttls", or "none"."""

    protocol: str
    host: str
    port: int
    security: str

    @classmethod
    def of(cls, protocol: str, place: Place) -> PlaceOut:
        """A place as it is shown."""
        return cls(protocol=protocol, host=place.host, port=place.port, security=place.security)


class GuideOut(Schema):
    """A guide that there is: `program` goes into its address."""

    program: str
    name: str
    runs_on: str


class SetupOut(Schema):
    """What a program needs but the password. `protocols` and `incoming` begin with the mailbox's own; `leave_days`: for how
    long a program that downloads is told to leave copies on the server (0: none)."""

    address: str
    login: str
    provider: str
    protocols: list[str]
    incoming: list[PlaceOut]
    outgoing: list[PlaceOut]
    leave_days: int
    guides: list[GuideOut]


class FieldOut(Schema):
    """What is typed, and where."""

    label: str
    value: str


class StepOut(Schema):
    """One thing to do, with what is typed at it."""

    text: str
    fields: list[FieldOut]

    @classmethod
    def of(cls, step: Step) -> StepOut:
        """A step as it is shown."""
        return cls(text=step.text, fields=[FieldOut(label=one.label, value=one.value) for one in step.fields])


class StepsOut(Schema):
    """A guide from beginning to end, in `language`."""

    program: str
    name: str
    protocol: str
    language: str
    steps: list[StepOut]


class LeaveIn(Given):
    """Days."""

    model_config = example(days=14)

    days: int = Field(ge=1, le=365)


class GuideLetterIn(Given):
    """Without `protocol` the mailbox's own; the letter is in `language`, else in that of the request."""

    model_config = example(protocol="imap", language="es")

    protocol: Literal["imap", "pop3"] | None = None
    language: Literal["en", "es"] | None = None


class GuideLetterOut(Schema):
    """`to` is the address for a new password, else the mailbox itself."""

    to: str


class ProfileIn(Given):
    """For which device; `current_password` is the mailbox's."""

    model_config = example(device="iPhone de Marcela", protocol="imap", current_password="la-de-la-casilla")  # noqa: S106

    device: str = Field(max_length=60, min_length=1)
    protocol: Literal["imap", "pop3"] | None = None
    current_password: Current = None


class ProfileOut(Schema):
    """`profile` in base64 is the file as a device installs it, of the type `content_type`, with a password in it that is shown
    nowhere else; `app_password` is that password's id, by which it is revoked."""

    content_type: str
    profile: str
    app_password: int


class DnsOut(Schema):
    """`needed`: without it mail suffers. `state` is well, missing, differs, or unknown where the DNS did not answer; `change`
    the record to enter, "" for nothing or where none can be told; `notes` what else has to be known, in the language asked
    for."""

    purpose: str
    type: str
    name: str
    value: str
    needed: bool
    found: list[str]
    state: str
    change: str
    notes: list[str]

    @classmethod
    def of(cls, row: Row) -> DnsOut:
        """A record as it was judged."""
        record = row.record
        values: dict[str, Any] = {
            "purpose": record.purpose,
            "name": record.name,
            "value": record.value,
            "needed": record.needed,
        }
        found: dict[str, Any] = {"found": list(row.found.texts), "state": row.judged.state, "change": row.judged.change}
        found["notes"] = row.notes
        return cls(type=record.kind, **values, **found)
