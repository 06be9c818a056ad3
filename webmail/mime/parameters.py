"""MIME parameters (RFC 2045 section 5.1, RFC 2231, and RFC 2047 where it does not belong), and parts made from them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from webmail.mime.charsets import decode_text
from webmail.mime.headers import decode_header, make_safe
from webmail.values import Part, PartNumber

NAME_LIMIT = 180
VALUE_LIMIT_BYTES = 65_536
SEGMENTS_LIMIT = 1_000
JOINED_LIMIT_BYTES = 4_096

_FORBIDDEN = re.compile(r'[/:*?"<>|]')
SHORT = 40
"""Characters up to which a token is remembered: there are few of them, and each message has twenty."""
_INVISIBLE = re.compile("[\u00ad\u034f\u200b\u2060-\u2064\ufeff\ufff9-\ufffb]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}")
_NOT_TOKEN = re.compile(r"[^a-z0-9.+_-]")
_PARAM = re.compile(rb';\s{0,200}([^\s=;"]{1,200})\s{0,50}=\s{0,50}(?:"([^"\\]*(?:\\.[^"\\]*)*)"?|([^;"]*))', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_NO_TOKENS = re.compile(r"[\s,;]+")
_FREE_TEXT = frozenset({b"filename", b"name"})


def part_from_fields(
    number: PartNumber,
    type: str,
    subtype: str,
    params: Mapping[str, bytes],
    *,
    encoding: str = "",
    size: int = 0,
    disposition: str = "",
    disposition_params: Mapping[str, bytes] | None = None,
    cid: bytes = b"",
    description: bytes = b"",
    children: tuple[Part, ...] = (),
) -> Part:
    """A part from undecoded fields; parameter names in lower case, `size` in octets. File names follow RFC 2231, and
    RFC 2047 where programs put it wrongly; what a name may not hold is taken out."""
    name = read_parameter(disposition_params or {}, "filename") or read_parameter(params, "name")
    place, kind = token(disposition), token(type)
    return Part(
        number=number,
        type=kind or "application",
        subtype=token(subtype) or "octet-stream",
        charset=_first_word(read_parameter(params, "charset"))[:60],
        encoding=token(encoding)[:40],
        size_bytes=max(0, size),
        disposition=place if place in {"inline", "attachment"} else "attachment" if place else "",
        filename=clean_filename(name) if name else "",
        cid=_content_id(make_safe(decode_text(cid[:2_000], "")[0])) if cid else "",
        format_flowed=_first_word(read_parameter(params, "format")).lower() == "flowed",
        delsp=_first_word(read_parameter(params, "delsp")).lower() == "yes",
        description=decode_header(description)[:200] if description else "",
        children=children,
        start=_content_id(read_parameter(params, "start")) if kind == "multipart" else "",
    )


def _content_id(text: str) -> str:
    return text.strip().strip("<>").strip()[:500]


def token(text: str) -> str:
    """The first token of a value in lower case, without comments, quotes and what no token may hold."""
    return _short_token(text) if len(text) <= SHORT else _token(text)


def _token(text: str) -> str:
    plain = _COMMENT.sub(" ", text[:500]).replace('"', " ").strip().lower()
    return _NOT_TOKEN.sub("", re.split(r"[\s,;]", plain, maxsplit=1)[0]).strip("._+-")[:80]


def _first_word(text: str) -> str:
    """The first token of a parameter's value (RFC 2045 section 5.1), without the quotes that programs leave in."""
    return _short_word(text) if len(text) <= SHORT else _word(text)


def _word(text: str) -> str:
    return _NO_TOKENS.split(_COMMENT.sub(" ", text).strip("\"' \t\r\n,;"), maxsplit=1)[0]


_short_token, _short_word = lru_cache(maxsize=1_000)(_token), lru_cache(maxsize=1_000)(_word)


def split_value(value: bytes) -> tuple[str, dict[str, bytes]]:
    """A field's value as its first word and its parameters (names in lower case, of equal names the first)."""
    value = value[:VALUE_LIMIT_BYTES].replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")
    params: dict[str, bytes] = {}
    for match in _PARAM.finditer(value):
        name, quoted, plain = match[1].lower(), match[2], match[3]
        if quoted is None and name not in _FREE_TEXT:
            plain = plain.partition(b" (")[0]
        text = _ESCAPE.sub(rb"\1", quoted) if quoted is not None else plain.strip()
        params.setdefault(name.decode("ascii", "replace"), text)
        if len(params) > SEGMENTS_LIMIT:
            break
    kind = _COMMENT.sub(" ", value.partition(b";")[0][:500].decode("ascii", "replace"))
    return "".join(kind.split()).lower(), params


def read_parameter(params: Mapping[str, bytes], name: str) -> str:
    """One parameter, decoded: RFC 2231 section 4 (name*), section 3 (name*0, name*1*), plain with encoded words."""
    if not params:
        return ""
    text = ""
    if f"{name}*" in params:
        text = _extended(params[f"{name}*"])
    elif f"{name}*0" in params or f"{name}*0*" in params:
        text = _continued(params, name)
    return text or (decode_header(params[name]) if name in params else "")


def _extended(value: bytes) -> str:
    charset, text = _split_charset(value[:VALUE_LIMIT_BYTES])
    data = unquote_to_bytes(text)
    return make_safe(decode_text(data, charset)[0]) if charset else decode_header(data)


def _split_charset(value: bytes) -> tuple[str, bytes]:
    """charset'language'text; without both quotes it is all text."""
    if value.count(b"'") < 2:
        return "", value
    charset, _language, text = value.split(b"'", 2)
    return charset.decode("ascii", "replace"), text


def _continued(params: Mapping[str, bytes], name: str) -> str:
    charset = ""
    pieces: list[bytes] = []
    size = 0
    for index in range(SEGMENTS_LIMIT):
        piece = params.get(f"{name}*{index}*")
        if piece is not None:
            if index == 0:
                charset, piece = _split_charset(piece)
            piece = unquote_to_bytes(piece[:JOINED_LIMIT_BYTES])
        else:
            piece = params.get(f"{name}*{index}")
        if piece is None or size > JOINED_LIMIT_BYTES:
            break
        pieces.append(piece)
        size += len(piece)
    data = b"".join(pieces)
    return make_safe(decode_text(data, charset)[0]) if charset else decode_header(data)


def clean_filename(name: str) -> str:
    """A file name that cannot name a place, hide its ending or break a header; at most 180 characters. "" stays ""."""
    name = _INVISIBLE.sub("", make_safe(name[:16_000]))
    name = name.strip().replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(" .")
    name = _shorten(unicodedata.normalize("NFC", name[:8_000]))
    return f"_{name}" if _RESERVED.fullmatch(name) else name


def _shorten(name: str) -> str:
    """At most NAME_LIMIT characters, the ending kept."""
    if len(name) <= NAME_LIMIT:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = dot + extension
    if not stem or not _EXTENSION.fullmatch(ending):
        return name[:NAME_LIMIT].strip(" .")
    return stem[: NAME_LIMIT - len(ending)].strip(" .") + ending
