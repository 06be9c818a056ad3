"""Customers, domains and mailboxes: making them and changing them. The mail servers see a change at the next login."""

from __future__ import annotations

from django.db import transaction

from accounts.domain_names import a_labels
from accounts.models import Alias, Customer, Domain, Mailbox, Plan
from accounts.provisioning.passwords import hash_mailbox_password
from accounts.services.mailboxes import FIRST_NUMBER, new_home, next_number

__all__ = ["FIRST_NUMBER"]


@transaction.atomic
def create_customer_with_domain(*, customer: str, domain: str, plan: str = "Base") -> Domain:
    """A customer on a plan (made when there is none of that name), and one domain, in lower-case A-label form."""
    bought, _ = Plan.objects.get_or_create(name=plan)
    owner = Customer.objects.create(name=customer, plan=bought)
    return Domain.objects.create(name=_domain_name(domain), customer=owner)


@transaction.atomic
def create_mailbox(
    *, address: str, password: str, name: str = "", number: int | None = None, quota_bytes: int | None = None
) -> Mailbox:
    """A mailbox in a domain that exists; its number is the next free one and its quota the plan's, unless given.

    Raises ValueError when the address has no local part, and Domain.DoesNotExist for a foreign domain.
    """
    local, _, host = address.strip().lower().rpartition("@")
    if not local:
        raise ValueError("a mailbox needs a whole address")
    domain = Domain.objects.select_related("customer__plan").get(name=_domain_name(host))
    return Mailbox.objects.create(
        address=f"{local}@{domain.name}",
        number=next_number() if number is None else number,
        domain=domain,
        name=name,
        password=hash_mailbox_password(password),
        quota_bytes=domain.usual_quota_bytes if quota_bytes is None else quota_bytes,
        home=new_home(f"{local}@{domain.name}"),
        **domain.usual_switches,
    )


def create_alias(*, address: str, target: Mailbox) -> Alias:
    """An address that delivers into `target`, and from which its owner may send."""
    return Alias.objects.create(address=address.strip().lower(), target=target)


def set_mailbox_password(*, mailbox: Mailbox, password: str) -> None:
    """Gives the mailbox a new password, for the web and for every mail program."""
    mailbox.password, mailbox.rounds = hash_mailbox_password(password), (mailbox.rounds or 0) + 1
    mailbox.save(update_fields=["password", "rounds"])


def suspend_mailbox(*, mailbox: Mailbox) -> None:
    """Shuts the mailbox: no login, no delivery, no sending. Its mail stays."""
    mailbox.active = mailbox.receives = mailbox.sends = False
    mailbox.save(update_fields=["active", "receives", "sends"])


def resume_mailbox(*, mailbox: Mailbox) -> None:
    """Opens a suspended mailbox again."""
    mailbox.active = mailbox.receives = mailbox.sends = True
    mailbox.save(update_fields=["active", "receives", "sends"])


def _domain_name(name: str) -> str:
    return a_labels(name.strip())
