"""Plans, resellers, customers and domains: making and changing them."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, ProtectedError, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Alias, Customer, Domain, MailServer, Plan, Reseller
from accounts.provisioning import doveadm
from accounts.services.addresses import parse_domain
from accounts.services.audit import Actor, record, record_provider, record_terms
from accounts.services.claims import check_claim
from accounts.services.limits import check_quota, lock_customer, taken_by
from accounts.services.names import clean_name
from accounts.services.references import check_move, free_reference
from accounts.services.usage.standing import follow_customer
from accounts.services.usage.steps import check_steps

_PATH = re.compile(r"(?:/[A-Za-z0-9._-]{1,100}){1,10}")
NAMED = 5
"""So many of those who have more than a plan would give are named."""
PLAN_FIELDS = (
    *("name", "mailbox_limit", "total_bytes", "mailbox_quota_bytes", "largest_mailbox_bytes"),
    *("imap", "pop3", "smtp", "sieve", "retention_days", "daily_sending_limit", "owner_steps"),
)


@transaction.atomic
def save_plan(*, plan: Plan, by: Actor, new: bool, above: bool = False) -> Plan:
    """Keeps a plan that a form has filled in. Those who have more already keep it; they get no more: that is asked for, with
    `above`. Raises ValidationError, at `above` where a limit is lowered below what customers have."""
    before = {} if new else _plan_values(Plan.objects.get(pk=plan.pk))
    if before and not above and _lowered(plan, before):
        _check_above(plan)
    if plan.owner_steps is not None:
        try:
            check_steps(plan.owner_steps)
        except ValidationError as error:
            raise ValidationError({"owner_steps": error.messages}) from error
    plan.name = clean_name(plan.name, blank=False)
    if plan.largest_mailbox_bytes is not None and plan.mailbox_quota_bytes > plan.largest_mailbox_bytes:
        raise ValidationError({"mailbox_quota": _("The quota of a new mailbox is larger than the largest mailbox.")})
    try:
        with transaction.atomic():
            plan.save()
    except IntegrityError as error:  # made twice at the same moment
        raise ValidationError({"name": _("There is a plan with this name.")}) from error
    after = _plan_values(plan)
    record(by=by, verb="plan.create" if new else "plan.change", thing=plan, before=before, after=after)
    if before and before != after:
        record_terms(by=by, plan=plan, before=before, after=after)
    return plan


@transaction.atomic
def delete_plan(*, plan: Plan, by: Actor) -> None:
    """Removes a plan that nobody has. Raises ValidationError for one that somebody has."""
    row = Plan.objects.select_for_update().get(pk=plan.pk)
    if row.customers.exists():
        raise ValidationError(_("There are customers with this plan. Give them another first."))
    record(by=by, verb="plan.delete", thing=row, before=_plan_values(row))
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError as error:  # somebody was given it at the same moment
        raise ValidationError(_("There are customers with this plan. Give them another first.")) from error


@transaction.atomic
def create_reseller(*, name: str, by: Actor) -> Reseller:
    """A reseller without customers and people yet. Raises ValidationError at `name` for one that is taken."""
    reseller = Reseller.objects.create(name=_free_reseller_name(name))
    record(by=by, verb="reseller.create", thing=reseller)
    return reseller


@transaction.atomic
def create_customer(
    *, name: str, plan: Plan, reseller: Reseller | None, by: Actor, reference: str | None = None
) -> Customer:
    """A customer with a plan: the provider's own, or a reseller's. Raises ValidationError at `name` for one that they have, at
    `reference` for what another customer of theirs is called."""
    values = {"name": _free_customer_name(name, reseller), "plan": plan, "reseller": reseller}
    known = free_reference(Customer, reference, reseller=reseller.pk if reseller else None)
    customer = Customer.objects.create(reference=known, **values)
    record(by=by, verb="customer.create", thing=customer, after={"plan": plan.name})
    return customer


@transaction.atomic
def change_customer(*, customer: Customer, name: str, plan: Plan, by: Actor) -> None:
    """Another name or plan. Raises ValidationError at `plan` for one with less room than is taken already."""
    row = lock_customer(customer.pk)
    taken = taken_by(row)
    few = plan.mailbox_limit is not None and taken.mailboxes > plan.mailbox_limit
    small = plan.total_bytes is not None and taken.allotted_bytes > plan.total_bytes
    if plan.pk != row.plan_id and (few or small):
        raise ValidationError({"plan": _("More mailboxes or more space are taken than this plan has.")})
    before = {"name": row.name, "plan": row.plan.name}
    row.name, row.plan = _free_customer_name(name, row.reseller, but=row.pk), plan
    row.save(update_fields=["name", "plan"])
    follow_customer(row)
    record(by=by, verb="customer.change", thing=row, before=before, after={"name": row.name, "plan": plan.name})


def _free_reseller_name(name: str, *, but: int = 0) -> str:
    name = clean_name(name, blank=False)
    if Reseller.objects.filter(name__iexact=name).exclude(pk=but).exists():
        raise ValidationError({"name": _("There is a reseller with this name.")})
    return name


def _free_customer_name(name: str, reseller: Reseller | None, *, but: int = 0) -> str:
    """Whoever sells to them must tell their customers apart; another reseller's customer may be called the same."""
    name = clean_name(name, blank=False)
    if Customer.objects.filter(name__iexact=name, reseller=reseller).exclude(pk=but).exists():
        raise ValidationError({"name": _("There is a customer with this name.")})
    return name


