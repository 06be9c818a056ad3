"""BODYSTRUCTURE (RFC 9051 section 7.5.2): a message's MIME tree as its server tells it."""

from __future__ import annotations

from webmail.imap.wire import Token
from webmail.mime.structure import part_from_fields
from webmail.values import Part, PartNumber

DEPTH_LIMIT = 50
PARTS_LIMIT = 1_000


def read_structure(value: Token) -> Part | None:
    """The MIME tree of a tokenized BODYSTRUCTURE, None when there is none that can be read."""
    if not isinstance(value, list) or not value:
        return None
    return _part(value, "", 0, [0])


def _part(items: list[Token], prefix: str, depth: int, count: list[int]) -> Part:
    count[0] += 1
    if items and isinstance(items[0], list):
        return _multipart(items, prefix, depth, count)
    return _leaf(items, prefix or "1", depth, count)


def _multipart(items: list[Token], prefix: str, depth: int, count: list[int]) -> Part:
    children: list[Part] = []
    at = 0
    while at < len(items) and isinstance(child := items[at], list):
        at += 1
        if depth < DEPTH_LIMIT and count[0] < PARTS_LIMIT:
            children.append(_part(child, f"{prefix}.{at}" if prefix else str(at), depth + 1, count))
    subtype = _text(items, at)
    return part_from_fields(
        PartNumber(prefix), "multipart", subtype or "mixed", _params(items, at + 1), children=tuple(children)
    )


def _leaf(items: list[Token], number: str, depth: int, count: list[int]) -> Part:
    """A part that is no multipart (RFC 3501 section 7.4.2): seven fields, more for text and message, then extensions."""
    type_, subtype = _text(items, 0).lower(), _text(items, 1).lower()
    children: tuple[Part, ...] = ()
    extension = 7
    if type_ == "text":
        extension = 8
    elif (type_, subtype) in {("message", "rfc822"), ("message", "global")}:
        extension = 10
        inner = items[8] if len(items) > 8 else None
        if isinstance(inner, list) and inner and depth < DEPTH_LIMIT and count[0] < PARTS_LIMIT:
            multipart = isinstance(inner[0], list)
            children = (_part(inner, number if multipart else f"{number}.1", depth + 1, count),)
    disposition = items[extension + 1] if len(items) > extension + 1 else None
    kind, disposition_params = _disposition(disposition)
    size = _text(items, 6)
    return part_from_fields(
        PartNumber(number),
        type_,
        subtype,
        _params(items, 2),
        encoding=_text(items, 5),
        size=int(size) if size.isdigit() else 0,
        disposition=kind,
        disposition_params=disposition_params,
        cid=_bytes(items, 3),
        description=_bytes(items, 4),
        children=children,
    )


def _disposition(value: Token) -> tuple[str, dict[str, bytes]]:
    if not isinstance(value, list) or not value or not isinstance(value[0], bytes):
        return "", {}
    return value[0].decode("ascii", "replace"), _params(value, 1)


def _params(items: list[Token], at: int) -> dict[str, bytes]:
    value = items[at] if len(items) > at else None
    if not isinstance(value, list):
        return {}
    pairs = zip(value[::2], value[1::2], strict=False)
    return {
        key.decode("ascii", "replace").lower(): text
        for key, text in pairs
        if isinstance(key, bytes) and isinstance(text, bytes)
    }


def _bytes(items: list[Token], at: int) -> bytes:
    value = items[at] if len(items) > at else None
    return value if isinstance(value, bytes) else b""


def _text(items: list[Token], at: int) -> str:
    return _bytes(items, at).decode("ascii", "replace")
