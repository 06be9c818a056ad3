"""Header fields written out: folded, encoded, 7-bit (RFC 5322 section 2.2.3, RFC 2047, RFC 2231)."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from webmail.mime.recipients import ascii_email
from webmail.values import Address

LINE_LIMIT = 78
"""Octets of a line where it can be folded (RFC 5322 section 2.1.1); the limit for what cannot is 998."""
WORD_LIMIT = 75
"""Characters of one encoded word (RFC 2047 section 2)."""
ID_LIMIT = 900
REFERENCES_LIMIT = 900

_FIRST_WORD = 45
"""What the first word of an address list may take, so that the longest field name fits before it."""
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_PIECE = re.compile(r" *[^ ]+")
_ID = re.compile(r"<[!-;=?-~]+>")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}")


def check_text(text: str) -> str:
    """The text as it came; ValueError when it holds a control character (CR, LF, NUL, tab, DEL, C1) or a lone
    surrogate, with which a header could be broken or added to. The text itself is not in the error."""
    for char in text:
        if not char.isprintable() and unicodedata.category(char) in {"Cc", "Cs"}:
            raise ValueError(f"a header may not hold U+{ord(char):04X}")
    return text


def fold(name: str, pieces: Iterable[str]) -> str:
    """One field, CRLF at its end, folded before those pieces that would pass the 78th column. Every piece but the first
    begins with the space at which it may be folded."""
    if not _NAME.fullmatch(name):
        raise ValueError("not a header name")
    lines, line = [], f"{name}:"
    for index, piece in enumerate(pieces):
        piece = piece if index else f" {piece.lstrip(' ')}"
        if index and len(line) + len(piece) > LINE_LIMIT:
            lines.append(line)
            line = ""
        line += piece
    return "\r\n".join([*lines, line, ""])


def text_field(name: str, value: str) -> str:
    """An unstructured field (RFC 5322 section 3.6.5): plain where it can be, else all of it in encoded words. Spaces
    around the value are lost."""
    value = check_text(value).strip(" ")
    pieces, room = _PIECE.findall(value), LINE_LIMIT - len(name) - 2
    if value.isascii() and "=?" not in value and max(map(len, pieces), default=0) <= room:
        return fold(name, pieces)
    return fold(name, spaced(encode_words(value, room)))


def address_field(name: str, addresses: Sequence[Address], *, unfinished: bool = False) -> str:
    """An address list (RFC 5322 section 3.6.3), "" without addresses. ValueError for one that cannot be sent to; with
    `unfinished` its text is kept as a name, which no program takes for an address."""
    pieces: list[str] = []
    for index, address in enumerate(addresses):
        if index:
            pieces[-1] += ","
        pieces += list(spaced(_mailbox(address, unfinished=unfinished), start=index))
    return fold(name, pieces) if pieces else ""


def _mailbox(address: Address, *, unfinished: bool) -> list[str]:
    name, email = check_text(address.name).split(), check_text(address.email)
    try:
        wire = ascii_email(email)
    except ValueError:
        shown = [*name, f"<{email}>"] if name and email else [*name, *email.split()]
        if unfinished and shown:
            return shown if _are_atoms(shown) else encode_words(" ".join(shown), _FIRST_WORD)
        raise ValueError("not an address that can be sent to") from None
    return [*_phrase(name), f"<{wire}>"] if name else [wire]


def _phrase(words: list[str]) -> list[str]:
    """A display name: atoms, else a quoted string, else encoded words with the signs of RFC 2047 section 5 (3)."""
    text = " ".join(words)
    plain = text.isascii() and "=?" not in text
    if _are_atoms(words):
        return words
    if plain and len(text) < _FIRST_WORD:
        return ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return encode_words(text, _FIRST_WORD)


def _are_atoms(words: list[str]) -> bool:
    return all(_ATOM.fullmatch(word) and len(word) <= _FIRST_WORD and "=?" not in word for word in words)


def spaced(words: Iterable[str], start: int = 0) -> Iterator[str]:
    """Each word with the space before it, but for the very first."""
    for index, word in enumerate(words, start):
        yield f" {word}" if index else word


def encode_words(text: str, first: int = WORD_LIMIT) -> list[str]:
    """The text as UTF-8 encoded words, in the shorter of Q and B; no character is cut in two (RFC 2047 section 5)."""
    data = text.encode()
    letter = "Q" if len(_encode_q(data)) <= (len(data) + 2) // 3 * 4 else "B"
    words, held, room = [], "", min(first, WORD_LIMIT)
    for char in text:
        if held and len(_word(letter, held + char)) > room:
            words.append(_word(letter, held))
            held, room = "", WORD_LIMIT
        held += char
    return [*words, _word(letter, held)] if held else words


def _word(letter: str, text: str) -> str:
    data = text.encode()
    return f"=?UTF-8?{letter}?{_encode_q(data) if letter == 'Q' else base64.b64encode(data).decode('ascii')}?="


def _encode_q(data: bytes) -> str:
    return "".join(chr(byte) if byte in _Q_SAFE else "_" if byte == 0x20 else f"={byte:02X}" for byte in data)


def pick_ids(text: str) -> tuple[str, ...]:
    """The message ids in a text, with their angle brackets; what is no id, or longer than a line can be, is left out."""
    return tuple(found for found in _ID.findall(check_text(text)) if len(found) <= ID_LIMIT)


def id_field(name: str, ids: Sequence[str]) -> str:
    """Message-ID, In-Reply-To or References (RFC 5322 section 3.6.4): the first id and as many of the last ones as go
    into about 900 octets. "" without ids."""
    clean = [found for text in ids for found in pick_ids(text)]
    kept, size = clean[:1], sum(map(len, clean[:1]))
    last: list[str] = []
    for found in reversed(clean[1:]):
        size += len(found) + 1
        if size > REFERENCES_LIMIT and last:
            break
        last.append(found)
    return fold(name, spaced([*kept, *reversed(last)])) if clean else ""


def parameter_field(name: str, value: str, parameters: Iterable[str]) -> str:
    """A field with parameters (RFC 2045 section 5.1), each on a line of its own where they do not fit on one."""
    pieces = [value]
    for parameter in parameters:
        pieces[-1] += ";"
        pieces.append(f" {parameter}")
    return fold(name, pieces)


def quoted(name: str, value: str) -> str:
    """A parameter in quotes, its value being known to be plain."""
    return f'{name}="{value}"'


def extended(name: str, value: str) -> list[str]:
    """A parameter by RFC 2231: plain in quotes where it can be, else percent-encoded UTF-8 (section 4), cut into
    numbered pieces where it is too long for a line (section 3). No character is cut in two."""
    if _is_plain(value):
        return [quoted(name, value)]
    pieces, held = [], "UTF-8''"
    room = LINE_LIMIT - len(name) - 8
    for char in check_text(value):
        code = quote(char, safe="!#$&+^`{|}")
        if len(held) + len(code) > room:
            pieces.append(held)
            held = ""
        held += code
    pieces.append(held)
    if len(pieces) == 1:
        return [f"{name}*={held}"]
    return [f"{name}*{index}*={piece}" for index, piece in enumerate(pieces)]


def encoded(name: str, value: str) -> list[str]:
    """The same parameter for old programs: encoded words in quotes, which RFC 2047 section 5 (3) does not allow and
    everybody reads. One piece a word."""
    if _is_plain(value):
        return [quoted(name, value)]
    words = encode_words(check_text(value), LINE_LIMIT - len(name) - 6)
    return [f'{name}="' + "\r\n ".join(words) + '"']


def _is_plain(value: str) -> bool:
    return value.isascii() and len(value) <= 60 and "=?" not in check_text(value) and not set(value) & {'"', "\\"}


def split_media_type(media_type: str) -> tuple[str, str]:
    """Type and subtype in lower case, without parameters; what is none becomes application/octet-stream."""
    kind, _slash, subtype = media_type.partition(";")[0].strip().lower().partition("/")
    if not _TOKEN.fullmatch(kind) or not _TOKEN.fullmatch(subtype) or kind == "multipart":
        return "application", "octet-stream"
    return kind, subtype
