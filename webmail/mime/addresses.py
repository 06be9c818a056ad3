"""Address lists (RFC 5322 section 3.4): parsed as bytes, decoded after, so that no encoded name is an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from webmail.mime.charsets import decode_text
from webmail.mime.domains import show_domain
from webmail.mime.headers import decode_header, make_safe
from webmail.values import Address

ADDRESS_LIMIT = 500
INPUT_LIMIT_BYTES = 262_144
EMAIL_LIMIT = 320
SHORT_BYTES = 200
"""Octets up to which a value is remembered: the same people write again and again, to the same people."""
NAME_LIMIT = 400

_QUOTED = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN = re.compile(
    rb"(?P<quoted>" + _QUOTED + rb")"
    rb"|(?P<angle><(?:[^<>\"]|" + _QUOTED + rb")*>|<[^<>,;\"]*)"
    rb"|(?P<word>=\?[^?\s<>\"@]{1,80}\?[bBqQ]\?[^?\s\"<>]*\?=)"
    rb"|(?P<literal>\[[^\[\]\s,;<>\"]{0,300}\])"
    rb"|(?P<special>[(),;:])"
    rb"|(?P<space>[\s\0]+)"
    rb"|(?P<atom>\\.|[^\s\0\"<>(),;:=\\\[]+|.)",
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT = re.compile(rb"\([^()]{0,500}\)")
_AROUND_AT = re.compile(rb"[ \t]{0,20}@[ \t]{0,20}")
_OUTSIDE = re.compile(rb"(" + _QUOTED + rb")|[\0-\x20\x7f]+", re.DOTALL)
_QUOTED_TEXT = re.compile(
    _QUOTED + rb"|\\.", re.DOTALL
)  # escapes are passed over, so that no quote is tried from within
_PARENTHESES = re.compile(rb"(" + _QUOTED + rb"|\\.)|[()]", re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[()<>\[\]:;@\\,."]')


def parse_addresses(value: bytes, limit: int = ADDRESS_LIMIT) -> tuple[tuple[Address, ...], bool]:
    """The addresses of a header value, and whether there were more than `limit`. Group names are dropped, but for an
    empty group ("undisclosed-recipients"), which comes back as a name. What is no address is a name without email."""
    return _parse_short(value, limit) if len(value) <= SHORT_BYTES else _parse(value, limit)


def _parse(value: bytes, limit: int) -> tuple[tuple[Address, ...], bool]:
    flat = value[:INPUT_LIMIT_BYTES].replace(b"\r", b" ").replace(b"\n", b" ")
    bare = _QUOTED_TEXT.sub(b"", flat)
    if bare.count(b"(") > bare.count(b")"):  # a comment without an end is none
        flat = _PARENTHESES.sub(lambda found: found[1] or b" ", flat)
    found: list[Address] = []
    for address in _read(flat):
        if len(found) >= limit:
            return tuple(found), True
        found.append(address)
    if not found and (text := decode_header(flat[:2_000])):
        found.append(Address(text[:NAME_LIMIT], ""))
    return tuple(found), len(value) > INPUT_LIMIT_BYTES


_parse_short = lru_cache(maxsize=5_000)(_parse)


@dataclass(slots=True)
class _Mailbox:
    """What has been read of one mailbox: the pieces of its phrase, its <address>, its comments, what follows them."""

    words: list[bytes] = field(default_factory=list)
    bare: list[bytes] = field(default_factory=list)
    route: bytes | None = None
    comments: list[bytes] = field(default_factory=list)
    later: list[bytes] = field(default_factory=list)

    @property
    def has_address(self) -> bool:
        return self.route is not None or any(b"@" in text and not _is_phrase(text) for text in self.bare)

    def add(self, text: bytes, shown: bytes | None = None) -> None:
        if self.route is None:
            self.bare.append(text)
        (self.words if self.route is None else self.later).append(text if shown is None else shown)


def _read(value: bytes) -> Iterator[Address]:
    mailbox = _Mailbox()
    group, group_used = b"", True
    depth = 0
    comment: list[bytes] = []
    for match in _TOKEN.finditer(value):
        kind, text = match.lastgroup, match[0]
        if depth or text == b"(":
            depth += (text == b"(") - (text == b")")
            if depth == 0:
                mailbox.comments.append(b"".join(comment[1:21]))
                comment = []
            elif len(comment) < 40:
                comment.append(text)
        elif kind == "special":
            is_name = text == b":" and not mailbox.has_address
            addresses = [] if is_name else list(_finish(mailbox))
            group_used = group_used or bool(addresses)
            yield from addresses
            if text == b":":
                group, group_used = b"".join(mailbox.words).strip() if is_name else b"", not is_name
            elif text == b";" and not group_used:
                yield Address(_name(group), "")
                group_used = True
            mailbox = _Mailbox()
        elif kind == "angle" and mailbox.route is not None:
            yield from _finish(mailbox)
            mailbox = _Mailbox(words=mailbox.later, route=text)
        elif kind == "angle":
            mailbox.route = text
            mailbox.bare = []
        elif kind == "quoted":
            mailbox.add(text, _ESCAPE.sub(rb"\1", text[1:-1]))
        else:
            mailbox.add(b" " if kind == "space" else text)
    yield from _finish(mailbox)


def _finish(mailbox: _Mailbox) -> Iterator[Address]:
    """The address of what was read; several when a comma was forgotten; none when there was nothing."""
    comment = b" ".join(mailbox.comments)
    name = b"".join(mailbox.words)
    if mailbox.route is not None:
        email = _clean_email(_strip_route(mailbox.route))
        if email or name.strip():
            yield _address(name if name.strip() else comment, email)
        return
    bare = b"".join(mailbox.bare)
    if b"@" not in bare:
        if name.strip():
            yield Address(_name(name), "")
        return
    yield from _from_bare(_bare_words(bare), mailbox, comment)


def _from_bare(words: list[bytes], mailbox: _Mailbox, comment: bytes) -> Iterator[Address]:
    """Addresses without angle brackets; "ana maria"@example.org may hold a space in its quotes."""
    joined = b"".join(mailbox.bare).strip()
    if re.fullmatch(_QUOTED + rb"@[^\s@]{1,255}", joined, re.DOTALL):
        yield _address(comment, _clean_email(joined))
        return
    emails = [word for word in words if b"@" in word and not _is_phrase(word)]
    if not emails:
        yield Address(_name(b"".join(mailbox.words)), "")
        return
    others = b" ".join(word for word in words if word not in set(emails)) if len(words) < 50 else b""
    for email in emails:
        yield _address(others if len(emails) == 1 and others else comment, _clean_email(email))


def _bare_words(bare: bytes) -> list[bytes]:
    """The words of a phrase with an address in it; ana @ example . org is one word (RFC 5322 section 4.4)."""
    words: list[bytes] = []
    for word in _AROUND_AT.sub(b"@", bare).split():
        if words and b"@" in words[-1] and (word.startswith(b".") or words[-1].endswith(b".")) and len(words[-1]) < 400:
            words[-1] += word
        else:
            words.append(word)
    return words


def _is_phrase(word: bytes) -> bool:
    """Whether an @ in this word is inside quotes or an encoded word, and so part of a name."""
    return word.startswith(b'"') or (word.startswith(b"=?") and word.endswith(b"?="))


def _strip_route(angle: bytes) -> bytes:
    """The inside of <...> without comments and without an obsolete source route (@a,@b:)."""
    inside = angle.removeprefix(b"<").removesuffix(b">")
    if b'"' not in inside:
        inside = _COMMENT.sub(b"", inside)
        if inside.lstrip().startswith(b"@") and b":" in inside:
            inside = inside.partition(b":")[2]
    return inside


def _clean_email(email: bytes) -> str:
    squeezed = _OUTSIDE.sub(lambda match: match[1] or b"", email[:10_000])
    text = make_safe(decode_text(squeezed, "")[0])
    return text.strip() if '"' in text else "".join(text.split())


def _address(name: bytes, email: str) -> Address:
    if len(email) > EMAIL_LIMIT:
        return Address((_name(name) or email)[:NAME_LIMIT], "")
    local, at, domain = email.rpartition("@")
    return Address(_name(name), f"{local}@{show_domain(domain)}" if at else email)


def _name(name: bytes) -> str:
    text = " ".join(decode_header(name[:8_000]).split())
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1]
    text = text.strip('" ')
    return text[:NAME_LIMIT]


def format_address(address: Address) -> str:
    """How an address is written out: Name <local@domain>, the name in quotes where RFC 5322 wants them."""
    if not address.name or not address.email:
        return address.display
    name = address.name
    if _NEEDS_QUOTES.search(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address.email}>"
