"""What another panel calls a customer, a domain or a mailbox: its own id, by which it finds the thing here. Each is there once
for each kind and each of those who sell: a reseller, or the provider itself, who alone set and so learn of them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Customer, Domain, Mailbox
from accounts.models.hosting import REFERENCE_MAX
from accounts.services.audit import Actor, record

Thing = Customer | Domain | Mailbox
REFERENCES_LOCK = 0x72656673
"""The key of PostgreSQL's advisory lock for references (chosen by us; "refs"). Taken after a customer's row, never before."""
_SELLER: dict[type[Thing], str] = {
    Customer: "reseller",
    Domain: "customer__reseller",
    Mailbox: "domain__customer__reseller",
}


def free_reference(kind: type[Thing], text: str | None, *, reseller: int | None, but: int = 0) -> str | None:
    """The reference as it is kept, None for none; nobody else gets it until the transaction ends. Raises ValidationError at
    `reference` for one that another thing of this kind has, and for what is no single line."""
    reference = (text or "").strip()
    if not reference:
        return None
    if len(reference) > REFERENCE_MAX or not reference.isprintable():
        raise ValidationError(
            {"reference": _("A reference is one line of at most %(n)s characters.") % {"n": REFERENCE_MAX}}
        )
    _lock()
    if _of_seller(kind, reseller).filter(reference=reference).exclude(pk=but).exists():
        raise ValidationError({"reference": _("Something of this kind has this reference already.")})
    return reference


@transaction.atomic
def set_reference(*, thing: Thing, reference: str | None, by: Actor) -> None:
    """Another reference for a thing, or none."""
    before = thing.reference
    thing.reference = free_reference(type(thing), reference, reseller=_seller_of(thing), but=thing.pk)
    if thing.reference != before:
        thing.save(update_fields=["reference"])
        values = ({"reference": before or ""}, {"reference": thing.reference or ""})
        record(by=by, verb=f"{thing._meta.model_name}.change", thing=thing, before=values[0], after=values[1])


def check_move(customer: Customer, reseller: int | None) -> None:
    """Raises ValidationError at `reseller` where a reference of the customer, or of what is in it, is taken there already."""
    _lock()
    own: dict[type[Thing], QuerySet[Thing]] = {
        Customer: Customer.objects.filter(pk=customer.pk),
        Domain: Domain.objects.filter(customer=customer),
        Mailbox: Mailbox.objects.filter(domain__customer=customer),
    }
    for kind, rows in own.items():
        named = rows.filter(reference__isnull=False).values("reference")
        there = _of_seller(kind, reseller).filter(reference__isnull=False)
        if there.filter(reference__in=named).exists():
            raise ValidationError({"reseller": _("A reference of it is taken there already.")})


def _of_seller(kind: type[Thing], reseller: int | None) -> QuerySet[Thing]:
    path = _SELLER[kind]
    rows: QuerySet[Thing] = kind.objects.all()
    return rows.filter(**{f"{path}__isnull": True} if reseller is None else {path: reseller})


def _seller_of(thing: Thing) -> int | None:
    if isinstance(thing, Mailbox):
        return thing.domain.customer.reseller_id
    return thing.customer.reseller_id if isinstance(thing, Domain) else thing.reseller_id


def _lock() -> None:
    """Held until the transaction ends; on SQLite a writing transaction is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REFERENCES_LOCK])
