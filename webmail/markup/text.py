"""Plain text bodies as values for autoescaped templates: quotes, signature, links. No HTML is made here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from webmail.markup.urls import clean_link

TEXT_LIMIT_CHARS = 2_000_000
MAX_BLOCKS = 5_000
MAX_CANDIDATES = 20_000
"""Places looked at for a link in one body; what comes later stays plain text."""
MAX_LINKS = 1_000
"""Links of one body; what looks like one after that stays text. A browser takes a second for some thousands."""
MAX_QUOTE_DEPTH = 20

BlockKind = Literal["text", "quote", "signature"]


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text, line breaks included; a link when `href` is not "". The template escapes both."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines of one kind. `depth` counts the ">" marks that stood before each line of a quote and are taken
    off; 0 otherwise. To be shown with its white space kept."""

    kind: BlockKind
    depth: int
    runs: tuple[Run, ...]

    @property
    def line_count(self) -> int:
        return 1 + sum(run.text.count("\n") for run in self.runs)


@dataclass(frozen=True, slots=True)
class TextBody:
    """A plain text body; `truncated` when only its beginning is in `blocks`."""

    blocks: tuple[Block, ...]
    truncated: bool = False


_QUOTE = re.compile(r"(?:>[ ]?){1,40}")
_CANDIDATE = re.compile(r"https?://|www\.|mailto:|@", re.IGNORECASE)
_URL = re.compile(r"[^\s<>\"\x00-\x1f\x7f-\x9f`{}|\\^]{1,2000}")
_DOMAIN = re.compile(r"[a-z0-9\u00a1-\uffff](?:[a-z0-9\u00a1-\uffff.-]{0,250}[a-z0-9\u00a1-\uffff])?", re.IGNORECASE)
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-")
_TRAILING = frozenset(".,;:!?'*_~\u2026\u00bb\u201d\u2019")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def tokenize_text(text: str) -> TextBody:
    """Splits a decoded plain text body into blocks of runs, in linear time. Quotes by ">" (RFC 3676 section 4.5), the
    signature after "-- " (section 4.3), links by http, https, www., mailto: and addresses."""
    shown = text[:TEXT_LIMIT_CHARS].replace("\r\n", "\n").replace("\r", "\n")
    finder = _LinkFinder()
    blocks: list[Block] = []
    for kind, depth, lines in _group(shown.rstrip("\n").split("\n")):
        if len(blocks) == MAX_BLOCKS:
            return TextBody(tuple(blocks), truncated=True)
        runs = tuple(finder.runs("\n".join(lines)))
        if runs:
            blocks.append(Block(kind, depth, runs))
    return TextBody(tuple(blocks), truncated=len(text) > TEXT_LIMIT_CHARS)


def _group(lines: list[str]) -> Iterator[tuple[BlockKind, int, list[str]]]:
    """Runs of lines of one kind and depth, quote marks taken off."""
    current: tuple[BlockKind, int] = ("text", 0)
    gathered: list[str] = []
    for line in lines:
        kind, depth, rest = _read_line(line)
        if current[0] == "signature":
            kind, depth, rest = "signature", 0, line
        if (kind, depth) != current:
            if gathered:
                yield (*current, gathered)
            current, gathered = (kind, depth), []
        gathered.append(rest)
    if gathered:
        yield (*current, gathered)


def _read_line(line: str) -> tuple[BlockKind, int, str]:
    if line == "-- ":
        return "signature", 0, line
    marks = _QUOTE.match(line)
    if marks is None:
        return "text", 0, line
    return "quote", min(marks[0].count(">"), MAX_QUOTE_DEPTH), line[marks.end() :]


class _LinkFinder:
    """Finds links in the pieces of one body, within one budget of candidates."""

    def __init__(self) -> None:
        self._left = MAX_CANDIDATES
        self._links_left = MAX_LINKS

    def runs(self, text: str) -> Iterator[Run]:
        """The text in order, cut at its links."""
        done = 0
        for start, end, href in self._links(text):
            if start > done:
                yield Run(text[done:start])
            yield Run(text[start:end], href)
            done = end
        if done < len(text):
            yield Run(text[done:])

    def _links(self, text: str) -> Iterator[tuple[int, int, str]]:
        position = done = 0
        while self._left > 0 and self._links_left > 0:
            found = _CANDIDATE.search(text, position)
            if found is None:
                return
            self._left -= 1
            link = _read_address(text, found.start(), done) if found[0] == "@" else _read_url(text, found)
            if link:
                self._links_left -= 1
                yield link
                position = done = link[1]
            else:
                position = found.end()


def _read_url(text: str, found: re.Match[str]) -> tuple[int, int, str] | None:
    start = found.start()
    if start and (text[start - 1].isalnum() or text[start - 1] in "_@"):
        return None
    whole = _URL.match(text, start)
    url = _trim(whole[0]) if whole else ""
    if len(url) <= len(found[0]):
        return None
    if found[0].lower() == "www.":
        href = clean_link("https://" + url) if "." in url[4:] else None
    else:
        href = clean_link(url)
    return (start, start + len(url), href) if href else None


def _trim(url: str) -> str:
    """Takes off what ends the sentence rather than the address: punctuation, and brackets that were not opened in it."""
    counts = {char: url.count(char) for pair in _PAIRS.items() for char in pair}
    end = len(url)
    while end:
        last = url[end - 1]
        closes_nothing = last in _PAIRS and counts[last] > counts[_PAIRS[last]]
        if last not in _TRAILING and not closes_nothing:
            break
        if last in counts:
            counts[last] -= 1
        end -= 1
    return url[:end]


def _read_address(text: str, at: int, done: int) -> tuple[int, int, str] | None:
    """The mail address around the "@" at `at`, not reaching back before `done`."""
    start = at
    while start > max(done, at - 64) and text[start - 1] in _LOCAL:
        start -= 1
    while start < at and text[start] in ".'*_/=!?`{|}~-#$%&^+":
        start += 1
    domain = _DOMAIN.match(text, at + 1)
    if start == at or domain is None or "." not in domain[0] or ".." in domain[0]:
        return None
    href = clean_link(f"mailto:{text[start : domain.end()]}")
    return (start, domain.end(), href) if href else None
