"""Plans, resellers, customers, servers and domains."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.management.portal.words import (
    NONE,
    REFERENCE,
    Argument,
    Group,
    Told,
    customer_of,
    domain_of,
    mailbox_of,
    named,
    option,
    plan_of,
    read_number,
    read_size,
    read_switches,
    reseller_of,
    switches,
    the_one,
)
from accounts.models import Customer, Domain, MailServer, Plan, Reseller
from accounts.services import customers, forwards
from accounts.services.audit import SYSTEM
from accounts.services.customers import PLAN_FIELDS
from accounts.services.dns import check_domain
from accounts.services.limits import parse_size, taken_by
from accounts.services.references import set_reference
from accounts.services.suspending import resume_customer, suspend_customer

PLAN_OPTIONS: tuple[Argument, ...] = (
    option("mailboxes", "how many, or none for no limit"),
    option("space", "in all, such as 100 GB, or none for no limit"),
    option("quota", "of a new mailbox, such as 5 GB"),
    option("largest", "the largest mailbox, such as 50 GB, or none for no limit"),
    option("retention", "for how many days a deleted mailbox can be had back", type=int),
    option("sending", "recipients a day, or none for no limit"),
    *switches(),
)


def add_plans(one: Group) -> None:
    one.verb("list", plan_list, "The plans.")
    one.verb("create", plan_create, "Makes a plan.", named(), *PLAN_OPTIONS)
    text = "Changes what is given of a plan, for all who have it."
    above = ("--above", {"action": "store_true", "help": "also below what its customers have"})
    one.verb("change", plan_change, text, named(), option("name", "another name", dest="rename"), above, *PLAN_OPTIONS)
    one.verb("delete", plan_delete, "Removes a plan that nobody has.", named())


def add_resellers(one: Group) -> None:
    one.verb("list", reseller_list, "The resellers.")
    one.verb("create", reseller_create, "Makes a reseller.", named())
    one.verb("rename", reseller_rename, "Another name.", named(), named("new"))
    one.verb("delete", reseller_delete, "Removes a reseller without customers.", named())


def add_customers(one: Group) -> None:
    customer = named("name", "the customer's name, or its number with #")
    one.verb("list", customer_list, "The customers.")
    one.verb("show", customer_show, "One customer, and what is taken of its plan.", customer)
    plan = ("--plan", {"required": True, "help": "the plan's name"})
    seller = ("--reseller", {"default": "", "help": "the reseller's name"})
    one.verb("create", customer_create, "Makes a customer.", named(), plan, seller, REFERENCE)
    change = (option("name", "another name", dest="rename"), option("plan", "another plan"), REFERENCE)
    one.verb("change", customer_change, "Another name, plan or reference.", customer, *change)
    to = named("reseller", f"the reseller's name, or {NONE}: the provider itself")
    one.verb("move", customer_move, "Gives a customer to a reseller.", customer, to)
    for verb, active in (("suspend", False), ("resume", True)):
        text = (
            "Opens a customer again."
            if active
            else "Shuts all of a customer: nobody signs in, nothing is received or sent."
        )
        one.verb(verb, lambda active=active, **values: customer_open(active=active, **values), text, customer)
    one.verb("delete", customer_delete, "Removes a customer without domains.", customer)


def add_servers(one: Group) -> None:
    one.verb("list", server_list, "The servers.")
    path = named("path", "the folder as Dovecot sees it, which may write there")
    size = ("--disk", {"default": "", "help": "how large it is, such as 8 TB, where that cannot be seen from here"})
    one.verb("create", server_create, "Adds a server.", named(), path, size)
    one.verb("delete", server_delete, "Forgets a server without domains.", named())


def add_domains(one: Group) -> None:
    one.verb("list", domain_list, "The domains.")
    customer = ("--customer", {"required": True, "help": "the customer's name, or its number with #"})
    text = "where its mail lies; without it in the installation's own mail folder"
    one.verb(
        "create",
        domain_create,
        "Adds a domain to a customer.",
        named(),
        customer,
        ("--server", {"default": "", "help": text}),
        REFERENCE,
    )
    one.verb("change", domain_change, "Another reference.", named(), REFERENCE)
    for verb, active in (("suspend", False), ("resume", True)):
        text = "Opens a domain again." if active else "Shuts a domain: nobody in it signs in, nothing is taken in."
        one.verb(verb, lambda active=active, **values: domain_open(active=active, **values), text, named())
    one.verb("delete", domain_delete, "Removes a domain in which there is nothing any more.", named())
    quota = option("quota", f"such as 2 GB, or {NONE}: the plan's")
    one.verb(
        "defaults",
        domain_defaults,
        "With what a new mailbox begins; what is given is changed.",
        named(),
        quota,
        *switches(),
    )
    mailbox = ("mailbox", {"nargs": "?", "default": "", "help": "without it, mail to nobody is refused"})
    one.verb("catch-all", domain_catch_all, "Who gets what is addressed to nobody.", named(), mailbox)
    one.verb("dns", domain_dns, "Its DNS records: as they should be, as they are now, what to change.", named())


# --- Plans ------------------------------------------------------------------------------------------------------------------
def plan_list() -> list[Told]:
    return [_plan(one) for one in Plan.objects.order_by("name")]


def plan_create(name: str, **values: Any) -> Told:
    if Plan.objects.filter(name=name).exists():
        raise CommandError(f"name: There is a plan {name!r}.")
    return _plan(customers.save_plan(plan=_filled(Plan(name=name), values), by=SYSTEM, new=True))


def plan_change(name: str, rename: str | None, above: bool, **values: Any) -> Told:
    plan = plan_of(name)
    plan.name = rename or plan.name
    return _plan(customers.save_plan(plan=_filled(plan, values), by=SYSTEM, new=False, above=above))


def plan_delete(name: str) -> Told:
    plan = plan_of(name)
    told = _plan(plan)
    customers.delete_plan(plan=plan, by=SYSTEM)
    return told


def _filled(plan: Plan, values: dict[str, Any]) -> Plan:
    """A plan with what was typed; what was left out stays."""
    numbers = {"mailboxes": "mailbox_limit", "sending": "daily_sending_limit"}
    sizes = {"space": "total_bytes", "quota": "mailbox_quota_bytes", "largest": "largest_mailbox_bytes"}
    for typed, field in (numbers | sizes).items():
        if values.get(typed) is not None:
            text = values[typed]
            value = read_number(text, field=typed) if typed in numbers else read_size(text, field=typed)
            if value is None and field == "mailbox_quota_bytes":
                raise CommandError("quota: A new mailbox has a quota.")
            setattr(plan, field, value)
    if values.get("quota") is None and plan.largest_mailbox_bytes is not None and not plan.pk:
        plan.mailbox_quota_bytes = min(plan.mailbox_quota_bytes, plan.largest_mailbox_bytes)
    if values.get("retention") is not None:
        if not 0 <= values["retention"] <= 365:
            raise CommandError("retention: From 0 to 365 days.")
        plan.retention_days = values["retention"]
    for name, on in read_switches(values).items():
        setattr(plan, name, on)
    return plan


def _plan(one: Plan) -> Told:
    return {"id": one.pk} | {name: getattr(one, name) for name in PLAN_FIELDS}


# --- Resellers and customers ------------------------------------------------------------------------------------------------
def reseller_list() -> list[Told]:
    return [_reseller(one) for one in Reseller.objects.order_by("name")]


def reseller_create(name: str) -> Told:
    return _reseller(customers.create_reseller(name=name, by=SYSTEM))


def reseller_rename(name: str, new: str) -> Told:
    reseller = reseller_of(name)
    customers.rename_reseller(reseller=reseller, name=new, by=SYSTEM)
    return _reseller(reseller)


def reseller_delete(name: str) -> Told:
    reseller = reseller_of(name)
    told = _reseller(reseller)
    customers.delete_reseller(reseller=reseller, by=SYSTEM)
    return told


def _reseller(one: Reseller) -> Told:
    return {"id": one.pk, "name": one.name}


def customer_list() -> list[Told]:
    return [_customer(one) for one in Customer.objects.select_related("plan", "reseller").order_by("name", "pk")]


def customer_show(name: str) -> Told:
    customer = customer_of(name)
    taken = taken_by(customer)
    told = _customer(customer) | {"mailboxes": taken.mailboxes, "allotted_bytes": taken.allotted_bytes}
    return told | {"domains": customer.domains.count()}


def customer_create(name: str, plan: str, reseller: str, reference: str | None) -> Told:
    values: dict[str, Any] = {"plan": plan_of(plan), "reseller": reseller_of(reseller) if reseller else None}
    return _customer(customers.create_customer(name=name, reference=reference, by=SYSTEM, **values))


@transaction.atomic
def customer_change(name: str, rename: str | None, plan: str | None, reference: str | None) -> Told:
    customer = customer_of(name)
    chosen = customer.plan if plan is None else plan_of(plan)
    customers.change_customer(customer=customer, name=rename or customer.name, plan=chosen, by=SYSTEM)
    if reference is not None:
        set_reference(thing=customer, reference=reference, by=SYSTEM)
    return _customer(customer_of(f"#{customer.pk}"))


def customer_move(name: str, reseller: str) -> Told:
    customer = customer_of(name)
    to = None if reseller == NONE else reseller_of(reseller)
    customers.move_customer(customer=customer, reseller=to, by=SYSTEM)
    return _customer(customer_of(f"#{customer.pk}"))


def customer_open(name: str, *, active: bool) -> Told:
    customer = customer_of(name)
    act = resume_customer if active else suspend_customer
    act(customer=customer, by=SYSTEM)
    return _customer(customer)


def customer_delete(name: str) -> Told:
    customer = customer_of(name)
    told = _customer(customer)
    customers.delete_customer(customer=customer, by=SYSTEM)
    return told


def _customer(one: Customer) -> Told:
    told = {"id": one.pk, "name": one.name, "plan": one.plan.name, "reseller": str(one.reseller or "")}
    return told | {"active": one.suspended is None, "reference": one.reference or ""}


# --- Servers and domains ----------------------------------------------------------------------------------------------------
def server_list() -> list[Told]:
    return [_server(one) for one in MailServer.objects.order_by("name")]


def server_create(name: str, path: str, disk: str) -> Told:
    size = parse_size(disk) if disk else None
    return _server(customers.create_server(name=name, path=path, disk_bytes=size, by=SYSTEM))


def server_delete(name: str) -> Told:
    server = server_of(name)
    told = _server(server)
    customers.remove_server(server=server, by=SYSTEM)
    return told


def server_of(name: str) -> MailServer:
    found: MailServer = the_one(MailServer.objects.filter(name=name), "server", name)
    return found


def _server(one: MailServer) -> Told:
    return {"id": one.pk, "name": one.name, "path": one.path, "disk_bytes": one.disk_bytes}


def domain_list() -> list[Told]:
    return [_domain(one) for one in Domain.objects.select_related("customer", "catch_all").order_by("name")]


def domain_create(name: str, customer: str, server: str, reference: str | None) -> Told:
    values: dict[str, Any] = {"server": server_of(server) if server else None, "reference": reference}
    return _domain(customers.create_domain(customer=customer_of(customer), name=name, by=SYSTEM, **values))


def domain_change(name: str, reference: str | None) -> Told:
    domain = domain_of(name)
    if reference is not None:
        set_reference(thing=domain, reference=reference, by=SYSTEM)
    return _domain(domain)


def domain_open(name: str, *, active: bool) -> Told:
    domain = domain_of(name)
    customers.open_domain(domain=domain, active=active, by=SYSTEM)
    return _domain(domain)


def domain_delete(name: str) -> Told:
    domain = domain_of(name)
    told = _domain(domain)
    customers.delete_domain(domain=domain, by=SYSTEM)
    return told


def domain_defaults(name: str, quota: str | None, **values: Any) -> Told:
    domain = domain_of(name)
    size = domain.new_quota_bytes if quota is None else read_size(quota)
    customers.set_usual(domain=domain, quota_bytes=size, by=SYSTEM, **(domain.usual_switches | read_switches(values)))
    return {"domain": domain.name, "quota_bytes": domain.usual_quota_bytes} | domain.usual_switches


def domain_catch_all(name: str, mailbox: str) -> Told:
    domain = domain_of(name)
    forwards.set_catch_all(domain=domain, mailbox=mailbox_of(mailbox) if mailbox else None, by=SYSTEM)
    return _domain(domain)


def domain_dns(name: str) -> list[Told]:
    rows = check_domain(domain_of(name))
    return [
        {"state": row.judged.state, "type": row.record.kind, "name": row.record.name, "value": row.record.value}
        | {"found": list(row.found.texts), "change": row.judged.change, "notes": row.notes}
        for row in rows
    ]


def _domain(one: Domain) -> Told:
    caught = one.catch_all.address if one.catch_all else ""
    told = {"id": one.pk, "name": one.name, "customer": one.customer.name, "active": one.active, "catch_all": caught}
    return told | {"reference": one.reference or ""}
