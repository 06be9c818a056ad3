"""Tokens to a well-nested HTML text of bounded depth and size.

Every start tag that is written gets its end tag in the right order. So the parser that comes last can never hold more
open elements than are open here (but for a few implied ones per table), and takes linear time, whatever the message
does. Implied ends and misnested formatting follow the HTML standard (section 13.2.6) as far as looks need it.
"""

from __future__ import annotations

from webmail.markup.attributes import words
from webmail.markup.elements import DROPPED_WITH_CONTENT, GONE, Elements
from webmail.markup.tokens import End, OverBudget, Raw, Start, Text, Token

MAX_DEPTH = 200
MAX_ELEMENTS = 100_000
MAX_STEPS = 3_000_000
MAX_OUTPUT_CHARS = 6_000_000
MAX_REOPENED = 12
REFERENCE_COST = 15
"""What one character reference counts for in characters: the last parser is slow with them."""
_PIECE_CHARS = 20_000

VOID = frozenset({"br", "hr", "img", "wbr", "col"})
FORMATTING = words("a b big code em font i nobr s small strike strong tt u")
_SPLITTABLE = FORMATTING | words("center div p span")
_CLOSES_P = words(
    """
    address article aside blockquote center dd dir div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header
    hgroup hr li main nav ol p pre section table ul
    """
)
_HEADINGS = words("h1 h2 h3 h4 h5 h6")
_CELL = words("table td th caption")
_TABLE_LEVEL = {"table": 0, "caption": 1, "colgroup": 1, "tbody": 1, "thead": 1, "tfoot": 1, "tr": 2, "td": 3, "th": 3}
_TABLE_LEVEL["col"] = 3
_LIST_SCOPE = _CELL | words("ul ol dir")
_BREAKS_OUT = words(
    """
    b big blockquote body br center code dd div dl dt em h1 h2 h3 h4 h5 h6 hr i img li nobr ol p pre ruby s small
    span strong strike sub sup table tt u ul var
    """
)
_Open = tuple[str, str]


