"""What networks are called in the activity of mailboxes: for everybody here, for a customer's, for a domain's, and by a mailbox's
owner for themselves."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import Caller, caller_of, needs, one
from accounts.api.loading import customer_by, domain_by, mailbox_by
from accounts.api.pages import Limit, page_of
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Pages
from accounts.api.schemas.provider import NetworkIn, NetworkOut, OwnNetworkOut
from accounts.models import Customer, Domain, MailAccount, Mailbox, NamedNetwork
from accounts.services.networks import name_network, names_for
from accounts.services.permissions import Action

router = Router(tags=["Networks"])


@router.get("/networks", response=Pages[NetworkOut], summary="The networks that have a name for everybody here")
@needs("domains:read")
def network_list(request: HttpRequest, after: int = 0, limit: Limit = 50) -> Any:
    """By the provider's people."""
    caller_of(request).allow(Action.RUN_PROVIDER)
    return page_of(names_for(None), NetworkOut.of, after, limit)


@router.post("/networks", response={201: NetworkOut}, summary="Name a network for everybody here")
@needs("domains:write")
@idempotent
def network_name(request: HttpRequest, data: NetworkIn) -> Any:
    """By the provider's people; another name takes the place of the one that it has."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    return _named(caller, None, data)


@router.get(
    "/customers/{customer_id}/networks", response=Pages[NetworkOut], summary="The networks that a customer has named"
)
@needs("domains:read")
def customer_network_list(request: HttpRequest, customer_id: int, after: int = 0, limit: Limit = 50) -> Any:
    """By those who sell to it and its own people."""
    customer = customer_by(caller_of(request), customer_id, Action.SEE_CUSTOMER)
    return page_of(names_for(customer), NetworkOut.of, after, limit)


@router.post(
    "/customers/{customer_id}/networks",
    response={201: NetworkOut},
    summary="Name a network for the mailboxes of a customer",
)
@needs("domains:write")
@idempotent
def customer_network_name(request: HttpRequest, customer_id: int, data: NetworkIn) -> Any:
    """By those who sell to it and its own people."""
    caller = caller_of(request)
    return _named(caller, customer_by(caller, customer_id, Action.SEE_CUSTOMER), data)


@router.get("/domains/{domain_id}/networks", response=Pages[NetworkOut], summary="The networks named for a domain")
@needs("domains:read")
def domain_network_list(request: HttpRequest, domain_id: int, after: int = 0, limit: Limit = 50) -> Any:
    """By those who run the domain."""
    domain = domain_by(caller_of(request), domain_id, Action.RUN_DOMAIN)
    return page_of(names_for(domain), NetworkOut.of, after, limit)


@router.post(
    "/domains/{domain_id}/networks", response={201: NetworkOut}, summary="Name a network for the mailboxes of a domain"
)
@needs("domains:write")
@idempotent
def domain_network_name(request: HttpRequest, domain_id: int, data: NetworkIn) -> Any:
    """By those who run the domain."""
    caller = caller_of(request)
    return _named(caller, domain_by(caller, domain_id, Action.RUN_DOMAIN), data)


@router.delete("/networks/{network_id}", response={204: None}, summary="Call a network by no name any more")
@needs("domains:write")
def network_forget(request: HttpRequest, network_id: int) -> Any:
    """By those who could name it."""
    caller = caller_of(request)
    row: NamedNetwork = one(caller.networks(), network_id)
    if row.domain_id:
        domain_by(caller, row.domain_id, Action.RUN_DOMAIN)
    elif row.customer_id:
        customer_by(caller, row.customer_id, Action.SEE_CUSTOMER)
    else:
        caller.allow(Action.RUN_PROVIDER)
    name_network(target=row.target, network=row.network, name="", by=caller.actor)
    return Status(204, None)


# --- An owner's own: what they call a place nobody else reads -------------------------------------------------------------
@router.get(
    "/mailboxes/{mailbox_id}/networks",
    response=Pages[OwnNetworkOut],
    summary="The networks that the mailbox's owner has named, for the owner alone",
)
@needs("mailboxes:read")
def own_network_list(request: HttpRequest, mailbox_id: int, after: int = 0, limit: Limit = 50) -> Any:
    """By the mailbox's owner alone."""
    return page_of(names_for(_own(caller_of(request), mailbox_id)), OwnNetworkOut.of, after, limit)


@router.post(
    "/mailboxes/{mailbox_id}/networks",
    response={201: OwnNetworkOut},
    summary="Name a network for oneself, by the mailbox's owner",
)
@needs("mailboxes:write")
@idempotent
def own_network_name(request: HttpRequest, mailbox_id: int, data: NetworkIn) -> Any:
    """By the mailbox's owner alone."""
    caller = caller_of(request)
    row = name_network(target=_own(caller, mailbox_id), network=data.network, name=data.name, by=caller.actor)
    return Status(201, OwnNetworkOut.of(_there(row)))


@router.delete(
    "/mailboxes/{mailbox_id}/networks/{own_network_id}", response={204: None}, summary="Call one's network by no name"
)
@needs("mailboxes:write")
def own_network_forget(request: HttpRequest, mailbox_id: int, own_network_id: int) -> Any:
    """By the mailbox's owner alone."""
    caller = caller_of(request)
    mailbox = _own(caller, mailbox_id)
    row: NamedNetwork = one(names_for(mailbox), own_network_id)
    name_network(target=mailbox, network=row.network, name="", by=caller.actor)
    return Status(204, None)


def _named(caller: Caller, target: Customer | Domain | None, data: NetworkIn) -> Any:
    row = name_network(target=target, network=data.network, name=data.name, by=caller.actor)
    return Status(201, NetworkOut.of(_there(row)))


def _there(row: NamedNetwork | None) -> NamedNetwork:
    if row is None:
        raise ValidationError({"name": _("Write what it is called.")})
    return row


def _own(caller: Caller, key: int) -> Mailbox:
    """The caller's own mailbox. Raises PermissionDenied for one that they run."""
    mailbox = mailbox_by(caller, key, Action.SEE_MAILBOX)
    if not MailAccount.objects.filter(mailbox=mailbox, owner=caller.person).exists():
        raise PermissionDenied(_("only the mailbox's owner reads and sets what they call a network"))
    return mailbox
