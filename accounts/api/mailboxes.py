"""Mailboxes: made, changed, suspended, renamed, deleted and had back; passwords, forwards, space, activity."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status

from accounts.api.callers import Caller, calling, one
from accounts.api.pages import Days, Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas import (
    AppPasswordOut,
    EventOut,
    Forwards,
    MailboxChange,
    MailboxIn,
    MailboxMade,
    MailboxOut,
    Pages,
    PasswordIn,
    PasswordOut,
    RenameIn,
    SpaceOut,
)
from accounts.models import AppPassword, Mailbox, MailboxSpace
from accounts.services import forwards, mailboxes
from accounts.services.addresses import parse_local
from accounts.services.app_passwords import revoke_app_password
from accounts.services.passwords import generate_password
from accounts.services.permissions import Action, may_take_over, outranks
from accounts.services.timeline import timeline_of

router = Router(tags=["Mailboxes"])


@router.get("/mailboxes", response=Pages[MailboxOut], summary="The mailboxes, deleted ones too")
def mailbox_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    domain: int | None = None,
    address: Text = "",
    deleted: bool | None = None,
) -> Any:
    rows = calling(request, "mailboxes:read").mailboxes()
    if domain is not None:
        rows = rows.filter(domain=domain)
    if address:
        rows = rows.filter(address=address.strip().lower())
    if deleted is not None:
        rows = rows.filter(deleted__isnull=not deleted)
    return page_of(rows, MailboxOut.of, after, limit)


@router.post("/mailboxes", response={201: MailboxMade}, summary="Make a mailbox")
@idempotent
def mailbox_new(request: HttpRequest, data: MailboxIn) -> Any:
    caller = calling(request, "mailboxes:write")
    domain = caller.domains().select_related("customer__plan").filter(pk=data.domain).first()
    if domain is None:
        raise ValidationError({"domain": "There is no such domain."})
    caller.allow(Action.RUN_DOMAIN, domain)
    if not outranks(caller.person, parse_local(data.local, domain)):
        raise PermissionDenied("somebody who runs more signs in with that address")
    mailbox, password = mailboxes.create_mailbox(
        domain=domain,
        local=data.local,
        by=caller.actor,
        name=data.name,
        password=data.password or "",
        quota_bytes=data.quota_bytes,
        recovery_address=data.recovery_address,
    )
    shown = MailboxOut.of(mailbox)
    return Status(201, MailboxMade(**shown.dict(), password=None if data.password else password))


@router.get("/mailboxes/{mailbox_id}", response=MailboxOut, summary="A mailbox")
def mailbox_get(request: HttpRequest, mailbox_id: int) -> Any:
    return MailboxOut.of(_mailbox(calling(request, "mailboxes:read"), mailbox_id, Action.SEE_MAILBOX))


@router.patch("/mailboxes/{mailbox_id}", response=MailboxOut, summary="Change what is given, all of it or nothing")
def mailbox_change(request: HttpRequest, mailbox_id: int, data: MailboxChange) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    given = {name: value for name, value in data.dict(exclude_unset=True).items() if value is not None}
    states = {name: given.pop(name, getattr(mailbox, name)) for name in mailboxes.SUSPENDED}
    with transaction.atomic():
        if given:
            mailboxes.change_mailbox(mailbox=mailbox, by=caller.actor, **given)
        mailboxes.suspend(mailbox=mailbox, by=caller.actor, **states)
    return MailboxOut.of(Mailbox.objects.get(pk=mailbox.pk))


@router.delete("/mailboxes/{mailbox_id}", response=MailboxOut, summary="Delete it; it can be had back for a while")
def mailbox_delete(request: HttpRequest, mailbox_id: int) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    mailboxes.delete(mailbox=mailbox, by=caller.actor)
    return MailboxOut.of(Mailbox.objects.get(pk=mailbox.pk))


@router.post("/mailboxes/{mailbox_id}/restore", response=MailboxOut, summary="Have a deleted mailbox back")
@idempotent
def mailbox_restore(request: HttpRequest, mailbox_id: int) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    mailboxes.restore(mailbox=mailbox, by=caller.actor)
    return MailboxOut.of(Mailbox.objects.get(pk=mailbox.pk))


@router.post("/mailboxes/{mailbox_id}/rename", response=MailboxOut, summary="Another address; its mail stays")
@idempotent
def mailbox_rename(request: HttpRequest, mailbox_id: int, data: RenameIn) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    if not outranks(caller.person, parse_local(data.local, mailbox.domain)):
        raise PermissionDenied("somebody who runs more signs in with that address")
    mailboxes.rename(mailbox=mailbox, local=data.local, keep_alias=data.keep_alias, by=caller.actor)
    return MailboxOut.of(Mailbox.objects.get(pk=mailbox.pk))


@router.post("/mailboxes/{mailbox_id}/password", response=PasswordOut, summary="A new password; open sessions end")
@idempotent
def mailbox_password(request: HttpRequest, mailbox_id: int, data: PasswordIn) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    password = data.password or generate_password()
    mailboxes.set_password(mailbox=mailbox, password=password, by=caller.actor, everywhere=data.everywhere)
    return PasswordOut(password=None if data.password else password)


# --- Forwards ---------------------------------------------------------------------------------------------------------------
@router.get("/mailboxes/{mailbox_id}/forwards", response=Forwards, summary="Where its mail is sent on to")
def forwards_get(request: HttpRequest, mailbox_id: int) -> Any:
    return _forwards(_mailbox(calling(request, "mailboxes:read"), mailbox_id, Action.SEE_MAILBOX))


@router.put(
    "/mailboxes/{mailbox_id}/forwards", response=Forwards, summary="Send its mail on, with or without keeping it"
)
def forwards_set(request: HttpRequest, mailbox_id: int, data: Forwards) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    forwards.set_forwards(mailbox=mailbox, by=caller.actor, **data.dict())
    return _forwards(Mailbox.objects.get(pk=mailbox.pk))


# --- Passwords of devices ---------------------------------------------------------------------------------------------------
@router.get(
    "/mailboxes/{mailbox_id}/app-passwords", response=Pages[AppPasswordOut], summary="The passwords of single devices"
)
def app_password_list(request: HttpRequest, mailbox_id: int, after: int = 0, limit: Limit = 50) -> Any:
    mailbox = _mailbox(calling(request, "mailboxes:read"), mailbox_id, Action.RUN_MAILBOX)
    return page_of(AppPassword.objects.filter(mailbox=mailbox), AppPasswordOut.of, after, limit)


@router.delete(
    "/mailboxes/{mailbox_id}/app-passwords/{password_id}",
    response={204: None},
    summary="Revoke the password of a device",
)
def app_password_revoke(request: HttpRequest, mailbox_id: int, password_id: int) -> Any:
    caller = calling(request, "mailboxes:write")
    mailbox = _mine(caller, mailbox_id)
    revoke_app_password(one(AppPassword.objects.filter(mailbox=mailbox), password_id), by=caller.actor)
    return Status(204, None)


# --- Space and activity -----------------------------------------------------------------------------------------------------
@router.get("/mailboxes/{mailbox_id}/space", response=SpaceOut, tags=["Space"], summary="The space that a mailbox uses")
def mailbox_space(request: HttpRequest, mailbox_id: int) -> Any:
    mailbox = _mailbox(calling(request, "usage:read"), mailbox_id, Action.SEE_MAILBOX)
    space = MailboxSpace.objects.filter(mailbox=mailbox).first()
    return SpaceOut.of_mailbox(space or MailboxSpace(mailbox=mailbox, quota_bytes=mailbox.quota_bytes))


@router.get(
    "/mailboxes/{mailbox_id}/activity", response=list[EventOut], tags=["Space"], summary="What happened to its mail"
)
def mailbox_activity(request: HttpRequest, mailbox_id: int, days: Days = 7) -> Any:
    mailbox = _mailbox(calling(request, "usage:read"), mailbox_id, Action.SEE_MAILBOX)
    return [EventOut.of(entry) for entry in timeline_of(mailbox, days=days).entries]


def _mailbox(caller: Caller, key: int, action: Action) -> Mailbox:
    mailbox: Mailbox = one(caller.mailboxes().select_related("domain__customer__plan"), key)
    caller.allow(action, mailbox)
    return mailbox


def _mine(caller: Caller, key: int) -> Mailbox:
    """One that the person runs, and whose owner they outrank."""
    mailbox = _mailbox(caller, key, Action.RUN_MAILBOX)
    if not may_take_over(caller.person, mailbox):
        raise PermissionDenied("it is the mailbox of somebody who runs more")
    return mailbox


def _forwards(mailbox: Mailbox) -> Forwards:
    addresses = list(mailbox.forwards.order_by("address").values_list("address", flat=True))
    return Forwards(addresses=addresses, keeps_copy=mailbox.keeps_copy)
