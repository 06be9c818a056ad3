"""Domains and servers: what is in them, who catches the rest, with what new mailboxes begin, and their DNS."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import Caller, caller_of, needs, one
from accounts.api.loading import customer_named, domain_by, mailbox_named
from accounts.api.pages import Key, Limit, Text, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Pages
from accounts.api.schemas.hosting import (
    Defaults,
    DefaultsChange,
    DomainChange,
    DomainIn,
    DomainOut,
    ServerIn,
    ServerOut,
)
from accounts.api.schemas.mailboxes import ManyIn, ManyOut
from accounts.api.schemas.setup import DnsOut
from accounts.domain_names import a_labels
from accounts.models import Domain, MailServer
from accounts.services import customers, forwards, mailboxes
from accounts.services.dns import check_domain
from accounts.services.limits import lock_customer
from accounts.services.permissions import Action
from accounts.services.references import set_reference

router = Router(tags=["Domains"])


@router.get("/domains", response=Pages[DomainOut], summary="The domains")
@needs("domains:read")
def domain_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    customer: Key = None,
    name: Text = "",
    reference: Text = "",
) -> Any:
    """Narrowed to a `customer`, a whole `name` in either writing, or the other panel's `reference`."""
    rows = caller_of(request).domains()
    if reference:
        rows = rows.filter(reference=reference.strip())
    if customer is not None:
        rows = rows.filter(customer=customer)
    if name:
        rows = rows.filter(name=_ascii(name))
    return page_of(rows, DomainOut.of, after, limit)


@router.post("/domains", response={201: DomainOut}, summary="Add a domain to a customer")
@needs("domains:write")
@idempotent
def domain_new(request: HttpRequest, data: DomainIn) -> Any:
    """By those who sell to the customer; 422 for one that is here already."""
    caller = caller_of(request)
    customer = customer_named(caller, data.customer)
    caller.allow(Action.CHANGE_CUSTOMER, customer)
    server = _server(caller, data.server)
    values: dict[str, Any] = {"name": data.name, "server": server, "reference": data.reference}
    domain = customers.create_domain(customer=customer, by=caller.actor, **values)
    return Status(201, DomainOut.of(domain))


@router.get("/domains/{domain_id}", response=DomainOut, summary="A domain")
@needs("domains:read")
def domain_get(request: HttpRequest, domain_id: int) -> Any:
    """By those who run it or what is above it."""
    return DomainOut.of(domain_by(caller_of(request), domain_id, Action.SEE_DOMAIN))


@router.patch("/domains/{domain_id}", response=DomainOut, summary="Open or shut it; who catches the rest")
@needs("domains:write")
def domain_change(request: HttpRequest, domain_id: int, data: DomainChange) -> Any:
    """Those who run it set `catch_all`, those who sell to its customer the rest."""
    caller = caller_of(request)
    given = data.dict(exclude_unset=True)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    if {"active", "reference"} & given.keys():
        caller.allow(Action.CHANGE_DOMAIN, domain)
    with transaction.atomic():
        if "catch_all" in given:
            key = given["catch_all"]
            mailbox = None if key is None else mailbox_named(caller, key, "catch_all")
            forwards.set_catch_all(domain=domain, mailbox=mailbox, by=caller.actor)
        if "active" in given:
            customers.open_domain(domain=domain, active=given["active"], by=caller.actor)
        if "reference" in given:
            set_reference(thing=domain, reference=given["reference"], by=caller.actor)
    return DomainOut.of(Domain.objects.get(pk=domain.pk))


@router.delete("/domains/{domain_id}", response={204: None}, summary="Remove one in which there is nothing any more")
@needs("domains:write")
def domain_delete(request: HttpRequest, domain_id: int) -> Any:
    """By those who sell to its customer; 422 while a mailbox is in it, also a deleted one."""
    caller = caller_of(request)
    customers.delete_domain(domain=domain_by(caller, domain_id, Action.CHANGE_DOMAIN), by=caller.actor)
    return Status(204, None)


