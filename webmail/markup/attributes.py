"""Which elements and attributes a message may have, and what the values of those without a URL look like."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


TAGS = words(
    """
    a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del
    dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark
    nav nobr ol p pre q rp rt ruby s samp section small span strike strong sub sup table tbody td tfoot th thead
    time tr tt u ul var wbr
    """
)

_TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,2000}")
_LENGTH = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,4})?(?:px|%)?")
_COUNT = re.compile(r"-?[0-9]{1,5}")
_SPAN = re.compile(r"[0-9]{1,3}")
_COLOUR = re.compile(r"#?[0-9a-zA-Z]{3,22}")
_ALIGN = re.compile(r"left|right|center|justify|middle|top|bottom|baseline|absmiddle|texttop|char", re.IGNORECASE)
_FLAG = re.compile(r"[a-z]{0,10}", re.IGNORECASE)

GLOBAL = {
    "class": re.compile(r"[^\x00-\x08\x0b\x0e-\x1f\x7f<>\"'&]{1,1000}"),
    "id": re.compile(r"[^\x00-\x20\x7f<>\"'&]{1,200}"),
    "dir": re.compile(r"ltr|rtl|auto", re.IGNORECASE),
    "lang": re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8}){0,4}"),
    "title": _TEXT,
    "align": _ALIGN,
    "hidden": _FLAG,
    "role": re.compile(r"presentation|none|img|heading|list|listitem|article|region|separator", re.IGNORECASE),
    "aria-hidden": re.compile(r"true|false"),
    "aria-label": _TEXT,
}
_CELL = {
    "abbr": _TEXT,
    "bgcolor": _COLOUR,
    "colspan": _SPAN,
    "height": _LENGTH,
    "nowrap": _FLAG,
    "rowspan": _SPAN,
    "scope": re.compile(r"row|col|rowgroup|colgroup", re.IGNORECASE),
    "valign": _ALIGN,
    "width": _LENGTH,
}
_ROW = {"bgcolor": _COLOUR, "valign": _ALIGN, "height": _LENGTH}
_COLUMN = {"span": _SPAN, "width": _LENGTH, "valign": _ALIGN}
_LIST = {"type": re.compile(r"[1aAiI]|disc|circle|square", re.IGNORECASE), "start": _COUNT, "reversed": _FLAG}
OF_TAG = {
    "br": {"clear": re.compile(r"left|right|all|none", re.IGNORECASE)},
    "col": _COLUMN,
    "colgroup": _COLUMN,
    "font": {
        "color": _COLOUR,
        "face": re.compile(r"[^\x00-\x1f\x7f<>\\;{}]{1,200}"),
        "size": re.compile(r"[+-]?[0-9]{1,2}"),
    },
    "hr": {"color": _COLOUR, "noshade": _FLAG, "size": _SPAN, "width": _LENGTH},
    "img": {
        "alt": _TEXT,
        "border": _SPAN,
        "height": _LENGTH,
        "hspace": _SPAN,
        "vspace": _SPAN,
        "width": _LENGTH,
    },
    "li": {"type": _LIST["type"], "value": _COUNT},
    "ol": _LIST,
    "table": {
        "bgcolor": _COLOUR,
        "border": _SPAN,
        "cellpadding": _SPAN,
        "cellspacing": _SPAN,
        "height": _LENGTH,
        "width": _LENGTH,
    },
    "tbody": _ROW,
    "td": _CELL,
    "tfoot": _ROW,
    "th": _CELL,
    "thead": _ROW,
    "tr": _ROW,
    "ul": {"type": _LIST["type"]},
}
"""Attribute to the form of its value, for each tag; beside them `style` anywhere, `href` of a and `src` of img."""

ALLOWED: dict[str, set[str]] = {tag: {*GLOBAL, "style", *OF_TAG.get(tag, ())} for tag in TAGS}
ALLOWED["a"].add("href")
ALLOWED["img"].add("src")

_BREAKS = re.compile(r"[\x00-\x1f\x7f]+")


def plain_value(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute that holds no URL and no CSS, None when it may not stay."""
    form = OF_TAG.get(tag, {}).get(name) or GLOBAL.get(name)
    if form is None:
        return None
    value = _BREAKS.sub(" ", value).strip()
    if form is _TEXT:
        value = value[:2000]
    return value if form.fullmatch(value) else None


def accepts(tag: str, name: str, value: str) -> bool:
    """True when a value is one that `plain_value` writes."""
    form = OF_TAG.get(tag, {}).get(name) or GLOBAL.get(name)
    return form is not None and form.fullmatch(value) is not None
