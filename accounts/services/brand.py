"""Whose Casilla it is, as pages and letters ask for it: kept in the process, so that no page asks the database."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.models import Brand
from accounts.services.audit import Actor, record_provider

TEXTS = ("name", "accent", "support_url", "sign_in_text", "letter_text")
KEPT_S = 10.0
"""So late another process than the one that changed it knows."""


@dataclass(frozen=True, slots=True)
class Look:
    """`name` is never empty; `accent` #rrggbb or empty; `logo` and `sheet` are what their addresses end with, or
    empty."""

    name: str
    accent: str = ""
    support_url: str = ""
    sign_in_text: str = ""
    letter_text: str = ""
    logo: str = ""
    sheet: str = ""


_kept: list[tuple[float, Look]] = []
"""What is known and until when; none or one."""


def look() -> Look:
    """The look of now, or of ten seconds ago."""
    kept = _kept[-1:]
    if kept and kept[0][0] > time.monotonic():
        return kept[0][1]
    try:
        row = Brand.objects.first()
    except DatabaseError:  # before the first migration, and while the database is away
        return kept[0][1] if kept else Look(settings.SITE_NAME)
    return keep(_look_of(row) if row else Look(settings.SITE_NAME))


def read_brand() -> Brand:
    """The row to change; a new one when there is none."""
    return Brand.objects.first() or Brand()


def save_brand(brand: Brand) -> None:
    """Keeps it; this process shows it at once, others within ten seconds."""
    with transaction.atomic():
        brand.pk = 1  # there is one row, whoever saves at the same time
        brand.save()
    keep(_look_of(brand))


@transaction.atomic
def change_brand(*, by: Actor, logo: bytes | None = None, **texts: str) -> Brand:
    """Sets those of TEXTS that are given, and the logo (a PNG, b"" for none; None: it stays). What is given was judged by
    accounts/brand_forms.py."""
    row = read_brand()
    before = _values(row)
    for name, text in texts.items():
        setattr(row, name, text)
    if logo is not None:
        row.logo = logo
    after = _values(row)
    if before != after:
        save_brand(row)
        record_provider(by=by, verb="brand.change", name=row.name, before=before, after=after)
    return row


def digest_of(row: Brand) -> str:
    """What the address of its logo ends with; empty without one."""
    return hashlib.sha256(bytes(row.logo)).hexdigest()[:16] if row.logo else ""


def keep(found: Look) -> Look:
    """Has this process show it for KEPT_S."""
    _kept[:] = [(time.monotonic() + KEPT_S, found)]
    return found


def _values(row: Brand) -> dict[str, str]:
    return {name: getattr(row, name) for name in TEXTS} | {"logo": digest_of(row)}


def _look_of(row: Brand) -> Look:
    return Look(
        name=row.name or settings.SITE_NAME,
        accent=row.accent,
        support_url=row.support_url,
        sign_in_text=row.sign_in_text,
        letter_text=row.letter_text,
        logo=digest_of(row),
        sheet=row.accent.removeprefix("#"),
    )
