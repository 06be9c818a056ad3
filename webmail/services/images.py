"""Remote images that a person has asked to see: fetched through the one outbound door, and only if they are images."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.outbound import OutboundRefused, fetch
from webmail.markup.images import raster_type

IMAGE_LIMIT_BYTES = 5 * 1024 * 1024
IMAGE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Image:
    """Bytes of an image and the media type that its own first bytes say."""

    data: bytes
    media_type: str


def fetch_image(url: str) -> Image | None:
    """The image behind an http or https address; None when it is none, too large, forbidden or not there."""
    try:
        data = fetch(url, limit_bytes=IMAGE_LIMIT_BYTES, timeout_s=IMAGE_TIMEOUT_S)
    except OutboundRefused:
        return None
    media_type = raster_type(data)
    return Image(data, media_type) if media_type else None
