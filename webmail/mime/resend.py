"""A message sent on as it is (RFC 5322 section 3.6.6): the fields that tell who did so stand above its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from webmail.mime import wire
from webmail.values import Address

RESENT_ID = "Resent-Message-ID"

_HEAD_END = re.compile(rb"\A(?=\r?\n)|\n(?=\r?\n)")
_HIDDEN = re.compile(rb"^(?:resent-)?bcc[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)


def resend_message(
    raw: bytes,
    *,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    date: datetime,
    message_id: str,
) -> bytes:
    """The message with Resent-Date, Resent-From, Resent-To, Resent-Cc and Resent-Message-ID on top. Its own octets stay as
    they are, so that signatures hold; only a Bcc field goes, which would give away those whom it hides. Hidden recipients of
    this sending stand in the envelope alone. ValueError as in `build_message`."""
    if date.tzinfo is None:
        raise ValueError("the date has no zone")
    ids = wire.pick_ids(message_id)
    if len(ids) != 1:
        raise ValueError("not a message id")
    fields = [
        wire.fold("Resent-Date", [format_datetime(date)]),
        wire.address_field("Resent-From", (sender,)),
        wire.address_field("Resent-To", to) or "" if to or cc else "Resent-To: undisclosed-recipients:;\r\n",
        wire.address_field("Resent-Cc", cc),
        wire.fold(RESENT_ID, [ids[0]]),
    ]
    return "".join(fields).encode("ascii") + _without_hidden(raw)


def _without_hidden(raw: bytes) -> bytes:
    """The message without Bcc fields in its header; a line at its top that would go on with our last field does not."""
    end = _HEAD_END.search(raw)
    at = end.end() if end else len(raw)
    return _HIDDEN.sub(b"", raw[:at]).lstrip(b" \t") + raw[at:]