@transaction.atomic
def set_alert_steps(*, customer: Customer, before: list[int] | None, by: Actor) -> None:
    """Keeps at which parts of the plan's space a customer is told, as a form has filled it in."""
    customer.save(update_fields=["alert_steps"])
    if customer.alert_steps != before:
        values = ({"alert_steps": before}, {"alert_steps": customer.alert_steps})
        record(by=by, verb="customer.change", thing=customer, before=values[0], after=values[1])


@transaction.atomic
def set_reseller_steps(*, reseller: Reseller, before: list[int] | None, by: Actor) -> None:
    """Keeps at which parts of its customers' space a reseller is told, as a form has filled it in."""
    reseller.save(update_fields=["alert_steps"])
    if reseller.alert_steps != before:
        values = ({"alert_steps": before}, {"alert_steps": reseller.alert_steps})
        record(by=by, verb="reseller.change", thing=reseller, before=values[0], after=values[1])


@transaction.atomic
def create_server(*, name: str, path: str, disk_bytes: int | None, by: Actor) -> MailServer:
    """A server beside the installation's own. `path` is absolute and must be there for Dovecot. Raises ValidationError."""
    path = path.rstrip("/")
    name = clean_name(name, blank=False)
    if not _PATH.fullmatch(path) or ".." in path.split("/"):
        raise ValidationError({"path": _("This must be an absolute path.")})
    if MailServer.objects.filter(Q(name=name) | Q(path=path)).exists():
        raise ValidationError({"name": _("There is a server with this name or path.")})
    server = MailServer.objects.create(name=name, path=path, disk_bytes=disk_bytes)
    record_provider(by=by, verb="server.create", name=server.name)
    return server


@transaction.atomic
def remove_server(*, server: MailServer, by: Actor) -> None:
    """Forgets a server on which no domain is left. Raises ValidationError."""
    if server.domains.exists():
        raise ValidationError(_("There are domains on it."))
    record_provider(by=by, verb="server.delete", name=server.name)
    server.delete()


@transaction.atomic
def create_domain(
    *, customer: Customer, name: str, by: Actor, server: MailServer | None = None, reference: str | None = None
) -> Domain:
    """A domain of the customer, whose mail lies on this server (None: in the installation's own mail folder).
    Raises ValidationError at `name` for what is no domain, or is here already, at `reference` for what another is called."""
    seller = lock_customer(customer.pk).reseller_id
    parsed = parse_domain(name)
    taken = ValidationError({"name": _("This domain is here already.")})
    if Domain.objects.filter(name=parsed).exists():
        raise taken
    check_claim(parsed, by, field="name")
    known = free_reference(Domain, reference, reseller=seller)
    try:
        with transaction.atomic():
            domain = Domain.objects.create(name=parsed, customer=customer, server=server, reference=known)
    except IntegrityError as error:  # another customer was given it at the same moment
        raise taken from error
    record(by=by, verb="domain.create", thing=domain, after={"server": server.name} if server else None)
    return domain


@transaction.atomic
def set_usual(*, domain: Domain, quota_bytes: int | None, by: Actor, **switches: bool) -> None:
    """With what a new mailbox of the domain begins: `imap`, `pop3`, `smtp`, `sieve`, and its quota (None: the plan's)."""
    customer = lock_customer(domain.customer_id)
    if quota_bytes is not None:
        check_quota(customer, quota_bytes)
    before = {"quota": domain.new_quota_bytes, **domain.usual_switches}
    domain.new_quota_bytes = quota_bytes
    for name, on in switches.items():
        setattr(domain, f"new_{name}", on)
    domain.save(update_fields=["new_quota_bytes", *(f"new_{name}" for name in switches)])
    after = {"quota": quota_bytes, **domain.usual_switches}
    if before != after:
        record(by=by, verb="domain.usual", thing=domain, before=before, after=after)


