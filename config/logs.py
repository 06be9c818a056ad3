"""What must never stand in a log is taken out of it: addresses, and whatever mail libraries quote."""

from __future__ import annotations

import logging
import re

ADDRESS = re.compile(r"[^\s<>\"'=,;:()]{1,64}@[^\s<>\"'=,;:()]{1,190}")
QUOTED = re.compile(r"\"[^\"\n]{40,}\"|'[^'\n]{40,}'")


def redact(text: str) -> str:
    """The text with addresses and long quotations replaced."""
    return QUOTED.sub("[quoted]", ADDRESS.sub("[address]", text))


class Redact(logging.Filter):
    """A filter for handlers: the record's finished message is redacted, its traceback too."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
