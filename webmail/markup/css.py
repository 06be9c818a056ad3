"""Foreign CSS to safe CSS: parsed by tinycss2, allowed properties and value types only, written anew from tokens.

No url() but those that `ImageUrls` gave; no @import, @font-face, custom properties or var(), `content`, `behavior`,
position fixed or sticky. No color-scheme either: it is noticed, and the frame decides. What is written holds no "<" and
no backslash, so that it cannot end its <style> element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import tinycss2

from webmail.markup.css_words import (
    COLOURS,
    FUNCTIONS,
    NO_COLOUR,
    ONLY,
    PROPERTIES,
    PSEUDO_FUNCTIONS,
    WITH_STRING,
    WITH_URL,
)
from webmail.markup.urls import ImageUrls

CSS_LIMIT_BYTES = 320 * 1024
"""Characters of CSS parsed for one body; equal style attributes count once."""
MAX_RULES = 4_000
MAX_MEDIA_DEPTH = 2
MAX_FUNCTION_DEPTH = 5
MAX_TOKENS = 200
"""Tokens of one value or selector."""
KEPT_SHEET_CHARS, KEPT_SHEETS = 20_000, 200
KEPT_ATTRIBUTE_CHARS, KEPT_ATTRIBUTES = 300, 5_000
"""Sheets and style attributes that a process remembers, 8 MB and 5 MB at most."""

_IDENT = re.compile(r"-{0,2}[^\W\d][\w-]{0,80}|-[^\W\d][\w-]{0,80}")
_CLASS = re.compile(r"[\w-]{1,200}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?:[eE][+-]?[0-9]{1,2})?")
_UNIT = re.compile(r"[a-zA-Z]{1,6}")
_HASH = re.compile(r"[0-9a-zA-Z]{1,8}")
_STRING = re.compile(r"[^\x00-\x1f\x7f\"'<>\\{}\u2028\u2029]{0,200}")
_POSITION = re.compile(r"[0-9nN+\- ]{1,20}")
_SCHEME = re.compile(r"(?:(?:only )?screen and )?\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_MEDIA_WORD = re.compile(r"[a-zA-Z-]{1,40}")


class Seen(NamedTuple):
    """What a text of CSS came to: the same letters bring the same sheets again and again."""

    clean: str
    removed: frozenset[str]
    coloured: bool
    dark: bool
    dark_rules: str
    rules: int


class Rejected(Exception):
    """This value, selector or condition is not one that we write."""


class Css:
    """Cleans all the CSS of one body. `removed` has codes of what was left out; the other fields tell what it does."""

    def __init__(self, images: ImageUrls) -> None:
        self._images = images
        self._left = CSS_LIMIT_BYTES
        self._rules_left = MAX_RULES
        self._cache: dict[str, tuple[str, int]] = {}
        self.removed: set[str] = set()
        self.coloured = False
        self.dark = False
        self.dark_rules = ""

    def declarations(self, text: str) -> str:
        """A style attribute's content, cleaned; "" when nothing is left."""
        if text in self._cache:
            clean, remote = self._cache[text]
            self._images.remote_count += remote
            return clean
        if not self._take(text):
            return ""
        before = self._images.remote_count
        if len(text) <= KEPT_ATTRIBUTE_CHARS and _is_plain(text):
            clean = self._learn(_kept_block(text))
        else:
            clean = self._block(_parse_block(text))
        self._cache[text] = (clean, self._images.remote_count - before)
        return clean

    def sheet(self, text: str) -> str:
        """A style sheet, cleaned: style rules and @media."""
        left = max(0, self._left)
        if len(text) > left:
            self.removed.add("css-limit")
            text = text[: text.rfind("}", 0, left) + 1]
        if len(text) <= KEPT_SHEET_CHARS and self._rules_left == MAX_RULES and _is_plain(text):
            return self._learn(_kept_sheet(text))
        return self._rules(_parse_sheet(text), 0)

    def _learn(self, seen: Seen) -> str:
        """Takes over what was found out about a text before."""
        self.removed |= seen.removed
        self.coloured |= seen.coloured
        self.dark |= seen.dark
        self.dark_rules += seen.dark_rules
        self._rules_left -= seen.rules
        return seen.clean

    def seen(self, clean: str) -> Seen:
        """What became of the one text that this was given."""
        rules = MAX_RULES - self._rules_left
        return Seen(clean, frozenset(self.removed), self.coloured, self.dark, self.dark_rules, rules)

    def _take(self, text: str) -> bool:
        """True while there is budget to parse this text."""
        self._left -= len(text) + 8
        if self._left < 0:
            self.removed.add("css-limit")
        return self._left >= 0

    def _rules(self, nodes: Iterable[Any], depth: int) -> str:
        written: list[str] = []
        for node in nodes:
            if self._rules_left <= 0:
                self.removed.add("css-limit")
                break
            self._rules_left -= 1
            if node.type == "qualified-rule":
                written.append(self._style_rule(node))
            elif node.type == "at-rule":
                written.append(self._at_rule(node, depth))
        return "".join(written)

    def _style_rule(self, node: Any) -> str:
        try:
            selector = _selector(node.prelude)
        except Rejected:
            self.removed.add("css")
            return ""
        block = self._block(_parse_block(node.content))
        return f"{selector}{{{block}}}\n" if selector and block else ""

    def _at_rule(self, node: Any, depth: int) -> str:
        if node.lower_at_keyword != "media" or node.content is None or depth >= MAX_MEDIA_DEPTH:
            self.removed.add({"font-face": "font", "import": "import"}.get(node.lower_at_keyword, "css"))
            return ""
        try:
            condition = _media(node.prelude)
        except Rejected:
            self.removed.add("css")
            return ""
        content = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
        rules = self._rules(content, depth + 1)
        if "prefers-color-scheme" in condition.lower():
            return self._scheme_rules(condition, rules, depth)
        return f"@media {condition}{{{rules}}}\n" if rules else ""

    def _scheme_rules(self, condition: str, rules: str, depth: int) -> str:
        """Rules for light pages are written without their condition, those for dark ones put aside; the theme decides
        about them, not the system. A condition that asks for more than the scheme is given up."""
        scheme = _SCHEME.fullmatch(condition)
        if scheme is None or depth:
            self.removed.add("css")
            return ""
        if scheme[1].lower() == "light":
            return rules
        self.dark_rules += rules
        return ""

    def _block(self, nodes: Iterable[Any]) -> str:
        written: list[str] = []
        for node in nodes:
            if node.type != "declaration" or node.lower_name not in PROPERTIES:
                continue
            try:
                value = self._value(node.lower_name, node.value)
            except Rejected:
                self.removed.add("css")
                continue
            self._notice(node.lower_name, value)
            if value and node.lower_name != "color-scheme":
                written.append(f"{node.lower_name}:{value}{'!important' if node.important else ''}")
        return ";".join(written)

    def _notice(self, name: str, value: str) -> None:
        if name in COLOURS and value and value.lower() not in NO_COLOUR:
            self.coloured = True
        if name == "color-scheme" and "dark" in value.lower():
            self.dark = True

    def _value(self, name: str, tokens: list[Any]) -> str:
        if len(tokens) > MAX_TOKENS:
            raise Rejected
        value = "".join(self._token(name, token, 0) for token in tokens).strip()
        allowed = ONLY.get(name)
        if allowed and not allowed.issuperset(value.lower().split()):
            raise Rejected
        return value

    def _token(self, name: str, token: Any, depth: int) -> str:
        kind = token.type
        if kind == "url":
            return self._url(name, token.value)
        if kind == "function":
            return self._function(name, token, depth)
        if kind == "string" and name in WITH_STRING:
            return f'"{_match(_STRING, token.value)}"'
        if kind == "() block" and depth:
            return f"({self._arguments(name, token.content, depth)})"
        return _plain(token, in_function=depth > 0)

    def _function(self, name: str, token: Any, depth: int) -> str:
        if token.lower_name == "url":
            strings = [part for part in token.arguments if part.type not in {"whitespace", "comment"}]
            if len(strings) != 1 or strings[0].type != "string":
                raise Rejected
            return self._url(name, strings[0].value)
        if token.lower_name not in FUNCTIONS or depth >= MAX_FUNCTION_DEPTH:
            raise Rejected
        return f"{token.lower_name}({self._arguments(name, token.arguments, depth)})"

    def _arguments(self, name: str, tokens: list[Any], depth: int) -> str:
        if len(tokens) > MAX_TOKENS or depth >= MAX_FUNCTION_DEPTH:
            raise Rejected
        return "".join(self._token(name, part, depth + 1) for part in tokens)

    def _url(self, name: str, raw: str) -> str:
        """The url() that may be loaded, else the keyword none, so that the rest of the value stands."""
        if name not in WITH_URL:
            raise Rejected
        found = self._images.resolve(raw)
        return css_url(found) if found else "none"


