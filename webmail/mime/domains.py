"""Internationalised domain names: shown in their own script when that cannot deceive, else as they travel (xn--...)."""

from __future__ import annotations

import unicodedata

import idna

DOMAIN_LIMIT = 253

_TOGETHER = (
    {"CJK", "HIRAGANA", "KATAKANA", "LATIN"},
    {"CJK", "HANGUL", "LATIN"},
    {"CJK", "BOPOMOFO", "LATIN"},
)
_CYRILLIC_LIKE_LATIN = frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡ")


def show_domain(domain: str) -> str:
    """The domain with each label in Unicode where it is of one script (or of scripts that are written together) and
    does not imitate Latin letters; other labels in their ASCII form. What is no domain name stays as it is."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain
    if len(domain) > DOMAIN_LIMIT:
        return domain
    labels = domain.split(".")
    top_is_latin = labels[-1].isascii() and not labels[-1].lower().startswith("xn--")
    return ".".join(_show_label(label, top_is_latin) for label in labels)


def _show_label(label: str, top_is_latin: bool) -> str:
    if label.isascii() and not label.lower().startswith("xn--"):
        return label
    try:
        ascii_form = label.lower() if label.isascii() else idna.encode(label, uts46=True).decode("ascii")
        text = idna.decode(ascii_form)
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return label if label.isascii() else _punycode(label)
    return text if _is_honest(text, top_is_latin) else ascii_form


def _punycode(label: str) -> str:
    """A label that IDNA does not allow, in ASCII all the same, so that it cannot pass for another."""
    try:
        return "xn--" + label.encode("punycode").decode("ascii")
    except (UnicodeError, ValueError):
        return "?"


def _is_honest(text: str, top_is_latin: bool) -> bool:
    scripts = {_script(char) for char in text if char.isalpha()}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return False
    letters = {char for char in text.lower() if char.isalpha()}
    return not (top_is_latin and "CYRILLIC" in scripts and letters <= _CYRILLIC_LIKE_LATIN)


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split(" ")[0].split("-")[0]
