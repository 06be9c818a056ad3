"""Plans, resellers and customers."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import Caller, caller_of, needs, one
from accounts.api.loading import customer_by, plan_named, reseller_named
from accounts.api.pages import Key, Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Me, Pages
from accounts.api.schemas.hosting import (
    AlertIn,
    AllowanceOut,
    CustomerChange,
    CustomerIn,
    CustomerOut,
    NameIn,
    PlanChange,
    PlanIn,
    PlanOut,
    PlanWhole,
    ResellerOut,
)
from accounts.models import Customer, Plan, Reseller
from accounts.services import customers
from accounts.services.limits import taken_by
from accounts.services.names import clean_name
from accounts.services.permissions import Action
from accounts.services.references import set_reference
from accounts.services.suspending import resume_customer, suspend_customer

router = Router()


@router.get("/me", response=Me, tags=["Token"], summary="Who the token acts for, and what it may do")
@needs("")
def me(request: HttpRequest) -> Any:
    """Any token may ask, whatever its scopes."""
    token = caller_of(request).token
    values = {"scopes": token.scopes, "customer": token.customer_id, "expires": token.expires}
    return Me(person=token.person.email, token=token.name, **values)


# --- Plans ------------------------------------------------------------------------------------------------------------------
@router.get("/plans", response=Pages[PlanOut], tags=["Plans"], summary="The plans that can be given")
@needs("customers:read")
def plan_list(request: HttpRequest, after: int = 0, limit: Limit = 50) -> Any:
    """All for those who sell, else the plans of one's customers."""
    return page_of(caller_of(request).plans(), PlanOut.of, after, limit)


@router.post("/plans", response={201: PlanOut}, tags=["Plans"], summary="Make a plan")
@needs("customers:write")
@idempotent
def plan_new(request: HttpRequest, data: PlanIn) -> Any:
    """By the provider's people; 422 for a name that is taken."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    _free_plan_name(data.name)
    plan = customers.save_plan(plan=Plan(**data.dict()), by=caller.actor, new=True)
    return Status(201, PlanOut.of(plan))


@router.get("/plans/{plan_id}", response=PlanOut, tags=["Plans"], summary="A plan")
@needs("customers:read")
def plan_get(request: HttpRequest, plan_id: int) -> Any:
    """Null is no limit."""
    return PlanOut.of(one(caller_of(request).plans(), plan_id))


@router.put("/plans/{plan_id}", response=PlanOut, tags=["Plans"], summary="Replace all of a plan, for all who have it")
@needs("customers:write")
def plan_replace(request: HttpRequest, plan_id: int, data: PlanWhole) -> Any:
    """By the provider's people; all of it is sent."""
    return _changed(caller_of(request), plan_id, data.dict())


@router.patch("/plans/{plan_id}", response=PlanOut, tags=["Plans"], summary="Change what is given of a plan")
@needs("customers:write")
def plan_change(request: HttpRequest, plan_id: int, data: PlanChange) -> Any:
    """By the provider's people; what is left out stays."""
    return _changed(caller_of(request), plan_id, data.dict(exclude_unset=True))


@router.delete("/plans/{plan_id}", response={204: None}, tags=["Plans"], summary="Remove a plan that nobody has")
@needs("customers:write")
def plan_delete(request: HttpRequest, plan_id: int) -> Any:
    """By the provider's people; 422 while a customer has it."""
    caller = caller_of(request)
    plan: Plan = one(caller.plans(), plan_id)
    caller.allow(Action.RUN_PROVIDER)
    customers.delete_plan(plan=plan, by=caller.actor)
    return Status(204, None)


# --- Resellers --------------------------------------------------------------------------------------------------------------
@router.get("/resellers", response=Pages[ResellerOut], tags=["Resellers"], summary="The resellers")
@needs("customers:read")
def reseller_list(request: HttpRequest, after: int = 0, limit: Limit = 50, name: Text = "") -> Any:
    """The provider's people see all, a reseller's their own; narrowed to a part of the `name`."""
    rows = caller_of(request).resellers()
    return page_of(rows.filter(name__icontains=name) if name else rows, ResellerOut.of, after, limit)


@router.post("/resellers", response={201: ResellerOut}, tags=["Resellers"], summary="Make a reseller")
@needs("customers:write")
@idempotent
def reseller_new(request: HttpRequest, data: NameIn) -> Any:
    """By the provider's people; 422 for a name that is taken."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    return Status(201, ResellerOut.of(customers.create_reseller(name=data.name, by=caller.actor)))


@router.get("/resellers/{reseller_id}", response=ResellerOut, tags=["Resellers"], summary="A reseller")
@needs("customers:read")
def reseller_get(request: HttpRequest, reseller_id: int) -> Any:
    """By the provider's people and its own."""
    return ResellerOut.of(one(caller_of(request).resellers(), reseller_id))