@router.get("/domains/{domain_id}/defaults", response=Defaults, summary="With what a new mailbox of it begins")
@needs("domains:read")
def domain_defaults(request: HttpRequest, domain_id: int) -> Any:
    """By those who run it."""
    return Defaults.of(domain_by(caller_of(request), domain_id, Action.RUN_DOMAIN))


@router.put("/domains/{domain_id}/defaults", response=Defaults, summary="Have new mailboxes begin with something else")
@needs("domains:write")
def domain_defaults_set(request: HttpRequest, domain_id: int, data: Defaults) -> Any:
    """Replaces all of them; mailboxes that are there stay as they are."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    customers.set_usual(domain=domain, by=caller.actor, **data.dict())
    return Defaults.of(domain)


@router.patch(
    "/domains/{domain_id}/defaults", response=Defaults, summary="Change some of what new mailboxes begin with"
)
@needs("domains:write")
@transaction.atomic
def domain_defaults_change(request: HttpRequest, domain_id: int, data: DefaultsChange) -> Any:
    """What is left out stays; mailboxes that are there stay as they are."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    lock_customer(domain.customer_id)
    domain.refresh_from_db()
    values: dict[str, Any] = Defaults.of(domain).dict() | data.dict(exclude_unset=True)
    customers.set_usual(domain=domain, by=caller.actor, **values)
    return Defaults.of(domain)


@router.get(
    "/domains/{domain_id}/dns",
    response=list[DnsOut],
    summary="Its DNS records: as they should be, as they are now, what to change",
)
@needs("domains:read")
def domain_dns(request: HttpRequest, domain_id: int) -> Any:
    """Asks the DNS now."""
    domain = domain_by(caller_of(request), domain_id, Action.RUN_DOMAIN)
    return [DnsOut.of(row) for row in check_domain(domain)]


@router.post(
    "/domains/{domain_id}/mailboxes/changes",
    response=ManyOut,
    tags=["Mailboxes"],
    summary="One action on many mailboxes of a domain, all or nothing",
)
@needs("mailboxes:write")
@idempotent
def mailbox_changes(request: HttpRequest, domain_id: int, data: ManyIn) -> Any:
    """By those who run the domain; 422 where some of the mailboxes are not there."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    chosen = mailboxes.choose_many(domain=domain, keys=data.mailboxes, person=caller.person)
    return ManyOut(changed=mailboxes.act_on_many(mailboxes=chosen, do=data.do, by=caller.actor))


# --- Servers ----------------------------------------------------------------------------------------------------------------
@router.get(
    "/servers",
    response=Pages[ServerOut],
    tags=["Servers"],
    summary="Where mail lies beside the installation's own folder",
)
@needs("domains:read")
def server_list(request: HttpRequest, after: int = 0, limit: Limit = 50) -> Any:
    """By the provider's people."""
    caller_of(request).allow(Action.RUN_PROVIDER)
    return page_of(MailServer.objects.all(), ServerOut.of, after, limit)


@router.post("/servers", response={201: ServerOut}, tags=["Servers"], summary="Add a server or disk")
@needs("domains:write")
@idempotent
def server_new(request: HttpRequest, data: ServerIn) -> Any:
    """By the provider's people; Dovecot must be able to write at its `path`."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    return Status(201, ServerOut.of(customers.create_server(by=caller.actor, **data.dict())))


@router.delete(
    "/servers/{server_id}", response={204: None}, tags=["Servers"], summary="Forget one on which no domain is left"
)
@needs("domains:write")
def server_delete(request: HttpRequest, server_id: int) -> Any:
    """By the provider's people; 422 while domains lie on it."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    customers.remove_server(server=one(MailServer.objects.all(), server_id), by=caller.actor)
    return Status(204, None)


def _server(caller: Caller, key: int | None) -> MailServer | None:
    if key is None:
        return None
    if caller.token.customer_id:
        raise PermissionDenied(_("this token is for one customer"))
    caller.allow(Action.RUN_PROVIDER)
    server = MailServer.objects.filter(pk=key).first()
    if server is None:
        raise ValidationError({"server": _("There is no such server.")})
    return server


def _ascii(name: str) -> str:
    try:
        return a_labels(name.strip())
    except UnicodeError:
        return name.strip().lower()
