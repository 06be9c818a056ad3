"""How the program of a mailbox's owner is set up: the settings, and the guides as steps."""

from __future__ import annotations

from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _
from ninja import Router

from accounts.api.callers import caller_of, fails, needs
from accounts.api.loading import use_mailbox, use_there
from accounts.api.problems import Problem
from accounts.api.schemas.setup import GuideOut, LeaveIn, PlaceOut, SetupOut, StepOut, StepsOut
from accounts.models import MailAccount, Mailbox
from accounts.services import advice
from accounts.services.setup import values_of
from accounts.setup.guides import steps_for
from accounts.setup.programs import PROGRAMS, find_program
from accounts.setup.values import Protocol, SetupValues

router = Router(tags=["Set-up"])
Language = Literal["en", "es"]


@router.get("/mailboxes/{mailbox_id}/setup", response=SetupOut, summary="The settings for a mail program")
@needs("mailboxes:read")
def mailbox_setup(request: HttpRequest, mailbox_id: int, language: Language = "en") -> Any:
    mailbox = use_mailbox(caller_of(request), mailbox_id)
    values = _values(mailbox)
    with translation.override(language):
        guides = [GuideOut(program=one.slug, name=str(one.name), runs_on=str(one.runs_on)) for one in PROGRAMS]
    return SetupOut(
        address=mailbox.address,
        login=values.login_for(mailbox.address),
        provider=values.provider,
        protocols=list(values.protocols),
        incoming=[PlaceOut.of(protocol, place) for protocol, place in values.incoming],
        outgoing=[PlaceOut.of("smtp", place) for place in values.smtp],
        leave_days=values.choice.leave_days,
        guides=guides,
    )


@router.get(
    "/mailboxes/{mailbox_id}/setup/{program}",
    response=StepsOut,
    summary="The guide of a program (`program` of the settings), step by step",
)
@needs("mailboxes:read")
def mailbox_guide(
    request: HttpRequest,
    mailbox_id: int,
    program: str,
    protocol: Literal["imap", "pop3"] | None = None,
    language: Language = "en",
) -> Any:
    mailbox = use_mailbox(caller_of(request), mailbox_id)
    found = find_program(program)
    if found is None:
        raise Http404
    values = _values(mailbox)
    wanted: Protocol | None = protocol or next(iter(values.protocols), None)
    with translation.override(language):
        steps = steps_for(found, wanted, values, mailbox.address, profile=False) if wanted else None
        if steps is None or wanted is None:
            raise ValidationError({"protocol": _("That is not open for this mailbox.")})
        shown = [StepOut.of(one) for one in steps]
        return StepsOut(program=found.slug, name=str(found.name), protocol=wanted, language=language, steps=shown)


@router.put(
    "/mailboxes/{mailbox_id}/leave-days",
    response=SetupOut,
    summary="For how many days programs that download are told to leave copies",
)
@needs("mailboxes:write")
@fails(409)
def mailbox_leave_days(request: HttpRequest, mailbox_id: int, data: LeaveIn) -> Any:
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    try:
        advice.leave_copies(mailbox=mailbox, days=data.days, by=caller.actor)
    except advice.NotOffered as error:
        text = _("POP3 is not open for this mailbox, nobody has used it yet, or Casilla itself downloads it.")
        raise Problem(409, text) from error
    return mailbox_setup(request, mailbox_id)


def _values(mailbox: Mailbox) -> SetupValues:
    """As its owner is told, also before they have signed in."""
    account: MailAccount | None = getattr(mailbox, "account", None)
    return values_of(account or MailAccount(mailbox=mailbox, address=mailbox.address))
