"""The one way in which a text of a person gets into a script."""

from __future__ import annotations

import re

_REMOVED = re.compile("[\x00\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SPECIAL = re.compile(r'(["\\])')
_WILD = re.compile(r"([*?\\])")


def quote(text: str) -> str:
    """A quoted string (RFC 5228 section 2.4.2) that means this text, its line ends LF. NUL and lone surrogates, which no
    script can hold, are left out."""
    clean = _LINE_END.sub("\n", _REMOVED.sub("", text))
    return '"' + _SPECIAL.sub(r"\\\1", clean) + '"'


def quote_list(texts: tuple[str, ...]) -> str:
    """A string list of them (RFC 5228 section 2.4.2.1)."""
    return "[" + ", ".join(quote(text) for text in texts) + "]"


def escape_wildcards(text: str) -> str:
    """A text as part of what `:matches` compares with, where it means itself (RFC 5228 section 2.7.1). It is not quoted yet."""
    return _WILD.sub(r"\\\1", text)
