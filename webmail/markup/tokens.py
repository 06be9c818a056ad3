"""HTML text to tokens, in linear time and within fixed budgets (HTML standard section 13.2.5, without its errors).

This is not where safety comes from: what is made of these tokens is parsed again and allow-listed by nh3, last. It is
where cost is bounded. The trees that the standard's algorithm builds take quadratic time on hostile input, so depth,
tags and attributes have to be counted before any real parser sees them.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_MARKUP = 150_000
"""Tags, comments and declarations read from one body."""
MAX_ATTRIBUTES = 200_000
MAX_ATTRIBUTES_OF_A_TAG = 100
MAX_VALUE_CHARS = 1_500_000

RAW_TEXT = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"})
"""Elements whose content is not markup. `noscript` is not here: with scripts off its content is shown."""

_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_NAME = re.compile(r"[a-zA-Z][^ \t\n\f\r/>]*+")
_ATTRIBUTE = re.compile(
    r"""[ \t\n\f\r/]*+([^ \t\n\f\r/>][^ \t\n\f\r/>=]*+)"""
    r"""(?:[ \t\n\f\r]*+=[ \t\n\f\r]*+(?:"([^"]*+)"|'([^']*+)'|(?!["'])([^ \t\n\f\r>]*+)|(["'])))?+"""
)
_GAP = re.compile(r"[ \t\n\f\r/]*+")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#([0-9]+);?|#[xX]([0-9a-fA-F]+);?|([a-zA-Z][a-zA-Z0-9]{1,31}+)(;|(?![=a-zA-Z0-9])))")
_RAW_END = {name: re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE) for name in RAW_TEXT}


class Text(NamedTuple):
    """Characters between tags, references not decoded; may hold a stray "<"."""

    raw: str


class Start(NamedTuple):
    """A start tag; attribute names in lower case, values decoded, the first of a name wins."""

    name: str
    attributes: dict[str, str]
    closed: bool


class End(NamedTuple):
    """An end tag."""

    name: str


class Raw(NamedTuple):
    """A raw text element with its whole content."""

    name: str
    attributes: dict[str, str]
    text: str


class OverBudget(NamedTuple):
    """Stands last when a budget was used up: the rest was not read."""


Token = Text | Start | End | Raw | OverBudget


def scan(html: str) -> Iterator[Token]:
    """The tokens of an HTML text. Comments, doctypes and processing instructions are left out, and an unfinished
    construct swallows the rest, as in a browser."""
    position, attributes_left = 0, MAX_ATTRIBUTES
    for _step in range(MAX_MARKUP):
        found = _MARKUP.search(html, position)
        if found is None:
            if position < len(html):
                yield Text(html[position:])
            return
        if found.start() > position:
            yield Text(html[position : found.start()])
        token, position = _read_markup(html, found.start())
        if token is not None:
            yield token
        if isinstance(token, Start | Raw):
            attributes_left -= len(token.attributes)
        if attributes_left < 0:
            break
    if position < len(html):
        yield OverBudget()


def _read_markup(html: str, start: int) -> tuple[Token | None, int]:
    """What begins with the "<" at `start`, and where the text goes on."""
    name = _NAME.match(html, start + 1)
    if name:
        return _read_start(html, name)
    if html.startswith("<!--", start):
        return None, _after_comment(html, start + 4)
    if html.startswith("</", start):
        name = _NAME.match(html, start + 2)
        close = _after(html, ">", start)
        return (End(name[0].lower()) if name and close <= len(html) else None), close
    return None, _after(html, ">", start)


def _after_comment(html: str, start: int) -> int:
    for short in (">", "->"):
        if html.startswith(short, start):
            return start + len(short)
    end = _COMMENT_END.search(html, start)
    return end.end() if end else len(html)


def _after(html: str, mark: str, start: int) -> int:
    found = html.find(mark, start)
    return len(html) if found < 0 else found + len(mark)


def _read_start(html: str, match: re.Match[str]) -> tuple[Token | None, int]:
    name = match[0].lower()
    attributes, position = _read_attributes(html, match.end())
    if position >= len(html):
        return None, len(html)
    closed = html[position - 1] == "/"
    position += 1
    if name not in RAW_TEXT:
        return Start(name, attributes, closed), position
    end = _RAW_END[name].search(html, position) if name != "plaintext" else None
    text = html[position : end.start() if end else len(html)]
    return Raw(name, attributes, text), _after(html, ">", end.end()) if end else len(html)


def _read_attributes(html: str, position: int) -> tuple[dict[str, str], int]:
    """The attributes from `position` on, and the position of the closing ">" (the end of the text when there is none)."""
    attributes: dict[str, str] = {}
    for _step in range(MAX_ATTRIBUTES_OF_A_TAG):
        match = _ATTRIBUTE.match(html, position)
        if match is None:
            break
        if match[5]:
            return attributes, len(html)
        position = match.end()
        value = match[2] or match[3] or match[4] or ""
        attributes.setdefault(match[1].lower(), decode_attribute(value))
    else:
        found = html.find(">", position)
        return attributes, len(html) if found < 0 else found
    gap = _GAP.match(html, position)
    return attributes, gap.end() if gap else position


def decode_attribute(value: str) -> str:
    """Resolves character references as in an attribute: one without ";" stays when a letter, digit or "=" follows."""
    if "&" not in value:
        return value[:MAX_VALUE_CHARS]
    return _REFERENCE.sub(_resolve, value[:MAX_VALUE_CHARS])


def _resolve(match: re.Match[str]) -> str:
    decimal, hexadecimal, name, _end = match.groups()
    if name:
        return entities.unescape(match[0])
    digits = (decimal or hexadecimal).lstrip("0")[:8] or "0"
    number = int(digits, 10 if decimal else 16)
    return entities.unescape(f"&#{number};") if number < 0x110000 else "\ufffd"
