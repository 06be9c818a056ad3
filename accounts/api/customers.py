"""Plans, resellers, customers, and who is invited to run what."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status

from accounts.api.callers import Caller, TooManyRequests, caller_of, calling, one
from accounts.api.pages import Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas import (
    CustomerChange,
    CustomerIn,
    CustomerOut,
    InvitationIn,
    InvitationOut,
    Me,
    NameIn,
    Pages,
    PlanIn,
    PlanOut,
    ResellerOut,
    SpaceOut,
)
from accounts.models import Customer, CustomerSpace, Kind, Plan, Reseller
from accounts.rates import take_both
from accounts.services import customers, invitations
from accounts.services.permissions import Action, may, may_grant

router = Router()


@router.get("/me", response=Me, tags=["Token"], summary="Who the token acts for, and what it may do")
def me(request: HttpRequest) -> Any:
    token = caller_of(request).token
    values = {"scopes": token.scopes, "customer": token.customer_id, "expires": token.expires}
    return Me(person=token.person.email, token=token.name, **values)


# --- Plans ------------------------------------------------------------------------------------------------------------------
@router.get("/plans", response=Pages[PlanOut], tags=["Plans"], summary="The plans that can be given")
def plan_list(request: HttpRequest, after: int = 0, limit: Limit = 50) -> Any:
    caller = calling(request, "customers:read")
    return page_of(caller.plans(), PlanOut.of, after, limit)


@router.post("/plans", response={201: PlanOut}, tags=["Plans"], summary="Make a plan")
@idempotent
def plan_new(request: HttpRequest, data: PlanIn) -> Any:
    caller = calling(request, "customers:write")
    caller.allow(Action.RUN_PROVIDER)
    _free_plan_name(data.name)
    plan = customers.save_plan(plan=Plan(**data.dict()), by=caller.actor, new=True)
    return Status(201, PlanOut.of(plan))


@router.get("/plans/{plan_id}", response=PlanOut, tags=["Plans"], summary="A plan")
def plan_get(request: HttpRequest, plan_id: int) -> Any:
    return PlanOut.of(one(calling(request, "customers:read").plans(), plan_id))


@router.put("/plans/{plan_id}", response=PlanOut, tags=["Plans"], summary="Change a plan")
def plan_change(request: HttpRequest, plan_id: int, data: PlanIn) -> Any:
    caller = calling(request, "customers:write")
    plan: Plan = one(caller.plans(), plan_id)
    caller.allow(Action.RUN_PROVIDER)
    _free_plan_name(data.name, but=plan)
    for name, value in data.dict().items():
        setattr(plan, name, value)
    return PlanOut.of(customers.save_plan(plan=plan, by=caller.actor, new=False))


# --- Resellers --------------------------------------------------------------------------------------------------------------
@router.get("/resellers", response=Pages[ResellerOut], tags=["Resellers"], summary="The resellers")
def reseller_list(request: HttpRequest, after: int = 0, limit: Limit = 50) -> Any:
    return page_of(calling(request, "customers:read").resellers(), ResellerOut.of, after, limit)


@router.post("/resellers", response={201: ResellerOut}, tags=["Resellers"], summary="Make a reseller")
@idempotent
def reseller_new(request: HttpRequest, data: NameIn) -> Any:
    caller = calling(request, "customers:write")
    caller.allow(Action.RUN_PROVIDER)
    return Status(201, ResellerOut.of(customers.create_reseller(name=data.name, by=caller.actor)))


# --- Customers --------------------------------------------------------------------------------------------------------------
@router.get("/customers", response=Pages[CustomerOut], tags=["Customers"], summary="The customers")
def customer_list(request: HttpRequest, after: int = 0, limit: Limit = 50, name: Text = "") -> Any:
    rows = calling(request, "customers:read").customers()
    return page_of(rows.filter(name__icontains=name) if name else rows, CustomerOut.of, after, limit)


@router.post("/customers", response={201: CustomerOut}, tags=["Customers"], summary="Make a customer")
@idempotent
def customer_new(request: HttpRequest, data: CustomerIn) -> Any:
    caller = calling(request, "customers:write")
    caller.allow(Action.ADD_CUSTOMER)
    customer = customers.create_customer(
        name=data.name, plan=_plan(caller, data.plan), reseller=_seller(caller, data.reseller), by=caller.actor
    )
    return Status(201, CustomerOut.of(customer))


@router.get("/customers/{customer_id}", response=CustomerOut, tags=["Customers"], summary="A customer")
def customer_get(request: HttpRequest, customer_id: int) -> Any:
    return CustomerOut.of(_customer(calling(request, "customers:read"), customer_id, Action.SEE_CUSTOMER))


@router.patch("/customers/{customer_id}", response=CustomerOut, tags=["Customers"], summary="Another name or plan")
def customer_change(request: HttpRequest, customer_id: int, data: CustomerChange) -> Any:
    caller = calling(request, "customers:write")
    customer = _customer(caller, customer_id, Action.CHANGE_CUSTOMER)
    plan = customer.plan if data.plan is None else _plan(caller, data.plan)
    customers.change_customer(
        customer=customer, name=customer.name if data.name is None else data.name, plan=plan, by=caller.actor
    )
    return CustomerOut.of(Customer.objects.get(pk=customer.pk))


@router.get(
    "/customers/{customer_id}/space", response=SpaceOut, tags=["Space"], summary="The space that a customer uses"
)
def customer_space(request: HttpRequest, customer_id: int) -> Any:
    customer = _customer(calling(request, "usage:read"), customer_id, Action.SEE_CUSTOMER)
    space = CustomerSpace.objects.filter(customer=customer).first() or CustomerSpace(customer=customer)
    return SpaceOut.of_customer(space, customer.plan.total_bytes)


# --- People -----------------------------------------------------------------------------------------------------------------
@router.get(
    "/invitations", response=Pages[InvitationOut], tags=["People"], summary="Who is invited and has not answered"
)
def invitation_list(request: HttpRequest, after: int = 0, limit: Limit = 50) -> Any:
    return page_of(calling(request, "people:read").invitations(), InvitationOut.of, after, limit)


@router.post(
    "/invitations", response={201: InvitationOut}, tags=["People"], summary="Invite somebody to a role, by a letter"
)
@idempotent
def invitation_new(request: HttpRequest, data: InvitationIn) -> Any:
    caller = calling(request, "people:write")
    named = [name for name in ("reseller", "customer", "domain") if getattr(data, name) is not None]
    if data.kind not in Kind.values or named != ([] if data.kind == Kind.PROVIDER else [data.kind]):
        raise ValidationError({"kind": "One of provider, reseller, customer, domain, and what it is over."})
    rows: dict[str, Any] = {"reseller": caller.resellers(), "customer": caller.customers(), "domain": caller.domains()}
    target = one(rows[named[0]], getattr(data, named[0])) if named else None
    if target is None:
        caller.allow(Action.RUN_PROVIDER)
    if not may_grant(caller.person, data.kind, target):
        raise PermissionDenied("the person of this token may not give that role")
    if not take_both(request, "invite", caller.person.pk, data.address.lower()):
        raise TooManyRequests(3600)
    invitation, token = invitations.invite(address=data.address, kind=data.kind, target=target, by=caller.actor)
    transaction.on_commit(lambda: invitations.send_invitation(invitation, token))
    return Status(201, InvitationOut.of(invitation))


@router.delete("/invitations/{invitation_id}", response={204: None}, tags=["People"], summary="Take an invitation back")
def invitation_delete(request: HttpRequest, invitation_id: int) -> Any:
    caller = calling(request, "people:write")
    row = one(caller.invitations(), invitation_id)
    if not may_grant(caller.person, row.kind, row.target):
        raise PermissionDenied("the person of this token may not take that back")
    invitations.withdraw(role=row, by=caller.actor)
    return Status(204, None)


def _customer(caller: Caller, key: int, action: Action) -> Customer:
    customer: Customer = one(caller.customers().select_related("plan", "reseller"), key)
    caller.allow(action, customer)
    return customer


def _plan(caller: Caller, key: int) -> Plan:
    plan: Plan | None = caller.plans().filter(pk=key).first()
    if plan is None:
        raise ValidationError({"plan": "There is no such plan."})
    return plan


def _seller(caller: Caller, key: int | None) -> Reseller | None:
    """The one that is named; for a reseller who names none, their own."""
    rows = caller.resellers()
    if key is None:
        return None if may(caller.person, Action.RUN_PROVIDER) else rows.order_by("pk").first()
    reseller: Reseller | None = rows.filter(pk=key).first()
    if reseller is None:
        raise ValidationError({"reseller": "There is no such reseller."})
    return reseller


def _free_plan_name(name: str, *, but: Plan | None = None) -> None:
    others = Plan.objects.exclude(pk=but.pk) if but else Plan.objects.all()
    if others.filter(name=name).exists():
        raise ValidationError({"name": "There is a plan with this name."})
