"""Names that people give to mailboxes, customers and the like: one line of text that shows as it is."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them (Unicode annex 9): a name with one shows as another."""

HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and separators of lines and paragraphs."""


def clean_name(text: str, *, field: str = "name", blank: bool = True, most: int = 0) -> str:
    """The name without spaces around it. Raises ValidationError at the field where it holds a control character, the end of a
    line, a lone surrogate or one that turns the direction of text; where nothing of it shows, and where it is `blank` and may not
    be; where it has more than `most` characters (0: whatever its place takes)."""
    name = text.strip()
    hidden = any(char in TURNING or unicodedata.category(char) in HIDDEN for char in name)
    if hidden or (name and not shows(name)):
        raise ValidationError({field: _("A name is one line, without characters that do not show.")})
    if not blank and not name:
        raise ValidationError({field: _("Give it a name.")})
    if most and len(name) > most:
        raise ValidationError({field: _("At most %(n)s characters.") % {"n": most}})
    return name


def clean_lines(text: str, *, field: str = "text") -> str:
    """A text of several lines under the same rule, its lines ended by a line feed alone."""
    lines = text.replace("\r\n", "\n").strip().split("\n")
    return "\n".join(clean_name(line, field=field) for line in lines)


def shows(text: str) -> bool:
    """Whether anything of it is to be seen."""
    return any(unicodedata.category(char)[0] not in "ZC" for char in text)
