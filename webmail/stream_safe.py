"""Text that no program chokes on: runs of combining marks cut (UAX #15 section 13, Stream-Safe Text Format)."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

LONGEST_RUN = 30
"""Marks on one character; no script needs more, and a browser takes seconds to draw tens of thousands."""


def stream_safe(text: str) -> str:
    """The text without the combining marks that follow thirty others."""
    return text if text.isascii() else _pattern().sub(r"\1", text)


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
