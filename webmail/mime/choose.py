"""Which parts of a message are read, and which are attachments."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.values import Part

SHOWN_LIMIT = 20
DEPTH_LIMIT = 100
EMPTY_BYTES = 2

SIGNATURES = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-encrypted",
        "application/pgp-keys",
    }
)
READABLE = frozenset({"plain", "html", "enriched", "richtext", "markdown", "x-markdown"})
"""Subtypes of text that are read in place; all but html as plain text."""


def choose_bodies(structure: Part) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """(parts to show in order, attachments). Of alternatives the HTML one, else the last that can be read; texts of a
    mixed message each in its place; the rest are attachments. When nothing else can be read, a named text is."""
    shown, files = _split(structure, 0)
    if not shown:
        named = next((part for part in files if _is_text(part) and part.disposition != "attachment"), None)
        if named is not None:
            shown, files = [named], [part for part in files if part is not named]
    return tuple(shown[:SHOWN_LIMIT]), tuple(shown[SHOWN_LIMIT:] + files)


def _split(part: Part, depth: int) -> tuple[list[Part], list[Part]]:
    if part.type != "multipart":
        return ([part], []) if _readable(part) else ([], [part])
    if depth > DEPTH_LIMIT:
        return [], []
    options = [_split(child, depth + 1) for child in part.children]
    if part.subtype == "alternative":
        return _alternative(options)
    if part.subtype in {"related", "signed"}:
        return _first_only(part, options)
    return [leaf for shown, _files in options for leaf in shown], [leaf for _shown, files in options for leaf in files]


def _alternative(options: list[tuple[list[Part], list[Part]]]) -> tuple[list[Part], list[Part]]:
    """The best option with its files; of the others only what is no other form of the same text."""
    readable = [option for option in options if option[0]]
    full = [option for option in readable if any(leaf.size_bytes > EMPTY_BYTES for leaf in option[0])] or readable
    html = [option for option in full if any(leaf.subtype == "html" for leaf in option[0])]
    chosen = (html or full or [([], [])])[-1]
    files = [leaf for option in options for leaf in option[1] if option is chosen or not _is_another_form(leaf)]
    return chosen[0], files


def _is_another_form(leaf: Part) -> bool:
    return leaf.type == "text" and leaf.subtype != "calendar" and leaf.disposition != "attachment"


def _first_only(part: Part, options: list[tuple[list[Part], list[Part]]]) -> tuple[list[Part], list[Part]]:
    """The body is the root, or the first option that can be read where that cannot; all else of a related or signed
    multipart belongs to it."""
    root = next((index for index in _root_first(part) if options[index][0]), 0)
    shown: list[Part] = []
    files: list[Part] = []
    for index, child in enumerate(part.children):
        if index == root:
            shown, more = options[index]
        else:
            more = list(leaves(child))
        files += more
    return shown, files


def _root_first(part: Part) -> list[int]:
    """The indexes of the children, that of the one that `start` names first (RFC 2387 section 3.2). A BODYSTRUCTURE tells
    no Content-ID of a multipart: one that is the root is found by being readable."""
    indexes = range(len(part.children))
    if not part.start or part.subtype != "related":
        return list(indexes)
    return sorted(indexes, key=lambda index: part.children[index].cid != part.start)


def _is_text(part: Part) -> bool:
    return part.type == "text" and part.subtype in READABLE


def _readable(part: Part) -> bool:
    return _is_text(part) and part.disposition != "attachment" and (part.disposition == "inline" or not part.filename)


def leaves(part: Part, depth: int = 0) -> Iterator[Part]:
    """Every part that is no multipart, the root of a related one first; what is inside an attached message is left
    inside."""
    if part.type != "multipart":
        yield part
    elif depth <= DEPTH_LIMIT:
        for index in _root_first(part):
            yield from leaves(part.children[index], depth + 1)


def has_attachment(structure: Part) -> bool:
    """Whether the row gets a paper clip: something a person would open; not an image that belongs to the text, not a
    signature, not the technical parts of a report."""
    return _has_file(structure, "", 0)


def _has_file(part: Part, parent: str, depth: int) -> bool:
    if part.type == "multipart":
        return depth <= DEPTH_LIMIT and any(_has_file(child, part.subtype, depth + 1) for child in part.children)
    if part.media_type in SIGNATURES:
        return False
    if part.disposition == "attachment":
        return True
    if parent in {"report", "encrypted"}:
        return False
    if part.type == "text":
        return bool(part.filename) and part.disposition != "inline"
    return not (part.cid and parent == "related")


def find_plain(structure: Part) -> Part | None:
    """The first plain text part, for a snippet."""
    return next((leaf for leaf in leaves(structure) if leaf.media_type == "text/plain" and _readable(leaf)), None)


def find_html(structure: Part) -> Part | None:
    """The first HTML part, for a snippet when there is no plain one."""
    return next((leaf for leaf in leaves(structure) if leaf.media_type == "text/html" and _readable(leaf)), None)
