"""Whole numbers as a request writes them."""

from __future__ import annotations

import re

DIGITS = 18
"""What fits a column of any database."""
_WHOLE = re.compile(r"[0-9]+")


def read_number(text: str, *, digits: int = DIGITS) -> int | None:
    """The number of a text of at most so many digits, None for anything else. `str.isdigit` also takes "²", which `int` does
    not; and `int` refuses numbers of thousands of digits."""
    return int(text) if len(text) <= digits and _WHOLE.fullmatch(text) else None
