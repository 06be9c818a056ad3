"""What pydantic finds wrong with what was sent, in the language that is asked for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

WORDS = {
    "missing": gettext_lazy("This is needed."),
    "extra_forbidden": gettext_lazy("There is no such field here."),
    "int_type": gettext_lazy("This must be a whole number."),
    "int_parsing": gettext_lazy("This must be a whole number."),
    "int_from_float": gettext_lazy("This must be a whole number."),
    "bool_type": gettext_lazy("This must be true or false."),
    "bool_parsing": gettext_lazy("This must be true or false."),
    "string_type": gettext_lazy("This must be a text."),
    "list_type": gettext_lazy("This must be a list."),
    "model_attributes_type": gettext_lazy("This must be an object with fields."),
    "model_type": gettext_lazy("This must be an object with fields."),
    "date_type": gettext_lazy("This must be a day, as 2027-01-31."),
    "date_parsing": gettext_lazy("This must be a day, as 2027-01-31."),
    "date_from_datetime_parsing": gettext_lazy("This must be a day, as 2027-01-31."),
    "datetime_type": gettext_lazy("This must be a moment, as 2027-01-31T12:00:00Z."),
    "datetime_parsing": gettext_lazy("This must be a moment, as 2027-01-31T12:00:00Z."),
    "datetime_from_date_parsing": gettext_lazy("This must be a moment, as 2027-01-31T12:00:00Z."),
    "greater_than_equal": gettext_lazy("At least %(ge)s."),
    "less_than_equal": gettext_lazy("At most %(le)s."),
    "string_too_short": gettext_lazy("At least this many characters: %(min_length)s."),
    "string_too_long": gettext_lazy("At most this many characters: %(max_length)s."),
    "too_short": gettext_lazy("At least so many of them: %(min_length)s."),
    "too_long": gettext_lazy("At most so many of them: %(max_length)s."),
    "literal_error": gettext_lazy("One of these: %(expected)s."),
}
"""By the type of pydantic's errors; what is in their context stands in the words."""


def words_of(error: dict[str, Any]) -> str:
    """One error of pydantic (`type`, `msg`, `ctx`) as a sentence; as pydantic has it where we have no words for it."""
    said = WORDS.get(str(error.get("type")))
    if said is None:
        return str(error["msg"]).removeprefix("Value error, ")
    values = dict(error.get("ctx", {}))
    if "expected" in values:
        values["expected"] = str(values["expected"]).replace(" or ", _(" or "))
    return str(said) % values
