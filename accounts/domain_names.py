"""Names of domains as they travel and as people read them: IDNA 2008 (RFC 5891), prepared by UTS 46, nothing transitional, so
that straße is another domain than strasse. Pure: no database, no settings."""

from __future__ import annotations

import idna


def a_labels(text: str) -> str:
    """A domain in lower case, its labels in ASCII; what is no domain but ASCII all the same is lowered alone. Raises
    UnicodeError for labels that IDNA 2008 does not know (signs and emoji) and for xn-- that stands for nothing."""
    name = text.lower()
    if name.isascii() and "xn--" not in name:
        return name
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        return ".".join(_a_label(label) for label in mapped.split("."))
    except (UnicodeError, IndexError, ValueError) as error:
        raise UnicodeError("no domain of IDNA 2008") from error


def u_labels(name: str) -> str:
    """A domain in Unicode; labels that stand for nothing stay as they are."""
    return ".".join(_u_label(label) for label in name.split(".")) if "xn--" in name else name


def _a_label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        return label
    return idna.alabel(label).decode("ascii")


def _u_label(label: str) -> str:
    try:
        return idna.ulabel(label) if label.startswith("xn--") else label
    except (UnicodeError, IndexError, ValueError):
        return label
