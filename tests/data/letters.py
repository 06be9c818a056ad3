"""The small bricks that the hostile corpus is built from."""

from __future__ import annotations

CRLF = b"\r\n"


def fields(subject: str, content_type: str = "", *more: bytes) -> bytes:
    """A plain good header without its blank line: who, to whom, when, what; then the lines in `more`."""
    lines = [
        b"From: Mallory <mallory@example.com>",
        b"To: Ana <ana@example.org>",
        b"Date: Mon, 02 Nov 2026 10:00:00 +0100",
        b"Message-ID: <" + subject.encode("ascii", "replace").replace(b" ", b"-") + b"@hostile.example.com>",
        b"Subject: " + subject.encode(),
    ]
    if content_type:
        lines += [b"MIME-Version: 1.0", b"Content-Type: " + content_type.encode()]
    return CRLF.join([*lines, *more]) + CRLF


def letter(subject: str, content_type: str, body: bytes, *more: bytes) -> bytes:
    """A whole message with this body."""
    return fields(subject, content_type, *more) + CRLF + body


def part(content_type: str, body: bytes, *more: bytes) -> bytes:
    """One body part: header, blank line, body (no boundary)."""
    head = ([b"Content-Type: " + content_type.encode()] if content_type else []) + list(more)
    return b"".join(line + CRLF for line in head) + CRLF + body


def multipart(subtype: str, boundary: str, *parts: bytes, end: bool = True) -> bytes:
    """A multipart entity: its Content-Type line, blank line and body. `end` False leaves the last boundary out."""
    return part(f'multipart/{subtype}; boundary="{boundary}"', joined(boundary, *parts, end=end))


def joined(boundary: str, *parts: bytes, end: bool = True) -> bytes:
    """Parts between their boundary lines."""
    mark = b"--" + boundary.encode()
    body = b"".join(mark + CRLF + one + CRLF for one in parts)
    return body + (mark + b"--" + CRLF if end else b"")


TEXT = part("text/plain; charset=utf-8", b"visible text\r\n")
HTML = part("text/html; charset=utf-8", b"<p>visible html</p>\r\n")
PDF = part(
    "application/pdf; name=a.pdf",
    b"JVBERi0xLjQK\r\n",
    b"Content-Transfer-Encoding: base64",
    b"Content-Disposition: attachment",
)
