"""A plain text that says what an HTML text says: the other half of multipart/alternative (RFC 2046 section 5.1.4).

One pass over the tags, in linear time. No line is wrapped here: format=flowed does that when the message is written.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

HTML_LIMIT_CHARS = 2_000_000
TAGS_LIMIT = 150_000
DEPTH_LIMIT = 30
SIGNATURE = "-- "
"""The line above a signature: the one whose last space has a meaning (RFC 3676 section 4.3)."""

_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]{0,30}+)(?P<rest>(?:[^>"']|"[^"]*+"|'[^']*+')*+)>"""
    r"""|<[!?/][^>]*+>|(?P<sign><)(?=[^a-zA-Z!?/]|$)"""
)
_ANY_TAG = re.compile(r"<[^<>]*+>?+")
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]{1,30}+)\s{0,20}=\s{0,20}(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")
_SPACES = re.compile(r"[ \t\n\r\f]+")
_SILENT = frozenset({"style", "script", "title", "template", "textarea", "svg", "math", "object", "select"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"})
_LINES = _PARAGRAPHS | {
    *("address", "article", "aside", "body", "center", "dd", "div", "dt", "fieldset", "figcaption", "figure", "footer"),
    *("form", "header", "html", "li", "main", "nav", "section", "tbody", "thead", "tfoot", "tr", "caption"),
}
_LINK = re.compile(r"(?i)(?:https?|ftp|mailto|tel):[^\s<>]{1,2000}")


def text_of_html(html: str) -> str:
    """Readable plain text: paragraphs, lists with "* " or numbers, the cells of a table row beside each other, quotes
    after "> ", a link's address after its words, the words for an image. Styles, scripts and comments go. Line ends are
    \\n, no blank line at either end and no space at the end of a line, but in the one above a signature."""
    writer = _Writer()
    for kind, name, value in _tokens(html[:HTML_LIMIT_CHARS].replace("\r\n", "\n")):
        if kind == "text":
            writer.add(entities.unescape(value))
        elif kind == "start":
            _start(writer, name, value)
        else:
            _end(writer, name)
    return writer.finish()


def _tokens(html: str) -> Iterator[tuple[str, str, str]]:
    """("text", "", text), ("start", name, attributes), ("end", name, "")."""
    at = 0
    for _step in range(TAGS_LIMIT):
        if html.startswith("<!--", at):
            close = html.find("-->", at + 4)
            at = len(html) if close < 0 else close + 3
            continue
        opens = html.find("<", at)
        if opens != at:
            yield "text", "", html[at : len(html) if opens < 0 else opens]
        if opens < 0:
            return
        at = opens
        if html.startswith("<!--", at):
            continue
        match = _TAG.match(html, at)
        if match is None:
            yield "text", "", _ANY_TAG.sub(" ", html[at:])  # an open quote: what follows it is no longer parsed
            return
        at = match.end()
        if match["sign"]:
            yield "text", "", "&lt;"
        elif match["name"]:
            name = match["name"].lower()
            if name in _SILENT and not match["end"]:
                at = _after_element(html, name, at)
            else:
                yield "end" if match["end"] else "start", name, match["rest"]


def _after_element(html: str, name: str, at: int) -> int:
    close = re.compile(f"</{name}(?![a-z0-9-])", re.IGNORECASE).search(html, at)
    end = html.find(">", close.end()) if close else -1
    return len(html) if end < 0 else end + 1


@dataclass(slots=True)
class _List:
    """An open list: the number of its next item, 0 for one without numbers."""

    number: int


@dataclass(slots=True)
class _Writer:
    """The text so far. `line` is open; `blank` says that an empty line must stand before the next one,
    `fresh` that a quote or an item has just begun and wants none."""

    out: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    last: str = ""
    depth: int = 0
    lists: list[_List] = field(default_factory=list)
    bullet: str = ""
    blank: bool = False
    fresh: bool = False
    pre: int = 0
    tables: int = 0
    cells: int = 0
    href: str = ""
    link_at: int = -1

    def add(self, text: str) -> None:
        """Characters of the text; white space is one space, but in <pre>."""
        if self.pre:
            first, *others = text.split("\n")
            self._append(first)
            for piece in others:
                self.break_line()
                self._append(piece)
            return
        text = _SPACES.sub(" ", text)
        self._append(text.removeprefix(" ") if not self.line or self.last == " " else text)

    def _append(self, text: str) -> None:
        if text:
            self.line.append(text)
            self.last = text[-1]

    def break_line(self) -> None:
        """Ends the line, an empty one too."""
        text = "".join(self.line)
        self.line, self.last = [], ""
        text = SIGNATURE if text.replace("\xa0", " ") == SIGNATURE else text.rstrip(" ")
        if self.blank and self.out and not self.out[-1].endswith(SIGNATURE):
            self.out.append(self._margin(""))
        self.blank = self.fresh = False
        self.out.append(self._margin(text))
        self.link_at = -1

    def _margin(self, text: str) -> str:
        """The line with its quote marks, and inside a list with its bullet or the room for it."""
        marks = ">" * self.depth + (" " if self.depth and text else "")
        if text and self.lists:
            marks += "  " * (len(self.lists) - 1) + (self.bullet or "  ")
            self.bullet = ""
        elif text and not self.depth and not self.pre and text.startswith(">"):
            marks = " "
        return marks + text

    def end_line(self, *, blank: bool = False) -> None:
        """Ends the line if there is anything on it; `blank` asks for an empty line after it."""
        if "".join(self.line).strip(" "):
            self.break_line()
        self.line, self.last = [], ""
        self.blank = self.blank or (blank and not self.fresh)

    def end_quote(self) -> None:
        self.end_line()
        if self.depth and self.out:
            self.depth -= 1
            self.blank, self.fresh = True, False

    def finish(self) -> str:
        self.end_line()
        return "\n".join(self.out).strip("\n")


def _start(writer: _Writer, name: str, rest: str) -> None:
    if name == "br":
        writer.break_line()
    elif name == "hr":
        writer.end_line(blank=True)
        writer.add("-" * 40)
        writer.end_line(blank=True)
    elif name == "img":
        alt = " ".join(_attribute(rest, "alt").split())
        writer.add(f"[{alt}]" if alt else "")
    elif name == "a":
        writer.href, writer.link_at = _attribute(rest, "href").strip(), len(writer.line)
    elif name in {"td", "th"}:
        if writer.tables and writer.line:
            writer.add(" | " if writer.last != " " else "| ")
    elif name in _LINES:
        writer.end_line(blank=name in _PARAGRAPHS and not (name in {"ul", "ol"} and writer.lists))
        _open(writer, name, rest)


def _open(writer: _Writer, name: str, rest: str) -> None:
    if name == "blockquote" and writer.depth < DEPTH_LIMIT:
        if writer.blank and writer.out:
            writer.out.append(writer._margin(""))
        writer.blank, writer.fresh = False, True
        writer.depth += 1
    elif name in {"ul", "ol"} and len(writer.lists) < DEPTH_LIMIT:
        start = _attribute(rest, "start")
        first = int(start) if re.fullmatch(r"[0-9]{1,5}", start) else 1
        writer.lists.append(_List(first if name == "ol" else 0))
    elif name == "li" and writer.lists:
        number = writer.lists[-1].number
        writer.bullet, writer.fresh = f"{number}. " if number else "* ", True
        writer.lists[-1].number += bool(number)
    elif name == "pre":
        writer.pre += 1
    elif name == "table":
        writer.tables += 1


def _end(writer: _Writer, name: str) -> None:
    if name == "a":
        _end_link(writer)
    elif name == "blockquote":
        writer.end_quote()
    elif name in _LINES:
        writer.end_line()
        if name in {"ul", "ol"} and writer.lists:
            writer.lists.pop()
        elif name == "pre":
            writer.pre = max(0, writer.pre - 1)
        elif name == "table":
            writer.tables = max(0, writer.tables - 1)
        writer.blank = writer.blank or (name in _PARAGRAPHS and not writer.lists)


def _end_link(writer: _Writer) -> None:
    """The address after the words of a link, unless they say it already."""
    href, at = writer.href, writer.link_at
    writer.href = ""
    words = "".join(writer.line[at:] if at >= 0 else []).strip()
    shown = href.removeprefix("mailto:")
    if _LINK.fullmatch(href) and words.rstrip("/") not in {
        href.rstrip("/"),
        shown,
        href.partition("://")[2].rstrip("/"),
    }:
        writer.add(f"{' ' if words and writer.last != ' ' else ''}<{shown}>")


def _attribute(rest: str, name: str) -> str:
    for match in _ATTRIBUTE.finditer(rest):
        if match[1].lower() == name:
            return entities.unescape(match[2] or match[3] or match[4] or "")
    return ""
