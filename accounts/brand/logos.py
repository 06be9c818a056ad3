"""Logos: whatever is uploaded is read as a picture and drawn anew, so that nothing but pixels is ever served."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

UPLOAD_LIMIT_BYTES = 2_000_000
PIXELS_LIMIT = 16_000_000
SIZE = (480, 96)
"""Twice of what pages show at most, for screens of high density."""
FORMATS = ("PNG", "JPEG", "WEBP")


class NoLogo(ValueError):
    """What was uploaded cannot be a logo; `code`: large, kind (of another kind, or broken)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def draw_logo(data: bytes) -> bytes:
    """A PNG no larger than SIZE, without anything but pixels. Raises NoLogo."""
    if len(data) > UPLOAD_LIMIT_BYTES:
        raise NoLogo("large")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > PIXELS_LIMIT:
                raise NoLogo("large")
            if picture.mode.startswith("I"):
                raise NoLogo("kind")  # 16 bits of grey, of which a conversion keeps the darkest alone
            pixels = ImageOps.exif_transpose(picture).convert("RGBA")
    except NoLogo:
        raise
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
    ) as error:
        raise NoLogo("kind") from error
    pixels.thumbnail(SIZE, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    pixels.save(out, "PNG", optimize=True)
    return out.getvalue()
