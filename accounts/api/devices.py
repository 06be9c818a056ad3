"""Passwords of single devices and programs: the list, a new one, revoking. Only a mailbox's owner makes one: with it mail is
read and nobody would see who does. Whoever runs the mailbox may revoke."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import caller_of, fails, needs, one
from accounts.api.loading import use_mailbox
from accounts.api.owners import confirm_own
from accounts.api.pages import Limit, page_of
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Pages
from accounts.api.schemas.devices import AppPasswordIn, AppPasswordMade, AppPasswordOut
from accounts.models import AppPassword, MailAccount
from accounts.services.app_passwords import MOST, NameTaken, TooMany, make_app_password, revoke_app_password

router = Router(tags=["Passwords of devices"])


@router.get(
    "/mailboxes/{mailbox_id}/app-passwords", response=Pages[AppPasswordOut], summary="The passwords of single devices"
)
@needs("mailboxes:read")
def app_password_list(request: HttpRequest, mailbox_id: int, after: int = 0, limit: Limit = 50) -> Any:
    """Without the passwords themselves, which nobody sees twice."""
    mailbox = use_mailbox(caller_of(request), mailbox_id)
    return page_of(AppPassword.objects.filter(mailbox=mailbox), AppPasswordOut.of, after, limit)


@router.post(
    "/mailboxes/{mailbox_id}/app-passwords",
    response={201: AppPasswordMade},
    summary="Make a password for one device, by the mailbox's owner",
)
@needs("mailboxes:write")
@idempotent
@fails(409)
def app_password_new(request: HttpRequest, mailbox_id: int, data: AppPasswordIn) -> Any:
    """The owner alone makes one, with the mailbox's password in `current_password`."""
    caller = caller_of(request)
    mailbox = use_mailbox(caller, mailbox_id)
    if not MailAccount.objects.filter(mailbox=mailbox, owner=caller.person).exists():
        raise PermissionDenied(_("only the mailbox's owner makes passwords of devices"))
    confirm_own(request, mailbox, data.current_password)
    shut = [name for name in data.protocols if not getattr(mailbox, name)]
    if shut:
        raise ValidationError({"protocols": _("Not open for this mailbox: %(names)s.") % {"names": ", ".join(shut)}})
    if not mailbox.is_open:
        raise Problem(409, _("The mailbox is suspended or deleted."))
    if not data.name.strip():
        raise ValidationError({"name": _("Say for which device or program it is.")})
    try:
        made = make_app_password(mailbox=mailbox, name=data.name, protocols=data.protocols, by=caller.actor)
    except NameTaken as error:
        raise ValidationError({"name": _("There is a password of this name already.")}) from error
    except TooMany as error:
        raise ValidationError({"name": _("There can be at most %(n)s: revoke one first.") % {"n": MOST}}) from error
    return Status(201, AppPasswordMade(**AppPasswordOut.of(made.row).dict(), password=made.password))


@router.delete(
    "/mailboxes/{mailbox_id}/app-passwords/{password_id}",
    response={204: None},
    summary="Revoke the password of a device",
)
@needs("mailboxes:write")
def app_password_revoke(request: HttpRequest, mailbox_id: int, password_id: int) -> Any:
    """It counts no more at the next sign-in, and open sessions of the mailbox end."""
    caller = caller_of(request)
    mailbox = use_mailbox(caller, mailbox_id)
    revoke_app_password(one(AppPassword.objects.filter(mailbox=mailbox), password_id), by=caller.actor)
    return Status(204, None)
