"""What must never stand in a log is taken out of it: addresses, secrets, subjects, and whatever mail libraries quote."""

from __future__ import annotations

import logging
import re

ADDRESS = re.compile(r"[^\s<>\"'=,;:()\[\]]{1,64}(?:@|%40)[^\s<>\"'=,;:()]{1,190}", re.IGNORECASE)
QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.){40,}\"|'(?:[^'\\\n]|\\.){40,}'")
SECRET = re.compile(
    r"\b(pass(?:word|wd)?|secret|token|authorization|cookie)(['\"]?\s*[:=]\s*)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&)}\]]+)",
    re.IGNORECASE,
)
IMAP_LOGIN = re.compile(r"\b(LOGIN|AUTHENTICATE PLAIN|AUTH PLAIN|PASS)[ ]+[^\r\n]+")
HEADER = re.compile(r"\b((?i:subject)|From|To|Cc|Bcc|Reply-To)(['\"]?\s*:\s*)[^\r\n]*")
SEARCHED = re.compile(r"([?&](?:q|login|next)=)[^&\s\"']+")

IN_ADDRESS = re.compile(r"(/(?:new-password|invitation|enter|undo|reset/key)/)[^/\s\"'?&#]+", re.IGNORECASE)
"""Pages that whoever has their address may open: Django logs the path of what it refuses."""


def redact(text: str) -> str:
    """The text with everything of that kind replaced by its name in brackets."""
    text = SECRET.sub(r"\1\2[secret]", text)
    text = IMAP_LOGIN.sub(r"\1 [secret]", text)
    text = HEADER.sub(r"\1\2[header]", text)
    text = SEARCHED.sub(r"\1[text]", text)
    text = IN_ADDRESS.sub(r"\1[secret]", text)
    return QUOTED.sub("[quoted]", ADDRESS.sub("[address]", text))


class Redact(logging.Filter):
    """A filter for handlers: the record's finished message is redacted, its traceback too."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit: better an odd line than none
        return str(record.msg)
