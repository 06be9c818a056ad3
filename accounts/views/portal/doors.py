"""Loading and authorising in one: what the person may not see is not there (404); what they see but may not do is refused
(403). And what stands around every page of the portal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.adapter import client_ip
from accounts.models import (
    Alias,
    Batch,
    Customer,
    Domain,
    Group,
    Invitation,
    MailAccount,
    Mailbox,
    Plan,
    Reseller,
    Role,
    User,
)
from accounts.services import permissions
from accounts.services.audit import Actor, record
from accounts.services.permissions import Action, held_by, may
from accounts.views.entrance import UNPROCESSABLE

Offer = TypeVar("Offer", Role, Invitation)


def me(request: HttpRequest) -> User:
    """The person who is signed in, as a row of their own."""
    return User.objects.get(email=request.user.get_username())


def actor_of(request: HttpRequest) -> Actor:
    """Who changes something, and from where, as the log keeps it."""
    return Actor(me(request), client_ip(request))


def note(request: HttpRequest, account: MailAccount, verb: str, before: Any = None, after: Any = None) -> None:
    """Writes into the log what was changed on a page of the mailbox's own, by its owner or by whoever runs it. Mailboxes of other
    servers have no log."""
    if account.mailbox:
        record(by=actor_of(request), verb=verb, thing=account.mailbox, before=before, after=after)


def allow(request: HttpRequest, action: Action, thing: permissions.Thing = None) -> None:
    """Raises PermissionDenied for what the person may not do."""
    if not may(request.user, action, thing):
        raise PermissionDenied


def domain_for(request: HttpRequest, domain_id: int, action: Action) -> Domain:
    """The domain, with customer, plan and how its DNS stood. 404 where the person may not see it, 403 where not do this to it."""
    rows = permissions.domains_of(request.user).select_related("customer__plan", "catch_all", "dns_check")
    domain: Domain = get_object_or_404(rows, pk=domain_id)
    allow(request, action, domain)
    return domain


def mailbox_for(request: HttpRequest, mailbox_id: int, action: Action) -> Mailbox:
    """The mailbox, with its domain's plan and its owner; 404 and 403 as above; 403 too for a change of what is above
    the person."""
    rows = permissions.mailboxes_of(request.user).select_related("domain__customer__plan", "account__owner")
    mailbox: Mailbox = get_object_or_404(rows, pk=mailbox_id)
    allow(request, action, mailbox)
    if action is not Action.SEE_MAILBOX and not permissions.may_take_over(request.user, mailbox):
        raise PermissionDenied  # it is that of somebody who runs more
    return mailbox


def customer_for(request: HttpRequest, customer_id: int, action: Action) -> Customer:
    """The customer, with plan and reseller; 404 and 403 as above."""
    rows = permissions.customers_of(request.user).select_related("plan", "reseller")
    customer: Customer = get_object_or_404(rows, pk=customer_id)
    allow(request, action, customer)
    return customer


def reseller_for(request: HttpRequest, reseller_id: int) -> Reseller:
    """The reseller; 404 for all but itself and the provider."""
    reseller: Reseller = get_object_or_404(permissions.resellers_of(request.user), pk=reseller_id)
    return reseller


def plan_for(request: HttpRequest, plan_id: int) -> Plan:
    """The plan; 403 for all but the provider."""
    allow(request, Action.RUN_PROVIDER)
    plan: Plan = get_object_or_404(Plan, pk=plan_id)
    return plan


def alias_for(request: HttpRequest, alias_id: int) -> Alias:
    """The alias, by whoever runs the domain that it delivers into."""
    alias: Alias = get_object_or_404(Alias.objects.select_related("target__domain__customer"), pk=alias_id)
    domain_for(request, alias.target.domain_id, Action.RUN_DOMAIN)
    return alias


def group_for(request: HttpRequest, group_id: int) -> Group:
    """The group, by whoever runs its domain."""
    group: Group = get_object_or_404(Group.objects.select_related("domain__customer"), pk=group_id)
    domain_for(request, group.domain_id, Action.RUN_DOMAIN)
    return group


def batch_for(request: HttpRequest, batch_id: int) -> Batch:
    """A list that this person brought; another's passwords are not theirs to fetch."""
    rows = Batch.objects.select_related("domain__customer__plan", "person").filter(person=request.user.pk)
    batch: Batch = get_object_or_404(rows, pk=batch_id)
    domain_for(request, batch.domain_id, Action.RUN_DOMAIN)
    return batch


def role_for(request: HttpRequest, rows: QuerySet[Offer], pk: int) -> Offer:
    """A role or an invitation that the person may take away."""
    offer = get_object_or_404(
        rows.select_related("reseller", "customer__reseller", "domain__customer__reseller"), pk=pk
    )
    if not permissions.roles_over(request.user, offer.target) & permissions.ALLOWED[Action.INVITE]:
        get_object_or_404(rows.none(), pk=pk)
    if not permissions.may_grant(request.user, offer.kind, offer.target):
        raise PermissionDenied
    return offer


def show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page of the portal; `domain` or `mailbox` in the context say what the sidebar is about."""
    context = context or {}
    domain: Domain | None = context.get("domain") or getattr(context.get("mailbox"), "domain", None)
    return render(request, template, context | {"shell": shell_of(request, domain)}, status=status)


def shell_of(request: HttpRequest, domain: Domain | None) -> dict[str, Any]:
    """What stands around a page of the portal that is about this domain."""
    held = held_by(request.user)
    whole = domain is not None and may(request.user, Action.SEE_DOMAIN, domain)
    return {
        "domain": domain if whole else None,
        "held": held,
        "provider": held.provider,
        "seller": may(request.user, Action.ADD_CUSTOMER),
        "customers": bool(held.provider or held.resellers or held.customers),
        "settings": whole and may(request.user, Action.CHANGE_DOMAIN, domain),
        "accounts": MailAccount.objects.filter(owner=request.user.pk).order_by("pk"),
    }


def removed(request: HttpRequest, act: Callable[[], None], *, said: str, stays: str, gone: str) -> HttpResponse:
    """Removes something, and leads to `gone` with what is `said`; where it cannot be removed yet (a ValidationError tells why),
    back to its page, `stays`."""
    try:
        act()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(stays)
    messages.info(request, said)
    return redirect(gone)


def status_of(form: Any) -> int:
    """200, or 422 for a form with errors."""
    return UNPROCESSABLE if form.errors else 200
