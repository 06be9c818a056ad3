"""format=flowed, written (RFC 3676): long lines broken softly, so that any window can join them again.

Read back by `webmail.mime.body.unflow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 72

_TOKEN = re.compile(r"[^ ]* +|[^ ]+")
_STUFFED = (" ", ">", "From ")


def encode_flowed(text: str, *, width: int = WIDTH) -> str:
    """The text with soft breaks (a space before the line end) where a line would pass `width` characters, quote marks
    repeated on each line of a quote, and space-stuffing (sections 4.2 to 4.5). Line ends are \\n. Breaks stand at spaces
    only, never in a URL or a long word; trailing spaces go, but for the signature's "-- " (section 4.3).

    A line that begins with ">" is a quote; the marks that touch each other are its depth, and one space after them is
    taken for theirs.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(flowed for line in lines for flowed in _encode_line(line, width))


def _encode_line(line: str, width: int) -> Iterator[str]:
    content = line.lstrip(">")
    depth = len(line) - len(content)
    content = content.removeprefix(" ") if depth else content
    if content != "-- ":
        content = content.rstrip(" ")
    if not content:
        yield ">" * depth
        return
    for piece in _break_softly(content, width - depth - bool(depth)):
        stuffing = " " if depth or piece.startswith(_STUFFED) else ""
        yield ">" * depth + stuffing + piece


def _break_softly(content: str, width: int) -> Iterator[str]:
    """Pieces that all end with a space, but for the last. None is only spaces, and none but a whole line is "-- "."""
    if content == "-- ":
        yield content
        return
    held: list[str] = []
    size = 0
    for token in _TOKEN.findall(content):
        if held and size + len(token.rstrip(" ")) > width and (whole := "".join(held)).strip(" ") and whole != "-- ":
            yield whole
            held, size = [], 0
        held.append(token)
        size += len(token)
    yield "".join(held)
