"""Images of a message inside its own frame. The frame has no origin, so the browser sends no session with what it asks for:
the few images that a body shows by cid: go into the document itself."""

from __future__ import annotations

import base64
import re

from webmail.errors import Gone
from webmail.markup.images import raster_type
from webmail.mime.body import decode_part
from webmail.sources.base import MailSource
from webmail.values import Part, PartNumber, Ref

IMAGE_LIMIT_BYTES = 4 * 1024 * 1024
TOTAL_LIMIT_BYTES = 12 * 1024 * 1024
NOTHING = "data:,"


def with_inline_images(document: str, source: MailSource, ref: Ref, *, parts_url: str) -> str:
    """The document with each `parts_url`NUMBER/?inline=1 as a data: address. Only rasters that we know are put in, within the
    limits; what cannot be shown becomes an empty address. Raises MailError when the source fails."""
    wanted = re.compile(re.escape(parts_url) + r"([0-9]{1,4}(?:\.[0-9]{1,4}){0,60})/\?inline=1")
    numbers = list(dict.fromkeys(wanted.findall(document)))
    if not numbers:
        return document
    parts = {part.number: part for part in _leaves(source.structure(ref))}
    left = TOTAL_LIMIT_BYTES
    images: dict[str, str] = {}
    for number in numbers:
        part = parts.get(PartNumber(number))
        data = _read(source, ref, part) if part and left > 0 else b""
        media_type = raster_type(data)
        if media_type and len(data) <= left:
            left -= len(data)
            images[number] = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
    return wanted.sub(lambda match: images.get(match[1], NOTHING), document)


def _read(source: MailSource, ref: Ref, part: Part) -> bytes:
    if part.size_bytes > IMAGE_LIMIT_BYTES * 1.4:
        return b""
    try:
        return decode_part(part, b"".join(source.part(ref, part.number)))[:IMAGE_LIMIT_BYTES]
    except Gone:
        return b""


def _leaves(part: Part) -> list[Part]:
    return [leaf for child in part.children for leaf in _leaves(child)] if part.children else [part]
