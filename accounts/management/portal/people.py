"""Addresses that are no mailboxes, roles, invitations, tokens, and the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.management.portal.words import (
    Group,
    Told,
    customer_of,
    domain_of,
    mailbox_of,
    named,
    option,
    person_of,
    reseller_of,
    the_one,
)
from accounts.models import Alias, ApiToken, Change, Invitation, Kind, Letter, Role
from accounts.models import Group as MailGroup
from accounts.services import forwards, invitations
from accounts.services.audit import SYSTEM, Actor
from accounts.services.invitations import Target, target_fields
from accounts.services.permissions import may_grant
from accounts.services.tokens import SCOPES, make_token, revoke_token


def add_aliases(one: Group) -> None:
    address = named("address", "the whole address")
    one.verb("list", alias_list, "The aliases of a domain.", named("domain"))
    one.verb("create", alias_create, "Makes an alias.", address, named("mailbox", "into which it delivers"))
    one.verb("delete", alias_delete, "Removes an alias.", address)


def add_groups(one: Group) -> None:
    address, members = named("address", "the whole address"), ("members", {"nargs": "+"})
    one.verb("list", group_list, "The groups of a domain.", named("domain"))
    one.verb("create", group_create, "Makes a group.", address, members, ("--name", {"default": ""}))
    one.verb("change", group_change, "Gives a group these members.", address, members, option("name", "another name"))
    one.verb("delete", group_delete, "Removes a group.", address)


def add_roles(one: Group) -> None:
    one.verb("list", role_list, "Who runs what.", option("person", "of this person alone"))
    one.verb("withdraw", role_withdraw, "Takes a role away.", named("person"), *_over())


def add_invitations(one: Group) -> None:
    one.verb("list", invitation_list, "Who is invited and has not answered.")
    by = ("--by", {"required": True, "metavar": "PERSON", "help": "who invites, and must be able to give the role"})
    text = "Invites somebody to a role, by a letter: over what is named, or else to run everything."
    one.verb("create", invitation_create, text, named("address"), *_over(), by)
    one.verb("withdraw", invitation_withdraw, "Takes an invitation back.", named("address"), *_over())


def add_tokens(one: Group) -> None:
    person = named("person", "the mail address of who it acts for")
    scopes = ("scopes", {"nargs": "+", "choices": SCOPES, "metavar": "SCOPE", "help": ", ".join(SCOPES)})
    days = ("--days", {"type": int, "default": 0, "help": "so long it is good; without it until it is revoked"})
    customer = option("customer", "only for what is this customer's")
    one.verb("create", token_create, "Makes a token and tells it this once.", person, named(), scopes, days, customer)
    one.verb("list", token_list, "The tokens of a person.", person)
    one.verb("revoke", token_revoke, "Makes a token worth nothing.", person, named())


def add_changes(one: Group) -> None:
    narrowed = [option(name) for name in ("customer", "domain", "mailbox")]
    limit = ("--limit", {"type": int, "default": 50, "help": "so many at most"})
    one.verb("list", change_list, "The log of changes, the latest first.", *narrowed, limit)


# --- Addresses --------------------------------------------------------------------------------------------------------------
def alias_list(domain: str) -> list[Told]:
    ends = f"@{domain_of(domain).name}"
    return [
        _alias(one) for one in Alias.objects.select_related("target").filter(address__endswith=ends).order_by("address")
    ]


def alias_create(address: str, mailbox: str) -> Told:
    local, _at, host = address.rpartition("@")
    return _alias(forwards.create_alias(domain=domain_of(host), local=local, target=mailbox_of(mailbox), by=SYSTEM))


def alias_delete(address: str) -> Told:
    rows = Alias.objects.select_related("target__domain__customer").filter(address=address.strip().lower())
    alias = the_one(rows, "alias", address)
    told = _alias(alias)
    forwards.delete_alias(alias=alias, by=SYSTEM)
    return told


def _alias(one: Alias) -> Told:
    return {"address": one.address, "mailbox": one.target.address}


def group_list(domain: str) -> list[Told]:
    rows = MailGroup.objects.filter(domain=domain_of(domain)).prefetch_related("members")
    return [_group(one) for one in rows.order_by("address")]


def group_create(address: str, members: list[str], name: str) -> Told:
    local, _at, host = address.rpartition("@")
    return _group(forwards.save_group(domain=domain_of(host), local=local, name=name, members=members, by=SYSTEM))


def group_change(address: str, members: list[str], name: str | None) -> Told:
    group = _group_of(address)
    values: dict[str, Any] = {"local": group.address, "name": group.name if name is None else name, "members": members}
    return _group(forwards.save_group(domain=group.domain, group=group, by=SYSTEM, **values))


def group_delete(address: str) -> Told:
    group = _group_of(address)
    told = _group(group)
    forwards.delete_group(group=group, by=SYSTEM)
    return told


def _group_of(address: str) -> MailGroup:
    rows = MailGroup.objects.select_related("domain__customer").filter(address=address.strip().lower())
    found: MailGroup = the_one(rows, "group", address)
    return found


def _group(one: MailGroup) -> Told:
    return {"address": one.address, "name": one.name, "members": sorted(row.address for row in one.members.all())}


# --- People -----------------------------------------------------------------------------------------------------------------
def _over() -> list[Any]:
    """What a role is over: one of these, or none for everything."""
    return [option(name, f"over this {name}") for name in ("reseller", "customer", "domain")]


def _target(reseller: str | None, customer: str | None, domain: str | None) -> tuple[str, Target]:
    """The kind of role and what it is over. Raises CommandError for more than one."""
    if sum(name is not None for name in (reseller, customer, domain)) > 1:
        raise CommandError("A role is over one of --reseller, --customer, --domain.")
    if reseller is not None:
        return Kind.RESELLER, reseller_of(reseller)
    if customer is not None:
        return Kind.CUSTOMER, customer_of(customer)
    return (Kind.DOMAIN, domain_of(domain)) if domain is not None else (Kind.PROVIDER, None)


def _where(kind: str, target: Target) -> dict[str, Any]:
    return {"kind": kind} | {name: value for name, value in target_fields(target).items() if value is not None}


def role_list(person: str | None) -> list[Told]:
    rows = Role.objects.select_related("person", "reseller", "customer", "domain").order_by("person__email", "pk")
    return [_role(one, one.person.email) for one in (rows.filter(person=person_of(person)) if person else rows)]


def role_withdraw(person: str, **over: Any) -> Told:
    kind, target = _target(**over)
    rows = Role.objects.select_related("person").filter(person=person_of(person), **_where(kind, target))
    role = the_one(rows, f"role {kind} of", person)
    told = _role(role, role.person.email)
    invitations.withdraw(role=role, by=SYSTEM)
    return told


def invitation_list() -> list[Told]:
    parts = ("reseller", "customer__reseller", "domain__customer__reseller")
    rows = Invitation.objects.select_related(*parts).prefetch_related("inviter").order_by("address", "pk")
    return [
        _role(one, one.address) | {"expires": one.expires, "letter": one.letter, "good": invitations.is_given(one)}
        for one in rows
    ]


def invitation_create(address: str, by: str, **over: Any) -> Told:
    kind, target = _target(**over)
    person = person_of(by)
    if not may_grant(person, kind, target):
        raise CommandError(f"{person.email} may not give that role.")
    made, token = invitations.invite(address=address, kind=kind, target=target, by=Actor(person))
    sent = invitations.send_invitation(made, token)
    return _role(made, made.address) | {"expires": made.expires, "sent": sent == Letter.SENT}


def invitation_withdraw(address: str, **over: Any) -> Told:
    kind, target = _target(**over)
    rows = Invitation.objects.filter(address=address.strip().lower(), **_where(kind, target))
    row = the_one(rows, f"invitation {kind} of", address)
    told = _role(row, row.address)
    invitations.withdraw(role=row, by=SYSTEM)
    return told


def _role(one: Role | Invitation, who: str) -> Told:
    return {"person": who, "kind": str(one.kind), "over": str(one.target or "")}


# --- Tokens and the log -----------------------------------------------------------------------------------------------------
def token_create(person: str, name: str, scopes: list[str], days: int, customer: str | None) -> Told:
    expires = timezone.now() + timedelta(days=days) if days > 0 else None
    only = customer_of(customer) if customer else None
    made = make_token(person=person_of(person), name=name, scopes=scopes, expires=expires, customer=only, by=SYSTEM)
    return _token(made.row) | {"token": made.token}


def token_list(person: str) -> list[Told]:
    return [_token(one) for one in ApiToken.objects.filter(person=person_of(person)).order_by("name")]


def token_revoke(person: str, name: str) -> Told:
    row = the_one(ApiToken.objects.filter(person=person_of(person), name=name), "token", name)
    told = _token(row)
    revoke_token(row, by=SYSTEM)
    return told


def _token(one: ApiToken) -> Told:
    return {"name": one.name, "scopes": one.scopes, "expires": one.expires, "last_at": one.last_at}


def change_list(customer: str | None, domain: str | None, mailbox: str | None, limit: int) -> list[Told]:
    rows = Change.objects.order_by("-pk")
    if customer is not None:
        rows = rows.filter(customer=customer_of(customer))
    if domain is not None:
        rows = rows.filter(domain=domain_of(domain))
    if mailbox is not None:
        rows = rows.filter(mailbox=mailbox_of(mailbox))
    return [
        {"at": one.at, "by": one.actor_name, "origin": one.origin, "verb": one.verb, "thing": one.thing}
        | {"before": one.before or None, "after": one.after or None}
        for one in rows[: max(1, min(limit, 10_000))]
    ]
