"""What every page knows: the brand, the person's theme, and the files that make the front end."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.services.brand import look
from accounts.services.permissions import held_by
from accounts.views.usage.notices import accounts_of, notices_of

SLIPS = frozenset({2006, 2013, 2019, 2028, 2034, 2051, 2062, 2070})


class WallBox(NamedTuple):
    """A box of the wall."""

    n: int
    slip: bool
    open: bool


WALL = tuple(WallBox(number, number in SLIPS, number == 2047) for number in range(2001, 2073))
"""The boxes of the sign-in page: number, whether mail shows in the slot, and the one that is yours."""


def ui(request: HttpRequest) -> dict[str, Any]:
    """Context `ui`: name, theme and density of the person, stylesheets in order, (specifier, path) of the modules for the
    import map, the wall of the sign-in page, the languages; whether the portal is for them, and what the bell says, both looked
    up where they are drawn. (Language and direction come from Django's i18n.)"""
    user = getattr(request, "user", None)
    return {
        "ui": {
            "name": look().name,
            "look": look(),
            "theme": getattr(user, "theme", "") or "system",
            "density": getattr(user, "density", "") or "normal",
            "stylesheets": stylesheets(),
            "modules": modules(),
            "wall": WALL,
            "languages": settings.LANGUAGES,
            "portal": SimpleLazyObject(lambda: runs_anything(request)),
            "notices": SimpleLazyObject(lambda: notices_of(request)),
        }
    }


def runs_anything(request: HttpRequest) -> bool:
    """Whether the portal has something to show to the person who asks: a role, or a mailbox of the provider's."""
    user = getattr(request, "user", None)
    if user is None or isinstance(user, AnonymousUser):
        return False
    return bool(held_by(user)) or any(account.mailbox_id is not None for account in accounts_of(request))


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
    return (
        ("htmx", "npm/htmx/htmx.esm.min.js"),
        ("squire", "npm/squire/squire.mjs"),
        ("dompurify", "npm/dompurify/purify.es.mjs"),
        ("uplot", "npm/uplot/uPlot.esm.js"),
        *ours,
    )
