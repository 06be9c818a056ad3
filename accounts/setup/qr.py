"""QR codes, as the path of a drawing. What is in one is an address of a page, never a password."""

from __future__ import annotations

from dataclasses import dataclass

import segno

QUIET = 4
"""The margin that readers want, in modules (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The dark modules as an SVG path, in a square of so many modules, the margin included."""

    size: int
    path: str


def draw_qr(text: str) -> Drawing:
    """The code of a text, with error correction of level M or better. Raises ValueError for more than it can hold."""
    matrix = segno.make_qr(text, error="m").matrix
    runs = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                runs.append(f"M{start + QUIET} {y + QUIET}h{x - start}v1h-{x - start}z")
            x += 1
    return Drawing(len(matrix) + 2 * QUIET, "".join(runs))