class Tree:
    """Builds the text. Feed it tokens until `full`; `html()` closes what is open and gives the whole."""

    def __init__(self, elements: Elements) -> None:
        self._elements = elements
        self._stack: list[_Open] = []
        self._written: list[str] = []
        self._size = 0
        self._count = 0
        self._steps = 0
        self._skipping = ""
        self._skip_depth = 0
        self.sheets: list[str] = []
        self.removed: set[str] = set()
        self.full = False

    def feed(self, token: Token) -> None:
        """Takes the next token."""
        if isinstance(token, OverBudget):
            self.full = True
        elif self._skipping and self._skips(token):
            return
        elif isinstance(token, Text):
            self._text(token.raw)
        elif isinstance(token, Start):
            self._start(token)
        elif isinstance(token, End):
            self._end(token.name)
        else:
            self._raw(token)
        if self._steps > MAX_STEPS:
            self.full = True

    def html(self) -> str:
        """The text, with every element closed."""
        while self._stack:
            self._pop()
        return "".join(self._written)

    # Content that is left out --------------------------------------------------------------------------------------

    def _skips(self, token: Token) -> bool:
        """True while inside an element whose content is left out; svg and math end where HTML begins."""
        if isinstance(token, End) and token.name == self._skipping:
            self._skip_depth -= 1
        elif isinstance(token, Start) and token.name == self._skipping and not token.closed:
            self._skip_depth += 1
        elif isinstance(token, Start) and self._skipping in {"svg", "math"} and token.name in _BREAKS_OUT:
            self._skipping = ""
            return False
        if self._skip_depth <= 0:
            self._skipping = ""
        return True

    def _raw(self, token: Raw) -> None:
        if token.name == "style":
            self._add_sheet(token)
        elif token.name in {"xmp", "plaintext"}:
            self._start(Start("pre", {}, False))
            self._text(token.text.replace("&", "&amp;"))
            self._end("pre")
        elif token.name in GONE:
            self.removed.add(GONE[token.name])

    def _add_sheet(self, token: Raw) -> None:
        medium = token.attributes.get("media", "").strip().lower()
        self.sheets.append(f"@media {medium}{{{token.text}}}" if medium not in {"", "all", "screen"} else token.text)

    # Elements ---------------------------------------------------------------------------------------------------------

    def _start(self, token: Start) -> None:
        name = "img" if token.name == "image" else token.name
        if name in DROPPED_WITH_CONTENT:
            self.removed.add(GONE.get(name, "form"))
            self._skipping, self._skip_depth = ("", 0) if token.closed else (name, 1)
            return
        tag = self._elements.write(Start(name, token.attributes, token.closed))
        if tag is None or not self._make_room(name):
            return
        if name in VOID:
            self._count_element()
            self._write(tag)
        elif len(self._stack) < MAX_DEPTH:
            self._push((name, tag))
        else:
            self.removed.add("deep")

    def _make_room(self, name: str) -> bool:
        """Closes what this element's start ends by itself. False when it may not stand here."""
        if name in _TABLE_LEVEL and name != "table":
            return self._make_room_in_table(name)
        if name in _CLOSES_P:
            self._close_first({"p"}, _CELL)
        if name == "li":
            self._close_first({"li"}, _LIST_SCOPE)
        elif name in {"dd", "dt"}:
            self._close_first({"dd", "dt"}, _CELL | {"dl"})
        elif name == "a":
            self._end("a")
        return True

    def _make_room_in_table(self, name: str) -> bool:
        level = _TABLE_LEVEL[name]
        if self._find({"table"}, frozenset()) is None:
            return False
        for index in range(len(self._stack) - 1, -1, -1):
            self._steps += 1
            if _TABLE_LEVEL.get(self._stack[index][0], 9) < level:
                self._close_to(index + 1, reopen=frozenset())
                return True
        return False

    def _end(self, name: str) -> None:
        if name in _TABLE_LEVEL:
            index = self._find({name}, frozenset() if name == "table" else frozenset({"table"}))
            if index is not None:
                self._close_to(index, reopen=frozenset())
        elif name in FORMATTING:
            self._end_formatting(name)
        elif name in _HEADINGS:
            self._close_first(_HEADINGS, _CELL)
        else:
            self._close_first({name}, _CELL)

    def _end_formatting(self, name: str) -> None:
        """Ends a formatting element; what was opened inside it goes on after it, if it can be split."""
        index = self._find({name}, _CELL)
        if index is None:
            return
        if all(inner in _SPLITTABLE for inner, _tag in self._stack[index + 1 :]):
            self._close_to(index, reopen=_SPLITTABLE)

    def _close_first(self, names: set[str] | frozenset[str], scope: frozenset[str]) -> None:
        """Closes the innermost of these within a scope, and opens again the formatting that was inside it."""
        index = self._find(names, scope)
        if index is not None:
            self._close_to(index, reopen=FORMATTING)

    def _find(self, names: set[str] | frozenset[str], scope: frozenset[str]) -> int | None:
        """The place of the innermost open element of these names, not looking beyond a scope's element."""
        for index in range(len(self._stack) - 1, -1, -1):
            self._steps += 1
            name = self._stack[index][0]
            if name in names:
                return index
            if name in scope:
                break
        return None

    def _close_to(self, index: int, *, reopen: frozenset[str]) -> None:
        """Closes the element at `index` and all inside it."""
        inside = self._stack[index + 1 :]
        while len(self._stack) > index:
            self._pop()
        for opened in [item for item in inside if item[0] in reopen][-MAX_REOPENED:]:
            self._push(opened)

    # Output -----------------------------------------------------------------------------------------------------------

    def _push(self, opened: _Open) -> None:
        self._count_element()
        self._stack.append(opened)
        self._write(opened[1])

    def _pop(self) -> None:
        self._written.append(f"</{self._stack.pop()[0]}>")

    def _count_element(self) -> None:
        self._count += 1
        if self._count >= MAX_ELEMENTS:
            self.full = True

    def _text(self, raw: str) -> None:
        """Writes characters in pieces, so that a budget that ends cuts the text and does not lose it."""
        for start in range(0, len(raw), _PIECE_CHARS):
            self._write(raw[start : start + _PIECE_CHARS].replace("<", "&lt;").replace(">", "&gt;"))

    def _write(self, text: str) -> None:
        self._size += len(text) + REFERENCE_COST * text.count("&")
        if self._size > MAX_OUTPUT_CHARS:
            self.full = True
        else:
            self._written.append(text)
