"""Subjects, as they are sorted and grouped."""

from __future__ import annotations

import re

_REPLY = re.compile(r"^\s*((re|fwd?|rv|aw|tr|sv)\s*(\[\d+\])?\s*:\s*|\[[^\]]{0,50}\]\s*)+", re.IGNORECASE)


def base_subject(subject: str) -> str:
    """A subject without reply and forward marks (RFC 5256 section 2.1)."""
    return _REPLY.sub("", subject).strip()
