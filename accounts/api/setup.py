"""How the program of a mailbox's owner is set up: the settings, and the guides as steps."""

from __future__ import annotations

import base64
from typing import Any, Literal

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import TooManyRequests, caller_of, fails, needs
from accounts.api.loading import run_there, use_mailbox, use_there
from accounts.api.owners import confirm_own
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.setup import (
    GuideLetterIn,
    GuideLetterOut,
    GuideOut,
    LeaveIn,
    PlaceOut,
    ProfileIn,
    ProfileOut,
    SetupOut,
    StepOut,
    StepsOut,
)
from accounts.models import MailAccount, Mailbox
from accounts.rates import take_both
from accounts.services import advice
from accounts.services.app_passwords import MOST, TooMany
from accounts.services.guide_letters import send_guide
from accounts.services.login import account_of_mailbox
from accounts.services.profiles import make_profile
from accounts.services.setup import values_of
from accounts.setup.guides import steps_for
from accounts.setup.profile import CONTENT_TYPE
from accounts.setup.programs import PROGRAMS, find_program
from accounts.setup.values import Protocol, SetupValues

router = Router(tags=["Set-up"])
Language = Literal["en", "es"]


@router.get("/mailboxes/{mailbox_id}/setup", response=SetupOut, summary="The settings for a mail program")
@needs("mailboxes:read")
def mailbox_setup(request: HttpRequest, mailbox_id: int, language: Language = "en") -> Any:
    """By its owner and those who run it; no password is in it."""
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
    """404 for a program that there is no guide for, 422 for a protocol that is shut."""
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


@router.post(
    "/mailboxes/{mailbox_id}/setup/{program}/letter",
    response=GuideLetterOut,
    summary="Send the mailbox's owner the way to a guide by mail",
)
@needs("mailboxes:write")
@fails(503)
@idempotent
def mailbox_guide_letter(request: HttpRequest, mailbox_id: int, program: str, data: GuideLetterIn) -> Any:
    """By whoever runs the mailbox; no password is in it."""
    caller = caller_of(request)
    mailbox = run_there(caller, mailbox_id)
    found = find_program(program)
    if found is None:
        raise Http404
    account, protocol = _open_account(mailbox, data.protocol)
    to = mailbox.recovery_address or mailbox.address
    if not take_both(request, "invite", caller.person.pk, to):
        raise TooManyRequests(3600)
    with translation.override(data.language or translation.get_language()):
        sent = send_guide(account, found, protocol, to)
    if not sent:
        raise Problem(503, _("No mail server took the letter. Try again later."))
    return GuideLetterOut(to=to)


@router.post(
    "/mailboxes/{mailbox_id}/profile",
    response={201: ProfileOut},
    summary="Make a profile for one Apple device, with a password of its own, by the mailbox's owner",
)
@needs("mailboxes:write")
@idempotent
def mailbox_profile(request: HttpRequest, mailbox_id: int, data: ProfileIn) -> Any:
    """With it mail is read: whoever runs the mailbox makes none."""
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    if not MailAccount.objects.filter(mailbox=mailbox, owner=caller.person).exists():
        raise PermissionDenied(_("only the mailbox's owner makes passwords of devices"))
    confirm_own(request, mailbox, data.current_password)
    account, protocol = _open_account(mailbox, data.protocol)
    device = " ".join(data.device.split())
    if not device:
        raise ValidationError({"device": _("Say for which device or program it is.")})
    if not values_of(account).smtp:
        raise Problem(409, _("Sending is not open for this mailbox."))
    try:
        made = make_profile(account, protocol, device=device, by=caller.actor)
    except TooMany as error:
        raise ValidationError({"device": _("There can be at most %(n)s: revoke one first.") % {"n": MOST}}) from error
    text = base64.b64encode(made.data).decode()
    return Status(201, ProfileOut(content_type=CONTENT_TYPE, profile=text, app_password=made.row.pk))


@router.put(
    "/mailboxes/{mailbox_id}/leave-days",
    response=SetupOut,
    summary="For how many days programs that download are told to leave copies",
)
@needs("mailboxes:write")
@fails(409)
def mailbox_leave_days(request: HttpRequest, mailbox_id: int, data: LeaveIn) -> Any:
    """By its owner and those who run it; 409 where nobody downloads by POP3."""
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    try:
        advice.leave_copies(mailbox=mailbox, days=data.days, by=caller.actor)
    except advice.NotOffered as error:
        text = _("POP3 is not open for this mailbox, nobody has used it yet, or Casilla itself downloads it.")
        raise Problem(409, text) from error
    return mailbox_setup(request, mailbox_id)


def _open_account(mailbox: Mailbox, protocol: Protocol | None) -> tuple[MailAccount, Protocol]:
    """The account of an open mailbox, and the protocol that was asked for, else its own. Raises Problem 409, and ValidationError
    at `protocol` where that is shut."""
    if not mailbox.is_open:
        raise Problem(409, _("The mailbox is suspended or deleted."))
    account = account_of_mailbox(mailbox)
    offered = values_of(account).protocols
    wanted = protocol or next(iter(offered), None)
    if wanted is None or wanted not in offered:
        raise ValidationError({"protocol": _("That is not open for this mailbox.")})
    return account, wanted


def _values(mailbox: Mailbox) -> SetupValues:
    """As its owner is told, also before they have signed in."""
    account: MailAccount | None = getattr(mailbox, "account", None)
    return values_of(account or MailAccount(mailbox=mailbox, address=mailbox.address))