def _is_plain(text: str) -> bool:
    """Whether a text means the same in every body: it names no address, not even in escapes."""
    return "\\" not in text and "url" not in text.lower()


def _parse_block(text: Any) -> list[Any]:
    return list(tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True))


def _parse_sheet(text: str) -> list[Any]:
    return list(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))


@lru_cache(maxsize=KEPT_ATTRIBUTES)
def _kept_block(text: str) -> Seen:
    css = Css(ImageUrls({}, "block", None))
    return css.seen(css._block(_parse_block(text)))


@lru_cache(maxsize=KEPT_SHEETS)
def _kept_sheet(text: str) -> Seen:
    css = Css(ImageUrls({}, "block", None))
    return css.seen(css._rules(_parse_sheet(text), 0))


def css_url(url: str) -> str:
    """A url() of an address given by `ImageUrls`, whose characters need no escape but for these."""
    for char in "\"'()\\<> \n\r\f":
        url = url.replace(char, f"%{ord(char):02X}")
    return f'url("{url}")'


def _match(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise Rejected
    return text


def _plain(token: Any, *, in_function: bool) -> str:
    """A token without parts, written from its meaning (escapes are gone)."""
    kind = token.type
    if kind in {"whitespace", "comment"}:
        return " "
    if kind == "ident":
        return _match(_IDENT, token.value)
    if kind in {"number", "percentage", "dimension"}:
        unit = {"number": "", "percentage": "%"}.get(kind)
        return _match(_NUMBER, token.representation) + (_match(_UNIT, token.unit) if unit is None else unit)
    if kind == "hash":
        return "#" + _match(_HASH, token.value)
    if kind == "literal" and (token.value in {",", "/"} or (in_function and token.value in {"+", "-", "*"})):
        return str(token.value)
    raise Rejected


def _selector(tokens: list[Any], depth: int = 0) -> str:
    if len(tokens) > MAX_TOKENS or depth > 2:
        raise Rejected
    return "".join(_selector_token(token, depth) for token in tokens).strip()


def _selector_token(token: Any, depth: int) -> str:
    kind = token.type
    if kind in {"whitespace", "comment"}:
        return " "
    if kind == "ident":
        if token.lower_value == "scope":  # :scope would be the sheet around the message where it is printed
            raise Rejected
        return _match(_CLASS, token.value)
    if kind == "hash":
        return "#" + _match(_CLASS, token.value)
    if kind == "literal" and token.value in {",", ".", ">", "+", "~", "*", ":"}:
        return str(token.value)
    if kind == "[] block":
        return f"[{''.join(_attribute_token(part) for part in token.content)}]"
    if kind == "function" and token.lower_name in PSEUDO_FUNCTIONS:
        return f"{token.lower_name}({_selector_arguments(token.arguments, depth)})"
    raise Rejected


def _selector_arguments(tokens: list[Any], depth: int) -> str:
    """What stands in the brackets of a pseudo-class: a position ("2n + 1", Selectors 4 section 14), or selectors."""
    words = [getattr(part, "representation", "") + getattr(part, "unit", "") for part in tokens]
    if len(tokens) <= 8 and any(words):
        text = "".join(word or str(getattr(part, "value", "\\")) for word, part in zip(words, tokens, strict=True))
        return _match(_POSITION, text)
    return _selector(tokens, depth + 1)


def _attribute_token(token: Any) -> str:
    if token.type == "ident":
        return _match(_CLASS, token.value)
    if token.type == "string":
        return f'"{_match(_STRING, token.value)}"'
    if token.type == "whitespace":
        return " "
    if token.type == "literal" and token.value in {"=", "~=", "|=", "^=", "$=", "*="}:
        return str(token.value)
    raise Rejected


def _media(tokens: list[Any], depth: int = 0) -> str:
    """A media condition (Media Queries 4, without the range form, which is written with "<")."""
    if len(tokens) > MAX_TOKENS or depth > 3:
        raise Rejected
    written: list[str] = []
    for token in tokens:
        if token.type == "() block":
            written.append(f"({_media(token.content, depth + 1)})")
        elif token.type == "ident":
            written.append(_match(_MEDIA_WORD, token.value))
        elif token.type == "literal" and token.value == ":":
            written.append(":")
        else:
            written.append(_plain(token, in_function=False))
    return "".join(written).strip()
