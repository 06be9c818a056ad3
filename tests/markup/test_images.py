"""Media types by first bytes and by name."""

from __future__ import annotations

import pytest

from webmail.markup.images import DOWNLOAD_TYPES, download_type, pdf_type, previewable, raster_type
from webmail.values import Part, PartNumber


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"GIF87a....", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypavif\0\0", "image/avif"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0", "image/bmp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<?xml version='1.0'?><svg/>", None),
        (b"<html><script>", None),
        (b"BM<script>alert(1)</script>", None),
        (b"GIF89", None),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_raster_images_are_known_by_their_first_bytes(head: bytes, media_type: str | None) -> None:
    assert raster_type(head) == media_type


def test_a_pdf_is_known_by_its_first_bytes() -> None:
    assert pdf_type(b"%PDF-1.7\n")
    assert not pdf_type(b"<html>%PDF-")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.pdf", "application/pdf"),
        ("FOTO.JPG", "image/jpeg"),
        ("a.html", "application/octet-stream"),
        ("a.svg", "application/octet-stream"),
        ("a.pdf.exe", "application/octet-stream"),
        (".png", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("a.", "application/octet-stream"),
    ],
)
def test_downloads_are_typed_by_our_own_table(name: str, media_type: str) -> None:
    assert download_type(name) == media_type


def test_no_download_type_is_one_that_runs_scripts() -> None:
    assert not [kind for kind in DOWNLOAD_TYPES.values() if any(word in kind for word in ("html", "svg", "javascript"))]
    assert not [kind for kind in DOWNLOAD_TYPES.values() if kind.endswith(("/xml", "+xml"))]


@pytest.mark.parametrize(
    ("media_type", "name", "kind"),
    [
        ("image/png", "", "image"),
        ("image/svg+xml", "a.png", ""),
        ("application/pdf", "", "pdf"),
        ("application/octet-stream", "a.PDF", "pdf"),
        ("application/octet-stream", "a.jpg", "image"),
        ("text/html", "a.pdf", ""),
    ],
)
def test_previews_are_offered_for_images_and_pdfs(media_type: str, name: str, kind: str) -> None:
    main, _slash, sub = media_type.partition("/")
    assert previewable(Part(PartNumber("2"), main, sub, filename=name)) == kind
