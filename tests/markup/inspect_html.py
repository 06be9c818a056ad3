"""Looks at a finished document with another parser, and tells everything in it that must not be there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tinycss2
from selectolax.lexbor import LexborHTMLParser, LexborNode

OURS = re.compile(r"/mail/(?:part|proxy)/[\w%.~:/?=&@-]*")
RASTER = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp|bmp|avif);base64,[A-Za-z0-9+/]+={0,2}")
LINK = re.compile(r"(?:https?://[^\s/?#@\\<>\"']+(?:[/?#][^\s<>\"'\\]*)?|mailto:[^\s<>\"']+|tel:[^\s<>\"']+)")
REL = "noopener noreferrer nofollow"
TAGS = frozenset(
    """html head title meta style body a abbr acronym address article aside b bdi bdo big blockquote br caption center cite
    code col colgroup dd del dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i
    img ins kbd li main mark nav nobr ol p pre q rp rt ruby s samp section small span strike strong sub sup table
    tbody td tfoot th thead time tr tt u ul var wbr""".split()  # noqa: SIM905
)
ATTRIBUTES = frozenset(
    """class id dir lang title align hidden role aria-hidden aria-label abbr bgcolor colspan height nowrap rowspan scope
    valign width span type start reversed clear color face size noshade alt border hspace vspace value cellpadding
    cellspacing style href src target rel""".split()  # noqa: SIM905
)


def faults(document: str) -> list[str]:
    """Codes of what is wrong with a document from `render_document`; [] when nothing is."""
    tree = LexborHTMLParser(document)
    found: list[str] = []
    for node in tree.root.traverse(include_text=False):
        found += _node_faults(node)
    metas = [node.attributes for node in tree.css("meta")]
    if [set(meta) - {"name", "content", "charset"} for meta in metas] != [set()] * 5:
        found.append(f"meta {metas}")
    if len(tree.css("style")) != 2 or len(tree.css("html > head, html > body")) != 2:
        found.append("shape of the document")
    return found


def _node_faults(node: LexborNode) -> Iterator[str]:
    tag = node.tag or ""
    if tag == "a" and (node.attributes.get("target"), node.attributes.get("rel")) != ("_blank", REL):
        yield "a link that would open in the frame"
    if tag == "-comment":
        yield "comment"
        return
    if tag.startswith(("-", "!")):
        return
    if tag not in TAGS:
        yield f"<{tag}>"
    if tag == "style":
        yield from _css_faults(node.text(deep=True), sheet=True)
    for name, value in node.attributes.items():
        if tag not in {"html", "meta"}:
            yield from _attribute_faults(tag, name, value or "")


def _attribute_faults(tag: str, name: str, value: str) -> Iterator[str]:
    if name not in ATTRIBUTES:
        yield f"{tag} {name}={value!r}"
    elif name == "href" and not (tag == "a" and LINK.fullmatch(value)):
        yield f"href {value!r}"
    elif name == "src" and not (tag == "img" and allowed_image(value)):
        yield f"src {value!r}"
    elif name == "target" and value != "_blank":
        yield f"target {value!r}"
    elif name == "rel" and value != REL:
        yield f"rel {value!r}"
    elif name == "style":
        yield from _css_faults(value, sheet=False)


def allowed_image(url: str) -> bool:
    return bool(OURS.fullmatch(url) or RASTER.fullmatch(url))


def _css_faults(css: str, *, sheet: bool) -> Iterator[str]:
    if "<" in css or "\\" in css or "*/" in css:
        yield f"css text {css!r}"
    nodes = tinycss2.parse_stylesheet(css) if sheet else tinycss2.parse_blocks_contents(css)
    yield from _token_faults(nodes)


def _token_faults(nodes: list[object]) -> Iterator[str]:
    for node in nodes:
        kind = getattr(node, "type", "")
        if kind == "error":
            yield f"css error {node}"
        if kind == "at-rule" and node.lower_at_keyword != "media":  # type: ignore[attr-defined]
            yield f"@{node.lower_at_keyword}"  # type: ignore[attr-defined]
        if kind == "url" and not allowed_image(node.value):  # type: ignore[attr-defined]
            yield f"css url {node.value!r}"  # type: ignore[attr-defined]
        if kind == "function":
            yield from _function_faults(node)
        if kind == "declaration":
            yield from _declaration_faults(node)
        for part in ("prelude", "content", "value", "arguments"):
            inner = getattr(node, part, None)
            if isinstance(inner, list):
                yield from _token_faults(inner)


def _function_faults(node: object) -> Iterator[str]:
    name = node.lower_name  # type: ignore[attr-defined]
    if name == "url":
        words = [part.value for part in node.arguments if part.type == "string"]  # type: ignore[attr-defined]
        if len(words) != 1 or not allowed_image(words[0]):
            yield f"css url {words}"
    elif name in {
        "var",
        "env",
        "attr",
        "expression",
        "image-set",
        "-webkit-image-set",
        "image",
        "element",
        "src",
        "if",
    }:
        yield f"css {name}()"


def _declaration_faults(node: object) -> Iterator[str]:
    name = node.lower_name  # type: ignore[attr-defined]
    value = tinycss2.serialize(node.value).lower()  # type: ignore[attr-defined]
    if name.startswith("--") or name in {
        "behavior",
        "-moz-binding",
        "content",
        "mask",
        "filter",
        "clip-path",
        "animation",
    }:
        yield f"css {name}"
    if name == "position" and ("fixed" in value or "sticky" in value):
        yield f"css {name}:{value}"
