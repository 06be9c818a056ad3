"""Domains, and the addresses in them that are no mailboxes: aliases, groups, who catches the rest."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from ninja import Router, Status

from accounts.api.callers import Caller, calling, one
from accounts.api.pages import Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas import (
    AliasIn,
    AliasOut,
    DomainChange,
    DomainIn,
    DomainOut,
    GroupChange,
    GroupIn,
    GroupOut,
    Pages,
    SpaceOut,
)
from accounts.models import Domain, DomainSpace, Group, Mailbox
from accounts.services import customers, forwards
from accounts.services.addresses import parse_local
from accounts.services.permissions import Action, outranks

router = Router()


@router.get("/domains", response=Pages[DomainOut], tags=["Domains"], summary="The domains")
def domain_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    customer: int | None = None,
    name: Text = "",
) -> Any:
    rows = calling(request, "domains:read").domains()
    if customer is not None:
        rows = rows.filter(customer=customer)
    if name:
        rows = rows.filter(name=_ascii(name))
    return page_of(rows, DomainOut.of, after, limit)


@router.post("/domains", response={201: DomainOut}, tags=["Domains"], summary="Add a domain to a customer")
@idempotent
def domain_new(request: HttpRequest, data: DomainIn) -> Any:
    caller = calling(request, "domains:write")
    customer = caller.customers().filter(pk=data.customer).first()
    if customer is None:
        raise ValidationError({"customer": "There is no such customer."})
    caller.allow(Action.CHANGE_CUSTOMER, customer)
    return Status(201, DomainOut.of(customers.create_domain(customer=customer, name=data.name, by=caller.actor)))


@router.get("/domains/{domain_id}", response=DomainOut, tags=["Domains"], summary="A domain")
def domain_get(request: HttpRequest, domain_id: int) -> Any:
    return DomainOut.of(_domain(calling(request, "domains:read"), domain_id, Action.SEE_DOMAIN))


@router.patch(
    "/domains/{domain_id}", response=DomainOut, tags=["Domains"], summary="Open or shut it; who catches the rest"
)
def domain_change(request: HttpRequest, domain_id: int, data: DomainChange) -> Any:
    caller = calling(request, "domains:write")
    given = data.dict(exclude_unset=True)
    domain = _domain(caller, domain_id, Action.RUN_DOMAIN)
    if given.get("active") is not None:
        caller.allow(Action.CHANGE_DOMAIN, domain)
    if "catch_all" in given:
        mailbox = _mailbox(caller, given["catch_all"], "catch_all") if given["catch_all"] is not None else None
        forwards.set_catch_all(domain=domain, mailbox=mailbox, by=caller.actor)
    if given.get("active") is not None:
        customers.open_domain(domain=domain, active=given["active"], by=caller.actor)
    return DomainOut.of(Domain.objects.get(pk=domain.pk))


@router.get("/domains/{domain_id}/space", response=SpaceOut, tags=["Space"], summary="The space that a domain uses")
def domain_space(request: HttpRequest, domain_id: int) -> Any:
    domain = _domain(calling(request, "usage:read"), domain_id, Action.SEE_DOMAIN)
    return SpaceOut.of_domain(DomainSpace.objects.filter(domain=domain).first() or DomainSpace(domain=domain))


# --- Aliases ----------------------------------------------------------------------------------------------------------------
@router.get(
    "/domains/{domain_id}/aliases", response=Pages[AliasOut], tags=["Addresses"], summary="The aliases of a domain"
)
def alias_list(request: HttpRequest, domain_id: int, after: int = 0, limit: Limit = 50) -> Any:
    caller = calling(request, "domains:read")
    domain = _domain(caller, domain_id, Action.RUN_DOMAIN)
    rows = caller.aliases().filter(address__endswith=f"@{domain.name}")
    return page_of(rows, AliasOut.of, after, limit)


@router.post("/domains/{domain_id}/aliases", response={201: AliasOut}, tags=["Addresses"], summary="Make an alias")
@idempotent
def alias_new(request: HttpRequest, domain_id: int, data: AliasIn) -> Any:
    caller = calling(request, "domains:write")
    domain = _domain(caller, domain_id, Action.RUN_DOMAIN)
    _check_rank(caller, domain, data.local)
    target = _mailbox(caller, data.mailbox, "mailbox")
    alias = forwards.create_alias(domain=domain, local=data.local, target=target, by=caller.actor)
    return Status(201, AliasOut.of(alias))


@router.delete("/aliases/{alias_id}", response={204: None}, tags=["Addresses"], summary="Remove an alias")
def alias_delete(request: HttpRequest, alias_id: int) -> Any:
    caller = calling(request, "domains:write")
    alias = one(caller.aliases().select_related("target__domain__customer"), alias_id)
    caller.allow(Action.RUN_DOMAIN, alias.target.domain)
    forwards.delete_alias(alias=alias, by=caller.actor)
    return Status(204, None)


# --- Groups -----------------------------------------------------------------------------------------------------------------
@router.get(
    "/domains/{domain_id}/groups", response=Pages[GroupOut], tags=["Addresses"], summary="The groups of a domain"
)
def group_list(request: HttpRequest, domain_id: int, after: int = 0, limit: Limit = 50) -> Any:
    caller = calling(request, "domains:read")
    domain = _domain(caller, domain_id, Action.RUN_DOMAIN)
    return page_of(caller.groups().filter(domain=domain).prefetch_related("members"), GroupOut.of, after, limit)


@router.post("/domains/{domain_id}/groups", response={201: GroupOut}, tags=["Addresses"], summary="Make a group")
@idempotent
def group_new(request: HttpRequest, domain_id: int, data: GroupIn) -> Any:
    caller = calling(request, "domains:write")
    domain = _domain(caller, domain_id, Action.RUN_DOMAIN)
    _check_rank(caller, domain, data.local)
    group = forwards.save_group(domain=domain, by=caller.actor, **data.dict())
    return Status(201, GroupOut.of(group))


@router.put("/groups/{group_id}", response=GroupOut, tags=["Addresses"], summary="Other members or another name")
def group_change(request: HttpRequest, group_id: int, data: GroupChange) -> Any:
    caller = calling(request, "domains:write")
    group = _group(caller, group_id)
    values: dict[str, Any] = {"local": group.address, "name": data.name, "members": data.members}
    return GroupOut.of(forwards.save_group(domain=group.domain, group=group, by=caller.actor, **values))


@router.delete("/groups/{group_id}", response={204: None}, tags=["Addresses"], summary="Remove a group")
def group_delete(request: HttpRequest, group_id: int) -> Any:
    caller = calling(request, "domains:write")
    forwards.delete_group(group=_group(caller, group_id), by=caller.actor)
    return Status(204, None)


def _domain(caller: Caller, key: int, action: Action) -> Domain:
    domain: Domain = one(caller.domains().select_related("customer__plan", "catch_all"), key)
    caller.allow(action, domain)
    return domain


def _group(caller: Caller, key: int) -> Group:
    group: Group = one(caller.groups().select_related("domain__customer"), key)
    caller.allow(Action.RUN_DOMAIN, group.domain)
    return group


def _mailbox(caller: Caller, key: int, field: str) -> Mailbox:
    mailbox: Mailbox | None = caller.mailboxes().select_related("domain__customer").filter(pk=key).first()
    if mailbox is None:
        raise ValidationError({field: "There is no such mailbox."})
    return mailbox


def _check_rank(caller: Caller, domain: Domain, local: str) -> None:
    """Nobody catches the mail of somebody who runs more than they do."""
    if not outranks(caller.person, parse_local(local, domain)):
        raise PermissionDenied("somebody who runs more signs in with that address")


def _ascii(name: str) -> str:
    try:
        return name.strip().lower().encode("idna").decode()
    except UnicodeError:
        return name.strip().lower()
