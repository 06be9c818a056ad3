"""What templates name and what the style sheets know."""

from __future__ import annotations

import re

from django.conf import settings


def test_every_variant_in_a_template_has_a_style() -> None:
    css = "".join(path.read_text() for path in (settings.BASE_DIR / "static/css").rglob("*.css"))
    used = {
        name
        for path in (settings.BASE_DIR / "templates").rglob("*.html")
        for name in re.findall(r"\b(?:note|badge|btn|key)--[a-z0-9]+(?:-[a-z0-9]+)*\b", path.read_text())
    }
    assert len(used) > 10
    assert not [name for name in sorted(used) if not re.search(rf"\.{name}\b", css)]
