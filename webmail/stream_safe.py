"""Text that no program chokes on: runs of combining marks cut (UAX #15 section 13, Stream-Safe Text Format)."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

LONGEST_RUN = 30
"""Marks on one character; no script needs more, and a browser takes seconds to draw tens of thousands."""

_PERHAPS = re.compile(f"[\u0300-\U0010ffff]{{{LONGEST_RUN + 1}}}")
"""Marks come from U+0300 on; most texts are told apart by that alone."""


def stream_safe(text: str) -> str:
    """The text without the combining marks that follow thirty others."""
    if len(text) <= LONGEST_RUN or text.isascii() or not _PERHAPS.search(text):
        return text
    return _pattern().sub(r"\1", text)


@cache
def _pattern() -> re.Pattern[str]:
    marks = [code for code in range(0x300, sys.maxunicode + 1) if unicodedata.category(chr(code)) in {"Mn", "Me"}]
    ranges: list[list[int]] = []
    for code in marks:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    known = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    return re.compile(f"([{known}]{{{LONGEST_RUN}}})[{known}]+")
