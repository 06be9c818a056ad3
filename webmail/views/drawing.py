"""Parts of pages that are drawn once for the same values.

A part sees the values that it is given and nothing else of the request, so equal values give equal octets: the values are the
key under which it is kept. What differs in every request, the CSRF token, has a place that is filled in at the end. A part
writes no times: they would depend on the zone.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

LIMIT_CHARS = 16 * 1024 * 1024
"""What is kept in one process, in characters."""
PLACE = f"t{secrets.token_hex(16)}"
"""Stands for the CSRF token in what is kept."""


class Drawn:
    """Parts by their template, language and values; those unused for longest go first."""

    def __init__(self, limit_chars: int = LIMIT_CHARS) -> None:
        self._limit = limit_chars
        self._size = 0
        self._kept: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> str | None:
        with self._lock:
            text = self._kept.get(key)
            if text is not None:
                self._kept.move_to_end(key)
            return text

    def keep(self, key: Hashable, text: str) -> None:
        with self._lock:
            self._size += len(text) - len(self._kept.pop(key, ""))
            self._kept[key] = text
            while self._size > self._limit:
                self._size -= len(self._kept.popitem(last=False)[1])

    def forget(self) -> None:
        """Starts empty."""
        with self._lock:
            self._kept.clear()
            self._size = 0


drawn = Drawn()


def draw(template: str, values: Mapping[str, Hashable], *, csrf_token: str = "") -> SafeString:
    """A part: what `template` makes of these values."""
    key = (template, get_language(), *values.values())
    text = drawn.get(key)
    if text is None:
        text = render_part(template, values)
        drawn.keep(key, text)
    return mark_safe(text.replace(PLACE, csrf_token) if csrf_token else text)  # noqa: S308 - a template drew it


def render_part(template: str, values: Mapping[str, Any]) -> str:
    """The same, drawn anew."""
    return str(_compiled(template).render(Context({**values, "csrf_token": PLACE})))


def _compiled(name: str) -> Template:
    return _load(name) if settings.DEBUG else _compiled_once(name)


def _load(name: str) -> Template:
    return get_template(name).template  # type: ignore[attr-defined, no-any-return]


_compiled_once = lru_cache(maxsize=200)(_load)
