"""Several checks of one form, so that a person mends everything at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


def check_all(*checks: Callable[[], object]) -> None:
    """Runs each check; raises one ValidationError with what all of them found, each at its field."""
    found: dict[str, list[Any]] = {}
    for check in checks:
        try:
            check()
        except ValidationError as error:
            errors = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
            for field, texts in errors.items():
                found.setdefault(field, []).extend(texts)
    if found:
        raise ValidationError(found)
