"""What a file is by its first bytes, and which media type we give a download by its name. The message is never asked."""

from __future__ import annotations

from webmail.values import Part

OCTETS = "application/octet-stream"

DOWNLOAD_TYPES = {
    "avif": "image/avif",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "gif": "image/gif",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""Extension to media type for downloads; nothing here is a document that a browser would run scripts in."""

_PREVIEW_EXTENSIONS = {"avif", "bmp", "gif", "jpeg", "jpg", "png", "webp"}
_PREVIEW_SUBTYPES = _PREVIEW_EXTENSIONS | {"pjpeg"}


def raster_type(head: bytes) -> str | None:
    """The media type of a raster image by its first 16 bytes or more, None for anything else (SVG among them)."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and len(head) >= 16:
        return "image/bmp"
    return None


def pdf_type(head: bytes) -> bool:
    """True when the first bytes are those of a PDF (ISO 32000-1 section 7.5.2)."""
    return head.startswith(b"%PDF-")


def download_type(filename: str) -> str:
    """The media type for a download with this name."""
    return DOWNLOAD_TYPES.get(_extension(filename), OCTETS)


def previewable(part: Part) -> str:
    """ "image", "pdf" or "": what a part may be shown as in place, by its type and name. Its bytes decide when it is
    served."""
    extension = _extension(part.filename)
    if part.type == "image" and part.subtype in _PREVIEW_SUBTYPES:
        return "image"
    if part.media_type == "application/pdf":
        return "pdf"
    if part.media_type in {OCTETS, "application/x-pdf"}:
        return "image" if extension in _PREVIEW_EXTENSIONS else "pdf" if extension == "pdf" else ""
    return ""


def _extension(filename: str) -> str:
    name, dot, extension = filename.rpartition(".")
    return extension.lower() if dot and name else ""
