"""What every page knows: the brand, the person's theme, and the files that make the front end."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

WALL = [{"n": number, "slip": number % 11 in {2, 6}, "open": number == 2047} for number in range(2001, 2073)]
"""The boxes of the sign-in page: number, whether mail shows in the slot, and the one that is yours."""


def ui(request: HttpRequest) -> dict[str, Any]:
    """Context `ui`: name, theme, stylesheets in order, and (specifier, path) of the modules for the import map."""
    user = getattr(request, "user", None)
    theme = getattr(user, "theme", "") or "system"
    return {
        "ui": {
            "name": settings.SITE_NAME,
            "theme": theme,
            "stylesheets": stylesheets(),
            "modules": modules(),
            "wall": WALL,
            "languages": settings.LANGUAGES,
        }
    }


@cache
def stylesheets() -> tuple[str, ...]:
    """Our style sheets, tokens first; the order within a layer is by name."""
    root = settings.BASE_DIR / "static" / "css"
    names = sorted(str(path.relative_to(root.parent)) for path in root.rglob("*.css"))
    return ("css/tokens.css", *(name for name in names if name != "css/tokens.css"))


@cache
def modules() -> tuple[tuple[str, str], ...]:
    """The import map: htmx, and "casilla/NAME" for each of our modules."""
    root = settings.BASE_DIR / "static" / "js"
    ours = [(f"casilla/{path.stem}", f"js/{path.name}") for path in sorted(root.glob("*.js"))]
    return (("htmx", "npm/htmx/htmx.esm.min.js"), *ours)
