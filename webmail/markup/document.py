"""The document of the message frame: our base style, the message's own style, its body; and the frame's policy.

Light and dark. Mail is designed for white paper: most messages set some colours and take the rest for granted, so a
dark page under them makes text vanish. Three cases, told apart by `Cleaned`:
- it sets colours and does not declare dark support: white paper with dark text, in the dark theme too. A mere
  prefers-color-scheme rule is no declaration: such messages often restyle only a part of themselves;
- it declares that it suits dark (meta color-scheme, or the property): it gets the scheme of the page around it, and its
  own rules for dark do the rest;
- it sets no colour at all: text and links take the scheme of the page around it, on a transparent ground.
A frame without our origin's rights follows the system's scheme, whatever `color-scheme` the <iframe> has (seen in
Chromium 156). So a theme chosen by hand has to be told to `render_document`, and the message's prefers-color-scheme
rules have been taken apart by the sanitiser: they are written for the theme that is shown.

Height. The frame may tell its height to the page (CSS Sizing 4 section 5.3: the meta responsive-embedded-sizing), so
`frame-sizing: content-block-size` on the <iframe> makes it as high as its content when it has loaded. Works without
scripts and in a sandbox since Chromium 154; elsewhere `estimate_height` stands in. Any origin may be told, because
frame-ancestors lets only our own embed it.
"""

from __future__ import annotations

import re
from html import escape
from typing import Literal

from webmail.markup.sanitize import Cleaned, SafeHtml

Theme = Literal["system", "light", "dark"]
Paper = Literal["auto", "light", "dark"]

BASE_CSS = """
:root{background:#fff;color:#1b2230;font:15px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
color-scheme:light;-webkit-text-size-adjust:100%;text-size-adjust:100%;overflow-wrap:anywhere;word-break:normal}
:root[data-paper=auto]{color-scheme:light dark}
:root[data-paper=dark]{color-scheme:dark}
:root:not([data-paper=light]){background:transparent;color:light-dark(#1b2230,#e3e7ee)}
body{margin:0;padding:16px;box-sizing:border-box;position:relative;min-width:0;min-height:100vh}
:root:not([data-paper=light]) a{color:light-dark(#1d4ea3,#9dbdf5)}
img{max-width:100%;height:auto}
img:not([src]){display:inline-block;box-sizing:border-box;max-width:100%;min-height:1.6em;padding:0 6px;overflow:hidden;
vertical-align:middle;font-size:12px;line-height:1.6;color:#5a6475;background:rgb(128 136 150 / .14);border-radius:2px}
img:not([src]):not([alt]),img:not([src])[alt=""]{padding:0;min-height:0}
table{max-width:100%}
td,th{overflow-wrap:break-word}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
blockquote{margin:0 0 0 2px;padding:0 0 0 12px;border-inline-start:2px solid rgb(128 136 150 / .45)}
p{margin:0 0 1em}
"""
"""Sits before the message's own rules, so that these win at equal weight."""

ROW_PX = 24
CHARS_PER_LINE = 95
MIN_HEIGHT_PX = 80
MAX_HEIGHT_PX = 20_000

_TAG = re.compile(r"<[^>]*>")
_LINES = re.compile(r"<(p|div|li|br|h[1-6]|tr|blockquote|pre|hr|dt|dd)\b")
_IMAGE = re.compile(r"<img\b[^>]*>")
_HEIGHT = re.compile(r'\sheight="([0-9]{1,5})|[;"]\s*height:([0-9]{1,5})px')
_SPACE = re.compile(r"[;\"](?:padding|margin)(?:-top|-bottom)?:([0-9]{1,3})(?:px|pt)")
_BELOW = {"p": 15, "h1": 40, "h2": 34, "h3": 28, "ul": 15, "ol": 15, "hr": 16}
"""Space that a browser leaves around these beside their line, in px."""
_SOURCE = re.compile(r"[^\s;,'\"]+")


def render_document(
    cleaned: Cleaned, *, base_css: str = BASE_CSS, lang: str, title: str, theme: Theme = "system"
) -> SafeHtml:
    """The whole HTML document for the sandboxed frame. `base_css` is our own and trusted. `theme` is the page's: "system"
    follows the browser."""
    paper = _paper(cleaned, theme)
    scheme = "light dark" if paper == "auto" else paper
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in cleaned.body)
    return SafeHtml(
        f'<!doctype html>\n<html lang="{escape(lang)}" data-paper="{paper}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="{scheme}"><meta name="referrer" content="no-referrer">'
        '<meta name="responsive-embedded-sizing" content="allow-origins=*">'
        f"<title>{escape(title)}</title><style>{base_css}</style><style>{cleaned.css}{_dark_css(cleaned, paper)}</style>"
        f"</head><body{attributes}>{cleaned.html}</body></html>\n"
    )


def _paper(cleaned: Cleaned, theme: Theme) -> Paper:
    """What the message stands on: white paper, or the ground of the page around it, light or dark as the theme is."""
    if theme == "light" or (cleaned.coloured and not cleaned.dark):
        return "light"
    return "dark" if theme == "dark" else "auto"


def _dark_css(cleaned: Cleaned, paper: Paper) -> str:
    if paper == "light" or not cleaned.dark_css:
        return ""
    return cleaned.dark_css if paper == "dark" else f"@media (prefers-color-scheme:dark){{{cleaned.dark_css}}}"


def frame_csp(*, images: str) -> str:
    """The Content-Security-Policy of the frame's response. `images` is one source expression: an origin or the address
    below which our images are. Raises ValueError for anything that would be more than that."""
    if not _SOURCE.fullmatch(images):
        raise ValueError(images)
    return (
        f"default-src 'none'; img-src {images} data:; style-src 'unsafe-inline'; font-src 'none'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    )


def estimate_height(body: Cleaned | str) -> int:
    """About how many CSS pixels high a cleaned body is at a width of 680: lines of text, images and the space around them.
    Columns side by side count one below the other, so it is rather too high; always within the two limits."""
    html = body.html if isinstance(body, Cleaned) else body
    pieces = _LINES.split(html)
    height = 40 + _text_px("", pieces[0])
    for tag, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        height += _text_px(tag, piece.partition(">")[2])
    height += sum(_image_px(tag) for tag in _IMAGE.findall(html))
    height += sum(min(int(px), 64) for px in _SPACE.findall(html))
    return max(MIN_HEIGHT_PX, min(height, MAX_HEIGHT_PX))


def _text_px(tag: str, piece: str) -> int:
    text = _TAG.sub("", piece).strip()
    if not text:
        return ROW_PX if tag == "br" else 0
    rows = text.count("\n") if "<pre" in piece or tag == "pre" else len(text) // CHARS_PER_LINE
    return (1 + rows) * ROW_PX + _BELOW.get(tag, 0)


def _image_px(tag: str) -> int:
    """An image's height; one that has an address but tells no height counts for 160."""
    match = _HEIGHT.search(tag)
    if match:
        return min(int(match[1] or match[2]), 2_000)
    return 160 if " src=" in tag else 0
