"""Things by their ids, loaded and authorised in one: what the caller may not see is not there (404), what they see but may not
do is refused (403). What is named in a body is told at its field."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from accounts.api.callers import Caller, one
from accounts.api.problems import Problem
from accounts.models import Alias, Customer, Domain, Group, Mailbox, Plan, Reseller
from accounts.services.addresses import parse_local
from accounts.services.permissions import Action, may, may_take_over, outranks

ABOVE = "it is the mailbox of somebody who runs more"


def customer_by(caller: Caller, key: int, action: Action) -> Customer:
    """The customer with this id. Raises Http404 or PermissionDenied."""
    customer: Customer = one(caller.customers().select_related("plan", "reseller"), key)
    caller.allow(action, customer)
    return customer


def domain_by(caller: Caller, key: int, action: Action) -> Domain:
    """The domain with this id. Raises Http404 or PermissionDenied."""
    domain: Domain = one(caller.domains().select_related("customer__plan", "catch_all", "server"), key)
    caller.allow(action, domain)
    return domain


def mailbox_by(caller: Caller, key: int, action: Action) -> Mailbox:
    """The mailbox with this id, also a deleted one. Raises Http404 or PermissionDenied."""
    mailbox: Mailbox = one(caller.mailboxes().select_related("domain__customer__plan", "account"), key)
    caller.allow(action, mailbox)
    return mailbox


def run_mailbox(caller: Caller, key: int) -> Mailbox:
    """One that the person runs, and whose owner they outrank."""
    return _below(caller, mailbox_by(caller, key, Action.RUN_MAILBOX))


def use_mailbox(caller: Caller, key: int) -> Mailbox:
    """One that is the person's own, or that they run, and whose owner they outrank."""
    return _below(caller, mailbox_by(caller, key, Action.USE_MAILBOX))


def run_there(caller: Caller, key: int) -> Mailbox:
    """As `run_mailbox`. Raises Problem 409 for one that is deleted."""
    return _there(run_mailbox(caller, key))


def use_there(caller: Caller, key: int) -> Mailbox:
    """As `use_mailbox`. Raises Problem 409 for one that is deleted."""
    return _there(use_mailbox(caller, key))


def _there(mailbox: Mailbox) -> Mailbox:
    if mailbox.deleted is not None:
        raise Problem(409, _("This mailbox is deleted. Have it back first (restore), then change it."))
    return mailbox


def _below(caller: Caller, mailbox: Mailbox) -> Mailbox:
    if not may_take_over(caller.person, mailbox):
        raise PermissionDenied(ABOVE)
    return mailbox


def alias_by(caller: Caller, key: int) -> Alias:
    """The alias with this id, for those who run its domain. Raises Http404 or PermissionDenied."""
    alias: Alias = one(caller.aliases().select_related("target__domain__customer"), key)
    caller.allow(Action.RUN_DOMAIN, alias.target.domain)
    return alias


def group_by(caller: Caller, key: int) -> Group:
    """The group with this id, for those who run its domain. Raises Http404 or PermissionDenied."""
    group: Group = one(caller.groups().select_related("domain__customer"), key)
    caller.allow(Action.RUN_DOMAIN, group.domain)
    return group


def check_rank(caller: Caller, domain: Domain, local: str) -> None:
    """Nobody gets the mail of somebody who runs more than they do."""
    if not outranks(caller.person, parse_local(local, domain)):
        raise PermissionDenied(_("somebody who runs more signs in with that address"))


# --- Named in a body --------------------------------------------------------------------------------------------------------
def plan_named(caller: Caller, key: int) -> Plan:
    """Raises ValidationError at `plan`."""
    plan: Plan | None = caller.plans().filter(pk=key).first()
    if plan is None:
        raise ValidationError({"plan": _("There is no such plan.")})
    return plan


def reseller_named(caller: Caller, key: int | None) -> Reseller | None:
    """The one that is named; for a reseller who names none, their own."""
    rows = caller.resellers()
    if key is None:
        return None if may(caller.person, Action.RUN_PROVIDER) else rows.order_by("pk").first()
    reseller: Reseller | None = rows.filter(pk=key).first()
    if reseller is None:
        raise ValidationError({"reseller": _("There is no such reseller.")})
    return reseller


def customer_named(caller: Caller, key: int) -> Customer:
    """Raises ValidationError at `customer`."""
    customer: Customer | None = caller.customers().filter(pk=key).first()
    if customer is None:
        raise ValidationError({"customer": _("There is no such customer.")})
    return customer


def domain_named(caller: Caller, key: int) -> Domain:
    """Raises ValidationError at `domain`."""
    domain: Domain | None = caller.domains().select_related("customer__plan").filter(pk=key).first()
    if domain is None:
        raise ValidationError({"domain": _("There is no such domain.")})
    return domain


def mailbox_named(caller: Caller, key: int, field: str) -> Mailbox:
    """One that is not deleted. Raises ValidationError at the field."""
    mailbox: Mailbox | None = caller.mailboxes().select_related("domain__customer").filter(pk=key).first()
    if mailbox is None:
        raise ValidationError({field: _("There is no such mailbox.")})
    if mailbox.deleted is not None:
        raise ValidationError({field: _("This mailbox is deleted. Have it back first (restore).")})
    return mailbox