@transaction.atomic
def move_customer(*, customer: Customer, reseller: Reseller | None, by: Actor) -> None:
    """Gives a customer to a reseller, or takes it to the provider itself (None). Whoever had it before sees it no more. Raises
    ValidationError at `reseller` where a reference of it is taken there."""
    row = lock_customer(customer.pk)
    if row.reseller_id == (reseller.pk if reseller else None):
        return
    check_move(row, reseller.pk if reseller else None)
    before = {"reseller": row.reseller.name if row.reseller else ""}
    row.reseller = reseller
    row.save(update_fields=["reseller"])
    follow_customer(row)
    record(by=by, verb="customer.move", thing=row, before=before, after={"reseller": reseller.name if reseller else ""})


@transaction.atomic
def delete_customer(*, customer: Customer, by: Actor) -> None:
    """Removes a customer that has no domains, with its people's roles. Raises ValidationError for one that has."""
    row = lock_customer(customer.pk)
    if row.domains.exists():
        raise ValidationError(_("It still has domains. Remove them first."))
    record(by=by, verb="customer.delete", thing=row)
    row.delete()


@transaction.atomic
def delete_domain(*, domain: Domain, by: Actor) -> None:
    """Removes a domain in which no mailbox is left, not even a deleted one that can be had back. Raises ValidationError."""
    lock_customer(domain.customer_id)
    if domain.mailboxes.exists():
        raise ValidationError(_("There are mailboxes in it, or deleted ones that can still be had back."))
    if Alias.objects.filter(address__endswith=f"@{domain.name}").exists():
        raise ValidationError(_("There are aliases in it. Remove them first."))
    record(by=by, verb="domain.delete", thing=domain)
    domain.delete()


@transaction.atomic
def rename_reseller(*, reseller: Reseller, name: str, by: Actor) -> None:
    """Another name for a reseller."""
    before, reseller.name = reseller.name, _free_reseller_name(name, but=reseller.pk)
    reseller.save(update_fields=["name"])
    record(by=by, verb="reseller.change", thing=reseller, before={"name": before}, after={"name": reseller.name})


@transaction.atomic
def delete_reseller(*, reseller: Reseller, by: Actor) -> None:
    """Removes a reseller without customers, with its people's roles. Raises ValidationError for one that has some."""
    if Reseller.objects.select_for_update().get(pk=reseller.pk).customers.exists():
        raise ValidationError(_("It still has customers. Give them to somebody else first."))
    record(by=by, verb="reseller.delete", thing=reseller)
    reseller.delete()


@transaction.atomic
def open_domain(*, domain: Domain, active: bool, by: Actor) -> None:
    """Opens a domain, or shuts it: nobody in it signs in, nothing is taken in or sent. Mail stays."""
    if domain.active == active:
        return
    domain.active = active
    domain.save(update_fields=["active"])
    record(by=by, verb="domain.resume" if active else "domain.suspend", thing=domain)
    if not active:
        mask = f"*@{domain.name}"
        transaction.on_commit(lambda: _ended(mask))


def _ended(mask: str) -> None:
    doveadm.end_sessions(mask)


def _lowered(plan: Plan, before: dict[str, Any]) -> bool:
    """Whether one of its limits is less than it was."""
    limits = [(getattr(plan, name), before[name]) for name in ("mailbox_limit", "total_bytes", "largest_mailbox_bytes")]
    return any(now is not None and (was is None or now < was) for now, was in limits)


def _check_above(plan: Plan) -> None:
    """Raises ValidationError at `above`, with how many customers have more than the plan would give and who has."""
    there = Q(domains__mailboxes__deleted__isnull=True)
    box = "domains__mailboxes"
    rows = plan.customers.annotate(
        boxes=Count(box, filter=there),
        quotas=Sum(f"{box}__quota_bytes", filter=there),
        most=Max(f"{box}__quota_bytes", filter=there),
    )
    more = Q()
    for limit, name in (
        (plan.mailbox_limit, "boxes"),
        (plan.total_bytes, "quotas"),
        (plan.largest_mailbox_bytes, "most"),
    ):
        more |= Q(**{f"{name}__gt": limit}) if limit is not None else Q()
    names = list(rows.filter(more).order_by("name", "pk").values_list("name", flat=True))
    if not names:
        return
    text = ngettext(
        "%(n)s customer has more than that: %(names)s. What is there stays; nothing is added until it fits.",
        "%(n)s customers have more than that: %(names)s. What is there stays; nothing is added until it fits.",
        len(names),
    )
    shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    raise ValidationError({"above": text % {"n": len(names), "names": shown}})


def _plan_values(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in PLAN_FIELDS}
