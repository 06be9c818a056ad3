"""What the pages of space need beside the general filters."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Domain, DomainSpace, Mailbox, MailboxSpace, MailboxUsage
from accounts.services.usage import thresholds
from accounts.services.usage.standing import permille_of
from accounts.services.usage.steps import steps_words
from accounts.services.usage.tables import TableQuery

register = template.Library()
SOON_DAYS, DATED_DAYS = 60, 330


@register.filter
def percent(permille: int) -> int:
    """Thousandths as percent, rounded down."""
    return permille // 10


@register.filter
def meter(permille: int) -> int:
    """The number of a meter's class: 0 to 100."""
    return min(permille // 10, 100)


@register.filter
def filled_of(usage: MailboxUsage, mailbox: Mailbox) -> int:
    """How many percent of its quota are used by what Dovecot counted, rounded down; 100 is full."""
    return permille_of(usage.bytes, mailbox.quota_bytes, messages=usage.messages) // 10


@register.filter
def red_from(thing: Mailbox | Domain | None) -> int:
    """From how many percent on the meter of a mailbox or a domain is red (classes red-1 to red-100)."""
    return thresholds.red_from(thing)


@register.filter
def told_at(domain: Domain) -> str:
    """The thresholds of a domain, in words."""
    return steps_words(thresholds.steps_of(domain))


@register.filter
def where_read(mode: str) -> str:
    """The place mark of mail that is read this way."""
    return "both" if mode == MailboxSpace.Mode.POP3 else "server"


@register.filter
def magnitude(number: int | None) -> int:
    """A number without its sign."""
    return abs(number or 0)


@register.filter
def minus(number: int | None, other: int | None) -> int:
    return (number or 0) - (other or 0)


@register.filter
def fills(full_on: date | None) -> str:
    """When something is full: "in 23 days", "3 Feb", "in 14 months", "" when that is not to be seen."""
    if full_on is None:
        return ""
    days = (full_on - timezone.localdate()).days
    if days <= 0:
        return _("today")
    if days <= SOON_DAYS:
        return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": days}
    if days <= DATED_DAYS:
        return month_short(full_on, _("j M"))
    months = round(days / 30.4)
    return ngettext("in %(n)s month", "in %(n)s months", months) % {"n": months}


@register.filter
def fills_between(space: MailboxSpace | DomainSpace) -> str:
    """Between which days that is in four of five cases: "12 dic – 5 ene"; "from 12 dic on" where it may not come at all; "" where
    nothing is said, or it is full now."""
    full = space.full_day
    if full is None or space.full_early is None or full <= timezone.localdate():
        return ""
    early = _near(space.full_early)
    if space.full_late is None:
        return _("from %(day)s on") % {"day": early}
    return f"{early} – {_near(space.full_late)}"


def _near(day: date) -> str:
    """A day to come, with the year where it could be taken for an earlier one."""
    if (day - timezone.localdate()).days > DATED_DAYS:
        return short_day(day)
    return month_short(day, _("j M"))


def month_short(day: date, form: str) -> str:
    """A day with its month in short: without the dot, and small where the language writes months small."""
    text = formats.date_format(day, form).replace(".", "")
    return text.lower() if formats.date_format(day, "F").islower() else text


@register.filter
def is_soon(full_on: date | None) -> bool:
    """Whether it is full within two months."""
    return full_on is not None and (full_on - timezone.localdate()).days <= SOON_DAYS


@register.filter
def full_day(day: date) -> str:
    """A day in a sentence: "10 March", with the year when it is another."""
    return formats.date_format(day, _("j F") if day.year == timezone.localdate().year else _("j F Y"))


@register.simple_tag
def table_address(query: TableQuery, **changes: Any) -> str:
    """The query string of the same table with changes."""
    return query.address(**changes)


@register.simple_tag
def tab_address(query: TableQuery, show: str) -> str:
    """The query string of another table, of the same plan, reseller, customer, server and mode."""
    values = {name: getattr(query, name) for name in ("plan", "reseller", "customer", "server", "mode")}
    kept = {name: "" if value is None else str(value) for name, value in values.items()}
    return TableQuery.read({"show": show, **kept}).address()


@register.filter
def at_sign(domain: str) -> str:
    """What finds the mailboxes of a domain among others."""
    return f"@{domain}"


@register.filter
def sign(number: int | None) -> str:
    """ "+" or a minus sign."""
    return "\u2212" if (number or 0) < 0 else "+"


@register.filter
def plus(number: float, other: float) -> float:
    """A place moved by so much, to a tenth."""
    return round(number + float(other), 1)


@register.filter
def at_least(number: int, least: int) -> int:
    return max(number, least)


@register.filter
def pieces(text: str) -> list[int]:
    """The whole numbers of "0 50 80"."""
    return [int(piece) for piece in text.split()]


@register.filter
def short_day(day: date) -> str:
    """A day as short as it can be: "10 mar", with the year when it is another."""
    form = _("j M") if day.year == timezone.localdate().year else _("j M Y")
    return month_short(day, form)


@register.filter
def strip_day(moment: datetime) -> str:
    """A day above the strip: "Thu 27", today as such."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return _("today %(time)s") % {"time": local.day}
    name = formats.date_format(local, "D").rstrip(".")
    return f"{name.lower() if formats.date_format(local, 'l').islower() else name} {local.day}"