@router.patch("/resellers/{reseller_id}", response=ResellerOut, tags=["Resellers"], summary="Another name")
@needs("customers:write")
def reseller_change(request: HttpRequest, reseller_id: int, data: NameIn) -> Any:
    """By the provider's people."""
    caller = caller_of(request)
    reseller: Reseller = one(caller.resellers(), reseller_id)
    caller.allow(Action.RUN_PROVIDER)
    customers.rename_reseller(reseller=reseller, name=data.name, by=caller.actor)
    return ResellerOut.of(reseller)


@router.put(
    "/resellers/{reseller_id}/alert",
    response=ResellerOut,
    tags=["Resellers"],
    summary="At how much of its customers' space its people are told",
)
@needs("customers:write")
def reseller_alert(request: HttpRequest, reseller_id: int, data: AlertIn) -> Any:
    """By the provider's people and its own; null is as usual."""
    caller = caller_of(request)
    reseller: Reseller = one(caller.resellers(), reseller_id)
    before, reseller.alert_steps = reseller.alert_steps, data.steps
    customers.set_reseller_steps(reseller=reseller, before=before, by=caller.actor)
    return ResellerOut.of(reseller)


@router.delete(
    "/resellers/{reseller_id}", response={204: None}, tags=["Resellers"], summary="Remove one without customers"
)
@needs("customers:write")
def reseller_delete(request: HttpRequest, reseller_id: int) -> Any:
    """By the provider's people; 422 while it has customers."""
    caller = caller_of(request)
    reseller: Reseller = one(caller.resellers(), reseller_id)
    caller.allow(Action.RUN_PROVIDER)
    customers.delete_reseller(reseller=reseller, by=caller.actor)
    return Status(204, None)


# --- Customers --------------------------------------------------------------------------------------------------------------
@router.get("/customers", response=Pages[CustomerOut], tags=["Customers"], summary="The customers")
@needs("customers:read")
def customer_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    name: Text = "",
    reseller: Key = None,
    plan: Key = None,
    reference: Text = "",
) -> Any:
    """Narrowed to a part of the `name`, a `reseller`, a `plan`, or the other panel's `reference`."""
    rows = caller_of(request).customers()
    if reference:
        rows = rows.filter(reference=reference.strip())
    if name:
        rows = rows.filter(name__icontains=name)
    if reseller is not None:
        rows = rows.filter(reseller=reseller)
    if plan is not None:
        rows = rows.filter(plan=plan)
    return page_of(rows, CustomerOut.of, after, limit)


@router.post("/customers", response={201: CustomerOut}, tags=["Customers"], summary="Make a customer")
@needs("customers:write")
@idempotent
def customer_new(request: HttpRequest, data: CustomerIn) -> Any:
    """By the provider's people and resellers; 422 for a name or reference that is taken."""
    caller = caller_of(request)
    caller.allow(Action.ADD_CUSTOMER)
    plan, reseller = plan_named(caller, data.plan), reseller_named(caller, data.reseller)
    values: dict[str, Any] = {"name": data.name, "plan": plan, "reseller": reseller, "reference": data.reference}
    customer = customers.create_customer(by=caller.actor, **values)
    return Status(201, CustomerOut.of(customer))


@router.get("/customers/{customer_id}", response=CustomerOut, tags=["Customers"], summary="A customer")
@needs("customers:read")
def customer_get(request: HttpRequest, customer_id: int) -> Any:
    """By those who sell to it and its own people."""
    return CustomerOut.of(customer_by(caller_of(request), customer_id, Action.SEE_CUSTOMER))


@router.patch(
    "/customers/{customer_id}", response=CustomerOut, tags=["Customers"], summary="Another name, plan or reseller"
)
@needs("customers:write")
def customer_change(request: HttpRequest, customer_id: int, data: CustomerChange) -> Any:
    """By those who sell to it, all or nothing; 422 for a plan with less room than is taken."""
    caller = caller_of(request)
    customer = customer_by(caller, customer_id, Action.CHANGE_CUSTOMER)
    with transaction.atomic():
        if "reseller" in data.model_fields_set:
            _move(request, customer, data.reseller)
        given = data.model_fields_set
        plan = plan_named(caller, data.plan) if "plan" in given else customer.plan
        name = data.name if "name" in given else customer.name
        if (name, plan.pk) != (customer.name, customer.plan_id):
            customers.change_customer(customer=customer, name=name, plan=plan, by=caller.actor)
        if "reference" in given:
            set_reference(thing=customer, reference=data.reference, by=caller.actor)
    return CustomerOut.of(Customer.objects.get(pk=customer.pk))


