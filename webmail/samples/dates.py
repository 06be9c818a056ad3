"""Dates as mail writes them and as people say them, on Chilean clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

SUMMER = timezone(timedelta(hours=-3))
WINTER = timezone(timedelta(hours=-4))
DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAYS_ES = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MONTHS_ES = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)


def in_chile(when: datetime) -> datetime:
    """The same instant on a clock in Santiago: UTC-4 from April to early September, else UTC-3 (as by the law since 2023)."""
    winter = (4, 7) <= (when.month, when.day) < (9, 7)
    return when.astimezone(WINTER if winter else SUMMER)


def mail_date(when: datetime) -> str:
    """As in a Date header (RFC 5322 section 3.3)."""
    day, month = DAYS_EN[when.weekday()][:3], MONTHS_EN[when.month - 1][:3]
    return f"{day}, {when.day} {month} {when:%Y %H:%M:%S %z}"


def internal_date(when: datetime) -> str:
    """As in APPEND (RFC 3501, date-time)."""
    return f"{when.day:2}-{MONTHS_EN[when.month - 1][:3]}-{when:%Y %H:%M:%S %z}"


def said_day(when: datetime, lang: str = "es") -> str:
    """ "jueves 4", "Thursday 4"."""
    return f"{(DAYS_EN if lang == 'en' else DAYS_ES)[when.weekday()]} {when.day}"


def said_date(when: datetime, lang: str = "es") -> str:
    """ "4 de diciembre", "4 December"."""
    return f"{when.day} {MONTHS_EN[when.month - 1]}" if lang == "en" else f"{when.day} de {MONTHS_ES[when.month - 1]}"


def workday(when: datetime, days: int) -> datetime:
    """`days` later, and never on a weekend."""
    later = when + timedelta(days=days)
    return later + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[later.weekday()])


def calendar_stamp(when: datetime) -> str:
    """As in iCalendar, in UTC (RFC 5545 section 3.3.5)."""
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
