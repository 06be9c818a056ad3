"""Icons, sizes and dates as every page of Casilla writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from webmail.tokens import encode_folder
from webmail.values import FolderId

register = template.Library()

DAYS = 10_000
"""Headings of days that are kept in a process."""
UNITS = ("B", "KB", "MB", "GB", "TB")


@register.simple_tag
def icon(name: str, *, size: str = "", label: str = "", css: str = "", dir: bool = False) -> SafeString:
    """An icon of the sprite: decorative, or with a label an image with a name. size: "", "sm" or "lg"; `dir` flips it in
    right-to-left languages."""
    return _drawn(name, size, str(label), css, dir)


@lru_cache(maxsize=1024)
def _drawn(name: str, size: str, label: str, css: str, flips: bool) -> SafeString:
    """The same again and again on every page: a list of fifty rows has two hundred."""
    classes = " ".join(filter(None, ["i", f"i--{size}" if size else "", "i--dir" if flips else "", css]))
    href = f"{static('icons/sprite.svg')}#{name}"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', classes, label, href)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, href)


@register.filter
def folder_token(folder: str) -> str:
    return encode_folder(FolderId(folder))


@register.filter
def filesize(size_bytes: int | None) -> str:
    """A size in decimal units, as disks and quotas are sold: 184 KB, 3,8 GB."""
    value = float(size_bytes or 0)
    unit = 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value /= 1000
        unit += 1
    places = 1 if unit >= 2 and value < 99.95 and round(value, 1) != round(value) else 0
    return f"{formats.number_format(round(value, places), decimal_pos=places)}\u00a0{UNITS[unit]}"


@register.filter
def mail_date(moment: datetime, form: str = "short") -> str:
    """When, as short as it can be understood: 10:42 today, "yesterday", the weekday for six days, "14 nov", with the year
    when it is another. `long` adds the time."""
    local = timezone.localtime(moment)
    days = (timezone.localdate() - local.date()).days
    clock = local.strftime("%H:%M")
    if days == 0:
        return _("today %(time)s") % {"time": clock} if form == "long" else clock
    if days == 1:
        return _("yesterday %(time)s") % {"time": clock} if form == "long" else _("yesterday")
    this_year = local.year == timezone.localdate().year
    day = _short_day(local, _("j M") if this_year else _("j M Y"))
    if form == "long":
        return f"{day} {clock}"
    if 1 < days < 7:
        return formats.date_format(local, "D").rstrip(".")
    return day


@register.filter
def near_day(moment: datetime) -> str:
    """A day ahead or back, as short as it can be: "12 dic", with the year when it is another."""
    local = timezone.localtime(moment)
    return _short_day(local, _("j M") if local.year == timezone.localdate().year else _("j M Y"))


def _short_day(moment: datetime, form: str) -> str:
    """A day with its month in short: without the dot, and small where the language writes months small."""
    day = formats.date_format(moment, form).replace(".", "")
    return day.lower() if formats.date_format(moment, "F").islower() else day


@register.filter
def day_heading(day: date) -> str:
    """The heading above the messages of a day: "Today, Friday 28 November", "Yesterday", "Wednesday 26 November"."""
    return _day_heading(day, timezone.localdate(), get_language() or "")


@lru_cache(maxsize=DAYS)
def _day_heading(day: date, today: date, language: str) -> str:
    """In the language that is active now."""
    this_year = day.year == today.year
    text = formats.date_format(day, _("l j F") if this_year else _("l j F Y"))
    if day == today:
        return _("Today, %(day)s") % {"day": text}
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return text[:1].upper() + text[1:]
