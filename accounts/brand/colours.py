"""A brand's colour as the accents of light and dark pages.

Of the colour that is chosen, hue and strength count; how light each accent is, is that of the design (static/css/tokens.css), so
that text stays as readable as it was. OKLCH after CSS Color 4, section 9.
"""

from __future__ import annotations

import math
import re

HEX = re.compile(r"#[0-9a-f]{6}")
# name: (lightness, largest chroma) on light pages, and on dark ones.
ACCENTS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "tinta": ((0.455, 0.115), (0.765, 0.098)),
    "tinta-strong": ((0.385, 0.110), (0.840, 0.075)),
    "tinta-fill": ((0.455, 0.115), (0.520, 0.115)),
    "tinta-fill-2": ((0.395, 0.112), (0.470, 0.115)),
    "tinta-wash": ((0.965, 0.012), (0.262, 0.030)),
    "tinta-wash-2": ((0.928, 0.026), (0.318, 0.048)),
    "focus": ((0.455, 0.150), (0.800, 0.105)),
}
Rgb = tuple[float, float, float]


def hue_and_chroma(colour: str) -> tuple[float, float]:
    """Hue in degrees and chroma of #rrggbb. Raises ValueError for anything else."""
    if not HEX.fullmatch(colour):
        raise ValueError("not a colour of the form #rrggbb")
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    # Linear sRGB to LMS, its cube root, and that to OKLab.
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return math.degrees(math.atan2(b, a)) % 360, math.hypot(a, b)


def accents(colour: str) -> dict[str, tuple[str, str]]:
    """Name to its colour on light and on dark pages, #rrggbb, for each accent of the design."""
    hue, chroma = hue_and_chroma(colour)
    return {
        name: (_shown(light[0], min(chroma, light[1]), hue), _shown(dark[0], min(chroma, dark[1]), hue))
        for name, (light, dark) in ACCENTS.items()
    }


def stylesheet(colour: str) -> str:
    """A style sheet that gives the accents in place of the design's."""
    lines = [f"    --{name}: light-dark({light}, {dark});" for name, (light, dark) in accents(colour).items()]
    return "@layer tokens {\n  :root {\n" + "\n".join(lines) + "\n  }\n}\n"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _shown(lightness: float, chroma: float, hue: float) -> str:
    """#rrggbb, with as much of the chroma as sRGB can show."""
    while chroma > 0.001:
        found = _srgb(lightness, chroma, hue)
        if all(-0.0001 <= part <= 1.0001 for part in found):
            break
        chroma *= 0.97
    else:
        found = _srgb(lightness, 0.0, hue)
    return "#" + "".join(f"{round(min(1.0, max(0.0, part)) * 255):02x}" for part in found)


def _srgb(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _gamma(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
        _gamma(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
        _gamma(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
    )


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
