"""The Date header (RFC 5322 sections 3.3 and 4.3), as real programs write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LENGTH_LIMIT = 200
YEARS = range(1970, 2101)
ZONE_LIMIT_MINUTES = 14 * 60

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_MONTH |= {
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "set": 9,
    "dic": 12,
    "mai": 5,
    "okt": 10,
    "dez": 12,
    "mär": 3,
    "fév": 2,
    "avr": 4,
}

_ZONES_HOURS = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_ZONES_HOURS |= {
    "cet": 1,
    "cest": 2,
    "met": 1,
    "mest": 2,
    "west": 1,
    "bst": 1,
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "jst": 9,
    "kst": 9,
}

_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4}) "
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) ([+-])(0[0-9]|1[0-3])([0-5][0-9])(?: \([A-Za-z]{1,5}\))?"
)
"""As nearly every program writes it, and every server its INTERNALDATE: nothing has to be looked for there."""
_TIME = r"([0-9]{1,2})[:.]([0-9]{1,2})(?:[:.]([0-9]{1,2})(?:[.,][0-9]{1,9})?)?"
_ISO = re.compile(r"\b([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ]|$)")
_DAY_FIRST = re.compile(r"\b([0-9]{1,2})(?:\.? |-|/|\.)([^\W\d_]{3,12})\.?(?: |-|/|, ?)([0-9]{2,4})\b")
_DOTTED = re.compile(r"\b([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})\b")
_MONTH_FIRST = re.compile(
    rf"\b([^\W\d_]{{3,12}})\.? ([0-9]{{1,2}}),? (?:{_TIME} (?:([A-Za-z]{{1,5}}|[+-][0-9]{{4}}) )?)?([0-9]{{4}})\b"
)
_CLOCK = re.compile(rf"{_TIME}(?: ?([AaPp])\.?[Mm]\b)?")
_OFFSET = re.compile(r"([+-])([0-9]{1,2}):?([0-9]{2})?(?![0-9])")
_WORD = re.compile(r"[A-Za-z]{1,5}")


def parse_date(value: bytes | str) -> datetime | None:
    """The moment that a Date header names, in UTC; None when it names none or one outside 1970 to 2100. A missing,
    unknown or impossible zone counts as UTC (RFC 5322 section 4.3)."""
    text = value[:LENGTH_LIMIT].decode("utf-8", "replace") if isinstance(value, bytes) else value[:LENGTH_LIMIT]
    if usual := _USUAL.fullmatch(text):
        day, name, year, hour, minute, second, sign, hours, minutes = usual.groups()
        zone = int(hours) * 60 + int(minutes)
        east = -zone if sign == "-" else zone
        return _moment(int(year), _MONTH[name.lower()], int(day), int(hour), int(minute), int(second), east)
    flat = " ".join(_without_comments(text).split())
    fields = _find(flat)
    if fields is None:
        return None
    clock = _read_clock(fields[3])
    return _moment(*fields[:3], *clock) if clock else None


def _without_comments(text: str) -> str:
    out: list[str] = []
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")" and depth > 0)
        if depth == 0:
            out.append(" " if char == ")" else char)
    return "".join(out)


def _find(text: str) -> tuple[int, int, int, str] | None:
    """Year, month, day, and the text in which the time stands."""
    if match := _ISO.search(text):
        return int(match[1]), int(match[2]), int(match[3]), text[match.end() :]
    match = _DAY_FIRST.search(text)
    if match and _month(match[2]):
        return _year(match[3]), _month(match[2]), int(match[1]), text[match.end() :]
    if match := _MONTH_FIRST.search(text):
        clock = f"{match[3]}:{match[4]}:{match[5] or 0} {match[6] or ''}" if match[3] else ""
        return int(match[7]), _month(match[1]), int(match[2]), clock + text[match.end() :]
    if match := _DOTTED.search(text):
        return int(match[3]), int(match[2]), int(match[1]), text[match.end() :]
    return None


def _month(name: str) -> int:
    return _MONTH.get(name[:3].lower(), 0)


def _year(digits: str) -> int:
    """RFC 5322 section 4.3: two digits below 50 are 20xx, others and three digits count from 1900."""
    year = int(digits)
    if len(digits) >= 4:
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)


def _read_clock(text: str) -> tuple[int, int, int, int] | None:
    """Hour, minute, second, and the zone's minutes east of Greenwich; midnight when no time is told, None when it is
    impossible."""
    match = _CLOCK.search(text)
    if match is None:
        return 0, 0, 0, _zone_minutes(text)
    hour, minute, second = int(match[1]), int(match[2]), min(int(match[3] or 0), 60)
    if match[4] and hour <= 12:
        hour = hour % 12 + (12 if match[4] in "pP" else 0)
    if hour > 23 or minute > 59 or int(match[3] or 0) > 60:
        return None
    return hour, minute, min(second, 59), _zone_minutes(text[match.end() :])


def _zone_minutes(text: str) -> int:
    if match := _OFFSET.search(text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if minutes > ZONE_LIMIT_MINUTES or int(match[3] or 0) > 59:
            return 0
        return -minutes if match[1] == "-" else minutes
    word = _WORD.search(text)
    return _ZONES_HOURS.get(word[0].lower(), 0) * 60 if word else 0


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: int) -> datetime | None:
    if year not in YEARS:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - timedelta(minutes=zone)
    except ValueError:
        return None
    return moment if moment.year in YEARS else None
