"""Pictures by hand: PNG, GIF, JPEG (baseline, first three coefficients) and TIFF. Valid, small, and the same every time."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin
from struct import pack
from zlib import compress, crc32

from webmail.samples.draws import draw, pick

Colour = tuple[int, int, int]
INKS: tuple[Colour, ...] = (
    (27, 88, 150),
    (112, 24, 45),
    (186, 124, 52),
    (36, 92, 70),
    (74, 60, 110),
    (200, 80, 56),
    (60, 60, 64),
    (214, 170, 60),
)
PAPER: Colour = (247, 244, 236)


@lru_cache(maxsize=64)
def draw_png(variant: int, width: int = 480, height: int = 320) -> bytes:
    """A print proof: paper, a coloured label with bands, and a colour bar along the foot."""
    main, second = pick(variant, "main", INKS), pick(variant, "second", INKS)
    margin, bar = width // 12, height // 12
    inner = width - 2 * margin
    plain = bytes(PAPER) * width
    label = bytes(PAPER) * margin + bytes(main) * inner + bytes(PAPER) * (width - margin - inner)
    band = bytes(PAPER) * margin + bytes(second) * inner + bytes(PAPER) * (width - margin - inner)
    foot = b"".join(bytes(INKS[x * len(INKS) // width]) for x in range(width))
    centre = height // 3 + draw(variant, "centre") % max(1, height // 4)
    rows = []
    for y in range(height):
        if y >= height - bar:
            rows.append(foot)
        elif y < margin or y >= height - bar - margin:
            rows.append(plain)
        else:
            rows.append(band if abs(y - centre) < bar else label)
    return png_of_rows(width, rows)


def png_of_rows(width: int, rows: list[bytes]) -> bytes:
    """A PNG of 8-bit RGB rows (PNG specification, section 11)."""
    head = _chunk(b"IHDR", pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0))
    data = _chunk(b"IDAT", compress(b"".join(b"\0" + row for row in rows), 6))
    return b"\x89PNG\r\n\x1a\n" + head + data + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))


@lru_cache(maxsize=8)
def draw_logo(variant: int = 0) -> bytes:
    """The mark that signs a letter: six cells, one of them full. 96 by 32 pixels, PNG."""
    ink, light = bytes(INKS[variant % len(INKS)]), bytes(PAPER)
    rows = []
    for y in range(32):
        row = bytearray()
        for x in range(96):
            cell, inside = (x // 32, y // 16), 3 <= x % 32 < 29 and 2 <= y % 16 < 14
            edge = inside and (x % 32 in (3, 28) or y % 16 in (2, 13))
            row += ink if edge or (inside and cell == (variant % 3, 1)) else light
        rows.append(bytes(row))
    return png_of_rows(96, rows)


def draw_gif() -> bytes:
    """A GIF of one grey pixel."""
    return b"GIF89a\1\0\1\0\x80\0\0\x80\x80\x80\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


def draw_tiff(width: int, height: int, noise: bytes) -> bytes:
    """An uncompressed RGB TIFF (TIFF 6.0, section 6), filled from `noise`, which is repeated."""
    size = width * height * 3
    tags = (
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 12 * 9 + 4),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, size),
    )
    directory = pack("<H", len(tags)) + b"".join(pack("<HHII", *tag) for tag in tags) + pack("<I", 0)
    return b"II*\0" + pack("<I", 8) + directory + (noise * (size // len(noise) + 1))[:size]


# --- JPEG ---------------------------------------------------------------------------------------------------------------
# Each block of 8 by 8 carries its mean and its two first slopes. The Huffman tables give every symbol a code of the
# same length (4 bits for DC, 5 for AC), which the format allows.
_DC = tuple(range(12))
_AC = (0x00, *range(0x01, 0x0B), *range(0x11, 0x1B))
_QUANT = 4


@lru_cache(maxsize=16)
def draw_jpeg(variant: int, columns: int = 80, rows: int = 60) -> bytes:
    """A hazy landscape of `columns` by `rows` blocks: sky, hills, ground (ITU-T T.81, baseline, 4:4:4)."""
    bits: list[str] = []
    before = [0, 0, 0]
    for y in range(rows):
        for x in range(columns):
            here, right, below = (_ycc(variant, x + a, y + b, columns, rows) for a, b in ((0, 0), (1, 0), (0, 1)))
            for channel in range(3):
                mean = round((here[channel] - 128) * 8 / _QUANT)
                bits.append(_dc(mean - before[channel]))
                before[channel] = mean
                slopes = ((here[channel] - right[channel]) * 2.5, (here[channel] - below[channel]) * 2.5)
                bits.append(_ac([round(slope / _QUANT) for slope in slopes]))
    return _jpeg_head(columns * 8, rows * 8) + _pack_bits("".join(bits)) + b"\xff\xd9"


def _ycc(variant: int, x: int, y: int, columns: int, rows: int) -> tuple[float, float, float]:
    """Luminance and colour of one block."""
    near, far = INKS[variant % len(INKS)], INKS[(variant // 8 + 3) % len(INKS)]
    phase = variant * 0.7
    skyline = rows * (0.42 + 0.10 * sin(x * 2.6 * pi / columns + phase) + 0.05 * cos(x * 9.1 * pi / columns - phase))
    grain = (draw(variant, f"{x},{y}") % 13) - 6
    if y < skyline:
        depth = y / max(1.0, skyline)
        rgb = [205 + 40 * depth, 215 + 22 * depth, 238 - 14 * depth]
    else:
        depth = min(1.0, (y - skyline) / (rows * 0.6))
        rgb = [far[i] * (1 - depth) * 1.2 + near[i] * depth + 20 for i in range(3)]
    red, green, blue = (min(255.0, max(0.0, value + grain)) for value in rgb)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma, 128 + 0.564 * (blue - luma), 128 + 0.713 * (red - luma)


def _magnitude(value: int) -> tuple[int, str]:
    """Size class and extra bits of a coefficient (T.81 table F.1)."""
    size = abs(value).bit_length()
    return size, format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") if size else ""


def _dc(difference: int) -> str:
    size, extra = _magnitude(difference)
    return format(size, "04b") + extra


def _ac(values: list[int]) -> str:
    done, run = "", 0
    for value in values:
        if not value:
            run += 1
            continue
        size, extra = _magnitude(value)
        done += format(_AC.index(run << 4 | size), "05b") + extra
        run = 0
    return done + "00000"


def _pack_bits(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def _jpeg_head(width: int, height: int) -> bytes:
    components = bytes((1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    dc = bytes((0, 0, 0, len(_DC), *([0] * 12))) + bytes(_DC)
    ac = bytes((0, 0, 0, 0, len(_AC), *([0] * 11))) + bytes(_AC)
    return (
        b"\xff\xd8\xff\xe0"
        + _segment(b"JFIF\0\1\1\1\0H\0H\0\0")
        + b"\xff\xdb"
        + _segment(b"\0" + bytes([_QUANT]) * 64)
        + b"\xff\xc0"
        + _segment(pack(">BHHB", 8, height, width, 3) + components)
        + b"\xff\xc4"
        + _segment(b"\x00" + dc)
        + b"\xff\xc4"
        + _segment(b"\x10" + ac)
        + b"\xff\xda"
        + _segment(bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0)))
    )


def _segment(data: bytes) -> bytes:
    return pack(">H", len(data) + 2) + data
