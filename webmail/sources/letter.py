"""A message to read, out of what its server told: raw header, MIME tree, texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from webmail.errors import Refused
from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import has_attachment
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, parse_headers, split_header
from webmail.mime.structure import part_from_fields
from webmail.values import Address, Body, Defect, Message, Part, PartNumber, Ref, Summary

HEADER_LIMIT_BYTES = 262_144
BODY_LIMIT_BYTES = 2 * 1024 * 1024
UNKNOWN = part_from_fields(PartNumber("1"), "text", "plain", {})
"""The tree of a message whose server tells none."""

_PART_NUMBER = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9}){0,200})?")


def check_part_number(number: PartNumber) -> None:
    """Raises Refused for what is no part number; "" is the whole message."""
    if not _PART_NUMBER.fullmatch(number):
        raise Refused("not a part number")


@dataclass(frozen=True, slots=True)
class Told:
    """What a source tells of a message besides its tree and its texts; `header` is raw, and may be cut."""

    header: bytes
    received: datetime
    size_bytes: int
    flags: frozenset[str]


def build_bodies(parts: tuple[Part, ...], data_of: Callable[[Part], bytes]) -> tuple[tuple[Body, ...], bool]:
    """The texts of these parts, and whether some characters could not be read. `data_of` gives the octets of a part, up to
    BODY_LIMIT_BYTES."""
    bodies, broken = [], False
    for part in parts:
        data = data_of(part)
        text, guessed = text_of(part, decode_part(part, data))
        broken = broken or (guessed and "\ufffd" in text)
        bodies.append(Body(part, text, len(data) >= BODY_LIMIT_BYTES))
    return tuple(bodies), broken


def build_message(
    ref: Ref,
    told: Told,
    structure: Part | None,
    bodies: tuple[tuple[Body, ...], bool],
    files: tuple[Part, ...],
) -> Message:
    """A message; `bodies` from `build_bodies`, `structure` None when there is none that can be read."""
    headers, defects = parse_headers(told.header)
    fields = {name.lower(): value for name, value in reversed(split_header(told.header)[0])}
    found = list(defects)

    def people(name: str) -> tuple[Address, ...]:
        addresses, more = parse_addresses(fields.get(name, b""))
        if more:
            found.append(Defect("too-many-addresses"))
        return addresses

    sent = parse_date(fields["date"]) if "date" in fields else None
    if "date" in fields and sent is None:
        found.append(Defect("date"))
    if bodies[1]:
        found.append(Defect("charset"))
    if structure is None:
        found.append(Defect("structure"))
    summary = Summary(
        ref=ref,
        subject=decode_header(fields.get("subject", b"")),
        sender=people("from"),
        recipients=people("to"),
        sent=sent,
        received=told.received,
        size_bytes=told.size_bytes,
        flags=told.flags,
        has_attachment=has_attachment(structure or UNKNOWN),
        message_id=decode_header(fields.get("message-id", b""))[:1000],
    )
    return Message(
        summary=summary,
        headers=headers,
        structure=structure or UNKNOWN,
        to=summary.recipients,
        cc=people("cc"),
        bcc=people("bcc"),
        reply_to=people("reply-to"),
        bodies=bodies[0],
        attachments=files,
        defects=tuple(found),
    )
