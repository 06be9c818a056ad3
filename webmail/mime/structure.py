"""The MIME tree of a message, from its raw bytes (RFC 2045, 2046); parts are numbered as IMAP does (RFC 3501 6.4.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from mmap import mmap

from webmail.mime.headers import HEADER_LIMIT_BYTES, split_header
from webmail.mime.parameters import clean_filename, part_from_fields, read_parameter, split_value, token
from webmail.values import Defect, Part, PartNumber

__all__ = ["Octets", "clean_filename", "parse_message", "parse_spans", "part_bytes", "part_from_fields"]

DEPTH_LIMIT = 50
PARTS_LIMIT = 1_000
BOUNDARY_LIMIT_BYTES = 256
SCAN_LIMIT_BYTES = 256 * 1024 * 1024

_HAS_TEXT = re.compile(rb"\S")
_BLANK = re.compile(rb"\n\r{0,3}\n")
_FIELD_LINE = re.compile(rb"[ \t]|(?:>?From )|[!-9;-~]{1,200}[ \t]{0,20}:|\xef\xbb\xbf")
_FIRST_BLANK = re.compile(rb"\r{0,3}\n")
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


Octets = bytes | mmap
"""A message in memory, or in a file that is mapped into it."""


def parse_message(raw: Octets) -> tuple[Part, list[Defect]]:
    """The MIME tree of a whole message. Defects: "empty", "structure" (a multipart without parts, boundary or end),
    "too-many-parts", "too-deep", and those of its header."""
    part, _spans, defects = parse_spans(raw)
    return part, defects


def parse_spans(raw: Octets) -> tuple[Part, dict[str, tuple[int, int]], list[Defect]]:
    """The same, and for each part number where its body begins and ends in the octets."""
    walk = _Walk(raw)
    part = _entity(walk, _Place(0, len(raw), "", 0))
    codes = walk.defects | ({"empty"} if not _HAS_TEXT.search(raw) else set())
    return part, walk.spans, [Defect(code) for code in sorted(codes)]


def part_bytes(raw: bytes, number: PartNumber) -> bytes:
    """The octets of one part's body, still transfer-encoded; b"" without such a part. "" is the whole message."""
    if not number:
        return raw
    walk = _Walk(raw)
    _entity(walk, _Place(0, len(raw), "", 0))
    start, end = walk.spans.get(number, (0, 0))
    return raw[start:end]


@dataclass(slots=True)
class _Walk:
    """The message being walked; `text` has the same length as `raw` and LF line ends where `raw` has CR alone."""

    raw: Octets
    text: Octets = b""
    count: int = 0
    scanned: int = 0
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    defects: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.text = self.raw if self.raw.find(b"\n") >= 0 else bytes(self.raw).replace(b"\r", b"\n")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entity stands: its bytes, the number given to it, how deep it is, and its type when it does not tell."""

    start: int
    end: int
    number: str
    depth: int
    default_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class _Head:
    """The MIME fields of an entity, and where its body begins."""

    body: int
    type: str
    subtype: str
    params: dict[str, bytes]
    fields: dict[str, bytes]

    @property
    def encoding(self) -> str:
        return token(self.fields.get("content-transfer-encoding", b"").decode("ascii", "replace"))


def _read_head(walk: _Walk, place: _Place) -> _Head:
    body = _body_start(walk.text, place.start, place.end)
    fields, defects = split_header(walk.text[place.start : body])
    if place.start == 0:
        walk.defects.update(defect.code for defect in defects)
    if not fields and body > place.start and not _FIRST_BLANK.match(walk.text, place.start):
        body = place.start
    named = {name.lower(): value for name, value in reversed(fields)}
    kind, params = split_value(named.get("content-type", b""))
    type_, slash, subtype = kind.partition("/")
    if not slash or not token(type_) or not token(subtype):
        type_, _slash, subtype = (place.default_type if "content-type" not in named else "text/plain").partition("/")
    return _Head(body, token(type_), token(subtype), params, named)


def _body_start(text: Octets, start: int, end: int) -> int:
    first = _FIRST_BLANK.match(text, start, end)
    if first:
        return first.end()
    blank = _BLANK.search(text, start, end)
    return blank.end() if blank else _after_fields(text, start, end)


def _after_fields(text: Octets, start: int, end: int) -> int:
    """Where the text begins in an entity that has no blank line: after the last line that can be a field."""
    limit = min(end, start + HEADER_LIMIT_BYTES)
    at = start
    while at < limit:
        if not _FIELD_LINE.match(text, at, limit):
            return at if at > start else end
        at = text.find(b"\n", at, limit) + 1 or end
    return end


def _entity(walk: _Walk, place: _Place) -> Part:
    walk.count += 1
    head = _read_head(walk, place)
    number = place.number
    if head.type == "multipart":
        walk.spans.setdefault(number, (head.body, place.end))
        children = _multipart(walk, head, place)
    else:
        number = number or "1"
        walk.spans[number] = (head.body, place.end)
        children = _inside(walk, head, place, number)
    return _part(head, PartNumber(number), place.end - head.body, children)


def _part(head: _Head, number: PartNumber, size: int, children: tuple[Part, ...]) -> Part:
    disposition, disposition_params = split_value(head.fields.get("content-disposition", b""))
    return part_from_fields(
        number,
        head.type,
        head.subtype,
        head.params,
        encoding="" if head.type == "multipart" else head.encoding,
        size=size,
        disposition=disposition,
        disposition_params=disposition_params,
        cid=head.fields.get("content-id", b""),
        description=head.fields.get("content-description", b""),
        children=children,
    )


def _inside(walk: _Walk, head: _Head, place: _Place, number: str) -> tuple[Part, ...]:
    """The message inside a message/rfc822 part: a multipart takes the part's own number, anything else is number.1."""
    if (head.type, head.subtype) != ("message", "rfc822") or head.encoding not in _PLAIN_ENCODINGS:
        return ()
    if place.depth >= DEPTH_LIMIT or walk.count >= PARTS_LIMIT or head.body >= place.end:
        if place.depth >= DEPTH_LIMIT:
            walk.defects.add("too-deep")
        return ()
    inner = _Place(head.body, place.end, number, place.depth + 1)
    if _read_head(walk, inner).type != "multipart":
        inner = _Place(head.body, place.end, f"{number}.1", place.depth + 1)
    return (_entity(walk, inner),)


