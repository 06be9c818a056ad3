"""Names that people give to mailboxes, customers and the like: one line of text that shows as it is."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them (Unicode annex 9): a name with one shows as another."""


def clean_name(text: str, *, field: str = "name") -> str:
    """The name without spaces around it. Raises ValidationError at the field where it holds a control character, a lone
    surrogate or one that turns the direction of text."""
    if any(char in TURNING or unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise ValidationError({field: _("A name is one line, without characters that do not show.")})
    return text.strip()
