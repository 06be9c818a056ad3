"""A customer suspended as a whole, as for an account that is not paid, and opened again.

One column of the customer says it, and the views of the mail servers read that: what was set of its domains and mailboxes stays,
and is as it was when the customer is opened again.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Customer, MailAccount
from accounts.provisioning import doveadm
from accounts.services.audit import Actor, record
from accounts.services.limits import lock_customer


@transaction.atomic
def suspend_customer(*, customer: Customer, by: Actor) -> None:
    """Shuts every mailbox of the customer: nobody signs in, nothing is received or sent, sessions that are open end. Mail stays.
    Raises ValidationError where somebody would shut themselves out. A customer that is suspended stays so, since when it was."""
    row = lock_customer(customer.pk)
    if row.suspended is None:
        _not_ones_own(row, by)
        row.suspended = timezone.now()
        row.save(update_fields=["suspended"])
        record(by=by, verb="customer.suspend", thing=row)
        names = list(row.domains.order_by("name").values_list("name", flat=True))
        transaction.on_commit(lambda: _end_sessions(names))
    customer.suspended = row.suspended


@transaction.atomic
def resume_customer(*, customer: Customer, by: Actor) -> None:
    """Opens the customer again: each domain and mailbox is as it was set."""
    row = lock_customer(customer.pk)
    if row.suspended is not None:
        row.suspended = None
        row.save(update_fields=["suspended"])
        record(by=by, verb="customer.resume", thing=row)
    customer.suspended = None


def _not_ones_own(customer: Customer, by: Actor) -> None:
    if by.person and MailAccount.objects.filter(mailbox__domain__customer=customer, owner=by.person).exists():
        raise ValidationError(_("Your own mailbox is among its mailboxes: you would shut yourself out."))


def _end_sessions(domains: list[str]) -> None:
    """Ends what is open in these domains; where the mail server cannot be asked, it is asked no further."""
    for name in domains:
        if not doveadm.end_sessions(f"*@{name}"):
            return