def _multipart(walk: _Walk, head: _Head, place: _Place) -> tuple[Part, ...]:
    """The parts between the boundaries. Without any, the whole body is one plain text, so that it can be read."""
    walk.scanned += place.end - head.body
    if place.depth >= DEPTH_LIMIT or walk.scanned > SCAN_LIMIT_BYTES:
        walk.defects.add("too-deep")
        return _unsplit(walk, head, place)
    boundary = _boundary(head.params)
    spans, closed = _split_parts(walk, head.body, place.end, boundary) if boundary else ([], False)
    if not closed:
        walk.defects.add("structure")
    if not spans:
        walk.defects.add("structure")
        return _unsplit(walk, head, place)
    default = "message/rfc822" if head.subtype == "digest" else "text/plain"
    children = []
    for index, (first, last) in enumerate(spans, 1):
        if walk.count >= PARTS_LIMIT:
            walk.defects.add("too-many-parts")
            break
        number = f"{place.number}.{index}" if place.number else str(index)
        children.append(_entity(walk, _Place(first, last, number, place.depth + 1, default)))
    return tuple(children)


def _boundary(params: dict[str, bytes]) -> bytes:
    """The boundary as bytes; RFC 2231 continuations are undone, encoded words are not."""
    value = params.get("boundary") or read_parameter(params, "boundary").encode("utf-8", "replace")
    return value if len(value) <= BOUNDARY_LIMIT_BYTES else b""


def _unsplit(walk: _Walk, head: _Head, place: _Place) -> tuple[Part, ...]:
    """The body of a multipart that cannot be taken apart, as one plain text."""
    walk.count += 1
    number = PartNumber(f"{place.number}.1" if place.number else "1")
    walk.spans[number] = (head.body, place.end)
    return (part_from_fields(number, "text", "plain", {}, encoding=head.encoding, size=place.end - head.body),)


def _split_parts(walk: _Walk, start: int, end: int, boundary: bytes) -> tuple[list[tuple[int, int]], bool]:
    """The spans between boundary lines, and whether the closing one was there. Lines that only begin with the boundary
    count where there is no better one (RFC 2046 section 5.1.1): they may be those of a longer boundary inside."""
    start_of_line = rb"\n--" + re.escape(boundary.rstrip())
    spans, closed = _spans(walk, start, end, re.compile(start_of_line + rb"(--)?[ \t\r]{0,200}(?=\n|\Z)"))
    if spans:
        return spans, closed
    loose, loosely_closed = _spans(walk, start, end, re.compile(start_of_line + rb"(--)?[^\n]{0,998}(?=\n|\Z)"))
    return (loose, loosely_closed) if loose else (spans, closed)


def _spans(walk: _Walk, start: int, end: int, line: re.Pattern[bytes]) -> tuple[list[tuple[int, int]], bool]:
    """The spans between lines that match, and whether a closing one was there. One more than the limit is enough."""
    spans: list[tuple[int, int]] = []
    open_at: int | None = None
    for match in line.finditer(walk.text, max(start - 1, 0), end):
        if open_at is not None:
            last = match.start() - (walk.text[match.start() - 1 : match.start()] == b"\r")
            spans.append((open_at, max(open_at, last)))
        if match[1]:
            return spans, True
        open_at = min(match.end() + 1, end)
        if len(spans) > PARTS_LIMIT:
            return spans, True
    if open_at is not None and open_at < end:
        spans.append((open_at, end))
    return spans, False
