"""Addresses in a domain that are no mailboxes: aliases and groups."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status

from accounts.api.callers import caller_of, needs
from accounts.api.loading import alias_by, check_rank, domain_by, group_by, mailbox_named
from accounts.api.pages import Key, Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas.addresses import AliasIn, AliasOut, GroupChange, GroupIn, GroupOut, GroupPart
from accounts.api.schemas.common import Pages
from accounts.services import forwards
from accounts.services.limits import lock_customer
from accounts.services.permissions import Action

router = Router(tags=["Addresses"])


@router.get("/domains/{domain_id}/aliases", response=Pages[AliasOut], summary="The aliases of a domain")
@needs("domains:read")
def alias_list(
    request: HttpRequest,
    domain_id: int,
    after: int = 0,
    limit: Limit = 50,
    address: Text = "",
    mailbox: Key = None,
) -> Any:
    """By those who run the domain; narrowed to an `address`, or to those of a `mailbox`."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    rows = caller.aliases().filter(address__endswith=f"@{domain.name}")
    if address:
        rows = rows.filter(address=address.strip().lower())
    if mailbox is not None:
        rows = rows.filter(target=mailbox)
    return page_of(rows, AliasOut.of, after, limit)


@router.post("/domains/{domain_id}/aliases", response={201: AliasOut}, summary="Make an alias")
@needs("domains:write")
@idempotent
def alias_new(request: HttpRequest, domain_id: int, data: AliasIn) -> Any:
    """By those who run the domain; 422 for an address that is taken, 403 for that of somebody who runs more."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    check_rank(caller, domain, data.local)
    target = mailbox_named(caller, data.mailbox, "mailbox")
    alias = forwards.create_alias(domain=domain, local=data.local, target=target, by=caller.actor)
    return Status(201, AliasOut.of(alias))


@router.get("/aliases/{alias_id}", response=AliasOut, summary="An alias")
@needs("domains:read")
def alias_get(request: HttpRequest, alias_id: int) -> Any:
    """By those who run its domain."""
    return AliasOut.of(alias_by(caller_of(request), alias_id))


@router.delete("/aliases/{alias_id}", response={204: None}, summary="Remove an alias")
@needs("domains:write")
def alias_delete(request: HttpRequest, alias_id: int) -> Any:
    """Mail for it is refused from the next message on."""
    caller = caller_of(request)
    forwards.delete_alias(alias=alias_by(caller, alias_id), by=caller.actor)
    return Status(204, None)


# --- Groups -----------------------------------------------------------------------------------------------------------------
@router.get("/domains/{domain_id}/groups", response=Pages[GroupOut], summary="The groups of a domain")
@needs("domains:read")
def group_list(request: HttpRequest, domain_id: int, after: int = 0, limit: Limit = 50) -> Any:
    """By those who run the domain."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    return page_of(caller.groups().filter(domain=domain).prefetch_related("members"), GroupOut.of, after, limit)


@router.post("/domains/{domain_id}/groups", response={201: GroupOut}, summary="Make a group")
@needs("domains:write")
@idempotent
def group_new(request: HttpRequest, domain_id: int, data: GroupIn) -> Any:
    """By those who run the domain; a member without an @ is an address of it."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    check_rank(caller, domain, data.local)
    group = forwards.save_group(domain=domain, by=caller.actor, **data.dict())
    return Status(201, GroupOut.of(group))


@router.get("/groups/{group_id}", response=GroupOut, summary="A group")
@needs("domains:read")
def group_get(request: HttpRequest, group_id: int) -> Any:
    """With its members, in the order of letters."""
    return GroupOut.of(group_by(caller_of(request), group_id))


@router.put("/groups/{group_id}", response=GroupOut, summary="Other members or another name")
@needs("domains:write")
def group_change(request: HttpRequest, group_id: int, data: GroupChange) -> Any:
    """Replaces name and members; the address stays."""
    caller = caller_of(request)
    group = group_by(caller, group_id)
    values: dict[str, Any] = {"local": group.address, "name": data.name, "members": data.members}
    return GroupOut.of(forwards.save_group(domain=group.domain, group=group, by=caller.actor, **values))


@router.patch("/groups/{group_id}", response=GroupOut, summary="Other members, or another name")
@needs("domains:write")
@transaction.atomic
def group_part(request: HttpRequest, group_id: int, data: GroupPart) -> Any:
    """What is left out stays; the address stays."""
    caller = caller_of(request)
    group = group_by(caller, group_id)
    lock_customer(group.domain.customer_id)
    group.refresh_from_db()
    there = {"name": group.name, "members": GroupOut.of(group).members}
    values: dict[str, Any] = {"local": group.address} | there | data.dict(exclude_unset=True)
    return GroupOut.of(forwards.save_group(domain=group.domain, group=group, by=caller.actor, **values))


@router.delete("/groups/{group_id}", response={204: None}, summary="Remove a group")
@needs("domains:write")
def group_delete(request: HttpRequest, group_id: int) -> Any:
    """Mail for it is refused from the next message on."""
    caller = caller_of(request)
    forwards.delete_group(group=group_by(caller, group_id), by=caller.actor)
    return Status(204, None)
