"""Reports: the receipt that a reader sends (RFC 8098), and why a message did not arrive (RFC 3464)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from webmail.mime import wire
from webmail.mime.build import multipart, origin_fields, text_entity
from webmail.mime.headers import decode_header, split_header
from webmail.mime.recipients import ascii_email
from webmail.values import Address

FAILURES_LIMIT = 500
STATUS_LIMIT_BYTES = 262_144
DIAGNOSTIC_LIMIT = 1_000

_BLANK_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_DISPOSITION = re.compile(r"[^;]{0,200};\s{0,20}([a-z]{1,20})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of a message for one recipient (RFC 3464 section 2.3): `action` is "failed", "delayed", "delivered",
    "relayed", "expanded" or ""; `status` an RFC 3463 code like "5.1.1" or ""; `diagnostic` the server's words."""

    recipient: str
    action: str
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Disposition:
    """What a reader's program says became of a message (RFC 8098 section 3.2): `kind` is "displayed", "deleted",
    "dispatched", "processed" or another word; `original_id` the Message-ID with its angle brackets, or ""."""

    recipient: str
    kind: str
    original_id: str


def mdn(
    *,
    reader: Address,
    to: Sequence[Address],
    subject: str,
    text: str,
    original_id: str,
    original_recipient: str = "",
    date: datetime,
    message_id: str,
) -> bytes:
    """A disposition notification: `reader`, who decided it by hand, has displayed the message `original_id` (RFC 8098
    sections 3 and 3.2.6). `to` are the addresses of its Disposition-Notification-To, `subject` and `text` what a person
    reads, `original_recipient` its Original-Recipient field, if any. To be sent with the empty envelope sender, <>, so
    that no answer can come back (section 3). ValueError as in `build_message`, and without anybody in `to`."""
    if not to:
        raise ValueError("nobody asked for a notification")
    ids = wire.pick_ids(original_id)[:1]
    head = [
        *origin_fields(reader, date, message_id),
        wire.address_field("To", to),
        wire.text_field("Subject", subject),
        wire.id_field("In-Reply-To", ids),
        wire.id_field("References", ids),
        "MIME-Version: 1.0\r\n",
    ]
    report = _disposition(ascii_email(reader.email), ids, original_recipient)
    parameters = ("report-type=disposition-notification",)
    body = multipart("report", [text_entity(text), report], message_id, parameters)
    return "".join(head).encode("ascii") + body


def _disposition(reader: str, ids: Sequence[str], original_recipient: str) -> bytes:
    """The part that programs read (RFC 8098 section 3.1). An Original-Recipient that is not ASCII is left out."""
    wire.check_text(original_recipient)
    lines = [
        "Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
        wire.fold("Original-Recipient", [original_recipient])
        if original_recipient.isascii() and 0 < len(original_recipient) < 900
        else "",
        wire.fold("Final-Recipient", [f"rfc822;{reader}"]),
        wire.id_field("Original-Message-ID", ids),
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n",
    ]
    return "".join(lines).encode("ascii")


def read_dsn(raw_report_parts: Mapping[str, bytes]) -> list[Failure]:
    """What a delivery status notification says of each recipient. The mapping has the decoded parts of the
    multipart/report by media type; only message/delivery-status (or RFC 6533's global form) is read. Never raises."""
    raw = raw_report_parts.get("message/delivery-status") or raw_report_parts.get("message/global-delivery-status")
    text = (raw or b"")[:STATUS_LIMIT_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    groups = _BLANK_LINES.split(text.strip(b"\n \t"))
    found = (_failure(group) for group in groups[: FAILURES_LIMIT * 2])
    return [failure for failure in found if failure][:FAILURES_LIMIT]


def read_mdn(raw: bytes) -> Disposition | None:
    """What a message/disposition-notification part says; None when it says nothing. Never raises."""
    fields = first_fields(raw[:STATUS_LIMIT_BYTES])
    match = _DISPOSITION.match(decode_header(fields.get("disposition", b"")))
    if match is None:
        return None
    recipient = _typed(fields.get("final-recipient", b"")) or _typed(fields.get("original-recipient", b""))
    return Disposition(recipient[:320], match[1].lower(), first_id(fields.get("original-message-id", b"")))


def first_fields(raw: bytes) -> dict[str, bytes]:
    """The first field of each name in a header block, by name in lower case."""
    fields: dict[str, bytes] = {}
    for name, value in split_header(raw)[0]:
        fields.setdefault(name.lower(), value)
    return fields


def first_id(value: bytes) -> str:
    """The first message id of a field, with its angle brackets, or ""."""
    return next(iter(wire.pick_ids(decode_header(value))), "")


def _failure(group: bytes) -> Failure | None:
    """One recipient's fields; None for the group about the message (section 2.2), which names no recipient."""
    fields = first_fields(group + b"\n\n")
    recipient = _typed(fields.get("original-recipient", b"")) or _typed(fields.get("final-recipient", b""))
    if not recipient:
        return None
    action = decode_header(fields.get("action", b"")).lower().split(" ")[0]
    status = _STATUS.match(decode_header(fields.get("status", b"")))
    return Failure(
        recipient[:320],
        action if action in {"failed", "delayed", "delivered", "relayed", "expanded"} else "",
        status[0] if status else "",
        _typed(fields.get("diagnostic-code", b""))[:DIAGNOSTIC_LIMIT],
    )


def _typed(value: bytes) -> str:
    """The text after the type and semicolon ("rfc822; ana@example.org"), without angle brackets around it."""
    text = decode_header(value)
    kind, semicolon, rest = text.partition(";")
    text = rest if semicolon and re.fullmatch(r"\s*[A-Za-z0-9-]+\s*", kind) else text
    text = " ".join(text.split())
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text
