"""Bodies: transfer encodings undone (RFC 2045 section 6), text decoded, format=flowed joined (RFC 3676)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from webmail.mime.charsets import decode_text, find_codec
from webmail.mime.transfer import decode_base64, decode_quoted, decode_uu
from webmail.stream_safe import stream_safe
from webmail.values import Part

UUENCODINGS = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})

_META_CHARSET = re.compile(rb"""<meta\b[^<>]{0,300}?charset\s{0,5}=\s{0,5}["']?([\w.:-]{2,40})""", re.IGNORECASE)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode_part(part: Part, data: bytes) -> bytes:
    """The octets of a part with its transfer encoding undone. Never raises; a text that is plainly not in the encoding
    that it claims comes back as it is."""
    decoded = b"".join(decode_stream(part, [data]))
    if part.type == "text" and part.encoding in {"base64", *UUENCODINGS} and _was_plain(data, decoded):
        return data
    return decoded


def _was_plain(data: bytes, decoded: bytes) -> bool:
    """Whether words with spaces were taken for base64 or uuencode: the outcome is no text, the source is."""
    sample = data[:2_000]
    if not sample.strip() or not re.search(rb"[A-Za-z]{2,} [A-Za-z]{2,}", sample):
        return False
    outcome = decoded[:1_000]
    strange = sum(byte < 9 or 13 < byte < 32 or byte > 126 for byte in outcome)
    return not outcome or strange * 4 > len(outcome)


def decode_stream(part: Part, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same for a part that comes in pieces, in memory bounded by the pieces."""
    if part.encoding == "base64":
        return decode_base64(chunks)
    if part.encoding == "quoted-printable":
        return decode_quoted(chunks)
    if part.encoding in UUENCODINGS:
        return decode_uu(chunks)
    return iter(chunks)


def text_of(part: Part, data: bytes) -> tuple[str, bool]:
    """The text of a decoded text part with line ends as \\n and format=flowed joined, and whether its charset had to be
    guessed or characters replaced."""
    text, guessed = decode_text(data, _charset_of(part, data))
    text = text.removeprefix("\ufeff").replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    if part.format_flowed and part.subtype == "plain":
        text = unflow(text, part.delsp)
    return stream_safe(text), guessed


def _charset_of(part: Part, data: bytes) -> str:
    """A byte order mark goes before the header, the header before a <meta>; UTF-7 and UTF-16 never by <meta>."""
    for mark, charset in _BOMS:
        if data.startswith(mark) and (charset == "utf-8" or "\0" in data[:4].decode("latin-1")):
            return charset
    if part.charset and find_codec(part.charset):
        return part.charset
    found = _META_CHARSET.search(data[:4_096]) if part.subtype == "html" else None
    if found is None:
        return part.charset
    charset = found[1].decode("ascii", "replace")
    return "" if find_codec(charset).startswith(("utf_7", "utf_16", "utf_32")) else charset


def unflow(text: str, delsp: bool) -> str:
    """format=flowed text with its soft breaks joined (RFC 3676 section 4); quote marks come back as ">> "."""
    out: list[str] = []
    paragraph: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        body = bare.removeprefix(" ")
        flowed = body.endswith(" ") and body != "-- "
        if paragraph and (depth != open_depth or body == "-- "):
            out.append("".join(paragraph))
            paragraph = []
        if not paragraph and depth:
            paragraph.append(">" * depth + " ")
        paragraph.append(body[:-1] if flowed and delsp else body)
        open_depth = depth
        if not flowed:
            out.append("".join(paragraph))
            paragraph = []
    if paragraph:
        out.append("".join(paragraph))
    return "\n".join(out)
