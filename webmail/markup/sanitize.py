"""The only door for foreign HTML: what comes out may be shown in the message frame.

Two passes, the second of which alone decides. The first (tokens, tree, elements, css, urls) reads the message in
bounded time, drops what may not stay, rewrites every URL and all CSS, and remembers each URL and style that it wrote.
The second, nh3, parses that text as a browser does, keeps allowed elements, and of URLs and styles only the ones
remembered; it serialises once, last. Nothing is edited afterwards.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import nh3

from webmail.markup.attributes import ALLOWED, TAGS, accepts
from webmail.markup.css import Css
from webmail.markup.elements import Elements
from webmail.markup.tokens import scan
from webmail.markup.tree import Tree
from webmail.markup.urls import ImageUrls, Remote, RemoteUrl
from webmail.stream_safe import stream_safe

HTML_LIMIT_CHARS = 2_000_000
LINK_REL = "noopener noreferrer nofollow"
LINK_TARGET = "_blank"

_SURROGATES = re.compile("[\ud800-\udfff]")


class SafeHtml(str):
    """HTML made here: the only type that templates may print unescaped. Any string operation gives a plain str."""

    __slots__ = ()

    def __html__(self) -> SafeHtml:
        return self


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A body that may be shown in the message frame.

    `html` is a fragment for <body>, `css` the text of the message's own style sheets for a <style> element (never with
    "<"), `dark_css` its rules for dark pages (its prefers-color-scheme rules, without that condition), `body` the
    attributes for <body>. `remote_count` counts remote images, blocked or sent through the proxy.
    `removed` has codes of what was left out: script, form, frame, object, svg, math, media, link, base, meta,
    template, event, url, css, css-limit, font, import, deep, truncated. `coloured`: it sets colours of its own;
    `dark`: it says that it also suits a dark page.
    """

    html: SafeHtml
    css: SafeHtml
    dark_css: SafeHtml
    body: tuple[tuple[str, str], ...]
    remote_count: int
    removed: tuple[str, ...]
    coloured: bool
    dark: bool


def sanitize(html: str, *, cid_urls: Mapping[str, str], remote: Remote, remote_url: RemoteUrl | None = None) -> Cleaned:
    """Cleans one HTML body. `cid_urls` maps a Content-ID without angle brackets to the address of that image;
    `remote_url` gives the proxy's address for a remote one (needed for "proxy"). Raises nothing, for any text, and takes
    a bounded time (under 2 s) for any length."""
    images = ImageUrls(cid_urls, remote, remote_url)
    css = Css(images)
    elements = Elements(images, css)
    tree = Tree(elements)
    for token in scan(_readable(html)):
        tree.feed(token)
        if tree.full:
            break
    sheets = css.sheet("\n".join(tree.sheets)) + elements.link_rules
    removed = tree.removed | elements.removed | css.removed
    if tree.full or len(html) > HTML_LIMIT_CHARS:
        removed.add("truncated")
    return Cleaned(
        html=SafeHtml(stream_safe(_serialise(tree.html(), elements, images))),
        css=_style_text(sheets),
        dark_css=_style_text(css.dark_rules),
        body=tuple(elements.body.items()),
        remote_count=images.remote_count,
        removed=tuple(sorted(removed)),
        coloured=elements.coloured or css.coloured,
        dark=elements.dark or css.dark,
    )


def _style_text(css: str) -> SafeHtml:
    """CSS for a <style> element. The writer never writes "<"; were that to fail, nothing is shown."""
    return SafeHtml("" if "<" in css else css)


def _readable(html: str) -> str:
    """The text up to the limit, without NULs and lone surrogates, which no parser below takes."""
    return _SURROGATES.sub("\ufffd", html[:HTML_LIMIT_CHARS].replace("\0", ""))


def _serialise(html: str, elements: Elements, images: ImageUrls) -> str:
    """The last pass."""
    _now.remembered = {"href": elements.hrefs, "src": images.issued, "style": elements.styles, **_SET_BY_NH3}
    try:
        return _CLEANER.clean(html)
    finally:
        del _now.remembered


def _keep(tag: str, name: str, value: str) -> str | None:
    """What becomes of an attribute; nh3 takes it away when this raises, as it does where nothing is being cleaned."""
    known = _now.remembered.get(name)
    return value if (value in known if known is not None else accepts(tag, name, value)) else None


_now = threading.local()
"""What the pass that a thread is at has written itself: `remembered`, by attribute."""
_SET_BY_NH3 = {"rel": {LINK_REL}, "target": {LINK_TARGET}}  # and filtered like the others
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=set(),
    attributes=ALLOWED,
    attribute_filter=_keep,
    set_tag_attribute_values={"a": {"target": LINK_TARGET}},
    link_rel=LINK_REL,
    url_schemes={"http", "https", "mailto", "tel", "data", "cid"},  # cid: in what is written, where it was asked for
    strip_comments=True,
)
"""Made once: that takes ten times as long as most messages do. `rel` is not among the allowed attributes and `style` not among
the tags: nh3 panics otherwise."""
