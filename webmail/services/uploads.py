"""Files of a composer: taken in pieces, so that a broken connection goes on where it stopped, and read when it goes out."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.db import transaction

from webmail.errors import Gone
from webmail.markup.images import raster_type
from webmail.mime.body import decode_part
from webmail.mime.build import is_content_id
from webmail.models import Composing, Upload
from webmail.services.inline import IMAGE_LIMIT_BYTES
from webmail.sources.base import MailSource
from webmail.values import Part, PartNumber, Ref

FILE_LIMIT_BYTES = 25 * 1024 * 1024
"""All files of one message together: what most servers take, once they are encoded."""
PIECE_LIMIT_BYTES = 1024 * 1024
NAME_LIMIT = 200
HEAD_BYTES = 64


class TooLarge(Exception):
    """The files of the message would be more than it may carry."""


class WrongPlace(Exception):
    """A piece that does not follow what is here; `args[0]` is where to go on."""


def announce(composing: Composing, *, name: str, media_type: str, size_bytes: int, cid: str = "") -> Upload:
    """Makes room for a file. Raises TooLarge."""
    together = sum(upload.size_bytes for upload in composing.uploads.all()) + size_bytes
    if size_bytes < 0 or together > FILE_LIMIT_BYTES:
        raise TooLarge(together)
    upload = Upload(
        composing=composing,
        name=clean_name(name),
        media_type=media_type if _is_media_type(media_type) else "application/octet-stream",
        size_bytes=size_bytes,
        cid=cid,
    )
    upload.save()
    upload.file.save("file", ContentFile(b""))
    return upload


def add_piece(upload_id: int, *, offset: int, data: bytes) -> Upload:
    """Adds the next piece. Raises WrongPlace when it begins elsewhere, TooLarge when it is more than was announced."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload_id)
        if offset != upload.received_bytes:
            raise WrongPlace(upload.received_bytes)
        if offset + len(data) > upload.size_bytes or len(data) > PIECE_LIMIT_BYTES:
            raise TooLarge(offset + len(data))
        with upload.file.open("r+b") as file:
            file.seek(offset)
            file.truncate()
            file.write(data)
        upload.received_bytes = offset + len(data)
        upload.save(update_fields=["received_bytes"])
    return upload


def remove(upload: Upload) -> None:
    """Takes a file out of the message."""
    upload.file.delete(save=False)
    upload.delete()


def read(upload: Upload) -> bytes:
    """The whole file."""
    with upload.file.open("rb") as file:
        data: bytes = file.read()
    return data


def announce_image(composing: Composing, *, name: str, media_type: str, size_bytes: int) -> Upload:
    """Makes room for a picture that is to stand in the text, under a Content-ID of its own. Raises TooLarge for one that no
    reader would be shown in its place."""
    if size_bytes > IMAGE_LIMIT_BYTES:
        raise TooLarge(size_bytes)
    domain = composing.message_id.rpartition("@")[2].rstrip(">")
    cid = f"{secrets.token_hex(12)}@{domain}"
    cid = cid if is_content_id(cid) else secrets.token_hex(12)
    return announce(composing, name=name, media_type=media_type, size_bytes=size_bytes, cid=cid)


def read_image(upload: Upload) -> tuple[str, bytes] | None:
    """(media type, octets) of a picture of the text; None for what is not whole, or no picture that is shown in place."""
    if not upload.whole or upload.size_bytes > IMAGE_LIMIT_BYTES:
        return None
    data = read(upload)
    media_type = raster_type(data[:HEAD_BYTES])
    return (media_type, data) if media_type else None


def attach(composing: Composing, *, name: str, media_type: str, data: bytes, cid: str = "") -> Upload:
    """Attaches octets that are at hand. Raises TooLarge."""
    upload = announce(composing, name=name, media_type=media_type, size_bytes=len(data), cid=cid)
    upload.file.save("file", ContentFile(data))
    upload.received_bytes = len(data)
    upload.save()
    return upload


def copy_parts(
    composing: Composing, source: MailSource, ref: Ref, parts: Iterable[Part], *, shown: frozenset[str] = frozenset()
) -> None:
    """Attaches parts of a message of the mailbox; those whose Content-ID is among `shown` stand in the text. Those that would
    be too much are left out."""
    for part in parts:
        data = decode_part(part, b"".join(source.part(ref, part.number)))
        name = part.filename or f"{part.type}.{part.subtype}"
        cid = part.cid if part.cid in shown and is_content_id(part.cid) else ""
        try:
            attach(composing, name=name, media_type=part.media_type, data=data, cid=cid)
        except TooLarge:
            return


def attach_part(composing: Composing, source: MailSource, ref: Ref, number: PartNumber) -> Upload:
    """Attaches a file of another message. Raises TooLarge, and Gone when there is no such part."""
    part = source.structure(ref).find(number)
    if part is None:
        raise Gone("no such part")
    if part.size_bytes > 2 * FILE_LIMIT_BYTES:  # encoded, it is a third more
        raise TooLarge(part.size_bytes)
    data = decode_part(part, b"".join(source.part(ref, number)))
    return attach(composing, name=part.filename or f"{part.type}.{part.subtype}", media_type=part.media_type, data=data)


def clean_name(name: str) -> str:
    """A file name without path, control characters and too much length."""
    kept = "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable()).strip(". ")
    return kept[:NAME_LIMIT] or "file"


def _is_media_type(text: str) -> bool:
    kind, slash, sub = text.partition("/")
    return (
        bool(slash and kind and sub)
        and text.isascii()
        and len(text) <= 100
        and all(char.isalnum() or char in "!#$&^_.+-/" for char in text)
    )
