"""Who runs what: roles, and invitations to them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import Caller, TooManyRequests, caller_of, needs, one
from accounts.api.pages import Key, Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Pages
from accounts.api.schemas.people import InvitationIn, InvitationOut, RoleOut
from accounts.models import Invitation, Kind
from accounts.rates import take_both
from accounts.services import invitations
from accounts.services.invitations import Target
from accounts.services.permissions import Action, may_grant

router = Router(tags=["People"])


@router.get("/roles", response=Pages[RoleOut], summary="Who runs what")
@needs("people:read")
def role_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    kind: Text = "",
    person: Text = "",
    reseller: Key = None,
    customer: Key = None,
    domain: Key = None,
) -> Any:
    """Narrowed to a `kind`, a `person` by address, or what it is over."""
    rows = _over(caller_of(request).roles().select_related("person"), kind, reseller, customer, domain)
    return page_of(rows.filter(person__email=person.strip().lower()) if person else rows, RoleOut.of, after, limit)


@router.delete(
    "/roles/{role_id}", response={204: None}, summary="Take a role away; it counts no more at the next request"
)
@needs("people:write")
def role_delete(request: HttpRequest, role_id: int) -> Any:
    """By those who could give it; 422 for the provider's last."""
    caller = caller_of(request)
    row = one(caller.roles().select_related("person", *TARGETS), role_id)
    if not may_grant(caller.person, row.kind, row.target):
        raise PermissionDenied(_("the person of this token may not take that role away"))
    invitations.withdraw(role=row, by=caller.actor)
    return Status(204, None)


TARGETS = ("reseller", "customer__reseller", "domain__customer__reseller")


@router.get("/invitations", response=Pages[InvitationOut], summary="Who is invited and has not answered")
@needs("people:read")
def invitation_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    kind: Text = "",
    reseller: Key = None,
    customer: Key = None,
    domain: Key = None,
) -> Any:
    """Narrowed to a `kind` or what it is over; those that are over too."""
    rows = _over(caller_of(request).invitations(), kind, reseller, customer, domain)
    return page_of(rows, InvitationOut.of, after, limit)


@router.post("/invitations", response={201: InvitationOut}, summary="Invite somebody to a role, by a letter")
@needs("people:write")
@idempotent
def invitation_new(request: HttpRequest, data: InvitationIn) -> Any:
    """By those who may give the role; five letters an hour to one address at most."""
    caller = caller_of(request)
    named = [name for name in ("reseller", "customer", "domain") if getattr(data, name) is not None]
    if named != ([] if data.kind == Kind.PROVIDER.value else [data.kind]):
        raise ValidationError(
            {"kind": _("Name what it is over: the reseller, customer or domain; nothing for the provider.")}
        )
    target = _target(caller, named[0], getattr(data, named[0])) if named else None
    if target is None:
        caller.allow(Action.RUN_PROVIDER)
    if not may_grant(caller.person, data.kind, target):
        raise PermissionDenied(_("the person of this token may not give that role"))
    if not take_both(request, "invite", caller.person.pk, data.address.lower()):
        raise TooManyRequests(3600)
    invitation, token = invitations.invite(address=data.address, kind=data.kind, target=target, by=caller.actor)
    return Status(201, _sent(invitation, token))


@router.post(
    "/invitations/{invitation_id}/send", response=InvitationOut, summary="Send its letter again, with another link"
)
@needs("people:write")
@idempotent
def invitation_send(request: HttpRequest, invitation_id: int) -> Any:
    """The link until then opens nothing any more; the new one is good for a week."""
    caller = caller_of(request)
    row = one(caller.invitations().select_related(*TARGETS), invitation_id)
    if not may_grant(caller.person, row.kind, row.target):
        raise PermissionDenied(_("the person of this token may not give that role"))
    if not take_both(request, "invite", caller.person.pk, row.address):
        raise TooManyRequests(3600)
    return _sent(row, invitations.renew(row, by=caller.actor))


@router.delete("/invitations/{invitation_id}", response={204: None}, summary="Take an invitation back")
@needs("people:write")
def invitation_delete(request: HttpRequest, invitation_id: int) -> Any:
    """Its link opens nothing any more."""
    caller = caller_of(request)
    row = one(caller.invitations().select_related(*TARGETS), invitation_id)
    if not may_grant(caller.person, row.kind, row.target):
        raise PermissionDenied(_("the person of this token may not take that back"))
    invitations.withdraw(role=row, by=caller.actor)
    return Status(204, None)


def _sent(invitation: Invitation, token: str) -> InvitationOut:
    """The invitation as it is shown, whose letter goes out once the transaction is over."""
    made = InvitationOut.of(invitation)

    def send() -> None:
        invitations.send_invitation(invitation, token)
        made.letter = invitation.letter  # before the answer is written: that is done after the transaction

    transaction.on_commit(send)
    return made


def _target(caller: Caller, kind: str, key: int) -> Target:
    rows: dict[str, Any] = {"reseller": caller.resellers(), "customer": caller.customers(), "domain": caller.domains()}
    target: Target = rows[kind].filter(pk=key).first()
    if target is None:
        words = {"reseller": _("There is no such reseller."), "customer": _("There is no such customer.")}
        raise ValidationError({kind: words.get(kind, _("There is no such domain."))})
    return target


def _over(
    rows: QuerySet[Any], kind: str, reseller: int | None, customer: int | None, domain: int | None
) -> QuerySet[Any]:
    """Those of a kind, and over these things, as far as they are named."""
    wanted: dict[str, Any] = {"kind": kind or None, "reseller": reseller, "customer": customer, "domain": domain}
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})
