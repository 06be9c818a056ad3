"""The first words of a message, for its row."""

from __future__ import annotations

import html as entities
import re

from webmail.mime.headers import make_safe

LENGTH = 140
TEXT_LIMIT = 20_000
HTML_LIMIT = 262_144
TAGS_LIMIT = 20_000
ENOUGH = 1_500

_WROTE = re.compile(r"(?:escribió|wrote|schrieb|a écrit|ha scritto|escreveu)[^:]{0,80}:$", re.IGNORECASE)
_WROTE_BEGINS = re.compile(r"(?:El|On|Am|Le|Il|Em) .{6,200}$")
_ORIGINAL = re.compile(
    r"-{2,20} ?(?:Mensaje original|Original Message|Ursprüngliche Nachricht|Message d.origine)", re.IGNORECASE
)
_LINK = re.compile(r"<https?://[^<>\s]{1,1000}>")
_FILLING = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2007\u200b\u200c\u200e\u200f\u2060-\u2064\ufeff]"
)
_RULE = re.compile(r"[-_=*#~.·•—]{4,}")
_TAG_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:-]{0,30}")
_SILENT = frozenset({"style", "script", "title", "template", "noscript", "textarea", "svg", "math", "xml", "object"})
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "big",
        "code",
        "em",
        "font",
        "i",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
        "var",
        "wbr",
    }
)
_QUOTES = frozenset({"blockquote"})


def snippet_from_text(text: str, length: int = LENGTH) -> str:
    """The first words that the writer wrote: quotes and the lines that introduce them are passed over when there is
    anything else. At most `length` characters, on one line."""
    lines = [line.strip() for line in text[:TEXT_LIMIT].split("\n")]
    return _short(" ".join(_own_lines(lines)), length) or _short(" ".join(line.lstrip("> ") for line in lines), length)


def _own_lines(lines: list[str]) -> list[str]:
    """The lines that are no quote, no introduction of one, and stand above the signature and the original message."""
    own: list[str] = []
    size = 0
    for index, line in enumerate(lines):
        if line == "--" or size > ENOUGH or _ORIGINAL.match(line):
            break
        after = lines[index + 1] if index + 1 < len(lines) else ""
        if not line.startswith(">") and not _introduces(line, after):
            own.append(line)
            size += len(_FILLING.sub("", line))
    return own


def _introduces(line: str, after: str) -> bool:
    """Whether a line, or the line and the one after it, say who wrote what is quoted below."""
    if line.endswith(":"):
        return _WROTE.search(line[-300:]) is not None
    return after.endswith(":") and bool(_WROTE.search(after[-300:]) and _WROTE_BEGINS.match(line[:300]))


def snippet_from_html(html: str, length: int = LENGTH) -> str:
    """The same for HTML: tags, styles, scripts and comments taken out, entities decoded, quoted replies passed over."""
    own, quoted = _texts(html[:HTML_LIMIT])
    return snippet_from_text(entities.unescape(own), length) or snippet_from_text(entities.unescape(quoted), length)


def _texts(html: str) -> tuple[str, str]:
    """The text outside and inside of quotes, a line end where a block begins or ends."""
    own: list[str] = []
    quoted: list[str] = []
    depth = size = at = 0
    for _tag in range(TAGS_LIMIT):
        opens = html.find("<", at)
        text = html[at:opens] if opens >= 0 else html[at:]
        (quoted if depth else own).append(text.replace("\n", " ")[:ENOUGH])
        size += 0 if depth else len(text.strip())
        if opens < 0 or size > ENOUGH:
            break
        name, at = _skip_tag(html, opens)
        if name == "":
            own.append("<")
        elif name.lstrip("/") in _QUOTES:
            depth = max(0, depth - 1) if name.startswith("/") else depth + 1
        if name not in {"", "!"} and name.lstrip("/") not in _INLINE:
            (quoted if depth else own).append("\n")
    return "".join(own), "".join(quoted)


def _skip_tag(html: str, opens: int) -> tuple[str, int]:
    """The name of the tag or comment that begins here, and the position after it (after its whole content where that is
    no text). "" when it is only a sign."""
    if html.startswith("<!--", opens):
        return "!", _after(html, "-->", opens + 4)
    match = _TAG_NAME.match(html, opens + 1)
    if match is None:
        return ("!", _after(html, ">", opens)) if html[opens + 1 : opens + 2] in {"!", "?", "/"} else ("", opens + 1)
    name = match[0].lower()
    end = _after(html, ">", match.end())
    if name in _SILENT:
        close = _find_close(html, name, end)
        return name, _after(html, ">", close)
    return name, end


def _after(html: str, mark: str, start: int) -> int:
    found = html.find(mark, start)
    return found + len(mark) if found >= 0 else len(html)


def _find_close(html: str, name: str, start: int) -> int:
    match = re.compile(f"</{name}", re.IGNORECASE).search(html, start)
    return match.start() if match else len(html)


def _short(text: str, length: int) -> str:
    text = _FILLING.sub("", _LINK.sub(" ", text[:TEXT_LIMIT]))
    return " ".join(_RULE.sub(" ", make_safe(text)).split())[:length].rstrip()
