"""One start tag at a time: which element it becomes, with which attributes, before the tree is built."""

from __future__ import annotations

import re
from html import escape

from webmail.markup.attributes import TAGS, plain_value
from webmail.markup.css import Css, css_url
from webmail.markup.tokens import Start
from webmail.markup.urls import ImageUrls, clean_link

GONE = {
    "applet": "object",
    "audio": "media",
    "base": "base",
    "button": "form",
    "embed": "object",
    "fieldset": "form",
    "form": "form",
    "frame": "frame",
    "frameset": "frame",
    "iframe": "frame",
    "input": "form",
    "link": "link",
    "math": "math",
    "object": "object",
    "option": "form",
    "script": "script",
    "select": "form",
    "svg": "svg",
    "template": "template",
    "textarea": "form",
    "video": "media",
}
"""Elements that are told about when they are removed, and the code that tells it."""

DROPPED_WITH_CONTENT = frozenset({"svg", "math", "template", "select", "datalist"})
_BARE_HEX = re.compile(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}")
_COLOURED = frozenset({"bgcolor", "color"})
_BACKGROUND = frozenset({"body", "html", "table", "tbody", "thead", "tfoot", "tr", "td", "th"})
_URL_ATTRIBUTES = frozenset({"action", "background", "cite", "codebase", "data", "dynsrc", "formaction", "longdesc"})
_URL_ATTRIBUTES |= {"lowsrc", "ping", "poster", "profile", "src", "srcset", "usemap", "xlink:href"}


class Elements:
    """Rewrites start tags. `hrefs`, `styles` and the images' `issued` hold every URL and style that it wrote; nothing
    else may be in the result. `body` gathers the attributes of html and body."""

    def __init__(self, images: ImageUrls, css: Css) -> None:
        self._images = images
        self._css = css
        self.hrefs: set[str] = set()
        self.styles: set[str] = set()
        self.body: dict[str, str] = {}
        self.link_rules = ""
        self.removed: set[str] = set()
        self.coloured = False
        self.dark = False

    def write(self, token: Start) -> str | None:
        """The start tag to write, None when the element is not allowed (its content may still be)."""
        name = token.name
        if name in TAGS:
            return self._tag(name, self._attributes(name, token.attributes))
        if name in GONE:
            self.removed.add(GONE[name])
        elif name in {"body", "html"}:
            self._take_body(token.attributes)
        elif name == "meta":
            self._take_meta(token.attributes)
        return None

    def _tag(self, name: str, attributes: dict[str, str]) -> str:
        written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
        return f"<{name}{written}>"

    def _attributes(self, name: str, attributes: dict[str, str]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for key, value in attributes.items():
            clean = plain_value(name, key, value)
            if clean is not None:
                kept[key] = clean
                self.coloured = self.coloured or key in _COLOURED
            elif key.startswith("on"):
                self.removed.add("event")
        if name == "a":
            self._take_href(attributes, kept)
        if name == "img":
            self._take_src(attributes, kept)
        self._note_urls(name, attributes)
        style = self._style(name, attributes)
        if style:
            kept["style"] = style
            self.styles.add(style)
        return kept

    def _take_href(self, attributes: dict[str, str], kept: dict[str, str]) -> None:
        href = clean_link(attributes.get("href", ""))
        if href:
            kept["href"] = href
            self.hrefs.add(href)
        elif attributes.get("href", "").strip().lower().startswith(("javascript:", "vbscript:", "data:")):
            self.removed.add("url")

    def _take_src(self, attributes: dict[str, str], kept: dict[str, str]) -> None:
        before = self._images.remote_count
        source = self._images.resolve(attributes.get("src", ""))
        if source:
            kept["src"] = source
        elif self._images.remote_count == before and attributes.get("src", ""):
            self.removed.add("url")

    def _note_urls(self, name: str, attributes: dict[str, str]) -> None:
        """Remembers that URL attributes were dropped, but for the two that have been read."""
        read = {"src"} if name == "img" else {"background"} if name in _BACKGROUND else set()
        if any(key in _URL_ATTRIBUTES and key not in read for key in attributes):
            self.removed.add("url")

    def _style(self, name: str, attributes: dict[str, str]) -> str:
        """The style attribute's declarations, and a background attribute turned into one."""
        style = self._css.declarations(attributes["style"]) if attributes.get("style") else ""
        if name in _BACKGROUND and attributes.get("background"):
            found = self._images.resolve(attributes["background"])
            if found:
                image = f"background-image:{css_url(found)}"
                style = f"{image};{style}" if style else image
        return style

    def _take_body(self, attributes: dict[str, str]) -> None:
        """Gathers what html and body say about the whole page (HTML standard section 15.3.5)."""
        for key in ("class", "id", "dir", "lang"):
            clean = plain_value("div", key, attributes.get(key, ""))
            if clean:
                self.body.setdefault(key, clean)
        rules = [self._colour("background-color", attributes, "bgcolor"), self._colour("color", attributes, "text")]
        rules += [self.body.get("style", ""), self._style("body", attributes)]
        style = ";".join(rule for rule in rules if rule)
        if style:
            self.body["style"] = style
        link = self._colour("color", attributes, "link")
        if link:
            self.link_rules = f"a:link,a:visited{{{link}}}\n"

    def _colour(self, name: str, attributes: dict[str, str], key: str) -> str:
        value = plain_value("td", "bgcolor", attributes.get(key, ""))
        if not value:
            return ""
        mark = "#" if _BARE_HEX.fullmatch(value) else ""
        return self._css.declarations(f"{name}:{mark}{value}")

    def _take_meta(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "").lower()
        if name in {"color-scheme", "supported-color-schemes"} and "dark" in attributes.get("content", "").lower():
            self.dark = True
        if "http-equiv" in attributes:
            self.removed.add("meta")
