"""`manage.py build_icons`: one sprite with the icons that the templates use, from the lucide package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webmail.services.folders import ROLE_ICONS

USED = re.compile(r"""{%\s*icon\s+["']([a-z0-9-]+)["']""")
SVG = "http://www.w3.org/2000/svg"
RENAMED = {"circle-help": "circle-question-mark"}
"""Names of the design that lucide has changed since."""


class Command(BaseCommand):
    help = "Writes STATE_DIR/icons/sprite.svg from node_modules/lucide-static."

    def handle(self, *args: Any, **options: Any) -> None:
        source = settings.BASE_DIR / "node_modules" / "lucide-static" / "icons"
        target = settings.STATE_DIR / "icons" / "sprite.svg"
        names = sorted(used_icons(settings.BASE_DIR / "templates"))
        target.parent.mkdir(parents=True, exist_ok=True)
        symbols = "".join(read_symbol(source, name) for name in names)
        target.write_text(f'<svg xmlns="{SVG}">{symbols}</svg>\n', encoding="utf-8")
        self.stdout.write(f"{len(names)} icons")


def used_icons(templates: Path) -> set[str]:
    """The icon names in the templates, and those that code chooses."""
    found = set(ROLE_ICONS.values())
    for path in templates.rglob("*.html"):
        found |= set(USED.findall(path.read_text(encoding="utf-8")))
    return found


def read_symbol(source: Path, name: str) -> str:
    """One icon as a <symbol>. Raises CommandError when the package has none of this name."""
    path = source / f"{name}.svg"
    if not path.exists():
        path = source / f"{RENAMED.get(name, name)}.svg"
    if not path.exists():
        raise CommandError(f"There is no icon {name} in lucide-static; run npm ci, or correct the template.")
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a package of ours, not foreign
    inner = "".join(ElementTree.tostring(child, encoding="unicode").replace(f' xmlns="{SVG}"', "") for child in root)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'
