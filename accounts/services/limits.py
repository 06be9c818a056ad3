"""What a plan allows. Whoever adds something holds the customer's row until it is there, so that two requests at once cannot
both find the last free place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import Count, Sum
from django.utils.formats import get_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Customer, Mailbox, Plan

MEGABYTE = 1_000_000
UNITS = {"MB": MEGABYTE, "GB": 1000 * MEGABYTE, "TB": 1_000_000 * MEGABYTE}
SMALLEST_BYTES = MEGABYTE
LARGEST_BYTES = 100_000 * 1000 * MEGABYTE
_TOO_MANY = 10**9
_PLAIN = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,9})?")
_TWICE = re.compile(r"([1-9][0-9]{0,2})[.,]([0-9]{3})")
"""A thousand and something, or one and something: it depends on who reads it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a customer's mailboxes take of the plan: how many there are, and the sum of their quotas."""

    mailboxes: int
    allotted_bytes: int


def lock_customer(customer_id: int) -> Customer:
    """The customer, held until the transaction ends (on SQLite every writing transaction is alone)."""
    return Customer.objects.select_for_update(of=("self",)).select_related("plan").get(pk=customer_id)


def taken_by(customer: Customer) -> Taken:
    """What is taken of the customer's plan; deleted mailboxes do not count, having them back has to find room."""
    rows = Mailbox.objects.filter(domain__customer=customer, deleted__isnull=True)
    found = rows.aggregate(count=Count("pk"), total=Sum("quota_bytes"))
    return Taken(found["count"], found["total"] or 0)


def check_quota(customer: Customer, quota_bytes: int) -> None:
    """Raises ValidationError at `quota` for a size that no mailbox of this customer may have."""
    if quota_bytes < SMALLEST_BYTES:
        raise ValidationError({"quota": _("The quota must be at least 1 MB.")})
    if quota_bytes > LARGEST_BYTES:
        raise ValidationError({"quota": _("The quota must be at most %(size)s.") % {"size": size_words(LARGEST_BYTES)}})
    limits = (customer.plan.largest_mailbox_bytes, customer.plan.total_bytes)
    largest = min((limit for limit in limits if limit is not None), default=None)
    if largest is not None and quota_bytes > largest:
        text = _("The plan %(plan)s allows at most %(size)s for a mailbox.")
        raise ValidationError({"quota": text % {"plan": customer.plan, "size": size_words(largest)}})


def check_room(customer: Customer, *, mailboxes: int = 0, more_bytes: int = 0) -> None:
    """Raises ValidationError at `address` when so many more mailboxes, at `quota` when so many more octets of quota, are more
    than the plan gives. The customer must be held (lock_customer)."""
    check_taken(customer.plan, taken_by(customer), mailboxes=mailboxes, more_bytes=more_bytes)


def check_taken(plan: Plan, taken: Taken, *, mailboxes: int, more_bytes: int) -> None:
    """As check_room, for what is taken by then."""
    if plan.mailbox_limit is not None and mailboxes and taken.mailboxes + mailboxes > plan.mailbox_limit:
        text = ngettext(
            "The plan %(plan)s has %(limit)d mailbox, and %(taken)d is taken.",
            "The plan %(plan)s has %(limit)d mailboxes, and %(taken)d are taken.",
            plan.mailbox_limit,
        )
        values = {"plan": plan, "limit": plan.mailbox_limit, "taken": taken.mailboxes}
        raise ValidationError({"address": text % values})
    if plan.total_bytes is not None and more_bytes > 0 and taken.allotted_bytes + more_bytes > plan.total_bytes:
        left = max(0, plan.total_bytes - taken.allotted_bytes)
        text = _("The plan %(plan)s has %(left)s left to give.")
        raise ValidationError({"quota": text % {"plan": plan, "left": size_words(left)}})


def parse_size(text: str, *, field: str = "quota", bare: int = 0) -> int:
    """A size in octets from "500 MB", "1,5 GB", "1.234,5 GB" or "2 TB"; a number alone is in units of `bare`, 0 for not allowed.
    Point and comma both may stand before decimals. Raises ValidationError at `field`, also for what some read as thousands and
    others as decimals ("1.000")."""
    plain = " ".join(text.upper().split())
    unit = next((name for name in UNITS if plain.endswith(name)), "")
    factor, digits = UNITS.get(unit, bare), plain.removesuffix(unit).strip()
    if factor and (twice := _TWICE.fullmatch(digits)):
        whole, rest = twice.groups()
        readings = {"text": text.strip()[:40], "much": f"{whole}{rest} {unit}", "little": f"{whole}.{rest}0 {unit}"}
        wrong = _("“%(text)s” can be read in two ways: write %(much)s or %(little)s.")
        raise ValidationError({field: wrong % {name: value.strip() for name, value in readings.items()}})
    value = _number(digits)
    if not factor or value is None or not 0 < value < _TOO_MANY:
        wrong = _("“%(text)s” is no size: write for example 500 MB or 1.5 GB.")
        raise ValidationError({field: wrong % {"text": text.strip()[:40]}})
    return round(value * factor)


def _number(digits: str) -> Decimal | None:
    """The number that these ASCII digits, their points, commas and spaces are in one way only; None where they are none."""
    if _PLAIN.fullmatch(digits):
        return Decimal(digits.replace(",", "."))
    for grouping, decimals in ((".", ","), (",", "."), (" ", ","), (" ", ".")):
        shape = rf"[1-9][0-9]{{0,2}}(?:{re.escape(grouping)}[0-9]{{3}})+(?:{re.escape(decimals)}[0-9]{{1,9}})?"
        if re.fullmatch(shape, digits):
            return Decimal(digits.replace(grouping, "").replace(decimals, "."))
    return None


def size_typed(size_bytes: int, *, point: str | None = None) -> str:
    """A size as parse_size reads it again: exact, without thousands, never such that it could be read in two ways. `point` stands
    before the decimals, else that of the language."""
    unit = "GB" if size_bytes >= UNITS["GB"] else "MB"
    whole, rest = divmod(size_bytes, UNITS[unit])
    decimals = str(rest).rjust(len(str(UNITS[unit])) - 1, "0").rstrip("0")
    decimals += "0" if len(decimals) == 3 else ""
    return f"{whole}{(point or get_format('DECIMAL_SEPARATOR')) if decimals else ''}{decimals}\u00a0{unit}"


def size_words(size_bytes: int) -> str:
    """A size as quotas are sold: "500 MB", "5 GB", "1.5 GB"."""
    value, unit = (size_bytes / MEGABYTE, "MB") if size_bytes < 1000 * MEGABYTE else (size_bytes / 1e9, "GB")
    value = round(value, 2)
    return f"{number_format(value, 0 if value == int(value) else None)}\u00a0{unit}"
