"""Cells of CSV files that somebody opens in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, override

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With these a cell begins that a spreadsheet would compute; the wide forms count as well."""


BOM = "\ufeff"
"""By which spreadsheets know UTF-8."""


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """A file of these rows, a line at a time whatever its length; no cell of it is a formula. Its words are in the language of
    now: lines go out when the request is over, in a thread that has been at others' meanwhile."""
    return _lines(iter(rows), get_language() or settings.LANGUAGE_CODE)


def _lines(rows: Iterator[Iterable[Any]], language: str) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BOM
    while True:
        with override(language):
            row = next(rows, None)
        if row is None:
            return
        yield writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that looks like one, with apostrophes before it or not, gets an
    apostrophe, all else stays as it is."""
    return f"'{value}" if isinstance(value, str) and _computes(value.lstrip("'")) else value


def plain_cell(text: str) -> str:
    """What stood in a cell before `safe_cell`."""
    return text[1:] if text.startswith("'") and _computes(text.lstrip("'")) else text


def _computes(text: str) -> bool:
    return text.lstrip(" ").startswith(FORMULA)
