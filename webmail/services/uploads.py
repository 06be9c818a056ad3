"""Files of a composer: taken in pieces, so that a broken connection goes on where it stopped, and read when it goes out."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.db import transaction

from webmail.mime.body import decode_part
from webmail.models import Composing, Upload
from webmail.sources.base import MailSource
from webmail.values import Part, Ref

FILE_LIMIT_BYTES = 25 * 1024 * 1024
"""All files of one message together: what most servers take, once they are encoded."""
PIECE_LIMIT_BYTES = 1024 * 1024
NAME_LIMIT = 200


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


def copy_parts(composing: Composing, source: MailSource, ref: Ref, parts: Iterable[Part]) -> None:
    """Attaches parts of a message of the mailbox. Those that would be too much are left out."""
    for part in parts:
        data = decode_part(part, b"".join(source.part(ref, part.number)))
        try:
            upload = announce(
                composing,
                name=part.filename or f"{part.type}.{part.subtype}",
                media_type=part.media_type,
                size_bytes=len(data),
                cid=part.cid,
            )
        except TooLarge:
            return
        upload.file.save("file", ContentFile(data))
        upload.received_bytes = len(data)
        upload.save()


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
