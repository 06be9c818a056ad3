"""Transfer encodings undone piece by piece (RFC 2045 sections 6.7 and 6.8, uuencode), tolerant of everything."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

LINE_LIMIT_BYTES = 8_192
RESTARTS_LIMIT = 200

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_BASE64_LINE = re.compile(
    rb"(?:[A-Za-z0-9+/]{4}){1,300}(?:[A-Za-z0-9+/]{2,3}={1,2})?\s*(?:\n|\Z)|[A-Za-z0-9+/]{2,3}={1,2}\s*(?:\n|\Z)"
)
_URLSAFE = bytes.maketrans(b"-_", b"+/")
_SOFT_BREAK = re.compile(rb"=[ \t]{1,100}(?=\r?\n)")


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that end with a line end, or after LINE_LIMIT_BYTES without one."""
    rest: list[bytes] = []
    size = 0
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if not cut and size + len(chunk) > LINE_LIMIT_BYTES:
            cut = len(chunk)
        if cut:
            yield b"".join([*rest, chunk[:cut]])
            rest, size = [], 0
        if cut < len(chunk):
            rest.append(chunk[cut:])
            size += len(chunk) - cut
    if rest:
        yield b"".join(rest)


def decode_base64(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Base64, foreign characters skipped, padding may be missing. After a padding only another block of base64 is read:
    what a mailing list wrote below is not."""
    carry = b""
    restarts = 0
    padded = False
    for block in _whole_lines(chunks):
        while block:
            if padded:
                block = block.lstrip(b"= \t\r\n")
                if not block:
                    break
                restarts += 1
                if restarts > RESTARTS_LIMIT or not _BASE64_LINE.match(block):
                    return
                padded = False
            body, padding, block = block.partition(b"=")
            clean = carry + _NOT_BASE64.sub(b"", body.translate(_URLSAFE))
            cut = len(clean) - len(clean) % 4
            carry = clean[cut:]
            if cut:
                yield binascii.a2b_base64(clean[:cut])
            if padding and carry:
                yield _last_group(carry)
                carry, padded = b"", True
            elif padding:
                padded = True
    if carry:
        yield _last_group(carry)


def _last_group(carry: bytes) -> bytes:
    return binascii.a2b_base64(carry + b"=" * (4 - len(carry))) if len(carry) > 1 else b""


def decode_quoted(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Quoted-printable; soft breaks and codes may stand across pieces, broken codes stay as they are."""
    rest = b""
    for block in _whole_lines(chunks):
        data = rest + block
        rest = b""
        if not data.endswith(b"\n"):
            equals = data.rfind(b"=", max(0, len(data) - 3))
            if equals >= 0:
                data, rest = data[:equals], data[equals:]
        if data:
            yield binascii.a2b_qp(_SOFT_BREAK.sub(b"=", data))
    if rest:
        yield binascii.a2b_qp(rest)


def decode_uu(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Uuencoded lines after "begin" up to "end"; faulty lines give what they can."""
    inside = False
    for block in _whole_lines(chunks):
        out: list[bytes] = []
        for line in block.split(b"\n"):
            line = line.rstrip(b"\r")
            if line.startswith(b"begin "):
                inside = True
            elif line == b"end":
                inside = False
            elif inside and line:
                out.append(_uu_line(line[:90]))
        if data := b"".join(out):
            yield data


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
    try:
        return binascii.a2b_uu(line[:length])
    except binascii.Error:
        return b""