@router.delete(
    "/customers/{customer_id}", response={204: None}, tags=["Customers"], summary="Remove one without domains"
)
@needs("customers:write")
def customer_delete(request: HttpRequest, customer_id: int) -> Any:
    """By those who sell to it; 422 while it has domains."""
    caller = caller_of(request)
    customers.delete_customer(customer=customer_by(caller, customer_id, Action.CHANGE_CUSTOMER), by=caller.actor)
    return Status(204, None)


@router.post(
    "/customers/{customer_id}/suspend",
    response=CustomerOut,
    tags=["Customers"],
    summary="Shut all of its mailboxes at once, as for an account that is not paid; their own switches stay",
)
@needs("customers:write")
@idempotent
def customer_suspend(request: HttpRequest, customer_id: int) -> Any:
    """Nobody signs in, nothing is received or sent, open sessions end."""
    caller = caller_of(request)
    customer = customer_by(caller, customer_id, Action.CHANGE_CUSTOMER)
    suspend_customer(customer=customer, by=caller.actor)
    return CustomerOut.of(customer)


@router.post(
    "/customers/{customer_id}/resume",
    response=CustomerOut,
    tags=["Customers"],
    summary="Open a suspended customer again: each domain and mailbox as it was set",
)
@needs("customers:write")
@idempotent
def customer_resume(request: HttpRequest, customer_id: int) -> Any:
    """What was shut of a domain or mailbox alone stays shut."""
    caller = caller_of(request)
    customer = customer_by(caller, customer_id, Action.CHANGE_CUSTOMER)
    resume_customer(customer=customer, by=caller.actor)
    return CustomerOut.of(customer)


@router.get(
    "/customers/{customer_id}/allowance",
    response=AllowanceOut,
    tags=["Customers"],
    summary="What the plan gives, and what is taken of it",
)
@needs("customers:read")
def customer_allowance(request: HttpRequest, customer_id: int) -> Any:
    """What deleted mailboxes hold is not counted."""
    customer = customer_by(caller_of(request), customer_id, Action.SEE_CUSTOMER)
    taken, plan = taken_by(customer), customer.plan
    limits = {name: getattr(plan, name) for name in ("mailbox_limit", "total_bytes", "largest_mailbox_bytes")}
    return AllowanceOut(mailboxes=taken.mailboxes, allotted_bytes=taken.allotted_bytes, **limits)


@router.put(
    "/customers/{customer_id}/alert",
    response=CustomerOut,
    tags=["Customers"],
    summary="At how much of the plan's space its people are told",
)
@needs("customers:write")
def customer_alert(request: HttpRequest, customer_id: int, data: AlertIn) -> Any:
    """By those who sell to it and its own people; null is as usual."""
    caller = caller_of(request)
    customer = customer_by(caller, customer_id, Action.SEE_CUSTOMER)
    before, customer.alert_steps = customer.alert_steps, data.steps
    customers.set_alert_steps(customer=customer, before=before, by=caller.actor)
    return CustomerOut.of(customer)


def _move(request: HttpRequest, customer: Customer, key: int | None) -> None:
    """Gives the customer to this reseller, or takes it to the provider."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    reseller = None if key is None else reseller_named(caller, key)
    customers.move_customer(customer=customer, reseller=reseller, by=caller.actor)
    customer.reseller = reseller


def _changed(caller: Caller, plan_id: int, given: dict[str, Any]) -> PlanOut:
    plan: Plan = one(caller.plans(), plan_id)
    caller.allow(Action.RUN_PROVIDER)
    above = given.pop("above", False)
    if "name" in given:
        _free_plan_name(given["name"], but=plan)
    for name, value in given.items():
        setattr(plan, name, value)
    return PlanOut.of(customers.save_plan(plan=plan, by=caller.actor, new=False, above=above))


def _free_plan_name(name: str, *, but: Plan | None = None) -> None:
    if not clean_name(name):
        raise ValidationError({"name": _("Give it a name.")})
    others = Plan.objects.exclude(pk=but.pk) if but else Plan.objects.all()
    if others.filter(name=clean_name(name)).exists():
        raise ValidationError({"name": _("There is a plan with this name.")})
