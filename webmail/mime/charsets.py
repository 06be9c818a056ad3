"""From bytes in a named charset to text, whatever the name and whatever the bytes.

Names are read as mail programs and the WHATWG Encoding Standard mean them: "iso-8859-1" is windows-1252, "gb2312" is
GB 18030. Only codecs on the list are ever asked for, so that no name can load one that is no charset.
"""

from __future__ import annotations

import re
from encodings.aliases import aliases as _python_aliases
from functools import lru_cache

NAME_LIMIT = 60

ALIASES = {
    "8bit": "",
    "ansi_x3.4-1968": "ascii",
    "binary": "",
    "default": "",
    "dos-720": "cp720",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "hebrew": "iso8859_8",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-8-i": "iso8859_8",
    "iso8859_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "iso8859_12": "",
    "koi8-ru": "koi8_u",
    "koi8-u": "koi8_u",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "latin1": "cp1252",
    "l1": "cp1252",
    "macintosh": "mac_roman",
    "none": "",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "tis-620": "cp874",
    "unicode": "utf_16_le",
    "unicode-1-1-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "unknown": "",
    "unknown-8bit": "",
    "us-ascii": "ascii",
    "utf-16": "utf_16",
    "utf-8-sig": "utf_8",
    "utf8mb4": "utf_8",
    "windows-31j": "cp932",
    "mac-roman": "mac_roman",
    "sjis-win": "cp932",
    "euc-tw": "",
}
"""Names as mail uses them -> Python's codec; "" = the name says nothing, guess."""

_SUPERSETS = {"big5": "big5hkscs", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
_SUPERSETS |= {"latin_1": "cp1252", "iso8859_9": "cp1254", "iso8859_11": "cp874", "tis_620": "cp874"}
_SUPERSETS |= {"iso2022_jp": "iso2022_jp_ext"}

_NO_CHARSETS = {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
_NAMES = {name: codec for name, codec in _python_aliases.items() if codec not in _NO_CHARSETS}
_CODECS = frozenset(_NAMES.values()) | {"cp720", "cp737", "cp856", "cp874", "cp1006", "koi8_t", "koi8_u"}

_PAGE = re.compile(r"(?:windows|win|cp|ibm|x-cp|ms)[-_]?(\d{3,5})")
_ISO = re.compile(r"(?:x-)?iso[-_]?8859[-_]?(\d{1,2})")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode_text(data: bytes, charset: str) -> tuple[str, bool]:
    """The text of `data`, and whether the charset had to be guessed or characters replaced (U+FFFD). NUL is removed.
    Without a charset, UTF-8 that holds is no guess. UTF-7 is read only when the name says so."""
    codec = find_codec(charset)
    if codec not in {"", "ascii", "utf_8"}:
        return _declared(data, codec)
    return _guess(data, codec)


@lru_cache(maxsize=512)
def find_codec(charset: str) -> str:
    """Python's codec for a charset name as mail writes it, "" when it names none that we know."""
    name = charset[:NAME_LIMIT].strip().strip("\"' ").lower().partition("*")[0].partition(",")[0].strip()
    for candidate in (name, name.removeprefix("x-")):
        iso, page = _ISO.fullmatch(candidate), _PAGE.fullmatch(candidate)
        candidate = f"iso8859_{iso[1]}" if iso else f"cp{page[1]}" if page else candidate
        if candidate in ALIASES:
            return ALIASES[candidate]
        plain = candidate.replace("-", "_").replace(" ", "_").replace(".", "_")
        codec = _NAMES.get(plain, plain)
        if codec in _CODECS:
            return _SUPERSETS.get(codec, codec)
    return ""


def _declared(data: bytes, codec: str) -> tuple[str, bool]:
    try:
        return _clean(data.decode(codec)), False
    except (UnicodeError, ValueError, LookupError):
        return _clean(data.decode(codec, "replace")), True


def _guess(data: bytes, codec: str) -> tuple[str, bool]:
    """UTF-8 if the bytes are that, are it but for a cut last character, or were declared so and hold some of it; else
    windows-1252."""
    if data.isascii():
        return data.decode("ascii").replace("\0", ""), False
    try:
        return _clean(data.decode("utf-8-sig")), codec == "ascii" and not data.isascii()
    except UnicodeDecodeError as error:
        cut_length = error.end - error.start if error.end == len(data) else 0
        text = data.decode("utf-8", "replace")
    real = not text.replace("\ufffd", "").isascii()
    if cut_length > 1 or (real and (cut_length or codec == "utf_8")):
        return _clean(text), True
    return _clean(data.decode("cp1252", "replace")), True


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text.replace("\0", ""))
