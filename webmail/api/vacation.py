"""The answer that goes out while the mailbox's owner is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from accounts.api.callers import caller_of, fails, needs
from accounts.api.schemas.common import Day, Given, example
from accounts.models import MailAccount
from webmail.api.boxes import require_valid, settings_box
from webmail.filter_forms import VacationForm, vacation_initial
from webmail.services import filters as service
from webmail.services.filter_log import note_vacation
from webmail.services.filter_words import vacation_phase
from webmail.services.filters import Setup, State
from webmail.services.identities import allowed_addresses
from webmail.sieve.rules import DAYS_MAX, DAYS_MIN, SUBJECT_LIMIT, TEXT_LIMIT

router = Router(tags=["Vacation and filters"])


class VacationOut(Schema):
    """`phase` is off, before, during or after its days, "" where no filters run; `own` are the addresses for which it can answer;
    `seen` stands for how all filters of the mailbox are now."""

    on: bool
    phase: str
    subject: str
    text: str
    days: int
    addresses: list[str]
    own: list[str]
    first: date | None
    last: date | None
    seen: str

    @classmethod
    def of(cls, account: MailAccount, setup: Setup) -> VacationOut:
        """The reply as it is on the server."""
        now = setup.filters.vacation
        values: dict[str, Any] = {
            name: getattr(now, name) for name in ("on", "subject", "text", "days", "first", "last")
        }
        phase = vacation_phase(now) if setup.state is not State.OFF else ""
        own = allowed_addresses(account)
        return cls(phase=phase, addresses=list(now.addresses), own=own, seen=setup.seen, **values)


class VacationIn(Given):
    """All of the reply. Nobody is answered twice within `days`. With `addresses` null it answers for all of `own`; `first` and
    `last` are days of `zone` (without it, the server's), null for none. With `seen` it is stored only while nothing has changed
    since."""

    model_config = example(
        on=True,
        subject="",
        text="Vuelvo el 3 de febrero.",
        days=7,
        addresses=None,
        first="2027-01-12",
        last="2027-02-02",
        zone="America/Santiago",
    )

    on: bool
    subject: str = Field(max_length=SUBJECT_LIMIT)
    text: str = Field(max_length=TEXT_LIMIT)
    days: int = Field(ge=DAYS_MIN, le=DAYS_MAX)
    addresses: list[str] | None = Field(max_length=200)
    first: Day | None
    last: Day | None
    zone: str | None = Field(None, max_length=60)
    seen: str | None = Field(None, max_length=64)


class VacationChange(Given):
    """What is left out stays as it is on the server, days in the zone in which they were given; else as where all is sent."""

    model_config = example(on=False)

    on: bool = Field(default_factory=bool)
    subject: str = Field(default_factory=str, max_length=SUBJECT_LIMIT)
    text: str = Field(default_factory=str, max_length=TEXT_LIMIT)
    days: int = Field(default_factory=int, ge=DAYS_MIN, le=DAYS_MAX)
    addresses: list[str] | None = Field(None, max_length=200)
    first: Day | None = None
    last: Day | None = None
    zone: str | None = Field(None, max_length=60)
    seen: str | None = Field(None, max_length=64)


@router.get("/mailboxes/{mailbox_id}/vacation", response=VacationOut, summary="The vacation reply")
@needs("mailboxes:read")
@fails(409, 503)
def vacation_get(request: HttpRequest, mailbox_id: int) -> Any:
    """Read from the mail server now."""
    account = settings_box(request, mailbox_id)
    with service.open_filters(request, account) as session:
        return VacationOut.of(account, service.read_setup(session))


@router.put(
    "/mailboxes/{mailbox_id}/vacation", response=VacationOut, summary="Set the vacation reply, or switch it off"
)
@needs("mailboxes:write")
@fails(409, 503)
def vacation_set(request: HttpRequest, mailbox_id: int, data: VacationIn) -> Any:
    """Replaces all of it; 409 where anything changed since `seen`."""
    account = settings_box(request, mailbox_id)
    form = _form(account, data.dict(exclude={"zone", "seen"}))
    with timezone.override(_zone(data.zone)):
        require_valid(form)
        made = form.vacation()
    with service.open_filters(request, account) as session:
        seen = service.read_setup(session).seen if data.seen is None else data.seen
        before, _warnings = service.change_filters(session, lambda now: service.set_vacation(now, made), seen=seen)
        note_vacation(account, before=before.filters.vacation, after=made, by=caller_of(request).actor)
        return VacationOut.of(account, service.read_setup(session))


@router.patch("/mailboxes/{mailbox_id}/vacation", response=VacationOut, summary="Change some of the vacation reply")
@needs("mailboxes:write")
@fails(409, 503)
def vacation_change(request: HttpRequest, mailbox_id: int, data: VacationChange) -> Any:
    """What is left out stays; 409 where anything changed since `seen`, or meanwhile."""
    account = settings_box(request, mailbox_id)
    given = data.dict(exclude={"zone", "seen"}, exclude_unset=True)
    zone = _zone(data.zone)
    with service.open_filters(request, account) as session:
        setup = service.read_setup(session)
        now = setup.filters.vacation
        own = allowed_addresses(account)
        form = _form(account, vacation_initial(now, own) | given)
        with timezone.override(zone):
            require_valid(form)
            made = form.vacation()
        made = replace(
            made, **{f"zone_{day}": getattr(now, f"zone_{day}") for day in ("first", "last") if day not in given}
        )
        seen = setup.seen if data.seen is None else data.seen
        before, _warnings = service.change_filters(
            session, lambda filters: service.set_vacation(filters, made), seen=seen
        )
        note_vacation(account, before=before.filters.vacation, after=made, by=caller_of(request).actor)
        return VacationOut.of(account, service.read_setup(session))


def _form(account: MailAccount, given: dict[str, Any]) -> VacationForm:
    """The form that says what is wrong with a whole reply; addresses null: all of one's own."""
    own, named = allowed_addresses(account), given["addresses"]
    addresses = own if named is None else [one.strip().lower() for one in named]
    return VacationForm(given | {"addresses": addresses}, own_addresses=own)


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    if name not in available_timezones():
        raise ValidationError({"zone": _("There is no such time zone, as America/Santiago.")})
    return ZoneInfo(name)
