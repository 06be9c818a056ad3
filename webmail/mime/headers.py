"""Header fields: split, unfolded, decoded (RFC 5322 section 2.2, RFC 2047), and made harmless to show."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from webmail.mime.charsets import decode_text
from webmail.stream_safe import stream_safe
from webmail.values import Defect, Header

HEADER_LIMIT_BYTES = 262_144
VALUE_LIMIT_BYTES = 65_536
FIELDS_LIMIT = 2_000
SHORT_BYTES, SHORT_VALUES = 300, 10_000
"""Values that a process remembers decoded, about 500 octets each."""

PLAIN_FIELDS = frozenset(
    {
        "authentication-results",
        "arc-authentication-results",
        "arc-message-signature",
        "arc-seal",
        "received",
        "received-spf",
        "dkim-signature",
        "domainkey-signature",
        "message-id",
        "in-reply-to",
        "references",
        "return-path",
        "date",
        "resent-date",
        "resent-message-id",
        "mime-version",
        "content-transfer-encoding",
        "content-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
    }
)
"""Fields in which RFC 2047 allows no encoded words: decoded, one could forge what a server wrote."""

_NAME = re.compile(rb"[!-9;-~]{1,200}[ \t]{0,20}$")
_BLANK = re.compile(rb"\n\r{0,3}\n")
_WORD_START = re.compile(rb"=\?([^?\s]{1,80})\?([bBqQ])\?")
_PRINTABLE = re.compile(rb"[ -~]*")
_BREAK = re.compile(rb"[\r\n]+[ \t]?")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], None)
_CONTROLS = dict.fromkeys([*range(1, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ") | {0: None}
_UNSAFE = {**_BIDI, **_CONTROLS}
_UNSAFE_ONES = re.compile(f"[{re.escape(''.join(map(chr, _UNSAFE)))}]")


def split_header(raw: bytes, limit: int = HEADER_LIMIT_BYTES) -> tuple[list[tuple[str, bytes]], list[Defect]]:
    """The fields of a header block up to its blank line: (name, raw value with its folds). Tolerates bare LF, a message
    with CR alone, an mbox line, lines without a colon. Defects: "header" (a line was no field), "truncated" (longer
    than `limit` bytes or FIELDS_LIMIT fields)."""
    block, cut = _header_block(raw, limit)
    names: list[str] = []
    values: list[list[bytes]] = []
    bad = False
    for index, line in enumerate(block.split(b"\n")):
        line = line.strip(b"\r")
        if line[:1] in {b" ", b"\t"} and values:
            values[-1].append(line)
            continue
        name, colon, value = line.partition(b":")
        if colon and _NAME.match(name):
            if len(names) == FIELDS_LIMIT:
                cut = True
                break
            names.append(name.rstrip().decode("ascii"))
            values.append([value])
        elif line and not (index == 0 and line.startswith((b"From ", b">From "))):
            bad = True
    fields = [(name, b"\r\n".join(pieces)) for name, pieces in zip(names, values, strict=True)]
    return fields, [Defect(code) for code, found in (("truncated", cut), ("header", bad)) if found]


def _header_block(raw: bytes, limit: int) -> tuple[bytes, bool]:
    """The bytes before the blank line with LF line ends, and whether `limit` cut them."""
    head = raw[:limit].removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in head:
        head = head.replace(b"\r", b"\n")
    if head.lstrip(b"\r").startswith(b"\n"):
        return b"", False
    end = _BLANK.search(head)
    return (head[: end.start()], False) if end else (head, len(raw) > limit)


def decode_header(value: bytes) -> str:
    """A field's value as one line of text: unfolded, encoded words decoded (adjacent ones of one charset joined first,
    so that split characters survive), 8-bit bytes as UTF-8 or windows-1252, controls and bidi overrides removed."""
    if len(value) <= VALUE_LIMIT_BYTES and b"=?" not in value and _PRINTABLE.fullmatch(value):
        return value.decode("ascii").strip()  # most values: nothing of all that is in them
    return _decode_again(value) if len(value) <= SHORT_BYTES else _decode(value)


def _decode(value: bytes) -> str:
    return make_safe("".join(_pieces(_unfold(value)))).strip()


_decode_again = lru_cache(maxsize=SHORT_VALUES)(_decode)  # the same people write again and again


def _unfold(value: bytes) -> bytes:
    return _BREAK.sub(b" ", value[:VALUE_LIMIT_BYTES])


def _pieces(value: bytes) -> Iterator[str]:
    """The decoded text of a value in pieces: plain stretches, and runs of encoded words of one charset."""
    run: list[bytes] = []
    run_charset = ""
    at = 0
    for start, end, charset, data in _words(value):
        between = value[at:start]
        if run and (between.strip() or charset != run_charset):
            yield decode_text(b"".join(run), run_charset)[0]
        if not run or between.strip():
            yield _plain(between)
        if run and (between.strip() or charset != run_charset):
            run = []
        run.append(data)
        run_charset, at = charset, end
    if run:
        yield decode_text(b"".join(run), run_charset)[0]
    yield _plain(value[at:])


def _words(value: bytes) -> Iterator[tuple[int, int, str, bytes]]:
    """(start, end, charset, bytes) of every encoded word, spaces inside tolerated. Linear: the next "?=" is searched
    only once it has been passed."""
    at = end = 0
    while (match := _WORD_START.search(value, at)) is not None:
        if end < match.end():
            end = value.find(b"?=", match.end())
        if end < 0:
            return
        text = value[match.end() : end]
        inner = text.find(b"=?")
        if inner >= 0:
            at = match.end() + inner
            continue
        yield (
            match.start(),
            end + 2,
            match[1].decode("ascii", "replace").partition("*")[0].lower(),
            _word(match[2], text),
        )
        at = end + 2


def _word(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return binascii.a2b_qp(text.replace(b"_", b" "))
    clean = _NOT_BASE64.sub(b"", text)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _plain(value: bytes) -> str:
    return decode_text(value, "")[0]


def make_safe(text: str) -> str:
    """Text with controls as spaces, without NUL, lone surrogates and the characters that turn the direction of what
    stands beside them."""
    if text.isascii() and text.isprintable():
        return text
    return stream_safe(_SURROGATE.sub("\ufffd", text.translate(_UNSAFE) if _UNSAFE_ONES.search(text) else text))


def decode_field(name: str, value: bytes) -> str:
    """A value by the rules of its field: encoded words only where RFC 2047 section 5 allows them."""
    if name.lower() in PLAIN_FIELDS:
        return make_safe(_plain(_unfold(value))).strip()
    return decode_header(value)


def parse_headers(raw: bytes) -> tuple[tuple[Header, ...], tuple[Defect, ...]]:
    """Every field of a header block, decoded, in order."""
    fields, defects = split_header(raw)
    return tuple(Header(name, decode_field(name, value)) for name, value in fields), tuple(defects)


def header_value(headers: Sequence[Header], name: str) -> str:
    """The first field of this name (any case), "" without one."""
    return next((header.value for header in headers if header.name.lower() == name.lower()), "")


def header_values(headers: Sequence[Header], name: str) -> list[str]:
    """All fields of this name, topmost first."""
    return [header.value for header in headers if header.name.lower() == name.lower()]
